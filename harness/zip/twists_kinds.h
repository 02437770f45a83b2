// What a kind of twist is made of: the archive on the bench, and helpers to bend its parts.
// Private to harness/zip.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/zip/deflate.h"
#include "harness/zip/layout.h"
#include "harness/zip/records.h"
#include "harness/zip/twists.h"
#include "harness/zip/values.h"

namespace storefuzz::twists {

// Bits of the flags (4.4.4).
inline constexpr std::uint16_t kEncrypted = 1, kLater = 8, kUtf8 = 1 << 11;
inline constexpr std::uint16_t kStored = 0, kDeflated = 8;  // 4.4.5
inline constexpr std::uint16_t kInZip64Short = 0xffff;
inline constexpr std::size_t kLongest = 0xffff;  // name, extra or comment (4.4.10 to 4.4.12)
// Host systems (4.4.2).
inline constexpr std::uint16_t kDos = 0, kUnix = 3, kNtfs = 10, kMac = 19;
inline constexpr std::uint32_t kUnixFile = 0x81b60000, kUnixFolder = 0x41ff0000,
                               kUnixLink = 0xa1ff0000, kDosFolder = 0x10;  // 4.4.15

// Choices out of one number, one after another; 0 makes the first choice everywhere.
struct Draw {
  std::uint32_t amount = 0;
  std::uint32_t of(std::size_t count) {
    const auto choice = static_cast<std::uint32_t>(amount % count);
    amount /= static_cast<std::uint32_t>(count);
    return choice;
  }
  bool coin() { return of(2) == 1; }
  template <class T, std::size_t n>
  T from(const T (&list)[n]) {
    return list[of(n)];
  }
};

// --- fields

template <class Number>
void append(std::string& bytes, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    bytes += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
}

bool ascii(std::string_view text);
std::string in_other_case(std::string name, bool whole);  // or only its first letter

template <class Header>
void set_name(Header& header, std::string_view name) {
  header.name = name.substr(0, kLongest);
  header.name_length = static_cast<std::uint16_t>(header.name.size());
}

template <class Header>
void set_extra(Header& header, std::string extra) {
  if (extra.size() > kLongest) return;
  header.extra = std::move(extra);
  header.extra_length = static_cast<std::uint16_t>(header.extra.size());
}

template <class Header>
void add_extra(Header& header, std::uint16_t id, std::string_view bytes) {
  std::string extra = header.extra;
  append(extra, id);
  append(extra, static_cast<std::uint16_t>(bytes.size()));
  set_extra(header, extra.append(bytes));
}

std::string without_zip64(std::string_view extra);

void set_host(CentralPart& central, std::uint16_t host);
void set_comment(EndPart& end, std::string comment);

// Does the same to both headers of an entry.
void both(LocalPart& local, CentralPart& central, auto&& change) { change(local), change(central); }
// To the central or the local one.
void one(bool the_local, LocalPart& local, CentralPart& central, auto&& change) {
  the_local ? change(local) : change(central);
}

void name_both(LocalPart& local, CentralPart& central, std::string_view name);
void set_value(LocalPart& local, CentralPart& central, std::string_view value);

// --- the bench

// An entry that is not yet in the archive.
struct NewEntry {
  LocalPart local;
  CentralPart central;
};

// What a twist works on: the archive before it, as bytes and as a layout, and what was chosen.
class Bench {
 public:
  Bench(std::string_view bytes, const Twist& twist)
      : before(bytes), zip(parse_layout(bytes)), draw{twist.amount}, entry_(twist.entry) {}

  std::string_view before;
  ZipLayout zip;
  Draw draw;
  std::optional<std::string> after;  // given when the twist made bytes, not parts

  std::string result();
  // Repairs what moved. What is bent in end records and offsets is bent after this.
  void settle();

