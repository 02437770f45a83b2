// What independent eyes see on the disk: after each step, and as a crash within a watched call
// would have left it. What was published stays, nothing else changes, and reading changes nothing.
#include "harness/oracles/oracle.h"

namespace storefuzz::program {

std::vector<Difference> judge_on_disk(const Case&, const Judged& judged, const Observation&) {
  std::vector<Difference> found = judged.disk;
  found.insert(found.end(), judged.crashes.begin(), judged.crashes.end());
  return found;
}

}  // namespace storefuzz::program
