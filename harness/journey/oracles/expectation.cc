// expectation: is what was read what the case wrote? The truth comes from the C++ model and from
// libzip, never through store or pickle. A refusal is no value and is not judged here.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "harness/base/text.h"
#include "harness/journey/oracles/all.h"

namespace storefuzz {
namespace {

class Judge {
 public:
  Judge(const Case& value, const Observations& seen, const View& view, std::string side,
        Content content)
      : value_(value),
        seen_(seen),
        view_(view),
        side_(std::move(side)),
        content_(std::move(content)) {}

  std::vector<Disagreement> run() {
    for (std::size_t i = 0; i < view_.looks.size(); ++i) {
      const Look& look = seen_.plan[i];
      const Shown* answer = shown(view_.looks[i]);
      if (!answer) continue;
      apply_look(value_.store, look, content_);
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
    if (look.name == "getsize_prefix") return size_below(look.entry.key);
    const bool written = look.group == LookGroup::kWrites;
    if (!there && look.entry.key != kMissingKey && !written) return std::nullopt;
    if (look.name == "get" || look.name == "get_sync")
      return there ? shown_bytes(found->second) : Json();
    if (look.name == "exists") return there;
    if (!there) return std::nullopt;
    const auto size = static_cast<std::int64_t>(found->second.size());
    if (look.name == "getsize") return size;
    const auto bytes = [&](std::int64_t begin, std::int64_t end) {
      return shown_bytes(found->second.substr(begin, end - begin));
    };
    if (look.name == "get_partial_values") return Json{bytes(0, size), nullptr};
    if (look.name == "get_partial_values by ranges" && size > 1)
      return Json{bytes(0, 1), bytes(1, size), bytes(size - 1, size)};
    if ((look.name == "get_ranges" || look.name == "get_ranges_sync") && size > 1)
      return Json{{0, bytes(1, 2)}, {1, bytes(0, size)}, {2, bytes(0, 1)}};
    if (look.start < 0) return std::nullopt;
    if (look.name == "get range" && look.start < look.end && look.end <= size)
      return shown_bytes(found->second.substr(look.start, look.end - look.start));
    if (look.name == "get offset" && look.start < size)
      return shown_bytes(found->second.substr(look.start));
    if (look.name == "get suffix" && look.start <= size)
      return shown_bytes(found->second.substr(size - look.start));
    return std::nullopt;
  }

  // The size of all values below a prefix, which is a folder.
  std::optional<Json> size_below(const std::string& prefix) const {
    std::size_t size = 0;
    for (const auto& [key, bytes] : content_) {
      if (!plain_key(key)) return std::nullopt;
      if (key.starts_with(prefix.empty() ? "" : prefix + "/")) size += bytes.size();
    }
    return size;
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
                      .field = field_of(look),
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
  Content content_;
  std::vector<Disagreement> found_;
};

}  // namespace

Verdict judge_expectation(const Case& value, const Expectation& expected,
                          const Observations& seen) {
  if (!expected.certain && !expected.away_certain)
    return not_comparable("the model is not certain of the content");
  std::vector<Disagreement> found;
  const auto judge = [&](const View& view, const char* side, Content content) {
    std::ranges::move(Judge(value, seen, view, side, std::move(content)).run(),
                      std::back_inserter(found));
  };
  const auto after_child = [&](const Content& content) {
    return after_looks(value.store, content, seen.plan, seen.child.looks);
  };
  if (expected.away_certain) judge(seen.child, "child", expected.away);
  const bool wrote = child_writes(seen.plan);
  if (wrote && !child_looked(seen)) return agree_or(std::move(found));  // who knows what it wrote
  // What a child wrote, an archive that the parent had opened before need not show.
  const bool zip = value.store->medium == Medium::kZip;
  if (expected.certain && !expected.unclaimed && !(wrote && zip))
    judge(seen.parent, "parent",
          wrote && expected.one_content ? after_child(expected.content) : expected.content);
  if (expected.away_certain) {
    // A name that means something in one process means the parent's own content at home.
    const bool home = value.store->shared == Shared::kProcess &&
                      value.comes_back == ComesBack::kStore && !expected.one_content;
    judge(seen.returned, "returned", home ? expected.content : after_child(expected.away));
  }
  return agree_or(std::move(found));
}

}  // namespace storefuzz
