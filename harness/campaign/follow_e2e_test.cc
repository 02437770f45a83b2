// From findings to causes, with a stranger's store that is wrong in two ways.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>

#include "harness/campaign/follow.h"
#include "harness/process/cores.h"
#include "harness/testing/program_runs.h"

namespace storefuzz {
namespace {

// Of key "a" it gives a wrong value beside the harness alone, where no script shows it; of key "b"
// everywhere: one cause, by its words. Of key "w" only in a process that has asked it before. Of a
// key with "h" it does not answer.
constexpr const char* kTwoFaced = R"py(import sys
import time

import zarr.storage


class TwoFaced(zarr.storage.LocalStore):
    asked = 0

    async def get(self, key, prototype=None, byte_range=None):
        while "h" in key:
            time.sleep(1)
        value = await super().get(key, prototype, byte_range)
        wrong = key == "b" or key == "a" and "performing" in sys.modules
        if key == "w":
            wrong = TwoFaced.asked > 0
            TwoFaced.asked += 1
        return value[:-1] if wrong and value is not None else value


STORE = {
    "kind": "two-faced",
    "type": "TwoFaced",
    "make": "TwoFaced({path}{arguments})",
    "imports": ["from two_faced import TwoFaced"],
    "arguments": ["read_only"],
    "files": True,
}
)py";

RawFinding finding_of(ProgramSession& session, const std::string& key) {
  const program::Case value = e2e::must(program::parse_case(
      fmt::format(R"({{"format":2,"program":[{{"make":"two-faced","at":"z","as":"s0"}},)"
                  R"({{"call":"set","key":"{0}","value":"{0}@1","on":"s0"}},)"
                  R"({{"call":"get","key":"{0}","on":"s0"}}]}})",
                  key)));
  for (Finding& found : findings_of(value, e2e::play(session, value).differences))
    if (found.oracle == "reads" || found.oracle == "deadline") {
      found.key += " " + key;  // as if the loop had told them apart
      return {.finding = std::move(found), .count = 3};
    }
  ADD_FAILURE() << "nothing differs for " << key;
  return {};
}

struct Followings {
  static const test::Folder& files() {
    static const test::Folder folder;
    return folder;
  }
  const test::Folder out;
  Scratch scratch = e2e::must(Scratch::make());
  RunDirectory run = e2e::must(RunDirectory::make(out.path() / "run"));
  Settings settings;

  Followings() {
    const auto file = files().write("two_faced.py", kTwoFaced);
    settings.python = e2e::python(e2e::kNewest);
    settings.scratch = scratch.path();
    settings.stores = "two-faced";
    if (!find_store("two-faced")) e2e::must(use_adapter(file, settings.python));
    settings.adapters = text_of(added_adapters());
  }

  FollowOptions options() const {
    return {
        .settings = settings,
        .dossier = {.python = settings.python, .release = e2e::kNewest, .scratch = scratch.path()},
        .run = &run};
  }
  Following following(std::vector<Known> known = {}) const {
    FollowOptions with = options();
    with.dossier.known = std::move(known);
    return Following(std::move(with));
  }
  std::vector<RawFinding> findings(const std::vector<std::string>& keys) const {
    const auto session = e2e::must(ProgramSession::start(settings));
    std::vector<RawFinding> raw;
    for (const std::string& key : keys) raw.push_back(finding_of(*session, key));
    return raw;
  }
};

TEST(Following, TriesTheNextFindingOfACauseWhereNoScriptShowsTheFirst) {
  Followings it;
  Following one = it.following();
  e2e::must(one.follow(it.findings({"a"}), 60));
  EXPECT_EQ(one.confirmed().size(), 0U);
  EXPECT_EQ(one.unconfirmed().size(), 1U);

  Following two = it.following();
  e2e::must(two.follow(it.findings({"a", "b"}), 60));
  ASSERT_EQ(two.confirmed().size(), 1U);
  EXPECT_EQ(two.confirmed()[0].at("count"), 6) << two.confirmed()[0];
  EXPECT_EQ(two.unconfirmed().size(), 0U);
  EXPECT_EQ(two.asked().size(), 1U);

  // Known, it has no script, and is not asked of releases.
  const std::string cause = two.confirmed()[0].at("cause");
  Following known =
      it.following({{.cause = cause, .link = "https://example.org", .reason = "told"}});
  e2e::must(known.follow(it.findings({"b"}), 60));
  ASSERT_EQ(known.confirmed().size(), 1U);
  EXPECT_EQ(known.confirmed()[0].at("known").at("reason"), "told");
  EXPECT_EQ(known.confirmed()[0].at("script"), false);
  EXPECT_TRUE(known.asked().empty());
}

// Each process of a user is new: what only a used one shows is not told, whatever it looks like.
TEST(Following, WhatOnlyAUsedProcessShowsIsNotKnown) {
  Followings it;
  const std::string cause = "reads / other value / get on two-faced";
  std::vector<RawFinding> raw = it.findings({"b"});
  Following known = it.following({{.cause = cause, .link = "https://example.org"}});
  e2e::must(known.follow(raw, 60));
  EXPECT_EQ(known.confirmed().size(), 1U) << "this is the cause";

  raw[0].finding.value = e2e::must(program::parse_case(R"({"format":2,"program":[
      {"make":"two-faced","at":"z","as":"s0"},{"call":"set","key":"w","value":"w@1","on":"s0"},
      {"call":"get","key":"w","on":"s0"}]})"));
  Following used = it.following({{.cause = cause, .link = "https://example.org"}});
  e2e::must(used.follow(raw, 60));
  EXPECT_EQ(used.confirmed().size(), 0U);
  EXPECT_EQ(used.unconfirmed().size(), 1U);
}

