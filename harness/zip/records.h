// What the records of a zip file look like: their signatures, the sizes of their fixed fields, and
// the numbers in them. Private to harness/zip. Section numbers are those of APPNOTE.TXT 6.3.10.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace storefuzz {

// 4.3.7, 4.3.12, 4.3.16, 4.3.14, 4.3.15, 4.3.9.
inline constexpr std::string_view kLocal{"PK\3\4", 4}, kCentral{"PK\1\2", 4}, kEnd{"PK\5\6", 4},
    kZip64End{"PK\6\6", 4}, kLocator{"PK\6\7", 4}, kDescriptor{"PK\7\10", 4};

// Bytes of a record's fixed fields, its signature among them.
inline constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kZip64EndSize = 56,
                             kLocatorSize = 20;

inline constexpr std::uint16_t kZip64Extra = 0x0001, kUnicodePath = 0x7075;  // 4.5.3, 4.6.9
inline constexpr std::uint32_t kInZip64 = 0xffffffff;  // 4.4.1.4: the value stands in a zip64 field

// A little-endian number (4.4.1.3) at a place that has room for it.
template <class Number>
Number number(std::string_view bytes, std::size_t at) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    value |= static_cast<Number>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}
inline std::uint16_t n16(std::string_view bytes, std::size_t at) {
  return number<std::uint16_t>(bytes, at);
}
inline std::uint32_t n32(std::string_view bytes, std::size_t at) {
  return number<std::uint32_t>(bytes, at);
}
inline std::uint64_t n64(std::string_view bytes, std::size_t at) {
  return number<std::uint64_t>(bytes, at);
}

}  // namespace storefuzz
