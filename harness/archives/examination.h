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

// What reading so many bytes and entries may take beyond the panel's deadline. A reader goes
// through the whole directory before its first answer, and CPython's zipfile takes some 5 µs an
// entry: three times as much, for a busy machine, and a second for every 10 MB.
Milliseconds extra_time(std::uint64_t bytes, std::size_t entries);

// Something wrong with zarr itself, whatever other readers do.
struct Fault {
  std::string oracle;  // "parent and child", "fitting refusals", "bounds"
  std::string says;    // one sentence
};

struct Examination {
  std::filesystem::path file;
  std::string refused;  // why the file was not looked at: too large, unreadable, changed; or empty
  Classified kind;
  std::vector<ReaderInfo> readers;
  std::vector<ReaderReply> replies;
  std::vector<Difference> differences;
  std::vector<const ReaderQuirk*> quirks;  // one for each difference; null: news
  std::vector<Fault> faults;
  // What was left out by a bound of ours, a sentence each: "64 of 100000 entries asked".
  std::vector<std::string> unread;

  bool news() const;
  // "news", "known differences", "in part" (no difference, but not all was read), "read alike"; or
  // "not looked at".
  std::string_view outcome() const;
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

struct ArchivesFound {
  // To be looked at. A folder that cannot be read is among them, so that it gets its line.
  std::vector<std::filesystem::path> files;
  // Skipped: links that are named like an archive or lead to a folder, and FIFOs, sockets and
  // devices that are named like one.
  std::size_t links = 0, no_files = 0;
};

// Files as they are named; of a folder all below it that end in ".zip" or ".ozx", in any case,
// sorted. Links in it are not followed: they may lead out of it, or round in a circle. bad_input:
// what is not there, a FIFO, socket or device, a folder without any archive.
Result<ArchivesFound> archives_below(const std::vector<std::string>& named);

Json to_json(const Examination& examination);

// "invented data", …: what can be planted in a reader, to see that it comes out.
const std::vector<std::string_view>& planted_faults();

}  // namespace storefuzz
