// Whole runs of the storefuzz command: what they leave behind, what they answer, and what they say
// to those who name something wrong.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>

#include <set>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/campaign/confirm.h"
#include "harness/play/phases.h"
#include "harness/process/scratch.h"
#include "harness/testing/whole_runs.h"

namespace storefuzz {
namespace {

using e2e::Running;

std::vector<std::string> run_arguments(const std::string& release, const std::string& time,
                                       std::vector<std::string> more = {}) {
  std::vector<std::string> all{"run",   "--zarr", release,         "--time", time,
                               "--out", "out",    "--no-releases", "--seed", "7"};
  if (std::ranges::find(more, "--known") == more.end())
    all.insert(all.end(), {"--known", "none"});  // what has a page is found as if it had none
  // What is tested here is a run, not the breadth of its stores.
  if (std::ranges::find(more, "--stores") == more.end())
    all.insert(all.end(), {"--stores", "zip,local"});
  std::ranges::move(more, std::back_inserter(all));
  return all;
}

Json run_json(const Running& run) { return e2e::read_json(run.folder() / "out" / "run.json"); }

bool finished_in_order(const std::string& end) { return end == "exit 0" || end == "exit 1"; }

// Once a run is over: no process, no scratch folder, no shared memory, no temporary file.
void expect_nothing_left(const Running& run, Milliseconds patience = Milliseconds(1000)) {
  EXPECT_TRUE(e2e::within(patience, [&] { return e2e::processes_of_run(run.pid()).empty(); }))
      << fmt::format("processes remain: {}", fmt::join(e2e::processes_of_run(run.pid()), ", "));
  EXPECT_EQ(e2e::scratch_of_run(run.pid()), std::vector<std::string>());
  EXPECT_TRUE(e2e::fs::is_empty(run.temporary()));
}

// The fuzz process of a run: of those below it, the one that was told a seed.
pid_t fuzz_process(const Running& run) {
  for (const pid_t pid : e2e::processes_of_run(run.pid())) {
    const std::string line = test::read_file(fmt::format("/proc/{}/cmdline", pid));
    if (line.find("-seed=") != line.npos) return pid;
  }
  return -1;
}

// A progress line with executions: fuzzing is under way.
bool fuzzing(const Running& run) {
  return e2e::within(Milliseconds(90'000), [&] {
    const std::string text = run.complained();
    const std::size_t last = text.rfind(" executions");
    return last != text.npos && !text.substr(0, last).ends_with("  0");
  });
}

void expect_valid(const e2e::fs::path& file, const std::string& schema) {
  constexpr const char* kCheck = R"(import json, sys
import jsonschema
with open(sys.argv[2]) as file:
    check = jsonschema.Draft202012Validator(json.load(file))
with open(sys.argv[1]) as file:
    values = map(json.loads, file) if sys.argv[1].endswith("jsonl") else [json.load(file)]
    wrong = [error for value in values for error in check.iter_errors(value)]
print(*(f"{error.json_path}: {error.message[:300]}" for error in wrong), sep="\n")
sys.exit(bool(wrong))
)";
  const Finished done =
      e2e::must(run_to_end({.arguments = {tools_python(), "-c", kCheck, file.string(),
                                          source_folder() + "/reports/" + schema}},
                           Milliseconds(60'000)));
  EXPECT_EQ(done.exit_code, 0) << file.filename() << "\n" << done.output;
}

// --- nothing is left behind

TEST(LeftBehind, NothingByARunThatIsInterruptedAndItWritesItsPage) {
  Running run("storefuzz", run_arguments(e2e::kNewest, "10m"));
  ASSERT_TRUE(fuzzing(run)) << run.complained();
  std::this_thread::sleep_for(std::chrono::seconds(3));
  run.signal(SIGINT);
  const std::string end = run.wait();
  EXPECT_TRUE(finished_in_order(end)) << end << "\n" << run.complained();
  EXPECT_TRUE(e2e::fs::exists(run.folder() / "out" / "index.html"));
  EXPECT_EQ(run_json(run).value("interrupted", false), true);
  EXPECT_GT(run_json(run).value("executions", 0), 0);
  expect_nothing_left(run);
}

TEST(LeftBehind, NothingByARunWhoseFuzzProcessIsKilledAndItGoesOn) {
  Running run("storefuzz",
              run_arguments(e2e::kNewest, "12s",
                            {"--jobs", "1", "--oracles-off", e2e::oracles_but({"attributes"})}));
  ASSERT_TRUE(fuzzing(run)) << run.complained();
  const pid_t first = fuzz_process(run);
  ASSERT_GT(first, 0);
  ::kill(first, SIGKILL);
  pid_t second = -1;
  EXPECT_TRUE(e2e::within(Milliseconds(20'000), [&] {
    second = fuzz_process(run);
    return second > 0 && second != first;
  })) << "no new fuzz process";
  EXPECT_TRUE(finished_in_order(run.wait())) << run.complained();
  EXPECT_GE(run_json(run).value("restarts", 0), 1);
  EXPECT_EQ(run_json(run).at("deaths"), (Json{{"SIGKILL", 1}}));
  // Told before what was found, and on the page right below its verdict.
  const std::string trouble = "the fuzz process died 1 time in ";
  EXPECT_LT(run.said().find(trouble), run.said().find(" unconfirmed in zarr")) << run.said();
  const std::string page = test::read_file(run.folder() / "out" / "index.html");
  EXPECT_LT(page.find("class=\"verdict"), page.find(trouble));
  EXPECT_LT(page.find(trouble), page.find("<main>"));
  expect_nothing_left(run);
}

// The loss of 3.0.1 and nothing else: found within moments.
std::vector<std::string> only_the_loss() {
  return {"--oracles-off", e2e::oracles_but({"attributes"}), "--stores", "zip"};
}

// A kill takes the processes and nothing of what was seen.
TEST(LeftBehind, NoProcessByARunThatIsKilledAndTheNextOneTidiesUp) {
  Running run("storefuzz", run_arguments("3.0.1", "10m", only_the_loss()));
  const auto out = run.folder() / "out";
  ASSERT_TRUE(e2e::within(Milliseconds(90'000), [&] {
    return test::read_file(out / "seen.jsonl").find('\n') != std::string::npos;
  })) << run.complained();
  ASSERT_FALSE(e2e::processes_of_run(run.pid()).empty());
  run.signal(SIGKILL);
  EXPECT_EQ(run.wait(), "SIGKILL");
  EXPECT_TRUE(
      e2e::within(Milliseconds(3000), [&] { return e2e::processes_of_run(run.pid()).empty(); }));
  EXPECT_FALSE(e2e::scratch_of_run(run.pid()).empty());
  (void)e2e::must(Scratch::make());
  expect_nothing_left(run);
  EXPECT_TRUE(run_json(run).at("ended").is_null());
  expect_valid(out / "run.json", "run.schema.json");
  expect_valid(out / "seen.jsonl", "finding.schema.json");
  Running report("storefuzz", {"report", out.string()});
  EXPECT_EQ(report.wait(), "exit 0") << report.complained();
  const std::string page = test::read_file(out / "index.html");
  EXPECT_NE(page.find("was killed before it ended"), std::string::npos);
  EXPECT_NE(page.find("id=\"seen-attributes"), std::string::npos);
}

// --- a full disk

// A run in a mount namespace of its own, where `place` is a small disk of `size`.
std::vector<std::string> on_a_small_disk(const std::string& place, const std::string& size,
                                         std::vector<std::string> arguments) {
  std::vector<std::string> all{
      "--user",
      "--map-root-user",
      "--mount",
      "sh",
      "-c",
      R"(mkdir -p "$1" && mount -t tmpfs -o size="$2" none "$1" && shift 2 && exec "$@")",
      "sh",
      place,
      size,
      built_program("storefuzz").string()};
  std::ranges::move(arguments, std::back_inserter(all));
  return all;
}

constexpr const char* kUnshare = "/usr/bin/unshare";

bool mounts() {
  return e2e::must(run_to_end({.arguments = {kUnshare, "--user", "--map-root-user", "--mount", "sh",
                                             "-c", "mount -t tmpfs none /mnt"},
                               .frames = false},
                              Milliseconds(10'000)))
             .exit_code == 0;
}

// A path as the run sees it.
e2e::fs::path inside(const Running& run, const e2e::fs::path& path) {
  return e2e::fs::path(fmt::format("/proc/{}/root", run.pid())) / path.relative_path();
}

void fill(const e2e::fs::path& file) {
  std::ofstream stream(file, std::ios::binary);
  const std::string block(65536, 'x');
  while (stream.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
  }
  for (stream.clear(); stream.put('x').flush();) {  // the last page of the disk
  }
}

TEST(FullDisk, UnderTheRunDirectoryIsExitCode3AndTheHeadlinesAreTold) {
  if (!mounts()) GTEST_SKIP() << "no tmpfs can be mounted here";
  std::vector<std::string> arguments = run_arguments("3.0.1", "10m", only_the_loss());
  std::ranges::replace(arguments, std::string("out"), std::string("disk/out"));
  Running run(kUnshare, on_a_small_disk("disk", "1m", arguments));
  const auto out = inside(run, run.folder() / "disk/out");
  ASSERT_TRUE(e2e::within(Milliseconds(90'000), [&] {
    return test::read_file(out / "seen.jsonl").find('\n') != std::string::npos;
  })) << run.complained();
  fill(out / "fill");
  EXPECT_EQ(run.wait(), "exit 3");
  EXPECT_NE(run.complained().find("no space left"), std::string::npos) << run.complained();
  EXPECT_NE(run.said().find("\"_read_only\""), std::string::npos) << run.said();
}

TEST(FullDisk, UnderTheScratchFolderIsExitCode3AndThePageSaysSo) {
  if (!mounts()) GTEST_SKIP() << "no tmpfs can be mounted here";
  const std::vector<std::string> arguments = run_arguments("3.0.1", "10m", only_the_loss());
  Running run(kUnshare, on_a_small_disk("/dev/shm", "64m", arguments));
  ASSERT_TRUE(fuzzing(run)) << run.complained();
  fill(inside(run, "/dev/shm/fill"));
  EXPECT_EQ(run.wait(), "exit 3");
  EXPECT_NE(run.complained().find("no space left in the scratch folder"), std::string::npos)
      << run.complained();
  const std::string page = test::read_file(run.folder() / "out" / "index.html");
  EXPECT_NE(page.find("is no all-clear: no space left"), std::string::npos);
}

// A refusal because of that is no finding.
TEST(FullDisk, UnderACaseThatIsReplayedIsExitCode3) {
  if (!mounts()) GTEST_SKIP() << "no tmpfs can be mounted here";
  const test::Folder files;
  const auto file = files.write(
      "case.json", R"({"format":2,"program":[{"make":"local","at":"d","as":"s0"},)"
                   R"({"call":"set","key":"a","value":{"word":"a@1","size":60000},"on":"s0"},)"
                   R"({"call":"set","key":"b","value":{"word":"b@2","size":60000},"on":"s0"},)"
                   R"({"call":"set","key":"c","value":{"word":"c@3","size":60000},"on":"s0"},)"
                   R"({"call":"set","key":"d","value":{"word":"d@4","size":60000},"on":"s0"}]})");
  Running replay(kUnshare, on_a_small_disk("/dev/shm", "200k",
                                           {"replay", file.string(), "--zarr", e2e::kNewest}));
  EXPECT_EQ(replay.wait(), "exit 3") << replay.said();
  EXPECT_NE(replay.complained().find("no space left in the scratch folder"), std::string::npos)
      << replay.complained();
}

// A user's corpus holds whole cases at any moment, and nothing that is still being written.
void expect_whole_cases(const e2e::fs::path& corpus) {
  for (const auto& entry : e2e::fs::directory_iterator(corpus)) {
    EXPECT_FALSE(entry.path().filename().string().ends_with(".new")) << entry.path();
    const std::string text = test::read_file(entry.path());
    EXPECT_TRUE(!text.starts_with('{') || Json::accept(text)) << entry.path();
  }
}

// libFuzzer's word in the log of a job that took a unit which another job had found.
bool took_from_another(const Running& run) {
  for (const std::string& scratch : e2e::scratch_of_run(run.pid()))
    for (const char* job : {"job-0", "job-1"})
      if (test::read_file(e2e::fs::path(scratch) / job / "log").find("RELOAD") != std::string::npos)
        return true;
  return false;
}

TEST(Corpus, IsSharedByTheJobsAndKeptWhileTheyRun) {
  const test::Folder mine;
  const auto corpus = mine.path() / "corpus";
  e2e::fs::create_directory(corpus);
  mine.write("a large file", "");
  e2e::fs::resize_file(mine.path() / "a large file", 100'000'000);
  e2e::fs::create_symlink(mine.path() / "a large file", corpus / "link");
  Running run("storefuzz",
              run_arguments(e2e::kNewest, "10m", {"--jobs", "2", "--corpus", corpus.string()}));
  ASSERT_TRUE(fuzzing(run)) << run.complained();
  EXPECT_TRUE(e2e::within(Milliseconds(60'000), [&] { return took_from_another(run); }))
      << "no job read what the other one found";
  EXPECT_TRUE(e2e::within(Milliseconds(20'000), [&] {
    return std::distance(e2e::fs::directory_iterator(corpus), {}) > 1;
  })) << "nothing is kept before the end";
  run.signal(SIGKILL);
  EXPECT_EQ(run.wait(), "SIGKILL");
  e2e::fs::remove(corpus / "link");
  EXPECT_NE(run.said().find("1 entries of " + corpus.string() + " are not read"), std::string::npos)
      << run.said();
  expect_whole_cases(corpus);
  (void)e2e::must(Scratch::make());  // takes away what the killed run left
}

// A script's own children hold its output open and outlive it, unless somebody ends them.
class Script : public testing::TestWithParam<const char*> {};

TEST_P(Script, LeavesNoChildBehindAndIsNotWaitedForInVain) {
  const auto folder = e2e::scratch() / "script";
  e2e::fs::create_directory(folder);
  const auto file = folder / "forks.py";
  e2e::must(write_file_whole(file, fmt::format("import os, sys, time\n"
                                               "if os.fork() == 0:\n"
                                               "    time.sleep(600)\n"
                                               "print('DEFECT: it hangs', flush=True)\n"
                                               "{}\n",
                                               GetParam())));
  const auto begin = e2e::Clock::now();
  const auto confirmed = e2e::must(confirm(
      file, "it hangs",
      {.python = e2e::python(e2e::kNewest), .scratch = folder, .deadline = Milliseconds(6000)}));
  EXPECT_EQ(confirmed.confirmed, std::string_view(GetParam()) == "os._exit(1)");
  if (confirmed.confirmed) EXPECT_LT(e2e::Clock::now() - begin, std::chrono::seconds(5));
  EXPECT_TRUE(e2e::within(Milliseconds(1000), [&] {
    return e2e::processes_with(folder.string()).empty();
  })) << "a child of the script lives on";
  for (const pid_t pid : e2e::processes_with(folder.string())) ::kill(pid, SIGKILL);
}

INSTANTIATE_TEST_SUITE_P(Ending, Script, testing::Values("os._exit(1)", "time.sleep(600)"),
                         [](const auto& info) { return e2e::test_name(info.param); });

TEST(ScriptOfAFinding, IsEndedWhereTheRunIsInterrupted) {
  const auto file = e2e::scratch() / "sleeps.py";
  e2e::must(
      write_file_whole(file, "import time\nprint('DEFECT: x', flush=True)\ntime.sleep(900)\n"));
  const auto confirmed = e2e::must(confirm(file, "x",
                                           {.python = e2e::python(e2e::kNewest),
                                            .scratch = e2e::scratch(),
                                            .deadline = Milliseconds(900'000),
                                            .stop = [] { return true; }}));
  EXPECT_TRUE(confirmed.stopped);
  EXPECT_FALSE(confirmed.confirmed);
  EXPECT_EQ(confirmed.why, "the run was interrupted while repro.py ran");
}

// --- a worker in trouble

class TroubledWorker : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(TroubledWorker, IsAFindingOfTheRunAndNotItsEnd) {
  const auto& [planted, oracle] = GetParam();
  Running run("storefuzz",
              run_arguments(e2e::kNewest, "12s",
                            {"--planted", planted, "--oracles-off", e2e::oracles_but({oracle})}));
  const std::string end = run.wait();
  EXPECT_EQ(end, "exit 0") << run.complained();
  std::set<std::string> found;
  for (const Json& line : e2e::read_lines(run.folder() / "out" / "planted.jsonl"))
    found.insert(line.value("oracle", ""));
  EXPECT_TRUE(found.contains(oracle)) << run.said();
  EXPECT_GT(run_json(run).value("executions", 0), 0) << "one bad input stops everything";
  EXPECT_EQ(run_json(run).value("restarts", -1), 0) << "the engine loads no Python";
  expect_nothing_left(run);
}

INSTANTIATE_TEST_SUITE_P(Run, TroubledWorker,
                         testing::Values(std::pair{"arrival never ends", "deadline"},
                                         std::pair{"arrival kills the parent", "survival"}),
                         [](const auto& info) { return e2e::test_name(info.param.first); });

// A field that comes back with its default is lost only where it had another value.
TEST(Run, FindsALossThatShowsOnlyWhereNoDefaultWasGiven) {
  Running run("storefuzz", run_arguments(e2e::kNewest, "12s",
                                         {"--planted", "arrival forgets compression",
                                          "--oracles-off", e2e::oracles_but({"attributes"})}));
  EXPECT_EQ(run.wait(), "exit 0") << run.said() << run.complained();
  const auto found = e2e::read_lines(run.folder() / "out" / "planted.jsonl");
  EXPECT_TRUE(std::ranges::any_of(found, [](const Json& line) {
    return line.at("headline").get<std::string>().ends_with(" shows 0, where 8 is right");
  })) << run.said();
}

// --- answers

// findings.jsonl → a file for --known that names them all.
std::string known_file(const std::vector<Json>& lines) {
  Json known = Json::array();
  for (const Json& line : lines)
    known.push_back({{"cause", line.at("cause")},
                     {"reason", "told"},
                     {"link", "https://github.com/zarr-developers/zarr-python/issues/2752"}});
  return Json{{"known", known}}.dump();
}

// One run for all three, because runs are slow: exit codes, the run directory, nothing left.
TEST(Run, FindsTheLossIn301ThenKnowsItAndWritesWhatItPromises) {
  Running first("storefuzz", run_arguments("3.0.1", "5s", only_the_loss()));
  EXPECT_EQ(first.wait(), "exit 1") << first.said() << first.complained();
  const auto out = first.folder() / "out";
  const std::vector<Json> found = e2e::read_lines(out / "findings.jsonl");
  ASSERT_FALSE(found.empty());
  for (const Json& line : found) {
    const auto folder = out / "findings" / line.at("fingerprint").get<std::string>();
    for (const char* name : {"case.json", "repro.py", "observations.json", "README.md"})
      EXPECT_TRUE(e2e::fs::exists(folder / name)) << folder / name;
  }
  EXPECT_EQ(run_json(first).value("findings", 0U), found.size());
  expect_valid(out / "findings.jsonl", "finding.schema.json");
  expect_valid(out / "unconfirmed.jsonl", "finding.schema.json");
  expect_valid(out / "run.json", "run.schema.json");
  EXPECT_FALSE(e2e::fs::exists(out / "seen.jsonl")) << "each was followed";
  EXPECT_TRUE(run_json(first).at("ended").is_string());
  expect_nothing_left(first);

  std::vector<std::string> again = only_the_loss();
  const auto known = first.folder() / "known.json";
  e2e::must(write_file_whole(known, known_file(found)));
  again.insert(again.end(), {"--known", known.string()});
  again = run_arguments("3.0.1", "5s", again);
  std::ranges::replace(again, std::string("out"), out.string());
  Running refused("storefuzz", again);
  EXPECT_EQ(refused.wait(), "exit 2");
  EXPECT_NE(refused.complained().find("--replace"), std::string::npos) << refused.complained();
  EXPECT_EQ(e2e::read_lines(out / "findings.jsonl"), found) << "nothing of it was touched";

  again.emplace_back("--replace");
  Running second("storefuzz", again);
  EXPECT_EQ(second.wait(), "exit 0") << second.said() << second.complained();
  const std::vector<Json> lines = e2e::read_lines(out / "findings.jsonl");
  EXPECT_FALSE(lines.empty()) << "known findings are shown";
  for (const Json& line : lines) EXPECT_FALSE(line.at("known").is_null()) << "replaced";
  EXPECT_NE(second.said().find("known, and linked on the page: 1 of severity 5"), std::string::npos)
      << second.said();

  // The same by the run directory itself, by the file that it gives, and by what is shipped.
  for (const std::string& by :
       {first.folder().string() + "/of-the-run.json", out.string(), std::string("shipped")}) {
    if (by.ends_with(".json"))
      EXPECT_EQ(Running("storefuzz", {"report", out.string(), "--write-known", by}).wait(),
                "exit 0");
    std::vector<std::string> more = only_the_loss();
    more.insert(more.end(), {"--known", by});
    Running run("storefuzz", run_arguments("3.0.1", "5s", more));
    EXPECT_EQ(run.wait(), "exit 0") << by << "\n" << run.said() << run.complained();
    for (const Json& line : e2e::read_lines(run.folder() / "out" / "findings.jsonl"))
      EXPECT_FALSE(line.at("known").is_null()) << by;
  }
}

// A checkout's loss, held against the release without it: that alone is new, whatever else is
// wrong; and the other way round it is mended.
TEST(Run, AgainstAnotherReleaseTellsTheDifferenceAlone) {
  Running worse("storefuzz",
                run_arguments("3.0.1", "5s", {"--stores", "zip", "--against", "3.0.2"}));
  EXPECT_EQ(worse.wait(), "exit 1") << worse.said() << worse.complained();
  bool loss = false;
  for (const Json& line : e2e::read_lines(worse.folder() / "out" / "findings.jsonl"))
    loss = loss || line.value("cause", "").find("read_only") != std::string::npos;
  EXPECT_TRUE(loss) << worse.said();

  Running same("storefuzz",
               run_arguments("3.0.1", "5s", {"--stores", "zip", "--against", "3.0.1"}));
  EXPECT_EQ(same.wait(), "exit 0") << same.said() << same.complained();
  EXPECT_TRUE(e2e::read_lines(same.folder() / "out" / "findings.jsonl").empty());

  Running better("storefuzz",
                 run_arguments("3.0.2", "5s", {"--stores", "zip", "--against", "3.0.1"}));
  (void)better.wait();
  const Json mended = run_json(better).at("mended_here");
  EXPECT_TRUE(std::ranges::any_of(mended, [](const Json& it) {
    return it.at("page") == "zip_read_only_lost";
  })) << mended;
  EXPECT_NE(better.said().find("mended here: "), std::string::npos) << better.said();
}

// Every phase is there, and together they took no longer than the run.
void expect_phases(const Json& run) {
  const Json& phases = run.at("phases");
  double seconds = 0;
  for (std::size_t i = 0; i < kPhases; ++i) {
    const std::string name(name_of(static_cast<Phase>(i)));
    ASSERT_TRUE(phases.contains(name)) << name;
    seconds += phases[name].at("seconds").get<double>();
  }
  EXPECT_EQ(phases.size(), kPhases);
  EXPECT_GT(seconds, 0.5 * run.at("seconds").get<double>()) << "most of it was counted";
  // The supervisor begins to count when it has read that a fuzz process began: moments later.
  EXPECT_LE(seconds, 0.2 + run.at("seconds").get<double>() * run.at("jobs").get<int>());
  for (const char* worked : {"mutation", "playing", "judging"})
    EXPECT_GT(phases.at(worked).at("seconds").get<double>(), 0.0) << worked;
}

// A run on the newest release, as anybody starts it: whatever it finds, it ends in order.
TEST(Run, OfTheNewestReleaseIsInOrder) {
  Running run("storefuzz", run_arguments(e2e::kNewest, "5s", {"--stores", "zip"}));
  const std::string end = run.wait(Milliseconds(240'000));
  EXPECT_TRUE(finished_in_order(end)) << end << "\n" << run.complained();
  const auto out = run.folder() / "out";
  EXPECT_EQ(end == "exit 1", !e2e::read_lines(out / "findings.jsonl").empty());
  for (const char* name : {"findings.jsonl", "unconfirmed.jsonl"})
    expect_valid(out / name, "finding.schema.json");
  expect_valid(out / "run.json", "run.schema.json");
  expect_phases(run_json(run));
  expect_nothing_left(run);
}

// The names of the programs that the fuzz processes of a run have begun with, or have kept since.
std::set<std::string> corpus_of(const Running& run) {
  std::set<std::string> names;
  for (const std::string& folder : e2e::scratch_of_run(run.pid()))
    if (const auto corpus = e2e::fs::path(folder) / "corpus-program"; e2e::fs::exists(corpus))
      for (const auto& entry : e2e::fs::directory_iterator(corpus))
        names.insert(entry.path().filename());
  return names;
}

// What a fresh clone starts from. They have all stores: where some were chosen, nothing is.
TEST(Run, OfAllStoresStartsFromTheSeeds) {
  for (const bool all : {true, false}) {
    Running run("storefuzz", run_arguments(e2e::kNewest, "60s",
                                           all ? std::vector<std::string>{"--stores", "all"}
                                               : std::vector<std::string>{"--stores", "zip"}));
    EXPECT_TRUE(fuzzing(run)) << run.complained();
    const auto names = corpus_of(run);
    EXPECT_EQ(names.contains("24-the-journey-of-peers.json"), all);
    run.signal(SIGINT);
    run.signal(SIGINT);
    run.wait(Milliseconds(120'000));
  }
}

// A maintainer's own zarr, named by its place.
TEST(Run, OfAFolderThatHoldsZarrTestsThatOne) {
  e2e::fs::path folder;
  const auto environment = e2e::fs::path(e2e::python("3.0.1")).parent_path().parent_path();
  for (const auto& entry : e2e::fs::directory_iterator(environment / "lib"))
    folder = entry.path() / "site-packages";
  ASSERT_TRUE(e2e::fs::exists(folder / "zarr")) << folder;
  Running run("storefuzz", run_arguments(folder.string(), "3s",
                                         {"--oracles-off", e2e::oracles_but({"attributes"}),
                                          "--stores", "zip,cache,cache bounded"}));
  EXPECT_EQ(run.wait(), "exit 1") << run.said() << run.complained();
  EXPECT_NE(run.said().find("skipped: cache, cache bounded (zarr.experimental is not there)\n"),
            std::string::npos)
      << run.said();
  EXPECT_EQ(run_json(run).at("subject").at("release"), "3.0.1");
  EXPECT_EQ(run_json(run).at("subject").at("path"), folder.string());
  expect_nothing_left(run);
}

// A planted loss that is not there must not be taken for found because something else was.
TEST(Run, DoesNotTakeAnotherFindingForThePlantedOne) {
  Running run("storefuzz", run_arguments(e2e::kNewest, "6s",
                                         {"--planted", "nothing", "--oracles-off",
                                          e2e::oracles_but({"writable"})}));
  EXPECT_EQ(run.wait(), "exit 3") << run.said();
}

// What goes wrong after the environment was made, and before a case was played.
TEST(Run, ThatFailsBeforeFuzzingLeavesNoFolder) {
  std::vector<std::string> arguments =
      run_arguments(e2e::kNewest, "1s", {"--stores", "icechunk", "--planted", "nothing"});
  std::ranges::replace(arguments, std::string("out"), std::string("new/deep/out"));
  Running run("storefuzz", arguments);
  EXPECT_EQ(run.wait(), "exit 2") << run.said();
  EXPECT_NE(run.complained().find("none of the stores can be had in zarr"), std::string::npos)
      << run.complained();
  EXPECT_NE(run.complained().find("icechunk (icechunk is not there)"), std::string::npos)
      << run.complained();
  EXPECT_FALSE(e2e::fs::exists(run.folder() / "new"));
}

// --- bad input

struct Bad {
  const char* name;
  std::vector<std::string> arguments;
};

class BadInput : public testing::TestWithParam<Bad> {};

TEST_P(BadInput, IsOneSentenceAndExitCode2) {
  const test::Folder files;
  files.write("file", "");
  files.write("broken.json", R"({"store": "zip", )");
  files.write("wrong.json", R"({"format": 2, "program": [{"make": "cupboard", "as": "s0"}]})");
  files.write("old.json", R"({"store": "zip"})");
  files.write("odd.json", R"({"case": 5})");
  files.write("plain.json",
              R"({"format": 2, "program": [{"make": "zip", "at": "z", "as": "s0"}]})");
  files.write("known.json", R"({"known": [{"cause": "x"}]})");
  files.write("deep.json", std::string(200'000, '[') + std::string(200'000, ']'));
  e2e::fs::resize_file(files.write("large.json", "{"), 100'000'000);
  std::vector<std::string> arguments = GetParam().arguments;
  for (std::string& argument : arguments)
    if (argument.starts_with("@")) argument = (files.path() / argument.substr(1)).string();
  Running command("storefuzz", arguments);
  EXPECT_EQ(command.wait(Milliseconds(60'000)), "exit 2");
  EXPECT_EQ(command.said(), "");
  // Where a release was asked for, a line says that it is being prepared.
  std::string told = command.complained();
  if (told.starts_with("preparing ")) told = told.substr(told.find('\n') + 1);
  EXPECT_TRUE(told.starts_with("storefuzz: ")) << told;
  EXPECT_EQ(std::ranges::count(told, '\n'), 1) << told;
  EXPECT_EQ(told.find("Traceback"), std::string::npos) << told;
  EXPECT_LT(told.size(), 400U) << told;
  EXPECT_FALSE(e2e::fs::exists(command.folder() / "out")) << "nothing ran, nothing is left";
  EXPECT_FALSE(e2e::fs::exists(command.folder() / "runs"));
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadInput,
    testing::Values(
        Bad{"UnknownRelease", {"run", "--zarr", "9.9.9", "--time", "1s", "--out", "out"}},
        Bad{"UnknownReleaseOfReplay", {"replay", "@plain.json", "--zarr", "9.9.9"}},
        Bad{"UnknownReleaseOfReleases", {"releases", "@plain.json", "--zarr", "9.9.9"}},
        Bad{"NoEnvironment", {"run", "--python", "@missing", "--out", "out"}},
        Bad{"NoCheckout", {"run", "--zarr", "@file", "--out", "out"}},
        Bad{"MissingCase", {"replay", "@missing.json"}}, Bad{"FolderAsCase", {"replay", "@"}},
        Bad{"BrokenJson", {"replay", "@broken.json"}}, Bad{"WrongCase", {"shrink", "@wrong.json"}},
        Bad{"OddCase", {"replay", "@odd.json"}}, Bad{"OldCase", {"replay", "@old.json"}},
        Bad{"LargeCase", {"replay", "@large.json"}}, Bad{"DeepCase", {"releases", "@deep.json"}},
        Bad{"DeepKnown", {"run", "--known", "@deep.json", "--out", "out"}},
        Bad{"TotalBelowTime", {"run", "--time", "9s", "--total", "8s", "--out", "out"}},
        Bad{"NoBase", {"run", "--against", "9.9.9", "--out", "out"}},
        Bad{"NoTime", {"run", "--time", "0", "--out", "out"}},
        Bad{"UnwritableCorpus", {"run", "--corpus", "/proc", "--out", "out"}},
        Bad{"EnvironmentAndRelease", {"run", "--python", "@", "--zarr", "3.0.1", "--out", "out"}},
        Bad{"NoReleaseNamed", {"releases", "@plain.json", "--zarr", ","}},
        Bad{"NoCase", {"replay"}}, Bad{"MissingArchive", {"replay", "--archive", "@missing"}},
        Bad{"FolderWithoutArchives", {"replay", "--archive", "@"}},
        Bad{"CaseAndArchive", {"replay", "@plain.json", "--archive", "@file"}},
        Bad{"UnknownReader", {"replay", "--archive", "@file", "--readers", "cupboard"}},
        Bad{"NoReader", {"replay", "--archive", "@file", "--readers", ","}},
        Bad{"ReaderTwice", {"replay", "--archive", "@file", "--readers", "libzip,libzip"}},
        Bad{"GalleryInAFullFolder", {"gallery", "@", "--readers", "libzip"}},
        Bad{"GalleryBelowAFile", {"gallery", "@file/x", "--readers", "libzip"}},
        Bad{"OutBelowAFile", {"run", "--out", "@file/out"}},
        Bad{"OutInProc", {"run", "--out", "/proc/out"}},
        Bad{"BadTime", {"run", "--time", "soon", "--out", "out"}},
        Bad{"BadStore", {"run", "--stores", "zip,cupboard", "--out", "out"}},
        Bad{"BadJobs", {"run", "--jobs", "0", "--out", "out"}},
        Bad{"BadTarget", {"run", "cupboard", "--out", "out"}},
        Bad{"MissingCorpus", {"run", "--corpus", "@missing", "--out", "out"}},
        Bad{"MissingKnown", {"run", "--known", "@missing.json", "--out", "out"}},
        Bad{"BrokenKnown", {"run", "--known", "@broken.json", "--out", "out"}},
        Bad{"KnownWithGaps", {"run", "--known", "@known.json", "--out", "out"}},
        Bad{"NoRunDirectory", {"report", "@"}}, Bad{"BadList", {"list", "cupboards"}},
        Bad{"UnknownOption", {"run", "--cupboard"}}, Bad{"NoSuchCommand", {"cupboard"}},
        Bad{"NoCommand", {}}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace storefuzz
