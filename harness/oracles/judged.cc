// Walks a program with its observation, in order.
#include "harness/oracles/judged.h"

#include <algorithm>

#include "harness/model/model.h"

namespace storefuzz::program {
namespace {

class Walk {
 public:
  Walk(const Case& value, const Observation& seen, bool contents)
      : case_(value), seen_(seen), contents_(contents), model_(value) {
    for (const auto& [place, disk] : seen.before) model_.begin(place, disk);
  }

  Judged run() {
    judged_.answers.reserve(case_.steps.size() + kMaxMirrored);
    for (step_ = 0; step_ < std::min(case_.steps.size(), seen_.steps.size()); ++step_) take_step();
    judged_.after = std::move(model_);
    return std::move(judged_);
  }

 private:
  void take_step() {
    const Step& step = case_.steps[step_];
    const SeenStep& seen = seen_.steps[step_];
    const bool watched = !seen.crash_states.empty();
    const std::optional<Model> before = watched ? std::optional(model_) : std::nullopt;
    for (std::size_t handle = 0; handle < seen.answers.size(); ++handle) {
      JudgedAnswer judged{.step = step_, .handle = handle, .answer = &seen.answers[handle]};
      judged.allowed = model_.allowed(step, handle);
      judged.signature = model_.signature(step, handle);
      judged.effects = model_.effects();
      if (contents_) judged.surely_seen = model_.surely_seen(step, handle);
      judged.difference = model_.take(step, handle, seen.answers[handle], step_);
      judged_.answers.push_back(std::move(judged));
    }
    if (before)
      std::ranges::move(model_.judge_crash(*before, step, 0, seen.crash_states, step_),
                        std::back_inserter(judged_.crashes));
    for (const auto& [place, disk] : seen.disk)
      if (auto wrong = model_.take_disk(place, disk, step_))
        judged_.disk.push_back(std::move(*wrong));
  }

  const Case& case_;
  const Observation& seen_;
  const bool contents_;
  Model model_;
  Judged judged_;
  std::size_t step_ = 0;
};

}  // namespace

Judged walk(const Case& value, const Observation& seen, const Beside* beside) {
  const bool has_twins = beside && !beside->twins.empty();
  Judged judged = Walk(value, seen, has_twins).run();
  judged.beside = beside;
  if (has_twins)
    for (const Twin& twin : beside->twins)
      judged.twins.push_back(Walk(twin.value, twin.seen, true).run());
  return judged;
}

Argument argument_of(const Call& call, const JudgedAnswer& answer) {
  if (operation(call.op).misuse) return Argument::kMisuse;
  const Reason why = answer.allowed.reason;
  const bool edge = why == Reason::kEdge || why == Reason::kOddKey || why == Reason::kKeyAndFolder;
  return edge ? Argument::kEdge : Argument::kPlain;
}

std::vector<Difference> differences(const Case& value, const Judged& judged,
                                    bool (*takes)(const Operation* asked, Wrong wrong)) {
  std::vector<Difference> taken;
  for (const JudgedAnswer& it : judged.answers) {
    if (!it.difference) continue;
    const auto* call = std::get_if<Call>(&value.steps[it.step]);
    if (takes(call ? &operation(call->op) : nullptr, it.difference->wrong))
      taken.push_back(*it.difference);
  }
  return taken;
}

Where where_of(const Case& value, const JudgedAnswer& answer) {
  Where where{.step = answer.step, .call = answer.handle, .place = answer.allowed.place};
  if (const auto* call = std::get_if<Call>(&value.steps[answer.step])) {
    if (answer.handle < call->on.size()) where.handle = call->on[answer.handle];
    where.process = call->in;
    where.operation = std::string(operation(call->op).word);
    where.key = call->key;
  }
  return where;
}

}  // namespace storefuzz::program
