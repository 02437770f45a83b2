// What several tests share: stores by their words, bytes that are the same in every run, and a
// folder that goes away. For tests only; nothing in the library includes it.
//
//     const test::Folder folder;
//     const auto file = folder.write("case.json", text);
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "harness/case/store.h"

namespace storefuzz::test {

// A store by its word; a word that is none ends the program.
inline StoreKind store(std::string_view word) { return find_store(word).value(); }

inline const StoreKind kZip = store("zip");
inline const StoreKind kLocal = store("local");

// Every store of the list that is drawn; a wrapper gets something to wrap.
inline const Stores kListed = parse_stores("all").value();

inline std::vector<std::byte> random_bytes(unsigned seed, std::size_t size) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

// Bytes that neither repeat nor deflate, the same in every run.
inline std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

// A new folder that is gone when this is.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "unit-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  Folder(const Folder&) = delete;
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

// Nothing of a file that cannot be read: what /proc tells of a process goes with it.
inline std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  try {
    return {std::istreambuf_iterator<char>(stream), {}};
  } catch (const std::ios_base::failure&) {
    return {};
  }
}

}  // namespace storefuzz::test
