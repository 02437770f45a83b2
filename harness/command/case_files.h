// Files with cases, as a user names them.
#pragma once

#include <filesystem>
#include <string>

#include "harness/case/case.h"

namespace storefuzz {

// A case, and the fingerprint it is about; empty where its file names none.
struct NamedCase {
  Case value;
  std::string fingerprint;
};

// From a file that holds the case itself, a finding's line, or a regression (both name their
// fingerprint). bad_input: no file, too large, no JSON, no case.
Result<NamedCase> read_case(const std::filesystem::path& file);

}  // namespace storefuzz
