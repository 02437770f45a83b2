// repro.py of a program: the program step by step as a zarr maintainer would write it, and at its
// end the one comparison that shows the difference.
//
// The script needs the subject alone. It exits 1 after the line "DEFECT: <headline>", 0 after
// "gone", 2 for anything else. It works in a nested temporary folder, which it removes.
//
//     auto script = write_script(small, difference, seen, {.release = "3.4.2", .reference = …});
#pragma once

#include <string>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/case/program.h"
#include "harness/model/difference.h"
#include "harness/wire/observation.h"

namespace storefuzz::program {

inline constexpr std::size_t kMostScriptLines = 40;
inline constexpr std::size_t kScriptWidth = 120;

struct ScriptOptions {
  std::string release;      // of the subject
  bool published = true;    // pip finds zarr by its number; else it lay at a path
  Json packages = {};       // name → version, of what is installed beside it
  double hang_seconds = 5;  // from then on a process hangs
  std::string reference;    // the folder of operations.json, carriers.json and the helpers
};

// `seen` is what was seen of `reduced`. machine_failure: the tables cannot be read. bad_input: what
// one interpreter cannot say, as a sentence.
Result<std::string> write_script(const Case& reduced, const Difference& difference,
                                 const Observation& seen, const ScriptOptions& options);

}  // namespace storefuzz::program
