// What the values of a zip file are: right or not by size and CRC, damaged by bits, too large.
#include <algorithm>
#include <bit>

#include "harness/zip/deflate.h"
#include "harness/zip/evidence.h"
#include "harness/zip/values.h"

namespace storefuzz {
namespace {

constexpr std::size_t kMostInAll = 32 << 20;  // bytes decompressed of one file
constexpr std::size_t kBombSize = 1 << 20;    // bytes; smaller values are no danger
constexpr std::size_t kBombRatio = 500;

// True where one bit of a value of this size changes its CRC by `syndrome`. A CRC is linear: the
// change does not depend on the value, only on the place, counted from the end.
bool from_one_bit(std::uint32_t syndrome, std::size_t size) {
  constexpr std::uint32_t kPolynomial = 0xedb88320;
  const std::size_t bits = std::min<std::size_t>(size, 1 << 16) * 8;
  // The last bit of the last byte, seen through the register.
  std::uint32_t state = kPolynomial;
  for (std::size_t i = 0; i < bits; ++i) {
    if (state == syndrome) return true;
    state = (state & 1) != 0 ? state >> 1 ^ kPolynomial : state >> 1;
  }
  return false;
}

bool text_by_name(std::string_view name) {
  return name.ends_with(".json") || name.ends_with(".zgroup") || name.ends_with(".zarray") ||
         name.ends_with(".zattrs") || name.ends_with(".zmetadata");
}

bool damaged_text(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x7f || (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t');
  });
}

// CRCs that a writer gets wrong rather than a disk.
bool made_up(std::uint32_t crc, std::uint32_t right, std::string_view packed) {
  return crc == 0 || crc == 0xffffffff || crc == ~right || crc == std::byteswap(right) ||
         std::has_single_bit(crc ^ right) || crc == sum_of(packed).crc;
}

void judge_value(Evidence& evidence, const CentralHeader& entry, std::string_view packed,
                 std::string_view value) {
  const std::uint32_t right = sum_of(value).crc;
  if (right == entry.crc) return;
  if (made_up(entry.crc, right, packed))
    return evidence.add("wrong crc", "a value does not have its CRC");
  if (from_one_bit(right ^ entry.crc, value.size()) ||
      (text_by_name(entry.name) && damaged_text(value)))
    return evidence.add("flipped bits", "a value is a bit away from its CRC");
  evidence.add("wrong crc", "a value does not have its CRC");
}

void look_into(Evidence& evidence, const CentralHeader& entry, const LocalHeader& local,
               std::size_t& budget, std::size_t& stored) {
  const Sizes sizes = sizes_of(entry);
  const std::string_view bytes = evidence.zip.bytes;
  if (sizes.packed > bytes.size() - local.data) return;
  const std::string_view packed = bytes.substr(local.data, sizes.packed);
  if (entry.method == 0) {
    if (sizes.packed != sizes.size) evidence.add("A2", "a stored value has two sizes");
    if (packed.size() > stored) {
      ++evidence.unchecked;
      return;
    }
    stored -= packed.size();
    return judge_value(evidence, entry, packed, packed);
  }
  if (entry.method != 8) return;
  if (budget == 0) {
    ++evidence.unchecked;
    return;
  }
  const Decompressed value = decompressed(packed, budget);
  budget -= std::min(budget, std::max(value.bytes.size(), value.taken));
  if (value.bytes.size() > kBombSize && value.bytes.size() / kBombRatio > packed.size())
    evidence.add("bomb", fmt::format("{} bytes become {}", packed.size(), value.bytes.size()));
  if (value.broken || (!value.whole && budget > 0))
    return evidence.add("flipped bits", "a deflated value cannot be decompressed");
  if (!value.whole) {
    ++evidence.unchecked;
    return;
  }
  if (value.taken != packed.size()) {
    const std::string_view rest = packed.substr(value.taken);
    const bool hides = rest.find(kLocal) != rest.npos && sizes.packed == sizes_of(local).packed;
    evidence.add(hides ? "C1" : "A2", "a deflated value ends before its size says");
  }
  if (value.bytes.size() != sizes.size) {
    // Both headers agree; if the CRC does not fit either, it is the value that was damaged.
    const bool damaged = sum_of(value.bytes).crc != entry.crc;
    return evidence.add(damaged ? "flipped bits" : "A2",
                        "a value has another size when decompressed");
  }
  if (value.bytes.find(kEnd) != value.bytes.npos && value.bytes.starts_with("PK"))
    evidence.add("nested archive", "a value is an archive");
  judge_value(evidence, entry, packed, value.bytes);
}

}  // namespace

void meet_data(Evidence& evidence) {
  const ZipStructure& zip = evidence.zip;
  std::size_t budget = kMostInAll;
  std::size_t stored = 2 * zip.bytes.size();  // more only where values overlap
  for (std::size_t i = 0; i < zip.directory.size(); ++i) {
    if (!zip.locals[i]) continue;
    // Where two headers differ about the method, both cannot be right; and what is encrypted is not
    // what its CRC is of.
    if (zip.directory[i].method != zip.locals[i]->method || (zip.directory[i].flags & 1) != 0)
      continue;
    look_into(evidence, zip.directory[i], *zip.locals[i], budget, stored);
  }
  if (evidence.unchecked > 0)
    evidence.unread.push_back(
        fmt::format("{} of {} values not checked against their CRC; of deflated ones the first {} "
                    "MiB are",
                    evidence.unchecked, zip.directory.size(), kMostInAll >> 20));
}

}  // namespace storefuzz
