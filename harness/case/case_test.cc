// A case is one value with one JSON form: it comes back as it went, and what is wrong with a
// stranger's case is told in one sentence, quickly, whatever its size or depth.
#include "harness/case/case.h"

#include <gtest/gtest.h>

#include <chrono>

#include "harness/testing/sound_world.h"

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

TEST(Case, EveryStoreIsReadBackByItsWord) {
  for (const StoreKind kind : test::every_store()) {
    EXPECT_EQ(accepted(Json{{"store", kind->kind}}.dump()).store, kind) << kind->kind;
    EXPECT_EQ(to_json(accepted(Json{{"store", kind->kind}}.dump()))["store"], kind->kind);
  }
}

// A case is read by people: what is as usual is not said.
TEST(Case, WhatIsRareIsSaidOnlyWhereItIsThere) {
  const char* rare[] = {"twice", "cargo", "pool", "meanwhile", "surroundings", "twin"};
  const Json plain = to_json(accepted("{}"));
  for (const char* member : rare) EXPECT_FALSE(plain.contains(member)) << member;
  const Json all = to_json(accepted(
      R"({"transport": "fork", "twice": true, "cargo": "dict", "meanwhile": "closes",
          "surroundings": "other config", "twin": true, "pool": "none"})"));
  for (const char* member : rare)
    EXPECT_EQ(all.contains(member), std::string_view(member) != "pool") << member;
  EXPECT_EQ(to_json(accepted(R"({"pool": "LocalCluster"})"))["pool"], "LocalCluster");
}

// The corpus of an earlier release names none of the newer members.
TEST(Case, WhatAnOlderCaseDoesNotSayIsAsItWas) {
  const Case value = accepted(R"({"store": "local", "carrier": "pickle 2", "transport": "spawn"})");
  EXPECT_FALSE(value.twice || value.twin);
  EXPECT_EQ(value.cargo, Cargo::kStore);
  EXPECT_EQ(value.pool, Pool::kNone);
  EXPECT_EQ(value.meanwhile, Meanwhile::kIdle);
  EXPECT_EQ(value.surroundings, Surroundings::kSame);
}

TEST(Case, WhatWasWrittenByHandIsUnderstood) {
  const Case value = accepted(R"({
    "archive": {"entries": [{"key": "a", "value": "x", "repeat": 900}], "compression": "deflated"},
    "constructor": {"path": "relative", "mode": "a", "read_only": false, "allowZip64": false},
    "operations": [{"do": "get range", "key": "a", "start": 1, "end": 3}, {"do": "close"}],
    "lifecycle": "closed", "parent": "warm", "driver": "loop", "looks": ["again", "reads", "reads"],
    "carrier": "pickle 2", "transport": "spawn", "comes_back": "array", "twice": true,
    "cargo": "two references", "meanwhile": "holds zarr's lock",
    "surroundings": "other environment", "twin": true})");
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
      .twice = true,
      .cargo = Cargo::kTwoReferences,
      .transport = Transport::kSpawn,
      .meanwhile = Meanwhile::kHoldsZarrsLock,
      .surroundings = Surroundings::kOtherEnvironment,
      .comes_back = ComesBack::kArray,
      .twin = true};
  EXPECT_EQ(value, wanted) << to_text(value);
}

// One member set to each of its words, in a case where normalising leaves that member alone.
template <class Enum>
void expect_words(const char* member, Enum Case::* into,
                  const Json& around = {{"transport", "thread"}}) {
  std::set<std::string_view> names;
  for (const Enum word : all_of<Enum>()) {
    Json json = around;
    json[member] = name_of(word);
    EXPECT_EQ(accepted(json.dump()).*into, word) << json;
    names.insert(name_of(word));
  }
  EXPECT_EQ(names.size(), all_of<Enum>().size()) << member;
}

