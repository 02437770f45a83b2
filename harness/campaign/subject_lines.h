// The lines of the subject whose numbers the workers tell (reference/side/guidance.py), as a person
// names them.
//
//     auto lines = lines_of_subject(subject.python);
//     write(text_of(by_file(*lines, merged.lines)));
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"

namespace storefuzz {

// By number: "zarr/storage/_zip.py", 42. machine_failure: its interpreter does not tell.
Result<std::vector<std::pair<std::string, int>>> lines_of_subject(const std::string& python);

// {"zarr/storage/_zip.py": [42, 43]}, of the lines with these numbers.
Json by_file(const std::vector<std::pair<std::string, int>>& lines,
             const std::vector<std::uint32_t>& numbers);

}  // namespace storefuzz
