// What is known: by whom, and where it is new all the same.
#include "harness/findings/known.h"

#include <gtest/gtest.h>

#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

using program::Cause;

const std::vector<Known> kKnown = {{.cause = "reads / absent / get on zip",
                                    .link = "reports/defects/x.md",
                                    .reason = "A page",
                                    .by = "page",
                                    .page = "x",
                                    .severity = 2,
                                    .good = "3.0.10"}};

bool known(const std::string& cause, int severity, const std::string& release) {
  return find_known(kKnown, Cause{.key = cause, .severity = severity}, release) != nullptr;
}

TEST(Known, IsTheSameCauseOfTheSameOrAMilderSeverityBeforeItWasMended) {
  const std::string cause = kKnown.front().cause;
  EXPECT_TRUE(known(cause, 2, "3.0.9"));
  EXPECT_TRUE(known(cause, 6, "3.0.9"));
  EXPECT_FALSE(known(cause, 1, "3.0.9")) << "severer";
  EXPECT_FALSE(known(cause, 2, "3.0.10")) << "it was mended there";
  EXPECT_FALSE(known(cause, 2, "3.1.0"));
  EXPECT_FALSE(known("reads / other value / get on zip", 2, "3.0.9")) << "another class";
}

TEST(Known, OfAFileIsWhatWasWrittenThere) {
  const test::Folder files;
  const auto file = files.write("known.json", to_text(kKnown));
  const auto read = load_known(file.string());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_text(*read), to_text(kKnown));
}

TEST(Known, OfARunIsWhatItConfirmed) {
  const test::Folder files;
  files.write("findings.jsonl", R"({"cause":"c","fingerprint":"f","headline":"h","severity":3})"
                                "\n");
  const auto read = load_known(files.path().string());
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 1U);
  EXPECT_EQ(read->front().by, "run");
  EXPECT_TRUE(find_known(*read, Cause{.key = "c", .severity = 3}, "3.4.2"));
  files.write("findings.jsonl", "{}\n");
  EXPECT_FALSE(load_known(files.path().string()));
}

TEST(Known, IsNothingWhereNoneIsAskedFor) {
  const auto none = load_known("none");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
  const auto shipped = load_known("shipped");
  ASSERT_TRUE(shipped) << shipped.error().message;
  EXPECT_GT(shipped->size(), 50U);
}

}  // namespace
}  // namespace storefuzz
