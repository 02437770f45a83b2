// What a row of cases.json means on another machine than the one that it was written on.
#include "harness/campaign/regressions.h"

#include <gtest/gtest.h>

#include "harness/findings/cause.h"

namespace storefuzz {
namespace {

TEST(Regressions, AreNotShownFromOneReleaseOnOfEachMinorVersion) {
  const std::vector<std::string> first{"3.12.9", "3.13.2"};
  for (const char* python : {"3.12.9", "3.12.10", "3.13.2", "3.13.11", "3.14.0"})
    EXPECT_TRUE(is_without(first, python)) << python;
  for (const char* python : {"3.12.8", "3.13.0", "3.13.1"})
    EXPECT_FALSE(is_without(first, python)) << python;
  EXPECT_FALSE(is_without({}, "3.13.0"));
  EXPECT_FALSE(is_not_shown_here(Json{{"case", "a"}}));
  EXPECT_TRUE(is_not_shown_here(Json{{"not with", {{"python", {"3.0.0"}}}}}));
  EXPECT_TRUE(is_not_shown_here(Json{{"not with", {{"libzip", {"1.0.0"}}}}}));
  EXPECT_FALSE(is_not_shown_here(Json{{"not with", {{"libzip", {"9.0.0"}}}}}));
}

// libzip 1.7 finds a key gone where 1.11 cannot read the archive.
TEST(Regressions, AreShownByWhatAnotherReaderSaysOfASpoiltArchive) {
  const auto value = program::parse_case(R"({"format": 2, "program": [
      {"make": "zip", "at": "z", "mode": "w", "as": "s0"},
      {"make": "zip", "at": "z", "mode": "w", "as": "s1"},
      {"call": "set", "key": "a", "on": "s0", "value": "a@2"},
      {"call": "close", "on": "s1"}, {"call": "close", "on": "s0"}]})");
  ASSERT_TRUE(value) << value.error().message;
  program::Difference it{
      .wrong = program::Wrong::kUnreadable, .first = true, .oracle = program::kOnDisk};
  it.where.step = 4;
  it.where.place = "z";
  it.where.operation = "on disk";
  PlayedProgram played;
  played.differences = {it};
  Regression row{.page = "page", .oracle = "on disk", .wrong = "lost", .at = "on disk"};
  row.value = *value;
  EXPECT_FALSE(shown_by(played, row)) << "another difference, and of no known cause";
  row.causes = {program::cause_of(*value, it).key};
  EXPECT_EQ(shown_by(played, row), &played.differences.front());
  played.differences.front().first = false;
  EXPECT_FALSE(shown_by(played, row)) << "a symptom";
  played.differences.front().first = true;
  row.wrong = "unreadable";
  row.causes.clear();
  EXPECT_TRUE(shown_by(played, row)) << "what the row says";
  played.differences.front().oracle = "reads";
  EXPECT_FALSE(shown_by(played, row));
}

}  // namespace
}  // namespace storefuzz
