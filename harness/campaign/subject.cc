// Calls reference/environments/environment.py and reads its one line.
#include "harness/campaign/subject.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "harness/base/paths.h"
#include "harness/process/process.h"

namespace storefuzz {

Result<Subject> find_subject(const Wanted& wanted, bool quiet) {
  std::vector<std::string> arguments{tools_python(), source_folder() + "/reference/environments/environment.py"};
  if (!wanted.venv.empty() && !wanted.zarr.empty())
    return bad_input("--python names an environment, whose own zarr is tested; leave --zarr out");
  if (!wanted.venv.empty() && !wanted.with.empty())
    return bad_input("--python names an environment, which stays as it is; leave --with out");
  if (!wanted.venv.empty()) {
    arguments.insert(arguments.end(), {"--venv", wanted.venv});
  } else {
    auto releases = all_releases();
    if (!releases) return std::unexpected(releases.error());
    arguments.push_back(wanted.zarr.empty() ? releases->back() : wanted.zarr);
    for (const std::string& package : wanted.with)
      arguments.insert(arguments.end(), {"--with", package});
  }
  auto done = run_to_end({.arguments = arguments}, Milliseconds(900'000));
  if (!done) return std::unexpected(done.error());
  // Progress and errors, then the one line of JSON on success.
  std::string last;
  std::string told;
  for (std::size_t at = 0; at < done->output.size();) {
    const std::size_t end = std::min(done->output.find('\n', at), done->output.size());
    if (!last.empty()) told += last + "\n";
    last = done->output.substr(at, end - at);
    at = end + 1;
  }
  if (done->exit_code != 0)
    return std::unexpected(
        Error{.code = done->exit_code == 2 ? ExitCode::kBadInput : ExitCode::kMachine,
              .message = last.empty() ? "environment.py failed: " + done->end : last});
  if (!quiet && !told.empty()) std::fputs(told.c_str(), stderr);
  const Json json = Json::parse(last, nullptr, false);
  if (!json.is_object()) return machine_failure("environment.py said nothing of use");
  return Subject{.python = json.value("python", ""),
                 .release = json.value("release", ""),
                 .path = json.value("path", Json()),
                 .packages = json.value("packages", Json::object())};
}

Result<void> use_adapter(const std::filesystem::path& file, const std::string& python) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(file, error);
  if (!std::filesystem::is_regular_file(whole, error))
    return bad_input(fmt::format("there is no adapter at {}", file.string()));
  constexpr const char* kAsk =
      "import json, os, runpy, sys; sys.path.insert(0, os.path.dirname(sys.argv[1])); "
      "print('\\n' + json.dumps(runpy.run_path(sys.argv[1])['STORE']))";
  auto done = run_to_end({.arguments = {python, "-W", "ignore", "-c", kAsk, whole.string()},
                          .environment = {{"PYTHONDONTWRITEBYTECODE", "1"}},
                          .contain = "/dev/shm"},
                         Milliseconds(60'000));
  if (!done) return std::unexpected(done.error());
  const std::string text = done->output.substr(0, done->output.find_last_not_of('\n') + 1);
  const std::string last = text.substr(text.find_last_of('\n') + 1);
  Json list = parse_json(last);
  if (done->exit_code != 0 || list.is_discarded())
    return bad_input(fmt::format("{} gives no STORE: {}", file.string(), last));
  if (list.is_object()) list = Json::array({list});
  if (!list.is_array())
    return bad_input(fmt::format("the STORE of {} is no object", file.string()));
  for (Json& entry : list)
    if (entry.is_object()) entry["file"] = whole.string();
  return add_adapters(list);
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
