// What may not write does not, and a store that cannot delete says so: where a refusal is due,
// being done is worse than any error.
#include "harness/oracles/oracle.h"

namespace storefuzz::program {

std::vector<Difference> judge_writable(const Case& value, const Judged& judged,
                                       const Observation&) {
  return differences(value, judged, [](const Operation* asked, Wrong wrong) {
    return wrong == Wrong::kDone || (asked && asked->op == Op::kReadOnly && wrong == Wrong::kState);
  });
}

}  // namespace storefuzz::program
