// Two kinds of store answer alike. The same program is played over another kind; where the model
// says that both handles surely see the same content, the same call gives the same answer. What
// differs is a question about the operation: its body says what each kind answers, and nobody is
// wrong for sure.
//
// Not compared is what a kind may do in its own way: what its columns say (what it cannot delete,
// keys that are files), a refusal that its history allows, and what is already told as wrong.
#include <algorithm>
#include <set>

#include "harness/oracles/oracle.h"

namespace storefuzz::program {
namespace {

struct Side {
  const JudgedAnswer* answer = nullptr;
  StoreKind kind;
};

bool answered(const Answer& answer) { return shown(answer) || refused(answer); }

bool is_wrong(const Side& side) {
  return side.answer->difference && !side.answer->difference->question;
}

bool is_of_several_keys(const Operation& row) {
  return row.takes.prefix || row.family == Family::kListing;
}

// Where kinds may differ by what the adapter says of them.
bool differ_by_column(const Call& call, const Side& one, const Side& other) {
  const Operation& row = operation(call.op);
  const Adapter &left = *one.kind.operator->(), &right = *other.kind.operator->();
  if (left.zarr_keys != right.zarr_keys) return true;
  // The name of a zip entry ends at its first NUL (APPNOTE 4.4.17): an archive has no such key.
  if (left.medium != right.medium && call.key.contains('\0')) return true;
  const auto either = [&](Reason why) {
    return one.answer->allowed.reason == why || other.answer->allowed.reason == why;
  };
  if ((either(Reason::kKeyAndFolder) || either(Reason::kOddKey)) &&
      (left.files != right.files || left.any_key != right.any_key))
    return true;
  // A name on a disk is a file or a folder; what lies in memory may take it as both.
  if (row.family == Family::kWrite && either(Reason::kKeyAndFolder) && left.medium != right.medium)
    return true;
  // That `list prefix` compares texts, also within a name, is documented.
  if (is_of_several_keys(row) && row.op != Op::kListPrefix && left.files != right.files &&
      either(Reason::kEdge))
    return true;
  if (row.on_content == OnContent::kClear) return left.clears != right.clears;
  return row.family == Family::kDelete && left.deletes != right.deletes;
}

// A refusal says something about the operation only where the question is what allows it, and not
// where a kind may lack the operation.
bool refused_by_right(const Call& call, const Side& side) {
  if (!refused(*side.answer->answer)) return false;
  if (operation(call.op).may_lack) return true;
  switch (side.answer->allowed.reason) {
    case Reason::kNone:  // the answer of a size of nothing
    case Reason::kEdge:
    case Reason::kOddKey:
    case Reason::kKeyAndFolder:
    case Reason::kNothingToDo:
    case Reason::kMisuse:
      return false;
    default:
      return true;
  }
}

bool comparable(const Call& call, const Side& one, const Side& other) {
  const std::string& seen = one.answer->surely_seen;
  if (one.kind == other.kind || seen.empty() || seen != other.answer->surely_seen) return false;
  for (const Side& it : {one, other})
    if (is_wrong(it) || !answered(*it.answer->answer) || refused_by_right(call, it)) return false;
  return operation(call.op).stores_agree() && !differ_by_column(call, one, other);
}

// By what error it is refused is another oracle's, but for what no user should do: that has no
// error which is right. A listing comes in any order.
bool alike(const Call& call, const Answer& one, const Answer& other) {
  if (refused(one) || refused(other))
    return refused(one) && refused(other) &&
           (!operation(call.op).misuse || refused(one)->type == refused(other)->type);
  const auto *left = shown_as<Names>(one), *right = shown_as<Names>(other);
  if (!left || !right) return one == other;
  return std::set(left->names.begin(), left->names.end()) ==
         std::set(right->names.begin(), right->names.end());
}

std::string in_words(const Answer& answer) {
  return refused(answer) ? "refused with " + say(answer) : say(answer);
}

}  // namespace

std::vector<Difference> judge_stores_agree(const Case& value, const Judged& judged,
                                           const Observation&) {
  std::vector<Difference> found;
  for (std::size_t at = 0; at < judged.answers.size(); ++at) {
    const JudgedAnswer& it = judged.answers[at];
    const auto* call = std::get_if<Call>(&value.steps[it.step]);
    const auto kind = call ? kind_of(value, call->on[it.handle]) : std::nullopt;
    if (!kind || it.surely_seen.empty()) continue;
    Difference question{.wrong = Wrong::kDisagree, .where = where_of(value, it), .was = *it.answer};
    bool disagree = false;
    question.stores.emplace_back((*kind)->kind, in_words(*it.answer));
    for (std::size_t twin = 0; twin < judged.twins.size(); ++twin) {
      const Case& other = judged.beside->twins[twin].value;
      const std::vector<JudgedAnswer>& answers = judged.twins[twin].answers;
      const auto its = kind_of(other, call->on[it.handle]);
      if (at >= answers.size() || !its) continue;
      const Answer& answer = *answers[at].answer;
      if (!comparable(*call, {&it, *kind}, {&answers[at], *its})) continue;
      question.stores.emplace_back((*its)->kind, in_words(answer));
      disagree = disagree || !alike(*call, *it.answer, answer);
    }
    if (!disagree) continue;
    for (const auto& [store, says] : question.stores)
      question.seen += (question.seen.empty() ? "" : "; ") + store + ": " + says;
    question.question = true;
    found.push_back(std::move(question));
  }
  return found;
}

}  // namespace storefuzz::program
