// reads: do both sides read the same bytes, sizes, existence, ranges and arrays? A refusal on one
// side only is a difference; two refusals of different types are for the oracle `refusal`.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "harness/journey/oracles/all.h"

namespace storefuzz {
namespace {

bool asked_here(LookGroup group) {
  return group == LookGroup::kReads || group == LookGroup::kRanges || group == LookGroup::kArray ||
         group == LookGroup::kListing;
}

std::optional<Disagreement> compare(const Case& value, const Look& look, const Answer& parent,
                                    const Answer& child) {
  const Refused* no = refused(child);
  const Refused* home_no = refused(parent);
  if ((!shown(parent) && !home_no) || (!shown(child) && !no)) return std::nullopt;
  if (no && home_no) return std::nullopt;
  Disagreement it{
      .oracle = "reads", .field = look.name, .parent = parent, .child = child, .side = "child"};
  // One object, looked at twice: what one look changed, another sees.
  const bool own = value.carrier == Carrier::kHandedOver;
  // After close() a store may refuse; its copy was never closed.
  if ((own && (no || home_no)) || (home_no && value.lifecycle == Lifecycle::kClosed))
    return std::nullopt;
  if (home_no) {
    it.wrong = "refused by the parent: " + home_no->type;
    it.lost = home_no->lost;
    it.side = "parent";
    std::swap(it.parent, it.child);  // the side that is wrong is told last
    it.headline = fmt::format("`{}` raises {} in the parent, but works after {} a {}", say(look),
                              home_no->type, carrying(value), store_name(value));
  } else if (no) {
    it.wrong = "refused " + no->type;
    it.lost = no->lost;
    it.headline = fmt::format("`{}` works in the parent, but raises {} after {} a {}", say(look),
                              no->type, carrying(value), store_name(value));
  } else if (shown(parent)->value != shown(child)->value) {
    it.wrong = "other value";
    it.headline = fmt::format("`{}` gives another value after {} a {}", say(look), carrying(value),
                              store_name(value));
  } else {
    return std::nullopt;
  }
  return it;
}

// A listing has no order that anybody promised.
Answer unordered(const Look& look, Answer answer) {
  Shown* it = std::get_if<Shown>(&answer);
  if (look.group == LookGroup::kListing && it && it->value.is_array())
    std::sort(it->value.begin(), it->value.end());
  return answer;
}

// The array that came back, against the one the parent opens itself.
void judge_array(const Observations& seen, std::vector<Disagreement>& found) {
  const Answer& array = seen.returned.array;
  if (std::holds_alternative<Absent>(array)) return;
  for (std::size_t i = 0; i < seen.parent.looks.size(); ++i) {
    const Shown* home = shown(seen.parent.looks[i]);
    if (seen.plan[i].name != "open_array" || !home || array == seen.parent.looks[i]) continue;
    const Refused* no = refused(array);
    found.push_back({.oracle = "reads",
                     .field = "returned array",
                     .wrong = no ? "refused " + no->type : "other value",
                     .headline = fmt::format("the array a child sent back {}",
                                             no ? "raises " + no->type : "reads other values"),
                     .parent = *home,
                     .child = array,
                     .side = "returned",
                     .lost = no ? no->lost : ""});
  }
}

}  // namespace

Verdict judge_reads(const Case& value, const Expectation& expected, const Observations& seen) {
  if (!child_looked(seen)) return not_comparable("the child did not get to look");
  if (seen.parent.looks.empty()) return not_comparable("the parent did not look");
  if (expected.pending) return not_comparable("the parent holds entries the archive lacks yet");
  if (expected.gone) return not_comparable("the parent deleted what is read");
  if (expected.other_content || (expected.certain && !expected.away_certain))
    return not_comparable("the child has another content than the parent, rightly");
  if (expected.unclaimed)
    return not_comparable("each side claims the file for itself, mode w or x");
  if (child_writes(seen.plan)) return not_comparable("the child wrote between the two looks");
  std::vector<Disagreement> found;
  for (const View* view : {&seen.child, &seen.returned}) {
    // The child that made the archive holds it open, without its directory, when it sends it on.
    const bool on = value.comes_back == ComesBack::kGrandchild;
    if (view == &seen.returned && on && expected.made_by_use) continue;
    for (std::size_t i = 0; i < view->looks.size() && i < seen.parent.looks.size(); ++i) {
      const Look& look = seen.plan[i];
      if (!asked_here(look.group)) continue;
      auto it = compare(value, look, unordered(look, seen.parent.looks[i]),
                        unordered(look, view->looks[i]));
      if (!it) continue;
      it->look = static_cast<int>(i);
      if (view == &seen.returned && it->side == "child") it->side = "returned";
      found.push_back(std::move(*it));
    }
  }
  judge_array(seen, found);
  return agree_or(std::move(found));
}

}  // namespace storefuzz
