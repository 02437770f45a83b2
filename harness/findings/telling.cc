// See telling.h.
#include "harness/findings/telling.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <variant>

#include "harness/base/text.h"
#include "harness/findings/cause.h"
#include "harness/oracles/oracle.h"
#include "harness/wire/describe.h"

namespace storefuzz::program {
namespace {

std::string in_quotes(std::string_view text) { return "\"" + printable(text) + "\""; }

std::string say_make(const Make& make) {
  std::string text = fmt::format("{}: {} = {}", make.in, make.as, make.kind->kind);
  if (!make.around.empty()) text += " around " + make.around;
  if (!make.at.empty()) text += " at " + make.at;
  if (make.around.empty() && make.kind->takes("mode"))
    text += fmt::format(", mode {}", name_of(make.mode));
  if (make.read_only) text += fmt::format(", read_only {}", *make.read_only);
  if (make.deflated) text += ", deflated";
  if (make.relative) text += ", by a relative path";
  return text;
}

std::string say_call(const Call& call) {
  const Operation& row = operation(call.op);
  std::string text = call.in.empty() ? "" : call.in + ": ";
  text += fmt::format("{} on {}", row.word, fmt::join(call.on, ", "));
  if (row.takes.text()) text += " " + in_quotes(call.key);
  if (row.takes.value)
    text += " := " + in_quotes(call.value.word) +
            (call.value.size > 0 ? fmt::format(" ({} bytes)", call.value.size) : "");
  if (row.takes.start) text += fmt::format(" from {}", call.start);
  if (row.takes.end) text += fmt::format(" to {}", call.end);
  if (row.takes.other) text += " and " + call.other;
  if (row.takes.flag) text += call.flag ? " True" : " False";
  if (call.by == By::kSync) text += ", by zarr's own loop";
  if (call.watched) text += ", the disk watched";
  if (!call.as.empty()) text += " → " + call.as;
  return text;
}

std::string say_carry(const Carry& carry) {
  std::string text =
      fmt::format("{}: {} = {} by {}", carry.to, carry.as, carry.from, name_of(carry.carrier));
  if (carry.cargo != Cargo::kStore) text += fmt::format(", inside a {}", name_of(carry.cargo));
  if (!carry.in.empty()) text += fmt::format(", packed in {}", carry.in);
  return text;
}

std::string say_deed(const Deed& deed) {
  std::string text = fmt::format("{}: {}", deed.in, name_of(deed.what));
  if (!deed.handle.empty()) text += " " + deed.handle;
  if (!deed.at.empty()) text += " at " + deed.at;
  return text;
}

std::string say_step(const Step& step) {
  return std::visit(
      Each{[](const Make& it) { return say_make(it); }, [](const Call& it) { return say_call(it); },
           [](const Carry& it) { return say_carry(it); },
           [](const Fork& it) { return fmt::format("{}: forked from {}", it.process, it.in); },
           [](const Deed& it) { return say_deed(it); }},
      step);
}

Json say_disk(const std::map<std::string, OnDisk>& disk) {
  Json places = Json::object();
  for (const auto& [place, seen] : disk) {
    Json keys = Json::array();
    for (const auto& [key, bytes] : seen.content) keys.push_back(printable(key));
    places[place] = seen.state == OnDisk::State::kContent   ? keys
                    : seen.state == OnDisk::State::kMissing ? Json("missing")
                                                            : Json("unreadable");
  }
  return places;
}

}  // namespace

std::vector<std::string> steps(const Case& value, const Difference* difference) {
  std::vector<std::string> lines;
  for (const Place& place : value.before) {
    std::vector<std::string> names;
    for (const Entry& entry : place.entries) names.push_back(in_quotes(entry.key));
    for (const Twist& twist : place.twists)
      names.push_back(fmt::format("wrong in a named way: {}", twist.name));
    lines.push_back(fmt::format("before: {} at {}", fmt::join(names, ", "), place.name));
  }
  for (const Process& process : value.processes)
    lines.push_back(fmt::format("{}: a process of its own, by {}{}", process.name,
                                name_of(process.began),
                                process.subject.empty() ? "" : ", with zarr " + process.subject));
  for (std::size_t i = 0; i < value.steps.size(); ++i) {
    const bool here = difference && difference->where.step == i;
    lines.push_back((here ? "→ " : "") + say_step(value.steps[i]));
  }
  if (difference && difference->where.step >= value.steps.size()) lines.emplace_back("→ the end");
  return lines;
}

Json rows(const Case& value, const Difference& it) {
  Json table = Json::array();
  const auto row = [&](const char* label, const std::string& text) {
    if (!text.empty()) table.push_back(Json::array({label, printable(text)}));
  };
  row("should be", it.should_be);
  row("was", it.seen.empty() ? describe(it.was) : it.seen);
  if (it.within) row("when", "if all stops within the call");
  if (const Refusal* refusal = refused(it.was)) row("refused in", refusal->frame);
  row("operation", it.where.operation);
  row("argument", it.where.argument);
  row("key", it.where.key);
  row("handle", it.where.handle);
  row("process", it.where.process);
  row("place", it.where.place);
  row("needs a journey", has_journey(value) ? "yes" : "no");
  return table;
}

Json observations(const Case& value, const Observation& seen) {
  Json list = Json::array();
  for (std::size_t i = 0; i < seen.steps.size() && i < value.steps.size(); ++i) {
    Json answers = Json::array();
    for (const Answer& answer : seen.steps[i].answers) answers.push_back(describe(answer));
    Json step{{"step", say_step(value.steps[i])}, {"answers", std::move(answers)}};
    if (!seen.steps[i].disk.empty()) step["disk"] = say_disk(seen.steps[i].disk);
    if (!seen.steps[i].crash_states.empty())
      step["crash states"] = seen.steps[i].crash_states.size();
    list.push_back(std::move(step));
  }
  return {{"before", say_disk(seen.before)},
          {"steps", std::move(list)},
          {"ends", seen.ends},
          {"stray", seen.stray},
          {"open", seen.open}};
}

std::string_view question_of(std::string_view oracle) {
  const auto found = std::ranges::find(oracles(), oracle, &Oracle::name);
  return found == oracles().end() ? std::string_view() : found->asks;
}

}  // namespace storefuzz::program
