// The class of a zip file: which wrongness its bytes have, decided before any reader is asked.
//
// A1 … C5 are the fourteen classes of zip files that parsers disagree on (ZipDiff, USENIX Security
// 2025); the others are damage that just happens. A file can have several; the one that says most
// about what readers will do is its name: where the structures are goes before what an entry says
// twice, that before what its name means, and that before its data. Section numbers are those of
// PKWARE's APPNOTE.TXT 6.3.10, and name what is bent.
//
//     const Classified classified = classify(bytes);
//     fmt::print("{} ({}): {}\n", classified.name, section_of(classified.name), classified.why);
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace storefuzz {

struct ZipClass {
  std::string_view name;     // "A1", "wrong crc", "sound"
  std::string_view section;  // of the APPNOTE; empty for "sound" and "in part"
  std::string_view says;     // one clause: what is wrong
  bool legal = false;  // nothing is; not every reader knows the form: never gives a file its name
};

// All of them; those that go before others stand first, then "in part" and "sound", then what is
// legal as well.
const std::vector<ZipClass>& all_classes();
std::string_view section_of(std::string_view name);
std::string_view says_of(std::string_view name);

struct Classified {
  std::string name;              // of the class that goes before the others
  std::string why;               // a clause about what was met: "end records: 2"
  std::vector<std::string> all;  // every class that was met, in the order of all_classes()
  // What was not looked at, a clause each: "28 of 60 values not checked against their CRC; …". Then
  // a file in which nothing is wrong is "in part", not "sound".
  std::vector<std::string> unread = {};
  std::size_t entries = 0;  // in the directory
};

// Total: any bytes have a class. Bounds: 131,072 entries; deflated values are decompressed up to
// 32 MiB in all, and of those behind no CRC is checked.
Classified classify(std::string_view bytes);

}  // namespace storefuzz
