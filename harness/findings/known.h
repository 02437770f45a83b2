// Known causes: told upstream already. They are counted and linked, and never red.
//
//     auto known = load_known("known.json");
//     if (const Known* it = find_known(*known, cause.key)) line["known"] = to_json(*it);
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"

namespace storefuzz {

struct Known {
  std::string cause;  // the whole key, no wildcard
  std::string link, reason;
};

// A file {"known": [{"cause": …, "link": …, "reason": …}]}. bad_input: it cannot be read, or is
// none; an entry lacks a text, or has something else.
Result<std::vector<Known>> load_known(const std::filesystem::path& file);

const Known* find_known(const std::vector<Known>& known, std::string_view cause);

Json to_json(const Known& known);

}  // namespace storefuzz
