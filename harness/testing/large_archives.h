// Zip files of many entries, or of large values, made in no time: all entries hold the same bytes,
// which are packed once. For tests only.
//
//     const std::string bytes = test::many_entries(60, std::string(50 << 20, '\0'), true);
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "harness/zip/deflate.h"
#include "harness/zip/layout.h"
#include "harness/zip/values.h"

namespace storefuzz::test {

// A sound archive with the keys c/0, c/1, …; with zip64 records (4.3.14) where 16 bits do not count
// its entries.
inline std::string many_entries(std::uint32_t count, const std::string& value, bool deflate) {
  const std::uint16_t method = deflate ? 8 : 0;
  const std::string data = deflate ? deflated(value) : value;
  const auto packed = static_cast<std::uint32_t>(data.size()),
             size = static_cast<std::uint32_t>(value.size());
  const std::uint32_t crc = sum_of(value).crc;
  std::string bytes, directory;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string name = fmt::format("c/{}", i);
    const auto length = static_cast<std::uint16_t>(name.size());
    directory += render(ZipPart(CentralPart{.method = method,
                                            .crc = crc,
                                            .packed = packed,
                                            .size = size,
                                            .name_length = length,
                                            .offset = static_cast<std::uint32_t>(bytes.size()),
                                            .name = name}));
    bytes += render(ZipPart(LocalPart{.method = method,
                                      .crc = crc,
                                      .packed = packed,
                                      .size = size,
                                      .name_length = length,
                                      .name = name,
                                      .data = data}));
  }
  const std::size_t at = bytes.size();
  bytes += directory;
  const bool wide = count >= 0xffff;
  const auto counted = static_cast<std::uint16_t>(wide ? 0xffff : count);
  if (wide) {
    const std::size_t record = bytes.size();
    bytes += render(ZipPart(Zip64EndPart{
        .here = count, .total = count, .size = directory.size(), .offset = at}));
    bytes += render(ZipPart(Zip64LocatorPart{.offset = record}));
  }
  return bytes + render(ZipPart(EndPart{.here = counted,
                                        .total = counted,
                                        .size = static_cast<std::uint32_t>(directory.size()),
                                        .offset = static_cast<std::uint32_t>(at)}));
}

}  // namespace storefuzz::test
