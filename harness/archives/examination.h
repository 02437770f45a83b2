// The examination of zip files: each is put in its class, shown to the panel, and judged; one line
// of JSON a file. Used by `storefuzz replay --archive` and `storefuzz gallery`.
//
// Files come from strangers: only their bytes are read, by readers that may write nowhere; nothing
// in them is unpickled.
//
//     Result<Examined> all = examine(files, {.readers = {"zarr", "libzip"}, .scratch = folder},
//                                    [](const Examination& it) { print(to_json(it)); });
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/findings/reader_quirks.h"
#include "harness/readers/comparison.h"
#include "harness/zip/classes.h"

namespace storefuzz {

inline constexpr std::size_t kLargestArchive = 256 << 20;  // bytes of a file that is looked at
inline constexpr std::size_t kMostKeys = 64;               // asked of one file
inline constexpr std::size_t kMostArrays = 8;

// Something wrong with zarr itself, whatever other readers do.
struct Fault {
  std::string oracle;  // "parent and child", "file changed", "fitting refusals", "bounds"
  std::string says;    // one sentence
};

struct Examination {
  std::filesystem::path file;
  std::string refused;  // why it was not looked at: too large, unreadable; else empty
  Classified kind;
  std::vector<ReaderInfo> readers;
  std::vector<ReaderReply> replies;
  std::vector<Difference> differences;
  std::vector<const ReaderQuirk*> quirks;  // one for each difference; null: news
  std::vector<Fault> faults;
  bool news() const;
};

struct ExamineOptions {
  std::vector<std::string> readers = {"zarr", "libzip", "libarchive"};
  std::string zarr_python;        // whose zarr the reader "zarr" is; empty: the newest release's
  std::filesystem::path scratch;  // the only place where readers may write
  std::string planted;  // "READER:FAULT": a fault planted in one reader, see planted_faults()
  // What the maker of a file put there, where it is known.
  std::map<std::filesystem::path, std::map<std::string, ValueSum>> made;
  std::function<bool()> stop;  // asked before each file
};

// Those who read. bad_input: an unknown reader, a fault that cannot be planted. machine_failure: a
// reader does not start.
Result<Panel> panel_of(const ExamineOptions& options);

// In the order of the files; errors are those of panel_of(), which makes the panel where none is
// given.
Result<void> examine(const std::vector<std::filesystem::path>& files, const ReaderQuirks& quirks,
                     const ExamineOptions& options,
                     const std::function<void(const Examination&)>& each);
Result<void> examine(const std::vector<std::filesystem::path>& files, const ReaderQuirks& quirks,
                     const ExamineOptions& options, Panel panel,
                     const std::function<void(const Examination&)>& each);

// Files as they are named; of a folder all below it that end in ".zip", sorted; links in it are not
// followed. bad_input: not there, or a folder without any.
Result<std::vector<std::filesystem::path>> archives_below(const std::vector<std::string>& named);

Json to_json(const Examination& it);

// "invented data", …: what can be planted in a reader, to see that it comes out.
const std::vector<std::string_view>& planted_faults();

}  // namespace storefuzz