// What does not happen again when its program is played once more may be a race, which somebody
// knows as the loop saw it. That there was no time to play it says nothing.
TEST(Following, WhatDoesNotHappenAgainIsKnownAsTheLoopSawIt) {
  Followings it;
  std::vector<RawFinding> raw = it.findings({"b"});
  raw[0].finding.value = e2e::must(
      program::parse_case(R"({"format":2,"program":[{"make":"two-faced","at":"z","as":"s0"}]})"));
  const std::vector<Known> list{{.cause = raw[0].finding.key, .link = "https://example.org"}};
  Following seen = it.following(list);
  e2e::must(seen.follow(raw, 60));
  ASSERT_EQ(seen.confirmed().size(), 1U);
  EXPECT_EQ(seen.confirmed()[0].at("known").at("link"), "https://example.org");
  EXPECT_EQ(seen.confirmed()[0].at("confirmed"), false);
  EXPECT_TRUE(seen.asked().empty());

  Following late = it.following(list);
  e2e::must(late.follow(raw, 0));
  EXPECT_EQ(late.confirmed().size(), 0U);
  EXPECT_EQ(late.unconfirmed().size(), 1U);
}

// An empty subclass of LocalStore leaves a file behind where it is stopped, as LocalStore does; a
// wrong value is its own.
TEST(Following, OfAStoreOfOnesOwnWhatAStoreOfZarrShowsAsWellIsZarrs) {
  Followings it;
  const program::Case value = e2e::must(program::parse_case(
      R"({"format":2,"program":[{"make":"two-faced","at":"z","as":"s0"},
        {"call":"set","key":"c","value":"c@1","on":"s0","watched":true}]})"));
  const auto session = e2e::must(ProgramSession::start(it.settings));
  std::vector<RawFinding> raw = it.findings({"b"});
  for (Finding& found : findings_of(value, e2e::play(*session, value).differences))
    raw.push_back({.finding = std::move(found), .count = 1});
  ASSERT_EQ(raw.size(), 2U);
  FollowOptions options = it.options();
  options.own_stores = true;
  Following following(std::move(options));
  e2e::must(following.follow(std::move(raw), 60));
  std::map<std::string, std::string> by;  // oracle → who knows it
  for (const Json& line : following.confirmed())
    by[line.at("oracle")] = line.at("known").is_null() ? "" : line.at("known").at("by");
  EXPECT_EQ(by, (std::map<std::string, std::string>{{"on disk", "zarr"}, {"reads", ""}}));
}

// To the loop `clear` and `delete` look alike, and are two questions.
TEST(Following, KeepsOfAnotherProgramWhatThatOneShows) {
  Followings it;
  std::vector<RawFinding> raw = it.findings({"b"});
  raw[0].others = {raw[0].finding};
  raw[0].finding.of_class = "reads / absent / get";
  Following following = it.following();
  e2e::must(following.follow(std::move(raw), 60));
  EXPECT_EQ(following.confirmed().size(), 1U);
  EXPECT_EQ(following.unconfirmed().size(), 0U);
}

TEST(Following, WhatDoesNotHangDoesNotWaitBehindHangs) {
  Followings it;
  it.settings.deadline = "1000";
  FollowOptions options = it.options();
  std::atomic<std::size_t> told = 0;
  options.grown = [&]() -> Result<void> {
    ++told;
    return {};
  };
  options.dossier.stop = [&] { return told > 0; };
  Following following(std::move(options));
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < 3 * own_cores().size(); ++i) keys.push_back(fmt::format("h{}", i));
  keys.push_back("b");
  std::vector<RawFinding> raw = it.findings(keys);
  // Seen last and less severe than a hang.
  raw.back().finding.severity = 5;
  raw.back().seconds = 1;
  e2e::must(following.follow(std::move(raw), 60));
  ASSERT_EQ(following.confirmed().size(), 1U);
  EXPECT_EQ(following.confirmed()[0].at("oracle"), "reads");
}

TEST(Following, SaysWhatItHadNoTimeFor) {
  Followings it;
  Following late = it.following();
  e2e::must(late.follow(it.findings({"b"}), 0));
  ASSERT_EQ(late.unconfirmed().size(), 1U);
  EXPECT_EQ(late.unconfirmed()[0].at("followed"), false);
  EXPECT_EQ(late.not_reached(), 1U);
}

// Half reduced, it may look like another cause than the one that is known.
TEST(Following, LeavesWhatItHadNoTimeToReduce) {
  Followings it;
  FollowOptions options = it.options();
  options.dossier.budget = Milliseconds(1);
  Following late(options);
  e2e::must(late.follow(it.findings({"b"}), 60));
  EXPECT_TRUE(late.confirmed().empty());
  ASSERT_EQ(late.unconfirmed().size(), 1U);
  EXPECT_EQ(late.unconfirmed()[0].at("followed"), false);
  EXPECT_EQ(late.not_reached(), 1U);
}

}  // namespace
}  // namespace storefuzz
