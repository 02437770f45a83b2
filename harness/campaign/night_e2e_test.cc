// Nights with real zarr: a defect that comes and goes between them, and what befalls a night.
#include <fmt/format.h>
#include <signal.h>
#include <sys/mount.h>

#include <random>

#include "harness/base/files.h"
#include "harness/campaign/state.h"
#include "harness/testing/whole_runs.h"

namespace storefuzz {
namespace {

using e2e::Running;
using Names = std::vector<std::string>;

// A checkout of the newest release, with a fault or without: a pickled ZipStore has another
// compression. It breaks nothing else, so that it is one cause.
class Checkout {
 public:
  Checkout() {
    const Finished told = e2e::must(run_to_end(
        {.arguments = {e2e::python(e2e::kNewest), "-c",
                       "import os, zarr; print(os.path.dirname(zarr.__file__), end='')"}},
        e2e::kPatient));
    e2e::fs::copy(told.output, path() / "zarr", e2e::fs::copy_options::recursive);
  }
  e2e::fs::path path() const { return folder_.path(); }

  void plant() { exchange(kSound, kFault); }
  void take_out() { exchange(kFault, kSound); }

 private:
  static constexpr std::string_view kSound = "        for attr in [\"_zf\", \"_lock\"]:\n";
  static constexpr std::string_view kFault =
      "        state[\"compression\"] = 8\n        for attr in [\"_zf\", \"_lock\"]:\n";

  void exchange(std::string_view from, std::string_view to) {
    const auto file = path() / "zarr" / "storage" / "_zip.py";
    std::string text = test::read_file(file);
    ASSERT_NE(text.find(from), std::string::npos);
    text.replace(text.find(from), from.size(), to);
    ASSERT_TRUE(write_file_whole(file, text));
  }

