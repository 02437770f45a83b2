// expectation: is what was read what the case wrote? The truth comes from the C++ model and from
// libzip, never through store or pickle. A refusal is no value and is not judged here.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "harness/oracles/all.h"
#include "harness/value.h"

namespace storefuzz {
namespace {

class Judge {
 public:
  Judge(const Case& value, const Observations& seen, const View& view, std::string side,
        std::map<std::string, std::string> content)
      : value_(value),
        seen_(seen),
        view_(view),
        side_(std::move(side)),
        content_(std::move(content)) {}

  std::vector<Disagreement> run() {
    for (std::size_t i = 0; i < view_.looks.size(); ++i) {
      const Look& look = seen_.plan[i];
      const Shown* answer = shown(view_.looks[i]);
      if (look.name == "set" && answer) content_[look.entry.key] = look.entry.bytes();
      if (!answer) continue;
      if (std::optional<Json> truth = truth_of(look, answer->value);
          truth && *truth != answer->value)
        report(look, *answer, *truth, static_cast<int>(i));
    }
    return std::move(found_);
  }

 private:
  // What the answer must be; nothing where the model has no opinion (odd keys of a local store,
  // ranges past the end, listings by prefix).
  std::optional<Json> truth_of(const Look& look, const Json& answer) const {
    auto found = content_.find(look.entry.key);
    const bool there = found != content_.end();
    if (look.name == "list") return sorted_keys(answer);
    if (!there && look.entry.key != kMissingKey) return std::nullopt;
    if (look.name == "get") return there ? shown_bytes(found->second) : Json();
    if (look.name == "exists") return there;
    if (!there) return std::nullopt;
    const auto size = static_cast<std::int64_t>(found->second.size());
    if (look.name == "getsize") return size;
    if (look.name == "get range" && look.start < look.end && look.end <= size)
      return shown_bytes(found->second.substr(look.start, look.end - look.start));
    if (look.name == "get offset" && look.start < size)
      return shown_bytes(found->second.substr(look.start));
    if (look.name == "get suffix" && look.start <= size)
      return shown_bytes(found->second.substr(size - look.start));
    return std::nullopt;
  }

  // A listing is right when, as a set, it is the set of keys; it is shown in its own order.
  Json sorted_keys(const Json& answer) const {
    std::set<std::string> listed;
    for (const Json& name : answer) listed.insert(name.get<std::string>());
    std::set<std::string> wanted;
    for (const auto& [key, bytes] : content_) wanted.insert(key);
    return listed == wanted ? answer : Json(wanted);
  }

  void report(const Look& look, const Shown& answer, const Json& truth, int index) {
    found_.push_back({.oracle = "expectation",
                      .field = look.name,
                      .wrong = "other value",
                      .headline = fmt::format("`{}` of a {} is not what was written ({})",
                                              say(look), store_name(value_), side_),
                      .parent = Shown{truth},
                      .child = answer,
                      .side = side_,
                      .look = index});
  }

  const Case& value_;
  const Observations& seen_;
  const View& view_;
  std::string side_;
  std::map<std::string, std::string> content_;
  std::vector<Disagreement> found_;
};

// What the parent must find after its child wrote and closed.
std::map<std::string, std::string> after_child(const Expectation& expected,
                                               const Observations& seen) {
  std::map<std::string, std::string> content = expected.content;
  for (std::size_t i = 0; i < seen.child.looks.size(); ++i)
    if (seen.plan[i].name == "set" && shown(seen.child.looks[i]))
      content[seen.plan[i].entry.key] = seen.plan[i].entry.bytes();
  return content;
}

}  // namespace

Verdict judge_expectation(const Case& value, const Expectation& expected,
                          const Observations& seen) {
  if (!expected.certain) return not_comparable("the model is not certain of the content");
  std::vector<Disagreement> found;
  // Entries that only the parent's handle holds cannot be seen from elsewhere.
  if (!expected.pending || value.carrier == Carrier::kHandedOver)
    found = Judge(value, seen, seen.child, "child", expected.content).run();
  // What a child wrote, a handle of the parent that was opened before need not see.
  if (!expected.unclaimed && !child_writes(seen.plan))
    std::ranges::move(Judge(value, seen, seen.parent, "parent", expected.content).run(),
                      std::back_inserter(found));
  if (!expected.pending)
    std::ranges::move(
        Judge(value, seen, seen.returned, "returned", after_child(expected, seen)).run(),
        std::back_inserter(found));
  return agree_or(std::move(found));
}

}  // namespace storefuzz
