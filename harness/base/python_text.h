// Python as text: literals of values that may be hostile, and what a piece of code mentions.
//
//     text_literal("a\"b")        // "a\"b", always ASCII
//     bytes_literal("\xff")      // b"\xff"
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/json.h"

namespace storefuzz {

// A str literal in double quotes.
std::string text_literal(const std::string& text);

// A bytes literal in double quotes.
std::string bytes_literal(std::string_view bytes);

using Fillings = std::vector<std::pair<std::string_view, std::string>>;

// `text` with each word replaced by its filling, in one pass: what is filled in stays as it is.
std::string fill(std::string_view text, const Fillings& fillings);

// Code with what stands in its double-quoted literals taken out.
std::string without_literals(std::string_view code);

// Code with one name instead of another, wherever it stands alone: not as an attribute, not in a
// literal.
std::string renamed(std::string_view code, std::string_view name, std::string_view other);

// True when `code` holds `word` where a name begins.
bool mentions(std::string_view code, std::string_view word);

}  // namespace storefuzz
