// How a zip file ends: truncated, no directory, unfinished write, C2, trailing bytes, long comment.
#include <algorithm>
#include <bit>
#include <optional>

#include "harness/zip/evidence.h"

namespace storefuzz {
bool broken_signature(std::string_view rest) {
  for (const std::string_view signature : {kCentral, kEnd, kLocal})
    if (rest.size() >= 4 && one_bit_apart(rest.substr(0, 4), signature)) return true;
  return false;
}

void meet_no_end(Evidence& evidence) {
  const ZipStructure& zip = evidence.zip;
  if (zip.bytes.size() < 4) return evidence.add("truncated", "hardly a byte is left");
  std::size_t at = zip.scanned_end;
  bool directory = false;
  while (const auto header = central_at(zip.bytes, at)) {
    at = header->end;
    directory = true;
  }
  const std::string_view rest = zip.bytes.substr(std::min(at, zip.bytes.size()));
  if (directory) {
    if (rest.empty()) {
      evidence.add("no directory", "the directory has no end record");
      return evidence.add("truncated", "the file ends with the directory");
    }
    if (rest.size() >= 22 && broken_signature(rest)) {
      evidence.add("no directory", "no end record stands behind the directory");
      return evidence.add("flipped bits", "one bit of a signature is another");
    }
    if (rest.size() >= 22 && !rest.starts_with(kCentral)) {
      const bool tail = all_nul(rest.substr(rest.size() / 2));
      return evidence.add(tail ? "unfinished write" : "no directory",
                          "other bytes stand where the end record should");
    }
    return evidence.add("truncated", "the file ends within its directory or end record");
  }
  if (zip.scanned.empty()) {
    if (all_nul(zip.bytes.substr(0, 4)) && zip.bytes.find(kLocal) != zip.bytes.npos)
      return evidence.add("unfinished write", "the head of the file was not written");
    if (zip.bytes.starts_with("PK\3") || zip.bytes.starts_with(kLocal))
      return evidence.add("truncated", "the file ends within its first header");
    return evidence.add("no directory", "nothing in the file is a zip record that can be read");
  }
  const LocalHeader& last = zip.scanned.back();
  const Sizes sizes = sizes_of(last);
  if (rest.empty()) {
    if ((last.flags & 8) != 0 && sizes.packed == 0 &&
        zip.bytes.find(kDescriptor, last.data) == zip.bytes.npos)
      return evidence.add("unfinished write", "the last data descriptor is missing");
    evidence.add("no directory", "the file ends after an entry");
    return evidence.add("truncated", "the file ends after an entry");
  }
  if (broken_signature(rest)) {
    evidence.add("no directory", "a signature of the directory is broken");
    return evidence.add("flipped bits", "one bit of a signature is another");
  }
  if (last.data + sizes.packed > zip.bytes.size()) {
    if (all_nul(zip.bytes.substr(zip.bytes.size() - std::min<std::size_t>(32, zip.bytes.size()))))
      return evidence.add("unfinished write", "the tail of the file is empty");
    return evidence.add("truncated", "the file ends within an entry");
  }
  const std::string_view head = rest.substr(0, 4);  // of the next record, as far as it is there
  const bool record = kLocal.starts_with(head) || kCentral.starts_with(head);
  if ((last.flags & 8) == 0 && sizes.packed == 0 && sizes.size == 0 && last.crc == 0 &&
      at == last.data && !record && !all_nul(rest))
    return evidence.add("unfinished write", "the sizes of the last header were not filled in");
  if (rest.size() < 46 &&
      rest.starts_with(kCentral.substr(0, std::min<std::size_t>(4, rest.size()))))
    return evidence.add("truncated", "the file ends within its directory");
  if (rest.size() < 4 + 30 && kLocal.starts_with(rest.substr(0, 4)))
    return evidence.add("truncated", "the file ends within a header");
  if (rest.starts_with(kLocal) || rest.starts_with(kCentral))
    return evidence.add("truncated", "the file ends within a header");
  evidence.add("no directory", all_nul(rest) ? "NULs stand where the directory should"
                                             : "other bytes stand where the directory should");
  if (all_nul(rest)) evidence.add("unfinished write", "the tail of the file is empty");
}

void several_ends(Evidence& evidence, const Extents& list) {
  const ZipStructure& zip = evidence.zip;
  const std::size_t first_entry = list.empty() ? 0 : list.front().from;
  std::size_t others = 0;
  for (const EndRecord& record : zip.ends) {
    if (record.at == zip.end->at || inside_data(zip, list, record.at)) continue;
    // Of an archive that stands before this one: only if its comment was meant to cover this one.
    const auto miss =
        static_cast<std::int64_t>(record.end) - static_cast<std::int64_t>(zip.bytes.size());
    if (record.at < first_entry && (record.comment_length == 0 || std::abs(miss) > 8)) continue;
    const bool in_entries =
        !list.empty() && record.at > first_entry && record.at < list.back().from;
    if (in_entries)
      evidence.add("C1", "an end record stands among the entries");
    else
      ++others;
  }
  // One that is too short for a record fools those who look for no more than its signature.
  const std::string_view comment = zip.bytes.substr(zip.end->at + 22);
  if (others == 0 && zip.end->end >= zip.bytes.size() && comment.find(kEnd) != comment.npos)
    evidence.add("C2", "the signature of an end record stands in the comment");
  if (others > 0) evidence.add("C2", fmt::format("end records: {}", others + 1));
}

void around_the_end(Evidence& evidence) {
  const ZipStructure& zip = evidence.zip;
  const EndRecord& end = *zip.end;
  if (end.end > zip.bytes.size())
    evidence.add(end.at + 22 == zip.bytes.size() && std::has_single_bit(end.comment_length)
                     ? "flipped bits"
                     : "truncated",
                 "the comment goes on after the end of the file");
  if (end.end < zip.bytes.size())
    evidence.add("trailing bytes",
                 fmt::format("{} bytes stand after the end record", zip.bytes.size() - end.end));
  if (end.comment_length >= 1024) evidence.add("long comment", "of the archive");
  const std::string_view comment = zip.bytes.substr(end.at + 22);
  if (comment.find(kLocal) != comment.npos && !evidence.has("C2"))
    evidence.add("C1", "a local header stands behind the end record");
}

}  // namespace storefuzz
