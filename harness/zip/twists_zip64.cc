// C5: zip64 end records and their locator.
#include "harness/zip/twists_kinds.h"

namespace storefuzz::twists {
namespace {

// --- C5: zip64 records (4.3.14, 4.3.15)

// The indices of both zip64 records, put in where they are not there yet.
struct Zip64At {
  std::size_t record = 0, locator = 0;
};
Zip64At add_zip64(Bench& bench) {
  const std::size_t end = *bench.end_at(), first = bench.ends_at();
  if (end - first == 2 && std::holds_alternative<Zip64EndPart>(bench.zip.parts[first]) &&
      std::holds_alternative<Zip64LocatorPart>(bench.zip.parts[first + 1]))
    return {first, first + 1};
  bench.insert(end, Zip64LocatorPart{});
  bench.insert(end, Zip64EndPart{});
  return {end, end + 1};
}
void look_in_zip64(EndPart& end) {
  end.here = end.total = kInZip64Short;
  end.size = end.offset = kInZip64;
}
// What most kinds begin with: right zip64 records and, one time in two, nothing in the classic one.
std::optional<Zip64At> begin_zip64(Bench& bench, bool classic_too) {
  if (!bench.end_at()) return std::nullopt;
  const Zip64At at = add_zip64(bench);
  bench.settle();
  if (!classic_too) look_in_zip64(bench.end());
  return at;
}

void zip64_values_differ(Bench& bench) {
  const bool classic_too = !bench.draw.coin();
  const auto at = begin_zip64(bench, classic_too);
  if (!at) return;
  auto& record = bench.part<Zip64EndPart>(at->record);
  const std::uint32_t which = bench.draw.of(4);
  const std::uint64_t by = bench.draw.from<std::uint64_t>({1, ~0ULL, 46, 1ULL << 32, 1ULL << 63});
  if (which == 0) record.here += by, record.total += by;
  if (which == 1) record.total += by;
  if (which == 2) record.size += by;
  if (which == 3) record.offset += by;
}
void zip64_other_directory(Bench& bench) {
  if (!bench.end_at()) return;
  const bool swapped = bench.draw.coin(), first = bench.draw.coin();
  const Zip64At at = add_zip64(bench);
  const std::size_t parts = bench.zip.parts.size();
  auto [one, other] = add_directory(bench, first, false);
  if (swapped) std::swap(one, other);
  point_at(bench.part<Zip64EndPart>(at.record + bench.zip.parts.size() - parts), other);
  point_at(bench.end(), one);
}
void locator_missing(Bench& bench) {
  const auto at = begin_zip64(bench, bench.draw.coin());
  if (at) bench.erase(at->locator, at->locator + 1);
}
void locator_elsewhere(Bench& bench) {
  const auto at = begin_zip64(bench, bench.draw.coin());
  if (!at) return;
  auto& locator = bench.part<Zip64LocatorPart>(at->locator);
  const std::uint64_t right = locator.offset;
  const std::uint64_t places[] = {0, right + 1, right + 56, 1ULL << 40, ~0ULL};
  locator.offset = places[bench.draw.of(5)];
}
void locator_without_record(Bench& bench) {
  const bool classic_too = !bench.draw.coin();
  const auto at = begin_zip64(bench, classic_too);
  if (at) bench.erase(at->record, at->record + 1);
}
void locator_disks(Bench& bench) {
  const bool classic_too = bench.draw.coin();
  const auto at = begin_zip64(bench, classic_too);
  if (!at) return;
  auto& locator = bench.part<Zip64LocatorPart>(at->locator);
  bench.draw.coin() ? locator.disk = 1 : locator.disks = bench.draw.from<std::uint32_t>({0, 2});
}
// The comment ends with end records of its own, zip64 ones among them, of another archive.
void zip64_in_comment(Bench& bench) {
  if (!bench.end_at()) return;
  bench.settle();
  auto [locals, centrals] = bench.other();
  centrals.emplace_back(Zip64EndPart{});
  centrals.emplace_back(Zip64LocatorPart{});
  EndPart last{.right = {false, false, false, false}};
  if (!bench.draw.coin()) look_in_zip64(last);
  centrals.emplace_back(last);
  bench.put_in_comment(joined(std::move(locals), std::move(centrals)));
}
// A zip64 record of another directory in the data sector of the right one (4.3.14.2); amount: which
// of them the locator points at.
void zip64_inside(Bench& bench) {
  if (!bench.end_at()) return;
  const bool points_inside = !bench.draw.coin(), marked = bench.draw.coin();
  const Zip64At at = add_zip64(bench);
  const std::size_t parts = bench.zip.parts.size();
  const auto [one, other] = add_directory(bench, true, false);
  const std::size_t record = at.record + bench.zip.parts.size() - parts;
  Zip64EndPart inner;
  point_at(inner, one);
  auto& outer = bench.part<Zip64EndPart>(record);
  point_at(outer, other);
  std::string header;  // 4.3.14.3: a two-byte id and a four-byte size
  if (marked) append(header, std::uint16_t{0xcafe}), append(header, std::uint32_t{56});
  outer.extensible = header + render(inner);
  outer.stated_size = 44 + outer.extensible.size();
  look_in_zip64(bench.end());
  bench.part<Zip64LocatorPart>(record + 1).offset =
      bench.place_of(record) - bench.zip.shift + (points_inside ? 56 + header.size() : 0);
}
void zip64_size_off(Bench& bench) {
  const auto at = begin_zip64(bench, bench.draw.coin());
  if (at)
    bench.part<Zip64EndPart>(at->record).stated_size =
        bench.draw.from<std::uint64_t>({0, 43, 45, 86, 1ULL << 32, ~0ULL});
}

// --- the rows

constexpr Row kRows[] = {
    {{"zip64 values differ", "C5", "4.3.14", "The zip64 end record contradicts what is there."},
     zip64_values_differ},
    {{"zip64 other directory", "C5", "4.3.14", "The zip64 end record points at another directory."},
     zip64_other_directory},
    {{"zip64 locator missing", "C5", "4.3.15", "A zip64 end record has no locator."},
     locator_missing},
    {{"zip64 locator elsewhere", "C5", "4.3.15", "The zip64 locator points elsewhere."},
     locator_elsewhere},
    {{"zip64 record missing", "C5", "4.3.15", "A zip64 locator has no record."},
     locator_without_record},
    {{"zip64 locator disks", "C5", "4.4.19", "The zip64 locator counts other disks."},
     locator_disks},
    {{"zip64 in the comment", "C5", "4.3.14",
      "The comment holds zip64 records of another archive."},
     zip64_in_comment},
    {{"zip64 record in another", "C5", "4.3.14.2",
      "The data of a zip64 end record hold another one, of another directory."},
     zip64_inside},
    {{"zip64 record size off", "C5", "4.3.14.1", "The zip64 end record states another size."},
     zip64_size_off},
};

}  // namespace

void zip64_records(Bench& bench) { begin_zip64(bench, bench.draw.coin()); }

std::span<const Row> zip64_rows() { return kRows; }

}  // namespace storefuzz::twists
