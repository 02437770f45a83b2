// Replay of programs: cases of format 2.
#pragma once

#include <string>
#include <vector>

#include "harness/command/case_files.h"
#include "harness/command/subject_options.h"

namespace storefuzz {

struct NamedProgram {
  std::string name;  // its file, as the user wrote it
  program::Case value;
};

// Plays each and says every step, what was answered, and what was not allowed. The exit code: 1
// where anything differed.
int replay_programs(const std::vector<NamedProgram>& programs, const SubjectOptions& options);

}  // namespace storefuzz
