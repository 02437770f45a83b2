// Functions that scripts call, as they stand in reference/: what an operation does beyond one call
// (side/operation_helpers.py, which the worker runs as well), and what a script asks with
// (script_helpers.py).
//
//     auto helpers = read_helpers(reference_folder());
//     helpers->front().used   // "answer("
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

// The functions and classes of a file. Anything else in it (an import, a constant, a decorator) no
// script has: what a helper imports stands in script_frame.cc.
std::vector<Helper> helpers_of(std::string_view python);

// Those of both files. machine_failure: one cannot be read.
Result<std::vector<Helper>> read_helpers(const std::string& reference);

}  // namespace storefuzz::program
