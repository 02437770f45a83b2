// The names of the readers there are: those of storefuzz-reader, and those of
// reference/readers/readers.json.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"

namespace storefuzz {

// By the program storefuzz-reader of this build.
inline constexpr std::array<std::string_view, 4> kOurReaders = {"libzip", "libzip-checked",
                                                                "libarchive", "libarchive-seeking"};

// Every name there is. machine_failure: readers.json cannot be read.
Result<std::vector<std::string>> all_readers();

}  // namespace storefuzz
