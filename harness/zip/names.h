// Names of entries as text. A name in an archive is bytes; the rest of this project speaks of text.
//
//     assert(text_of_name("c\xff") == "c\\xff");
#pragma once

#include <string>
#include <string_view>

namespace storefuzz {

// `bytes`, valid UTF-8 as it is, every other byte as \xNN. What comes out is UTF-8.
std::string text_of_name(std::string_view bytes);

}  // namespace storefuzz
