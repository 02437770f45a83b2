// How a file with a list of quirks is read, and how releases compare.
//
//     auto quirks = read_quirks<Quirk>(file, read_quirk);
//     if (holds_in("3.0.10", quirk.first, quirk.last)) …
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"

namespace storefuzz {

// The array `member` of a file that holds {member: […]}; bad_input: it cannot be read, or is none.
Result<Json> read_list(const std::filesystem::path& file, const char* member);

// The entries of the array "quirks", each by `read`.
template <class Entry>
Result<std::vector<Entry>> read_quirks(const std::filesystem::path& file,
                                       Result<Entry> (*read)(const Json&, const std::string&)) {
  const auto list = read_list(file, "quirks");
  if (!list) return std::unexpected(list.error());
  std::vector<Entry> entries;
  for (const Json& json : *list) {
    auto entry = read(json, file.string());
    if (!entry) return std::unexpected(entry.error());
    entries.push_back(std::move(*entry));
  }
  return entries;
}

// Whether a version lies between two, inclusive; an empty one is no bound.
bool holds_in(std::string_view version, std::string_view first, std::string_view last);

// "3.0.10" after "3.0.9": negative, zero or positive, by numbers; text after a number is ignored.
int compare_releases(std::string_view left, std::string_view right);

}  // namespace storefuzz
