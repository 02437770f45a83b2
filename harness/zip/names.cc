// See names.h.
#include "harness/zip/names.h"

#include <fmt/format.h>

#include "harness/base/text.h"

namespace storefuzz {

std::string text_of_name(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t size = utf8_character(bytes);
    if (size > 0)
      text += bytes.substr(0, size);
    else
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes.front()));
    bytes.remove_prefix(size > 0 ? size : 1);
  }
  return text;
}

}  // namespace storefuzz
