// The gallery: one small archive for every way to be wrong, and what each reader says of it.
//
//   DIR/<class>-<twist>-<n>.zip   a Zarr store that is wrong in one named way
//   DIR/manifest.json             class, section, twist, and what each reader said, of every
//   archive DIR/index.html                class × reader: value, refusal, silence
//
//     Result<std::size_t> made = make_gallery("gallery", quirks, {.readers = {"zarr", "libzip"}});
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/archives/examination.h"
#include "harness/base/error.h"
#include "harness/zip/archive.h"
#include "harness/zip/twists.h"

namespace storefuzz {

// An archive of the gallery, and what its maker knows about it.
struct Exhibit {
  std::string name;  // of the file
  Twist twist;       // name empty: nothing is wrong
  std::string bytes;
  std::map<std::string, ValueSum> made;  // where no twist puts a second value in a value's place
};

// A group with an array of Zarr v3, one of Zarr v2 and one with shards, in a sound archive.
std::string gallery_store(Compression compression = Compression::kDeflated);

// The sound archive, and one to three for every kind of twist; those that make large files are left
// out. Each has its class among those that classify() sees. Always the same.
std::vector<Exhibit> exhibits();

// Makes the folder, or takes an empty one or an older gallery. bad_input: it is neither. The number
// of archives.
Result<std::size_t> make_gallery(const std::filesystem::path& folder, const ReaderQuirks& quirks,
                                 ExamineOptions options,
                                 const std::function<void(const Examination&)>& each);

}  // namespace storefuzz
