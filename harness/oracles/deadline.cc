// Every call answers in time. Whoever does not is parked; what its process was asked later was
// asked of nobody.
#include "harness/oracles/oracle.h"

namespace storefuzz::program {

std::vector<Difference> judge_deadline(const Case& value, const Judged& judged,
                                       const Observation&) {
  return differences(value, judged,
                     [](const Operation*, Wrong wrong) { return wrong == Wrong::kHang; });
}

}  // namespace storefuzz::program
