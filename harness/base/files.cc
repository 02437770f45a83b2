// See files.h.
#include "harness/base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <system_error>

namespace storefuzz {
namespace fs = std::filesystem;

namespace {

bool fault_of_the_machine(int system_error) {
  switch (system_error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EIO:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return true;
    default:
      return false;
  }
}

// Writes a new file. 0, or the errno of the call that failed.
int write_new_file(const fs::path& file, std::string_view bytes, Durable durable) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return errno;
  int failed = write_all(descriptor, bytes);
  if (failed == 0 && durable == Durable::kYes && ::fdatasync(descriptor) != 0) failed = errno;
  // Some file systems (NFS) say only here that the disk is full.
  if (::close(descriptor) != 0 && failed == 0) failed = errno;
  return failed;
}

}  // namespace

int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

Error cannot_write(const fs::path& file, int system_error) {
  std::string why = std::generic_category().message(system_error);
  why[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(why[0])));
  return {.code = fault_of_the_machine(system_error) ? ExitCode::kMachine : ExitCode::kBadInput,
          .message = fmt::format("{} cannot be written: {}", file.string(), why)};
}

Result<void> write_file_whole(const fs::path& file, std::string_view bytes, Durable durable) {
  const fs::path beside = file.string() + ".new";
  int failed = write_new_file(beside, bytes, durable);
  if (failed == 0 && ::rename(beside.c_str(), file.c_str()) != 0) failed = errno;
  if (failed == 0) return {};
  ::unlink(beside.c_str());
  return std::unexpected(cannot_write(file, failed));
}

}  // namespace storefuzz
