// The same fact twice, in the two headers of an entry and its descriptor: A1 to A5.
#include <algorithm>
#include <array>
#include <bit>

#include "harness/zip/evidence.h"
#include "harness/zip/values.h"

namespace storefuzz {
namespace {

constexpr std::uint16_t kEncrypted = 0x1, kLater = 0x8, kStrong = 0x40, kMasked = 0x2000;

// 4.6.9: version 1, the CRC of the name in the header, the name in UTF-8. True where such a
// field is there and does anything but repeat the name.
bool odd_unicode_path(std::string_view extra, std::string_view name) {
  if (extra.find("up") == extra.npos) return false;  // the id
  int count = 0;
  for (const ExtraField& field : extra_fields(extra)) {
    if (field.id != kUnicodePath) continue;
    if (++count > 1 || field.bytes.size() < 5 || field.bytes[0] != 1 ||
        n32(field.bytes, 1) != sum_of(name).crc || field.bytes.substr(5) != name)
      return true;
  }
  return false;
}

struct Pair {
  const CentralHeader& central;
  const LocalHeader& local;
};

void encryption(Evidence& evidence, const Pair& pair) {
  const std::uint16_t differ = pair.central.flags ^ pair.local.flags;
  if ((differ & (kEncrypted | kStrong | kMasked)) != 0)
    return evidence.add("A5", "one header says encrypted, the other does not");
  if ((pair.central.flags & kEncrypted) != 0)
    evidence.add("A5", "an entry is said to be encrypted");
}

void method(Evidence& evidence, const Pair& pair) {
  if (pair.central.method != pair.local.method)
    return evidence.add("A1", fmt::format("{} in the directory, {} in the local header",
                                          pair.central.method, pair.local.method));
  if (pair.central.method != 0 && pair.central.method != 8)
    evidence.add("unsupported method", fmt::format("number {}", pair.central.method));
}

bool trailing_slash_apart(std::string_view left, std::string_view right) {
  return left.size() + 1 == right.size() && right.starts_with(left) &&
         (right.back() == '/' || right.back() == '\\');
}

void names(Evidence& evidence, const Pair& pair) {
  const auto& [central, local] = pair;
  if (central.name != local.name) {
    evidence.add("A3", "the headers give different names");
    if (trailing_slash_apart(central.name, local.name) ||
        trailing_slash_apart(local.name, central.name))
      evidence.add("A4", "one header says folder, the other file");
  }
  if (odd_unicode_path(central.extra, central.name) || odd_unicode_path(local.extra, local.name))
    evidence.add("A3", "a Unicode path gives another name, or breaks its rules");
  if (((central.flags ^ local.flags) & 0x800) != 0)
    evidence.add("B2", "one header says UTF-8, the other does not");
}

// The descriptor behind the data (4.3.9), as one of the four forms that writers use.
struct Descriptor {
  bool signature = false, wide = false;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0, size = 0;
};

std::vector<Descriptor> readings(std::string_view rest) {
  std::vector<Descriptor> list;
  for (const bool signature : {true, false}) {
    if (signature && !rest.starts_with(kDescriptor)) continue;
    const std::size_t at = signature ? 4 : 0;
    if (rest.size() >= at + 12)
      list.push_back({signature, false, n32(rest, at), n32(rest, at + 4), n32(rest, at + 8)});
    if (rest.size() >= at + 20)
      list.push_back({signature, true, n32(rest, at), n64(rest, at + 4), n64(rest, at + 12)});
  }
  return list;
}

void descriptor(Evidence& evidence, const Pair& pair, const Sizes& central, const Sizes& local) {
  const std::size_t end =
      pair.local.data +
      std::min<std::uint64_t>(central.packed, evidence.zip.bytes.size() - pair.local.data);
  const std::string_view rest = evidence.zip.bytes.substr(end);
  const std::vector<Descriptor> list = readings(rest);
  const auto fits = [&](const Descriptor& d) {
    return d.packed == central.packed && d.size == central.size;
  };
  const auto found = std::ranges::find_if(list, fits);
  if (found == list.end())
    return evidence.add("A2", rest.starts_with(kLocal) || rest.starts_with(kCentral)
                                  ? "a descriptor is announced and is not there"
                                  : "a descriptor gives other sizes than the directory");
  if (found->crc != pair.central.crc)
    evidence.add("wrong crc", "a descriptor has another CRC than the directory");
  const bool zip64 = local.extras > 0 || central.extras > 0;
  if (found->wide != zip64) {
    // Both widths may fit where bytes behind happen to be zero.
    const bool also =
        std::ranges::any_of(list, [&](const Descriptor& d) { return fits(d) && d.wide == zip64; });
    if (!also) evidence.add("A2", "the width of a descriptor is not that of its headers");
  }
}

bool one_high_bit(std::uint64_t left, std::uint64_t right) {
  const std::uint64_t differ = left ^ right;
  return left != 0 && right != 0 && std::has_single_bit(differ) && differ >= 8;
}

void sizes(Evidence& evidence, const Pair& pair) {
  const Sizes central = sizes_of(pair.central), local = sizes_of(pair.local);
  const bool zip64_offset = pair.central.offset == 0xffffffff;
  if (central.odd)
    evidence.add(
        zip64_offset && central.extras == 0 ? "C5" : "A2",
        "a zip64 field of the directory is too short, too long, missing, or not asked for");
  if (local.odd)
    evidence.add(
        "A2", "a zip64 field of a local header is too short, too long, missing, or not asked for");
  const bool described = (pair.local.flags & kLater) != 0;
  if (((pair.local.flags ^ pair.central.flags) & kLater) != 0)
    evidence.add("A2", "only one header announces a descriptor");
  const bool left_open = described && local.packed == 0;
  if (!left_open && (central.packed != local.packed || central.size != local.size)) {
    const bool flipped =
        (central.packed == local.packed || one_high_bit(central.packed, local.packed)) &&
        (central.size == local.size || one_high_bit(central.size, local.size)) &&
        (central.packed == local.packed || central.size == local.size);
    evidence.add("A2", fmt::format("{} of {} bytes in the directory, {} of {} in the local header",
                                   central.packed, central.size, local.packed, local.size));
    if (flipped) evidence.add("flipped bits", "sizes are one bit apart");
  }
  if (described) descriptor(evidence, pair, central, local);
  const bool crc_open = described && pair.local.crc == 0;
  if (!crc_open && pair.central.crc != pair.local.crc)
    evidence.add("wrong crc", "the headers give different CRCs");
}

// 4.4.2 and 4.4.15: what the host system calls a folder.
bool says_folder(const CentralHeader& central) {
  const int host = central.made_by >> 8;
  const std::uint32_t mode = central.attributes >> 16 & 0xf000;
  const bool unix_like = mode != 0 && (host == 3 || host == 19 || mode == 0x4000);
  return (central.attributes & 0x10) != 0 || (unix_like && mode == 0x4000);
}

void file_or_folder(Evidence& evidence, const CentralHeader& central) {
  const std::uint32_t mode = central.attributes >> 16 & 0xf000;
  const bool slash = central.name.ends_with('/');
  const std::uint64_t size = sizes_of(central).size;
  if (central.name.size() > 1 && central.name.ends_with('\\'))
    evidence.add("A4", "a name ends in a backslash");
  else if (slash && size != 0)
    evidence.add("A4", "a folder has content");
  else if (slash && central.name.size() > 1 && mode != 0 && mode != 0x4000)
    evidence.add("A4", "a folder by name is a file by its attributes");
  else if (!slash && says_folder(central))
    evidence.add("A4", "a file by name is a folder by its attributes");
  else if (!slash && mode != 0 && mode != 0x8000 &&
           (central.made_by >> 8 == 3 || central.made_by >> 8 == 19))
    evidence.add("A4", "a value is a link or a device by its attributes");
}

void file_beside_folder(Evidence& evidence) {
  std::vector<std::string_view> names;
  for (const CentralHeader& it : evidence.zip.directory) names.push_back(it.name);
  std::ranges::sort(names);
  for (const std::string_view name : names) {
    if (name.size() < 2 || !name.ends_with('/')) continue;
    if (std::ranges::binary_search(names, name.substr(0, name.size() - 1)))
      evidence.add("A4", "a file and a folder have one name");
  }
  // x beside x/y
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    const std::string folder = std::string(names[i]) + "/";
    const auto below = std::ranges::lower_bound(names, std::string_view(folder));
    if (!names[i].empty() && !names[i].ends_with('/') && below != names.end() &&
        below->starts_with(folder) && below->size() > folder.size() &&
        below->substr(folder.size()) != ".")
      evidence.add("A4", "a file has keys below it");
  }
}

// What is legal, and still more than every reader knows.
void legal_forms(Evidence& evidence, const CentralHeader& central) {
  if ((central.flags & kLater) != 0) evidence.add("data descriptor", "sizes follow the data");
  for (const ExtraField& field : extra_fields(central.extra)) {
    if (field.id == kZip64Extra) evidence.add("zip64 sizes", "sizes stand in a zip64 field");
    if (field.bytes.empty()) evidence.add("empty extra field", "an extra field holds nothing");
  }
}

}  // namespace

void meet_entries(Evidence& evidence) {
  const ZipStructure& zip = evidence.zip;
  for (std::size_t i = 0; i < zip.directory.size(); ++i) {
    legal_forms(evidence, zip.directory[i]);
    file_or_folder(evidence, zip.directory[i]);
    for (const ExtraField& field : extra_fields(zip.directory[i].extra))
      if (field.id == kZip64Extra && field.bytes.size() % 8 == 4)
        evidence.add("C5", "a zip64 field names a disk");
    if (!zip.locals[i]) continue;
    const Pair both{zip.directory[i], *zip.locals[i]};
    encryption(evidence, both);
    method(evidence, both);
    names(evidence, both);
    sizes(evidence, both);
  }
  file_beside_folder(evidence);
}

}  // namespace storefuzz
