// What commands that play programs have in common: the subject, a scratch folder, and a session.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "harness/campaign/subject.h"
#include "harness/case/program.h"
#include "harness/command/subject_options.h"
#include "harness/play/program_session.h"
#include "harness/process/scratch.h"

namespace storefuzz {

struct ProgramSubject {
  Subject subject;
  Scratch scratch;  // gone with it
  std::unique_ptr<ProgramSession> session;
};

// `releases`: those that processes have besides the subject; their environments are made where
// there are none yet.
Result<ProgramSubject> start_program_subject(const SubjectOptions& options,
                                             const std::set<std::string>& releases);

}  // namespace storefuzz
