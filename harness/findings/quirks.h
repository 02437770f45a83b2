// Quirks and known defects: differences that are data, each with a reason and a link.
//
// A quirk is a difference that is right; a known defect is one that is wrong and already told
// upstream. Both name exactly one store, oracle, field and class of difference, and the releases
// where they hold; there are no wildcards. A quirk carries an example case, so that a stale one can
// be noticed.
//
//     Result<std::vector<Quirk>> quirks = load_quirks("reference/quirks.json");
//     if (const Quirk* it = match(*quirks, "zip", disagreement, "3.4.2")) ++hits[it->id];
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/case/case.h"
#include "harness/journey/oracle.h"

namespace storefuzz {

struct Quirk {
  std::string id, store, oracle, field, wrong;
  std::string first, last;  // releases, inclusive; empty: no bound
  std::string reason, link;
  Json example;  // a case that shows it (quirks)
};

// bad_input: not there, not JSON, a member missing, a wildcard.
Result<std::vector<Quirk>> load_quirks(const std::filesystem::path& file);

// The array "quirks" of a file that holds {"quirks": […]}; bad_input: it cannot be read, or is
// none.
Result<Json> read_quirk_list(const std::filesystem::path& file);

// The entries of that array, each by `read`.
template <class Entry>
Result<std::vector<Entry>> read_quirks(const std::filesystem::path& file,
                                       Result<Entry> (*read)(const Json&, const std::string&)) {
  const auto list = read_quirk_list(file);
  if (!list) return std::unexpected(list.error());
  std::vector<Entry> entries;
  for (const Json& json : *list) {
    auto entry = read(json, file.string());
    if (!entry) return std::unexpected(entry.error());
    entries.push_back(std::move(*entry));
  }
  return entries;
}

const Quirk* match(const std::vector<Quirk>& quirks, std::string_view store,
                   const Disagreement& found, std::string_view release);

// Whether a version lies between two, inclusive; an empty one is no bound.
bool holds_in(std::string_view version, std::string_view first, std::string_view last);

// "3.0.10" after "3.0.9": negative, zero or positive, by numbers; text after a number is ignored.
int compare_releases(std::string_view left, std::string_view right);

}  // namespace storefuzz
