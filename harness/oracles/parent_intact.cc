// Packing a store reads it, and must not change it: who sends goes on as before. One handle that is
// asked before and after its carry, with nothing else between, says the same, in its state and in
// what it reads.
//
// What the model knows to be wrong is told by reads, listing and refusal; here one handle is held
// against itself, also where nobody knows what is right.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/oracles/oracle.h"

namespace storefuzz::program {
namespace {

struct Said {
  const JudgedAnswer* answer = nullptr;
  bool carried = false;  // since then, and nothing else was done
};

bool is_state(const Call& call) { return operation(call.op).family == Family::kState; }

// What one event loop connected, another may be refused.
std::string question_of(const Call& call) {
  return fmt::format("{} {} {} {} {}", operation(call.op).word, name_of(call.by), call.start,
                     call.end, call.key);
}

// An array is sent by what it opened meanwhile: its store is another one afterwards.
bool opens(const Carry& carry) {
  return carry.cargo == Cargo::kArray || carry.cargo == Cargo::kGroup;
}

// Names come in any order; errors are compared by type.
bool same(const Answer& one, const Answer& other) {
  if (refused(one) && refused(other)) return refused(one)->type == refused(other)->type;
  const auto *left = shown_as<Names>(one), *right = shown_as<Names>(other);
  return left && right ? std::ranges::is_permutation(left->names, right->names) : one == other;
}

std::string differing_attribute(const Answer& one, const Answer& other) {
  const auto *left = shown_as<Attributes>(one), *right = shown_as<Attributes>(other);
  if (!left || !right) return {};
  const auto at = std::ranges::mismatch(left->values, right->values);
  return at.in2 != right->values.end() ? at.in2->first : at.in1->first;
}

class ParentIntact {
 public:
  explicit ParentIntact(const Case& value) : case_(value) {}

  void take(std::size_t step, std::span<const JudgedAnswer> answers) {
    const Step& it = case_.steps[step];
    if (const auto* carry = std::get_if<Carry>(&it); carry && !opens(*carry)) {
      for (auto& [question, said] : said_[carry->from + " " + carry->in]) said.carried = true;
      return;
    }
    const auto* call = std::get_if<Call>(&it);
    if (!call) return said_.clear();
    const Operation& row = operation(call->op);
    for (const JudgedAnswer& answer : answers) {
      const std::string handle = call->on[answer.handle] + " " + call->in;
      // What opens one handle, or writes by it, may change what others say; who closes one opens
      // its file anew afterwards, which an outsider may have deleted meanwhile.
      if (row.on_handle != OnHandle::kNone)
        forget(handle, row.writes() || row.on_handle == OnHandle::kEnds);
      ask(*call, answer, said_[handle]);
    }
  }

  std::vector<Difference> found;

 private:
  void forget(const std::string& handle, bool all) {
    if (all) return said_.clear();
    std::erase_if(said_, [&](const auto& it) { return it.first != handle; });
    std::erase_if(said_[handle],
                  [](const auto& it) { return shown_as<Attributes>(*it.second.answer->answer); });
  }

  void ask(const Call& call, const JudgedAnswer& answer, std::map<std::string, Said>& of_handle) {
    if (answer.signature.empty() || answer.difference || call.op == Op::kListHalf) return;
    Said& said = of_handle[question_of(call)];
    const JudgedAnswer* before = std::exchange(said.answer, &answer);
    const bool carried = std::exchange(said.carried, false);
    const bool answered = shown(*answer.answer) || refused(*answer.answer);
    if (!carried || !answered || !shown(*before->answer)) return;
    if (!same(*before->answer, *answer.answer)) tell(call, *before, answer);
  }

  void tell(const Call& call, const JudgedAnswer& before, const JudgedAnswer& after) {
    Difference wrong{.wrong = is_state(call)           ? Wrong::kState
                              : refused(*after.answer) ? Wrong::kRefused
                                                       : Wrong::kOtherValue,
                     .where = where_of(case_, after),
                     .should_be = say(*before.answer),
                     .was = *after.answer,
                     .first = true};
    if (is_state(call)) wrong.where.key = differing_attribute(*before.answer, *after.answer);
    found.push_back(std::move(wrong));
  }

  const Case& case_;
  std::map<std::string, std::map<std::string, Said>> said_;  // handle → question
};

}  // namespace

std::vector<Difference> judge_parent_intact(const Case& value, const Judged& judged,
                                            const Observation&) {
  ParentIntact intact(value);
  for (auto begin = judged.answers.begin(); begin != judged.answers.end();) {
    const auto end = std::find_if(begin, judged.answers.end(),
                                  [&](const JudgedAnswer& it) { return it.step != begin->step; });
    intact.take(begin->step, {begin, end});
    begin = end;
  }
  return std::move(intact.found);
}

}  // namespace storefuzz::program
