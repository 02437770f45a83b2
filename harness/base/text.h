// What is done with text in several places: UTF-8, base64, cutting, lists, names of files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.h"

namespace storefuzz {

// RFC 4648, with its padding.
std::string base64(std::string_view bytes);

// "a,b" → a, b; empty parts are left out.
std::vector<std::string> comma_separated(const std::string& text);

// How many bytes the UTF-8 character at the front of `bytes` has; 0: none is there. UTF-8 is what
// Python and RFC 3629 take for it: shortest form, no surrogates.
std::size_t utf8_character(std::string_view bytes);

// At most `size` bytes of a text, never cut within a UTF-8 character.
std::string_view shorten(std::string_view text, std::size_t size);

// Text that a terminal shows and does not obey: control characters (C0 and DEL, and U+0080 to
// U+009F, which some terminals take for the beginning of a command) and those that turn the
// direction of writing become \uXXXX; what is no UTF-8 becomes U+FFFD.
std::string printable(std::string_view text);

// The same, but line breaks stay.
std::string printable_lines(std::string_view text);

// The last line of a text, without its line break, and all lines before, with theirs: a program of
// ours says what it does, and then the one line that counts.
struct LastLine {
  std::string before, last;
};
LastLine last_line(std::string text);

// This moment as RFC 3339 writes it: "2026-11-28T01:02:03Z".
std::string utc_now();

// "1 case", "2 cases"; for words whose plural is their singular and an s.
std::string counted(std::uint64_t number, std::string_view what);

// Letters, digits, `_`, `.` and single `-`: one path component, at most 120 characters.
std::string slug(std::string_view text);

}  // namespace storefuzz
