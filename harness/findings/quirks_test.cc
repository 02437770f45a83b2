// A quirk matches exactly one difference, in its releases; a broken or vague list is refused.
#include "harness/findings/quirks.h"

#include <gtest/gtest.h>

#include "harness/base/paths.h"
#include "harness/campaign/subject.h"
#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

const Json kQuirk{{"id", "handle stays"},
                  {"store", "zip"},
                  {"oracle", "attributes"},
                  {"field", "_zf"},
                  {"class", "lost"},
                  {"first", "3.0.3"},
                  {"last", "3.4.1"},
                  {"reason", "files cannot travel"},
                  {"link", "https://example.org"}};
const Disagreement kFound{.oracle = "attributes", .field = "_zf", .wrong = "lost"};

Result<std::vector<Quirk>> load(const std::string& text) {
  const test::Folder folder;
  return load_quirks(folder.write("quirks.json", text));
}

Result<std::vector<Quirk>> load(const Json& quirk) {
  return load(Json{{"quirks", {quirk}}}.dump());
}

Json changed(const char* member, const Json& value) {
  Json quirk = kQuirk;
  quirk[member] = value;
  return quirk;
}

std::vector<Quirk> loaded(const Json& quirk) {
  auto list = load(quirk);
  if (!list) ADD_FAILURE() << list.error().message;
  return list.value_or(std::vector<Quirk>{});
}

TEST(Quirks, MatchExactlyWhatTheyName) {
  const auto quirks = loaded(kQuirk);
  ASSERT_NE(match(quirks, "zip", kFound, "3.4.1"), nullptr);
  EXPECT_EQ(match(quirks, "zip", kFound, "3.4.1")->id, "handle stays");
  EXPECT_EQ(match(quirks, "local", kFound, "3.4.1"), nullptr);
  EXPECT_EQ(match(quirks, "", kFound, "3.4.1"), nullptr);
  for (std::string Disagreement::* member :
       {&Disagreement::oracle, &Disagreement::field, &Disagreement::wrong}) {
    for (const char* other : {"", "x"}) {
      Disagreement found = kFound;
      found.*member = other;
      EXPECT_EQ(match(quirks, "zip", found, "3.4.1"), nullptr);
      found.*member = kFound.*member + "x";
      EXPECT_EQ(match(quirks, "zip", found, "3.4.1"), nullptr);
    }
  }
}

// What is right for a store is right for what wraps it, and for nothing else.
TEST(Quirks, OfAStoreHoldForItsWrappers) {
  const auto quirks = loaded(kQuirk);
  Disagreement inner = kFound;
  for (const char* store : {"zip", "logging over zip", "cache over wrapper over zip"})
    for (const char* field : {"_zf", "_store._zf", "_store._store._zf", "store._zf"}) {
      inner.field = field;
      EXPECT_NE(match(quirks, store, inner, "3.4.1"), nullptr) << store << " " << field;
    }
  for (const char* store : {"zip file", "fsspec zip", "logging over local", "logging over zip file",
                            "zipper", "logging over", " over zip over local"}) {
    inner.field = "_store._zf";
    const bool wraps = std::string_view(store) == " over zip over local";
    EXPECT_EQ(match(quirks, store, inner, "3.4.1") != nullptr, wraps) << store;
  }
  for (const char* field :
       {"store_zf", "_zf._store", "_store", "_cache._zf", "_store.", "_store._z"}) {
    inner.field = field;
    EXPECT_EQ(match(quirks, "logging over zip", inner, "3.4.1"), nullptr) << field;
  }
}

TEST(Quirks, OfAWrapperHoldWhereItIsAnywhereInTheChain) {
  const auto quirks = loaded(changed("store", "cache"));
  EXPECT_NE(match(quirks, "cache over local", kFound, "3.4.1"), nullptr);
  EXPECT_NE(match(quirks, "logging over cache over zip", kFound, "3.4.1"), nullptr);
  EXPECT_EQ(match(quirks, "logging over zip", kFound, "3.4.1"), nullptr);
}

TEST(Quirks, NameAStoreOfTheListNotAChain) {
  const auto refused = load(changed("store", "logging over zip"));
  EXPECT_FALSE(refused.has_value());
}

TEST(Quirks, HoldInTheirReleasesOnlyBothEndsIncluded) {
  const auto quirks = loaded(kQuirk);
  for (const char* release : {"3.0.3", "3.0.10", "3.1.0", "3.4.1"})
    EXPECT_NE(match(quirks, "zip", kFound, release), nullptr) << release;
  for (const char* release : {"2.18.7", "3.0.0", "3.0.2", "3.4.2", "3.10.0", "4.0"})
    EXPECT_EQ(match(quirks, "zip", kFound, release), nullptr) << release;
}

