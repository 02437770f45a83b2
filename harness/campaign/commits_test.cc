// A range of commits as it is typed.
#include "harness/campaign/commits.h"

#include <gtest/gtest.h>

namespace storefuzz {
namespace {

TEST(Commits, AreARange) {
  EXPECT_EQ(parse_range("v3.0.1..main").value(),
            (std::pair<std::string, std::string>("v3.0.1", "main")));
  // What begins with a dash is an option of git.
  for (const char* text :
       {"", "main", "..main", "v3..", "a...b", "--x..main", "a..--upload-pack=x"}) {
    const auto range = parse_range(text);
    ASSERT_FALSE(range) << text;
    EXPECT_EQ(range.error().code, ExitCode::kBadInput);
  }
}

}  // namespace
}  // namespace storefuzz
