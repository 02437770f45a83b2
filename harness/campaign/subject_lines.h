// The lines of the subject whose numbers the workers tell (reference/side/guidance.py), as a person
// names them.
//
//     auto lines = lines_of_subject(subject.python);
//     write(text_of(by_file(*lines, merged.lines)));
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"

namespace storefuzz {

using Numbers = std::set<std::size_t>;

struct SubjectLine {
  std::string file;  // "zarr/storage/_zip.py"
  std::size_t line = 0;
  bool in_function = false;  // others run once, when zarr is imported
};

// By number. machine_failure: its interpreter does not tell.
Result<std::vector<SubjectLine>> lines_of_subject(const std::string& python);

// {"zarr/storage/_zip.py": [42, 43]}, of the lines with these numbers.
Json by_file(const std::vector<SubjectLine>& lines, const Numbers& numbers);

// {"zarr/storage/_zip.py": "40-52 60"}: lines within functions of zarr that are not reached.
Json missed_lines(const std::vector<SubjectLine>& lines, const Numbers& reached);

// "0-5 7", and back. What is no number ends the reading.
std::string to_ranges(const Numbers& numbers);
Numbers from_ranges(std::string_view text);

}  // namespace storefuzz
