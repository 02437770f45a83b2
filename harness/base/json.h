// JSON as this project reads and writes it. One name for the type, and the two things that every
// reader and writer of strangers' text must mind.
//
//     const Json json = parse_json(text);
//     if (json.is_discarded()) return bad_input("that is not JSON");
//     write(text_of(json));
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace storefuzz {

using Json = nlohmann::json;

// The parser calls itself for each nested value and would overflow the stack on a stranger's file:
// text that is nested deeper than 64 values is discarded, as is what is no JSON.
Json parse_json(std::string_view text);

// Names and values of archives are bytes; JSON is UTF-8. What is no UTF-8 becomes U+FFFD, where
// nlohmann's default is an exception. `indent` counts spaces; -1: all in one line.
std::string text_of(const Json& json, int indent = -1);

}  // namespace storefuzz
