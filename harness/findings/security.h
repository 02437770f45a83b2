// Which differences are a danger to others than who runs the program. Those who can mend them are
// told before they are public.
//
//     if (!security_of(difference.wrong).empty()) keep_secret(difference);
#pragma once

#include <string_view>

#include "harness/model/difference.h"

namespace storefuzz::program {

// Why, in a sentence; empty: it is none.
inline std::string_view security_of(Wrong wrong) {
  if (wrong == Wrong::kStray) return "something outside its place is changed or left";
  if (wrong == Wrong::kDeath) return "the process dies";
  return "";
}

}  // namespace storefuzz::program
