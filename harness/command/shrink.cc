// storefuzz shrink: the smallest program with the same class of difference.
#include <fmt/format.h>

#include <memory>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/campaign/reduce_program.h"
#include "harness/command/case_files.h"
#include "harness/command/commands.h"
#include "harness/command/program_subject.h"
#include "harness/command/screen.h"
#include "harness/command/subject_options.h"
#include "harness/findings/script.h"
#include "harness/process/interruption.h"

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
  const auto script = program::write_script(small.value, small.difference, small.seen,
                                            {.release = subject.release,
                                             .published = subject.path.is_null(),
                                             .packages = subject.packages,
                                             .reference = reference_folder()});
  if (script) return write_file_whole(file, *script);
  if (script.error().code != ExitCode::kBadInput) return std::unexpected(script.error());
  screen().complain("no script: " + script.error().message);
  return {};
}

int shrink_program(const program::Case& value, const ShrinkOptions& options) {
  auto started = start_program_subject(options.subject, releases_of(value));
  if (!started) return screen().fail(started.error());
  started->session->use_workers_once();
  auto small = reduce_program(*started->session, value, {.questions = true, .stop = interrupted});
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

int shrink(const ShrinkOptions& options) {
  if (auto ready = prepare_adapter(options.subject); !ready) return screen().fail(ready.error());
  auto named = read_case(options.file);
  return named ? shrink_program(named->value, options) : screen().fail(named.error());
}

}  // namespace

void add_shrink(CLI::App& app, int& code) {
  auto options = std::make_shared<ShrinkOptions>();
  auto& command =
      *app.add_subcommand("shrink", "The smallest case with the same class of difference");
  command.add_option("case", options->file, "File with a case")->required();
  command.add_option("--script", options->script,
                     "Write a program's difference to this file, as a script");
  add_subject(command, options->subject);
  add_hidden(command, options->subject);
  command.callback([options, &code] { code = shrink(*options); });
}

}  // namespace storefuzz
