// Numbers of lines as text, and back.
#include "harness/campaign/subject_lines.h"

#include <gtest/gtest.h>

namespace storefuzz {
namespace {

TEST(SubjectLines, AreRangesAsText) {
  EXPECT_EQ(to_ranges({}), "");
  EXPECT_EQ(to_ranges({3}), "3");
  EXPECT_EQ(to_ranges({0, 1, 2, 5, 7, 8}), "0-2 5 7-8");
  for (const char* text : {"", "3", "0-2 5 7-8"}) EXPECT_EQ(to_ranges(from_ranges(text)), text);
  for (const char* text : {"x", "3-", "9-3", "-1"}) EXPECT_LE(from_ranges(text).size(), 1U) << text;
  EXPECT_TRUE(from_ranges("1-999999999999").empty());
}

}  // namespace
}  // namespace storefuzz
