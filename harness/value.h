// Bytes as an answer shows them; the same form side.py's `plain` gives, so that both can be
// compared. And what is done with texts in several places.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/case.h"

namespace storefuzz {

// Up to 64 bytes as {"bytes": text in latin-1}; longer ones as {"size", "crc32", "head"}.
Json shown_bytes(std::string_view bytes);

// The bytes behind the "bytes" or "head" of such a value: its characters as bytes of latin-1.
std::string bytes_of_latin1(std::string_view text);

// RFC 4648, with its padding.
std::string base64(std::string_view bytes);

// "a,b" → a, b; empty parts are left out.
std::vector<std::string> comma_separated(const std::string& text);

// How many bytes the UTF-8 character at the front of `bytes` has; 0: none is there. UTF-8 is what
// Python and RFC 3629 take for it: shortest form, no surrogates.
std::size_t utf8_character(std::string_view bytes);

// At most `size` bytes of a text, never cut within a UTF-8 character.
std::string_view shorten(std::string_view text, std::size_t size);

}  // namespace storefuzz
