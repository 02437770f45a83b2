// Zip archives in memory, by libzip: sound ones made from keys and values, and what libzip sees in
// any bytes.
//
// libzip is the witness that shares no code with the subject, whose ZipStore is CPython's zipfile:
// an archive made here was not made by what is tested, and a view taken here is a second opinion.
// Nothing touches the disk. The same entries give the same bytes, in every process, time zone and
// year. Not here: archives that are wrong on purpose.
//
//     std::vector<ArchiveEntry> entries = {{.key = "zarr.json", .bytes = "{}"}};
//     Result<std::string> archive = make_archive(entries, Compression::kDeflated);
//     if (archive) assert(view_archive(*archive).entries.front().first == "zarr.json");
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.h"

namespace storefuzz {

// How the values lie in the archive. In JSON: "stored", "deflated".
enum class Compression { kStored, kDeflated };

// A key of the store and its value, not compressed.
struct ArchiveEntry {
  std::string key;
  std::string bytes;
};

// The bytes of an archive that holds `entries` in this order, all dated 1980-01-01; no entries give
// the 22 bytes of an empty archive. bad_input: a key that occurs twice, is empty, holds a NUL, is
// longer than 65,535 bytes or is not UTF-8. Deflated values lie with the smallest window there is.
Result<std::string> make_archive(std::span<const ArchiveEntry> entries, Compression compression);

// What libzip sees in some bytes, without its stricter consistency checks: what an ordinary program
// on libzip would be given.
struct ArchiveView {
  // libzip opened the archive and read every entry to its end: sizes and CRCs are right.
  bool sound = false;

  // Why the archive is not sound: one sentence, in UTF-8, about the first trouble met. Empty when
  // sound.
  std::string why;

  // Name → bytes, in the order of the directory, of every entry that could be read whole; also when
  // another could not. Names are not decoded, and end at their first NUL, as libzip shows them.
  std::vector<std::pair<std::string, std::string>> entries;
};

// Looks at `bytes` and decompresses at most `limit_bytes` in all; an archive that holds more, or
// lists more than `limit_entries`, is not sound and is read no further. Never throws, never aborts:
// any bytes have a view.
ArchiveView view_archive(std::string_view bytes, std::size_t limit_bytes = 16 << 20,
                         std::size_t limit_entries = 65536);

}  // namespace storefuzz
