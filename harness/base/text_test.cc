// What a terminal obeys never reaches one; texts are cut between characters, split between lines.
#include "harness/base/text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace storefuzz {
namespace {

// --- printable

TEST(Printable, LeavesWhatAPersonReads) {
  for (const std::string_view text : {"", "zarr.json", "Größe", "日本語", "🙂", "a\\u001b", "\"'`"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, ShowsEveryControlCharacter) {
  for (int code = 0; code < 0x20; ++code)
    EXPECT_EQ(printable(std::string(1, static_cast<char>(code))), fmt::format("\\u{:04x}", code));
  EXPECT_EQ(printable("\x7f"), "\\u007f");
  EXPECT_EQ(printable("a\x1b]0;title\x07z"), "a\\u001b]0;title\\u0007z");
}

// U+0080 to U+009F are two bytes of UTF-8; U+009B is ESC [ in one character.
TEST(Printable, ShowsTheControlCharactersBeyondAscii) {
  for (int low = 0x80; low < 0xA0; ++low) {
    const std::string text{'\xC2', static_cast<char>(low)};
    EXPECT_EQ(printable(text), fmt::format("\\u{:04x}", low));
  }
  EXPECT_EQ(printable("\xC2\xA0"), "\xC2\xA0") << "a space that does not break is no command";
}

TEST(Printable, ShowsWhatTurnsTheDirectionOfWriting) {
  for (const char* text : {"\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202e", "\u2066",
                           "\u2069"})
    EXPECT_TRUE(printable(text).starts_with("\\u20")) << text;
  EXPECT_EQ(printable("\u2030"), "\u2030");
}

TEST(Printable, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(printable("a\x9bz"), "a\uFFFDz");                 // U+009B as Latin-1
  EXPECT_EQ(printable("\xC2"), "\uFFFD");                     // cut off
  EXPECT_EQ(printable("\xC0\x9B"), "\uFFFD\uFFFD");           // ESC in an overlong form
  EXPECT_EQ(printable("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
}

TEST(Printable, KeepsLineBreaksOnlyWhereTheyAreOurs) {
  EXPECT_EQ(printable("a\nb\r\n"), "a\\u000ab\\u000d\\u000a");
  EXPECT_EQ(printable_lines("a\nb\r\n"), "a\nb\\u000d\n");
}

TEST(Printable, StaysValidInsideJson) {
  const Json json{{"name", "a\x1b\u009b\n\u202e"}};
  const std::string text = text_of(json);
  EXPECT_EQ(parse_json(printable(text)), json);
}

// --- UTF-8, cutting, lines

TEST(Utf8Character, IsTheShortestFormAndNoSurrogate) {
  EXPECT_EQ(utf8_character("a"), 1U);
  EXPECT_EQ(utf8_character("ä"), 2U);
  EXPECT_EQ(utf8_character("日"), 3U);
  EXPECT_EQ(utf8_character("🙂"), 4U);
  for (const char* wrong : {"", "\x80", "\xC1\x81", "\xE0\x80\x80", "\xED\xA0\x80",
                            "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xFF", "\xE6\x97"})
    EXPECT_EQ(utf8_character(wrong), 0U);
}

TEST(Shorten, NeverCutsACharacter) {
  EXPECT_EQ(shorten("abc", 3), "abc");
  EXPECT_EQ(shorten("abc", 2), "ab");
  EXPECT_EQ(shorten("aä", 2), "a");
  EXPECT_EQ(shorten("🙂", 3), "");
}

TEST(LastLine, IsTheOneThatCounts) {
  const auto split = [](const char* text) {
    const LastLine it = last_line(text);
    return it.before + "|" + it.last;
  };
  EXPECT_EQ(split("making …\nmade\n{}\n"), "making …\nmade\n|{}");
  EXPECT_EQ(split("{}"), "|{}");
  EXPECT_EQ(split("{}\n\n"), "|{}");
  EXPECT_EQ(split(""), "|");
}

}  // namespace
}  // namespace storefuzz
