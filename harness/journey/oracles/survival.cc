// survival: does every side live to its end, and leave no open file and no stray file behind?
#include <fmt/format.h>

#include "harness/journey/oracles/all.h"
#include "harness/process/stacks.h"

namespace storefuzz {
namespace {

// A key that climbs was accepted, and a file lies where the store does not.
bool leads_out(const Case& value, const Observations& seen) {
  if (seen.strange_files.empty()) return false;
  const std::vector<Operation> operations = operations_of(value);
  for (std::size_t i = 0; i < operations.size() && i < seen.operations.size(); ++i)
    if (operations[i].entry.key.starts_with("../") && shown(seen.operations[i])) return true;
  return false;
}

}  // namespace

Verdict judge_survival(const Case& value, const Expectation&, const Observations& seen) {
  std::vector<Disagreement> found;
  const auto add = [&](std::string field, std::string wrong, std::string headline, Answer answer,
                       std::string side) {
    found.push_back({.oracle = "survival",
                     .field = std::move(field),
                     .wrong = std::move(wrong),
                     .headline = std::move(headline),
                     .parent = {},
                     .child = std::move(answer),
                     .side = std::move(side)});
  };
  for (const auto& [view, who] :
       {std::pair{&seen.child, "child"}, std::pair{&seen.returned, "grandchild"}}) {
    const Crashed* crash = std::get_if<Crashed>(&view->died);
    if (!crash) continue;
    const HangPlace place = find_hang(crash->stacks);
    add(place.frame.empty() ? who : place.frame, crash->signal,
        fmt::format("the {} dies by {} after {}", who, crash->signal, describe_journey(value)),
        *crash, view == &seen.child ? "child" : "returned");
  }
  // Elsewhere the parent's own handle, shared or inherited, is open as well.
  if (fresh_interpreter(value.transport) && seen.child.descriptors &&
      !seen.child.descriptors->empty() && shown(seen.child.left))
    add("descriptors", "left open",
        fmt::format("a closed {} keeps its file open in the child", store_name(value)),
        Shown{Json(*seen.child.descriptors)}, "child");
  if (seen.parent.descriptors && !seen.parent.descriptors->empty() && shown(seen.parent.left) &&
      value.transport != Transport::kThread)
    add("descriptors", "left open in the parent",
        fmt::format("a closed {} keeps its file open in the parent", store_name(value)),
        Shown{Json(*seen.parent.descriptors)}, "parent");
  if (const Answer files = Shown{Json(seen.strange_files)}; leads_out(value, seen))
    add("files", "leaves the root",
        fmt::format("a key with `..` leaves the root of a {}: {}", store_name(value),
                    seen.strange_files.front()),
        files, "parent");
  else if (!seen.strange_files.empty())
    add("files", "left behind",
        fmt::format("files are left behind beside the store: {}", seen.strange_files.front()),
        files, "child");
  return agree_or(std::move(found));
}

}  // namespace storefuzz
