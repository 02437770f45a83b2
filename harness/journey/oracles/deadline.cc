// deadline: does everything come to an end? A hang comes with the Python stacks of every thread.
#include <fmt/format.h>

#include "harness/journey/oracles/all.h"
#include "harness/process/stacks.h"

namespace storefuzz {

Verdict judge_deadline(const Case& value, const Expectation&, const Observations& seen) {
  std::vector<Disagreement> found;
  const auto check = [&](const View& view, const std::string& side, const std::string& who) {
    const TimedOut* hang = std::get_if<TimedOut>(&view.died);
    if (!hang) return;
    HangPlace place = find_hang(hang->stacks);
    if (place.doing.starts_with("`try ")) place.doing.erase(1, 4);
    found.push_back({.oracle = "deadline",
                     .field = place.frame.empty() ? "unknown place" : place.frame,
                     .wrong = "hangs",
                     .headline = fmt::format("{} hangs in {} after {}", who, place.doing,
                                             describe_journey(value)),
                     .parent = {},
                     .child = *hang,
                     .side = side});
  };
  check(seen.child, "child", "the child");
  check(seen.returned, "returned",
        value.comes_back == ComesBack::kGrandchild ? "the grandchild" : "the parent");
  check(seen.parent, "parent", "the parent");
  return agree_or(std::move(found));
}

}  // namespace storefuzz
