// The storefuzz command: words on the command line → library calls → exit code.
//
// Exit codes: 0 no confirmed finding or only known ones; 1 a confirmed finding that is not known;
// 2 the user named something wrong; 3 the machine lacks something or failed.
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <ctime>
#include <fstream>
#include <iostream>

#include "harness/campaign.h"
#include "harness/generate.h"
#include "harness/oracle.h"
#include "harness/readers/gallery.h"
#include "harness/readers/install.h"
#include "harness/value.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

std::atomic<int> interruptions = 0;

void on_interrupt(int) { ++interruptions; }

// Standard error may be closed: then nobody wants to hear it.
void complain(const std::string& text) { std::fputs(text.c_str(), stderr); }

// One line at the bottom of a terminal; elsewhere a line every few seconds, so that logs stay
// short.
class Screen {
 public:
  void progress(std::string_view line) {
    if (terminal_) {
      complain(fmt::format("\r\033[K{}", line));
      open_ = true;
    } else if (line != last_ && std::time(nullptr) - shown_ >= 5) {
      complain(fmt::format("{}\n", line));
      shown_ = std::time(nullptr);
    }
    last_ = line;
  }

  void say(std::string_view line) {
    if (open_) complain("\r\033[K");
    open_ = false;
    std::puts(std::string(line).c_str());
    std::fflush(stdout);
  }

  void close() {
    if (open_) complain("\r\033[K");
    open_ = false;
  }

 private:
  const bool terminal_ = ::isatty(2) != 0;
  bool open_ = false;
  std::time_t shown_ = 0;
  std::string last_;
};

Screen screen;

int fail(const Error& error) {
  screen.close();
  complain(fmt::format("storefuzz: {}\n", error.message));
  return static_cast<int>(error.code);
}

// "90", "60s", "5m", "1h" → seconds.
Result<double> parse_time(const std::string& text) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const std::string unit = text.substr(used);
  const double factor = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (used == 0 || factor == 0 || !(value > 0) || value > 1e6)
    return bad_input(fmt::format("\"{}\" is no time; write 60s, 5m or 1h", text));
  return value * factor;
}

Result<std::string> read_text(const fs::path& file, std::size_t limit) {
  std::error_code error;
  if (!fs::is_regular_file(file, error))
    return bad_input(fmt::format("{} is no file", file.string()));
  if (fs::file_size(file, error) > limit)
    return bad_input(
        fmt::format("{} is larger than a case can be ({} bytes)", file.string(), limit));
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream && text.empty()) return bad_input(fmt::format("{} cannot be read", file.string()));
  return text;
}

// A case from a file: the case itself, a finding's line, or a regression (which names its
// fingerprint).
struct Named {
  Case value;
  std::string fingerprint;
};

Result<Named> read_case(const fs::path& file) {
  auto text = read_text(file, 16 * kMaxCaseText);
  if (!text) return std::unexpected(text.error());
  Json json = parse_json(*text);
  if (json.is_discarded()) return bad_input(fmt::format("{} is not JSON", file.string()));
  Named named;
  if (json.is_object() && json.contains("case")) {
    const Json fingerprint = json.value("fingerprint", Json(""));
    if (!fingerprint.is_string())
      return bad_input(fmt::format("{}: a fingerprint is text", file.string()));
    named.fingerprint = fingerprint;
    json = Json(json["case"]);
  }
  auto value = parse_case(json.dump());
  if (!value) return bad_input(fmt::format("{}: {}", file.string(), value.error().message));
  named.value = std::move(*value);
  return named;
}

struct Options {
  std::vector<std::string> targets;
  std::string zarr, python, adapter, time = "60s", stores = "all", carriers, corpus, known, out,
                                     planted, oracles_off, until, until_new, releases, what,
                                     run_folder, fingerprint;
  std::vector<std::string> cases, with, package, archives;
  std::string readers = "zarr,libzip,libarchive";
  int jobs = 1;
  unsigned seed = 0;
  bool no_releases = false, fingerprints = false;
};

