// stores agree: does a store give the answers that a MemoryStore with the same content gives to the
// same questions? Both are asked by the parent, in one process. What the documentation of
// zarr.abc.store.Store promises is one interface; where kinds of store differ, code that works with
// one fails, or reads something else, with another.
#include <fmt/format.h>

#include <algorithm>

#include "harness/journey/oracles/all.h"

namespace storefuzz {
namespace {

// What is special about a question, so that odd ones are told apart from usual ones.
std::string kind_of(const Look& look, const Expectation& expected) {
  auto found = expected.content.find(look.entry.key);
  const auto size =
      found == expected.content.end() ? -1 : static_cast<std::int64_t>(found->second.size());
  std::string kind = look.name;
  if (look.group == LookGroup::kReads && size < 0 && !look.entry.key.empty())
    kind += look.entry.key == kMissingKey ? " of a missing key" : " of a folder";
  if (look.start < 0) return kind + " before the beginning";
  if (look.name == "get range")
    kind += look.start > look.end    ? " backwards"
            : look.start == look.end ? " of no bytes"
            : look.start >= size     ? " beyond the end"
            : look.end > size        ? " across the end"
                                     : "";
  if (look.name == "get offset")
    kind += look.start > size ? " beyond the end" : look.start == size ? " at the end" : "";
  if (look.name == "get suffix")
    kind += look.start == 0 ? " of no bytes" : look.start > size ? " longer than the value" : "";
  if ((look.name == "get_partial_values" || look.name.starts_with("get_ranges")) && size < 0)
    kind += " of a missing key";
  if (look.group == LookGroup::kListing && look.entry.key == "nothing") kind += " of nothing";
  if (look.group == LookGroup::kListing && look.entry.key.ends_with('/')) kind += " with a slash";
  if (look.group == LookGroup::kListing && size >= 0) kind += " of a key";
  return kind;
}

Answer sorted(const Look& look, Answer answer) {
  Shown* it = std::get_if<Shown>(&answer);
  if (look.group == LookGroup::kListing && it && it->value.is_array())
    std::sort(it->value.begin(), it->value.end());
  return answer;
}

std::string word_of(const Answer& answer) {
  const Refused* no = refused(answer);
  return no ? "raises " + no->type : "answers";
}

}  // namespace

bool twin_is_compared(const Look& look) {
  return look.group != LookGroup::kWrites && look.name != "repr" && !look.name.ends_with("_sync") &&
         look.name != "pickle again" && look.name != "with_read_only" &&
         look.group != LookGroup::kArray;
}

Verdict judge_stores_agree(const Case& value, const Expectation& expected,
                           const Observations& seen) {
  if (seen.twin.looks.empty()) return not_comparable("no other store was asked");
  if (expected.missing || expected.exists_already)
    return not_comparable("opening this store is rightly refused");
  if (value.lifecycle == Lifecycle::kClosed) return not_comparable("a closed store may refuse");
  std::vector<Disagreement> found;
  for (std::size_t i = 0; i < seen.twin.looks.size() && i < seen.parent.looks.size(); ++i) {
    const Look& look = seen.plan[i];
    const Answer twin = sorted(look, seen.twin.looks[i]);
    const Answer own = sorted(look, seen.parent.looks[i]);
    const Refused* no = refused(own);
    const Refused* twin_no = refused(twin);
    if (!twin_is_compared(look) || (!shown(own) && !no) || (!shown(twin) && !twin_no)) continue;
    if (no && unfitting(*no)) continue;                     // told by another oracle
    if (no && no->type == "NotImplementedError") continue;  // what a store says it cannot do
    const bool same = no && twin_no ? no->type == twin_no->type : own == twin;
    if (same) continue;
    found.push_back(
        {.oracle = "stores agree",
         .field = kind_of(look, expected),
         .wrong = no || twin_no
                      ? fmt::format("{} where a MemoryStore {}", word_of(own), word_of(twin))
                      : "other value",
         .headline = no || twin_no ? fmt::format("`{}` of a {} {}, a MemoryStore {}", say(look),
                                                 store_name(value), word_of(own), word_of(twin))
                                   : fmt::format("`{}` of a {} is not what a MemoryStore answers",
                                                 say(look), store_name(value)),
         .parent = twin,
         .child = own,
         .side = "parent",
         .look = static_cast<int>(i)});
  }
  return agree_or(std::move(found));
}

}  // namespace storefuzz
