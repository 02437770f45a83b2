// Severity is a table; a cause is a list of words in a fixed order.
#include "harness/findings/cause.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

namespace storefuzz::program {
namespace {

// In the order of Wrong.
constexpr auto kSeverities = std::to_array<std::pair<Wrong, int>>({
    {Wrong::kLost, 1},
    {Wrong::kMade, 3},
    {Wrong::kUnreadable, 1},
    {Wrong::kStray, 3},
    {Wrong::kDeath, 4},
    {Wrong::kHang, 4},
    {Wrong::kOtherValue, 2},
    {Wrong::kAbsent, 2},
    {Wrong::kGhost, 2},
    {Wrong::kTwice, 2},
    {Wrong::kDone, 2},
    {Wrong::kNotEqual, 5},
    {Wrong::kState, 5},
    {Wrong::kRefused, 6},
    {Wrong::kUnfittingType, 6},
    {Wrong::kDisagree, kMildest},
});
static_assert([] {
  for (std::size_t i = 0; i < kSeverities.size(); ++i)
    if (kSeverities[i].first != static_cast<Wrong>(i)) return false;
  return kSeverities.back().first == Wrong::kDisagree;
}());

constexpr int kOfState = 5;   // a question about state that is refused
constexpr int kOfACarry = 5;  // refused, or by an unfitting type
constexpr int kOfMisuse = 6;  // at most

const Step* step_of(const Case& value, const Difference& it) {
  return it.where.step < value.steps.size() ? &value.steps[it.where.step] : nullptr;
}

const Call* call_of(const Case& value, const Difference& it) {
  const Step* step = step_of(value, it);
  return step ? std::get_if<Call>(step) : nullptr;
}

// The step in words: an operation, "make", "fork", a carrier, a deed.
std::string step_word(const Case& value, const Difference& it, bool plainest) {
  const Step* step = step_of(value, it);
  if (!step) return "the end";
  return std::visit(
      Each{[](const Make&) { return std::string("make"); },
           [&](const Call& call) {
             return std::string(name_of(plainest ? operation(call.op).plainer : call.op));
           },
           [&](const Carry& carry) {
             return plainest ? "carry" : fmt::format("carry by {}", name_of(carry.carrier));
           },
           [](const Fork&) { return std::string("fork"); },
           [](const Deed& deed) { return std::string(name_of(deed.what)); }},
      *step);
}

std::string refusal_type(const Difference& it) {
  const Refusal* refusal = refused(it.was);
  return refusal ? refusal->type : "";
}

// A key that is no plain path, and that the reduction did not make one: of any call.
bool has_odd_key(const Case& value) {
  return std::ranges::any_of(value.steps, [](const Step& step) {
    const Call* call = std::get_if<Call>(&step);
    return call && !call->key.empty() && !plain_key(call->key);
  });
}

// How the program gets from process to process, in the order of its steps; each way once.
std::vector<std::string> journeys_of(const Case& value) {
  std::vector<std::string> ways;
  const auto add = [&](std::string way) {
    if (std::ranges::find(ways, way) == ways.end()) ways.push_back(std::move(way));
  };
  for (const Step& step : value.steps) {
    if (const Carry* carry = std::get_if<Carry>(&step)) {
      const bool away = carry->to != kHome;
      add(fmt::format("{}{}", name_of(carry->carrier), away ? " to another process" : ""));
    }
    if (std::holds_alternative<Fork>(step)) add("fork");
  }
  return ways;
}

}  // namespace

std::string kinds_of(const Case& value) {
  std::set<std::string> kinds;
  for (const Step& step : value.steps)
    if (const Make* make = std::get_if<Make>(&step)) kinds.insert(make->kind->kind);
  return fmt::format("{}", fmt::join(kinds, ", "));
}

bool has_journey(const Case& value) { return !journeys_of(value).empty(); }

int severity_of(const Case& value, const Difference& it) {
  if (it.question) return kMildest;
  const Step* step = step_of(value, it);
  const Call* call = call_of(value, it);
  int severity = kSeverities[static_cast<std::size_t>(it.wrong)].second;
  if (step && std::holds_alternative<Carry>(*step)) severity = std::min(severity, kOfACarry);
  if (call && operation(call->op).family == Family::kState) severity = std::min(severity, kOfState);
  const bool misuse = call && operation(call->op).misuse;
  return misuse && severity > 1 ? std::max(severity, kOfMisuse) : severity;
}

std::string class_of(const Case& value, const Difference& it) {
  // Each attribute is lost for a reason of its own.
  if (it.wrong == Wrong::kState)
    return fmt::format("{} / {} / {}", it.oracle, name_of(it.wrong), it.where.key);
  return fmt::format("{} / {} / {} / {}", it.oracle, name_of(it.wrong), step_word(value, it, true),
                     it.where.zip_class.empty() ? refusal_type(it) : it.where.zip_class);
}

Cause cause_of(const Case& value, const Difference& it) {
  std::vector<std::string> words{
      it.oracle, std::string(name_of(it.wrong)),
      fmt::format("{} on {}", step_word(value, it, false), kinds_of(value))};
  if (const Call* call = call_of(value, it)) {
    if (has_odd_key(value)) words.push_back("an odd key");
    if (!it.where.argument.empty() && it.where.argument != "plain")
      words.push_back(fmt::format("{} argument", it.where.argument));
    if (call->by == By::kSync) words.push_back("by sync");
  }
  if (it.wrong == Wrong::kState) words.push_back(it.where.key);
  const bool relative = std::ranges::any_of(value.steps, [](const Step& step) {
    const auto* make = std::get_if<Make>(&step);
    return make && make->relative;
  });
  if (relative) words.emplace_back("by a relative path");
  // What a zip library makes of a wrong archive has one root for each way to be wrong.
  if (!it.where.zip_class.empty())
    words.push_back(fmt::format("an archive of class {}", it.where.zip_class));
  const Refusal* refusal = refused(it.was);
  if (refusal)
    words.push_back(fmt::format("{} in {}", refusal->type,
                                refusal->frame.empty() ? "no frame of zarr" : refusal->frame));
  const std::vector<std::string> journeys = journeys_of(value);
  if (!journeys.empty()) words.push_back(fmt::format("after {}", fmt::join(journeys, ", ")));
  return {.key = fmt::format("{}", fmt::join(words, " / ")),
          .severity = severity_of(value, it),
          .journey = !journeys.empty()};
}

}  // namespace storefuzz::program
