// The smallest program that shows the same class of difference, in the plainest way, and its cause.
//
//     Result<ReducedProgram> small = reduce_program(session, value, {.stop = interrupted});
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/case/program.h"
#include "harness/findings/cause.h"
#include "harness/play/against.h"
#include "harness/play/program_session.h"
#include "harness/process/process.h"

namespace storefuzz {

struct ReducedProgram {
  program::Case value;
  program::Difference difference;
  program::Observation seen;  // of the smallest program
  program::Cause cause;
  std::size_t tried = 0;  // programs that were played on the way
  bool whole = true;      // false: time was over first, so the cause may be that of another one
};

// What reduce_program() says of a program that shows no first difference.
inline constexpr const char* kShowsNoDifference = "the program shows no difference";

struct ReduceOptions {
  std::string of_class;    // of the difference that stays; empty: the severest of the first ones
  bool questions = false;  // or, where there is none of these, the first question
  Milliseconds budget{60'000};      // past it, it is left at what was found
  std::function<bool()> stop = {};  // the same, once it says true
  Against* against = nullptr;       // what its base shows as well is no difference
};

// The severest of the differences that are first at their place; of a class, where one is named. A
// question is meant only where its class is named.
std::optional<program::Difference> severest(const program::Case& value,
                                            const std::vector<program::Difference>& differences,
                                            const std::string& of_class);

// An Error when the program shows no such difference, or cannot be played.
Result<ReducedProgram> reduce_program(ProgramSession& session, const program::Case& value,
                                      const ReduceOptions& options);

}  // namespace storefuzz
