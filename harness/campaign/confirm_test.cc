// What counts as confirmed: exit code 1 and the sentence, though the first end may be a crash.
#include "harness/campaign/confirm.h"

#include <gtest/gtest.h>

#include "harness/base/paths.h"
#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

// A script that says its sentence, and then aborts as often as it is told to.
Confirmed confirmed_after(int aborts, const std::string& says = "it is wrong") {
  const test::Folder folder;
  const std::string count = (folder.path() / "count").string();
  const auto script = folder.write("repro.py", "import os, sys\nprint('DEFECT: " + says +
                                                   "', flush=True)\n"
                                                   "open('" +
                                                   count +
                                                   "', 'a').write('x')\n"
                                                   "if os.path.getsize('" +
                                                   count + "') <= " + std::to_string(aborts) +
                                                   ":\n    os.abort()\nsys.exit(1)\n");
  auto done = confirm(script, "it is wrong",
                      {.python = tools_python(), .scratch = folder.path(), .planted = ""});
  EXPECT_TRUE(done) << done.error().message;
  return done ? *done : Confirmed{};
}

TEST(Confirm, AsksAScriptAgainThatDiedAfterItsSentence) {
  EXPECT_TRUE(confirmed_after(0).confirmed);
  EXPECT_TRUE(confirmed_after(2).confirmed);
  const Confirmed dies = confirmed_after(3);
  EXPECT_FALSE(dies.confirmed);
  EXPECT_EQ(dies.why, "repro.py ended with SIGABRT");
}

TEST(Confirm, DoesNotAskAgainForAnotherSentence) {
  const Confirmed other = confirmed_after(1, "something else");
  EXPECT_FALSE(other.confirmed);
  EXPECT_EQ(other.why, "repro.py ended with SIGABRT");
}

}  // namespace
}  // namespace storefuzz
