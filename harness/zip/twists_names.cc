// B1 to B4, odd names and NULs: what entries are called.
#include "harness/zip/twists_kinds.h"

namespace storefuzz::twists {
namespace {

// --- B: names

void same_name_after(Bench& bench) {
  bench.beside(bench.entry(bench.central().name, bench.other_value()), bench.draw.coin(), false);
}
void same_name_before(Bench& bench) {
  bench.beside(bench.entry(bench.central().name, bench.other_value()), !bench.draw.coin(), true);
}
void header_twice(Bench& bench) {
  CentralPart again = bench.central();
  const std::uint32_t which = bench.draw.of(3);
  if (which == 1) again.crc ^= 1;
  if (which == 2) again.size /= 2;
  bench.insert(*bench.central_at() + 1, std::move(again));
}
// The second header of the name points at another entry's data.
void same_name_other_data(Bench& bench) {
  CentralPart again = bench.part<CentralPart>(*bench.central_at(1));
  set_name(again, bench.central().name);
  if (again.local == bench.central().local) return same_name_after(bench);
  const bool first = bench.draw.coin();
  bench.insert(*bench.central_at() + (first ? 0 : 1), std::move(again));
}

void special_byte(LocalPart& local, CentralPart& central, Draw& draw) {
  constexpr std::string_view bytes = "\x01:*?\"<>|\n\r\t\x1b\x7f\x1f";
  const char byte = bytes[draw.of(bytes.size())];
  set_host(central, draw.from({kUnix, kDos, kNtfs, kMac}));
  std::string name = central.name;
  const std::size_t places[] = {name.size(), name.size() / 2, 0};
  name.insert(name.begin() + static_cast<std::ptrdiff_t>(places[draw.of(3)]), byte);
  name_both(local, central, name);
}
std::string with_backslashes(std::string name) {
  if (!name.contains('/')) return ".\\" + name;
  std::ranges::replace(name, '/', '\\');
  return name;
}
void backslash_in_name(LocalPart& local, CentralPart& central, Draw& draw) {
  set_host(central, draw.from({kUnix, kDos, kNtfs}));
  name_both(local, central, with_backslashes(central.name));
}
void high_bytes(LocalPart& local, CentralPart& central, Draw& draw, bool flagged) {
  constexpr std::string_view endings[] = {"\xc3\xa9",     "\xe9",     "\xff\xfe",
                                          "\xed\xa0\x80", "\xc0\xaf", "\x82"};
  const std::string_view ending = endings[draw.of(std::size(endings))];
  set_host(central, draw.from({kUnix, kDos, kNtfs}));
  name_both(local, central, central.name + std::string(ending));
  both(local, central, [&](auto& it) {
    it.flags = static_cast<std::uint16_t>(flagged ? it.flags | kUtf8 : it.flags & ~kUtf8);
  });
}
void high_bytes_unflagged(LocalPart& local, CentralPart& central, Draw& draw) {
  high_bytes(local, central, draw, false);
}
void high_bytes_flagged(LocalPart& local, CentralPart& central, Draw& draw) {
  ++draw.amount;  // the first is right with the flag
  high_bytes(local, central, draw, true);
}
void flag_on_one_side(LocalPart& local, CentralPart& central, Draw& draw) {
  name_both(local, central, central.name + "\xc3\xa9");
  const bool the_local = draw.coin();
  both(local, central, [](auto& it) { it.flags &= static_cast<std::uint16_t>(~kUtf8); });
  one(the_local, local, central, [](auto& it) { it.flags |= kUtf8; });
}

// Puts `with` where the last slash is, or before the name.
std::string respelled(const std::string& name, std::string_view with, std::string_view front) {
  const std::size_t slash = name.rfind('/');
  if (slash == name.npos) return std::string(front) + name;
  return name.substr(0, slash) + std::string(with) + name.substr(slash + 1);
}
void absolute_spelling(Bench& bench) { put_beside(bench, "/" + bench.central().name); }
void double_slash(Bench& bench) { put_beside(bench, respelled(bench.central().name, "//", "//")); }
void backslash_spelling(Bench& bench) {
  set_host(bench.central(), bench.draw.from({kUnix, kDos, kNtfs}));
  put_beside(bench, with_backslashes(bench.central().name));
}
void dot_in_front(Bench& bench) { put_beside(bench, "./" + bench.central().name); }
void dot_inside(Bench& bench) { put_beside(bench, respelled(bench.central().name, "/./", "././")); }
void parent_in_front(Bench& bench) { put_beside(bench, "../" + bench.central().name); }
void parent_inside(Bench& bench) {
  put_beside(bench, respelled(bench.central().name, "/x/../", "x/../"));
}
void trailing_character(Bench& bench) {
  const std::string_view ending = bench.draw.from<std::string_view>({".", " ", "/.", "\\"});
  put_beside(bench, bench.central().name + std::string(ending));
}

void other_case(Bench& bench) {
  const bool whole = bench.draw.coin();
  put_beside(bench, in_other_case(bench.central().name, whole));
}

// --- odd names

// Gives the chosen entry this name; an archive without one gets one.
void rename(Bench& bench, std::string_view name) {
  if (!bench.has_entry()) return bench.append_entry(bench.entry(name, "value"));
  name_both(bench.local(), bench.central(), name);
  if (!ascii(name)) both(bench.local(), bench.central(), [](auto& it) { it.flags |= kUtf8; });
}
void empty_name(Bench& bench) { rename(bench, ""); }
void long_name(Bench& bench) {
  rename(bench, std::string(bench.draw.from<std::size_t>({5000, 256, 65'535}), 'n'));
}
void odd_name(Bench& bench) {
  static constexpr std::string_view names[] = {"..",
                                               ".",
                                               "/",
                                               "/etc/zarr.json",
                                               "C:\\zarr.json",
                                               "c:/zarr.json",
                                               "c:x",
                                               "...",
                                               "../../x",
                                               "a/../../x",
                                               "con",
                                               "nul.txt",
                                               " ",
                                               "-",
                                               "~/x",
                                               "$HOME",
                                               "//host/share",
                                               "\\\\host\\share\\x",
                                               "a//",
                                               "./",
                                               "x.",
                                               "%2e%2e/x",
                                               "\u202egnp.exe",
                                               "\ufeffzarr.json",
                                               "e\u0301",
                                               "__MACOSX/._x",
                                               "zarr.json:stream",
                                               "a/zarr.json/b"};
  rename(bench, bench.draw.from(names));
}
void deep_name(Bench& bench) {
  std::string name;
  for (std::size_t level = 0; level < 2000; ++level) name += "a/";
  rename(bench, name + "x");
}
void nul_in_name(LocalPart& local, CentralPart& central, Draw& draw) {
  std::string name = central.name;
  const std::size_t places[] = {name.size(), name.size() / 2, 0};
  name.insert(places[draw.of(3)], 1, '\0');
  const std::uint32_t sides = draw.of(3);
  if (sides != 1) set_name(central, name);
  if (sides != 2) set_name(local, name);
}
void nul_and_ending(Bench& bench) {
  const std::string name = bench.central().name + std::string("\0.txt", 5);
  bench.draw.coin() ? name_both(bench.local(), bench.central(), name) : put_beside(bench, name);
}

// --- the rows

constexpr Row kNames[] = {
    {{"same name after", "B1", "4.3.2", "The name is there again behind, with another value."},
     with_entry<same_name_after>},
    {{"same name before", "B1", "4.3.2", "The name is there again in front, with another value."},
     with_entry<same_name_before>},
    {{"central header twice", "B1", "4.3.12", "Two central headers point at one local header."},
     with_entry<header_twice>},
    {{"same name, other data", "B1", "4.3.12",
      "Two central headers of one name point at two entries."},
     with_entry<same_name_other_data>},

    {{"special byte in name", "B2", "4.4.17", "A name holds a byte that some system forbids."},
     of_entry<special_byte>},
    {{"backslash in name", "B2", "4.4.17", "A name has backslashes for slashes."},
     of_entry<backslash_in_name>},
    {{"high bytes without flag", "B2", "4.4.4",
      "A name has bytes above 127, and bit 11 is not set."},
     of_entry<high_bytes_unflagged>},
    {{"high bytes with flag", "B2", "4.4.4", "A name is said to be UTF-8, and most are not."},
     of_entry<high_bytes_flagged>},
    {{"utf-8 flag on one side", "B2", "4.4.4", "One header says that the name is UTF-8."},
     of_entry<flag_on_one_side>},

    {{"absolute spelling", "B3", "4.4.17", "Beside a/b there is /a/b."},
     with_entry<absolute_spelling>},
    {{"double slash", "B3", "4.4.17", "Beside a/b there is a//b."}, with_entry<double_slash>},
    {{"backslash spelling", "B3", "4.4.17", "Beside a/b there is a\\b."},
     with_entry<backslash_spelling>},
    {{"dot in front", "B3", "4.4.17", "Beside a/b there is ./a/b."}, with_entry<dot_in_front>},
    {{"dot inside", "B3", "4.4.17", "Beside a/b there is a/./b."}, with_entry<dot_inside>},
    {{"parent in front", "B3", "4.4.17", "Beside a/b there is ../a/b."},
     with_entry<parent_in_front>},
    {{"parent inside", "B3", "4.4.17", "Beside a/b there is a/x/../b."}, with_entry<parent_inside>},
    {{"trailing character", "B3", "4.4.17",
      "Beside a/b there is the same with a dot or space behind."},
     with_entry<trailing_character>},

    {{"other case", "B4", "4.4.17", "Two names differ in case only."}, with_entry<other_case>},
};

constexpr Row kOddNames[] = {
    {{"empty name", "odd name", "4.4.10", "A name is empty."}, empty_name},
    {{"long name", "odd name", "4.4.10", "A name is longer than any file system takes."},
     long_name},
    {{"odd name", "odd name", "4.4.17", "A name that means something else somewhere."}, odd_name},
    {{"deep name", "odd name", "4.4.17", "A name has 2,000 levels."}, deep_name},
    {{"nul in name", "nul in name", "4.4.17", "A name holds a NUL, in one header or both."},
     of_entry<nul_in_name>},
    {{"nul and ending", "nul in name", "4.4.17", "A name goes on after a NUL."},
     with_entry<nul_and_ending>},
};

}  // namespace

std::span<const Row> name_rows() { return kNames; }
std::span<const Row> odd_name_rows() { return kOddNames; }

}  // namespace storefuzz::twists
