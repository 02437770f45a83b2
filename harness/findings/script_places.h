// What lies at the places of a program before it begins, in plain Python.
//
//     lines_before(value)   // with zipfile.ZipFile("z.zip", "w") as archive: …
#pragma once

#include <string>

#include "harness/base/error.h"
#include "harness/case/program.h"
#include "harness/findings/script_parts.h"

namespace storefuzz::program {

// Where a place lies: the first make there says it. nullptr: none does.
const Make* make_at(const Case& value, const std::string& place);

// bad_input: an archive that cannot be made.
Result<Lines> lines_before(const Case& value);

}  // namespace storefuzz::program
