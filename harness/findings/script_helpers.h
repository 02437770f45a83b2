// Functions that scripts call, as they stand in reference/: what an operation does beyond one call
// (side/helpers.py, which the worker runs as well), and what a script asks with
// (script_helpers.py).
//
//     auto helpers = read_helpers(reference_folder());
//     helpers->front().used   // "set_and_overwrite("
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"

namespace storefuzz::program {

struct Helper {
  std::string used;  // what stands where it is needed: "data(", or a class's name
  std::string code;  // the definition, its last line ended
};

// In the order of the file: one that uses another comes before it.
std::vector<Helper> helpers_of(std::string_view python);

// machine_failure: a file cannot be read.
Result<std::vector<Helper>> read_helpers(const std::string& reference);

}  // namespace storefuzz::program
