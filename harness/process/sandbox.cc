// See sandbox.h.
#include "harness/process/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <limits>

// Rights newer than the kernel headers of Debian 12 (Linux 6.1), which know version 2.
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)  // version 2, Linux 5.19
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)  // version 3, Linux 6.2
#endif

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

constexpr int kAbiOfRefer = 2;
constexpr int kAbiOfTruncate = 3;

// The only rights that a rule about a file, not a folder, may name.
constexpr std::uint64_t kRightsOnFiles =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;

// What never holds data, and what programs expect to be able to write.
constexpr std::array kWritableDevices = {"/dev/null", "/dev/zero"};

class Descriptor {
 public:
  explicit Descriptor(long number) : number_(static_cast<int>(number)) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

std::string reason() { return std::strerror(errno); }

// How many threads this process has; 1 where /proc is not mounted.
std::ptrdiff_t count_threads() {
  std::error_code no_proc;
  const fs::directory_iterator threads("/proc/self/task", no_proc);
  return no_proc ? 1 : std::distance(begin(threads), end(threads));
}

// The version of Landlock of this kernel, or 0 and errno.
int landlock_abi() {
  const long abi =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

// No version of Landlock: the kernel is older, was started without it, or a container hides it.
Result<Containment> without_landlock(const fs::path& scratch) {
  if (errno != ENOSYS && errno != EOPNOTSUPP && errno != EPERM)
    return machine_failure(fmt::format("The kernel does not tell its Landlock: {}.", reason()));
  return Containment{.landlock_abi = 0,
                     .sentence = fmt::format(
                         "This kernel has no Landlock ({}): nothing forbids writes outside {}.",
                         reason(), scratch.string())};
}

// Are the paths there that the caller named?
Result<void> check(const fs::path& scratch, std::span<const fs::path> also_writable) {
  std::error_code unknown;
  if (!fs::is_directory(scratch, unknown))
    return bad_input(fmt::format("The scratch folder {} is no folder.", scratch.string()));
  for (const fs::path& path : also_writable)
    if (!fs::exists(path, unknown))
      return bad_input(fmt::format("{}, to stay writable, does not exist.", path.string()));
  return {};
}

// Grants `rights`, or those that fit a file, on `path` and what is below it.
Result<void> allow(const Descriptor& ruleset, const fs::path& path, std::uint64_t rights) {
  const Descriptor target(open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status{};
  if (!target || fstat(target.get(), &status) != 0)
    return machine_failure(fmt::format("{} cannot be opened: {}.", path.string(), reason()));
  landlock_path_beneath_attr rule{};
  rule.allowed_access = S_ISDIR(status.st_mode) ? rights : rights & kRightsOnFiles;
  rule.parent_fd = target.get();
  if (syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    return machine_failure(
        fmt::format("Landlock has no rule for {}: {}.", path.string(), reason()));
  return {};
}

// Grants `rights` in every place that stays writable.
Result<void> allow_all(const Descriptor& ruleset, const fs::path& scratch,
                       std::span<const fs::path> also_writable, std::uint64_t rights) {
  if (auto allowed = allow(ruleset, scratch, rights); !allowed) return allowed;
  for (const fs::path& path : also_writable)
    if (auto allowed = allow(ruleset, path, rights); !allowed) return allowed;
  for (const fs::path device : kWritableDevices)
    if (std::error_code unknown; fs::exists(device, unknown))
      if (auto allowed = allow(ruleset, device, rights & kRightsOnFiles); !allowed) return allowed;
  return {};
}

// Forbids what `ruleset` handles and does not allow.
Result<void> enforce(const Descriptor& ruleset) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return machine_failure(fmt::format("New privileges cannot be given up: {}.", reason()));
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
    return machine_failure(
        fmt::format("Landlock cannot be enforced: {}{}.", reason(),
                    errno == E2BIG ? " (this process is contained 16 times already)" : ""));
  return {};
}

Containment contained(int abi, const fs::path& scratch) {
  std::string gap;
  if (abi < kAbiOfRefer) gap += ", and to rename or link between folders inside it";
  if (abi < kAbiOfTruncate) gap += "; truncating by path is not forbidden";
  return {.landlock_abi = abi,
          .sentence = fmt::format("Landlock (version {}) forbids to change files outside {}{}.",
                                  abi, scratch.string(), gap)};
}

}  // namespace

namespace internal {

std::uint64_t rights_that_write(int abi) {
  std::uint64_t rights = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                         LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                         LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                         LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                         LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
  if (abi >= kAbiOfRefer) rights |= LANDLOCK_ACCESS_FS_REFER;
  if (abi >= kAbiOfTruncate) rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
  return rights;
}

Result<Containment> forbid_writes_outside(const fs::path& scratch,
                                          std::span<const fs::path> also_writable, int most_abi) {
  if (auto checked = check(scratch, also_writable); !checked)
    return std::unexpected(checked.error());
  if (const auto threads = count_threads(); threads > 1)
    return machine_failure(
        fmt::format("Containment comes before threads, and there are {} already.", threads));
  const int abi = std::min(landlock_abi(), most_abi);
  if (abi == 0) return without_landlock(scratch);
  landlock_ruleset_attr handled{};
  handled.handled_access_fs = rights_that_write(abi);
  const Descriptor ruleset(
      syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0));  // closed on exec
  if (!ruleset) return machine_failure(fmt::format("Landlock has no ruleset: {}.", reason()));
  if (auto allowed = allow_all(ruleset, scratch, also_writable, handled.handled_access_fs);
      !allowed)
    return std::unexpected(allowed.error());
  if (auto enforced = enforce(ruleset); !enforced) return std::unexpected(enforced.error());
  return contained(abi, scratch);
}

}  // namespace internal

Result<Containment> forbid_writes_outside(const fs::path& scratch,
                                          std::span<const fs::path> also_writable) {
  return internal::forbid_writes_outside(scratch, also_writable, std::numeric_limits<int>::max());
}

}  // namespace storefuzz
