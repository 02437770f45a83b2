// The structure of a zip file, read from any bytes: its records, where they lie, and what each of
// them says. Nothing is believed, nothing is corrected, nothing refused; classes.h judges.
//
// Section numbers are those of PKWARE's APPNOTE.TXT 6.3.10.
//
//     const ZipStructure zip = read_structure(bytes);
//     for (const CentralHeader& entry : zip.directory) use(entry.name);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace storefuzz {

// A header takes some 250 bytes of memory here, and a file may have millions: so many are kept.
inline constexpr std::size_t kMostEntriesRead = 1 << 17;  // more than 16-bit counts can say

// Local file header (4.3.7). All offsets are bytes from the beginning of the file.
struct LocalHeader {
  std::size_t at = 0, data = 0;  // its own place, and that of the data behind it
  std::uint16_t version = 0, flags = 0, method = 0;
  std::uint32_t crc = 0, packed = 0, size = 0;  // as they stand; zip64 is not looked through
  std::string_view name, extra;
};

// Central directory header (4.3.12).
struct CentralHeader {
  std::size_t at = 0, end = 0;
  std::uint16_t made_by = 0, version = 0, flags = 0, method = 0, disk = 0;
  std::uint32_t crc = 0, packed = 0, size = 0, attributes = 0, offset = 0;
  std::string_view name, extra, comment;
};

// Zip64 end of central directory record (4.3.14) and its locator (4.3.15).
struct Zip64End {
  std::size_t at = 0, end = 0;
  std::uint64_t stated_size = 0;
  std::uint32_t disk = 0, directory_disk = 0;
  std::uint64_t here = 0, total = 0, size = 0, offset = 0;
};
struct Zip64Locator {
  std::size_t at = 0;
  std::uint32_t disk = 0, disks = 0;
  std::uint64_t offset = 0;
};

// End of central directory record (4.3.16).
struct EndRecord {
  std::size_t at = 0, end = 0;  // `end` as its comment length says; it may lie outside the file
  std::uint16_t disk = 0, directory_disk = 0, here = 0, total = 0, comment_length = 0;
  std::uint32_t size = 0, offset = 0;
};

// Sizes of an entry with its zip64 extra field (4.5.3) looked through.
struct Sizes {
  std::uint64_t packed = 0, size = 0, offset = 0;
  int extras = 0;     // how many zip64 extra fields there are
  bool odd = false;   // one is too short, asked for and absent, or there and not asked for
  bool wide = false;  // a data descriptor has 8-byte sizes
};
Sizes sizes_of(const LocalHeader& header);
Sizes sizes_of(const CentralHeader& header);

struct ExtraField {
  std::uint16_t id = 0;
  std::string_view bytes;
};
// The extra fields (4.5), as far as they can be told apart; `whole` says whether that is to the
// end.
std::vector<ExtraField> extra_fields(std::string_view extra, bool* whole = nullptr);

struct ZipStructure {
  std::string_view bytes;
  std::vector<EndRecord> ends;           // every signature with room for a record
  std::optional<EndRecord> end;          // that most readers take: the last that reaches the end
  std::optional<Zip64Locator> locator;   // right before `end`
  std::optional<Zip64End> zip64;         // where the locator points, or right before it
  std::size_t shift = 0;                 // what must be added to offsets to find things
  std::vector<CentralHeader> directory;  // from where the end record says; kMostEntriesRead at most
  std::size_t directory_at = 0, directory_end = 0;  // to the end, also where not all are kept
  std::size_t entries = 0;                          // in the directory, kept or not
  std::vector<std::optional<LocalHeader>> locals;  // one for each entry of the directory
  std::vector<LocalHeader> scanned;                // what a scan from the front meets
  std::size_t scanned_end = 0;                     // where that scan stops

  bool keeps_all() const { return directory.size() == entries; }
};

std::optional<LocalHeader> local_at(std::string_view bytes, std::uint64_t at);
std::optional<CentralHeader> central_at(std::string_view bytes, std::uint64_t at);

// Never fails; costs a few microseconds for a small file. The result refers to `bytes`.
ZipStructure read_structure(std::string_view bytes);

}  // namespace storefuzz