  test::Folder folder_;
};

// What is tested is a night, not the breadth of stores and oracles.
std::vector<std::string> arguments(const e2e::fs::path& state, const std::string& zarr,
                                   const std::string& time = "6s") {
  return {"nightly",
          state.string(),
          "program",
          "--zarr",
          zarr,
          "--time",
          time,
          "--stores",
          "zip",
          "--no-releases",
          "--seed",
          "7",
          "--oracles-off",
          e2e::oracles_but({"attributes"})};
}

State state_of(const e2e::fs::path& folder) {
  return e2e::must(state_from_json(e2e::read_json(folder / "state.json")));
}

// Whether a night says this on its way.
bool says(const Running& night, std::string_view words, Milliseconds patience) {
  return e2e::within(patience, [&] { return night.complained().find(words) != std::string::npos; });
}
constexpr Milliseconds kSoon{120'000};

std::string all(const Running& night) { return night.said() + night.complained(); }

TEST(Nights, SayWhatIsNewAndWhenItIsMended) {
  const test::Folder folder;
  const auto state = folder.path() / "state";
  Checkout checkout;
  {
    Running first("storefuzz", arguments(state, checkout.path().string()));
    EXPECT_EQ(first.wait(), "exit 0") << all(first);
    const Night told = state_of(state).nights.at(0);
    EXPECT_TRUE(told.found) << "a night that found nothing proves itself: " << told.planted;
    EXPECT_GT(told.executions, 0U);
    EXPECT_GT(told.lines, 0U);
    const Json missed = state_of(state).reached.missed;
    EXPECT_NE(missed.value("zarr/storage/_zip.py", ""), "") << missed;
  }
  checkout.plant();
  std::string name;
  {
    Running second("storefuzz", arguments(state, checkout.path().string()));
    EXPECT_EQ(second.wait(), "exit 1") << all(second);
    const State told = state_of(state);
    ASSERT_EQ(told.nights.at(1).news.size(), 1U) << all(second);
    EXPECT_EQ(told.nights.at(1).reopened, Names());
    name = told.nights.at(1).news[0];
    EXPECT_NE(told.causes.at(name).sentence.find("compression"), std::string::npos);
    EXPECT_NE(second.said().find("new: 1\n"), std::string::npos) << second.said();
    EXPECT_LE(std::ranges::count(second.said(), '\n'), 24) << "more than a screen";
    const auto issue = state / "causes" / name / "issue.md";
    EXPECT_NE(second.said().find(issue.string()), std::string::npos) << second.said();
    for (const char* part :
         {"compression", "## Versions", "```python", "## Expected", "## Actual", "## Why"})
      EXPECT_NE(test::read_file(issue).find(part), std::string::npos) << part;
  }
  {
    Running third("storefuzz", arguments(state, checkout.path().string()));
    EXPECT_EQ(third.wait(), "exit 0") << "it is known to the state: " << all(third);
    EXPECT_EQ(state_of(state).nights.at(2).still, 1U);
  }
  checkout.take_out();
  Running fourth("storefuzz", arguments(state, checkout.path().string()));
  EXPECT_EQ(fourth.wait(), "exit 0") << all(fourth);
  const State told = state_of(state);
  EXPECT_EQ(told.nights.at(3).mended, Names{name});
  EXPECT_EQ(told.nights.at(3).news, Names());
  EXPECT_EQ(told.causes.at(name).status, Status::kMended);
  EXPECT_EQ(told.causes.at(name).mended_in, told.nights.at(0).subject);
  EXPECT_NE(fourth.said().find("gone, and mended: 1\n"), std::string::npos) << fourth.said();
  EXPECT_NE(fourth.said().find(": mended in zarr "), std::string::npos) << fourth.said();
  EXPECT_TRUE(e2e::fs::exists(state / "index.html"));
}

// --- what befalls a night

TEST(Nights, ThatAreKilledLoseNothing) {
  const test::Folder folder;
  const auto state = folder.path() / "state";
  Checkout checkout;
  checkout.plant();
  // By what lies there then: while recorded causes are played, while a target is fuzzed, while what
  // it showed is followed, and while its corpus is merged.
  const std::vector<std::string> moments = {"state.json", "nights/N/program/run.json",
                                            "nights/N/program/index.html",
                                            "corpus/program.merged.merge"};
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const int number = static_cast<int>(i) + 1;
    std::string moment = moments[i];
    if (const auto at = moment.find('N'); at != std::string::npos)
      moment.replace(at, 1, std::to_string(number));
    Running night("storefuzz", arguments(state, checkout.path().string(), "3s"));
    ASSERT_TRUE(e2e::within(
        kSoon, [&] { return e2e::fs::exists(state / moment) && state_of(state).begun == number; }))
        << moment << "\n"
        << all(night);
    night.signal(SIGKILL);
    EXPECT_EQ(night.wait(), "SIGKILL");
    const State told = state_of(state);
    EXPECT_EQ(told.begun, number) << moment;
    for (const auto& [name, it] : told.causes) EXPECT_TRUE(it.is_page()) << "half a night is none";
  }
  // What those saw is played again. This one loses its engine on the way, and a worker.
  Running last("storefuzz", arguments(state, checkout.path().string(), "10s"));
  ASSERT_TRUE(says(last, " executions  ", kSoon)) << all(last);
  const auto ended = [&](std::string_view program) {
    for (const pid_t pid : e2e::processes_of_run(last.pid()))
      if (test::read_file(fmt::format("/proc/{}/cmdline", pid)).find(program) != std::string::npos)
        return ::kill(pid, SIGKILL) == 0;
    return false;
  };
  EXPECT_TRUE(ended("storefuzz-worker")) << "as the kernel does when memory is short";
  EXPECT_TRUE(ended("-seed="));
  EXPECT_EQ(last.wait(), "exit 1") << all(last);
  const State told = state_of(state);
  EXPECT_EQ(told.begun, 0);
  ASSERT_EQ(told.nights.size(), moments.size() + 1);
  EXPECT_NE(told.nights.front().why.find("it did not end"), std::string::npos);
  EXPECT_EQ(told.nights.back().news.size(), 1U) << all(last);
}

TEST(Nights, TwoAtOnceOnOneStateTheSecondSaysSo) {
  const test::Folder folder;
  const auto state = folder.path() / "state";
  Running first("storefuzz", arguments(state, e2e::kNewest));
  ASSERT_TRUE(e2e::within(kSoon, [&] { return e2e::fs::exists(state / "state.json"); }));
  Running second("storefuzz", arguments(state, e2e::kNewest));
  EXPECT_EQ(second.wait(), "exit 2");
  EXPECT_EQ(second.complained(),
            fmt::format("storefuzz: another night is at work on {}\n", state.string()));
  first.signal(SIGTERM);
  first.wait();
}

// Nobody listens there.
const std::map<std::string, std::string> kNoNetwork{
    {"UV_INDEX_URL", "http://127.0.0.1:9/simple"},
    {"UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple"}};

TEST(Nights, WhoseInterpreterAndNetworkAreGoneAreRedAndTheNextGoesOn) {
  const test::Folder folder, empty;
  const auto state = folder.path() / "state";
  std::map<std::string, std::string> environment{{"STOREFUZZ_CACHE", empty.path().string()},
                                                 {"UV_CACHE_DIR", (empty.path() / "uv").string()}};
  environment.insert(kNoNetwork.begin(), kNoNetwork.end());
  Running first("storefuzz", arguments(state, e2e::kNewest), environment);
  EXPECT_EQ(first.wait(), "exit 3") << all(first);
  EXPECT_NE(first.said().find("red: zarr 3.4.2 is not there yet, and the network does not answer"),
            std::string::npos)
      << all(first);
  EXPECT_EQ(state_of(state).nights.at(0).executions, 0U);
  Running second("storefuzz", arguments(state, e2e::kNewest));
  EXPECT_EQ(second.wait(), "exit 0") << all(second);
  EXPECT_EQ(state_of(state).nights.size(), 2U);
}

// The environments of this machine by links, so that one can be taken away.
class LinkedCache {
 public:
  LinkedCache() {
    const e2e::fs::path environment = e2e::fs::path(e2e::python(e2e::kNewest)).parent_path();
    const e2e::fs::path all = environment.parent_path().parent_path();
    const e2e::fs::path folder = path() / all.filename();
    e2e::fs::create_directories(folder);
    for (const auto& entry : e2e::fs::directory_iterator(all))
      e2e::fs::create_symlink(entry.path(), folder / entry.path().filename());
    link_ = folder / environment.parent_path().filename();
    place_ = e2e::fs::read_symlink(link_);
  }
  e2e::fs::path path() const { return folder_.path(); }
  void take_away() const { e2e::fs::remove(link_); }
  void bring_back() const { e2e::fs::create_symlink(place_, link_); }

