// Reads of one key, whole or cut, and sizes: they show what is there. What a listing of keys shows
// is another question, and so is a refusal.
#include "harness/oracles/oracle.h"

namespace storefuzz::program {

std::vector<Difference> judge_reads(const Case& value, const Judged& judged, const Observation&) {
  return differences(value, judged, [](const Operation* asked, Wrong wrong) {
    const bool content =
        wrong == Wrong::kOtherValue || wrong == Wrong::kAbsent || wrong == Wrong::kGhost;
    return content && asked && asked->family != Family::kListing;
  });
}

}  // namespace storefuzz::program
