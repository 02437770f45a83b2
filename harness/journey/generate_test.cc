// The generator is total, bounded and repeatable, and it still arrives: everything that a case can
// say turns up within a stated number of cases.
#include "harness/journey/generate.h"

#include <gtest/gtest.h>

#include <functional>

#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

// Everything that must arrive is seen within this many cases, by each of ten seeds: some carrier on
// some transport, of one of all stores, comes last.
constexpr unsigned kArrival = 60'000;

using test::is_normalised;

TEST(Generate, AnyBytesAreACaseThatIsNormalisedAndWithinBounds) {
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    const Case value = generate_case(test::random_bytes(seed, seed % 300), test::kListed);
    ASSERT_TRUE(is_normalised(value)) << to_text(value);
    ASSERT_TRUE(within_bounds(value)) << to_text(value);
    ASSERT_LE(to_text(value).size(), kMaxCaseText);
  }
}

TEST(Generate, BytesThatAreAllAlikeAreACase) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::vector<std::byte> bytes(4096, static_cast<std::byte>(byte));
    const Case value = generate_case(bytes, test::kListed);
    EXPECT_TRUE(is_normalised(value) && within_bounds(value)) << byte;
  }
}

TEST(Generate, NoBytesAreThePlainestCase) {
  const Case value = generate_case({});
  EXPECT_EQ(value.store, test::kZip);
  EXPECT_FALSE(value.twice || value.twin);
  EXPECT_EQ(value.cargo, Cargo::kStore);
  EXPECT_EQ(value.meanwhile, Meanwhile::kIdle);
  EXPECT_EQ(value.surroundings, Surroundings::kSame);
  EXPECT_EQ(value.carrier, Carrier::kPickle5);
  EXPECT_EQ(value.transport, Transport::kSameProcess);
  EXPECT_EQ(value.constructor.mode, Mode::kRead);
  EXPECT_TRUE(value.operations.empty());
}

TEST(Generate, TheSameBytesAreTheSameCase) {
  for (unsigned seed = 0; seed < 2000; ++seed)
    ASSERT_EQ(test::random_case(seed), test::random_case(seed));
}

TEST(Generate, OnlyTheStoresAskedForAreMade) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    EXPECT_EQ(test::random_case(seed, {test::kZip}).store, test::kZip);
    EXPECT_EQ(test::random_case(seed, {test::kLocal}).store, test::kLocal);
  }
}

// The slow lane has pools of its own.
TEST(Generate, NoCaseNamesAPool) {
  for (unsigned seed = 0; seed < 2000; ++seed) ASSERT_EQ(test::random_case(seed).pool, Pool::kNone);
}

TEST(Generate, AWrapperAlwaysWrapsSomethingAndNothingElseDoes) {
  std::set<std::string> inner;
  int deeper = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    const StoreKind kind = test::random_case(seed, {test::store("logging")}).store;
    ASSERT_FALSE(kind->wraps) << kind->kind;
    ASSERT_NE(kind->inner, nullptr) << kind->kind;
    ASSERT_TRUE(kind->kind.starts_with("logging over ")) << kind->kind;
    deeper += kind->inner->inner != nullptr;
    if (!kind->inner->inner) inner.insert(kind->inner->kind);
  }
  EXPECT_EQ(inner, (std::set<std::string>{"local", "memory", "zip"}));
  EXPECT_GT(deeper, 100) << "no wrapper of a wrapper";
  for (unsigned seed = 0; seed < 200; ++seed)
    ASSERT_EQ(test::random_case(seed, {test::store("path over zip")}).store->kind, "path over zip");
}

TEST(Generate, EveryArchiveOfAZipStoreCanBeMade) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    const Case value = test::random_case(seed, {test::kZip});
    if (!value.archive) continue;
    std::vector<ArchiveEntry> entries;
    for (const Entry& entry : value.archive->entries) entries.push_back({entry.key, entry.bytes()});
    const Result<std::string> archive = make_archive(entries, value.archive->compression);
    ASSERT_TRUE(archive.has_value()) << archive.error().message << to_text(value);
  }
}

