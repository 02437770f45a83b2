// storefuzz replay: does a case still happen? With --archive: what is a zip file, and what do
// readers make of it?
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "harness/command/archive_readers.h"
#include "harness/command/case_files.h"
#include "harness/command/commands.h"
#include "harness/command/program_subject.h"
#include "harness/command/screen.h"
#include "harness/command/subject_options.h"
#include "harness/process/interruption.h"
#include "harness/wire/describe.h"

namespace storefuzz {
namespace {

using program::Difference;
using program::SeenStep;

struct ReplayOptions {
  SubjectOptions subject;
  std::vector<std::string> cases, archives;
  std::string readers{kUsualReaders};
};

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

void say_all(const NamedCase& program, const PlayedProgram& played, const std::string& release) {
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

int replay_cases(const std::vector<NamedCase>& cases, const SubjectOptions& options) {
  std::set<std::string> releases;
  for (const NamedCase& program : cases) releases.merge(releases_of(program.value));
  auto started = start_program_subject(options, releases);
  if (!started) return screen().fail(started.error());
  bool differs = false;
  for (std::size_t at = 0; at < cases.size(); ++at) {
    if (interrupted())
      return screen().fail(
          {.code = ExitCode::kMachine,
           .message = fmt::format("interrupted after {} of {} cases", at, cases.size())});
    auto played = started->session->play(cases[at].value, Effort::kAll);
    if (!played) return screen().fail(played.error());
    differs = differs || std::ranges::any_of(played->differences, &Difference::first);
    say_all(cases[at], *played, started->subject.release);
  }
  return differs ? 1 : 0;
}

// What became of all files, in one line.
std::string sum_up(std::size_t done, std::map<std::string_view, std::size_t>& count,
                   std::size_t also_in_part, const ArchivesFound& found) {
  std::string line = fmt::format(
      "{} archives: {} read alike, {} in part, {} with known differences, {} with news", done,
      count["read alike"], count["in part"], count["known differences"], count["news"]);
  if (also_in_part > 0)
    line += fmt::format(" ({} of those with differences in part)", also_in_part);
  if (count["not looked at"] > 0) line += fmt::format(", {} not looked at", count["not looked at"]);
  if (found.links > 0) line += fmt::format("; links skipped: {}", found.links);
  if (found.no_files > 0)
    line += fmt::format("; pipes, sockets and devices skipped: {}", found.no_files);
  return line;
}

// Reads zip files that a user received: classes, readers, differences; one line of JSON a file.
int replay_archives(const ReplayOptions& options) {
  auto found = archives_below(options.archives);
  if (!found) return screen().fail(found.error());
  auto readers = archive_readers(options.readers, options.subject);
  if (!readers) return screen().fail(readers.error());
  std::size_t done = 0, also_in_part = 0;
  std::map<std::string_view, std::size_t> count;  // by outcome
  auto end =
      examine(found->files, readers->quirks, readers->options, [&](const Examination& examination) {
        screen().say(text_of(to_json(examination)));
        ++count[examination.outcome()];
        also_in_part += !examination.differences.empty() && !examination.unread.empty() ? 1 : 0;
        screen().progress(fmt::format("{} of {} archives, {} with news", ++done,
                                      found->files.size(), count["news"]));
      });
  if (!end) return screen().fail(end.error());
  screen().complain(sum_up(done, count, also_in_part, *found));
  if (interruptions() > 0)
    return screen().fail(
        {.code = ExitCode::kMachine,
         .message = fmt::format("interrupted after {} of {} archives", done, found->files.size())});
  if (count["news"] > 0) return 1;
  return count["not looked at"] > 0 ? static_cast<int>(ExitCode::kMachine) : 0;
}

int replay(const ReplayOptions& options, bool readers_named) {
  if (options.cases.empty() == options.archives.empty())
    return screen().fail({.code = ExitCode::kBadInput,
                          .message = "replay takes files with cases, or --archive with zip files; "
                                     "storefuzz replay --help shows both"});
  if (!options.archives.empty()) return replay_archives(options);
  if (readers_named)
    return screen().fail({.code = ExitCode::kBadInput,
                          .message = "--readers is for --archive: cases are played by zarr alone"});
  if (auto ready = prepare_adapter(options.subject); !ready) return screen().fail(ready.error());
  std::vector<NamedCase> cases;
  for (const std::string& file : options.cases) {
    auto named = read_case(file);
    if (!named) return screen().fail(named.error());
    cases.push_back(std::move(*named));
  }
  return replay_cases(cases, options.subject);
}

}  // namespace

void add_replay(CLI::App& app, int& code) {
  auto options = std::make_shared<ReplayOptions>();
  auto& command = *app.add_subcommand("replay", "Does it still happen?");
  command.add_option("case", options->cases, "Files with cases");
  command.add_option("--archive", options->archives,
                     "Zip files, or folders of them: what each is, and what readers make of it, "
                     "one line of JSON a file");
  add_readers(command, options->readers);
  add_subject(command, options->subject);
  add_hidden(command, options->subject);
  command.callback(
      [options, &command, &code] { code = replay(*options, command.count("--readers") > 0); });
}

}  // namespace storefuzz
