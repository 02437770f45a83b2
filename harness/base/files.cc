// See files.h.
#include "harness/base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <fstream>
#include <iterator>
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

struct NewFile {
  int descriptor = -1;  // -1: errno says why
  bool named = false;
};

// A file that has no name yet, so that a writer who is killed leaves nothing behind; where the file
// system has none (NFS), a file named `beside`.
NewFile open_new(const fs::path& beside) {
  const fs::path folder = beside.has_parent_path() ? beside.parent_path() : ".";
  const int nameless = ::open(folder.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
  if (nameless >= 0) return {.descriptor = nameless};
  return {.descriptor = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666),
          .named = true};
}

// 0, or the errno of the call that failed, as the functions below.
int name_file(int descriptor, const fs::path& name) {
  const std::string file = fmt::format("/proc/self/fd/{}", descriptor);
  const int linked = ::linkat(AT_FDCWD, file.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW);
  return linked == 0 ? 0 : errno;
}

int write_whole(const fs::path& file, const fs::path& beside, std::string_view bytes,
                Durable durable) {
  const auto [descriptor, named] = open_new(beside);
  if (descriptor < 0) return errno;
  int failed = write_all(descriptor, bytes);
  if (failed == 0 && durable == Durable::kYes && ::fdatasync(descriptor) != 0) failed = errno;
  bool in_place = false;
  if (failed == 0 && !named) {
    failed = name_file(descriptor, file);
    in_place = failed == 0;
    // What has the name already is replaced by a file that has one: POSIX renames only names.
    if (failed == EEXIST) {
      ::unlink(beside.c_str());  // of a writer that was killed
      failed = name_file(descriptor, beside);
    }
  }
  // NFS says only here that the disk is full.
  if (::close(descriptor) != 0 && failed == 0) failed = errno;
  if (failed == 0 && !in_place && ::rename(beside.c_str(), file.c_str()) != 0) failed = errno;
  if (failed != 0) ::unlink(beside.c_str());
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

Result<std::string> read_file_whole(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::error_code error;
  try {  // what cannot be read on the way is an exception of the iterator
    if (stream && fs::is_regular_file(file, error))
      return std::string{std::istreambuf_iterator<char>(stream), {}};
  } catch (const std::ios_base::failure&) {
  }
  return bad_input(fmt::format("{} cannot be read", file.string()));
}

Error cannot_write(const fs::path& file, int system_error) {
  std::string why = std::generic_category().message(system_error);
  why[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(why[0])));
  return {.code = fault_of_the_machine(system_error) ? ExitCode::kMachine : ExitCode::kBadInput,
          .message = fmt::format("{} cannot be written: {}", file.string(), why)};
}

Result<void> write_file_whole(const fs::path& file, std::string_view bytes, Durable durable) {
  const int failed = write_whole(file, file.string() + ".new", bytes, durable);
  if (failed != 0) return std::unexpected(cannot_write(file, failed));
  return {};
}

}  // namespace storefuzz