// No key of ours climbs above the case's folder, whatever the subject makes of it: out of its
// store, at most.
TEST(Generate, NoKeyClimbs) {
  const auto climbs = [](const std::string& key) {
    return key == ".." || key.find("/..") != key.npos;
  };
  for (unsigned seed = 0; seed < 5000; ++seed) {
    const Case value = test::random_case(seed);
    for (const Operation& operation : value.operations)
      ASSERT_FALSE(climbs(operation.entry.key)) << operation.entry.key;
    for (const Entry& entry : value.archive.value_or(Archive{}).entries)
      ASSERT_FALSE(climbs(entry.key)) << entry.key;
  }
}

// --- arrival

// Every name that must turn up, as "what: value".
std::set<std::string> all_that_must_arrive() {
  std::set<std::string> names{"read_only: absent", "read_only: true",   "read_only: false",
                              "allowZip64: true",  "allowZip64: false", "path: absolute",
                              "path: relative",    "archive: none",     "archive: empty",
                              "archive: some",     "value: above 8 KiB"};
  const auto add = [&]<class Enum>(const char* what, const std::vector<Enum>& all) {
    for (const Enum word : all) names.insert(std::string(what) + ": " + std::string(name_of(word)));
  };
  const Stores drawn = parse_stores("all").value();
  add("store", drawn);
  add("mode", all_of<Mode>());
  add("compression", all_of<Compression>());
  add("archive", all_of<Compression>());
  add("lifecycle", all_of<Lifecycle>());
  add("parent", all_of<Warmth>());
  add("driver", all_of<Driver>());
  add("look", all_of<LookGroup>());
  add("operation", all_of<What>());
  add("comes back", all_of<ComesBack>());
  add("cargo", all_of<Cargo>());
  add("meanwhile", all_of<Meanwhile>());
  add("surroundings", all_of<Surroundings>());
  for (const char* it : {"twice: true", "twice: false", "twin: true", "twin: false"})
    names.insert(it);
  add("child of warm parent", all_of<Transport>());
  // What normalise leaves possible, asked of normalise itself.
  for (const Carrier carrier : all_of<Carrier>())
    for (const Transport transport : all_of<Transport>()) {
      Case value{.carrier = carrier, .transport = transport};
      normalise(value);
      for (const StoreKind store : drawn)
        names.insert("journey of " + std::string(name_of(store)) + ": " +
                     std::string(name_of(value.carrier)) + ", " +
                     std::string(name_of(value.transport)));
    }
  return names;
}

void cross_off(const Case& value, std::set<std::string>& missing) {
  const auto seen = [&](const std::string& what, std::string_view name) {
    missing.erase(what + ": " + std::string(name));
  };
  const Constructor& made = value.constructor;
  // A wrapper is seen in what it was put over.
  const std::string store(value.store->kind.substr(0, value.store->kind.find(" over ")));
  seen("store", store);
  if (value.store == test::kZip) {
    seen("mode", name_of(made.mode));
    seen("compression", name_of(made.compression));
    seen("allowZip64", made.allow_zip64 ? "true" : "false");
    seen("read_only", !made.read_only ? "absent" : *made.read_only ? "true" : "false");
  }
  seen("path", made.relative_path ? "relative" : "absolute");
  seen("archive", !value.archive ? "none" : value.archive->entries.empty() ? "empty" : "some");
  if (value.archive) seen("archive", name_of(value.archive->compression));
  seen("lifecycle", name_of(value.lifecycle));
  seen("parent", name_of(value.parent));
  seen("driver", name_of(value.driver));
  for (const LookGroup look : value.looks) seen("look", name_of(look));
  for (const Operation& operation : value.operations) {
    seen("operation", name_of(operation.what));
    if (operation.entry.bytes().size() > 8192) seen("value", "above 8 KiB");
  }
  seen("comes back", name_of(value.comes_back));
  if (value.parent == Warmth::kWarm) seen("child of warm parent", name_of(value.transport));
  seen("cargo", name_of(value.cargo));
  seen("meanwhile", name_of(value.meanwhile));
  seen("surroundings", name_of(value.surroundings));
  seen("twice", value.twice ? "true" : "false");
  seen("twin", value.twin ? "true" : "false");
  seen("journey of " + store,
       std::string(name_of(value.carrier)) + ", " + std::string(name_of(value.transport)));
}

