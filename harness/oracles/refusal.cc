// Refused is only what the model allows to be, and by an error that a caller can expect: an
// AttributeError says that the store is broken, not that something is missing.
#include "harness/oracles/oracle.h"

namespace storefuzz::program {

std::vector<Difference> judge_refusal(const Case& value, const Judged& judged, const Observation&) {
  return differences(value, judged, [](const Operation*, Wrong wrong) {
    return wrong == Wrong::kRefused || wrong == Wrong::kUnfittingType;
  });
}

}  // namespace storefuzz::program