TEST(Case, EveryWordOfEveryListIsReadBack) {
  expect_words("lifecycle", &Case::lifecycle);
  expect_words("parent", &Case::parent);
  expect_words("driver", &Case::driver);
  expect_words("carrier", &Case::carrier);
  expect_words("transport", &Case::transport);
  expect_words("cargo", &Case::cargo);
  expect_words("pool", &Case::pool);
  // A grandchild, a held lock and other surroundings need a process of their own.
  const Json elsewhere{{"transport", "spawn"}};
  expect_words("comes_back", &Case::comes_back, elsewhere);
  expect_words("meanwhile", &Case::meanwhile, elsewhere);
  expect_words("surroundings", &Case::surroundings, elsewhere);
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
      {R"({"store": "zap"})", "no store \"zap\""},
      {R"({"store": "zap"})", "storefuzz list stores"},
      {R"({"store": ""})", "no store"},
      {R"({"store": "logging"})", "wraps nothing"},
      {R"({"store": "wrapper over logging"})", "wraps nothing"},
      {R"({"store": "logging over"})", "no store"},
      {R"({"store": "zip over local"})", "no wrapper"},
      {R"({"store": "wrapper over wrapper over wrapper over wrapper over wrapper over zip"})",
       "at most 4"},
      {R"({"store": 7})", "\"store\""},
      {R"({"carrier": "pickle 9"})", "\"carrier\""},
      {R"({"transport": "pigeon"})", "same process, thread, spawn, forkserver, fork"},
      {R"({"lifecycle": "dead"})", "\"lifecycle\""},
      {R"({"parent": "hot"})", "\"parent\""},
      {R"({"driver": true})", "\"driver\""},
      {R"({"comes_back": "never"})", "\"comes_back\""},
      {R"({"twice": "yes"})", "\"twice\""},
      {R"({"twin": 1})", "\"twin\""},
      {R"({"cargo": "bag"})", "store, list, dict, two references, store path, array, group"},
      {R"({"pool": "swimming"})", "ProcessPoolExecutor"},
      {R"({"meanwhile": "sleeps"})", "deletes the file"},
      {R"({"surroundings": 7})", "\"surroundings\""},
      {R"({"looks": "state"})", "\"looks\""},
      {R"({"looks": ["state", "nose"]})", "\"looks\""},
      {R"({"looks": ["state","state","state","state","state","state","state","state","state","state","state"]})",
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

TEST(Case, TwistsOfAnArchiveAreReadBackAndCheckedByName) {
  const auto value = parse_case(
      R"({"archive": {"entries": [{"key": "a", "value": "x"}],
          "twists": [{"name": "central method differs", "entry": 3, "amount": 9}]}})");
  ASSERT_TRUE(value) << value.error().message;
  ASSERT_EQ(value->archive->twists.size(), 1U);
  EXPECT_EQ(value->archive->twists[0], (Twist{"central method differs", 3, 9}));
  EXPECT_EQ(*parse_case(to_text(*value)), *value);
  EXPECT_EQ(to_text(Case()).find("twists"), std::string::npos) << "said only where there is one";
  for (
      const char* twists :
      {R"([{"name": "cupboard"}])", R"([{"entry": 1}])", R"([{"name": "prefix", "amount": -1}])",
       R"([{"name": "prefix", "cupboard": 1}])",
       R"([{"name": "prefix"},{"name": "prefix"},{"name": "prefix"},{"name": "prefix"},{"name": "prefix"}])"}) {
    const auto wrong = parse_case(fmt::format(R"({{"archive": {{"twists": {}}}}})", twists));
    ASSERT_FALSE(wrong) << twists;
    EXPECT_EQ(wrong.error().code, ExitCode::kBadInput);
  }
}

TEST(Case, AWrongArchiveIsOnlyRead) {
  for (const TwistKind& kind : all_twists()) {
    Case value = test::plain_case();
    value.archive->twists = {{.name = std::string(kind.name)}};
    value.constructor = {.mode = Mode::kWrite, .read_only = false};
    value.lifecycle = Lifecycle::kOpen;
    value.operations = {{.what = What::kSet}, {.what = What::kDelete}, {.what = What::kList}};
    value.meanwhile = Meanwhile::kWritesOn;
    value.looks = all_of<LookGroup>();
    normalise(value);
    EXPECT_TRUE(wrong_on_purpose(value));
    EXPECT_EQ(value.constructor.mode, Mode::kRead);
    EXPECT_EQ(value.operations.size(), 1U);
    EXPECT_FALSE(child_writes(make_plan(value, expect(value, std::vector<Answer>()))));
    EXPECT_EQ(value.meanwhile, Meanwhile::kIdle);
    EXPECT_FALSE(expect(value, std::vector<Answer>()).certain) << "who knows what it holds";
  }
}

