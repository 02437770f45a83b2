// What a script takes of the files of helpers, and that each helper has all that it names.
#include "harness/findings/script_helpers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/findings/script_frame.h"
#include "harness/findings/script_words.h"
#include "harness/process/process.h"
#include "harness/testing/shared.h"

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
  EXPECT_EQ(helpers_of("def long(\n    one, two\n):\n    return one\n")[0].code,
            "def long(\n    one, two\n):\n    return one\n");
  EXPECT_EQ(all[2].used, "Three");
  EXPECT_EQ(all[2].code, "class Three(Base):\n    def four(self):\n        pass\n");
}

// A script has what each needs, whichever file that is in: ruff finds names that are not defined.
TEST(Helpers, AreNamedByNoScriptThatDoesNotDefineThem) {
  const auto all = read_helpers(reference_folder());
  ASSERT_TRUE(all) << all.error().message;
  const test::Folder scripts;
  for (const Helper& it : *all) {
    const bool call = it.used.ends_with('(');
    const std::string name = it.used.substr(0, it.used.size() - (call ? 1 : 0));
    EXPECT_NE(variable(name), name) << "a handle of that name would hide the function";
    const auto script =
        framed({.code = "def main():\n    return " + it.used + (call ? ")\n" : "\n")},
               {.release = "3.4.2", .reference = reference_folder()});
    ASSERT_TRUE(script) << script.error().message;
    EXPECT_NE(script->find(it.code.substr(0, it.code.find(':'))), script->npos) << *script;
    ASSERT_TRUE(write_file_whole(scripts.path() / (name + ".py"), *script));
  }
  const auto done = run_to_end({.arguments = {tools_python(), "-m", "ruff", "check", "--isolated",
                                              "--select", "F821,F823", scripts.path()}},
                               Milliseconds(60'000));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->exit_code, 0) << done->output;
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