Wanted wanted(const Options& options) {
  return {.zarr = options.zarr, .venv = options.python, .with = options.with};
}

// The subject, and the stranger's adapter that goes with it.
Result<Subject> prepare_subject(const Options& options) {
  auto subject = find_subject(wanted(options));
  if (!subject || options.adapter.empty()) return subject;
  if (auto used = use_adapter(options.adapter, subject->python); !used)
    return std::unexpected(used.error());
  return subject;
}

std::string typed(int count, char** arguments) {
  std::string text = "storefuzz";
  for (int i = 1; i < count; ++i) text += std::string(" ") + arguments[i];
  return text;
}

fs::path default_out(const Options& options) {
  char when[32];
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  std::strftime(when, sizeof when, "%Y-%m-%d-%H%M%S", &parts);
  const std::string name = options.zarr.empty() ? "newest" : slug(options.zarr);
  return fs::path("runs") / fmt::format("{}-zarr-{}", when, name);
}

int run(const Options& options, const std::string& command) {
  auto seconds = parse_time(options.time);
  if (!seconds) return fail(seconds.error());
  CampaignOptions campaign{
      .subject = wanted(options),
      .adapter = options.adapter,
      .seconds = *seconds,
      .jobs = options.jobs,
      .seed = options.seed,
      .stores = options.stores,
      .carriers = options.carriers,
      .corpus = options.corpus,
      .known = options.known,
      .out = options.out.empty() ? default_out(options) : fs::path(options.out),
      .date = !options.no_releases,
      .planted = options.planted,
      .oracles_off = options.oracles_off,
      .command = command,
      .interruptions = [] { return interruptions.load(); },
      .progress = [](std::string_view line) { screen.progress(line); },
      .say = [](std::string_view line) { screen.say(line); }};
  if (!options.targets.empty()) campaign.targets = options.targets;
  campaign.until = comma_separated(options.until);
  campaign.until_new = options.until_new;
  campaign.fingerprints = options.fingerprints;
  auto end = run_campaign(campaign);
  if (!end) return fail(end.error());
  return static_cast<int>(end->code);
}

void print_side_by_side(const PlayedCase& played) {
  if (played.findings.empty()) return screen.say("  both sides agree");
  for (const Finding& found : played.findings) {
    screen.say(fmt::format("  {}\n    fingerprint  {}\n    parent       {}\n    child        {}",
                           found.told.headline, found.fingerprint, describe(found.told.parent),
                           describe(found.told.child)));
  }
}

// What both commands about archives need: who reads, what is known of them, a place for them.
struct ArchiveReaders {
  ReaderQuirks quirks;
  Scratch scratch;
  ExamineOptions options;
};

Result<ArchiveReaders> archive_readers(const Options& options) {
  auto quirks = ReaderQuirks::load(source_folder() + "/reference/reader_quirks.json");
  if (!quirks) return std::unexpected(quirks.error());
  auto scratch = Scratch::make();
  if (!scratch) return std::unexpected(scratch.error());
  ExamineOptions examine_options{.readers = comma_separated(options.readers),
                                 .scratch = scratch->path(),
                                 .planted = options.planted,
                                 .stop = [] { return interruptions > 0; }};
  if (options.readers == "all") {
    auto all = all_readers();
    if (!all) return std::unexpected(all.error());
    examine_options.readers = *all;
  }
  if (examine_options.readers.empty()) return bad_input("--readers names no reader");
  if (std::ranges::find(examine_options.readers, "zarr") != examine_options.readers.end()) {
    auto subject = find_subject(wanted(options));
    if (!subject) return std::unexpected(subject.error());
    examine_options.zarr_python = subject->python;
  }
  return ArchiveReaders{std::move(*quirks), std::move(*scratch), std::move(examine_options)};
}

