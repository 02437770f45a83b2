// storefuzz corpus: what one exports another imports, a stranger's archive does no harm, and a
// merge that is killed loses nothing.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/campaign/corpus_folder.h"
#include "harness/campaign/merge.h"
#include "harness/testing/program_runs.h"

namespace storefuzz {
namespace {

using e2e::Running;
namespace fs = std::filesystem;

using Words = std::vector<std::string>;

// What the command said, where it ended with this code.
struct Told {
  std::string end, said, complained;
};
Told corpus(Words words) {
  words.insert(words.begin(), "corpus");
  Running command("storefuzz", words);
  const std::string end = command.wait();
  return {end, command.said(), command.complained()};
}

Words on_newest(Words words) {
  words.insert(words.end(), {"--zarr", e2e::kNewest});
  return words;
}

// A folder with the programs of corpus/program that were written by hand; the others are called by
// their hash.
const std::string& hand_written() {
  static const test::Folder folder;
  static const std::string path = [] {
    for (const auto& entry : fs::directory_iterator(e2e::corpus_file()))
      if (entry.path().stem().string().contains('-'))
        fs::copy_file(entry.path(), folder.path() / entry.path().filename());
    return folder.path().string();
  }();
  return path;
}

std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder))
    files[entry.path().filename()] = test::read_file(entry.path());
  return files;
}

// --- export and import

TEST(CorpusCommand, ImportsWhatItExports) {
  const test::Folder folder;
  const std::string archive = folder.path() / "a.zip", again = folder.path() / "b.zip";
  const std::string there = folder.path() / "there";
  for (const std::string& file : {archive, again}) {
    const Told told = corpus({"export", hand_written(), file, "--security", "--licence", "MIT"});
    ASSERT_EQ(told.end, "exit 0") << told.complained;
  }
  EXPECT_EQ(test::read_file(archive), test::read_file(again));
  EXPECT_EQ(corpus({"import", archive, there + "/"}).end, "exit 0");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 3) << "nothing beside it";
  const auto whole = e2e::must(read_corpus(hand_written())), came = e2e::must(read_corpus(there));
  ASSERT_EQ(whole.cases.size(), came.cases.size());
  for (std::size_t i = 0; i < whole.cases.size(); ++i)
    EXPECT_EQ(whole.cases[i].text, came.cases[i].text) << "the same case, the same finding";
  const Told second = corpus({"import", archive, there});
  EXPECT_NE(second.said.find(fmt::format("0 new, {} there already", came.cases.size())),
            std::string::npos)
      << second.said;
  EXPECT_EQ(corpus({"export", there, again, "--security", "--licence", "MIT"}).end, "exit 0");
  EXPECT_EQ(test::read_file(archive), test::read_file(again)) << "from another clone";
}

std::string regression(const std::string& name) {
  return test::read_file(fs::path(source_folder()) / "corpus" / "regressions" / (name + ".json"));
}

// A key that leads out of the store's folder changes something outside; a name says nothing of it.
TEST(CorpusCommand, LeavesOutWhatConcernsSecurityUnlessAsked) {
  const test::Folder folder;
  fs::create_directory(folder.path() / "cases");
  folder.write("cases/harmless", test::read_file(e2e::corpus_file("05-grandchild.json")));
  folder.write("cases/secret", regression("keys-escape-the-root-local"));
  const std::string cases = folder.path() / "cases", archive = folder.path() / "a.zip";
  const Told told = corpus(on_newest({"export", cases, archive}));
  ASSERT_EQ(told.end, "exit 0") << told.complained;
  EXPECT_NE(told.said.find("1 case left out"), std::string::npos) << told.said;
  EXPECT_NE(told.said.find(": 1 case for program"), std::string::npos) << told.said;
  const Told all = corpus({"export", cases, archive, "--security"});
  EXPECT_NE(all.said.find(": 2 cases for program"), std::string::npos) << all.said;
}

// Whatever is named: one sentence, exit code 2, and nothing is written.
TEST(CorpusCommand, RefusesWhatIsNoArchiveOfACorpus) {
  const test::Folder folder;
  const fs::path file = folder.path() / "file", there = folder.path() / "there";
  const auto refused = [&](const char* why, bool there_is_a_file = true) {
    const Told told = corpus({"import", file, there});
    EXPECT_EQ(told.end, "exit 2") << why;
    EXPECT_EQ(told.said, "") << why;
    EXPECT_NE(told.complained.find(why), std::string::npos) << told.complained;
    EXPECT_EQ(std::ranges::count(told.complained, '\n'), 1) << told.complained;
    EXPECT_FALSE(fs::exists(there)) << why;
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), there_is_a_file) << why;
    fs::remove_all(file);
  };
  refused("is not there", false);
  fs::create_directory(file);
  refused("is a folder");
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  refused("a pipe, a socket or a device");
  fs::create_symlink("/dev/zero", file);
  refused("a pipe, a socket or a device");
  folder.write("file", "#!/bin/sh\ntouch there\n");
  refused("it is no zip archive");
  folder.write("file", make_archive(std::vector<ArchiveEntry>{{.key = "../there/x", .bytes = "x"}},
                                    Compression::kStored)
                           .value());
  refused("leads out of the archive");
  fs::create_symlink("/proc/self/mem", file);
  refused("cannot be read");
  fs::resize_file(folder.write("file", "PK"), 300U << 20);
  refused("it has more than 268435456 bytes");
  fs::create_symlink("nowhere", file);
  refused("is not there");
}