  template <class Part>
  std::vector<std::size_t> all() const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < zip.parts.size(); ++i)
      if (std::holds_alternative<Part>(zip.parts[i])) found.push_back(i);
    return found;
  }
  template <class Part>
  Part& part(std::size_t index) {
    return std::get<Part>(zip.parts[index]);
  }

  // The chosen entry and, with `further`, one that comes after it.
  std::optional<std::size_t> central_at(std::size_t further = 0) const;
  std::optional<std::size_t> local_at() const;
  bool has_entry() const { return central_at() && local_at(); }
  LocalPart& local() { return part<LocalPart>(*local_at()); }
  CentralPart& central() { return part<CentralPart>(*central_at()); }

  std::optional<std::size_t> end_at() const;
  EndPart& end() { return part<EndPart>(*end_at()); }
  // The first of the end records: zip64 records stand before the classic one.
  std::size_t ends_at() const;
  std::size_t directory_at() const;
  std::uint64_t place_of(std::size_t index) const;

  void insert(std::size_t at, ZipPart part);
  void insert(std::size_t at, std::vector<ZipPart> parts);
  void erase(std::size_t from, std::size_t to);

  // Behind the data of a local header, and behind its descriptor.
  std::size_t behind(std::size_t local) const;

  // The value of the chosen entry, and another one: of the same length where that is possible.
  std::string value();
  std::string other_value();
  // Gives the chosen entry a value, packed in this way, and right sizes in both headers.
  void put_value(std::string_view value, std::uint16_t method);

  // An entry in which nothing is wrong, like the chosen one in method, host and attributes.
  NewEntry entry(std::string_view name, std::string_view value);
  // Puts an entry in: its local header before or behind the chosen entry's, and its central one.
  void beside(NewEntry new_entry, bool first, bool first_in_directory);
  void append_entry(NewEntry new_entry);
  // Empty entries, as many as asked for, in one go.
  void append_many(std::size_t count);

  // Every entry of the directory again, with other values; labels follow those that are there.
  struct Other {
    std::vector<ZipPart> locals, centrals;
  };
  Other other();
  // Parts become the comment; their offsets count from the beginning of this archive.
  void put_in_comment(std::vector<ZipPart> parts);

 private:
  std::uint32_t new_label() const;

  std::uint32_t entry_ = 0;
  bool settled_ = false;
};

std::vector<ZipPart> joined(std::vector<ZipPart> left, std::vector<ZipPart> right);

// Another entry of this name with another value; amount: before or after, in both orders alike.
void put_beside(Bench& bench, std::string_view name);

// A run of central headers, as an end record tells of it.
struct Run {
  std::uint64_t at = 0, size = 0, count = 0;
};
template <class End>
void point_at(End& end, const Run& run) {
  end.here = end.total = static_cast<decltype(end.here)>(run.count);
  end.size = static_cast<decltype(end.size)>(run.size);
  end.offset = static_cast<decltype(end.offset)>(run.at);
}
// Puts a directory with other values beside that of the archive: behind it or, with `first`, before
// it. Answers where both are, the first of them first.
std::pair<Run, Run> add_directory(Bench& bench, bool first, bool apart);

// --- the kinds

struct Row {
  TwistKind kind;
  void (*apply)(Bench&);
};

// In the order of all_twists().
std::span<const Row> header_rows();  // A1 to A5
std::span<const Row> name_rows();    // B1 to B4
std::span<const Row> layout_rows();  // C1 to C4
std::span<const Row> zip64_rows();   // C5
std::span<const Row> damage_rows();
std::span<const Row> odd_name_rows();
std::span<const Row> more_damage_rows();
std::span<const Row> sound_rows();

// Sound kinds that wrong ones are made from.
void descriptor(Bench& bench);
void zip64_sizes(LocalPart& local, CentralPart& central, Draw& draw);
void zip64_records(Bench& bench);

// A twist of one entry's two headers becomes a twist of a bench.
template <void (*twist)(LocalPart&, CentralPart&, Draw&)>
void of_entry(Bench& bench) {
  if (bench.has_entry()) twist(bench.local(), bench.central(), bench.draw);
}
// A twist that needs an entry.
template <void (*twist)(Bench&)>
void with_entry(Bench& bench) {
  if (bench.has_entry()) twist(bench);
}
// A twist of the last end record, after repair.
template <void (*twist)(EndPart&, Draw&)>
void of_end(Bench& bench) {
  if (!bench.end_at()) return;
  bench.settle();
  twist(bench.end(), bench.draw);
}

}  // namespace storefuzz::twists
