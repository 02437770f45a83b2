// See run_directory.h.
#include "harness/campaign/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <ranges>
#include <utility>

#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/paths.h"

namespace storefuzz {
namespace fs = std::filesystem;

namespace {

constexpr const char* kNames[] = {
    "run.json",          "findings",   "findings.jsonl", "seen.jsonl",     "planted.jsonl",
    "unconfirmed.jsonl", "index.html", "summary.md",     "findings.sarif", "junit.xml"};

Result<void> busy(const fs::path& folder) {
  return bad_input(fmt::format("another run is writing to {}", folder.string()));
}

// Whether run.json is one of ours: it says which storefuzz wrote it. Those of older versions were
// empty until the run ended.
bool holds_a_run(const fs::path& folder) {
  std::ifstream file(folder / "run.json");
  const Json told = Json::parse(file, nullptr, false);
  return told.is_object() && (told.empty() || told.contains("storefuzz"));
}

// Makes the folder and the parents that it lacks, and adds those to `made`, outermost first.
Result<void> make_folders(const fs::path& folder, std::vector<fs::path>& made) {
  std::error_code error;
  std::vector<fs::path> missing;
  for (fs::path path = folder; !fs::exists(path, error) && path.has_relative_path();
       path = path.parent_path())
    missing.push_back(path);
  for (const fs::path& path : missing | std::views::reverse) {
    if (::mkdir(path.c_str(), 0777) == 0)
      made.push_back(path);
    else if (errno != EEXIST)
      return std::unexpected(cannot_write(folder, errno));
  }
  return {};
}

// By a script of reports/.
Result<void> draw(const char* script, std::vector<std::string> arguments,
                  const std::function<bool()>& stop) {
  std::vector<std::string> all{tools_python(), source_folder() + "/reports/" + script};
  std::ranges::move(arguments, std::back_inserter(all));
  auto done =
      run_to_end({.arguments = std::move(all), .environment = {{"PYTHONDONTWRITEBYTECODE", "1"}}},
                 Milliseconds(120'000), stop);
  if (!done) return std::unexpected(done.error());
  if (done->stopped) return machine_failure("interrupted: the pages were not all drawn");
  if (done->exit_code == 0) return {};
  std::string text = done->output.substr(0, 2000);
  while (text.ends_with('\n')) text.pop_back();
  return std::unexpected(
      Error{.code = done->exit_code == 2 ? ExitCode::kBadInput : ExitCode::kMachine,
            .message = std::move(text)});
}

}  // namespace

Descriptor lock_folder(const fs::path& folder) {
  Descriptor lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.get() >= 0 && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) lock.reset();
  return lock;
}

Result<void> RunDirectory::check(const fs::path& folder, bool replace) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_directory(folder, error))
    return bad_input(fmt::format("{} is no folder", folder.string()));
  if (fs::exists(folder, error)) {
    if (lock_folder(folder).get() < 0 && ::access(folder.c_str(), R_OK) == 0) return busy(folder);
    const bool used = !fs::is_empty(folder, error);
    if (used && !holds_a_run(folder))
      return bad_input(fmt::format("{} holds other files; name a new folder", folder.string()));
    if (used && !replace)
      return bad_input(
          fmt::format("{} holds an earlier run: name a new folder, or type --replace to delete it",
                      folder.string()));
  }
  fs::path there = fs::absolute(folder, error);
  while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there, error) || ::access(there.c_str(), W_OK) != 0)
    return bad_input(fmt::format("{} cannot be written", folder.string()));
  return {};
}

Result<RunDirectory> RunDirectory::make(const fs::path& folder, bool replace) {
  if (auto fit = check(folder, replace); !fit) return std::unexpected(fit.error());
  std::error_code error;
  RunDirectory run(fs::absolute(folder, error), {});
  if (auto made = make_folders(run.path_, run.made_); !made) return std::unexpected(made.error());
  run.lock_ = lock_folder(run.path_);
  if (run.lock_.get() < 0) return std::unexpected(busy(folder).error());
  return run;
}

RunDirectory::~RunDirectory() {
  // rmdir() takes empty folders only.
  for (const fs::path& it : made_ | std::views::reverse)
    if (::rmdir(it.c_str()) != 0) break;
}

void RunDirectory::clear() const {
  std::error_code error;
  for (const char* name : kNames) {
    fs::remove_all(path_ / name, error);
    fs::remove(path_ / (std::string(name) + ".new"), error);  // of a run that was killed in between
  }
}

Result<void> RunDirectory::write(const fs::path& name, std::string_view bytes) const {
  std::error_code error;
  fs::create_directories((path_ / name).parent_path(), error);
  if (error) return std::unexpected(cannot_write(path_ / name, error.value()));
  return write_file_whole(path_ / name, bytes, Durable::kYes);
}

Result<void> RunDirectory::render(bool security) const {
  return storefuzz::render(path_, security);
}

Result<void> render(const fs::path& run, bool security, const std::function<bool()>& stop) {
  return security ? draw("render.py", {run.string(), "--security"}, stop)
                  : draw("render.py", {run.string()}, stop);
}

Result<void> draw_nights(const fs::path& state, const std::function<bool()>& stop) {
  return draw("nights.py", {state.string()}, stop);
}

}  // namespace storefuzz
