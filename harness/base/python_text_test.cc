// What stands in a script as a literal is what Python reads back, whatever bytes it holds.
#include "harness/base/python_text.h"

#include <gtest/gtest.h>

#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/campaign/subject.h"
#include "harness/process/process.h"

namespace storefuzz {
namespace {

// What Python makes of a literal, spelled out in ASCII.
std::string read_by_python(const std::string& literal) {
  auto done = run_to_end({.arguments = {tools_python(), "-c", "print(ascii(" + literal + "))"}},
                         Milliseconds(60'000));
  return done ? done->output : done.error().message;
}

TEST(PythonText, TextIsReadBack) {
  EXPECT_EQ(read_by_python(text_literal("a\"b\\\n\t\x01{key}")), "'a\"b\\\\\\n\\t\\x01{key}'\n");
  EXPECT_EQ(read_by_python(text_literal("\u00e9\u2028\U0001F600")), "'\\xe9\\u2028\\U0001f600'\n");
  EXPECT_EQ(text_literal("plain"), "\"plain\"");
}

TEST(PythonText, TextIsAsciiAndOneLineWhateverItHolds) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const char c : text_literal(all)) EXPECT_TRUE(c >= 0x20 && c < 0x7F) << int(c);
}

TEST(PythonText, BytesAreReadBack) {
  EXPECT_EQ(read_by_python(bytes_literal(std::string("\x00\xff\"\\'\n", 6))),
            "b'\\x00\\xff\"\\\\\\'\\n'\n");
}

TEST(PythonText, WhatIsFilledInIsNotLookedAtAgain) {
  EXPECT_EQ(fill("set({key}, {value})", {{"{key}", "{value}"}, {"{value}", "run("}, {"run(", "!"}}),
            "set({value}, run()");
}

TEST(PythonText, WordsInLiteralsAreNotMentioned) {
  const std::string code = without_literals("print(\"os.remove \\\" copy.copy\", zipfile.ZipFile)");
  EXPECT_TRUE(mentions(code, "zipfile."));
  EXPECT_FALSE(mentions(code, "os."));
  EXPECT_FALSE(mentions(code, "copy."));
  EXPECT_FALSE(mentions("macos.path", "os."));
}

TEST(Renamed, ChangesTheNameAndNothingElse) {
  EXPECT_EQ(renamed("store == store.with_read_only(not store.read_only)", "store", "twin"),
            "twin == twin.with_read_only(not twin.read_only)");
  EXPECT_EQ(renamed("zarr.storage.f(store_copy, my.store, \"store\", store)", "store", "twin"),
            "zarr.storage.f(store_copy, my.store, \"store\", twin)");
}

}  // namespace
}  // namespace storefuzz
