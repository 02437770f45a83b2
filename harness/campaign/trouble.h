// What went wrong in a run by no fault of its subject: told before all else, because a run that
// could not look finds nothing either.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/campaign/supervise.h"

namespace storefuzz {

// What became of the findings after the fuzzing.
struct Followed {
  std::size_t findings = 0;             // to be followed
  std::vector<std::string> unfollowed;  // why a fault of ours kept one back, for each
};

// A sentence for each kind of trouble: cases that were not played, fuzz processes that died,
// findings that were not followed.
std::vector<std::string> troubles(const Fuzzed& fuzzed, const Followed& followed);

// Why the trouble is too much for an all-clear: above kMostLost of the cases or of the findings.
// Nothing: the trouble is not too much.
std::optional<std::string> too_much_trouble(const Fuzzed& fuzzed, const Followed& followed);

}  // namespace storefuzz
