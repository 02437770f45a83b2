// A run leaves whole files or none, takes nobody's folder, and its scratch folder goes away.
#include "harness/campaign/run_directory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/files.h"
#include "harness/process/scratch.h"
#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    names.insert(fs::relative(entry.path(), folder).string());
  return names;
}

TEST(WriteFileWhole, LeavesNothingBeside) {
  const test::Folder folder;
  const std::string bytes("a\0b\n\xff", 5);
  ASSERT_TRUE(write_file_whole(folder.path() / "x", bytes).has_value());
  EXPECT_EQ(test::read_file(folder.path() / "x"), bytes);
  ASSERT_TRUE(write_file_whole(folder.path() / "x", "new").has_value());
  EXPECT_EQ(test::read_file(folder.path() / "x"), "new");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"x"});
}

TEST(WriteFileWhole, WhereItCannotTheOldFileStays) {
  const test::Folder folder;
  folder.write("file", "old");
  for (const fs::path& place : {folder.path() / "none" / "x", folder.path() / "file" / "x",
                                fs::path("/proc/x"), folder.path()}) {
    const auto written = write_file_whole(place, "new");
    ASSERT_FALSE(written.has_value()) << place;
    EXPECT_EQ(written.error().code, ExitCode::kBadInput);
    EXPECT_NE(written.error().message.find(place.string()), std::string::npos);
  }
  EXPECT_EQ(test::read_file(folder.path() / "file"), "old");
  EXPECT_FALSE(fs::exists(folder.path().string() + ".new"));
}

TEST(RunDirectory, IsMadeWithItsParents) {
  const test::Folder folder;
  const auto run = RunDirectory::make(folder.path() / "a" / "b");
  ASSERT_TRUE(run.has_value()) << run.error().message;
  EXPECT_TRUE(run->path().is_absolute());
  ASSERT_TRUE(run->write("findings/x/case.json", "{}").has_value());
  EXPECT_EQ(names_in(run->path()),
            (std::set<std::string>{"findings", "findings/x", "findings/x/case.json"}));
}

// A run may fail before it has anything to write.
TEST(RunDirectory, GoesWithTheParentsThatItMadeWhenNothingWasWritten) {
  const test::Folder folder;
  fs::create_directory(folder.path() / "mine");
  for (const char* place : {"mine/a/b", "mine/c/d/", "mine"})
    ASSERT_TRUE(RunDirectory::make(folder.path() / place).has_value()) << place;
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"mine"});
}

TEST(RunDirectory, StaysWithTheParentsThatItMadeWhenSomethingWasWritten) {
  const test::Folder folder;
  {
    auto made = RunDirectory::make(folder.path() / "a" / "b");
    ASSERT_TRUE(made.has_value());
    const RunDirectory run = std::move(*made);
    ASSERT_TRUE(run.write("run.json", "{}").has_value());
  }
  EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{"a", "a/b", "a/b/run.json"}));
}

// What a run leaves, whether it ended or was killed.
void leave_a_run(const fs::path& folder, const std::string& run_json) {
  const auto run = RunDirectory::make(folder);
  ASSERT_TRUE(run.has_value()) << run.error().message;
  ASSERT_TRUE(run->write("run.json", run_json).has_value());
  for (const char* name :
       {"findings/old/case.json", "findings.jsonl", "unconfirmed.jsonl", "seen.jsonl",
        "planted.jsonl", "index.html", "summary.md", "findings.sarif", "junit.xml", "run.json.new"})
    ASSERT_TRUE(run->write(name, "old").has_value());
}

TEST(RunDirectory, OfAnEarlierRunIsRefusedAndTheSentenceSaysWhatToType) {
  for (const char* run_json : {R"({"storefuzz": "0.1.0", "ended": null})", "{}"}) {
    const test::Folder folder;
    leave_a_run(folder.path(), run_json);
    const auto before = names_in(folder.path());
    EXPECT_FALSE(RunDirectory::check(folder.path()).has_value());
    const auto run = RunDirectory::make(folder.path());
    ASSERT_FALSE(run.has_value());
    EXPECT_EQ(run.error().code, ExitCode::kBadInput);
    EXPECT_NE(run.error().message.find("--replace"), std::string::npos);
    EXPECT_NE(run.error().message.find(folder.path().string()), std::string::npos);
    EXPECT_EQ(names_in(folder.path()), before);
  }
}

TEST(RunDirectory, OfAnEarlierRunIsReplacedOnlyWhenTheNewOneHasSomething) {
  const test::Folder folder;
  leave_a_run(folder.path(), R"({"storefuzz": "0.1.0"})");
  const auto before = names_in(folder.path());
  ASSERT_TRUE(RunDirectory::make(folder.path(), true).has_value());
  EXPECT_EQ(names_in(folder.path()), before);
  const auto run = RunDirectory::make(folder.path(), true);
  ASSERT_TRUE(run.has_value());
  run->clear();
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>());
}

