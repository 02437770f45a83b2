// A case is one value with one JSON form: it comes back as it went, and what is wrong with a
// stranger's case is told in one sentence, quickly, whatever its size or depth.
#include "harness/case.h"

#include <gtest/gtest.h>

#include <chrono>

#include "harness/testing.h"

namespace storefuzz {
namespace {

Error refusal_of(std::string_view text) {
  const Result<Case> parsed = parse_case(text);
  return parsed ? Error{.code = ExitCode::kNothingNew, .message = "accepted"} : parsed.error();
}

// Parses, and says why where it does not.
Case accepted(std::string_view text) {
  const Result<Case> parsed = parse_case(text);
  if (!parsed) ADD_FAILURE() << text.substr(0, 300) << ": " << parsed.error().message;
  return parsed.value_or(Case{});
}

TEST(Case, EveryGeneratedCaseComesBackFromItsText) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    const Case value = test::random_case(seed);
    ASSERT_EQ(accepted(to_text(value)), value) << to_text(value);
  }
}

TEST(Case, EveryNormalisedWildCaseComesBackFromItsText) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    Case value = test::wild_case(seed);
    normalise(value);
    ASSERT_EQ(accepted(to_text(value)), value) << to_text(value);
  }
}

TEST(Case, ItsTextIsOneLineAndTheSameEveryTime) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const std::string text = to_text(test::random_case(seed));
    EXPECT_EQ(text, to_text(test::random_case(seed)));
    EXPECT_EQ(text.find('\n'), text.npos);
  }
}

TEST(Case, AnEmptyObjectAndNullsAreThePlainestCase) {
  Case plainest;
  normalise(plainest);
  EXPECT_EQ(accepted("{}"), plainest);
  EXPECT_EQ(accepted(R"({"store":null,"archive":null,"constructor":null,"operations":null,
                         "lifecycle":null,"looks":null,"carrier":null})"),
            plainest);
}

TEST(Case, WhatWasWrittenByHandIsUnderstood) {
  const Case value = accepted(R"({
    "archive": {"entries": [{"key": "a", "value": "x", "repeat": 900}], "compression": "deflated"},
    "constructor": {"path": "relative", "mode": "a", "read_only": false, "allowZip64": false},
    "operations": [{"do": "get range", "key": "a", "start": 1, "end": 3}, {"do": "close"}],
    "lifecycle": "closed", "parent": "warm", "driver": "loop", "looks": ["again", "reads", "reads"],
    "carrier": "pickle 2", "transport": "spawn", "comes_back": "array"})");
  const Case wanted{
      .archive = Archive{.entries = {{.key = "a", .value = "x", .repeat = 900}},
                         .compression = Compression::kDeflated},
      .constructor = {.relative_path = true,
                      .mode = Mode::kAppend,
                      .read_only = false,
                      .allow_zip64 = false},
      .operations = {{.what = What::kGetRange, .entry = {.key = "a"}, .start = 1, .end = 3},
                     {.what = What::kClose}},
      .lifecycle = Lifecycle::kClosed,
      .parent = Warmth::kWarm,
      .driver = Driver::kLoop,
      .looks = {LookGroup::kReads, LookGroup::kArray, LookGroup::kAgain},
      .carrier = Carrier::kPickle2,
      .transport = Transport::kSpawn,
      .comes_back = ComesBack::kArray};
  EXPECT_EQ(value, wanted) << to_text(value);
}

// One member set to each of its words, in a case where normalising leaves that member alone.
template <class Enum>
void expect_words(const char* member, Enum Case::* into) {
  std::set<std::string_view> names;
  for (const Enum word : all_of<Enum>()) {
    Json json{{"transport", "thread"}};
    json[member] = name_of(word);
    EXPECT_EQ(accepted(json.dump()).*into, word) << json;
    names.insert(name_of(word));
  }
  EXPECT_EQ(names.size(), all_of<Enum>().size()) << member;
}

