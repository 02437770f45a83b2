// By getdents, fstatat and pread.
#include "harness/worker/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace storefuzz::program {
namespace {

constexpr std::size_t kCompared = 64 * 1024;  // bytes; of larger files the time is believed

// What getdents64(2) gives; glibc has no name for it.
struct Entry64 {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t size;
  std::uint8_t type;
  char name[];
};

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

// The first `size` bytes; fewer where the file was cut meanwhile.
void read_into(int descriptor, std::string& bytes, std::size_t size) {
  bytes.resize(size);
  std::size_t at = 0;
  while (at < size) {
    const ssize_t got = ::pread(descriptor, bytes.data() + at, size - at, static_cast<off_t>(at));
    if (got <= 0) break;
    at += static_cast<std::size_t>(got);
  }
  bytes.resize(at);
}

}  // namespace

void Folder::open(const std::string& path) {
  close();
  root_ = Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  changed();
}

void Folder::close() {
  root_.reset();
  files_.clear();
  folders_.clear();
  version_ = 0;
}

template <class Kept>
bool Folder::forget_gone(std::map<std::string, Kept>& kept) {
  return std::erase_if(kept, [](const auto& it) { return !it.second.there; }) > 0;
}

bool Folder::changed() {
  if (root_.get() < 0) return false;
  for (auto& [path, file] : files_) file.there = false;
  for (auto& [path, folder] : folders_) folder.there = false;
  const std::size_t before = folders_.size();
  const bool other = read_folder(root_.get(), "");
  const bool grown = folders_.size() > before;
  const bool gone = forget_gone(files_);
  const bool shrunk = forget_gone(folders_);
  if (other || gone || grown || shrunk) ++version_;
  return other || gone;
}

bool Folder::read_folder(int descriptor, const std::string& within) {
  alignas(Entry64) std::array<char, 8192> entries;
  bool other = false;
  if (::lseek(descriptor, 0, SEEK_SET) < 0) return false;
  for (;;) {
    const long size = ::syscall(SYS_getdents64, descriptor, entries.data(), entries.size());
    if (size <= 0) return other;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const Entry64*>(entries.data() + at);
      at += entry->size;
      const std::string_view name = entry->name;
      if (name == "." || name == "..") continue;
      const std::string path = within + std::string(name);
      if (entry->type == DT_REG) other |= read_file(descriptor, entry->name, path);
      if (entry->type != DT_DIR) continue;
      Below& folder = folders_[path];
      if (folder.descriptor.get() < 0 || folder.inode != entry->inode) {
        folder.descriptor = Descriptor(
            ::openat(descriptor, entry->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
        folder.inode = entry->inode;
      }
      folder.there = true;
      if (folder.descriptor.get() >= 0) other |= read_folder(folder.descriptor.get(), path + "/");
    }
  }
}

bool Folder::read_file(int folder, const char* name, const std::string& path) {
  File& file = files_[path];
  const bool is_new = file.descriptor.get() < 0;
  struct stat status{};
  if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
  file.there = true;
  if (is_new || file.inode != status.st_ino) {
    file.descriptor = Descriptor(::openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    file.inode = status.st_ino;
    file.modified = -1;
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  const std::int64_t modified = nanoseconds(status.st_mtim);
  const bool believed = size > kCompared && size == file.bytes.size() && modified == file.modified;
  file.modified = modified;
  if (believed || file.descriptor.get() < 0) return is_new;
  static thread_local std::string bytes;
  read_into(file.descriptor.get(), bytes, size);
  if (!is_new && bytes == file.bytes) return false;
  file.bytes = bytes;
  return true;
}

Snapshot Folder::content() const {
  Snapshot all;
  for (const auto& [path, file] : files_) all[path] = file.bytes;
  for (const auto& [path, folder] : folders_) {
    const std::string within = path + "/";
    const auto first = files_.lower_bound(within);
    if (first == files_.end() || !first->first.starts_with(within)) all[within];
  }
  return all;
}

std::size_t Folder::size() const {
  std::size_t size = 0;
  for (const auto& [path, file] : files_) size += file.bytes.size();
  return size;
}

}  // namespace storefuzz::program
