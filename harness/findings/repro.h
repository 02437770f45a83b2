// repro.py: a finding as one short Python script that needs zarr-python and nothing of ours.
//
// The script exits 1 after printing "DEFECT: <sentence>", 0 after "gone", 2 for anything else. It
// works in a nested temporary folder, which it removes, and sets up the warmth of its parent
// itself; where the journey is a pool, that is the real concurrent.futures. At most 40 lines of 120
// characters.
//
//     std::string script = write_repro(value, finding, {.release = "3.0.1", .seconds = 5});
#pragma once

#include <filesystem>
#include <string>

#include "harness/findings/finding.h"

namespace storefuzz {

struct ReproOptions {
  std::string release;               // of the subject
  bool published = true;             // pip finds zarr by its number; else zarr lay at a path
  Json packages;                     // name → version, of what is installed beside the subject
  double seconds = 5;                // deadline of a hang; five times the campaign's
  std::filesystem::path vocabulary;  // reference/vocabulary.json
  bool thorough = false;             // every look of the journey, where two usually do
  bool used_before = false;          // the script first uses such a store in its own process
  bool compact = false;              // steps as a loop over them; a script that is long becomes so
};

// `observations` is what the player saw of `value`: which operations were refused stands there.
// machine_failure: the vocabulary cannot be read.
Result<std::string> write_repro(const Case& value, const Finding& finding, const Json& observations,
                                const ReproOptions& options);

}  // namespace storefuzz
