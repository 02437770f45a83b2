// storefuzz report: draws the pages of a run again.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "harness/campaign/run_directory.h"
#include "harness/command/commands.h"
#include "harness/command/screen.h"
#include "harness/process/interruption.h"

namespace storefuzz {
namespace {

int report(const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::path(folder) / "run.json", error))
    return screen().fail(
        {.code = ExitCode::kBadInput, .message = fmt::format("{} is no run directory", folder)});
  if (auto drawn = render(folder, interrupted); !drawn) return screen().fail(drawn.error());
  screen().say(fmt::format("page: {}", (std::filesystem::path(folder) / "index.html").string()));
  return 0;
}

}  // namespace

void add_report(CLI::App& app, int& code) {
  auto folder = std::make_shared<std::string>();
  auto& command = *app.add_subcommand("report", "Draw the pages of a run again");
  command.add_option("run", *folder, "The run directory")->required();
  command.callback([folder, &code] { code = report(*folder); });
}

}  // namespace storefuzz