// Reading what somebody else made: classes, readers, differences; one line of JSON a file.
int replay_archives(const Options& options) {
  auto files = archives_below(options.archives);
  if (!files) return fail(files.error());
  auto readers = archive_readers(options);
  if (!readers) return fail(readers.error());
  std::size_t done = 0, news = 0, named = 0, refused = 0;
  auto end = examine(*files, readers->quirks, readers->options, [&](const Examination& it) {
    screen.say(to_json(it).dump(-1, ' ', false, Json::error_handler_t::replace));
    refused += it.refused.empty() ? 0 : 1;
    news += it.news() ? 1 : 0;
    named += it.news() || it.differences.empty() ? 0 : 1;
    screen.progress(fmt::format("{} of {} archives, {} with news", ++done, files->size(), news));
  });
  if (!end) return fail(end.error());
  screen.close();
  complain(fmt::format("{} archives: {} read alike, {} with known differences, {} with news{}\n",
                       done, done - named - news - refused, named, news,
                       refused > 0 ? fmt::format(", {} not looked at", refused) : ""));
  if (interruptions > 0)
    return fail(
        {.code = ExitCode::kMachine,
         .message = fmt::format("interrupted after {} of {} archives", done, files->size())});
  return news > 0 ? 1 : 0;
}

int gallery(const Options& options) {
  auto readers = archive_readers(options);
  if (!readers) return fail(readers.error());
  std::size_t done = 0;
  auto made = make_gallery(
      options.run_folder, readers->quirks, readers->options,
      [&](const Examination&) { screen.progress(fmt::format("{} archives", ++done)); });
  if (!made) return fail(made.error());
  screen.say(fmt::format("{} archives: {}", *made,
                         (fs::path(options.run_folder) / "index.html").string()));
  return 0;
}

int replay(const Options& options) {
  if (options.cases.empty() == options.archives.empty())
    return fail({.code = ExitCode::kBadInput,
                 .message = "replay takes files with cases, or --archive with zip files; "
                            "storefuzz replay --help shows both"});
  if (!options.archives.empty()) return replay_archives(options);
  auto subject = prepare_subject(options);
  if (!subject) return fail(subject.error());
  std::vector<Named> cases;
  for (const std::string& file : options.cases) {
    auto named = read_case(file);
    if (!named) return fail(named.error());
    cases.push_back(std::move(*named));
  }
  auto scratch = Scratch::make();
  if (!scratch) return fail(scratch.error());
  auto player = Player::start({.python = subject->python,
                               .scratch = scratch->path(),
                               .planted = options.planted,
                               .oracles_off = options.oracles_off});
  if (!player) return fail(player.error());
  bool happens = false;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    auto played = player->play(cases[i].value);
    if (!played) return fail(played.error());
    const std::string& wanted = cases[i].fingerprint;
    const bool still =
        wanted.empty() ? !played->findings.empty() : find(played->findings, wanted) != nullptr;
    happens = happens || still;
    screen.say(fmt::format("{}: {} in zarr {}", options.cases[i], still ? "still happens" : "gone",
                           subject->release));
    print_side_by_side(*played);
  }
  return happens ? 1 : 0;
}

int shrink_case(const Options& options) {
  auto subject = prepare_subject(options);
  if (!subject) return fail(subject.error());
  auto named = read_case(options.cases.front());
  if (!named) return fail(named.error());
  auto scratch = Scratch::make();
  if (!scratch) return fail(scratch.error());
  auto player = Player::start(
      {.python = subject->python, .scratch = scratch->path(), .planted = options.planted});
  if (!player) return fail(player.error());
  auto played = player->play(named->value);
  if (!played) return fail(played.error());
  if (played->findings.empty()) {
    screen.say(fmt::format("nothing to shrink: both sides agree in zarr {}", subject->release));
    return 0;
  }
  const Finding* wanted = named->fingerprint.empty() ? &played->findings.front()
                                                     : find(played->findings, named->fingerprint);
  if (!wanted) wanted = &played->findings.front();
  auto small = shrink(*player, named->value, wanted->fingerprint, kFindingBudget,
                      [] { return interruptions > 0; });
  if (!small) return fail(small.error());
  complain(fmt::format("{}: {} cases played\n", wanted->fingerprint, small->tried));
  screen.say(to_json(small->value).dump(2, ' ', false, Json::error_handler_t::replace));
  return 1;
}

