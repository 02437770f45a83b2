// By opendir and read: std::filesystem makes a path of every name.
#include "harness/journey/marks.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <memory>

namespace storefuzz {
namespace {

FileSum sum_of_file(const std::string& path, std::string name) {
  FileSum sum{.name = std::move(name)};
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return sum;
  struct stat status{};
  unsigned char buffer[16 * 1024];
  uLong crc = ::crc32(0, nullptr, 0);
  if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode))
    for (ssize_t count; (count = ::read(file, buffer, sizeof buffer)) > 0;) {
      crc = ::crc32(crc, buffer, static_cast<uInt>(count));
      sum.size += static_cast<std::uint64_t>(count);
    }
  ::close(file);
  sum.crc = static_cast<std::uint32_t>(crc);
  return sum;
}

bool is_folder(const std::string& path, const dirent& entry, bool follow) {
  if (entry.d_type == DT_DIR) return true;
  if (entry.d_type != DT_UNKNOWN && entry.d_type != DT_LNK) return false;
  struct stat status{};
  const int failed = follow ? ::stat(path.c_str(), &status) : ::lstat(path.c_str(), &status);
  return failed == 0 && S_ISDIR(status.st_mode);
}

// `path` ends with a slash; so does `below`, unless it is empty.
void add_files(const std::string& path, const std::string& below, std::vector<FileSum>& into) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder) return;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (is_folder(path + name, *entry, false))
      add_files(path + name + "/", below + name + "/", into);
    else if (!is_folder(path + name, *entry, true))
      into.push_back(sum_of_file(path + name, below + name));
  }
}

}  // namespace

std::vector<FileSum> files_below(const std::string& folder) {
  std::vector<FileSum> files;
  add_files(folder + "/", "", files);
  return files;
}

}  // namespace storefuzz
