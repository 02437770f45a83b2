// storefuzz replay: does a case still happen? With --archive: what is a zip file, and what do
// readers make of it?
#include <fmt/format.h>

#include <map>
#include <memory>

#include "harness/command/archive_readers.h"
#include "harness/command/case_files.h"
#include "harness/command/commands.h"
#include "harness/command/replay_programs.h"
#include "harness/command/screen.h"
#include "harness/command/subject_options.h"
#include "harness/play/player.h"
#include "harness/process/interruption.h"
#include "harness/process/scratch.h"

namespace storefuzz {
namespace {

struct ReplayOptions {
  SubjectOptions subject;
  std::vector<std::string> cases, archives;
  std::string readers{kUsualReaders};
};

void print_side_by_side(const PlayedCase& played) {
  if (played.findings.empty()) return screen().say("  both sides agree");
  for (const Finding& found : played.findings) {
    screen().say("  " + found.told.headline);
    screen().say("    fingerprint  " + found.fingerprint);
    screen().say("    parent       " + describe(found.told.parent));
    screen().say("    child        " + describe(found.told.child));
  }
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
  std::vector<NamedCase> cases;
  std::vector<NamedProgram> programs;
  for (const std::string& file : options.cases) {
    auto named = read_any_case(file);
    if (!named) return screen().fail(named.error());
    if (named->program)
      programs.push_back({.name = file, .value = std::move(*named->program)});
    else
      cases.push_back(std::move(*named));
  }
  if (!programs.empty() && !cases.empty())
    return screen().fail({.code = ExitCode::kBadInput,
                          .message = "programs (format 2) and journeys are replayed apart: name "
                                     "files of one kind"});
  if (!programs.empty()) return replay_programs(programs, options.subject);
  auto subject = prepare_subject(options.subject);
  if (!subject) return screen().fail(subject.error());
  auto scratch = Scratch::make();
  if (!scratch) return screen().fail(scratch.error());
  auto player = Player::start({.python = subject->python,
                               .scratch = scratch->path(),
                               .planted = options.subject.planted,
                               .oracles_off = options.subject.oracles_off,
                               .stop = interrupted});
  if (!player) return screen().fail(player.error());
  bool happens = false;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (interrupted())
      return screen().fail(
          {.code = ExitCode::kMachine,
           .message = fmt::format("interrupted after {} of {} cases", i, cases.size())});
    auto played = player->play(cases[i].value);
    if (!played) return screen().fail(played.error());
    const std::string& wanted = cases[i].fingerprint;
    const bool still =
        wanted.empty() ? !played->findings.empty() : find(played->findings, wanted) != nullptr;
    happens = happens || still;
    screen().say(fmt::format("{}: {} in zarr {}", options.cases[i],
                             still ? "still happens" : "gone", subject->release));
    print_side_by_side(*played);
  }
  return happens ? 1 : 0;
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