TEST(CorpusCommand, SaysWhatCannotBeExported) {
  const test::Folder folder;
  fs::create_directory(folder.path() / "cases");
  const std::string cases = folder.path() / "cases", archive = folder.path() / "a.zip";
  EXPECT_NE(corpus({"export", cases, archive, "--security"}).complained.find("there is no case"),
            std::string::npos);
  folder.write("cases/bytes", "\x01\x02");
  const Told told = corpus({"export", cases, archive, "--security"});
  EXPECT_EQ(told.end, "exit 2");
  EXPECT_NE(told.complained.find("1 file not exported"), std::string::npos) << told.complained;
  EXPECT_FALSE(fs::exists(archive));
  EXPECT_EQ(corpus({"export", archive, archive, "--security"}).end, "exit 2") << "no folder";
}

// --- merge

Words merge(const fs::path& out, Words inputs, Words more = {}) {
  Words words{"merge", out};
  std::ranges::copy(inputs, std::back_inserter(words));
  std::ranges::copy(more, std::back_inserter(words));
  return on_newest(words);
}

// The merge of the hand-written programs, which nobody interrupts.
const std::map<std::string, std::string>& merged() {
  static const std::map<std::string, std::string> files = [] {
    const test::Folder folder;
    const Told told = corpus(merge(folder.path() / "out", {hand_written()}));
    EXPECT_EQ(told.end, "exit 0") << told.complained;
    return files_in(folder.path() / "out");
  }();
  return files;
}

TEST(CorpusMerge, KeepsAFewThatReachAllWhateverTheirNamesAndTheirOrder) {
  const test::Folder folder;
  EXPECT_GT(merged().size(), 5U);
  EXPECT_LT(merged().size(), 40U);
  fs::create_directory(folder.path() / "a");
  fs::create_directory(folder.path() / "b");
  int number = 1000;
  for (const auto& [name, text] : files_in(hand_written())) {
    folder.write(fmt::format("{}/{}", number % 2 ? "a" : "b", number), text);
    folder.write(fmt::format("a/x{}", number--), Json::parse(text).dump(3));
  }
  const std::string a = folder.path() / "a", b = folder.path() / "b";
  const fs::path out = folder.path() / "out";
  const Told told = corpus(merge(out, {b, a}, {"--jobs", "2"}));
  ASSERT_EQ(told.end, "exit 0") << told.complained;
  EXPECT_EQ(files_in(out), merged());
  EXPECT_FALSE(fs::exists(out.string() + ".merge"));
  const Told again = corpus(merge(out, {a, b}));
  EXPECT_NE(again.said.find(", 0 of them new in it"), std::string::npos) << again.said;
  EXPECT_EQ(files_in(out), merged());
  // Before and after, as each says of itself.
  std::string lines;
  for (const fs::path& from : {fs::path(hand_written()), out}) {
    const std::string file = folder.path() / "lines";
    fs::remove(file);
    ASSERT_EQ(corpus(merge(folder.path() / from.filename(), {from}, {"--lines", file})).end,
              "exit 0");
    EXPECT_GT(test::read_file(file).size(), 1000U);
    if (lines.empty()) lines = test::read_file(file);
    EXPECT_EQ(lines, test::read_file(file));
  }
}

// The fuzz processes of a merge; their folder is named by what started them.
std::vector<pid_t> engines_of(const Running& run) {
  std::vector<pid_t> engines;
  for (const pid_t pid : e2e::processes_of_run(run.pid()))
    if (fs::path(test::read_file(fmt::format("/proc/{}/comm", pid))).string() == "program\n")
      engines.push_back(pid);
  return engines;
}

bool is_measuring(const fs::path& work) {
  return e2e::within(Milliseconds(60'000), [&] {
    return test::read_file(work / "control-0").find("\nCOV 3") != std::string::npos;
  });
}

class KilledMerge : public testing::TestWithParam<int> {};

