// See replay_programs.h.
#include "harness/command/replay_programs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "harness/command/program_subject.h"
#include "harness/command/screen.h"
#include "harness/process/interruption.h"
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
  for (const std::string& quirk : played.quirks) screen().say(fmt::format("  a quirk: {}", quirk));
  for (const auto& [process, end] : played.seen.ends)
    screen().say(fmt::format("  {} ended: {}", process, end));
}

}  // namespace

int replay_programs(const std::vector<NamedProgram>& programs, const SubjectOptions& options) {
  std::set<std::string> releases;
  for (const NamedProgram& program : programs) releases.merge(releases_of(program.value));
  auto started = start_program_subject(options, releases);
  if (!started) return screen().fail(started.error());
  bool differs = false;
  for (std::size_t at = 0; at < programs.size(); ++at) {
    if (interrupted())
      return screen().fail(
          {.code = ExitCode::kMachine,
           .message = fmt::format("interrupted after {} of {} cases", at, programs.size())});
    auto played = started->session->play(programs[at].value, Effort::kAll);
    if (!played) return screen().fail(played.error());
    differs = differs || std::ranges::any_of(played->differences, &Difference::first);
    say_all(programs[at], *played, started->subject.release);
  }
  return differs ? 1 : 0;
}

}  // namespace storefuzz
