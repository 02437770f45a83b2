#include "harness/findings/script_helpers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/base/paths.h"

namespace storefuzz::program {
namespace {

TEST(Helpers, AreTheDefinitionsOfAFile) {
  const auto all = helpers_of(
      "\"\"\"About it.\"\"\"\n\nimport os\n\nif os:\n    later = 1\n\n\n"
      "async def one(store):  # why\n    a = 1\n\n    return a\n\n\n"
      "def two():\n    return 2\n\n\nNAMES = [\n    1,\n]\n\n\n"
      "class Three(Base):\n    def four(self):\n        pass");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].used, "one(");
  EXPECT_EQ(all[0].code, "async def one(store):  # why\n    a = 1\n\n    return a\n");
  EXPECT_EQ(all[1].used, "two(");
  EXPECT_EQ(all[1].code, "def two():\n    return 2\n");
  EXPECT_EQ(all[2].used, "Three");
  EXPECT_EQ(all[2].code, "class Three(Base):\n    def four(self):\n        pass\n");
}

TEST(Helpers, AreReadFromBothFiles) {
  const auto all = read_helpers(reference_folder());
  ASSERT_TRUE(all) << all.error().message;
  const auto has = [&](std::string_view used) {
    return std::ranges::find(*all, used, &Helper::used) != all->end();
  };
  EXPECT_TRUE(has("answer("));
  EXPECT_TRUE(has("get_ranges("));
  const auto lost = read_helpers("/nowhere");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ExitCode::kMachine);
}

}  // namespace
}  // namespace storefuzz::program
