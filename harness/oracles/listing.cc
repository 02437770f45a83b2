// Listings name every key that is there, once, and no other.
#include "harness/oracles/oracle.h"

namespace storefuzz::program {

std::vector<Difference> judge_listing(const Case& value, const Judged& judged, const Observation&) {
  return differences(value, judged, [](const Operation* asked, Wrong wrong) {
    return asked && asked->family == Family::kListing && wrong >= Wrong::kOtherValue &&
           wrong <= Wrong::kTwice;
  });
}

}  // namespace storefuzz::program
