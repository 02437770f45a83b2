// Lines of the subject's store code that ran, by the numbers that guidance.py gives them.
//
//     Numbers reached = from_ranges("0-5 7");
//     auto missed = missed_lines(subject.python, reached);    // {"zarr/storage/_zip.py": "12
//     40-52"}
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/json.h"

namespace storefuzz {

using Numbers = std::set<std::size_t>;

// "0-5 7", and back. What is no number ends the reading.
std::string to_ranges(const Numbers& numbers);
Numbers from_ranges(std::string_view text);

// File → lines within functions of zarr that are not among those reached.
Result<Json> missed_lines(const std::string& python, const Numbers& reached);

}  // namespace storefuzz