TEST(Case, OnlyAZipStoreReadsAWrongArchive) {
  for (const StoreKind kind : test::every_store()) {
    Case value = test::plain_case();
    value.archive->twists = {{.name = "prefix"}};
    value.store = kind;
    normalise(value);
    EXPECT_EQ(wrong_on_purpose(value), name_of(kind) == "zip") << name_of(kind);
  }
}

TEST(Case, AnArchiveIsItsTwistsDoneToTheSoundOne) {
  Archive archive = *test::plain_case().archive;
  const std::string sound = *bytes_of(archive);
  EXPECT_TRUE(view_archive(sound).sound);
  archive.twists = {{.name = "truncated", .amount = 3}};
  EXPECT_EQ(*bytes_of(archive), *twist_archive(sound, archive.twists));
  EXPECT_NE(*bytes_of(archive), sound);
}

// Names that only the wrong archive has are asked for as well.
TEST(Case, TheKeysOfAWrongArchiveAreAsked) {
  Case value = test::plain_case();
  value.archive->twists = {{.name = "absolute spelling"}};
  value.looks = {LookGroup::kReads};
  normalise(value);
  const std::vector<Look> plan = make_plan(value, expect(value, std::vector<Answer>()));
  const auto asked = [&](std::string_view key) {
    return std::ranges::any_of(plan, [&](const Look& it) { return it.entry.key == key; });
  };
  EXPECT_TRUE(asked("a"));
  EXPECT_TRUE(asked("/a") || asked("/b/c"));
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
    const bool near = in_this_process(after.transport);
    const bool stays = after.carrier == Carrier::kCopy || after.carrier == Carrier::kDeepcopy ||
                       after.carrier == Carrier::kHandedOver;
    const bool own = after.carrier == Carrier::kHandedOver || after.carrier == Carrier::kInherited;
    ASSERT_EQ(after.pool, before.pool);
    if (after.pool == Pool::kNone) {
      ASSERT_TRUE(near || !stays);
      ASSERT_EQ(after.carrier, before.carrier);
      ASSERT_TRUE(after.carrier != Carrier::kInherited || after.transport == Transport::kFork);
    } else {
      ASSERT_TRUE(serialises(after.carrier) || after.pool == Pool::kThreadPoolExecutor);
      ASSERT_FALSE(after.twice);
      ASSERT_EQ(after.comes_back, ComesBack::kNothing);
      ASSERT_EQ(after.meanwhile, Meanwhile::kIdle);
      ASSERT_EQ(after.surroundings, Surroundings::kSame);
      ASSERT_EQ(near, after.pool == Pool::kThreadPoolExecutor);
      ASSERT_TRUE(after.pool != Pool::kDask || after.transport == Transport::kSpawn);
    }
    if (!serialises(after.carrier)) {
      ASSERT_EQ(after.cargo, Cargo::kStore);
      ASSERT_FALSE(after.twice);
    }
    if (near) {
      ASSERT_NE(after.comes_back, ComesBack::kGrandchild);
      ASSERT_EQ(after.surroundings, Surroundings::kSame);
      ASSERT_NE(after.meanwhile, Meanwhile::kHoldsZarrsLock);
    }
    if (own) {
      ASSERT_NE(after.meanwhile, Meanwhile::kForgetsTheStore);
      ASSERT_NE(after.meanwhile, Meanwhile::kHoldsItsLock);
    }
    const bool elsewhere = after.surroundings == Surroundings::kOtherDirectory ||
                           after.meanwhile == Meanwhile::kChangesDirectory;
    if (elsewhere) {
      ASSERT_FALSE(after.constructor.relative_path);
      ASSERT_NE(after.carrier, Carrier::kMadeAnew);
    }
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
    ASSERT_EQ(after.store, before.store);
    if (!after.store->takes("mode")) {
      ASSERT_TRUE(after.constructor.read_only.has_value());
      ASSERT_TRUE(after.store->takes("read_only") || !*after.constructor.read_only);
    }
    if (!after.store->takes("compression")) {
      ASSERT_EQ(after.constructor.compression, Compression::kStored);
    }
    if (!after.store->takes("allowZip64")) {
      ASSERT_TRUE(after.constructor.allow_zip64);
    }
    if (after.store->medium == Medium::kMemory) {
      ASSERT_FALSE(after.archive.has_value());
      ASSERT_FALSE(after.constructor.relative_path);
    }
    ASSERT_LE(after.operations.size(), kMaxOperations);
    std::set<std::string> keys;
    for (const Entry& entry : after.archive.value_or(Archive{}).entries) {
      ASSERT_FALSE(entry.key.empty());
      ASSERT_TRUE(keys.insert(entry.key).second) << entry.key;
      ASSERT_EQ(entry.key.find('\0'), entry.key.npos);
      if (after.store->medium == Medium::kFolder || after.store->files) {
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
  value.store = test::kLocal;
  value.archive =
      Archive{.entries = {{"a", "1"}, {"a/b", "2"}, {"c/d", "3"}, {"c", "4"}, {"cd", "5"}}};
  normalise(value);
  std::vector<std::string> keys;
  for (const Entry& entry : value.archive->entries) keys.push_back(entry.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "c/d", "cd"}));
}

