// Code means the same in short lines.
#include "harness/base/python_lines.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/base/paths.h"
#include "harness/base/python_text.h"
#include "harness/process/process.h"

namespace storefuzz {
namespace {

// What Python sees in a piece of code, whatever its lines are.
std::string tree_of(const std::string& code) {
  constexpr const char* kTree = "import ast, sys; print(ast.dump(ast.parse(sys.argv[1])))";
  auto done = run_to_end({.arguments = {tools_python(), "-c", kTree, code}}, Milliseconds(60'000));
  return done ? done->output : done.error().message;
}

std::size_t longest_line(std::string_view code) {
  std::size_t longest = 0;
  for (std::size_t at = 0; at < code.size();) {
    const std::size_t end = std::min(code.find('\n', at), code.size());
    longest = std::max(longest, end - at);
    at = end + 1;
  }
  return longest;
}

TEST(Wrapped, MeansTheSameInLinesThatAreNotLong) {
  const std::string text = text_literal(std::string(90, 'k') + "\n\x01\u00e9\U0001F600(\"#,' ");
  const std::string bytes =
      bytes_literal(std::string(40, '\xff') + "\"\\ , (" + std::string(50, 'v'));
  const std::string code = fmt::format(
      "def main():\n"
      "    with open({0}, mode=\"rb\") as one, open({0} * 2) as other:\n"
      "        for step in (lambda: print({1}, {0}), lambda: print(\"a\", not one), {0}):\n"
      "            step([it for it in {{{0}: {1} * 3, \"b\": f\"{{one}} and {{other}}\"}}.items() "
      "if it])\n"
      "    wrong = bool({0} != other and away.startswith(\"AttributeError\") and '\"(' in {1})\n"
      "    return {1} if wrong else None  # it's why (\"{2}\n",
      text, bytes, std::string(30, 'x') + " " + std::string(30, 'y'));
  ASSERT_GT(longest_line(code), 400U);
  for (const std::size_t width : {60U, 80U, 120U}) {
    const std::string lines = wrapped(code, width);
    EXPECT_EQ(tree_of(lines), tree_of(code)) << lines;
    // The last line has a literal outside all brackets.
    EXPECT_LE(longest_line(lines.substr(0, lines.find("    return "))), width) << lines;
  }
}

TEST(Joined, MeansTheSameInFewerLines) {
  const std::string code =
      "import os\nimport sys\n"
      "def main():\n    one = 1\n    two = 2  # two\n    three = \"# ;\"\n    if one:\n"
      "        four = 4\n        five = 5\n    six = 6\n    return six\n"
      "main()\n";
  const std::string lines = joined(code, 30);
  EXPECT_EQ(tree_of(lines), tree_of(code)) << lines;
  EXPECT_EQ(lines,
            "import os; import sys\n"
            "def main():\n    one = 1\n    two = 2  # two\n    three = \"# ;\"\n    if one:\n"
            "        four = 4; five = 5\n    six = 6; return six\n"
            "main()\n");
}

TEST(ShortBlocks, MeanTheSameInFewerLines) {
  const std::string code =
      "def main():\n    try:\n        one = 1\n    except OSError:\n        return 2\n"
      "    with open(\"a\") as file:\n        file.read()\n        file.read()\n"
      "    if one:\n        if two:\n            three = 3\n\n\n"
      "def other():\n    return 1\n\nfor it in [\"a very long list\", other()]:\n    print(it)\n";
  const std::string lines = with_short_blocks(code, 40);
  EXPECT_EQ(tree_of(lines), tree_of(code)) << lines;
  EXPECT_EQ(lines,
            "def main():\n    try: one = 1\n    except OSError: return 2\n"
            "    with open(\"a\") as file:\n        file.read()\n        file.read()\n"
            "    if one:\n        if two: three = 3\n\n\n"
            "def other(): return 1\n\nfor it in [\"a very long list\", other()]:\n    print(it)\n");
}

TEST(Wrapped, LeavesWhatIsShortAloneAndBreaksAtCommasFirst) {
  const std::string code = "x = 1  # it's (\n\nprint(\"a, b\", 1)\n";
  EXPECT_EQ(wrapped(code, 20), code);
  EXPECT_EQ(wrapped("call(first, second == third, fourth)\n", 26),
            "call(first,\n    second == third,\n    fourth)\n");
  EXPECT_EQ(wrapped("    # one two three\n    x()", 16), "    # one two\n    # three\n    x()");
}

}  // namespace
}  // namespace storefuzz
