// Two names of one store are equal, and so are two stores in which nothing that they compare
// differs. That others are unequal is never asked: equality of stores is weak.
#include "harness/oracles/oracle.h"

namespace storefuzz::program {

std::vector<Difference> judge_equality(const Case& value, const Judged& judged,
                                       const Observation&) {
  return differences(value, judged,
                     [](const Operation*, Wrong wrong) { return wrong == Wrong::kNotEqual; });
}

}  // namespace storefuzz::program