// What would lie at its place is written by the parent: before the store there is nothing.
TEST(Normalise, AnArchiveOfAStoreInMemoryBecomesItsFirstWrites) {
  Case value = test::plain_case();
  value.store = test::store("logging over memory");
  value.operations = {{.what = What::kList}};
  value.lifecycle = Lifecycle::kClosed;
  normalise(value);
  EXPECT_FALSE(value.archive.has_value());
  ASSERT_EQ(value.operations.size(), 3);
  EXPECT_EQ(value.operations[0].what, What::kSet);
  EXPECT_EQ(value.operations[0].entry, (Entry{.key = "a", .value = "hello"}));
  EXPECT_EQ(value.operations[1].entry, (Entry{.key = "b/c", .value = "xy"}));
  EXPECT_EQ(value.operations[2].what, What::kList);
  EXPECT_EQ(value.lifecycle, Lifecycle::kClosed);
  value = test::plain_case();  // a new store was never written to
  value.store = test::store("memory");
  normalise(value);
  EXPECT_EQ(value.lifecycle, Lifecycle::kOpen);
  value = {.store = test::store("memory"), .archive = Archive{}};
  normalise(value);
  EXPECT_EQ(value.lifecycle, Lifecycle::kNew);
}

TEST(Normalise, WhatAConstructorDoesNotTakeItIsNotGiven) {
  const Constructor odd{.relative_path = true,
                        .mode = Mode::kExclusive,
                        .read_only = true,
                        .compression = Compression::kDeflated,
                        .allow_zip64 = false};
  const auto kept = [&](const char* word) {
    Case value{.store = test::store(word), .constructor = odd};
    normalise(value);
    return value.constructor;
  };
  EXPECT_EQ(kept("zip"), odd);
  EXPECT_EQ(kept("logging over zip"), odd);
  EXPECT_EQ(kept("local"),
            (Constructor{.relative_path = true, .mode = Mode::kAppend, .read_only = true}));
  EXPECT_EQ(kept("directory"),
            (Constructor{.relative_path = true, .mode = Mode::kAppend, .read_only = false}));
  EXPECT_EQ(kept("fsspec zip"),
            (Constructor{.relative_path = true, .mode = Mode::kRead, .read_only = true}));
  EXPECT_EQ(kept("memory"), (Constructor{.mode = Mode::kAppend, .read_only = true}));
}

// One rule of normalise_journey: what is asked, and the one thing that becomes of it.
struct Rule {
  const char* name;
  const char* before;
  const char* after;
};

