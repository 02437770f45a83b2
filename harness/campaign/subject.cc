// Calls environment.py and adapter.py of reference/environments/, and reads the one line of each.
#include "harness/campaign/subject.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/process/interruption.h"

namespace storefuzz {

namespace {

// For pip on a slow network.
constexpr Milliseconds kInstalling{900'000};

Result<std::vector<std::string>> words_for(const Wanted& wanted) {
  if (!wanted.venv.empty() && !wanted.zarr.empty())
    return bad_input("--python names an environment, whose own zarr is tested; leave --zarr out");
  if (!wanted.venv.empty() && !wanted.with.empty())
    return bad_input("--python names an environment, which stays as it is; leave --with out");
  if (!wanted.venv.empty()) return std::vector{"--venv=" + wanted.venv};
  auto releases = all_releases();
  if (!releases) return std::unexpected(releases.error());
  std::vector<std::string> words;
  for (const std::string& package : wanted.with) words.push_back("--with=" + package);
  // After "--" a word that begins with a dash is a name as well.
  words.insert(words.end(), {"--", wanted.zarr.empty() ? releases->back() : wanted.zarr});
  return words;
}

}  // namespace

Result<Subject> find_subject(const Wanted& wanted, bool quiet) {
  auto words = words_for(wanted);
  if (!words) return std::unexpected(words.error());
  std::vector<std::string> arguments{tools_python(),
                                     source_folder() + "/reference/environments/environment.py"};
  arguments.insert(arguments.end(), words->begin(), words->end());
  auto done = run_to_end({.arguments = std::move(arguments)}, kInstalling, interrupted);
  if (!done) return std::unexpected(done.error());
  if (done->stopped)
    return machine_failure("interrupted while the environment of the subject was prepared");
  // Progress and errors, then the one line of JSON on success.
  const LastLine told = last_line(done->output);
  if (done->exit_code != 0)
    return std::unexpected(
        Error{.code = done->exit_code == 2 ? ExitCode::kBadInput : ExitCode::kMachine,
              .message = told.last.empty() ? "environment.py failed: " + done->end : told.last});
  if (!quiet) std::fputs(printable_lines(told.before).c_str(), stderr);
  const Json json = Json::parse(told.last, nullptr, false);
  if (!json.is_object()) return machine_failure("environment.py said nothing of use");
  return Subject{.python = json.value("python", ""),
                 .release = json.value("release", ""),
                 .path = json.value("path", Json()),
                 .packages = json.value("packages", Json::object())};
}

std::set<std::string> releases_of(const program::Case& value) {
  std::set<std::string> releases;
  for (const program::Process& process : value.processes)
    if (!process.subject.empty()) releases.insert(process.subject);
  return releases;
}

Result<std::string> interpreters_of(const std::set<std::string>& releases) {
  Json interpreters = Json::object();
  for (const std::string& release : releases) {
    auto other = find_subject({.zarr = release}, true);
    if (!other) return std::unexpected(other.error());
    interpreters[release] = other->python;
  }
  return text_of(interpreters);
}

Result<Json> read_adapter(const std::filesystem::path& file, const std::string& python,
                          Milliseconds deadline) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(file, error);
  if (!std::filesystem::is_regular_file(whole, error))
    return bad_input(fmt::format("there is no adapter at {}", file.string()));
  auto done = run_to_end(
      {.arguments = {python, "-W", "ignore", source_folder() + "/reference/environments/adapter.py",
                     whole.string()},
       .environment = {{"PYTHONDONTWRITEBYTECODE", "1"}},
       .contain = "/dev/shm"},
      deadline, interrupted);
  if (!done) return std::unexpected(done.error());
  if (done->stopped) return machine_failure("interrupted while the adapter was being read");
  const auto wrong = [&](const std::string& why) {
    return bad_input(fmt::format("{} gives no STORE: {}", file.string(), why));
  };
  if (done->end == "timed out")
    return wrong(fmt::format("its import does not end within {} s", deadline.count() / 1000.0));
  if (done->output.empty())
    return wrong(fmt::format("its import ends the process ({})", done->end));
  const Json said = parse_json(done->output);
  if (!said.is_object()) return wrong("what it says is too long, or no JSON");
  if (said.contains("wrong")) return wrong(said.value("wrong", ""));
  Json list = said.value("store", Json());
  if (list.is_object()) list = Json::array({list});
  if (!list.is_array())
    return bad_input(fmt::format("the STORE of {} is no object", file.string()));
  for (Json& entry : list)
    if (entry.is_object()) entry["file"] = whole.string();
  return list;
}

Result<void> use_adapter(const std::filesystem::path& file, const std::string& python) {
  auto list = read_adapter(file, python);
  if (!list) return std::unexpected(list.error());
  return add_adapters(*list);
}

Result<std::vector<std::string>> all_releases() {
  std::ifstream file(source_folder() + "/reference/releases.json");
  const Json json = Json::parse(file, nullptr, false);
  if (!json.is_object() || !json.contains("releases"))
    return machine_failure("reference/releases.json cannot be read");
  std::vector<std::string> releases;
  for (const Json& entry : json["releases"]) releases.push_back(entry.value("release", ""));
  return releases;
}

}  // namespace storefuzz
