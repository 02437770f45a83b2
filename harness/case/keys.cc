// See keys.h.
#include "harness/case/keys.h"

#include <algorithm>
#include <cstddef>

namespace storefuzz {
namespace {

constexpr std::size_t kLongestFileName = 255;  // bytes; of Linux

}  // namespace

bool plain_key(std::string_view key) {
  if (key.empty() || key.starts_with('/') || key.ends_with('/')) return false;
  if (key.find("//") != key.npos || key.find('\\') != key.npos || key.find('\0') != key.npos)
    return false;
  for (std::size_t at = 0; at != key.npos;) {
    const std::size_t end = key.find('/', at);
    const std::string_view name = key.substr(at, end == key.npos ? key.npos : end - at);
    if (name == "." || name == "..") return false;
    at = end == key.npos ? key.npos : end + 1;
  }
  return true;
}

bool can_lie_with(const std::set<std::string>& others, const std::string& key, bool files) {
  if (key.empty() || key.find('\0') != key.npos) return false;
  if (!files) return true;
  return plain_key(key) && key.size() <= kLongestFileName &&
         std::ranges::none_of(others, [&](const std::string& other) {
           return lies_below(other, key) || lies_below(key, other);
         });
}

bool is_document(std::string_view key) {
  constexpr std::string_view kDocuments[] = {"zarr.json", ".zarray", ".zgroup", ".zattrs",
                                             ".zmetadata"};
  return std::ranges::find(kDocuments, key.substr(key.rfind('/') + 1)) != std::end(kDocuments);
}

bool lies_below(std::string_view key, std::string_view folder) {
  if (folder.empty()) return true;
  const std::string_view name = without_slash(folder);
  return key.size() > name.size() && key.starts_with(name) && key[name.size()] == '/';
}

std::string_view without_slash(std::string_view folder) {
  return folder.ends_with('/') ? folder.substr(0, folder.size() - 1) : folder;
}

std::string prefix_of_folder(std::string_view folder) {
  std::string prefix(folder);
  if (!folder.empty() && !folder.ends_with('/')) prefix += '/';
  return prefix;
}

std::string joined(std::string_view folder, std::string_view key) {
  return key.empty() ? std::string(folder) : prefix_of_folder(folder).append(key);
}

}  // namespace storefuzz