TEST(Arrival, EverythingTurnsUpWithinABoundedNumberOfCasesForEachOfTenSeeds) {
  for (unsigned run = 0; run < 10; ++run) {
    std::set<std::string> missing = all_that_must_arrive();
    unsigned needed = 0;
    while (needed < kArrival && !missing.empty())
      cross_off(test::random_case(run * 1'000'000 + needed++), missing);
    EXPECT_TRUE(missing.empty()) << "seed " << run << ": " << missing.size()
                                 << " never turn up, the first: " << *missing.begin();
    RecordProperty("cases_of_seed_" + std::to_string(run), static_cast<int>(needed));
  }
}

// The two defects that the project was born from need only these; they must be quite usual.
TEST(Arrival, WhatAProcessPoolDoesIsCommon) {
  int spawned = 0;
  int forked_warm = 0;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    const Case value = test::random_case(seed, {test::kZip});
    const bool pool = value.carrier == Carrier::kPickle5 && value.constructor.mode == Mode::kRead &&
                      value.archive.has_value();
    spawned += pool && value.transport == Transport::kSpawn;
    forked_warm += pool && value.transport == Transport::kFork && value.parent == Warmth::kWarm;
  }
  EXPECT_GT(spawned, 100);
  EXPECT_GT(forked_warm, 40);
}

// Looks through zarr's loop cost three by the caller: enough of them, and no more.
TEST(Arrival, OneJourneyInFourLooksThroughTheLoopOfZarr) {
  int loops = 0;
  for (unsigned seed = 0; seed < 4000; ++seed)
    loops += test::random_case(seed).driver == Driver::kLoop;
  EXPECT_GT(loops, 600);
  EXPECT_LT(loops, 1400);
}

// --- parts

TEST(Choices, PastTheEndEveryChoiceIsTheFirst) {
  Choices choices(test::random_bytes(1, 0));
  for (const std::uint32_t limit : {1u, 2u, 255u, 256u, 257u, 65'536u}) {
    EXPECT_EQ(choices.below(limit), 0);
  }
  EXPECT_FALSE(choices.one_in(2));
}

TEST(Choices, EveryNumberBelowALimitCanBeDrawnAndNoneAbove) {
  for (const std::uint32_t limit : {1u, 2u, 7u, 256u, 300u}) {
    const std::vector<std::byte> bytes = test::random_bytes(limit, 40'000);
    Choices choices(bytes);
    std::set<std::uint32_t> drawn;
    for (int i = 0; i < 20'000; ++i) drawn.insert(choices.below(limit));
    EXPECT_EQ(drawn.size(), limit);
    EXPECT_EQ(*drawn.rbegin(), limit - 1);
  }
}

TEST(Stores, AreNamedWithCommasBetween) {
  EXPECT_EQ(parse_stores("zip"), Stores{test::kZip});
  EXPECT_EQ(parse_stores("logging over zip,memory"),
            (Stores{test::store("logging over zip"), test::store("memory")}));
  EXPECT_EQ(parse_stores("local,zip"), (Stores{test::kLocal, test::kZip}));
}

TEST(Stores, AllAreThoseThatAreDrawnByDefault) {
  const Stores all = parse_stores("all").value();
  std::size_t listed = 0;
  for (const StoreKind it : all_stores()) listed += it->listed;
  EXPECT_EQ(all.size(), listed);
  EXPECT_GT(listed, 10);
  EXPECT_FALSE(parse_stores("all,zip").has_value()) << "all is no store";
}

TEST(Stores, AWordThatIsNoneIsNamed) {
  for (const auto& [list, named] : {std::pair{"zap", "\"zap\""},
                                    {"zip,zap", "\"zap\""},
                                    {"zip,,local", "\"\""},
                                    {"zip, local", "\" local\""},
                                    {"ZIP", "\"ZIP\""},
                                    {"", "no store"}}) {
    const Result<Stores> stores = parse_stores(list);
    ASSERT_FALSE(stores.has_value()) << list;
    EXPECT_EQ(stores.error().code, ExitCode::kBadInput);
    EXPECT_NE(stores.error().message.find(named), std::string::npos) << stores.error().message;
  }
}

}  // namespace
}  // namespace storefuzz
