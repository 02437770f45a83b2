// See deflate.h.
#include "harness/zip/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace storefuzz {

std::string deflated(std::string_view value) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, -9, 3, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string packed(deflateBound(&stream, value.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(value.data()));
  stream.avail_in = static_cast<uInt>(value.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Decompressed decompressed(std::string_view packed, std::size_t limit) {
  Decompressed value;
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return value;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(std::min<std::size_t>(packed.size(), UINT32_MAX));
  std::array<char, 32768> buffer;
  int code = Z_OK;
  while (code == Z_OK && value.bytes.size() < limit) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = buffer.size();
    code = inflate(&stream, Z_NO_FLUSH);
    value.bytes.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  value.whole = code == Z_STREAM_END;
  value.broken = code != Z_OK && code != Z_STREAM_END;
  value.taken = packed.size() - stream.avail_in;
  inflateEnd(&stream);
  return value;
}

}  // namespace storefuzz
