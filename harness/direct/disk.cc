// By openat and readdir: a look follows each step that may write, and std::filesystem makes a path
// of every name.
#include "harness/direct/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>

#include "harness/case/keys.h"
#include "harness/wire/plain_text.h"
#include "harness/zip/archive.h"

namespace storefuzz::program {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostFiles = 512;      // of one folder; a case writes at most 48
constexpr std::size_t kMostRead = 16 << 20;  // bytes of one file

std::optional<std::string> content_of(int folder, const char* name) {
  const int file = ::openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (file < 0) return std::nullopt;
  std::optional<std::string> bytes;
  struct stat status{};
  if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
    bytes.emplace(std::min<std::size_t>(static_cast<std::size_t>(status.st_size), kMostRead), '\0');
    const ssize_t count = ::read(file, bytes->data(), bytes->size());
    bytes->resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  ::close(file);
  return bytes;
}

using Visit = std::function<void(int folder, const char* name, std::string below)>;

// Calls `visit` for each file below the folder `name` of `parent`; links are not followed. False:
// there is no such folder.
bool walk(int parent, const char* name, const std::string& below, const Visit& visit) {
  const int number =
      ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (number < 0) return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(number), ::closedir);
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view here = entry->d_name;
    if (here == "." || here == "..") continue;
    std::string path = below + std::string(here);
    if (entry->d_type != DT_DIR || !walk(number, entry->d_name, path + "/", visit))
      visit(number, entry->d_name, std::move(path));
  }
  return true;
}

// Removes what lies in the folder `name` of `parent`; false: something stays.
bool remove_below(int parent, const char* name) {
  const int number =
      ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (number < 0) return errno == ENOENT;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(number), ::closedir);
  if (!folder) {
    ::close(number);
    return false;
  }
  bool gone = true;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view here = entry->d_name;
    if (here == "." || here == "..") continue;
    if (::unlinkat(number, entry->d_name, 0) == 0) continue;  // Linux refuses a folder (EISDIR)
    remove_below(number, entry->d_name);
    gone = ::unlinkat(number, entry->d_name, AT_REMOVEDIR) == 0 && gone;
  }
  return gone;
}

OnDisk archive_as_seen(std::string_view bytes) {
  const ArchiveView view = view_archive(bytes);
  if (!view.sound) return {.state = OnDisk::State::kUnreadable, .content = {}};
  OnDisk seen{.state = OnDisk::State::kContent, .content = {}};
  for (const auto& [name, value] : view.entries) seen.content[name] = value;
  return seen;
}

}  // namespace

Result<void> put(const fs::path& path, Medium medium, const Place& place) {
  if (place.entries.empty() && place.twists.empty()) return {};
  if (medium == Medium::kZip) {
    auto archive = archive_of(place);
    if (!archive) return std::unexpected(archive.error());
    std::ofstream(path, std::ios::binary) << *archive;
    return {};
  }
  std::error_code error;
  for (const Entry& entry : place.entries) {
    if (!plain_key(entry.key)) return bad_input("a key that is no path cannot be a file");
    fs::create_directories((path / entry.key).parent_path(), error);
    std::ofstream file(path / entry.key, std::ios::binary);
    file << entry.value.bytes();
    if (!file) return bad_input("a key lies below another one, which is a file");
  }
  return {};
}

OnDisk look_at(const fs::path& path, Medium medium) {
  OnDisk seen;
  if (medium == Medium::kZip) {
    const auto bytes = content_of(AT_FDCWD, path.c_str());
    return bytes ? archive_as_seen(*bytes) : seen;
  }
  const bool there =
      walk(AT_FDCWD, path.c_str(), "", [&](int folder, const char* name, std::string below) {
        if (seen.content.size() < kMostFiles)
          seen.content[without_chance(std::move(below))] = content_of(folder, name).value_or("");
      });
  if (there) seen.state = OnDisk::State::kContent;
  return seen;
}

OnDisk look_at(const Snapshot& snapshot, const std::string& file, Medium medium) {
  OnDisk seen;
  for (const auto& [path, bytes] : snapshot) {
    if (medium == Medium::kZip && path == file) return archive_as_seen(bytes);
    if (medium != Medium::kFolder || !lies_below(path, file)) continue;
    seen.state = OnDisk::State::kContent;
    if (path.ends_with('/')) continue;
    seen.content[without_chance(path.substr(file.size() + 1))] = bytes;
  }
  return seen;
}

Result<void> restore(const Snapshot& snapshot, const fs::path& folder) {
  std::error_code error;
  for (const auto& [path, bytes] : snapshot) {
    fs::create_directories((folder / path).parent_path(), error);
    if (path.ends_with('/')) continue;
    std::ofstream file(folder / path, std::ios::binary);
    file << bytes;
    if (!file) return machine_failure("a snapshot cannot be written");
  }
  return {};
}

std::vector<std::string> strays(const fs::path& folder, const std::set<std::string>& places,
                                const std::set<std::string>& named_after) {
  std::vector<std::string> found;
  walk(AT_FDCWD, folder.c_str(), "", [&](int, const char*, const std::string& below) {
    const bool ours =
        std::ranges::any_of(
            places,
            [&](const std::string& place) { return below == place || lies_below(below, place); }) ||
        std::ranges::any_of(named_after,
                            [&](const std::string& place) { return below.starts_with(place); });
    if (!ours && found.size() < kMostFiles) found.push_back(without_chance(below));
  });
  std::ranges::sort(found);
  return found;
}

bool empty(const fs::path& folder) { return remove_below(AT_FDCWD, folder.c_str()); }

}  // namespace storefuzz::program
