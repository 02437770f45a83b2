// writable: does nothing change through a read-only store, by any method, and does a writable one
// stay writable? What happened to the bytes is for the oracle `on disk`.
#include <fmt/format.h>

#include "harness/journey/oracles/all.h"

namespace storefuzz {
namespace {

bool writes(std::string_view name) {
  return name.starts_with("set") || name.starts_with("delete") || name == "clear";
}

void check(const Case& value, const Expectation& expected, const Observations& seen,
           const View& view, const std::string& side, std::vector<Disagreement>& found) {
  const bool may_refuse = expected.missing || expected.exists_already;  // it cannot be opened
  // What the child cleared or moved takes writes afterwards that it had refused before.
  const auto refused_before = [&, accepted = !found.empty()](std::size_t i) {
    return accepted && i < seen.child.looks.size() && refused(seen.child.looks[i]);
  };
  for (std::size_t i = 0; i < view.looks.size() && i < seen.plan.size(); ++i) {
    const Look& look = seen.plan[i];
    if (look.group != LookGroup::kWrites) continue;
    const Answer& answer = view.looks[i];
    const Refused* no = refused(answer);
    Disagreement it{.oracle = "writable",
                    .field = field_of(look),
                    .child = answer,
                    .side = side,
                    .look = static_cast<int>(i)};
    if (expected.sealed && look.name.starts_with("try ") && shown(answer)) {
      if (refused_before(i)) continue;
      it.parent = Refused{.type = "ValueError"};
      it.wrong = expected.read_only ? "accepted" : "accepted in mode r";
      it.headline =
          expected.read_only
              ? fmt::format("`{}` is accepted by a read-only {}", say(look), store_name(value))
              : fmt::format("`{}` is accepted by a {} of mode `r`", say(look), store_name(value));
    } else if (!expected.sealed && !may_refuse && writes(look.name) && no) {
      it.parent = Shown{nullptr};
      it.wrong = "refused " + no->type;
      it.lost = no->lost;
      it.headline = fmt::format("a writable {} refuses `{}` after {}: {}", store_name(value),
                                say(look), carrying(value), no->type);
    } else {
      continue;
    }
    found.push_back(std::move(it));
  }
}

}  // namespace

Verdict judge_writable(const Case& value, const Expectation& expected, const Observations& seen) {
  if (expected.gone) return not_comparable("the parent deleted what is written to");
  std::vector<Disagreement> found;
  check(value, expected, seen, seen.child, "child", found);
  check(value, expected, seen, seen.returned, "returned", found);
  check(value, expected, seen, seen.parent, "parent", found);
  if (found.empty() && (expected.missing || expected.exists_already))
    return not_comparable("opening this store is rightly refused");
  return agree_or(std::move(found));
}

}  // namespace storefuzz
