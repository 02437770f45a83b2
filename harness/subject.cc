// Calls reference/environment.py and reads its one line.
#include "harness/subject.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "harness/process.h"

namespace storefuzz {

std::string source_folder() {
  const char* named = std::getenv("STOREFUZZ_HOME");
  return named && *named ? named : STOREFUZZ_SOURCE;
}

std::string tools_python() { return STOREFUZZ_TOOLS_PYTHON; }

Result<Subject> find_subject(const std::string& zarr, const std::string& venv, bool quiet) {
  std::vector<std::string> arguments{tools_python(), source_folder() + "/reference/environment.py"};
  if (!venv.empty() && !zarr.empty())
    return bad_input("--python names an environment, whose own zarr is tested; leave --zarr out");
  if (!venv.empty()) {
    arguments.insert(arguments.end(), {"--venv", venv});
  } else {
    auto releases = all_releases();
    if (!releases) return std::unexpected(releases.error());
    arguments.push_back(zarr.empty() ? releases->back() : zarr);
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
                 .path = json.value("path", Json())};
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