TEST(Case, EveryWordOfEveryListIsReadBack) {
  expect_words("store", &Case::store);
  expect_words("lifecycle", &Case::lifecycle);
  expect_words("parent", &Case::parent);
  expect_words("driver", &Case::driver);
  expect_words("carrier", &Case::carrier);
  expect_words("transport", &Case::transport);
  expect_words("comes_back", &Case::comes_back);
  for (const Mode mode : all_of<Mode>())
    EXPECT_EQ(accepted(Json{{"constructor", {{"mode", name_of(mode)}}}}.dump()).constructor.mode,
              mode);
  for (const LookGroup look : all_of<LookGroup>())
    EXPECT_EQ(accepted(Json{{"looks", {name_of(look)}}}.dump()).looks, std::vector{look});
  for (const What what : all_of<What>()) {
    const Json json{{"lifecycle", "open"}, {"operations", {{{"do", name_of(what)}}}}};
    EXPECT_EQ(accepted(json.dump()).operations.at(0).what, what) << json;
  }
}

struct Wrong {
  const char* text;
  const char* named;  // must stand in the sentence
};

TEST(Case, WhatIsWrongIsNamed) {
  const Wrong wrongs[] = {
      {R"({"store": "zap"})", "\"store\""},
      {R"({"store": "zap"})", "zip, local"},
      {R"({"store": 7})", "\"store\""},
      {R"({"carrier": "pickle 9"})", "\"carrier\""},
      {R"({"transport": "pigeon"})", "same process, thread, spawn, fork"},
      {R"({"lifecycle": "dead"})", "\"lifecycle\""},
      {R"({"parent": "hot"})", "\"parent\""},
      {R"({"driver": true})", "\"driver\""},
      {R"({"comes_back": "never"})", "\"comes_back\""},
      {R"({"looks": "state"})", "\"looks\""},
      {R"({"looks": ["state", "nose"]})", "\"looks\""},
      {R"({"looks": ["state","state","state","state","state","state","state","state"]})",
       "\"looks\""},
      {R"({"colour": "red"})", "\"colour\""},
      {R"({"archive": 1})", "the archive must be an object"},
      {R"({"archive": {"entries": {}}})", "\"entries\""},
      {R"({"archive": {"entries": [7]}})", "an entry of the archive"},
      {R"({"archive": {"entries": [{"key": 7}]}})", "\"key\""},
      {R"({"archive": {"entries": [{"value": []}]}})", "\"value\""},
      {R"({"archive": {"entries": [{"repeat": -1}]}})", "\"repeat\""},
      {R"({"archive": {"entries": [{"repeat": 4097}]}})", "4096"},
      {R"({"archive": {"entries": [{"repeat": 1.5}]}})", "\"repeat\""},
      {R"({"archive": {"entries": [{"repeat": 1e99}]}})", "\"repeat\""},
      {R"({"archive": {"entries": [{"repeat": 18446744073709551615}]}})", "\"repeat\""},
      {R"({"archive": {"entries": [{"size": 1}]}})", "\"size\""},
      {R"({"archive": {"compression": "zstd"}})", "stored, deflated"},
      {R"({"archive": {"format": "tar"}})", "\"format\""},
      {R"({"constructor": []})", "the constructor must be an object"},
      {R"({"constructor": {"mode": "rw"}})", "r, w, a, x"},
      {R"({"constructor": {"path": "/etc/passwd"}})", "\"path\""},
      {R"({"constructor": {"path": "a very long path indeed"}})", "\"path\""},
      {R"({"constructor": {"read_only": "yes"}})", "\"read_only\""},
      {R"({"constructor": {"allowZip64": 1}})", "\"allowZip64\""},
      {R"({"constructor": {"compression": 8}})", "\"compression\""},
      {R"({"constructor": {"root": "/"}})", "\"root\""},
      {R"({"operations": {}})", "\"operations\""},
      {R"({"operations": ["set"]})", "an operation must be an object"},
      {R"({"operations": [{"do": "burn"}]})", "\"do\""},
      {R"({"operations": [{"do": "get range", "start": 1e30}]})", "\"start\""},
      {R"({"operations": [{"do": "get range", "end": 1099511627777}]})", "\"end\""},
      {R"({"operations": [{"do": "set", "when": "now"}]})", "\"when\""},
      {R"([])", "the case must be an object"},
      {R"("zip")", "the case must be an object"},
      {R"(null)", "the case must be an object"},
      {R"()", "not JSON"},
      {R"({)", "not JSON"},
      {R"({"store": "zip"} x)", "not JSON"},
      {R"({"store": NaN})", "not JSON"},
      {"{\"store\": \"\xff\"}", "not JSON"},
      {"{\"\xc3\": 1}", "not JSON"},
      {"\xff\xfe{\0}\0", "not JSON"},
  };
  for (const auto& [text, named] : wrongs) {
    const Error error = refusal_of(text);
    EXPECT_EQ(error.code, ExitCode::kBadInput) << text << ": " << error.message;
    EXPECT_NE(error.message.find(named), error.message.npos) << text << ": " << error.message;
    EXPECT_LT(error.message.size(), 300) << error.message;
    EXPECT_EQ(error.message.find('\n'), error.message.npos) << error.message;
  }
}

