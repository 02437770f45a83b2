// See scratch.h.
#include "harness/process/scratch.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace storefuzz {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "storefuzz-";
constexpr std::uintmax_t kLeastRoom = 4 << 20;  // bytes: a case and what two jobs have in flight

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
  if (!path_.empty()) fs::remove_all(path_, error);
}

Result<void> check_room(const fs::path& scratch) {
  std::error_code error;
  const fs::space_info room = fs::space(scratch, error);
  // A tmpfs without a limit says that it has no blocks at all.
  if (error || room.capacity == 0 || room.available >= kLeastRoom) return {};
  return machine_failure(
      fmt::format("no space left in the scratch folder {}: {} kB are free, a run needs {} kB",
                  scratch.string(), room.available / 1024, kLeastRoom / 1024));
}

}  // namespace storefuzz
