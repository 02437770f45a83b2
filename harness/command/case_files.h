// Files with cases, as a user names them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "harness/case/case.h"
#include "harness/case/program.h"

namespace storefuzz {

// A case, and the fingerprint it is about; empty where its file names none.
struct NamedCase {
  Case value;
  std::string fingerprint;
  std::optional<program::Case> program;  // instead of `value`, where the case is one
};

// From a file that holds the case itself, a finding's line, or a regression (both name their
// fingerprint). bad_input: no file, too large, no JSON, no case.
Result<NamedCase> read_any_case(const std::filesystem::path& file);

// The same, where programs cannot be had: bad_input says so.
Result<NamedCase> read_case(const std::filesystem::path& file);

}  // namespace storefuzz
