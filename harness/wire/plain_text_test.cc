// What is taken out of a text, and what stays.
#include "harness/wire/plain_text.h"

#include <gtest/gtest.h>

namespace storefuzz::program {
namespace {

std::string plain(std::string_view text) {
  return plain_text(text, {{"/run/case", "<case>"}, {"/env/site-packages/", ""}});
}

TEST(PlainText, PlacesAreNamed) {
  EXPECT_EQ(plain("/run/case/z.zip in /run/case"), "<case>/z.zip in <case>");
  EXPECT_EQ(plain("/env/site-packages/zarr/storage/_zip.py"), "zarr/storage/_zip.py");
}

TEST(PlainText, WhatChangesIsTakenOut) {
  EXPECT_EQ(plain("<Store at 0x7f12ab34cd56>"), "<Store at 0x…>");
  EXPECT_EQ(plain("a.0123456789abcdef0123456789abcdef.partial"), "a.0x….partial");
  EXPECT_EQ(plain("Thread 140000000000001, process 4711 current_size=12)"),
            "Thread 0x…, process … current_size=…)");
}

TEST(PlainText, NamesLoseTheirChance) {
  EXPECT_EQ(without_chance("c/a.0123456789abcdef0123456789abcdef.partial"), "c/a.#.partial");
  EXPECT_EQ(without_chance("c/a.partial"), "c/a.partial");
}

TEST(PlainText, WhatIsTheSameStays) {
  for (const char* text :
       {"", "0x12", "12345678", "0123456789abcdef", "process of", "subprocess 12", "b@5;b@5;", "é",
        "x123456789y", "0123456789abcdef0123456789abcdef0"})
    EXPECT_EQ(plain(text), text);
}

}  // namespace
}  // namespace storefuzz::program
