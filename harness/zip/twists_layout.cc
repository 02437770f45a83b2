// C1 to C4: where the records of an archive are, and what its end record counts.
#include "harness/zip/twists_kinds.h"

namespace storefuzz::twists {
namespace {

// --- C1: what a scan and the directory show (4.3.2, 4.3.6)

void local_only(Bench& bench, std::string_view name, std::string_view value) {
  LocalPart local = bench.entry(name, value).local;
  const std::size_t places[] = {bench.behind(*bench.local_at()), *bench.local_at(),
                                bench.directory_at()};
  bench.insert(bench.draw.from(places), std::move(local));
}
void unlisted_entry(Bench& bench) { local_only(bench, "unlisted", "not in the directory"); }
void unlisted_value(Bench& bench) { local_only(bench, bench.central().name, bench.other_value()); }
void listed_only(Bench& bench) {
  CentralPart central = bench.entry("listed", bench.value()).central;
  central.local.reset();
  const std::uint32_t which = bench.draw.of(3);
  const std::size_t at = *bench.central_at() + 1;
  bench.insert(at, std::move(central));
  bench.settle();
  const std::uint64_t places[] = {bench.place_of(bench.directory_at()), bench.before.size(),
                                  bench.place_of(*bench.local_at()) + 1};
  bench.part<CentralPart>(at).offset = static_cast<std::uint32_t>(places[which] - bench.zip.shift);
}
void destroyed_header(Bench& bench) {
  const auto wrong =
      bench.draw.from<std::string_view>({"XXXX", "PK00", {"PK\1\2", 4}, "\xff\xff\xff\xff"});
  std::string bytes(bench.before);
  bytes.replace(static_cast<std::size_t>(bench.place_of(*bench.local_at())), wrong.size(), wrong);
  bench.after = std::move(bytes);
}
void entry_in_comment(Bench& bench) {
  if (!bench.end_at()) return;
  NewEntry new_entry = bench.entry(bench.central().name, bench.other_value());
  if (bench.draw.coin()) set_name(new_entry.local, "in the comment");
  const bool with_central = bench.draw.coin();
  std::string comment = render(new_entry.local);
  if (with_central) comment += render(new_entry.central);
  set_comment(bench.end(), std::move(comment));
}
// A whole entry inside the stored value of another; amount: whether the directory lists it too.
void entry_in_value(Bench& bench) {
  NewEntry inner = bench.entry(bench.central().name + "2", bench.other_value());
  inner.central.local.reset();
  const std::string value = bench.value();
  const bool listed = bench.draw.coin();
  const std::size_t behind = bench.draw.coin() ? 0 : value.size();
  bench.put_value(std::string(value).insert(behind, render(inner.local)), kStored);
  if (!listed) return;
  const std::size_t at = *bench.central_at() + 1;
  bench.insert(at, std::move(inner.central));
  bench.settle();
  const std::size_t header = rendered_size(bench.local()) - bench.local().data.size();
  bench.part<CentralPart>(at).offset = static_cast<std::uint32_t>(
      bench.place_of(*bench.local_at()) + header + behind - bench.zip.shift);
}
void gap_between(Bench& bench) {
  const std::size_t size = bench.draw.from<std::size_t>({1, 4, 30, 1000});
  const std::size_t places[] = {*bench.local_at(), bench.directory_at()};
  bench.insert(places[bench.draw.of(2)],
               GapPart{std::string(size, bench.draw.coin() ? 'P' : '\0')});
}

// --- C2: several end records (4.3.16)

void other_archive_in_comment(Bench& bench) {
  if (!bench.end_at()) return;
  bench.settle();
  auto [locals, centrals] = bench.other();
  const std::uint32_t how_many = bench.draw.of(3);
  if (how_many == 1 && !centrals.empty()) centrals.pop_back();
  if (how_many == 2) centrals.clear();
  centrals.emplace_back(EndPart{});
  bench.put_in_comment(joined(std::move(locals), std::move(centrals)));
}
void empty_archive_in_comment(EndPart& end, Draw& draw) {
  const std::string text(draw.from<std::size_t>({0, 1, 100}), ' ');
  set_comment(end, text + render(EndPart{}));
}
void same_end_in_comment(EndPart& end, Draw& draw) {
  EndPart again = end;
  set_comment(again, "");
  if (draw.coin()) --again.here, --again.total;
  set_comment(end, render(again));
}
void archive_in_front(Bench& bench) {
  auto [locals, centrals] = bench.other();
  if (bench.draw.coin() && !centrals.empty()) centrals.pop_back();
  const std::size_t rest = bench.before.size();
  centrals.emplace_back(
      EndPart{.comment_length = static_cast<std::uint16_t>(std::min(rest, kLongest))});
  bench.insert(0, joined(std::move(locals), std::move(centrals)));
}
void signature_in_comment(EndPart& end, Draw& draw) {
  const std::string behind(draw.from<std::size_t>({0, 1, 17, 18, 40}), draw.coin() ? 'x' : '\0');
  set_comment(end, std::string("PK\5\6", 4) + behind);
}

// --- C3: counts and sizes (4.4.19 to 4.4.24)

void count_off(EndPart& end, Draw& draw) {
  const std::uint32_t which = draw.of(3);
  const std::uint16_t by = draw.from<std::uint16_t>({1, 0xffff, 2, 1000});
  if (which != 1) end.here += by;
  if (which != 2) end.total += by;
}
void count_zero(EndPart& end, Draw& draw) {
  const std::uint32_t which = draw.of(3);
  const std::uint16_t to = draw.from<std::uint16_t>({0, 0xffff, 1});
  if (which != 1) end.here = to;
  if (which != 2) end.total = to;
}
void directory_size_off(EndPart& end, Draw& draw) {
  end.size += draw.from<std::uint32_t>({1, 0xffffffff, 46, 0u - 46, 0x7fffffff});
}
void directory_size_zero(EndPart& end, Draw& draw) {
  end.size = draw.from<std::uint32_t>({0, kInZip64, 46});
}
void directory_offset_off(EndPart& end, Draw& draw) {
  end.offset += draw.from<std::uint32_t>({1, 0xffffffff, 46, 0x7fffffff, 0u - end.offset});
}
void disk_numbers(Bench& bench) {
  if (!bench.end_at()) return;
  const std::uint32_t which = bench.draw.of(3);
  const std::uint16_t disk = bench.draw.from<std::uint16_t>({1, 0xffff});
  if (which == 0) bench.end().disk = disk;
  if (which == 1) bench.end().directory_disk = disk;
  if (which == 2 && bench.has_entry()) bench.central().disk = disk;
}

void counts_overflow(Bench& bench) { bench.append_many(65'536); }

// --- C4: two directories (4.3.12)

void two_directories(Bench& bench) {
  if (!bench.end_at()) return;
  const bool first = bench.draw.coin(), apart = bench.draw.coin();
  const Run stated = add_directory(bench, first, apart).first;
  point_at(bench.end(), stated);
}
// The end record points at the directory that is next to it, and the other lies before.
void forgotten_directory(Bench& bench) {
  if (!bench.end_at()) return;
  const bool first = bench.draw.coin(), apart = bench.draw.coin();
  const Run stated = add_directory(bench, first, apart).second;
  point_at(bench.end(), stated);
}
void directory_away(Bench& bench) {
  const std::size_t size = bench.draw.from<std::size_t>({1, 46, 1000});
  if (bench.end_at()) bench.insert(bench.ends_at(), GapPart{std::string(size, '\0')});
}

// --- the rows

constexpr Row kRows[] = {
    {{"unlisted entry", "C1", "4.3.2", "An entry is not in the directory."},
     with_entry<unlisted_entry>},
    {{"unlisted value", "C1", "4.3.2",
      "An entry of a known name, with another value, is not in the directory."},
     with_entry<unlisted_value>},
    {{"listed only", "C1", "4.4.16", "A central header points where no local header is."},
     with_entry<listed_only>},
    {{"destroyed local signature", "C1", "4.3.7", "The signature of a local header is damaged."},
     with_entry<destroyed_header>},
    {{"entry in the comment", "C1", "4.4.12", "The comment of the archive holds an entry."},
     with_entry<entry_in_comment>},
    {{"entry in a value", "C1", "4.3.8", "The stored value of an entry holds another entry."},
     with_entry<entry_in_value>},
    {{"gap between entries", "C1", "4.3.6", "Bytes that are no record lie before one."},
     with_entry<gap_between>},

    {{"other archive in the comment", "C2", "4.3.16", "The comment holds another archive."},
     other_archive_in_comment},
    {{"empty archive in the comment", "C2", "4.3.16", "The comment ends with an empty archive."},
     of_end<empty_archive_in_comment>},
    {{"end record in the comment", "C2", "4.3.16", "The comment is the end record again."},
     of_end<same_end_in_comment>},
    {{"archive in front", "C2", "4.3.16",
      "The archive is the comment of another one, which stands before it."},
     archive_in_front},
    {{"end signature in the comment", "C2", "4.3.16",
      "The comment begins with the signature of an end record."},
     of_end<signature_in_comment>},

    {{"count off", "C3", "4.4.22", "A count of entries is off."}, of_end<count_off>},
    {{"count zero", "C3", "4.4.22", "A count of entries is zero, one or the largest."},
     of_end<count_zero>},
    {{"directory size off", "C3", "4.4.23", "The size of the directory is off."},
     of_end<directory_size_off>},
    {{"directory size zero", "C3", "4.4.23", "The size of the directory is zero or the largest."},
     of_end<directory_size_zero>},
    {{"disk numbers", "C3", "4.4.19", "A number of a disk is not zero."}, disk_numbers},
    {{"counts overflow", "C3", "4.4.22", "65,536 entries more than the count says.", true},
     counts_overflow},

    {{"two directories", "C4", "4.4.24",
      "A directory is where the end record says, another one next to it."},
     two_directories},
    {{"directory offset off", "C1", "4.4.24", "The directory is not where the end record says."},
     of_end<directory_offset_off>},
    {{"forgotten directory", "C1", "4.3.12",
      "Another directory lies before the one that is stated."},
     forgotten_directory},
    {{"directory away from the end", "C4", "4.3.6",
      "Bytes lie between the directory and the end record."},
     directory_away},
};

}  // namespace

std::span<const Row> layout_rows() { return kRows; }

}  // namespace storefuzz::twists
