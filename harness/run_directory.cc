// Files of a run; the scratch folder.
#include "harness/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "harness/process.h"
#include "harness/subject.h"

namespace storefuzz {
namespace fs = std::filesystem;

Result<void> write_file_whole(const fs::path& file, std::string_view bytes) {
  const fs::path beside = file.string() + ".new";
  std::ofstream stream(beside, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  std::error_code error;
  if (stream) fs::rename(beside, file, error);
  if (!stream || error) {
    fs::remove(beside, error);
    return bad_input(fmt::format("{} cannot be written", file.string()));
  }
  return {};
}

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

Result<void> RunDirectory::render() const {
  auto done = run_to_end(
      {.arguments = {tools_python(), source_folder() + "/reports/render.py", path_.string()},
       .environment = {{"PYTHONDONTWRITEBYTECODE", "1"}}},
      Milliseconds(120'000));
  if (!done) return std::unexpected(done.error());
  if (done->exit_code == 0) return {};
  const std::string text = done->output.substr(0, 2000);
  return std::unexpected(Error{
      .code = done->exit_code == 2 ? ExitCode::kBadInput : ExitCode::kMachine, .message = text});
}

namespace {

constexpr std::string_view kPrefix = "storefuzz-";

// storefuzz-<pid>-XXXXXX of a process that is gone.
void remove_orphans(const fs::path& base) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(base, error)) {
    const std::string name = entry.path().filename().string();
    // Exactly what make() calls them: others' folders may be called much alike.
    if (!name.starts_with(kPrefix)) continue;
    const std::size_t digits = name.find_first_not_of("0123456789", kPrefix.size());
    const bool ours = digits != name.npos && digits > kPrefix.size() && name[digits] == '-' &&
                      name.size() == digits + 7 &&
                      std::all_of(name.begin() + static_cast<std::ptrdiff_t>(digits) + 1,
                                  name.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
    if (!ours) continue;
    const int pid = std::atoi(name.c_str() + kPrefix.size());
    if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH) fs::remove_all(entry.path(), error);
  }
}

}  // namespace

Result<Scratch> Scratch::make() {
  const char* named = std::getenv("TMPDIR");
  for (const fs::path& base : {fs::path("/dev/shm"), fs::path(named ? named : "/tmp")}) {
    if (::access(base.c_str(), W_OK) != 0) continue;
    remove_orphans(base);
    std::string name = (base / fmt::format("{}{}-XXXXXX", kPrefix, ::getpid())).string();
    if (::mkdtemp(name.data())) return Scratch(name);
  }
  return machine_failure("no scratch folder can be made");
}

Scratch::~Scratch() {
  std::error_code error;
  if (path_.empty()) return;
  fs::remove_all(path_, error);
  // Semaphores of killed pools bear its name (reference/pools.py).
  const std::string mark = "sem." + path_.filename().string();
  for (const fs::directory_entry& entry : fs::directory_iterator("/dev/shm", error))
    if (entry.path().filename().string().starts_with(mark)) fs::remove(entry.path(), error);
}

}  // namespace storefuzz
