// The folder of a state: what it takes, how it is bounded, and that it reads what it has written.
#include "harness/campaign/state.h"

#include <gtest/gtest.h>

#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

Result<StateFolder> open(const fs::path& folder) { return StateFolder::open(folder); }

Recorded recorded(int seen) {
  Recorded it{.sentence = "a sentence", .severity = 2, .program = Json::object()};
  it.last.night = seen;
  return it;
}

TEST(StateFolder, ReadsWhatItHasWritten) {
  const test::Folder folder;
  {
    auto state = open(folder.path() / "state");
    ASSERT_TRUE(state) << state.error().message;
    state->state.begun = 3;
    state->state.nights.push_back({.night = 2, .subject = "3.4.2", .news = {"x"}, .why = "why"});
    Recorded it = recorded(2);
    it.status = Status::kMended;
    it.changes.push_back({{2, "today", "3.4.2"}, "new"});
    state->state.causes["x"] = it;
    ASSERT_TRUE(state->commit());
  }
  auto again = open(folder.path() / "state");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->state.begun, 3);
  EXPECT_EQ(again->state.nights.at(0).why, "why");
  EXPECT_EQ(again->state.causes.at("x").status, Status::kMended);
  EXPECT_EQ(again->state.causes.at("x").changes.at(0).at.subject, "3.4.2");
  EXPECT_EQ(to_json(again->state), parse_json(test::read_file(again->path() / "state.json")));
}

TEST(StateFolder, TakesNobodyBesideANightThatIsAtWork) {
  const test::Folder folder;
  const auto first = open(folder.path());
  ASSERT_TRUE(first);
  const auto second = open(folder.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ExitCode::kBadInput);
  EXPECT_EQ(second.error().message, "another night is at work on " + folder.path().string());
}

TEST(StateFolder, RefusesWhatIsNoState) {
  const test::Folder folder;
  const auto refused = [&](const char* name, const char* text) {
    fs::create_directory(folder.path() / name);
    folder.write(std::string(name) + "/state.json", text);
    const auto opened = open(folder.path() / name);
    EXPECT_EQ(opened ? ExitCode::kNothingNew : opened.error().code, ExitCode::kBadInput);
    return opened ? std::string() : opened.error().message;
  };
  EXPECT_TRUE(refused("a", "{").ends_with("state.json is no state of nights"));
  EXPECT_TRUE(refused("b", R"({"format": 2})")
                  .ends_with("state.json has format 2, and this storefuzz reads format 1"));
  EXPECT_NE(refused("c", R"({"format": 1, "begun": "x"})").find("state.json is broken"),
            std::string::npos);
  EXPECT_NE(refused("d", R"({"nights": []})").find("state.json is broken"), std::string::npos);
  folder.write("file", "");
  EXPECT_TRUE(open(folder.path() / "file").error().message.ends_with("file is no folder"));
  const auto others = open(folder.path());
  EXPECT_TRUE(
      others.error().message.ends_with("holds other files and no state.json; name a new folder"));
}

TEST(StateFolder, OfAFirstNightThatWasKilledWhileItWroteIsANewOne) {
  const test::Folder folder;
  folder.write("state.json.new", "{");
  EXPECT_TRUE(open(folder.path()));
}

TEST(StateFolder, IsDroppedWhereItWasMadeForNothing) {
  const test::Folder folder;
  {
    const auto made = open(folder.path() / "new");
    ASSERT_TRUE(made);
    made->drop_if_new();
  }
  EXPECT_FALSE(fs::exists(folder.path() / "new"));
  const auto found = open(folder.path());
  ASSERT_TRUE(found);
  found->drop_if_new();
  EXPECT_TRUE(fs::exists(folder.path())) << "somebody else made it";
}

TEST(StateFolder, IsBounded) {
  const test::Folder folder;
  auto state = open(folder.path());
  ASSERT_TRUE(state);
  for (int i = 1; i <= 1200; ++i) state->state.nights.push_back({.night = i});
  for (int i = 1; i <= 2100; ++i) state->state.causes[std::to_string(i)] = recorded(i);
  state->state.causes["page p"] = {.page = "p"};
  state->state.causes["2100"].changes.resize(200);
  ASSERT_TRUE(state->commit());
  EXPECT_EQ(state->state.nights.size(), 1000U);
  EXPECT_EQ(state->state.nights.front().night, 201);
  EXPECT_EQ(state->state.causes.size(), 2000U);
  EXPECT_FALSE(state->state.causes.contains("101"));  // seen longest ago
  EXPECT_TRUE(state->state.causes.contains("2100"));
  EXPECT_TRUE(state->state.causes.contains("page p"));
  EXPECT_EQ(state->state.causes["2100"].changes.size(), 100U);
}

TEST(StateFolder, DropsRunsOfOldNightsAndFoldersOfNoCause) {
  const test::Folder folder;
  auto state = open(folder.path());
  ASSERT_TRUE(state);
  for (int i = 1; i <= 9; ++i) {
    state->state.nights.push_back({.night = i});
    fs::create_directories(state->night(i) / "program");
  }
  state->state.causes["kept"] = recorded(1);
  for (const char* name : {"kept", "other", "kept.new"})
    fs::create_directories(folder.path() / "causes" / name);
  state->prune();
  EXPECT_FALSE(fs::exists(state->night(2)));
  EXPECT_TRUE(fs::exists(state->night(3)));
  EXPECT_TRUE(fs::exists(folder.path() / "causes" / "kept"));
  EXPECT_FALSE(fs::exists(folder.path() / "causes" / "other"));
  EXPECT_FALSE(fs::exists(folder.path() / "causes" / "kept.new"));
}

}  // namespace
}  // namespace storefuzz
