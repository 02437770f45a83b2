// Where entries are, and what stands between them: prefix, C1, nested archive.
#include <algorithm>
#include <bit>
#include <optional>

#include "harness/zip/evidence.h"

namespace storefuzz {
namespace {

constexpr std::size_t kMostCompared = 1024;  // places that one offset is compared with

std::size_t descriptor_size(const ZipStructure& zip, const LocalHeader& local, std::size_t at) {
  if ((local.flags & 8) == 0) return 0;
  const std::string_view rest = zip.bytes.substr(std::min(at, zip.bytes.size()));
  const std::size_t signature = rest.starts_with(kDescriptor) ? 4 : 0;
  for (const std::size_t size : {std::size_t{12}, std::size_t{20}}) {
    const std::string_view next = rest.substr(std::min(signature + size, rest.size()));
    if (next.starts_with(kLocal) || next.starts_with(kCentral) || next.starts_with(kZip64End))
      return signature + size;
  }
  return signature + 12;
}

// The directory's, unless only the local header's fits: where sizes differ, one of them is wrong.
std::uint64_t size_behind_which_a_record_begins(const ZipStructure& zip,
                                                const CentralHeader& central,
                                                const LocalHeader& local) {
  const std::uint64_t packed = sizes_of(central).packed;
  for (const std::uint64_t size :
       {packed, sizes_of(local).packed, std::uint64_t{central.packed}, std::uint64_t{local.packed}})
    if (size < zip.bytes.size() - local.data &&
        (zip.bytes.substr(local.data + size).starts_with("PK") ||
         (size == packed && (local.flags & 8) != 0)))
      return size;
  return packed;
}

}  // namespace

// By place; what an entry takes is what the directory says, as most readers believe it.
Extents extents(const ZipStructure& zip) {
  std::vector<Extent> list;
  for (std::size_t i = 0; i < zip.directory.size(); ++i) {
    if (!zip.locals[i]) continue;
    const LocalHeader& local = *zip.locals[i];
    const std::uint64_t packed = size_behind_which_a_record_begins(zip, zip.directory[i], local);
    const std::size_t end =
        local.data + std::min<std::uint64_t>(packed, zip.bytes.size() - local.data);
    const Sizes central = sizes_of(zip.directory[i]), said = sizes_of(local);
    list.push_back({local.at, local.data, end, end + descriptor_size(zip, local, end), i,
                    central.odd || said.odd || central.extras > 1 || said.extras > 1});
  }
  std::ranges::sort(list, {}, [](const Extent& it) { return std::pair(it.from, it.to); });
  return list;
}

bool inside_data(const ZipStructure& zip, const Extents& list, std::size_t at) {
  if (!zip.keeps_all() && at < zip.directory_at) return true;
  return std::ranges::any_of(list,
                             [&](const Extent& it) { return it.data <= at && at < it.data_end; });
}

void before_the_entries(Evidence& evidence, const Extents& list) {
  const ZipStructure& zip = evidence.zip;
  const std::size_t first =
      list.empty() ? zip.directory_at : std::min(list.front().from, zip.directory_at);
  if (first == 0 || (zip.directory.empty() && zip.end->total != 0)) return;
  if (list.empty() && !zip.directory.empty()) return;
  const std::string_view head = zip.bytes.substr(0, first);
  const auto whole = [&] {
    return std::ranges::any_of(zip.ends, [&](const EndRecord& it) { return it.at < first; });
  };
  if (head.starts_with(kLocal) && !whole())
    return evidence.add("C1", "entries stand before those of the directory");
  if (list.empty()) return;
  if (all_nul(head) && list.size() < zip.directory.size())
    return evidence.add("unfinished write", "the head of the file is empty");
  evidence.add("prefix", fmt::format("{} bytes stand before the first entry", first));
}

void gaps(Evidence& evidence, const Extents& list) {
  const ZipStructure& zip = evidence.zip;
  const auto hides = [&](std::size_t from, std::size_t to, std::string_view where) {
    if (to <= from) return;
    const std::string_view gap = zip.bytes.substr(from, to - from);
    if (gap.find(kLocal) != gap.npos)
      evidence.add("C1", fmt::format("a local header that the directory has not stands {}", where));
    else
      evidence.add("C1", fmt::format("{} bytes belong to nothing {}", gap.size(), where));
  };
  for (std::size_t i = 0; i < list.size(); ++i) {
    const bool last = i + 1 == list.size();
    const std::size_t next = last ? zip.directory_at : list[i + 1].from;
    if (last && list[i].from > zip.directory_at) {
      evidence.add("C1", "the directory stands before entries");
      continue;
    }
    if (!last && list[i + 1].from == list[i].from) {
      if (zip.directory[list[i].entry].name != zip.directory[list[i + 1].entry].name)
        evidence.add("C1", "two names have one local header");
      continue;
    }
    if (list[i].to > next) {
      if (list[i].data_end > next + 24)
        evidence.add("C1", "an entry stands inside the data of another");
      continue;
    }
    if (list[i].doubtful) continue;
    hides(list[i].to, next, last ? "before the directory" : "between entries");
  }
}

void hidden_headers(Evidence& evidence, const Extents& list) {
  const ZipStructure& zip = evidence.zip;
  for (std::size_t i = 0; i < zip.directory.size(); ++i) {
    const CentralHeader& central = zip.directory[i];
    if (!zip.locals[i]) {
      const std::uint64_t offset = sizes_of(central).offset;
      const bool zip64 = central.offset == kInZip64;
      const bool as_many = zip.scanned.size() == zip.directory.size();
      bool one_bit = false;
      for (std::size_t k = 0; as_many && k < std::min(zip.scanned.size(), kMostCompared); ++k)
        one_bit = one_bit || std::popcount((offset + zip.shift) ^ zip.scanned[k].at) <= 3;
      const std::string_view there =
          zip.bytes.substr(std::min<std::size_t>(offset + zip.shift, zip.bytes.size()));
      if (evidence.has("C4")) continue;
      if (all_nul(there.substr(0, 4)) && there.size() > 4)
        evidence.add("unfinished write", "NULs stand where an entry should");
      else if (broken_signature(there) || one_bit)
        evidence.add("flipped bits", "an entry's local header is one bit away");
      else
        evidence.add(zip64 ? "C5" : "C1", "an entry of the directory has no local header");
    }
    if (zip.locals[i] && central.offset == kInZip64 && zip.locals[i]->name != central.name)
      evidence.add("C5", "the zip64 offset of an entry is that of another");
    if (central.comment.find(kLocal) != central.comment.npos)
      evidence.add("C1", "a local header stands in a comment");
    if (central.comment.size() >= 1024) evidence.add("long comment", "of an entry");
  }
  std::size_t left = 2 * zip.bytes.size();  // more only where values overlap
  for (const Extent& extent : list) {
    const std::string_view data = zip.bytes.substr(extent.data, extent.data_end - extent.data);
    if (data.size() > left) break;
    left -= data.size();
    if (data.find(kLocal) == data.npos && data.find(kEnd) == data.npos) continue;
    const bool whole = data.find(kEnd) != data.npos;
    evidence.add(whole ? "nested archive" : "C1",
                 whole ? "a value holds an archive" : "a local header stands in a value");
  }
}

}  // namespace storefuzz