TEST(Normalise, EachRuleOfTheJourney) {
  const Rule rules[] = {
      {"a copy stays in its process", R"({"carrier":"copy","transport":"fork"})",
       R"({"carrier":"copy","transport":"thread"})"},
      {"so does a deep copy", R"({"carrier":"deepcopy","transport":"forkserver"})",
       R"({"carrier":"deepcopy","transport":"thread"})"},
      {"so does what is handed over", R"({"carrier":"handed over","transport":"spawn"})",
       R"({"carrier":"handed over","transport":"thread"})"},
      {"only a fork inherits", R"({"carrier":"inherited","transport":"spawn"})",
       R"({"carrier":"inherited","transport":"fork"})"},
      {"a copy carries nothing but the store", R"({"carrier":"copy","cargo":"array"})",
       R"({"carrier":"copy"})"},
      {"and is made once", R"({"carrier":"copy","twice":true})", R"({"carrier":"copy"})"},
      {"what is handed over never left",
       R"({"carrier":"handed over","transport":"thread","comes_back":"store"})",
       R"({"carrier":"handed over","transport":"thread"})"},
      {"what was made anew has nobody to return to",
       R"({"carrier":"made anew","transport":"spawn","comes_back":"store"})",
       R"({"carrier":"made anew","transport":"spawn"})"},
      {"nothing comes back from the same process", R"({"comes_back":"store"})", "{}"},
      {"a thread has no grandchild", R"({"transport":"thread","comes_back":"grandchild"})",
       R"({"transport":"thread","comes_back":"store"})"},
      {"a thread has its process's surroundings",
       R"({"transport":"thread","surroundings":"other config"})", R"({"transport":"thread"})"},
      {"what is handed over is not forgotten",
       R"({"carrier":"handed over","meanwhile":"forgets the store"})",
       R"({"carrier":"handed over"})"},
      {"what is inherited is not forgotten",
       R"({"carrier":"inherited","transport":"fork","meanwhile":"forgets the store"})",
       R"({"carrier":"inherited","transport":"fork"})"},
      {"its own lock holds up everyone",
       R"({"carrier":"inherited","transport":"fork","meanwhile":"holds the store's lock"})",
       R"({"carrier":"inherited","transport":"fork"})"},
      {"zarr's lock holds up its process",
       R"({"transport":"thread","meanwhile":"holds zarr's lock"})", R"({"transport":"thread"})"},
      {"anew in another directory leads elsewhere",
       R"({"carrier":"made anew","transport":"spawn","surroundings":"other directory"})",
       R"({"carrier":"made anew","transport":"spawn"})"},
      {"and from another directory as well",
       R"({"carrier":"made anew","transport":"spawn","meanwhile":"changes directory"})",
       R"({"carrier":"made anew","transport":"spawn"})"},
      {"a relative path leads elsewhere in another directory",
       R"({"transport":"spawn","surroundings":"other directory","constructor":{"path":"relative"}})",
       R"({"transport":"spawn","surroundings":"other directory"})"},
      {"and while the parent changes its own",
       R"({"transport":"spawn","meanwhile":"changes directory","constructor":{"path":"relative"}})",
       R"({"transport":"spawn","meanwhile":"changes directory"})"},
      {"a pool pickles", R"({"pool":"multiprocessing.Pool","transport":"fork","carrier":"copy"})",
       R"({"pool":"multiprocessing.Pool","transport":"fork"})"},
      {"a pool brings only answers",
       R"({"pool":"multiprocessing.Pool","transport":"fork","comes_back":"store"})",
       R"({"pool":"multiprocessing.Pool","transport":"fork"})"},
      {"a pool is alone",
       R"({"pool":"multiprocessing.Pool","transport":"fork","meanwhile":"closes"})",
       R"({"pool":"multiprocessing.Pool","transport":"fork"})"},
      {"a pool has its own surroundings",
       R"({"pool":"multiprocessing.Pool","transport":"fork","surroundings":"other config"})",
       R"({"pool":"multiprocessing.Pool","transport":"fork"})"},
      {"a pool of threads has threads", R"({"pool":"ThreadPoolExecutor","transport":"fork"})",
       R"({"pool":"ThreadPoolExecutor","transport":"thread","carrier":"handed over"})"},
      {"a pool carries once", R"({"pool":"ProcessPoolExecutor","transport":"fork","twice":true})",
       R"({"pool":"ProcessPoolExecutor","transport":"fork"})"},
      {"a cluster starts its own", R"({"pool":"LocalCluster","transport":"fork"})",
       R"({"pool":"LocalCluster","transport":"spawn"})"},
      {"a pool of processes has processes", R"({"pool":"ProcessPoolExecutor"})",
       R"({"pool":"ProcessPoolExecutor","transport":"spawn"})"},
  };
  for (const Rule& rule : rules) {
    const Case after = accepted(rule.before);
    EXPECT_EQ(to_text(after), to_text(accepted(rule.after))) << rule.name;
    // What is expected says what it means: nothing of it is normalised away.
    const Json said = Json::parse(rule.after);
    for (const auto& [member, value] : said.items())
      if (member != "constructor") EXPECT_EQ(to_json(after)[member], value) << rule.name;
  }
}

// open(…, "w+b") of a second file object would empty the archive, and no store be to blame.
TEST(Normalise, AFileObjectIsMadeAnewOnlyToBeRead) {
  for (const Mode mode : all_of<Mode>()) {
    Case value{.store = test::store("zip file"), .carrier = Carrier::kMadeAnew};
    value.constructor.mode = mode;
    normalise(value);
    EXPECT_EQ(value.constructor.mode, Mode::kRead);
    value.carrier = Carrier::kHandedOver;
    value.constructor.mode = mode;
    normalise(value);
    EXPECT_EQ(value.constructor.mode, mode);
  }
}

TEST(Words, AboutGroupsOfCarriersTransportsAndLifecycles) {
  std::set<std::string_view> bytes, here, fresh, open;
  for (const Carrier carrier : all_of<Carrier>())
    if (!serialises(carrier)) bytes.insert(name_of(carrier));
  EXPECT_EQ(bytes, (std::set<std::string_view>{"copy", "deepcopy", "handed over", "inherited",
                                               "made anew"}));
  for (const Transport transport : all_of<Transport>()) {
    if (in_this_process(transport)) here.insert(name_of(transport));
    if (fresh_interpreter(transport)) fresh.insert(name_of(transport));
  }
  EXPECT_EQ(here, (std::set<std::string_view>{"same process", "thread"}));
  EXPECT_EQ(fresh, (std::set<std::string_view>{"spawn", "forkserver"}));
  for (const Lifecycle lifecycle : all_of<Lifecycle>())
    if (ends_open(lifecycle)) open.insert(name_of(lifecycle));
  EXPECT_EQ(open,
            (std::set<std::string_view>{"open", "reopened", "used after close", "inside with"}));
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
  EXPECT_TRUE(broken([](Case& value) { value.operations.resize(kMaxOperations + 1); }));
  EXPECT_TRUE(broken([](Case& value) { value.archive->entries.resize(kMaxEntries + 1); }));
  EXPECT_TRUE(
      broken([](Case& value) { value.archive->entries[0].key = std::string(kMaxKey + 1, 'k'); }));
  EXPECT_TRUE(broken(
      [](Case& value) { value.archive->entries[0].value = std::string(kMaxValue + 1, 'v'); }));
  EXPECT_TRUE(broken([](Case& value) { value.archive->entries[0].repeat = kMaxRepeat + 1; }));
  EXPECT_TRUE(broken([](Case& value) {
    value.operations.push_back(
        {.what = What::kSet, .entry = {"k", std::string(kMaxValue, 'v'), kMaxRepeat}});
  }));
  EXPECT_TRUE(broken([](Case& value) {
    for (int i = 0; i < 2; ++i)
      value.operations.push_back({.what = What::kSet, .entry = {"k", std::string(4096, 'v'), 200}});
  }));
  // What could be written but not be read again.
  EXPECT_TRUE(broken([](Case& value) {
    value.operations.assign(kMaxOperations,
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
  value.transport = Transport::kForkserver;
  value.cargo = Cargo::kTwoReferences;
  value.twice = true;
  EXPECT_EQ(describe_journey(value),
            "pickle 2 twice of two references to a child of a fork server");
  value = {.meanwhile = Meanwhile::kWritesOn, .surroundings = Surroundings::kOtherDirectory};
  const std::string told = describe_journey(value);
  EXPECT_TRUE(told.starts_with("pickle 5 in the same process, while the parent writes on, "))
      << told;
  EXPECT_TRUE(told.ends_with("other directory")) << told;
  value = {.transport = Transport::kSpawn, .pool = Pool::kProcessPoolExecutor};
  EXPECT_EQ(describe_journey(value), "pickle 5 by a ProcessPoolExecutor (spawn)");
}

}  // namespace
}  // namespace storefuzz
