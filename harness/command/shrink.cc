// storefuzz shrink: the smallest case with the same fingerprint, the smallest program with the same
// class of difference.
#include "harness/campaign/shrink.h"

#include <fmt/format.h>

#include <memory>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/campaign/campaign.h"
#include "harness/campaign/reduce_program.h"
#include "harness/command/case_files.h"
#include "harness/command/commands.h"
#include "harness/command/program_subject.h"
#include "harness/command/screen.h"
#include "harness/command/subject_options.h"
#include "harness/findings/script.h"
#include "harness/process/interruption.h"
#include "harness/process/scratch.h"

namespace storefuzz {
namespace {

struct ShrinkOptions {
  SubjectOptions subject;
  std::string file, script;
};

int cut_short() {
  return screen().fail({.code = ExitCode::kMachine,
                        .message = "interrupted: there may be a smaller case than this one"});
}

// Where a script was asked for. What no script can say is told, and is no failure of the command.
Result<void> put_script(const ReducedProgram& small, const Subject& subject,
                        const std::string& file) {
  if (file.empty()) return {};
  const auto script =
      program::write_script(small.value, small.difference, small.seen,
                            {.release = subject.release,
                             .published = subject.path.is_null(),
                             .packages = subject.packages,
                             .operations = reference_folder() + "/operations.json"});
  if (script) return write_file_whole(file, *script);
  if (script.error().code != ExitCode::kBadInput) return std::unexpected(script.error());
  screen().complain("no script: " + script.error().message);
  return {};
}

int shrink_program(const program::Case& value, const ShrinkOptions& options) {
  auto started = start_program_subject(options.subject, releases_of(value));
  if (!started) return screen().fail(started.error());
  auto small = reduce_program(*started->session, value, kFindingBudget, interrupted);
  if (!small && small.error().message == kShowsNoDifference) {
    screen().say(
        fmt::format("nothing to shrink: nothing differs in zarr {}", started->subject.release));
    return 0;
  }
  if (!small) return screen().fail(small.error());
  screen().complain(small->difference.headline);
  screen().complain(fmt::format("severity {}: {}", small->cause.severity, small->cause.key));
  screen().complain(fmt::format("needs a journey: {}; {} programs played",
                                small->cause.journey ? "yes" : "no", small->tried));
  if (auto put = put_script(*small, started->subject, options.script); !put)
    return screen().fail(put.error());
  screen().say_lines(text_of(program::to_json(small->value), 2));
  return interrupted() ? cut_short() : 1;
}

int shrink_case(const ShrinkOptions& options) {
  auto named = read_any_case(options.file);
  if (!named) return screen().fail(named.error());
  if (named->program) return shrink_program(*named->program, options);
  auto subject = prepare_subject(options.subject);
  if (!subject) return screen().fail(subject.error());
  auto scratch = Scratch::make();
  if (!scratch) return screen().fail(scratch.error());
  auto player = Player::start({.python = subject->python,
                               .scratch = scratch->path(),
                               .planted = options.subject.planted,
                               .stop = interrupted});
  if (!player) return screen().fail(player.error());
  auto played = player->play(named->value);
  if (!played) return screen().fail(played.error());
  if (played->findings.empty()) {
    screen().say(fmt::format("nothing to shrink: both sides agree in zarr {}", subject->release));
    return 0;
  }
  const Finding* wanted = named->fingerprint.empty() ? &played->findings.front()
                                                     : find(played->findings, named->fingerprint);
  if (!wanted) wanted = &played->findings.front();
  auto small = shrink(*player, named->value, wanted->fingerprint, kFindingBudget, interrupted);
  if (!small) return screen().fail(small.error());
  screen().complain(fmt::format("{}: {} cases played", wanted->fingerprint, small->tried));
  screen().say_lines(text_of(to_json(small->value), 2));
  return interrupted() ? cut_short() : 1;
}

}  // namespace

void add_shrink(CLI::App& app, int& code) {
  auto options = std::make_shared<ShrinkOptions>();
  auto& command = *app.add_subcommand("shrink",
                                      "The smallest case with the same fingerprint; of a "
                                      "program, with the same class of difference");
  command.add_option("case", options->file, "File with a case")->required();
  command.add_option("--script", options->script,
                     "Write a program's difference to this file, as a script");
  add_subject(command, options->subject);
  add_hidden(command, options->subject);
  command.callback([options, &code] { code = shrink_case(*options); });
}

}  // namespace storefuzz