TEST(Quirks, WithoutBoundsHoldAlways) {
  Json quirk = kQuirk;
  quirk.erase("first");
  quirk.erase("last");
  EXPECT_NE(match(loaded(quirk), "zip", kFound, "2.18.0"), nullptr);
  EXPECT_NE(match(loaded(quirk), "zip", kFound, "9.9.9"), nullptr);
}

void expect_refused(const Result<std::vector<Quirk>>& list, const std::string& what) {
  ASSERT_FALSE(list.has_value()) << what;
  EXPECT_EQ(list.error().code, ExitCode::kBadInput) << what;
  EXPECT_FALSE(list.error().message.empty());
}

TEST(Quirks, WildcardsAreRefused) {
  for (const char* member : {"store", "oracle", "field", "class"})
    for (const char* wild : {"*", "", "_*", "*f", "_z?*"})
      expect_refused(load(changed(member, wild)), std::string(member) + " " + wild);
  for (const char* member : {"first", "last"}) expect_refused(load(changed(member, "3.*")), member);
}

TEST(Quirks, AMissingMemberIsRefusedAndNamed) {
  for (const char* member : {"id", "store", "oracle", "field", "class", "reason", "link"}) {
    Json quirk = kQuirk;
    quirk.erase(member);
    const auto list = load(quirk);
    expect_refused(list, member);
    if (!list) {
      EXPECT_NE(list.error().message.find(member), std::string::npos);
    }
    expect_refused(load(changed(member, 7)), member);
  }
}

// Such a quirk would never match, and nobody would notice.
TEST(Quirks, AWordThatNamesNothingIsRefused) {
  expect_refused(load(changed("store", "zipp")), "store");
  expect_refused(load(changed("oracle", "atributes")), "oracle");
  expect_refused(load(changed("last", "soon")), "last");
  expect_refused(load(changed("lsat", "3.0.1")), "a member nobody asked for");
}

TEST(Quirks, ABrokenFileIsOneSentence) {
  for (const char* text : {"", "{", "[]", "null", "7", "{}", R"({"quirks": {}})",
                           R"({"quirks": [7]})", "\xff\xfe", R"({"quirks": [[]]})"})
    expect_refused(load(std::string(text)), text);
  expect_refused(load(std::string(200'000, '[')), "deep");
  const test::Folder folder;
  expect_refused(load_quirks(folder.path() / "none.json"), "missing");
  EXPECT_NO_THROW(expect_refused(load_quirks(folder.path()), "a folder"));
}

TEST(Quirks, OursAreWellFormedAndTheirExamplesAreCases) {
  const auto quirks = load_quirks(source_folder() + "/reference/quirks.json");
  ASSERT_TRUE(quirks.has_value()) << quirks.error().message;
  std::set<std::string> ids;
  for (const Quirk& quirk : *quirks) {
    EXPECT_TRUE(ids.insert(quirk.id).second) << quirk.id;
    EXPECT_TRUE(quirk.link.starts_with("https://")) << quirk.id;
    EXPECT_TRUE(std::ranges::any_of(oracles(), [&](const Oracle& it) {
      return it.name == quirk.oracle;
    })) << quirk.id;
    const auto example = parse_case(quirk.example.dump());
    EXPECT_TRUE(example.has_value()) << quirk.id << ": " << example.error().message;
  }
}

TEST(Releases, AreComparedByNumbers) {
  const char* ordered[] = {"2.18.0", "2.18.7", "3.0.0",  "3.0.2", "3.0.9",
                           "3.0.10", "3.1",    "3.10.0", "10.0"};
  for (std::size_t i = 0; i < std::size(ordered); ++i)
    for (std::size_t k = 0; k < std::size(ordered); ++k) {
      const int compared = compare_releases(ordered[i], ordered[k]);
      EXPECT_EQ(compared < 0, i < k) << ordered[i] << " " << ordered[k];
      EXPECT_EQ(compared > 0, i > k) << ordered[i] << " " << ordered[k];
    }
  EXPECT_EQ(compare_releases("3.1", "3.1.0"), 0);
  EXPECT_GT(compare_releases("3.1.0.dev5+gabc", "3.0.10"), 0);
  EXPECT_EQ(compare_releases("", ""), 0);
  EXPECT_LT(compare_releases("", "1"), 0);
}

}  // namespace
}  // namespace storefuzz