 private:
  test::Folder folder_;
  e2e::fs::path link_, place_;
};

TEST(Nights, WhosePythonGoesOnTheWayAreRedAndTheNextGoesOn) {
  const test::Folder folder;
  const LinkedCache cache;
  const auto state = folder.path() / "state";
  const std::map<std::string, std::string> environment{{"STOREFUZZ_CACHE", cache.path().string()}};
  auto alone = environment;  // with a network, and with what uv keeps, it would be made again
  alone.insert(kNoNetwork.begin(), kNoNetwork.end());
  alone["UV_CACHE_DIR"] = (folder.path() / "uv").string();
  Running first("storefuzz", arguments(state, e2e::kNewest), alone);
  ASSERT_TRUE(says(first, " executions  ", kSoon)) << all(first);
  cache.take_away();
  EXPECT_EQ(first.wait(), "exit 3") << all(first);
  EXPECT_NE(first.said().find("red: "), std::string::npos) << all(first);
  EXPECT_NE(state_of(state).nights.at(0).why, "");
  cache.bring_back();
  Running second("storefuzz", arguments(state, e2e::kNewest), environment);
  EXPECT_NE(second.wait(), "exit 3") << all(second);
  ASSERT_EQ(state_of(state).nights.size(), 2U);
  EXPECT_GT(state_of(state).nights.at(1).executions, 0U);
}

// A file system of its own, where this machine lets us have one.
class SmallDisk {
 public:
  SmallDisk() { mounted_ = ::mount("none", path().c_str(), "tmpfs", 0, "size=24m") == 0; }
  SmallDisk(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  e2e::fs::path path() const { return folder_.path(); }

  // All but some kB are taken.
  void fill() const {
    std::error_code error;
    const auto room = e2e::fs::space(path(), error).available;
    std::ofstream(path() / "filler") << std::string(room - 40'000, 'x');
  }
  void empty() const { e2e::fs::remove(path() / "filler"); }

 private:
  test::Folder folder_;
  bool mounted_ = false;
};

TEST(Nights, WhoseDiskIsFullAreRedAndTheNextGoesOn) {
  const SmallDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "no file system can be mounted here";
  const auto state = disk.path() / "state";
  Checkout checkout;
  checkout.plant();
  {
    Running first("storefuzz", arguments(state, checkout.path().string()));
    EXPECT_EQ(first.wait(), "exit 1") << all(first);
  }
  const State before = state_of(state);
  disk.fill();
  {
    Running second("storefuzz", arguments(state, checkout.path().string()));
    EXPECT_EQ(second.wait(), "exit 3") << all(second);
    EXPECT_NE(all(second).find("no space left"), std::string::npos) << all(second);
  }
  EXPECT_EQ(state_of(state).causes.begin()->first, before.causes.begin()->first);
  EXPECT_EQ(state_of(state).causes.size(), before.causes.size());
  disk.empty();
  Running third("storefuzz", arguments(state, checkout.path().string()));
  EXPECT_EQ(third.wait(), "exit 0") << all(third);
  EXPECT_EQ(state_of(state).nights.back().still, 1U);
}

TEST(Nights, ThatNameSomethingWrongAreNone) {
  const test::Folder folder;
  const auto state = folder.path() / "state";
  Running night("storefuzz", {"nightly", state.string(), "--zarr", "9.9.9"});
  EXPECT_EQ(night.wait(), "exit 2") << all(night);
  EXPECT_FALSE(e2e::fs::exists(state)) << "nothing is left behind";

  e2e::fs::create_directory(state);
  Running again("storefuzz", {"nightly", state.string(), "--zarr", "9.9.9"});
  EXPECT_EQ(again.wait(), "exit 2") << all(again);
  EXPECT_TRUE(e2e::fs::exists(state)) << "somebody else made it";
}

// Ctrl-C while a target is fuzzed: what was found is told, with its script, and so is the cut.
TEST(Nights, ThatAreInterruptedSaySoAndKeepTheScriptsOfWhatTheyFound) {
  const test::Folder folder;
  const auto state = folder.path() / "state";
  Checkout checkout;
  checkout.plant();
  Running night("storefuzz", arguments(state, checkout.path().string(), "300s"));
  ASSERT_TRUE(says(night, " findings", kSoon)) << all(night);
  const auto found = state / "nights" / "1" / "program" / "seen.jsonl";
  ASSERT_TRUE(e2e::within(kSoon, [&] {
    return e2e::fs::exists(found) &&
           test::read_file(found).find("compression") != std::string::npos;
  })) << all(night);
  night.signal(SIGINT);
  const std::string end = night.wait();
  EXPECT_NE(night.said().find("red: interrupted: not every target was fuzzed to its end"),
            std::string::npos)
      << all(night);
  const State told = state_of(state);
  ASSERT_EQ(told.nights.size(), 1U);
  EXPECT_EQ(told.begun, 0);
  EXPECT_EQ(end, told.nights.back().news.empty() ? "exit 3" : "exit 1") << all(night);
  for (const std::string& name : told.nights.back().news)
    EXPECT_TRUE(e2e::fs::exists(state / "causes" / name / "issue.md")) << name;
}

}  // namespace
}  // namespace storefuzz
