// storefuzz releases: a table, case × release.
#include "harness/campaign/releases.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "harness/base/text.h"
#include "harness/command/case_files.h"
#include "harness/command/commands.h"
#include "harness/command/screen.h"
#include "harness/command/subject_options.h"
#include "harness/process/interruption.h"
#include "harness/process/scratch.h"

namespace storefuzz {
namespace {

struct TableOptions {
  SubjectOptions subject;  // --with and --adapter
  std::string releases;
  std::vector<std::string> cases, package;
};

// From old to new, each once, however they were named.
Result<std::vector<PlayedRelease>> chosen_releases(const TableOptions& options) {
  std::vector<PlayedRelease> chosen;
  if (!options.package.empty()) {
    const std::string& package = options.package.front();
    for (const std::string& version : comma_separated(options.package.back()))
      chosen.push_back({version, {.zarr = options.releases, .with = {package + "==" + version}}});
    if (chosen.empty()) return bad_input("--package names no version");
    return chosen;
  }
  auto known = all_releases();
  if (!known) return std::unexpected(known.error());
  const std::vector<std::string> named = comma_separated(options.releases);
  for (const std::string& release : named)
    if (std::ranges::find(*known, release) == known->end())
      return bad_input(
          fmt::format("there is no zarr release {}; see storefuzz list releases", release));
  if (named.empty() && !options.releases.empty()) return bad_input("--zarr names no release");
  for (const std::string& release : *known)
    if (named.empty() || std::ranges::find(named, release) != named.end())
      chosen.push_back({release, {.zarr = release, .with = options.subject.with}});
  return chosen;
}

int releases(const TableOptions& options) {
  if (auto ready = prepare_adapter(options.subject); !ready) return screen().fail(ready.error());
  std::vector<Asked> asked;
  for (const std::string& file : options.cases) {
    auto named = read_case(file);
    if (!named) return screen().fail(named.error());
    asked.push_back({.value = std::move(named->value), .of_class = ""});
  }
  auto chosen = chosen_releases(options);
  if (!chosen) return screen().fail(chosen.error());
  auto scratch = Scratch::make();
  if (!scratch) return screen().fail(scratch.error());
  std::size_t done = 0;
  auto tables = play_releases(
      asked, *chosen,
      {.scratch = scratch->path(), .stop = interrupted, .progress = [&](std::string_view release) {
         screen().progress(fmt::format("{} of {} releases ({})", ++done, chosen->size(), release));
       }});
  if (!tables) return screen().fail(tables.error());
  bool bad = false, unknown = false;
  for (std::size_t i = 0; i < tables->size(); ++i) {
    const ReleaseTable& table = (*tables)[i];
    screen().say(fmt::format("{}: {}", options.cases[i], table.sentence()));
    for (const auto& [release, standing] : table.rows)
      screen().say(fmt::format("  {:<8} {}", release, name_of(standing)));
    bad = bad || table.rows.back().second == Standing::kBad;
    unknown = unknown || table.rows.back().second == Standing::kUnknown;
  }
  if (interrupted())
    return screen().fail(
        {.code = ExitCode::kMachine, .message = "interrupted: not every release was played"});
  if (unknown && !bad)
    return screen().fail(
        {.code = ExitCode::kMachine, .message = "the newest release asked could not be played"});
  return bad ? 1 : 0;
}

}  // namespace

void add_releases(CLI::App& app, int& code) {
  auto options = std::make_shared<TableOptions>();
  auto& command = *app.add_subcommand("releases", "A table: case × release");
  command.add_option("case", options->cases, "Files with cases")->required();
  command.add_option("--zarr", options->releases, "Releases, with commas between");
  command
      .add_option("--package", options->package,
                  "Another package's releases instead: icechunk 2.2.0,2.3.0 (with one --zarr)")
      ->expected(2);
  add_packages(command, options->subject);
  command.callback([options, &code] { code = releases(*options); });
}

}  // namespace storefuzz