TEST(Case, LongStrangeMembersMakeNoLongSentence) {
  const Error error = refusal_of(Json{{std::string(60'000, 'k'), 1}}.dump());
  EXPECT_EQ(error.code, ExitCode::kBadInput);
  EXPECT_LT(error.message.size(), 200);
}

// Cut in the middle of a character, a sentence could not be shown on any page.
TEST(Case, ASentenceIsValidUtf8WhateverTheMemberIsCalled) {
  for (std::size_t before = 30; before < 45; ++before) {
    std::string member(before, 'k');
    for (int i = 0; i < 20; ++i) member += "\u20ac";
    const Error error = refusal_of(Json{{member, 1}}.dump());
    EXPECT_NO_THROW(std::ignore = Json(error.message).dump()) << before;
  }
}

std::string with_entries(std::size_t count, std::size_t key, std::size_t value, int repeat) {
  Json entries = Json::array();
  for (std::size_t i = 0; i < count; ++i) {
    std::string name = std::to_string(i);
    name.resize(key, 'k');
    entries.push_back({{"key", name}, {"value", std::string(value, 'v')}, {"repeat", repeat}});
  }
  return Json{{"archive", {{"entries", entries}}}}.dump();
}

TEST(Case, EveryBoundHoldsAndIsNamedWhenItIsBroken) {
  accepted(with_entries(kMaxEntries, 8, 8, 1));
  accepted(with_entries(1, kMaxKey, 8, 1));
  accepted(with_entries(1, 8, kMaxValue, 1));
  accepted(with_entries(1, 8, 8, kMaxRepeat));
  accepted(with_entries(1, 8, kMaxValue, kMaxWritten / kMaxValue));
  const std::pair<std::string, std::string> broken[] = {
      {with_entries(kMaxEntries + 1, 8, 8, 1), "\"entries\""},
      {with_entries(1, kMaxKey + 1, 8, 1), "\"key\""},
      {with_entries(1, 8, kMaxValue + 1, 1), "\"value\""},
      {with_entries(1, 8, 8, kMaxRepeat + 1), "\"repeat\""},
      {with_entries(2, 8, kMaxValue, kMaxWritten / kMaxValue), std::to_string(kMaxWritten)},
  };
  for (const auto& [text, named] : broken) {
    const Error error = refusal_of(text);
    EXPECT_EQ(error.code, ExitCode::kBadInput);
    EXPECT_NE(error.message.find(named), error.message.npos) << error.message;
  }
  Json operations = Json::array();
  for (std::size_t i = 0; i < kMaxOperations; ++i) operations.push_back({{"do", "list"}});
  EXPECT_EQ(
      accepted(Json{{"lifecycle", "open"}, {"operations", operations}}.dump()).operations.size(),
      kMaxOperations);
  operations.push_back({{"do", "list"}});
  EXPECT_NE(refusal_of(Json{{"operations", operations}}.dump()).message.find("\"operations\""),
            std::string::npos);
}

// What parses goes to a finding, to the board and into corpora as text, and must parse there again.
TEST(Case, WhatJustFitsStillFitsWhenItIsWrittenAgain) {
  for (std::size_t size = kMaxCaseText - 600; size <= kMaxCaseText; size += 50) {
    Json json = Json::parse(with_entries(15, 8, 4000, 1));
    json["archive"]["entries"].push_back({{"key", "last"}, {"value", ""}});
    json["archive"]["entries"][15]["value"] = std::string(size - json.dump().size(), 'v');
    const Result<Case> value = parse_case(json.dump());
    if (!value) continue;  // refused at once is fine
    EXPECT_TRUE(parse_case(to_text(*value)).has_value())
        << size << " bytes become " << to_text(*value).size();
  }
}

TEST(Case, AHundredMegabytesAreRefusedAtOnce) {
  const std::string text(100 << 20, '[');
  const auto begin = std::chrono::steady_clock::now();
  const Error error = refusal_of(text);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(200));
  EXPECT_EQ(error.code, ExitCode::kBadInput);
  EXPECT_NE(error.message.find(std::to_string(kMaxCaseText)), error.message.npos) << error.message;
  EXPECT_LT(error.message.size(), 200);
}

TEST(Case, DeepNestingIsRefusedAndNothingElseHappens) {
  for (const std::size_t depth : {std::size_t{1'000'000}, kMaxCaseText, kMaxCaseText / 2}) {
    EXPECT_EQ(refusal_of(std::string(depth, '[')).code, ExitCode::kBadInput);
    EXPECT_EQ(refusal_of(std::string(depth / 2, '[') + std::string(depth / 2, ']')).code,
              ExitCode::kBadInput);
  }
  std::string objects;
  for (int i = 0; i < 5000; ++i) objects += R"({"archive":)";
  EXPECT_EQ(refusal_of(objects + "1" + std::string(5000, '}')).code, ExitCode::kBadInput);
  const std::string inside = std::string(20'000, '[') + std::string(20'000, ']');
  EXPECT_EQ(refusal_of(R"({"operations": )" + inside + "}").code, ExitCode::kBadInput);
}

TEST(Case, AnyBytesAreACaseOrASentence) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    std::string text = to_text(test::random_case(seed));
    std::mt19937 random(seed);
    for (int i = 0; i < 3; ++i) text[random() % text.size()] = static_cast<char>(random());
    const Result<Case> parsed = parse_case(text);
    if (parsed) {
      EXPECT_EQ(accepted(to_text(*parsed)), *parsed);
    } else {
      EXPECT_EQ(parsed.error().code, ExitCode::kBadInput);
      EXPECT_FALSE(parsed.error().message.empty());
    }
  }
}

TEST(Case, ItsTextIsValidEvenWithBytesThatAreNot) {
  Case value;
  value.archive = Archive{.entries = {{.key = "\xff\xfe", .value = "\x80"}}};
  EXPECT_NO_THROW(std::ignore = Json::parse(to_text(value)));
}

// --- normalise
// ------------------------------------------------------------------------------------

TEST(Normalise, TwiceIsOnce) {
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    Case once = test::wild_case(seed);
    normalise(once);
    Case twice = once;
    normalise(twice);
    ASSERT_EQ(once, twice) << to_text(once);
  }
}

TEST(Normalise, EveryRuleHoldsForEveryWildCase) {
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    const Case before = test::wild_case(seed);
    Case after = before;
    normalise(after);
    SCOPED_TRACE(to_text(before));
    const bool near =
        after.transport == Transport::kSameProcess || after.transport == Transport::kThread;
    const bool stays = after.carrier == Carrier::kCopy || after.carrier == Carrier::kDeepcopy ||
                       after.carrier == Carrier::kHandedOver;
    ASSERT_TRUE(near || !stays);
    ASSERT_EQ(after.carrier, before.carrier);
    if (after.comes_back != ComesBack::kNothing) {
      ASSERT_NE(after.carrier, Carrier::kHandedOver);
      ASSERT_NE(after.carrier, Carrier::kMadeAnew);
      ASSERT_NE(after.transport, Transport::kSameProcess);
    }
    if (after.lifecycle == Lifecycle::kNew) {
      ASSERT_TRUE(after.operations.empty());
    }
    ASSERT_FALSE(after.looks.empty());
    if (after.comes_back == ComesBack::kArray) {
      ASSERT_NE(std::ranges::find(after.looks, LookGroup::kArray), after.looks.end());
    }
    ASSERT_EQ(std::ranges::adjacent_find(after.looks, std::greater_equal{}), after.looks.end());
    if (after.store == StoreKind::kLocal) {
      ASSERT_TRUE(after.constructor.read_only.has_value());
      ASSERT_EQ(after.constructor.compression, Compression::kStored);
      ASSERT_TRUE(after.constructor.allow_zip64);
    }
    std::set<std::string> keys;
    for (const Entry& entry : after.archive.value_or(Archive{}).entries) {
      ASSERT_FALSE(entry.key.empty());
      ASSERT_TRUE(keys.insert(entry.key).second) << entry.key;
      ASSERT_EQ(entry.key.find('\0'), entry.key.npos);
      if (after.store == StoreKind::kLocal) {
        ASSERT_TRUE(plain_key(entry.key));
      }
    }
  }
}

