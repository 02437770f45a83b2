// equality: is what came out of the carrier equal to what went in, from both ends, and is != its
// opposite? What == does not notice is for the other oracles.
#include <fmt/format.h>

#include "harness/journey/oracles/all.h"

namespace storefuzz {
namespace {

void check(const Case& value, const State& equality, const std::string& side,
           std::vector<Disagreement>& found) {
  for (const auto& [question, answer] : equality) {
    const bool wanted = question != "copy != store";
    const Shown* it = shown(answer);
    if (it && it->value == wanted) continue;
    const Refused* no = refused(answer);
    found.push_back({.oracle = "equality",
                     .field = question,
                     .wrong = no ? "refused " + no->type : "not equal",
                     .headline = fmt::format("`{}` is {} after {} a {}", question,
                                             no   ? no->type
                                             : it ? it->value.dump()
                                                  : "unanswered",
                                             carrying(value), store_name(value)),
                     .parent = Shown{wanted},
                     .child = answer,
                     .side = side,
                     .lost = no ? no->lost : ""});
  }
}

}  // namespace

Verdict judge_equality(const Case& value, const Expectation& expected, const Observations& seen) {
  const bool alone = seen.child.equality.empty() && seen.returned.equality.empty();
  if (alone && !shown(seen.child.same_object))
    return not_comparable("the copy and the original were never in one process");
  // The parent went on meanwhile: its store need not equal what left before.
  if (value.meanwhile != Meanwhile::kIdle)
    return not_comparable("the parent did something meanwhile");
  if (child_writes(seen.plan) && !expected.one_content)
    return not_comparable("the child wrote to a copy of its own");
  // Two stores made of one path may be equal or not; nothing was carried.
  if (value.carrier == Carrier::kMadeAnew) return not_comparable("the store was made anew");
  std::vector<Disagreement> found;
  check(value, seen.child.equality, "child", found);
  check(value, seen.returned.equality, "returned", found);
  if (const Shown* same = shown(seen.child.same_object); same && same->value != true)
    found.push_back({.oracle = "equality",
                     .field = "two references",
                     .wrong = "two objects",
                     .headline = fmt::format("two references to one {} arrive as two objects",
                                             store_name(value)),
                     .parent = Shown{true},
                     .child = *same,
                     .side = "child",
                     .step = "two references"});
  return agree_or(std::move(found));
}

}  // namespace storefuzz
