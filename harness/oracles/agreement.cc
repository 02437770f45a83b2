// Answers about the same content agree, also where nobody knows what that is: two questions to one
// handle, or one question to two handles that surely see the same. It adds little where the model
// is exact and much where it is not.
#include <fmt/format.h>

#include <map>
#include <set>

#include "harness/oracles/oracle.h"

namespace storefuzz::program {
namespace {

// What is known of one content, fact by fact: "value a" → the answer that said it.
class Facts {
 public:
  // The right answer, where this one contradicts what is known.
  std::optional<Answer> take(const Call& call, const Answer& answer) {
    const auto* names = shown_as<Names>(answer);
    if (call.op == Op::kList && names) return take_list(*names, answer);
    if (const auto wrong = take_fact(
            fmt::format("{} {} {} {}", static_cast<int>(call.op), call.key, call.start, call.end),
            names ? Answer{Shown{sorted(*names)}} : answer))
      return wrong;
    if (call.op == Op::kExists)
      if (const auto* there = shown_as<bool>(answer)) return take_presence(call.key, *there);
    if (call.op != Op::kGet && call.op != Op::kGetSync) return {};
    return take_presence(call.key, !shown_as<None>(answer));
  }

 private:
  static Names sorted(Names names) {
    std::ranges::sort(names.names);
    return names;
  }

  std::optional<Answer> take_fact(const std::string& fact, const Answer& answer) {
    const auto [known, is_new] = facts_.emplace(fact, answer);
    if (is_new || known->second == answer) return {};
    return known->second;
  }

  std::optional<Answer> take_presence(const std::string& key, bool there) {
    if (all_ && all_->contains(key) != there) return Answer{Shown{!there}};
    return take_fact("there " + key, Shown{there});
  }

  std::optional<Answer> take_list(const Names& names, const Answer&) {
    const std::set<std::string> all(names.names.begin(), names.names.end());
    if (all_ && *all_ != all) return Answer{Shown{Names{{all_->begin(), all_->end()}}}};
    for (const auto& [fact, answer] : facts_) {
      constexpr std::string_view kThere = "there ";
      const auto* there = shown_as<bool>(answer);
      if (there && fact.starts_with(kThere) && all.contains(fact.substr(kThere.size())) != *there)
        return Answer{Shown{Text{fmt::format("a listing {} {}", *there ? "with" : "without",
                                             fact.substr(kThere.size()))}}};
    }
    all_ = all;
    return {};
  }

  std::map<std::string, Answer> facts_;
  std::optional<std::set<std::string>> all_;
};

}  // namespace

std::vector<Difference> judge_agreement(const Case& value, const Judged& judged,
                                        const Observation&) {
  std::vector<Difference> found;
  std::map<std::string, Facts> all;
  std::set<std::string> told;
  std::size_t effects = 0;
  for (const JudgedAnswer& it : judged.answers) {
    if (it.effects != effects) all.clear();
    effects = it.effects;
    const auto* call = std::get_if<Call>(&value.steps[it.step]);
    // A write that had to be refused and was done is told by itself, and shows everywhere.
    if (it.difference && call && operation(call->op).writes()) all.clear();
    const bool attributes = call && operation(call->op).gives == Gives::kState;
    if (!call || attributes || it.signature.empty() || !shown(*it.answer)) continue;
    // After a difference nothing that was said before is known.
    if (it.difference) {
      all.erase(it.signature);
      continue;
    }
    if (call->op == Op::kListHalf) continue;  // any key is right
    if (!it.allowed.opinion && it.allowed.reason != Reason::kOutsider &&
        it.allowed.reason != Reason::kAfterDifference &&
        it.allowed.reason != Reason::kCloseRefused && it.allowed.reason != Reason::kTwisted)
      continue;
    const auto right = all[it.signature].take(*call, *it.answer);
    if (!right) continue;
    all.erase(it.signature);
    Difference wrong{.wrong = Wrong::kOtherValue,
                     .where = where_of(value, it),
                     .should_be = say(*right),
                     .was = *it.answer};
    wrong.first = told.insert(wrong.where.place).second;
    found.push_back(std::move(wrong));
  }
  return found;
}

}  // namespace storefuzz::program