TEST(Normalise, WhatIsPossibleStaysAsItIs) {
  Case value = test::plain_case();
  value.lifecycle = Lifecycle::kClosed;
  value.operations = {{.what = What::kSet, .entry = {"k", "v", 3}},
                      {.what = What::kGetRange, .entry = {.key = "k"}, .start = 1, .end = 2}};
  value.carrier = Carrier::kPickle0;
  value.transport = Transport::kFork;
  value.comes_back = ComesBack::kArray;
  const Case before = value;
  normalise(value);
  EXPECT_EQ(value, before);
}

TEST(Normalise, AFolderHoldsNoKeyThatRunsThroughAFile) {
  Case value;
  value.store = StoreKind::kLocal;
  value.archive =
      Archive{.entries = {{"a", "1"}, {"a/b", "2"}, {"c/d", "3"}, {"c", "4"}, {"cd", "5"}}};
  normalise(value);
  std::vector<std::string> keys;
  for (const Entry& entry : value.archive->entries) keys.push_back(entry.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "c/d", "cd"}));
}

TEST(PlainKey, KnowsPlainFromOdd) {
  for (const char* key :
       {"a", "a/b", "c/0/1", "zarr.json", "..a", "a..", ".a", "a b", "\u00e9", "..."})
    EXPECT_TRUE(plain_key(key)) << key;
  for (const std::string& key :
       {std::string(), std::string("/"), std::string("/a"), std::string("a/"), std::string("a//b"),
        std::string("."), std::string(".."), std::string("./a"), std::string("a/."),
        std::string("a/../b"), std::string("a/.."), std::string("a\\b"), std::string("a\0b", 3)})
    EXPECT_FALSE(plain_key(key)) << key;
}

