// Whether end records and directory fit each other: C3, C4, C5, and directories that break off.
#include <algorithm>
#include <bit>
#include <optional>
#include <unordered_set>

#include "harness/zip/evidence.h"

namespace storefuzz {
namespace {

constexpr std::size_t kManyEntries = 10'000;

// Central headers that follow each other up to `behind`, from the first that stands after `at`.
// No header is looked at twice: what followed it before will follow it again.
std::optional<std::size_t> directory_up_to(const ZipStructure& zip, std::size_t at,
                                           std::size_t behind) {
  std::unordered_set<std::size_t> seen;
  for (; (at = zip.bytes.find(kCentral, at)) < behind; ++at) {
    std::size_t place = at;
    while (const auto header = central_at(zip.bytes, place)) {
      if (!seen.insert(place).second) break;
      place = header->end;
      if (place >= behind) break;
    }
    if (place == behind) return at;
  }
  return std::nullopt;
}

// The headers that follow each other are two directories: the size leads to one that is complete
// by the count, and its names stand before it as well.
bool two_directories(const ZipStructure& zip, std::size_t behind) {
  const EndRecord& end = *zip.end;
  if (zip.directory_end != behind || end.size >= behind - zip.directory_at) return false;
  const std::size_t adjacent = behind - end.size;
  std::size_t count = 0;
  bool begins = false, repeated = false;
  std::unordered_set<std::string_view> before;
  for (const CentralHeader& central : zip.directory) {
    begins = begins || central.at == adjacent;
    if (central.at < adjacent) {
      before.insert(central.name);
      continue;
    }
    ++count;
    repeated = repeated || before.contains(central.name);
  }
  return begins && repeated && count == end.total;
}

void missing_directory(Evidence& evidence, std::size_t behind) {
  const ZipStructure& zip = evidence.zip;
  const EndRecord& end = *zip.end;
  const bool says_none =
      zip.zip64 ? zip.zip64->total == 0 && zip.zip64->size == 0 : end.total == 0 && end.size == 0;
  if (behind == 0 && says_none) return;  // the empty archive
  if (evidence.has("C5")) return;
  const auto other = directory_up_to(zip, 0, behind);
  if (says_none) {
    if (other && !zip.scanned.empty()) return evidence.add("C3", "counts of zero, and a directory");
    if (zip.scanned.empty() && !other)
      return evidence.add("prefix", "an empty archive behind other bytes");
    return evidence.add("no directory", "an end record that counts nothing, behind entries");
  }
  const std::string_view there =
      zip.bytes.substr(std::min<std::size_t>(end.offset, zip.bytes.size()));
  const std::string_view adjacent = zip.bytes.substr(end.size <= behind ? behind - end.size : 0);
  if (other) {
    const bool one_bit =
        std::popcount(static_cast<std::uint32_t>(*other ^ end.offset)) <= 3 ||
        std::popcount(static_cast<std::uint32_t>((behind - *other) ^ end.size)) <= 3;
    return evidence.add(one_bit ? "flipped bits" : "unfinished write",
                        "the end record points elsewhere than to the directory before it");
  }
  if (there.starts_with(kLocal))
    return evidence.add("unfinished write", "an entry was written over the directory");
  if (broken_signature(there) || broken_signature(adjacent))
    evidence.add("flipped bits", "one bit of a signature is another");
  evidence.add("no directory", "no directory stands where the end record says");
}

}  // namespace

void zip64_records(Evidence& evidence, const Extents& list) {
  const ZipStructure& zip = evidence.zip;
  const EndRecord& end = *zip.end;
  const auto odd = [&](std::string why) { evidence.add("C5", std::move(why)); };
  const bool asked = end.offset == kInZip64 || end.size == kInZip64;
  if (asked && !zip.zip64) odd("the end record asks for a zip64 record that is not there");
  if (zip.locator && !zip.zip64) odd("the locator points to no record");
  if (zip.locator && zip.locator->disks != 1) odd("the locator counts other disks than one");
  if (zip.locator && zip.zip64 && zip.locator->offset + zip.shift != zip.zip64->at &&
      !(zip.shift == 0 && zip.locator->offset == zip.zip64->at))
    odd("the locator points elsewhere than to the record before it");
  for (const std::string_view signature : {kZip64End, kLocator}) {
    const std::size_t known = signature == kLocator ? (zip.locator ? zip.locator->at : 0)
                                                    : (zip.zip64 ? zip.zip64->at : 0);
    for (std::size_t at = 0;
         !evidence.has("C5") && (at = zip.bytes.find(signature, at)) != zip.bytes.npos; ++at)
      if ((at != known || !zip.locator) && !inside_data(zip, list, at) &&
          zip.bytes.size() - at >= (signature == kLocator ? kLocatorSize : kZip64EndSize))
        odd("a zip64 record hides where none should be");
  }
  if (!zip.zip64) return;
  for (std::size_t at = 0; (at = zip.bytes.find(kCentral, at)) < zip.zip64->at; ++at)
    if (const auto header = central_at(zip.bytes, at);
        header && header->end > zip.zip64->at && !inside_data(zip, list, at))
      odd("the zip64 record stands in the comment of an entry");
  const Zip64End& wide = *zip.zip64;
  if (wide.stated_size < 44) odd("the zip64 record is smaller than one can be");
  if (wide.end != zip.locator->at) odd("the zip64 record does not end where its locator begins");
  if (wide.disk != 0 || wide.directory_disk != 0 || wide.here != wide.total)
    odd("the zip64 record tells of several disks");
  const auto contradicts = [](std::uint64_t classic, std::uint64_t all_ones, std::uint64_t value) {
    return classic != all_ones && classic != value;
  };
  if (contradicts(end.total, 0xffff, wide.total) || contradicts(end.here, 0xffff, wide.here) ||
      contradicts(end.size, kInZip64, wide.size) || contradicts(end.offset, kInZip64, wide.offset))
    odd("the zip64 record contradicts the end record");
  else if (wide.offset + zip.shift + wide.size != wide.at)
    odd("the directory of the zip64 record does not end where the record begins");
  if (wide.total != zip.entries || wide.size != zip.directory_end - zip.directory_at)
    odd("the zip64 record counts other entries than there are");
}

void directory(Evidence& evidence, const Extents& list) {
  const ZipStructure& zip = evidence.zip;
  const EndRecord& end = *zip.end;
  const std::size_t behind = zip.zip64 ? zip.zip64->at : end.at;
  if (zip.directory.empty()) return missing_directory(evidence, behind);
  if (zip.entries >= kManyEntries)
    evidence.add("many entries", fmt::format("{} of them", zip.entries));
  const bool wide = zip.zip64 && (end.disk == 0xffff || end.directory_disk == 0xffff);
  if (!wide && (end.disk != 0 || end.directory_disk != 0))
    evidence.add("C3", "the end record tells of several disks");
  if (two_directories(zip, behind))
    return evidence.add("C4", "another directory stands next to the end record");
  const bool before = std::ranges::any_of(
      list, [&](const Extent& it) { return it.from >= behind || it.from > zip.directory_at; });
  if (zip.directory_end != behind && !before) {
    const std::string_view rest = zip.bytes.substr(zip.directory_end, behind - zip.directory_end);
    const bool second = directory_up_to(zip, zip.directory_end, behind).has_value();
    const bool complete =
        zip.entries == end.total || zip.directory_end - zip.directory_at == end.size;
    if (!zip.locator && broken_signature(rest)) {
      evidence.add("flipped bits", "one bit of a signature is another");
      evidence.add("no directory", "the directory breaks off");
    } else if (second || (complete && zip.locator == std::nullopt))
      evidence.add("C4", second ? "another directory stands next to the end record"
                                : "other bytes stand between directory and end record");
    else if (!zip.locator && all_nul(rest.substr(rest.size() / 2)))
      evidence.add("unfinished write", "the directory breaks off, and NULs follow");
    else if (!zip.locator && rest.starts_with("PK"))
      evidence.add("unfinished write", "the directory breaks off, and other records follow");
    else if (!zip.locator)
      evidence.add("flipped bits", "the directory breaks off");
  }
  if (zip.zip64) return;  // then its counts are the ones that count
  const std::size_t size = zip.directory_end - zip.directory_at;
  const bool whole = zip.directory_end == behind;
  if (end.here != end.total || (whole && (end.total != zip.entries || end.size != size)))
    evidence.add(
        "C3", fmt::format("{} entries counted, {} there; {} bytes of directory counted, {} there",
                          end.total, zip.entries, end.size, size));
}

}  // namespace storefuzz