// From old to new, each once, however they were named.
Result<std::vector<PlayedRelease>> chosen_releases(const Options& options) {
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
      chosen.push_back({release, {.zarr = release, .with = options.with}});
  return chosen;
}

int releases(const Options& options) {
  if (!options.adapter.empty()) {
    auto subject = find_subject({.with = options.with});
    if (!subject) return fail(subject.error());
    if (auto used = use_adapter(options.adapter, subject->python); !used) return fail(used.error());
  }
  std::vector<Asked> asked;
  for (const std::string& file : options.cases) {
    auto named = read_case(file);
    if (!named) return fail(named.error());
    asked.push_back({.value = named->value, .fingerprint = named->fingerprint});
  }
  auto chosen = chosen_releases(options);
  if (!chosen) return fail(chosen.error());
  const std::vector<PlayedRelease>& wanted = *chosen;
  auto scratch = Scratch::make();
  if (!scratch) return fail(scratch.error());
  std::size_t done = 0;
  auto tables = play_releases(
      asked, wanted,
      {.scratch = scratch->path(),
       .stop = [] { return interruptions > 0; },
       .progress =
           [&](std::string_view release) {
             screen.progress(fmt::format("{} of {} releases ({})", ++done, wanted.size(), release));
           }});
  if (!tables) return fail(tables.error());
  bool bad = false;
  for (std::size_t i = 0; i < tables->size(); ++i) {
    const ReleaseTable& table = (*tables)[i];
    screen.say(fmt::format("{}: {}", options.cases[i], table.sentence()));
    for (const auto& [release, standing] : table.rows)
      screen.say(fmt::format("  {:<8} {}", release, name_of(standing)));
    bad = bad || (!table.rows.empty() && table.rows.back().second == Standing::kBad);
  }
  if (interruptions > 0)
    return fail(
        {.code = ExitCode::kMachine, .message = "interrupted: not every release was played"});
  return bad ? 1 : 0;
}

