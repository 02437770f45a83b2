// Files of a run; the scratch folder.
#include "harness/campaign/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/process/process.h"

namespace storefuzz {
namespace fs = std::filesystem;

Result<void> RunDirectory::check(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_directory(folder, error))
    return bad_input(fmt::format("{} is no folder", folder.string()));
  const bool used = fs::exists(folder, error) && !fs::is_empty(folder, error);
  std::ifstream earlier(folder / "run.json");
  const Json told = Json::parse(earlier, nullptr, false);
  // Ours says which storefuzz wrote it; one that was cut short is still empty.
  const bool ours = told.is_object() && (told.empty() || told.contains("storefuzz"));
  if (used && !ours)
    return bad_input(fmt::format("{} holds other files; name a new folder", folder.string()));
  fs::path there = fs::absolute(folder, error);
  while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there, error) || ::access(there.c_str(), W_OK) != 0)
    return bad_input(fmt::format("{} cannot be written", folder.string()));
  return {};
}

Result<RunDirectory> RunDirectory::make(const fs::path& folder) {
  if (auto fit = check(folder); !fit) return std::unexpected(fit.error());
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || ::access(folder.c_str(), W_OK) != 0)
    return bad_input(fmt::format("{} cannot be written", folder.string()));
  Descriptor lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return bad_input(fmt::format("another run is writing to {}", folder.string()));
  RunDirectory run(fs::absolute(folder, error), std::move(lock));
  // An earlier run in the same place is replaced as a whole.
  for (const char* name : {"findings", "findings.jsonl", "unconfirmed.jsonl", "planted.jsonl",
                           "index.html", "summary.md"})
    fs::remove_all(run.path_ / name, error);
  if (auto written = run.write("run.json", "{}\n"); !written)
    return std::unexpected(written.error());
  return run;
}

Result<void> RunDirectory::write(const fs::path& name, std::string_view bytes) const {
  std::error_code error;
  fs::create_directories((path_ / name).parent_path(), error);
  return write_file_whole(path_ / name, bytes);
}

Result<void> RunDirectory::render() const { return storefuzz::render(path_); }

Result<void> render(const fs::path& run, const std::function<bool()>& stop) {
  auto done = run_to_end(
      {.arguments = {tools_python(), source_folder() + "/reports/render.py", run.string()},
       .environment = {{"PYTHONDONTWRITEBYTECODE", "1"}}},
      Milliseconds(120'000), stop);
  if (!done) return std::unexpected(done.error());
  if (done->stopped) return machine_failure("interrupted: the pages were not all drawn");
  if (done->exit_code == 0) return {};
  const std::string text = done->output.substr(0, 2000);
  return std::unexpected(Error{
      .code = done->exit_code == 2 ? ExitCode::kBadInput : ExitCode::kMachine, .message = text});
}

}  // namespace storefuzz
