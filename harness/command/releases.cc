// storefuzz releases: a table, case × release; or which commit of a checkout broke a case.
#include "harness/campaign/releases.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>

#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/campaign/commits.h"
#include "harness/campaign/regressions.h"
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
  std::string releases, commits;
  std::vector<std::string> cases, package, pages;
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

Result<std::vector<Regression>> regressions_of(const std::vector<std::string>& pages) {
  auto all = load_regressions();
  if (!all) return all;
  for (const std::string& page : pages)
    if (std::ranges::find(*all, page, &Regression::page) == all->end())
      return bad_input(fmt::format(
          "no program shows a page \"{}\"; reports/defects/README.md lists them", page));
  std::erase_if(*all, [&](const Regression& it) {
    return !is_shown_here(it.row) || (!pages.empty() && std::ranges::count(pages, it.page) == 0);
  });
  if (all->empty())
    return machine_failure(
        "with the Python and the libzip of this machine no program shows it: see \"not with\" in "
        "reports/defects/cases.json");
  return all;
}

// Where a program shows what it should not, or hides what it should show. What a release cannot
// make says nothing.
std::vector<std::string> against_its_page(const Regression& it, const ReleaseTable& table) {
  std::vector<std::string> wrong;
  for (const auto& [release, standing] : table.rows) {
    if (standing == Standing::kGood && std::ranges::count(it.bad, release) > 0)
      wrong.push_back(fmt::format("{} is good in {}, and its page says bad", it.name, release));
    if (standing == Standing::kBad && std::ranges::count(it.good, release) > 0)
      wrong.push_back(fmt::format("{} is bad in {}, and its page says good", it.name, release));
  }
  return wrong;
}

Result<std::vector<ReleaseTable>> play(const std::vector<Asked>& asked,
                                       const std::vector<PlayedRelease>& chosen) {
  auto scratch = Scratch::make();
  if (!scratch) return std::unexpected(scratch.error());
  std::size_t done = 0;
  auto tables = play_releases(
      asked, chosen,
      {.scratch = scratch->path(), .stop = interrupted, .progress = [&](std::string_view release) {
         screen().progress(fmt::format("{} of {} releases ({})", ++done, chosen.size(), release));
       }});
  if (tables && interrupted()) return machine_failure("interrupted: not every release was played");
  return tables;
}

// The programs of the pages: a line each, and whether it stands as its page says.
int table_of_pages(const TableOptions& options) {
  auto all = regressions_of(options.pages);
  if (!all) return screen().fail(all.error());
  auto chosen = chosen_releases(options);
  if (!chosen) return screen().fail(chosen.error());
  std::vector<Asked> asked;
  for (const Regression& it : *all)
    asked.push_back(
        {.value = it.value, .of_class = "", .shown = [&it](const PlayedProgram& played) {
           return shown_by(played, it) != nullptr;
         }});
  auto tables = play(asked, *chosen);
  if (!tables) return screen().fail(tables.error());
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < all->size(); ++i) {
    screen().say(fmt::format("{}: {}", (*all)[i].name, (*tables)[i].sentence()));
    std::ranges::move(against_its_page((*all)[i], (*tables)[i]), std::back_inserter(wrong));
  }
  for (const std::string& line : wrong) screen().say(line);
  screen().say(fmt::format(
      "{} programs × {} releases: {}", all->size(), chosen->size(),
      wrong.empty() ? "all stand as their pages say" : fmt::format("{} do not", wrong.size())));
  return wrong.empty() ? 0 : 1;
}

// A bisection asks `replay` of each commit, as a user would.
int commits(const TableOptions& options) {
  const auto range = parse_range(options.commits);
  if (!range) return screen().fail(range.error());
  if (options.cases.size() != 1 || options.releases.empty())
    return screen().fail({.code = ExitCode::kBadInput,
                          .message = "--commits takes one case, and a checkout by --zarr"});
  auto named = read_case(options.cases.front());
  if (!named) return screen().fail(named.error());
  auto scratch = Scratch::make();
  if (!scratch) return screen().fail(scratch.error());
  std::vector<std::string> replay{built_program("storefuzz").string(), "replay",
                                  std::filesystem::absolute(options.cases.front()).string()};
  for (const std::string& package : options.subject.with)
    replay.insert(replay.end(), {"--with", package});
  replay.emplace_back("--zarr");
  screen().progress("asking commits …");
  auto commit = first_bad_commit({.checkout = options.releases,
                                  .scratch = scratch->path(),
                                  .good = range->first,
                                  .bad = range->second,
                                  .replay = std::move(replay),
                                  .stop = interrupted});
  if (!commit) return screen().fail(commit.error());
  screen().say(fmt::format("{}: first bad in {}", options.cases.front(), *commit));
  return 1;
}

int releases(const TableOptions& options) {
  if (!options.commits.empty()) return commits(options);
  if (options.cases.empty()) return table_of_pages(options);
  if (!options.pages.empty())
    return screen().fail({.code = ExitCode::kBadInput,
                          .message = "--page is for the programs of pages, without cases"});
  if (auto ready = prepare_adapter(options.subject); !ready) return screen().fail(ready.error());
  std::vector<Asked> asked;
  for (const std::string& file : options.cases) {
    auto named = read_case(file);
    if (!named) return screen().fail(named.error());
    asked.push_back({.value = std::move(named->value), .of_class = ""});
  }
  auto chosen = chosen_releases(options);
  if (!chosen) return screen().fail(chosen.error());
  auto tables = play(asked, *chosen);
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
  if (unknown && !bad)
    return screen().fail(
        {.code = ExitCode::kMachine, .message = "the newest release asked could not be played"});
  return bad ? 1 : 0;
}

}  // namespace

void add_releases(CLI::App& app, int& code) {
  auto options = std::make_shared<TableOptions>();
  auto& command = *app.add_subcommand("releases", "A table: case × release");
  command.add_option("case", options->cases,
                     "Files with cases (default: the programs of all pages)");
  command.add_option("--zarr", options->releases,
                     "Releases, with commas between; with --commits a checkout");
  command.add_option("--page", options->pages, "Only the programs of this page");
  command.add_option("--commits", options->commits,
                     "GOOD..BAD: which commit of the checkout broke the case? By git bisect");
  command
      .add_option("--package", options->package,
                  "Another package's releases instead: icechunk 2.2.0,2.3.0 (with one --zarr)")
      ->expected(2);
  add_packages(command, options->subject);
  command.callback([options, &code] { code = releases(*options); });
}

}  // namespace storefuzz