TEST(Entry, ItsBytesAreTheValueRepeated) {
  EXPECT_EQ((Entry{.key = "k", .value = "ab", .repeat = 3}).bytes(), "ababab");
  EXPECT_EQ((Entry{.key = "k", .value = "ab", .repeat = 0}).bytes(), "");
  EXPECT_EQ((Entry{.key = "k"}).bytes(), "");
}

TEST(Bounds, AreCheckedForEveryPart) {
  EXPECT_TRUE(within_bounds(test::plain_case()));
  const auto broken = [](auto change) {
    Case value = test::plain_case();
    change(value);
    return !within_bounds(value);
  };
  EXPECT_TRUE(broken([](Case& it) { it.operations.resize(kMaxOperations + 1); }));
  EXPECT_TRUE(broken([](Case& it) { it.archive->entries.resize(kMaxEntries + 1); }));
  EXPECT_TRUE(broken([](Case& it) { it.archive->entries[0].key = std::string(kMaxKey + 1, 'k'); }));
  EXPECT_TRUE(
      broken([](Case& it) { it.archive->entries[0].value = std::string(kMaxValue + 1, 'v'); }));
  EXPECT_TRUE(broken([](Case& it) { it.archive->entries[0].repeat = kMaxRepeat + 1; }));
  EXPECT_TRUE(broken([](Case& it) {
    it.operations.push_back(
        {.what = What::kSet, .entry = {"k", std::string(kMaxValue, 'v'), kMaxRepeat}});
  }));
  EXPECT_TRUE(broken([](Case& it) {
    for (int i = 0; i < 2; ++i)
      it.operations.push_back({.what = What::kSet, .entry = {"k", std::string(4096, 'v'), 200}});
  }));
  // What could be written but not be read again.
  EXPECT_TRUE(broken([](Case& it) {
    it.operations.assign(kMaxOperations,
                         {.what = What::kSet, .entry = {"k", std::string(kMaxValue, '\n')}});
  }));
}

TEST(Journey, IsDescribedInWords) {
  Case value;
  EXPECT_EQ(describe_journey(value), "pickle 5 in the same process");
  value.transport = Transport::kFork;
  value.parent = Warmth::kWarm;
  EXPECT_EQ(describe_journey(value), "pickle 5 to a forked child of a warm parent");
  value.transport = Transport::kSpawn;
  value.carrier = Carrier::kPickle2;
  EXPECT_EQ(describe_journey(value), "pickle 2 to a spawned child");
}

}  // namespace
}  // namespace storefuzz
