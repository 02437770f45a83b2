// Raw deflate, as zip files hold it (4.4.5, method 8), in memory and within bounds.
//
//     const std::string packed = deflated(value);
//     const Decompressed again = decompressed(packed, value.size() + 1);
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace storefuzz {

// With the smallest window, 512 bytes: a state of some kilobytes costs a sixth of the usual
// one to make, and values here are short.
std::string deflated(std::string_view value);

struct Decompressed {
  bool whole = false;   // the stream came to its end
  bool broken = false;  // the bytes are no stream
  std::size_t taken = 0;
  std::string bytes;
};

// Up to about `limit` bytes; what lies behind the end of the stream is not taken.
Decompressed decompressed(std::string_view packed, std::size_t limit);

}  // namespace storefuzz
