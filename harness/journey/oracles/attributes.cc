// attributes: is every attribute and property there, with the same value?
//
// Compares the parent's store, as it was before it was packed, with the store that was received,
// and what the child sent back with what the parent received. What a store gains on its way (an
// open handle) is no loss.
#include <fmt/format.h>

#include "harness/journey/oracles/all.h"

namespace storefuzz {
namespace {

bool is_object(const Shown& it) { return it.value.is_object() && it.value.contains("object"); }

void compare(const Case& value, const State& before, const State& after, const std::string& side,
             std::vector<Disagreement>& found) {
  for (const auto& [name, had] : before) {
    const Shown* was = shown(had);
    if (!was) continue;
    // A store made anew shares what the constructor was told, not what happened since.
    if (value.carrier == Carrier::kMadeAnew && name[name.rfind('.') + 1] == '_') continue;
    auto place = after.find(name);
    const Answer now = place == after.end() ? Answer{} : place->second;
    Disagreement it{
        .oracle = "attributes", .field = name, .parent = had, .child = now, .side = side};
    const Refused* no = refused(now);
    if (std::holds_alternative<Absent>(now) || (no && no->type == "AttributeError")) {
      it.lost = no && !no->lost.empty() ? no->lost : name;
      it.wrong = "lost";
      it.headline =
          fmt::format("`{}` is lost by {} a {}", it.lost, carrying(value), store_name(value));
    } else if (no) {
      it.wrong = "refused " + no->type;
      it.headline = fmt::format("`{}` raises {} after {} a {}", name, no->type, carrying(value),
                                store_name(value));
    } else if (shown(now) && !is_object(*was) && shown(now)->value != was->value) {
      it.wrong = "changed";
      it.headline = fmt::format("`{}` is {} before and {} after {} a {}", name, was->value.dump(),
                                shown(now)->value.dump(), carrying(value), store_name(value));
    } else {
      continue;
    }
    found.push_back(std::move(it));
  }
}

}  // namespace

Verdict judge_attributes(const Case& value, const Expectation&, const Observations& seen) {
  if (!child_looked(seen)) return not_comparable("the child did not get to look");
  // One object on both sides: what the parent did to it, the child sees.
  const bool own = value.carrier == Carrier::kHandedOver || value.carrier == Carrier::kInherited;
  if (own && value.meanwhile != Meanwhile::kIdle)
    return not_comparable("the parent used the very store that the child looked at");
  std::vector<Disagreement> found;
  if (seen.child.state) compare(value, seen.state_before, *seen.child.state, "child", found);
  // What comes back is what the child sent, whatever its own use made of the store.
  if (seen.returned.state && seen.child.state_sent)
    compare(value, *seen.child.state_sent, *seen.returned.state, "returned", found);
  return agree_or(std::move(found));
}

}  // namespace storefuzz
