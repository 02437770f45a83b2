// What the rules of classification hand to each other: the structure, and what was met in it.
// Private to harness/zip.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "harness/zip/records.h"
#include "harness/zip/structure.h"

namespace storefuzz {

struct Evidence {
  const ZipStructure& zip;
  std::vector<std::pair<std::string_view, std::string>> met;  // class → a clause, the first
  std::vector<std::string> unread = {};                       // as Classified says them
  std::size_t unchecked = 0;  // values whose CRC was not looked at, since there are too many bytes

  void add(std::string_view name, std::string why) {
    if (!has(name)) met.emplace_back(name, std::move(why));
  }
  bool has(std::string_view name) const {
    for (const auto& [known, why] : met)
      if (known == name) return true;
    return false;
  }
};

// The bytes of an entry in the file: header, data, descriptor.
struct Extent {
  std::size_t from = 0, data = 0, data_end = 0, to = 0;
  std::size_t entry = 0;
  bool doubtful = false;  // its sizes contradict each other
};

using Extents = std::vector<Extent>;
Extents extents(const ZipStructure& zip);
// Inside the data of an entry, or where that of an entry may be that was not kept.
bool inside_data(const ZipStructure& zip, const Extents& list, std::size_t at);

// Rules, in files by their subject. They only add.
void meet_no_end(Evidence& evidence);  // no end record: what is left says what happened
void several_ends(Evidence& evidence, const Extents& list);
void around_the_end(Evidence& evidence);
void zip64_records(Evidence& evidence, const Extents& list);
void directory(Evidence& evidence, const Extents& list);
void hidden_headers(Evidence& evidence, const Extents& list);
void before_the_entries(Evidence& evidence, const Extents& list);
void gaps(Evidence& evidence, const Extents& list);
void meet_entries(Evidence& evidence);  // the same fact twice
void meet_names(Evidence& evidence);    // what names mean
void meet_data(Evidence& evidence);     // what the values are

bool all_nul(std::string_view bytes);

// A signature of which one bit is another.
bool broken_signature(std::string_view rest);

// Exactly one bit of two texts of the same length differs.
bool one_bit_apart(std::string_view left, std::string_view right);

}  // namespace storefuzz
