// What went wrong by no fault of the subject is told, and too much of it is no all-clear.
#include "harness/campaign/trouble.h"

#include <gtest/gtest.h>

namespace storefuzz {
namespace {

TEST(Trouble, OfASoundRunIsNone) {
  const Fuzzed fuzzed{.executions = 100};
  EXPECT_TRUE(troubles(fuzzed, {.findings = 3}).empty());
  EXPECT_FALSE(too_much_trouble(fuzzed, {.findings = 3}));
  EXPECT_FALSE(too_much_trouble(fuzzed, {}));
}

TEST(Trouble, OfCasesIsFaultsAndDeathsTogether) {
  Fuzzed fuzzed{.executions = 150};
  fuzzed.faults = {"a worker failed: {}"};
  fuzzed.deaths = {{"SIGKILL", 1}, {"exit 7", 1}};
  EXPECT_EQ(
      troubles(fuzzed, {}),
      (std::vector<std::string>{
          "1 of 150 cases could not be played, by a fault of storefuzz: a worker failed: {}",
          "the fuzz process died 2 times in 150 cases, by no finding of its own: SIGKILL (1), "
          "exit 7 (1)"}));
  EXPECT_FALSE(too_much_trouble(fuzzed, {})) << "3 of 150 are 2 %, not more";
  fuzzed.executions = 149;
  EXPECT_TRUE(too_much_trouble(fuzzed, {}));
  fuzzed.executions = 0;
  EXPECT_TRUE(too_much_trouble(fuzzed, {}));
}

TEST(Trouble, OfFindingsCountsAmongFindings) {
  const Fuzzed fuzzed{.executions = 100'000};
  const Followed followed{.findings = 4, .unfollowed = {"no space left"}};
  EXPECT_EQ(troubles(fuzzed, followed),
            (std::vector<std::string>{
                "1 of 4 findings could not be followed, by a fault of storefuzz: no space left"}));
  EXPECT_EQ(too_much_trouble(fuzzed, followed),
            "more than 2 % of its findings could not be followed");
  EXPECT_FALSE(too_much_trouble(fuzzed, {.findings = 50, .unfollowed = {"no space left"}}));
}

}  // namespace
}  // namespace storefuzz
