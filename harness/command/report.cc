// storefuzz report: draws the pages of a run again, or makes its causes known to later runs.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/campaign/run_directory.h"
#include "harness/command/commands.h"
#include "harness/command/screen.h"
#include "harness/findings/known.h"
#include "harness/process/interruption.h"

namespace storefuzz {
namespace {

int report(const std::string& folder, bool security) {
  std::error_code error;
  const std::filesystem::path page = std::filesystem::path(folder) / "index.html";
  if (std::filesystem::exists(std::filesystem::path(folder) / "state.json", error)) {
    if (auto drawn = draw_nights(folder, interrupted); !drawn) return screen().fail(drawn.error());
    screen().say(fmt::format("page: {}", page.string()));
    return 0;
  }
  if (!std::filesystem::exists(std::filesystem::path(folder) / "run.json", error))
    return screen().fail(
        {.code = ExitCode::kBadInput,
         .message = fmt::format("{} is no run directory, and no state of nights", folder)});
  if (auto drawn = render(folder, security, interrupted); !drawn)
    return screen().fail(drawn.error());
  screen().say(fmt::format("page: {}", page.string()));
  return 0;
}

int write_known(const std::string& folder, const std::string& file) {
  auto known = load_known(folder);
  if (!known) return screen().fail(known.error());
  if (auto written = write_file_whole(file, to_text(*known)); !written)
    return screen().fail(written.error());
  screen().say(
      fmt::format("{}: {} known; use it with --known", file, counted(known->size(), "cause")));
  return 0;
}

}  // namespace

void add_report(CLI::App& app, int& code) {
  auto folder = std::make_shared<std::string>();
  auto& command = *app.add_subcommand("report", "Draw the pages of a run again, or of nights");
  command.add_option("run", *folder, "The run directory, or the state of nights")->required();
  auto known = std::make_shared<std::string>();
  command.add_option("--write-known", *known,
                     "Write the causes of the run into a file for --known, and draw nothing");
  auto security = std::make_shared<bool>(false);
  command.add_flag("--security", *security,
                   "Put causes that are marked security into issue.md and findings.sarif as well");
  command.callback([folder, known, security, &code] {
    code = known->empty() ? report(*folder, *security) : write_known(*folder, *known);
  });
}

}  // namespace storefuzz