TEST(RunDirectory, TurnsASecondRunAwayWhileTheFirstIsWriting) {
  const test::Folder folder;
  const auto run = RunDirectory::make(folder.path());
  ASSERT_TRUE(run.has_value());
  ASSERT_TRUE(run->write("findings.jsonl", "ours").has_value());
  const auto second = RunDirectory::make(folder.path());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ExitCode::kBadInput);
  EXPECT_NE(second.error().message.find("another run"), std::string::npos);
  EXPECT_FALSE(RunDirectory::make(folder.path(), true).has_value());
  EXPECT_EQ(test::read_file(folder.path() / "findings.jsonl"), "ours");
}

TEST(RunDirectory, NeverTouchesAFolderWithOtherThings) {
  const test::Folder folder;
  folder.write("thesis.tex", "years of work");
  fs::create_directories(folder.path() / "findings");
  const auto run = RunDirectory::make(folder.path());
  ASSERT_FALSE(run.has_value());
  EXPECT_EQ(run.error().code, ExitCode::kBadInput);
  EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{"thesis.tex", "findings"}));
}

// A run.json of somebody else does not make it ours.
TEST(RunDirectory, NeverTouchesAFolderWithAnotherRunJson) {
  const test::Folder folder;
  folder.write("run.json", R"({"scripts": {"start": "node ."}})");
  folder.write("thesis.tex", "years of work");
  fs::create_directories(folder.path() / "findings");
  folder.write("findings/table", "measured for years");
  EXPECT_FALSE(RunDirectory::make(folder.path()).has_value());
  EXPECT_FALSE(RunDirectory::make(folder.path(), true).has_value());
  EXPECT_TRUE(fs::exists(folder.path() / "findings" / "table"));
}

TEST(RunDirectory, ThatCannotBeWrittenIsBadInput) {
  const test::Folder folder;
  folder.write("file", "x");
  for (const fs::path& place : {folder.path() / "file", folder.path() / "file" / "run",
                                fs::path("/proc/run"), fs::path("/dev/null/run")}) {
    const auto run = RunDirectory::make(place);
    ASSERT_FALSE(run.has_value()) << place;
    EXPECT_EQ(run.error().code, ExitCode::kBadInput) << place;
    EXPECT_NE(run.error().message.find(place.string()), std::string::npos) << run.error().message;
  }
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"file"});
}

TEST(RunDirectory, AnEmptyNameIsBadInput) {
  const auto run = RunDirectory::make("");
  ASSERT_FALSE(run.has_value());
  EXPECT_EQ(run.error().code, ExitCode::kBadInput);
}

// --- scratch

fs::path scratch_base() {
  const auto scratch = Scratch::make();
  return scratch ? scratch->path().parent_path() : fs::path();
}

// A process number that nobody has.
pid_t dead_pid() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

TEST(Scratch, IsGoneAfterwardsWithAllThatIsInIt) {
  fs::path path;
  {
    auto scratch = Scratch::make();
    ASSERT_TRUE(scratch.has_value()) << scratch.error().message;
    path = scratch->path();
    fs::create_directories(path / "deep" / "er");
    ASSERT_TRUE(write_file_whole(path / "deep" / "er" / "file", "x").has_value());
    const Scratch moved = std::move(*scratch);
    EXPECT_TRUE(fs::exists(moved.path() / "deep" / "er" / "file"));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(Scratch, TwoAtOnceAreTwoFolders) {
  const auto one = Scratch::make();
  const auto two = Scratch::make();
  ASSERT_TRUE(one && two);
  EXPECT_NE(one->path(), two->path());
  EXPECT_TRUE(fs::exists(one->path()));
}

TEST(Scratch, OfADeadProcessIsRemovedOnTheWay) {
  const fs::path orphan = scratch_base() / ("storefuzz-" + std::to_string(dead_pid()) + "-AbC123");
  fs::create_directories(orphan / "deep");
  const auto scratch = Scratch::make();
  EXPECT_FALSE(fs::exists(orphan));
  fs::remove_all(orphan);
}

TEST(Scratch, OfALivingProcessStays) {
  const fs::path other = scratch_base() / ("storefuzz-" + std::to_string(::getpid()) + "-AbC123");
  fs::create_directories(other);
  const auto scratch = Scratch::make();
  EXPECT_TRUE(fs::exists(other));
  fs::remove_all(other);
}

// Only folders whose name is exactly ours: a process number and six characters.
TEST(Scratch, WhatOthersCalledAlikeStays) {
  const std::string pid = std::to_string(dead_pid());
  for (const std::string& name :
       {"storefuzz-" + pid, "storefuzz-" + pid + "abc", "storefuzz-" + pid + "-results",
        "storefuzz-" + pid + "-", "storefuzz-" + pid + ".4.2-AbC123",
        std::string("storefuzz-mine")}) {
    const fs::path folder = scratch_base() / name;
    fs::create_directories(folder);
    const auto scratch = Scratch::make();
    EXPECT_TRUE(fs::exists(folder)) << name << " was removed";
    fs::remove_all(folder);
  }
}

}  // namespace
}  // namespace storefuzz
