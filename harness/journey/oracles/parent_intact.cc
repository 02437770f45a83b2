// parent intact: does the store in the parent have all it had, after it was packed into its
// carrier?
#include <fmt/format.h>

#include "harness/journey/oracles/all.h"

namespace storefuzz {

Verdict judge_parent_intact(const Case& value, const Expectation&, const Observations& seen) {
  if (seen.state_packed.empty()) return not_comparable("nothing was packed");
  const std::string packing = value.carrier == Carrier::kCopy       ? "copy.copy"
                              : value.carrier == Carrier::kDeepcopy ? "copy.deepcopy"
                                                                    : "pickle.dumps";
  std::vector<Disagreement> found;
  for (const auto& [name, before] : seen.state_before) {
    if (!shown(before)) continue;
    auto place = seen.state_packed.find(name);
    const Answer after = place == seen.state_packed.end() ? Answer{} : place->second;
    if (after == before) continue;
    const bool gone = !shown(after);
    found.push_back(
        {.oracle = "parent intact",
         .field = name,
         .wrong = gone ? "lost" : "changed",
         .headline = fmt::format("the parent is broken after `{}`: its {} {} `{}`", packing,
                                 store_name(value), gone ? "has lost" : "has another", name),
         .parent = before,
         .child = after,
         .side = "parent",
         .lost = gone ? name : ""});
  }
  return agree_or(std::move(found));
}

}  // namespace storefuzz