int report(const Options& options) {
  std::error_code error;
  if (!fs::exists(fs::path(options.run_folder) / "run.json", error))
    return fail({.code = ExitCode::kBadInput,
                 .message = fmt::format("{} is no run directory", options.run_folder)});
  auto done = run_to_end(
      {.arguments = {tools_python(), source_folder() + "/reports/render.py", options.run_folder}},
      Milliseconds(120'000));
  if (!done) return fail(done.error());
  if (done->exit_code != 0) {
    complain(done->output);
    return done->exit_code == 2 ? 2 : 3;
  }
  screen.say(fmt::format("page: {}", (fs::path(options.run_folder) / "index.html").string()));
  return 0;
}

int list(const Options& options) {
  if (options.what == "targets") {
    screen.say("store_journey  a store is built, carried, looked at on both sides, and compared");
    screen.say(
        "slow_journey   the same, carried by real pools: concurrent.futures, multiprocessing, "
        "Dask");
    screen.say(
        "zip_journey    zip archives that are wrong on purpose, as other readers see them too");
    screen.say("canary         the same over a subject with a planted loss: it must fail");
  } else if (options.what == "carriers") {
    for (const Carrier carrier : all_of<Carrier>()) screen.say(name_of(carrier));
  } else if (options.what == "stores") {
    for (const StoreKind kind : all_stores())
      screen.say(fmt::format(
          "{:<16} {}{}", name_of(kind), kind->type,
          kind->wraps ? ", over another store: " + kind->kind + " over local" : std::string()));
  } else if (options.what == "oracles") {
    for (const Oracle& oracle : oracles())
      screen.say(fmt::format("{:<14} {}", oracle.name, oracle.asks));
  } else if (options.what == "quirks") {
    auto quirks = load_quirks(source_folder() + "/reference/quirks.json");
    if (!quirks) return fail(quirks.error());
    for (const Quirk& quirk : *quirks)
      screen.say(fmt::format("{}: {} {}/{}/{}\n    {}\n    {}", quirk.id, quirk.store, quirk.oracle,
                             quirk.field, quirk.wrong, quirk.reason, quirk.link));
  } else {
    auto known = all_releases();
    if (!known) return fail(known.error());
    for (const std::string& release : *known) screen.say(release);
  }
  return 0;
}

void add_packages(CLI::App& command, Options& options) {
  command.add_option("--with", options.with,
                     "A package beside zarr: icechunk, icechunk==2.3.0, or the path of one");
  command.add_option("--adapter", options.adapter,
                     "A Python file with a store of yours (see .github/CONTRIBUTING.md)");
}

void add_subject(CLI::App& command, Options& options) {
  command.add_option("--zarr", options.zarr,
                     "Release number, or path of a checkout, a wheel, or a folder that holds zarr "
                     "(default: the newest release)");
  command.add_option("--python", options.python, "Your own environment; its zarr is the subject");
  add_packages(command, options);
}

void add_readers(CLI::App& command, Options& options) {
  command
      .add_option("--readers", options.readers,
                  "Who reads archives, with commas between, or all: zarr, libzip, libzip-checked, "
                  "libarchive, libarchive-seeking, tensorstore, zarrita, zarrista, gdal")
      ->capture_default_str();
}

void add_hidden(CLI::App& command, Options& options) {
  command.add_option("--planted", options.planted, "Plant a loss (see reference/planted.py)")
      ->group("");
  command.add_option("--oracles-off", options.oracles_off, "Leave oracles out")->group("");
}

int main_of(int count, char** arguments) {
  Options options;
  CLI::App app{
      "storefuzz hunts for what a Zarr store loses on its way to another process.\n\n"
      "Examples:\n"
      "  storefuzz run --zarr 3.0.1 --time 60s\n"
      "  storefuzz run --zarr ../zarr-python --stores zip --out runs/pull-request\n"
      "  storefuzz replay corpus/regressions/*.json --zarr 3.0.1\n"
      "  storefuzz replay --archive downloads/ --readers zarr,libzip,tensorstore\n"
      "  storefuzz releases corpus/regressions/zip_read_only_lost.json --zarr 3.0.1,3.0.2\n\n"
      "Exit codes: 0 no confirmed finding, or only known ones; 1 a confirmed finding that is not\n"
      "known; 2 something was named wrong; 3 the machine lacks something, or failed."};
  app.set_version_flag("--version", STOREFUZZ_VERSION);
  app.require_subcommand(1);

  auto& run_command = *app.add_subcommand("run", "Fuzz, shrink, confirm, and draw a page");
  run_command.add_option("targets", options.targets, "Targets (default: store_journey)")
      ->check(CLI::IsMember({"store_journey", "slow_journey", "zip_journey", "canary"}));
  add_subject(run_command, options);
  run_command.add_option("--time", options.time, "Fuzzing time: 60s, 5m, 1h")
      ->capture_default_str();
  run_command.add_option("--jobs", options.jobs, "Fuzz processes side by side")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  run_command.add_option("--seed", options.seed, "Seed; 0 draws one")->capture_default_str();
  run_command.add_option("--stores", options.stores, "Stores, with commas between, or all")
      ->capture_default_str();
  run_command.add_option("--carriers", options.carriers,
                         "Carriers, with commas between (default: all)");
  run_command.add_option("--corpus", options.corpus, "Folder of cases to start from and add to");
  run_command.add_option("--known", options.known, "File of known defects: shown, never red");
  run_command.add_option("--out", options.out, "The run directory (default: runs/<time>-zarr-…)");
  run_command.add_flag("--no-releases", options.no_releases,
                       "Do not play each finding over all releases");
  add_hidden(run_command, options);
  run_command
      .add_option("--until-new", options.until_new,
                  "Stop at the first fingerprint that is not in this file")
      ->group("");
  run_command.add_flag("--fingerprints", options.fingerprints, "Only say what was found, when, and after how many executions")
      ->group("");
  run_command.add_option("--until", options.until, "Stop at these fingerprints")->group("");

  auto& replay_command = *app.add_subcommand("replay", "Does it still happen?");
  replay_command.add_option("case", options.cases, "Files with cases");
  replay_command.add_option(
      "--archive", options.archives,
      "Zip files, or folders of them: what each is, and what readers make of it, "
      "one line of JSON a file");
  add_readers(replay_command, options);
  add_subject(replay_command, options);
  add_hidden(replay_command, options);

  auto& shrink_command =
      *app.add_subcommand("shrink", "The smallest case with the same fingerprint");
  shrink_command.add_option("case", options.cases, "File with a case")->required()->expected(1);
  add_subject(shrink_command, options);
  add_hidden(shrink_command, options);

  auto& releases_command = *app.add_subcommand("releases", "A table: case × release");
  releases_command.add_option("case", options.cases, "Files with cases")->required();
  releases_command.add_option("--zarr", options.releases, "Releases, with commas between");
  releases_command
      .add_option("--package", options.package,
                  "Another package's releases instead: icechunk 2.2.0,2.3.0 (with one --zarr)")
      ->expected(2);
  add_packages(releases_command, options);

  auto& report_command = *app.add_subcommand("report", "Draw the pages of a run again");
  report_command.add_option("run", options.run_folder, "The run directory")->required();

  auto& gallery_command = *app.add_subcommand(
      "gallery", "One small zip file for every way to be wrong, and what readers make of it");
  gallery_command.add_option("folder", options.run_folder, "Where it is made")->required();
  add_subject(gallery_command, options);
  add_readers(gallery_command, options);
  gallery_command.footer("Example:\n  storefuzz gallery gallery --readers all");

  auto& list_command = *app.add_subcommand("list", "What there is");
  list_command
      .add_option("what", options.what, "targets, stores, carriers, oracles, quirks or releases")
      ->required()
      ->check(CLI::IsMember({"targets", "stores", "carriers", "oracles", "quirks", "releases"}));

  const auto named = [&](const CLI::App* it) { return it->get_name() == arguments[1]; };
  if (count > 1 && arguments[1][0] != '-' && app.get_subcommands(named).empty())
    return fail({.code = ExitCode::kBadInput,
                 .message = fmt::format("there is no command {}; storefuzz --help lists them",
                                        arguments[1])});
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return fail({.code = ExitCode::kBadInput,
                 .message = fmt::format("{}; storefuzz --help shows examples", error.what())});
  }
  if (run_command.parsed()) return run(options, typed(count, arguments));
  if (replay_command.parsed()) return replay(options);
  if (shrink_command.parsed()) return shrink_case(options);
  if (releases_command.parsed()) return releases(options);
  if (report_command.parsed()) return report(options);
  if (gallery_command.parsed()) return gallery(options);
  return list(options);
}

// Nobody outlives the supervisor: what its processes left behind is ended with it.
void end_orphans() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace
}  // namespace storefuzz

int main(int count, char** arguments) {
  struct sigaction action{};
  action.sa_handler = storefuzz::on_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGHUP, &action, nullptr);  // the terminal of a night's run may go away
  ::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const int code = storefuzz::main_of(count, arguments);
  storefuzz::end_orphans();
  return code;
}
