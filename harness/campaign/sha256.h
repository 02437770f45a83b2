// SHA-256 (FIPS 180-4): the name of a file that says what is in it, as `sha256sum` computes it.
//
//     assert(sha256("abc").starts_with("ba7816bf"));
#pragma once

#include <string>
#include <string_view>

namespace storefuzz {

// 64 lower-case hexadecimal digits.
std::string sha256(std::string_view bytes);

}  // namespace storefuzz
