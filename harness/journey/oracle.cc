// The list of oracles, and the small things several of them say.
#include "harness/journey/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/journey/oracles/all.h"

namespace storefuzz {

const std::vector<Oracle>& oracles() {
  static const std::vector<Oracle> list{
      {"attributes", "is every attribute and property there, with the same value?",
       judge_attributes},
      {"equality", "is what came out of the carrier equal to what went in?", judge_equality},
      {"reads", "do both sides read the same bytes, or get the same error?", judge_reads},
      {"listing", "do the listings agree with each other, and name nothing twice?", judge_listing},
      {"writable", "does nothing change through a read-only store, and does a writable one write?",
       judge_writable},
      {"on disk", "does reading change nothing, and does every acknowledged write stay?",
       judge_on_disk},
      {"parent intact", "does the store in the parent work on after it was carried?",
       judge_parent_intact},
      {"refusal", "is every error of a fitting type, and of the same type on both sides?",
       judge_refusal},
      {"deadline", "does everything come to an end?", judge_deadline},
      {"survival", "does every side live, and leave nothing behind?", judge_survival},
      {"expectation", "is what was read what the case wrote?", judge_expectation},
      {"stores agree", "do two kinds of store give the same answers to the same questions?",
       judge_stores_agree},
      {"readers agree", "do zarr and independent readers see the same in the same archive?",
       judge_readers_agree},
  };
  return list;
}

Verdict agree_or(std::vector<Disagreement> found) {
  Verdict verdict;
  verdict.kind = found.empty() ? Verdict::Kind::kAgree : Verdict::Kind::kDisagree;
  verdict.found = std::move(found);
  return verdict;
}

Verdict not_comparable(std::string why) {
  return {.kind = Verdict::Kind::kNotComparable, .why = std::move(why), .found = {}};
}

bool child_looked(const Observations& seen) {
  return std::holds_alternative<Absent>(seen.child.died) && shown(seen.child.received);
}

bool unfitting(const Refused& refusal) {
  static constexpr std::array never{"AttributeError", "IndexError", "RecursionError", "NameError",
                                    "AssertionError"};
  return std::ranges::any_of(refusal.kinds, [](const std::string& kind) {
    return std::ranges::find(never, kind) != never.end();
  });
}

std::string say(const Look& look) {
  const std::string& name = look.name;
  if (name == "get range")
    return fmt::format("get({:?}, RangeByteRequest({}, {}))", look.entry.key, look.start, look.end);
  if (name == "get offset")
    return fmt::format("get({:?}, OffsetByteRequest({}))", look.entry.key, look.start);
  if (name == "get suffix")
    return fmt::format("get({:?}, SuffixByteRequest({}))", look.entry.key, look.start);
  if (name == "open_array") return "zarr.open_array(store)";
  if (name == "pickle again") return "pickle.dumps(store)";
  if (name == "with_read_only") return "with_read_only(True)";
  if (name == "enter") return "with store as it: it is store";
  if (name == "equals its opposite") return "store == store.with_read_only(not store.read_only)";
  if (name.ends_with(" bytes"))
    return fmt::format("{}({:?}, b\"…\")", name.substr(4, name.size() - 10), look.entry.key);
  if (name == "get_partial_values by ranges")
    return fmt::format("get_partial_values(prototype, iter([({:?}, range), …]))", look.entry.key);
  std::string call = name.starts_with("try ") ? name.substr(4) : name;
  std::ranges::replace(call, ' ', '_');  // "set if not exists"
  const bool bare = call.ends_with("open") || call == "list" || call == "repr" || call == "close" ||
                    call == "clear" || call == "move";
  return bare ? call + "()" : fmt::format("{}({:?})", call, look.entry.key);
}

std::string store_name(const Case& value) {
  const Adapter& store = *value.store.operator->();
  // The kind only where the type does not tell it: FsspecStore (fsspec zip).
  std::string plain = store.kind + "store";
  std::erase(plain, ' ');
  const bool tells = std::ranges::equal(plain, store.type, {}, {}, [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return tells ? store.type : fmt::format("{} ({})", store.type, store.kind);
}

std::string carrying(const Case& value) {
  switch (value.carrier) {
    case Carrier::kCopy:
      return "copying";
    case Carrier::kDeepcopy:
      return "deep-copying";
    case Carrier::kHandedOver:
      return "handing over";
    case Carrier::kInherited:
      return "inheriting";
    case Carrier::kMadeAnew:
      return "making anew";
    default:
      return "unpickling";
  }
}

}  // namespace storefuzz