TEST_P(KilledMerge, GoesOnWithoutLoss) {
  const test::Folder folder;
  const fs::path out = folder.path() / "out", work = folder.path() / "out.merge";
  Words words = merge(out, {hand_written()});
  words.insert(words.begin(), "corpus");
  {
    Running run("storefuzz", words);
    ASSERT_TRUE(is_measuring(work)) << run.complained();
    run.signal(GetParam());
    EXPECT_EQ(run.wait(), GetParam() == SIGKILL ? "SIGKILL" : "exit 3");
    if (GetParam() == SIGINT)
      EXPECT_NE(run.complained().find("the same merge goes on from there"), std::string::npos);
    EXPECT_TRUE(e2e::within(Milliseconds(10'000), [&] { return engines_of(run).empty(); }));
    EXPECT_FALSE(fs::exists(out));
  }
  // As a process leaves it that is killed while it writes.
  std::ofstream(work / "control-0", std::ios::app) << "STARTED 39 1\nFT 39 1";
  const Told told = corpus(merge(out, {hand_written()}));
  ASSERT_EQ(told.end, "exit 0") << told.complained;
  EXPECT_NE(told.said.find(" cases were measured before"), std::string::npos) << told.said;
  EXPECT_EQ(files_in(out), merged());
}

INSTANTIATE_TEST_SUITE_P(Signals, KilledMerge, testing::Values(SIGINT, SIGKILL),
                         [](const auto& info) {
                           return info.param == SIGINT ? "Interrupted" : "Killed";
                         });

TEST(CorpusMerge, LosesNothingWhenItsFuzzProcessIsKilled) {
  const test::Folder folder;
  const fs::path out = folder.path() / "out";
  Words words = merge(out, {hand_written()});
  words.insert(words.begin(), "corpus");
  Running run("storefuzz", words);
  ASSERT_TRUE(is_measuring(folder.path() / "out.merge")) << run.complained();
  const auto engines = engines_of(run);
  EXPECT_FALSE(engines.empty());
  for (const pid_t pid : engines) ::kill(pid, SIGKILL);
  EXPECT_EQ(run.wait(), "exit 0") << run.complained();
  EXPECT_EQ(run.complained().find("left out"), std::string::npos) << run.complained();
  EXPECT_EQ(files_in(out), merged());
}

TEST(CorpusMerge, IsNotDoneTwiceAtOnce) {
  const test::Folder folder;
  Words words = merge(folder.path() / "out", {hand_written()});
  Words first = words;
  first.insert(first.begin(), "corpus");
  Running run("storefuzz", first);
  ASSERT_TRUE(is_measuring(folder.path() / "out.merge")) << run.complained();
  const Told told = corpus(words);
  EXPECT_EQ(told.end, "exit 2");
  EXPECT_NE(told.complained.find("is at work"), std::string::npos) << told.complained;
  EXPECT_EQ(run.wait(), "exit 0") << run.complained();
}

TEST(CorpusMerge, TouchesNoFolderThatItDidNotMake) {
  const test::Folder folder;
  fs::create_directory(folder.path() / "out.merge");
  folder.write("out.merge/mine", "mine");
  const Told told = corpus(merge(folder.path() / "out", {hand_written()}));
  EXPECT_EQ(told.end, "exit 2");
  EXPECT_NE(told.complained.find("is in the way"), std::string::npos) << told.complained;
  EXPECT_EQ(test::read_file(folder.path() / "out.merge/mine"), "mine");
}

TEST(CorpusMerge, OfAnImportTakesWhatReachesMoreAlone) {
  const test::Folder folder;
  const std::string archive = folder.path() / "a.zip", mine = folder.path() / "mine";
  ASSERT_EQ(corpus({"export", hand_written(), archive, "--security"}).end, "exit 0");
  ASSERT_EQ(corpus(on_newest({"import", archive, mine, "--merge"})).end, "exit 0");
  EXPECT_EQ(files_in(mine), merged());
}

// libFuzzer takes no notice of a disk that is full.
TEST(CorpusMerge, SaysThatTheDiskIsFullAndGoesOnLater) {
  const test::Folder folder;
  const fs::path disk = folder.path() / "disk";
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=400k") != 0)
    GTEST_SKIP() << "no tmpfs can be mounted here";
  {
    Words words = merge(disk / "out", {hand_written()});
    words.insert(words.begin(), "corpus");
    Running run("storefuzz", words);
    EXPECT_TRUE(is_measuring(disk / "out.merge")) << run.complained();
    std::ofstream(disk / "fill") << std::string(1 << 20, 'x');
    EXPECT_EQ(run.wait(), "exit 3");
    EXPECT_NE(run.complained().find("is the disk full?"), std::string::npos) << run.complained();
  }
  fs::remove(disk / "fill");
  EXPECT_EQ(corpus(merge(disk / "out", {hand_written()})).end, "exit 0");
  EXPECT_EQ(files_in(disk / "out"), merged());
  ::umount(disk.c_str());
}

// libFuzzer, as labs and services call it, without us, in a folder.
Finished libfuzzer(const fs::path& folder, Words words, int findings = -1) {
  fs::create_directories(folder / "scratch");
  words.insert(words.begin(), {built_program("program").string(), "-merge_control_file=control"});
  Command command{.arguments = words,
                  .environment = {{"STOREFUZZ_PYTHON", e2e::python(e2e::kNewest)},
                                  {"STOREFUZZ_SCRATCH", folder / "scratch"},
                                  {"STOREFUZZ_CORPUS", folder.string()}},
                  .directory = folder.string()};
  if (findings >= 0) {
    command.environment["STOREFUZZ_FINDINGS"] = std::to_string(findings);
    command.descriptors = {findings};
  }
  return e2e::must(run_to_end(std::move(command), Milliseconds(120'000)));
}

TEST(CorpusMerge, OfLibFuzzerItselfKeepsProgramsThatShowWhatIsKnown) {
  const test::Folder folder;
  for (const char* name : {"out", "in"}) fs::create_directory(folder.path() / name);
  folder.write("in/loss", test::read_file(e2e::corpus_file("03-two-append-to-one-archive.json")));
  const auto done = libfuzzer(folder.path(), {"-merge=1", "out", "in"});
  EXPECT_EQ(done.end, "exit 0") << done.output;
  EXPECT_EQ(files_in(folder.path() / "out").size(), 1U) << done.output;
}

// What each case reaches when they are played in this order.
std::map<std::string, std::vector<std::uint32_t>> reached_in_order(const Words& files) {
  const test::Folder folder;
  std::string control = fmt::format("{}\n0\n", files.size());
  for (const std::string& file : files) control += file + "\n";
  folder.write("control", control);
  // Under a supervisor: without one, a program that shows something new ends its process.
  const auto told = e2e::must(make_memory_file("storefuzz-test"));
  const auto done = libfuzzer(folder.path(), {"-merge_inner=2", "-rss_limit_mb=0"}, told.get());
  EXPECT_EQ(done.end, "exit 0") << done.output;
  std::map<std::string, std::vector<std::uint32_t>> all;
  for (Measured& it : read_control_file(test::read_file(folder.path() / "control")).measured)
    all[it.name] = std::move(it.features);
  return all;
}

// A process tells each line once: what a used one was told would lack what ran in it before.
TEST(CorpusMerge, MeasuresACaseAlikeWhateverWasPlayedBefore) {
  Words files;
  for (const auto& entry : fs::directory_iterator(hand_written())) files.push_back(entry.path());
  std::ranges::sort(files);
  const auto forward = reached_in_order(files);
  std::ranges::reverse(files);
  EXPECT_EQ(forward.size(), files.size());
  EXPECT_EQ(forward, reached_in_order(files));
}

// --- the seeds

using Lines = std::set<std::pair<std::string, int>>;

// The lines of zarr's own, of what `corpus merge --lines` wrote; the rest is Python's, whose lines
// are others in each of its releases.
Lines lines_in(const Json& files) {
  Lines lines;
  for (const auto& [file, numbers] : files.items())
    if (file.starts_with("zarr/"))
      for (const int number : numbers) lines.emplace(file, number);
  return lines;
}

class Seeds : public testing::TestWithParam<const char*> {};

// corpus/lines.json was made by ten minutes of fuzzing; corpus/README.md says how.
TEST_P(Seeds, ReachWhatTenMinutesReach) {
  const test::Folder folder;
  const std::string target = GetParam();
  const fs::path seeds = fs::path(source_folder()) / "corpus" / target;
  EXPECT_LE(files_in(seeds).size(), 300U);
  const std::string file = folder.path() / "lines.json";
  ASSERT_EQ(
      corpus(merge(folder.path() / "out", {seeds}, {"--target", target, "--lines", file})).end,
      "exit 0");
  const Json recorded = e2e::read_json(fs::path(source_folder()) / "corpus" / "lines.json");
  ASSERT_EQ(recorded.at("zarr"), e2e::kNewest);
  const Lines all = lines_in(recorded.at(target)), now = lines_in(e2e::read_json(file).at("lines"));
  Lines missing;
  std::ranges::set_difference(all, now, std::inserter(missing, missing.end()));
  EXPECT_GT(all.size(), 300U);
  EXPECT_LE(missing.size() * 20, all.size())
      << missing.size() << " of " << all.size() << " lines, the first in "
      << (missing.empty() ? "" : missing.begin()->first);
}

INSTANTIATE_TEST_SUITE_P(Targets, Seeds, testing::Values("program", "zip_program"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace storefuzz
