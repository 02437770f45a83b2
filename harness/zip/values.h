// What a zip file holds, wherever in it: every name, and every value that a reader could honestly
// take from its bytes. What a reader shows and is none of these, it made up.
//
//     const std::set<ValueSum> honest = values_in(bytes);
//     if (!honest.contains({.size = size, .crc = crc})) report("invented");
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace storefuzz {

// Bytes, by their number and CRC-32.
struct ValueSum {
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
  auto operator<=>(const ValueSum&) const = default;
};

ValueSum sum_of(std::string_view bytes);

// Behind every local header there is, listed or not: its data by every size that any record states,
// as it lies and decompressed; and nothing at all. Empty, which means unknown, where any entry
// has a method other than stored and deflated, or where there is too much: 4096 headers, half a
// million sizes, 64 MiB to decompress, 256 MiB to sum.
std::set<ValueSum> values_in(std::string_view bytes);

// A name as it stands; it refers to the bytes of the file.
struct NameInFile {
  std::string_view name;
  std::uint64_t size = 0;  // of its value, the largest that the directory states
  // Where the directory calls an entry of this name encrypted: the value behind the cipher.
  std::optional<ValueSum> encrypted = std::nullopt;
};

// The names of central headers, then those of local ones, each once, in the order of the file.
struct NamesInFile {
  std::vector<NameInFile> list;
  bool whole = true;  // false: there are more headers than the 4096 of each kind that are looked at
};
NamesInFile all_names_in(std::string_view bytes);

// The first `most` of these names that are no longer than kLongestName.
inline constexpr std::size_t kLongestName = 4096;  // bytes
std::vector<std::string> names_in(std::string_view bytes, std::size_t most);

}  // namespace storefuzz
