// A zip archive as a typed value: its parts in the order of the file, each field as it stands, free
// to disagree with every other. Rendered by our own writer, which corrects nothing.
//
// Section numbers are those of PKWARE's APPNOTE.TXT 6.3.10. What a layout says need not be true:
// lengths stand beside the strings they speak of, sizes beside the data. Only `repair` makes facts
// agree, and only those that a part does not mean to get wrong.
//
//     ZipLayout zip = parse_layout(bytes);          // render(zip) == bytes, whatever the bytes are
//     std::get<LocalPart>(zip.parts[0]).method = 12;
//     repair(zip);
//     std::string wrong = render(zip);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace storefuzz {

inline constexpr std::size_t kMostParts = 1 << 18;  // parsed; what follows is one gap

// Local file header (4.3.7) and the data behind it (4.3.8), packed as it lies.
struct LocalPart {
  std::uint32_t label = 0;  // what a CentralPart calls this part; not in the file
  std::uint16_t version = 20, flags = 0, method = 0, time = 0, date = 0x21;
  std::uint32_t crc = 0, packed = 0, size = 0;
  std::uint16_t name_length = 0, extra_length = 0;
  std::string name, extra, data;
  bool operator==(const LocalPart&) const = default;
};

// Data descriptor (4.3.9).
struct DescriptorPart {
  bool with_signature = true;  // 4.3.9.3
  bool wide = false;           // 8-byte sizes (4.3.9.2)
  std::uint32_t crc = 0;
  std::uint64_t packed = 0, size = 0;
  bool operator==(const DescriptorPart&) const = default;
};

// Central directory header (4.3.12).
struct CentralPart {
  std::optional<std::uint32_t> local;  // label of the part this one points to; repair keeps that so
  std::uint16_t made_by = 0, version = 20, flags = 0, method = 0, time = 0, date = 0x21;
  std::uint32_t crc = 0, packed = 0, size = 0;
  std::uint16_t name_length = 0, extra_length = 0, comment_length = 0, disk = 0, internal = 0;
  std::uint32_t attributes = 0, offset = 0;
  std::string name, extra, comment;
  bool operator==(const CentralPart&) const = default;
};

// Which facts about the directory before it an end record has right; repair keeps those right and
// leaves the others alone.
struct Right {
  bool here = true, total = true, size = true, offset = true;
  bool operator==(const Right&) const = default;
};

// Zip64 end of central directory record (4.3.14).
struct Zip64EndPart {
  Right right;
  std::uint64_t stated_size = 44;  // of the record, less 12 (4.3.14.1)
  std::uint16_t made_by = 45, version = 45;
  std::uint32_t disk = 0, directory_disk = 0;
  std::uint64_t here = 0, total = 0, size = 0, offset = 0;
  std::string extensible;  // data sector (4.3.14.2)
  bool operator==(const Zip64EndPart&) const = default;
};

// Zip64 end of central directory locator (4.3.15).
struct Zip64LocatorPart {
  bool right = true;  // the locator points to the record before it
  std::uint32_t disk = 0;
  std::uint64_t offset = 0;
  std::uint32_t disks = 1;
  bool operator==(const Zip64LocatorPart&) const = default;
};

// End of central directory record (4.3.16).
struct EndPart {
  Right right;
  std::uint16_t disk = 0, directory_disk = 0, here = 0, total = 0;
  std::uint32_t size = 0, offset = 0;
  std::uint16_t comment_length = 0;
  std::string comment;
  bool operator==(const EndPart&) const = default;
};

// Bytes that are no record: put before, between or behind them.
struct GapPart {
  std::string bytes;
  bool operator==(const GapPart&) const = default;
};

using ZipPart = std::variant<LocalPart, DescriptorPart, CentralPart, Zip64EndPart, Zip64LocatorPart,
                             EndPart, GapPart>;

struct ZipLayout {
  std::vector<ZipPart> parts;
  std::uint64_t shift = 0;  // added to every offset: bytes that were put before the archive (4.1.9)
  bool operator==(const ZipLayout&) const = default;
};

// The bytes of a layout; field after field, nothing computed.
std::string render(const ZipLayout& zip);
std::string render(const ZipPart& part);
std::size_t rendered_size(const ZipPart& part);

// Any bytes parse, and render back to themselves. Records are told by their signatures, from the
// front; what lies inside data, names and comments is not looked into. Takes time in proportion to
// the bytes: some 2 µs for four entries.
ZipLayout parse_layout(std::string_view bytes);

// Recomputes what depends on where parts lie: offsets of linked central headers, also in their
// zip64 extra fields (4.5.3); counts, size and offset in end records, of the run of central headers
// last before them; the offset in locators. Idempotent, and the identity after parse_layout.
void repair(ZipLayout& zip);

}  // namespace storefuzz
