// Files with cases, as a user names them.
#pragma once

#include <filesystem>
#include <string>

#include "harness/case/program.h"

namespace storefuzz {

struct NamedCase {
  std::string name;  // its file, as the user wrote it
  program::Case value;
};

// From a file that holds the case itself, or a finding's line. bad_input: no file, too large, no
// JSON, no case.
Result<NamedCase> read_case(const std::filesystem::path& file);

}  // namespace storefuzz
