// What a row of cases.json means on another machine than the one that it was written on.
#include "harness/campaign/regressions.h"

#include <gtest/gtest.h>

namespace storefuzz {
namespace {

TEST(Regressions, AreNotShownFromOneReleaseOnOfEachMinorVersion) {
  const std::vector<std::string> first{"3.12.9", "3.13.2"};
  for (const char* python : {"3.12.9", "3.12.10", "3.13.2", "3.13.11", "3.14.0"})
    EXPECT_TRUE(is_without(first, python)) << python;
  for (const char* python : {"3.12.8", "3.13.0", "3.13.1"})
    EXPECT_FALSE(is_without(first, python)) << python;
  EXPECT_FALSE(is_without({}, "3.13.0"));
  EXPECT_TRUE(is_shown_here(Json{{"case", "a"}}));
  EXPECT_FALSE(is_shown_here(Json{{"not with", {{"python", {"3.0.0"}}}}}));
  EXPECT_FALSE(is_shown_here(Json{{"not with", {{"libzip", {"1.0.0"}}}}}));
  EXPECT_TRUE(is_shown_here(Json{{"not with", {{"libzip", {"9.0.0"}}}}}));
}

}  // namespace
}  // namespace storefuzz
