// A finding: a first difference of one program, as the loop sees it, not yet reduced. Findings of
// one key look alike; what they have for a cause is known when one of them was reduced (cause.h).
//
//     for (const Finding& found : findings_of(value, played.differences)) tell(found);
#pragma once

#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/case/program.h"
#include "harness/model/difference.h"

namespace storefuzz {

struct Finding {
  std::string key;    // as the loop saw it: seen_as (cause.h)
  std::string asked;  // by which word, and of which kind: "clear on wrapper over local" (asked_as)
  std::string of_class;  // what a reduction keeps (class_of)
  std::string oracle, wrong;
  std::string headline;
  int severity = 0;
  bool question = false;  // stores disagree, and nobody is wrong for sure
  program::Case value;
};

// One of each key: of the first differences of their places, and of the questions.
std::vector<Finding> findings_of(const program::Case& value,
                                 const std::vector<program::Difference>& differences);

Json to_json(const Finding& found);
// bad_input: no finding.
Result<Finding> finding_from_json(const Json& json);

}  // namespace storefuzz
