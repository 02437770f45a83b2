// The smallest program that shows the same class of difference, and its cause.
//
//     Result<ReducedProgram> small = reduce_program(session, value, budget, interrupted);
#pragma once

#include <functional>
#include <string>

#include "harness/case/program.h"
#include "harness/findings/cause.h"
#include "harness/play/program_session.h"
#include "harness/process/process.h"

namespace storefuzz {

struct ReducedProgram {
  program::Case value;
  program::Difference difference;
  program::Cause cause;
  program::Observation seen;  // of the smallest program
  std::size_t tried = 0;      // programs that were played on the way
};

// What reduce_program() says of a program that shows no first difference.
inline constexpr const char* kShowsNoDifference = "the program shows no difference";

// The severest of the first differences that `value` shows is what stays. An Error when it shows
// none, or when it cannot be played. Past the budget it is left at what was found.
Result<ReducedProgram> reduce_program(ProgramSession& session, const program::Case& value,
                                      Milliseconds budget, const std::function<bool()>& stop = {});

}  // namespace storefuzz
