// The storefuzz command: words on the command line → a subcommand → exit code.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <sstream>

#include "harness/command/commands.h"
#include "harness/command/screen.h"
#include "harness/process/interruption.h"

namespace storefuzz {
namespace {

constexpr const char* kAbout =
    "storefuzz hunts for what a Zarr store loses on its way to another process.\n\n"
    "Examples:\n"
    "  storefuzz run --zarr 3.0.1 --time 60s\n"
    "  storefuzz run --zarr ../zarr-python --stores zip --out runs/pull-request\n"
    "  storefuzz replay corpus/regressions/*.json --zarr 3.0.1\n"
    "  storefuzz replay --archive downloads/ --readers zarr,libzip,tensorstore\n"
    "  storefuzz releases corpus/regressions/zip_read_only_lost.json --zarr 3.0.1,3.0.2\n\n"
    "Exit codes: 0 no confirmed finding, or only known ones; 1 a confirmed finding that is not\n"
    "known; 2 something was named wrong; 3 the machine lacks something or failed, something hung "
    "more\n"
    "than once and no script shows it, or the command was interrupted before its work was done.";

// What was typed wrong, in words of ours: CLI11's speak of its types ("--time: 1 required TEXT
// missing").
std::string sentence_of(const CLI::ParseError& error, const CLI::App& app) {
  const auto typed = app.get_subcommands();
  const std::string command = typed.empty() ? "" : typed.front()->get_name() + " ";
  const std::string said = error.what();
  const std::string name = said.substr(0, said.find_first_of(": "));
  std::string sentence = said;
  // What follows an option that nobody knows was taken for something else, and blamed.
  std::vector<std::string> unknown = app.remaining(true);
  std::erase_if(unknown, [](const std::string& it) { return !it.starts_with('-'); });
  if (!unknown.empty() && dynamic_cast<const CLI::ValidationError*>(&error))
    sentence = fmt::format("{}does not know {}", command, fmt::join(unknown, " "));
  else if (dynamic_cast<const CLI::ExtrasError*>(&error))
    sentence = fmt::format("{}does not know {}", command, fmt::join(app.remaining(true), " "));
  else if (dynamic_cast<const CLI::RequiredError*>(&error))
    sentence = typed.empty() ? "a command is missing"
                             : fmt::format("{}lacks its argument \"{}\"", command, name);
  else if (dynamic_cast<const CLI::ArgumentMismatch*>(&error))
    sentence = said.find("At Most") == said.npos ? name + " needs a value"
                                                 : name + " may be named only once";
  else if (dynamic_cast<const CLI::ConversionError*>(&error))
    sentence = "this is no number: " + said.substr(said.find(": ") + 2);
  return fmt::format("{}; storefuzz {}--help shows what there is", sentence, command);
}

int parse_and_run(int count, char** arguments) {
  CLI::App app{kAbout};
  int code = 0;
  app.set_version_flag("--version", STOREFUZZ_VERSION);
  app.require_subcommand(1);
  for (const AddCommand add : kCommands) add(app, code);
  const auto named = [&](const CLI::App* it) { return it->get_name() == arguments[1]; };
  if (count > 1 && arguments[1][0] != '-' && app.get_subcommands(named).empty())
    return screen().fail(
        {.code = ExitCode::kBadInput,
         .message = fmt::format("there is no command {}; storefuzz --help shows what there is",
                                arguments[1])});
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help, --version
      std::ostringstream text;
      app.exit(error, text, text);
      screen().say_lines(text.str());
      return 0;
    }
    return screen().fail({.code = ExitCode::kBadInput, .message = sentence_of(error, app)});
  }
  return code;
}

// Processes that our processes left behind were handed to us (PR_SET_CHILD_SUBREAPER): those that
// have ended are reaped.
void reap_orphans() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace
}  // namespace storefuzz

int main(int count, char** arguments) {
  storefuzz::count_interruptions();
  ::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const int code = storefuzz::screen().end(storefuzz::parse_and_run(count, arguments));
  storefuzz::reap_orphans();
  return code;
}
