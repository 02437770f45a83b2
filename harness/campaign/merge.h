// The few cases that reach what all of them reach: libFuzzer's merge, which can be interrupted.
//
// What a case reaches (lines of the subject, libFuzzer calls them features) is measured by
// libFuzzer's own merge step, a fuzz process that appends to a control file, and is the case's
// alone (fuzz/engine.cc). From the control files we choose as libFuzzer's -set_cover_merge does:
// again and again the case that reaches most of what is left, the smaller of two, then by hash. We
// do it ourselves since libFuzzer takes a complete control file for a merge that is over, counts a
// process that was killed against the case it played, and decides ties by the order of a folder.
//
// All of it lies in a folder beside `out`. Whoever is interrupted or killed starts the same merge
// again, and it goes on: what is measured is not measured twice.
//
//     Result<Merged> merged = merge_corpora({.out = "small", .inputs = {"a", "b"}, …});
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/campaign/corpus_folder.h"
#include "harness/play/settings.h"

namespace storefuzz {

struct MergeOptions {
  std::string target{"program"};
  std::filesystem::path out;                  // its own cases stay; made where it is not there
  std::vector<std::filesystem::path> inputs;  // folders of cases, or run directories
  Settings settings;                          // of the fuzz processes: the subject, its adapters
  std::string subject;                        // who it is: what was measured of another is not used
  int jobs = 1;                               // fuzz processes side by side
  std::size_t most = kMostCases;              // cases in `out`; the rest of what is reached is lost
  std::function<void(std::string_view)> progress;
};

struct Merged {
  std::size_t cases = 0;             // of all folders, each once
  std::size_t kept = 0;              // in `out` now
  std::size_t added = 0;             // of those, in it now for the first time
  std::size_t reached = 0;           // lines that all cases reach
  std::size_t kept_reached = 0;      // lines that those in `out` reach
  std::size_t known = 0;             // measured by an earlier merge that was interrupted
  std::size_t skipped = 0;           // entries of the folders that were not read
  std::vector<std::string> lost;     // cases that ended their fuzz process again and again
  std::vector<std::uint32_t> lines;  // that the cases in `out` reach, by number
};

// bad_input: a folder is none. machine_failure: Ctrl-C, or fuzz processes do not start; what was
// measured is kept.
Result<Merged> merge_corpora(const MergeOptions& options);

// What a control file of libFuzzer says. For tests as well.
struct Measured {
  std::string name;
  std::vector<std::uint32_t> features;  // sorted
};
struct ControlFile {
  std::vector<std::string> names;
  std::vector<Measured> measured;  // whole records
  std::size_t whole = 0;           // bytes up to the end of the last whole record, or of the names
  std::string last;                // the case that was begun behind it; empty: none
};
ControlFile read_control_file(std::string_view text);

// Which of these to take, as indices, in the order in which they are taken. `had`: what is there
// already. Sizes are those of the cases' texts.
std::vector<std::size_t> choose(const std::vector<Measured>& all,
                                const std::vector<std::size_t>& sizes,
                                const std::vector<std::uint32_t>& had, std::size_t most);

}  // namespace storefuzz
