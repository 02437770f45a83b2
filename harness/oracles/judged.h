// What all oracles look at: a program walked once with the model, in order, each answer beside what
// was allowed.
//
//     const Judged judged = walk(value, seen);
//     for (const JudgedAnswer& it : judged.answers) count(it.allowed.reason);
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "harness/case/program.h"
#include "harness/model/allowed.h"
#include "harness/model/difference.h"
#include "harness/wire/observation.h"

namespace storefuzz::program {

struct JudgedAnswer {
  std::size_t step = 0, handle = 0;
  const Answer* answer = nullptr;  // of the observation, which must live on
  Allowed allowed;
  std::optional<Difference> difference;
  // Answers of one signature, with no effect between them, are about the same content. "": of none.
  std::string signature;
  std::size_t effects = 0;
};

struct Judged {
  std::vector<JudgedAnswer> answers;
  std::vector<Difference> disk;     // after steps, in order
  std::vector<Difference> crashes;  // within watched calls
};

// The observation has as many steps as the case; what is missing was not seen.
Judged walk(const Case& value, const Observation& seen);

// The differences of the answers that an oracle takes: by operation (nullptr: a step that is no
// call) and class.
std::vector<Difference> differences(const Case& value, const Judged& judged,
                                    bool (*takes)(const Operation* asked, Wrong wrong));

// Who a call's answer is about, for a difference that needs no model.
Where where_of(const Case& value, const JudgedAnswer& answer);

}  // namespace storefuzz::program
