// See replay_programs.h.
#include "harness/command/replay_programs.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/command/screen.h"
#include "harness/play/program_session.h"
#include "harness/process/interruption.h"
#include "harness/process/scratch.h"
#include "harness/wire/describe.h"

namespace storefuzz {
namespace {

using program::Difference;
using program::SeenStep;

void say_step(const Json& step, const SeenStep& seen) {
  screen().say("  " + text_of(step));
  for (const program::Answer& answer : seen.answers)
    screen().say("      " + program::describe(answer));
  if (!seen.crash_states.empty())
    screen().say(fmt::format("      {} crash states", seen.crash_states.size()));
}

void say_differences(const std::vector<Difference>& differences, std::size_t step) {
  for (const Difference& it : differences)
    if (it.where.step == step)
      screen().say(fmt::format("    {} {}: {}", it.first ? "!" : "·", it.oracle, it.headline));
}

void say_all(const NamedProgram& program, const PlayedProgram& played, const std::string& release) {
  const auto firsts = std::ranges::count_if(played.differences, &Difference::first);
  screen().say(fmt::format(
      "{}: {} in zarr {}", program.name,
      firsts == 0 ? std::string("nothing differs") : fmt::format("differs at {} places", firsts),
      release));
  const Json json = program::to_json(program.value);
  for (std::size_t at = 0; at < played.seen.steps.size(); ++at) {
    say_step(json["program"][at], played.seen.steps[at]);
    say_differences(played.differences, at);
  }
  say_differences(played.differences, played.seen.steps.size());
  for (const auto& [process, end] : played.seen.ends)
    screen().say(fmt::format("  {} ended: {}", process, end));
}

// The other releases that processes name, release → interpreter; their environments are made where
// there are none yet.
Result<Json> other_subjects(const std::vector<NamedProgram>& programs) {
  Json interpreters = Json::object();
  for (const NamedProgram& program : programs)
    for (const program::Process& process : program.value.processes) {
      if (process.subject.empty() || interpreters.contains(process.subject)) continue;
      auto subject = find_subject({.zarr = process.subject});
      if (!subject) return std::unexpected(subject.error());
      interpreters[process.subject] = subject->python;
    }
  return interpreters;
}

}  // namespace

int replay_programs(const std::vector<NamedProgram>& programs, const SubjectOptions& options) {
  auto subject = prepare_subject(options);
  if (!subject) return screen().fail(subject.error());
  auto others = other_subjects(programs);
  if (!others) return screen().fail(others.error());
  auto scratch = Scratch::make();
  if (!scratch) return screen().fail(scratch.error());
  Settings settings;
  settings.python = subject->python;
  settings.scratch = scratch->path();
  settings.planted = options.planted;
  settings.subjects = text_of(*others);
  settings.adapters = text_of(added_adapters());
  auto session = ProgramSession::start(settings);
  if (!session) return screen().fail(session.error());
  bool differs = false;
  for (std::size_t at = 0; at < programs.size(); ++at) {
    if (interrupted())
      return screen().fail(
          {.code = ExitCode::kMachine,
           .message = fmt::format("interrupted after {} of {} cases", at, programs.size())});
    auto played = (*session)->play(programs[at].value);
    if (!played) return screen().fail(played.error());
    differs = differs || std::ranges::any_of(played->differences, &Difference::first);
    say_all(programs[at], *played, subject->release);
  }
  return differs ? 1 : 0;
}

}  // namespace storefuzz
