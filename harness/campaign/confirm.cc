// See confirm.h. A planted loss reaches the script's interpreters by a sitecustomize.py of ours.
#include "harness/campaign/confirm.h"

#include <fmt/format.h>

#include <atomic>
#include <utility>

#include "harness/base/paths.h"
#include "harness/base/text.h"

namespace storefuzz {
namespace {

// Of an exception: its type and text, as the script prints them last.
std::string last_exception(std::string_view output) {
  output = output.substr(0, output.find_last_not_of('\n') + 1);
  output = output.substr(0, output.find(" <traceback object"));
  return std::string(shorten(output.substr(output.rfind('\n') + 1), 200));
}

// What a script of a finding did, once.
struct Tried {
  Confirmed confirmed;
  bool died = false;  // by a signal, after it had said its sentence
};

Result<Tried> try_once(const std::filesystem::path& script, const std::string& headline,
                       const ConfirmOptions& options) {
  static std::atomic<int> number = 0;
  const std::filesystem::path folder =
      options.scratch / fmt::format("confirm-{}", number.fetch_add(1));
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  Command command{.arguments = {options.python, script.string()},
                  .environment = {{"TMPDIR", folder.string()},
                                  {"PYTHONDONTWRITEBYTECODE", "1"},
                                  {"PYTHONWARNINGS", "ignore"},
                                  {"PYTHONPATH", ""}},
                  .directory = folder.string(),
                  .contain = options.scratch.string()};
  if (!options.planted.empty()) {
    command.environment["PYTHONPATH"] = source_folder() + "/reference/planted/site";
    command.environment["STOREFUZZ_PLANTED"] = options.planted;
  }
  auto done = run_to_end(command, options.deadline, options.stop);
  if (!done) return std::unexpected(done.error());
  std::filesystem::remove_all(folder, error);
  Confirmed confirmed{
      .stopped = done->stopped, .exit_code = done->exit_code, .output = done->output};
  const bool told = done->output.find("DEFECT: " + headline) != std::string::npos;
  confirmed.confirmed = done->exit_code == 1 && told && !done->stopped;
  if (!confirmed.confirmed)
    confirmed.why = done->stopped          ? "the run was interrupted while repro.py ran"
                    : done->exit_code == 0 ? "repro.py says gone in a fresh interpreter"
                    : done->exit_code == 1 ? "repro.py did not print the sentence of the finding"
                    : done->exit_code == 2
                        ? "repro.py ended with exit 2: " + printable(last_exception(done->output))
                        : fmt::format("repro.py ended with {}", done->end);
  return Tried{std::move(confirmed), told && done->end.starts_with("SIG")};
}

}  // namespace

// A library with threads of its own (obstore) now and then aborts the process in which Python
// exits, when the script has said all: it is asked again.
Result<Confirmed> confirm(const std::filesystem::path& script, const std::string& headline,
                          const ConfirmOptions& options) {
  constexpr int kMostTries = 3;
  for (int tries = 1;; ++tries) {
    auto tried = try_once(script, headline, options);
    if (!tried) return std::unexpected(tried.error());
    if (!tried->died || tried->confirmed.stopped || tries == kMostTries)
      return std::move(tried->confirmed);
  }
}

}  // namespace storefuzz
