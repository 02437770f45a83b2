// A quirk names one reader, class and direction, and no more than its versions; a list with a
// mistake in it is refused; and ours excuses nothing that nobody may do.
#include "harness/findings/reader_quirks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/base/paths.h"
#include "harness/campaign/subject.h"
#include "harness/readers/install.h"
#include "harness/testing/shared.h"
#include "harness/zip/classes.h"

namespace storefuzz {
namespace {

const Json kQuirk = {{"reader", "libzip"},
                     {"class", "B1"},
                     {"direction", "other data"},
                     {"first", "1.7.3"},
                     {"last", "1.11"},
                     {"reason", "libzip takes the first entry of a name."},
                     {"link", "https://example.org/"}};

Result<ReaderQuirks> load_text(std::string_view text) {
  const test::Folder folder;
  return ReaderQuirks::load(folder.write("quirks.json", text));
}

Result<ReaderQuirks> load(const Json& quirks) {
  return load_text(Json{{"about", "ways"}, {"quirks", quirks}}.dump());
}

Json with(const char* member, const Json& value) {
  Json quirk = kQuirk;
  quirk[member] = value;
  return quirk;
}

Json without(const char* member) {
  Json quirk = kQuirk;
  quirk.erase(member);
  return quirk;
}

void expect_refused(const Result<ReaderQuirks>& list, std::string_view what,
                    std::string_view named = "") {
  ASSERT_FALSE(list.has_value()) << what;
  EXPECT_EQ(list.error().code, ExitCode::kBadInput) << what;
  EXPECT_NE(list.error().message.find(named), std::string::npos) << list.error().message;
  EXPECT_EQ(list.error().message.find('\n'), std::string::npos) << list.error().message;
}

// --- loading

TEST(ReaderQuirks, AnEntryIsReadMemberByMember) {
  const auto list = load(Json::array({kQuirk}));
  ASSERT_TRUE(list.has_value()) << list.error().message;
  ASSERT_EQ(list->all().size(), 1);
  const ReaderQuirk& quirk = list->all()[0];
  EXPECT_EQ(quirk.reader, "libzip");
  EXPECT_EQ(quirk.zip_class, "B1");
  EXPECT_EQ(quirk.direction, "other data");
  EXPECT_EQ(quirk.first, "1.7.3");
  EXPECT_EQ(quirk.last, "1.11");
  EXPECT_EQ(quirk.reason, "libzip takes the first entry of a name.");
  EXPECT_EQ(quirk.link, "https://example.org/");
}

TEST(ReaderQuirks, NoneIsAListToo) {
  const auto list = load(Json::array());
  ASSERT_TRUE(list.has_value()) << list.error().message;
  EXPECT_TRUE(list->all().empty());
}

TEST(ReaderQuirks, AMissingFileIsRefused) {
  const test::Folder folder;
  expect_refused(ReaderQuirks::load(folder.path() / "none.json"), "missing", "none.json");
  expect_refused(ReaderQuirks::load(folder.path()), "a folder", folder.path().string());
}

TEST(ReaderQuirks, WhatIsNoListOfQuirksIsRefused) {
  for (const char* text : {"", "{", "[]", "null", "7", "{}", R"({"quirks": {}})",
                           R"({"quirks": null})", "\xff\xfe", R"({"quirk": []})"})
    expect_refused(load_text(text), text, "quirks.json");
  expect_refused(load_text(std::string(200'000, '[')), "deep", "quirks.json");
}

TEST(ReaderQuirks, AnEntryThatIsNoObjectIsRefused) {
  for (const Json& entry : {Json(7), Json("B1"), Json(nullptr), Json::array()})
    expect_refused(load(Json::array({entry})), entry.dump());
}

TEST(ReaderQuirks, AMissingMemberIsRefusedAndNamed) {
  for (const char* member : {"reader", "class", "direction", "reason"}) {
    expect_refused(load(Json::array({without(member)})), member, member);
    for (const Json& wrong : {Json(7), Json(""), Json(nullptr), Json::array()})
      expect_refused(load(Json::array({with(member, wrong)})), member, member);
  }
}

TEST(ReaderQuirks, VersionsAndLinkMayBeMissingAndAreTexts) {
  for (const char* member : {"first", "last", "link"}) {
    EXPECT_TRUE(load(Json::array({without(member)})).has_value()) << member;
    expect_refused(load(Json::array({with(member, 1.7)})), member, member);
  }
}

TEST(ReaderQuirks, AnUnknownMemberIsRefused) {
  expect_refused(load(Json::array({with("lsat", "1.8")})), "unknown member", "lsat");
}

// Such a quirk would never match, and nobody would notice.
TEST(ReaderQuirks, AWordThatNamesNothingIsRefused) {
  expect_refused(load(Json::array({with("class", "D1")})), "class", "D1");
  expect_refused(load(Json::array({with("class", "*")})), "class", "*");
  expect_refused(load(Json::array({with("direction", "other  data")})), "direction", "other  data");
  expect_refused(load(Json::array({with("direction", "*")})), "direction", "*");
  expect_refused(load(Json::array({with("reader", "libzp")})), "reader", "libzp");
  expect_refused(load(Json::array({with("reader", "*")})), "reader", "*");
  EXPECT_TRUE(load(Json::array({with("reader", "zarr child")})).has_value());
  expect_refused(load(Json::array({with("reader", "libzip child")})), "reader", "libzip child");
}

TEST(ReaderQuirks, AnEntryTwiceIsRefused) {
  expect_refused(load(Json::array({kQuirk, kQuirk})), "twice", "twice");
  expect_refused(load(Json::array({kQuirk, with("reason", "another")})), "twice", "twice");
  for (const auto& [member, other] : {std::pair("reader", "zarr"), std::pair("class", "B2"),
                                      std::pair("direction", "misses"), std::pair("first", "1.9")})
    EXPECT_TRUE(load(Json::array({kQuirk, with(member, other)})).has_value()) << member;
}

TEST(ReaderQuirks, OneMistakeRefusesTheWholeList) {
  expect_refused(load(Json::array({kQuirk, without("reason")})), "the second", "reason");
}

// --- matching

Difference difference(const std::string& version = "1.9") {
  return {.reader = "libzip", .version = version, .direction = Direction::kOtherData};
}

TEST(ReaderQuirks, MatchesItsReaderClassAndDirection) {
  const auto list = load(Json::array({kQuirk}));
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(list->match({"B1"}, difference()), &list->all()[0]);
  EXPECT_EQ(list->match({"C1", "B1", "wrong crc"}, difference()), &list->all()[0]);
  EXPECT_EQ(list->match({"B2"}, difference()), nullptr);
  EXPECT_EQ(list->match({"sound"}, difference()), nullptr);
  EXPECT_EQ(list->match({}, difference()), nullptr);
  for (int i = 0; i <= static_cast<int>(Direction::kDies); ++i) {
    Difference other = difference();
    other.direction = static_cast<Direction>(i);
    EXPECT_EQ(list->match({"B1"}, other) != nullptr, other.direction == Direction::kOtherData);
  }
  for (const char* reader : {"libzip-checked", "libzip child", "libarchive", "", "Libzip"}) {
    Difference other = difference();
    other.reader = reader;
    EXPECT_EQ(list->match({"B1"}, other), nullptr) << reader;
  }
  EXPECT_EQ(ReaderQuirks().match({"B1"}, difference()), nullptr);
}

TEST(ReaderQuirks, BoundsAreInclusiveAndComparedByNumbers) {
  const auto both = load(Json::array({kQuirk}));
  const auto first = load(Json::array({without("last")}));
  const auto last = load(Json::array({without("first")}));
  ASSERT_TRUE(both && first && last);
  for (const auto& [version, below, above] :
       {std::tuple("1.7.2", true, false), std::tuple("1.7.3", false, false),
        std::tuple("1.7.10", false, false), std::tuple("1.9", false, false),
        std::tuple("1.11", false, false), std::tuple("1.11.1", false, true),
        std::tuple("2.0", false, true)}) {
    EXPECT_EQ(both->match({"B1"}, difference(version)) != nullptr, !below && !above) << version;
    EXPECT_EQ(first->match({"B1"}, difference(version)) != nullptr, !below) << version;
    EXPECT_EQ(last->match({"B1"}, difference(version)) != nullptr, !above) << version;
  }
}

TEST(ReaderQuirks, TheFirstThatMatchesIsGiven) {
  Json second = with("first", "1.8");
  second["class"] = "C2";
  const auto list = load(Json::array({kQuirk, second}));
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(list->match({"C2", "B1"}, difference()), &list->all()[0]);
  EXPECT_EQ(list->match({"C2"}, difference()), &list->all()[1]);
}

// --- ours

const ReaderQuirks& ours() {
  static const auto list = ReaderQuirks::load(source_folder() + "/reference/reader_quirks.json");
  EXPECT_TRUE(list.has_value()) << list.error().message;
  static const ReaderQuirks none;
  return list ? *list : none;
}

TEST(OurReaderQuirks, Load) { EXPECT_GT(ours().all().size(), 100); }

TEST(OurReaderQuirks, ExcuseNoInventedDataNoHangAndNoDeath) {
  ASSERT_FALSE(ours().all().empty());
  for (const ReaderQuirk& quirk : ours().all())
    for (const char* never : {"invented data", "hangs", "dies"})
      EXPECT_NE(quirk.direction, never) << quirk.reader << ", class " << quirk.zip_class;
}

// The two that a sound archive is judged by.
TEST(OurReaderQuirks, ExcuseNothingInASoundArchiveForZarrAndLibzip) {
  ASSERT_FALSE(ours().all().empty());
  for (const ReaderQuirk& quirk : ours().all())
    if (quirk.zip_class == "sound") {
      for (const char* reader : {"zarr", "zarr child", "libzip"})
        EXPECT_NE(quirk.reader, reader) << quirk.direction;
    }
}

TEST(OurReaderQuirks, NameReadersThatThereAre) {
  const auto readers = all_readers();
  ASSERT_TRUE(readers.has_value()) << readers.error().message;
  for (const ReaderQuirk& quirk : ours().all())
    EXPECT_NE(std::ranges::find(*readers, quirk.reader), readers->end()) << quirk.reader;
}

TEST(OurReaderQuirks, GiveASentenceAsReason) {
  for (const ReaderQuirk& quirk : ours().all()) {
    EXPECT_TRUE(quirk.reason.ends_with('.')) << quirk.reason;
    EXPECT_GT(quirk.reason.size(), 20) << quirk.reason;
    EXPECT_TRUE(quirk.link.empty() || quirk.link.starts_with("https://")) << quirk.link;
  }
}

}  // namespace
}  // namespace storefuzz
