// The list of oracles, and what their differences say in a sentence.
#include "harness/oracles/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/base/text.h"
#include "harness/case/make_text.h"

namespace storefuzz::program {

// One a file.
Judge judge_on_disk, judge_survival, judge_deadline, judge_reads, judge_listing, judge_writable,
    judge_equality, judge_attributes, judge_refusal, judge_parent_intact, judge_agreement,
    judge_readers_agree, judge_stores_agree;

namespace {

constexpr Oracle kOracles[] = {
    {"on disk", "does what was published stay, and does nothing else change?", judge_on_disk},
    {"survival", "does nobody die, and nobody leave something behind?", judge_survival},
    {"deadline", "does every call answer in time?", judge_deadline},
    {"reads", "does each read show what is there?", judge_reads},
    {"listing", "does each listing name what is there, once?", judge_listing},
    {"writable", "is nothing done where a refusal is due?", judge_writable},
    {"equality", "is equal what must be?", judge_equality},
    {"attributes", "have handles of one kind and place the same state?", judge_attributes},
    {"refusal", "is refused only what may be, by errors of a fitting type?", judge_refusal},
    {"parent intact", "does who sends a store go on with it as before?", judge_parent_intact},
    {"agreement", "do answers about the same content agree?", judge_agreement},
    {"readers agree", "do independent readers see what was published?", judge_readers_agree},
    {"stores agree", "do two kinds of store answer alike?", judge_stores_agree},
};

// What a class of difference says of {who}, {should} and {was}, in the order of Wrong.
constexpr auto kSentences = std::to_array<std::string_view>({
    "",  // what lies on the disk has sentences of its own
    "",
    "{who} cannot read the archive: {was}, where {should} is right",
    "beside the stores something is left behind: {was}",
    "{who} ends its process: {was}",
    "{who} does not answer in time",
    "{who} shows {was} where {should} is right",
    "{who} shows as missing what is there: {was}, where {should} is right",
    "{who} shows what is not there: {was}, where {should} is right",
    "{who} names a key twice: {was}",
    "{who} is done, where {should} is due",
    "{who} is {was}, where {should} is right",
    "{who} shows {was}, where {should} is right",
    "{who} is refused with {was}, where {should} is right",
    "{who} is refused with {was}, which is no fitting type",
    "{who} is a question on which stores disagree: {was}",
});
static_assert(kSentences.size() == static_cast<std::size_t>(Wrong::kDisagree) + 1);

// Which process is only of interest where there are several.
std::string who(const Case& value, const Where& it) {
  std::string text = it.operation.empty() ? "a step" : fmt::format("`{}`", it.operation);
  if (!it.key.empty()) text += fmt::format(" of {:?}", printable(it.key));
  if (!it.handle.empty()) text += " on " + it.handle;
  if (const auto kind = kind_of(value, it.handle)) text += fmt::format(" ({})", (*kind)->kind);
  if (!it.process.empty() && !value.processes.empty()) text += " in " + it.process;
  return text;
}

// The file or folder of a place, as a script names it.
std::string file_of(const Case& value, const std::string& place) {
  for (const Step& step : value.steps)
    if (const auto* make = std::get_if<Make>(&step); make && make->at == place)
      return file_name(place, make->kind->medium);
  return place;
}

// Of what lies at a place: a key that is not there is None, as a store shows it.
std::string lies(const Difference& it, const std::string& file) {
  const std::string key = fmt::format("{:?}", printable(it.where.key));
  if (it.wrong == Wrong::kUnreadable && it.should_be != kReadable)
    return fmt::format("who opens {} then is refused with {}, where {} is right", file, it.seen,
                       it.should_be);
  if (it.wrong == Wrong::kUnreadable)
    return fmt::format("{} cannot be read any more, though something was stored in it", file);
  if (it.wrong == Wrong::kMade && it.where.key.empty())
    return fmt::format("{} is made, though nothing was stored in it", file);
  if (it.wrong == Wrong::kMade)
    return fmt::format("{} is in {}, where it should not be: its value is {}", key, file, it.seen);
  if (it.where.key.empty())
    return it.should_be == kThere
               ? fmt::format("{} is not there, though something was stored in it", file)
               : fmt::format("{} should be {}, and is {}", file, it.should_be, it.seen);
  const bool gone = it.seen == say(Shown{None{}});
  return fmt::format("{} {} in {}: its value should be {}, and is {}", key,
                     gone ? "is lost" : "is changed", file, it.should_be, it.seen);
}

bool of_the_disk(const Difference& it) {
  return it.wrong == Wrong::kLost || it.wrong == Wrong::kMade ||
         (it.wrong == Wrong::kUnreadable && (it.within || it.where.operation == kOnDisk));
}

std::string headline_of(const Case& value, const Difference& it) {
  if (of_the_disk(it)) {
    const std::string text = lies(it, file_of(value, it.where.place));
    if (it.within) return fmt::format("if all stops within {}: {}", who(value, it.where), text);
    return fmt::format("on disk {}", text);
  }
  const std::string was = it.seen.empty() ? say(it.was) : it.seen;
  return fmt::format(fmt::runtime(kSentences[static_cast<std::size_t>(it.wrong)]),
                     fmt::arg("who", who(value, it.where)), fmt::arg("should", it.should_be),
                     fmt::arg("was", was));
}

// What is made or carried has no arguments that are odd. "" where nothing was asked.
std::string argument_of(const Case& value, const Judged& judged, const Where& where) {
  const auto found = std::ranges::find_if(judged.answers, [&](const JudgedAnswer& it) {
    return it.step == where.step && it.handle == where.call;
  });
  if (found == judged.answers.end()) return {};
  const auto* call = std::get_if<Call>(&value.steps[where.step]);
  if (!call) return std::string(where.operation.empty() ? "" : name_of(Argument::kPlain));
  if (where.operation != operation(call->op).word) return {};
  return std::string(name_of(argument_of(*call, *found)));
}

}  // namespace

std::span<const Oracle> oracles() { return kOracles; }

std::vector<Difference> judge(const Case& value, const Judged& judged, const Observation& seen) {
  std::vector<Difference> all;
  for (const Oracle& oracle : kOracles)
    for (Difference& it : oracle.judge(value, judged, seen)) {
      it.oracle = oracle.name;
      it.where.argument = argument_of(value, judged, it.where);
      it.headline = headline_of(value, it);
      all.push_back(std::move(it));
    }
  // The strongest of a step first: its oracle comes first in the list.
  std::ranges::stable_sort(all, {}, [](const Difference& it) { return it.where.step; });
  return all;
}

std::vector<Difference> judge(const Case& value, const Observation& seen) {
  return judge(value, walk(value, seen), seen);
}

}  // namespace storefuzz::program
