// Which programs ask the same more plainly, and which differences mean the same.
#include "harness/findings/plainer.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace storefuzz::program {
namespace {

Case parsed(const std::string& steps, const std::string& processes = "") {
  return parse_case(R"({"format": 2, )" + processes + R"("program": [)" + steps + "]}").value();
}

Difference difference(Wrong wrong, std::size_t step, const std::string& oracle) {
  Difference it{.wrong = wrong, .first = true, .oracle = oracle};
  it.where.step = step;
  it.where.handle = "s0";
  it.where.process = "p0";
  it.where.place = "z";
  return it;
}

const Plainer* way_with(const std::vector<Plainer>& ways, const Case& value) {
  const auto found = std::ranges::find(ways, value, &Plainer::value);
  return found == ways.end() ? nullptr : &*found;
}

TEST(PlainerWays, AskForAMissingKeyByGet) {
  const std::string set = R"({"make": "memory", "as": "s0"},
      {"call": "set", "on": "s0", "key": "b", "value": "b@1"}, )";
  const Difference was = difference(Wrong::kAbsent, 2, "listing");
  const auto ways = plainer_ways(parsed(set + R"({"call": "list", "on": "s0"})"), was);
  const Plainer* way = way_with(ways, parsed(set + R"({"call": "get", "key": "b", "on": "s0"})"));
  ASSERT_TRUE(way);
  Difference is = difference(Wrong::kAbsent, 2, "reads");
  EXPECT_TRUE(way->shown_by({is}));
  is.wrong = Wrong::kOtherValue;
  EXPECT_FALSE(way->shown_by({is})) << "another wrong may have another root";
  is.wrong = Wrong::kAbsent;
  is.where.handle = "s1";
  EXPECT_FALSE(way->shown_by({is})) << "another handle as well";
  is.where.handle = "s0";
  is.first = false;
  EXPECT_FALSE(way->shown_by({is})) << "a symptom";
}

TEST(PlainerWays, MakeAnotherStoreForACopyThatIsNotEqual) {
  const std::string made = R"({"make": "local", "at": "z", "as": "s0"}, )";
  const std::string equal = R"(, {"call": "equal", "on": "s0", "other": "s1"})";
  const Difference was = difference(Wrong::kNotEqual, 2, "equality");
  const auto ways = plainer_ways(
      parsed(made + R"({"carry": "pickle 5", "from": "s0", "as": "s1"})" + equal), was);
  const Plainer* way =
      way_with(ways, parsed(made + R"({"make": "local", "at": "z", "as": "s1"})" + equal));
  ASSERT_TRUE(way);
  Difference is = was;
  is.where.handle = "s1";
  EXPECT_TRUE(way->shown_by({is})) << "either may say so";
  is.wrong = Wrong::kState;
  EXPECT_FALSE(way->shown_by({is}));
}

TEST(PlainerWays, AskForTheWholeOfAKeyWhosePartsAreRefused) {
  const std::string made = R"({"make": "local", "at": "z", "as": "s0"}, )";
  Difference was = difference(Wrong::kRefused, 1, "refusal");
  was.was = Refusal{"FileNotFoundError", "no", "zarr/storage/_local.py:_get"};
  const auto ways = plainer_ways(
      parsed(made + R"({"call": "get partial ranges", "key": "a", "end": 1, "on": "s0"})"), was);
  const Plainer* way =
      way_with(ways, parsed(made + R"({"call": "get partial values", "key": "a", "on": "s0"})"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({was}));
  was.was = Refusal{"ValueError", "no", "zarr/storage/_local.py:_get"};
  EXPECT_FALSE(way->shown_by({was}));
}

// A server without ranges gives the whole for each part.
TEST(PlainerWays, AskForOneRangeInTheSteadOfSeveralParts) {
  const std::string made = R"({"make": "fsspec http whole", "at": "z", "as": "s0"}, )";
  Difference was = difference(Wrong::kOtherValue, 1, "reads");
  was.was = Shown{BytesValue{"b@0b@0"}};
  const auto ways = plainer_ways(
      parsed(made + R"({"call": "get partial ranges", "key": "b", "end": 3, "on": "s0"})"), was);
  const Plainer* way =
      way_with(ways, parsed(made + R"({"call": "get range", "key": "b", "end": 1, "on": "s0"})"));
  ASSERT_TRUE(way);
  Difference is = difference(Wrong::kOtherValue, 1, "reads");
  is.was = Shown{BytesValue{"b@0"}};
  EXPECT_TRUE(way->shown_by({is})) << "each part is one answer";
  is.was = Shown{BytesValue{"b"}};
  EXPECT_FALSE(way->shown_by({is})) << "another defect of ranges";
}

TEST(PlainerWays, DeleteOneKeyForSeveral) {
  const std::string made = R"({"make": "memory", "as": "s0"},
      {"call": "set", "on": "s0", "key": "b", "value": "b@1"}, )";
  Difference was = difference(Wrong::kDone, 2, "writable");
  const auto ways = plainer_ways(parsed(made + R"({"call": "delete listed", "on": "s0"})"), was);
  const Plainer* way =
      way_with(ways, parsed(made + R"({"call": "delete", "key": "b", "on": "s0"})"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({was}));
  was.where.handle = "s1";
  EXPECT_FALSE(way->shown_by({was})) << "another handle is kept from it or not";
}

// A key that is gone is deleted without a word.
TEST(PlainerWays, LookForTheKeyThatIsDeletedThoughNothingCanBe) {
  const std::string made = R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"}, )";
  const auto ways = plainer_ways(parsed(made + R"({"call": "delete", "key": "b", "on": "s0"})"),
                                 difference(Wrong::kDone, 1, "writable"));
  const Plainer* way = way_with(ways, parsed(made + R"({"call": "get", "key": "b", "on": "s0"})"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({difference(Wrong::kAbsent, 1, "reads")}));
  EXPECT_FALSE(way->shown_by({difference(Wrong::kOtherValue, 1, "reads")}));
}

TEST(PlainerWays, LookForAKeyThatShouldNotBeThereWhereNothingIsSet) {
  const std::string made = R"({"make": "fsspec memory", "as": "s0"}, )";
  const auto ways = plainer_ways(
      parsed(made + R"({"call": "set if not exists", "key": "a", "on": "s0", "value": "a@1"})"),
      difference(Wrong::kDone, 1, "writable"));
  const Plainer* way = way_with(ways, parsed(made + R"({"call": "get", "key": "a", "on": "s0"})"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({difference(Wrong::kGhost, 1, "reads")}));
  EXPECT_FALSE(way->shown_by({difference(Wrong::kAbsent, 1, "reads")}));
}

// To open the archive of a copy is to open it again.
TEST(PlainerWays, OpenAStoreAgainInTheSteadOfItsCopy) {
  const std::string written = R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"},
      {"call": "set", "key": "a", "on": "s0", "value": "a@1"}, )";
  const std::string carried = written + R"({"carry": "pickle 5", "from": "s0", "as": "s1"}, )";
  const Case again = parsed(written + R"({"call": "close", "on": "s0"},
      {"call": "get", "key": "b", "on": "s0"}, {"call": "close", "on": "s0"})");
  Difference refused = difference(Wrong::kRefused, 3, "refusal");
  refused.was = Refusal{"BadZipFile", "no", "zarr/storage/_zip.py:_get"};
  const auto refusals =
      plainer_ways(parsed(carried + R"({"call": "get", "key": "a", "on": ["s1", "s0"]})"), refused);
  const auto losses = plainer_ways(parsed(carried + R"({"call": "list", "on": "s1"})"),
                                   difference(Wrong::kUnreadable, 3, kOnDisk));
  for (const auto* ways : {&refusals, &losses}) {
    const Plainer* way = way_with(*ways, again);
    ASSERT_TRUE(way);
    EXPECT_TRUE(way->shown_by({difference(Wrong::kLost, 4, kOnDisk)}));
    EXPECT_FALSE(way->shown_by({difference(Wrong::kMade, 4, kOnDisk)}));
  }
}

// Who only reads the archive says no more than who closes it; and a write may begin it anew as a
// read does.
TEST(PlainerWays, OpenAStoreAgainWhoeverMissesWhatItHad) {
  const std::string written = R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"},
      {"call": "set", "key": "a", "on": "s0", "value": "a@1"}, )";
  const std::string carried = written + R"({"carry": "pickle 5", "from": "s0", "as": "s1"}, )";
  const std::string other = R"({"make": "zip", "at": "z", "mode": "r", "as": "s2"}, )";
  const std::string close = R"({"call": "close", "on": "s0"})";
  const std::string get = R"(, {"call": "get", "key": "b", "on": "s0"}, )";
  Difference refused = difference(Wrong::kRefused, 5, "refusal");
  refused.was = Refusal{"BadZipFile", "no", "zarr/storage/_zip.py:_get"};
  refused.where.handle = "s2";
  const auto by_another = plainer_ways(
      parsed(carried + other +
             R"({"call": "list", "on": "s1"}, {"call": "get", "key": "a", "on": "s2"})"),
      refused);
  const Plainer* way = way_with(
      by_another, parsed(written + close + ", " + other.substr(0, other.size() - 2) + get + close));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({difference(Wrong::kLost, 5, kOnDisk)}));
  refused.was = Refusal{"UnboundLocalError", "no", "fsspec/implementations/zip.py:_open"};
  const auto of_another_root = plainer_ways(
      parsed(carried + other +
             R"({"call": "list", "on": "s1"}, {"call": "get", "key": "a", "on": "s2"})"),
      refused);
  EXPECT_FALSE(way_with(of_another_root, way->value));
  const auto by_write = plainer_ways(
      parsed(carried + R"({"call": "set", "key": "b", "on": "s1", "value": "b@3"}, )" + close),
      difference(Wrong::kUnreadable, 4, kOnDisk));
  const std::string get_c = R"(, {"call": "get", "key": "c", "on": "s0"}, )";
  EXPECT_TRUE(way_with(by_write, parsed(written + close + get_c + close + ", " + close)));
}

TEST(PlainerWays, CloseAStoreInTheSteadOfAFork) {
  const std::string made = R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"},
      {"call": "store path", "key": "a", "on": "s0", "as": "s1"},
      {"call": "get", "key": "a", "on": "s1"}, )";
  const Case forked = parse_case(R"({"format": 2, "processes": {"p1": "fork"}, "program": [)" +
                                 made + R"({"fork": "p1"}]})")
                          .value();
  const Case closed = parsed(made + R"({"call": "close", "on": "s0"})");
  const auto way_of = [&](Wrong wrong, const std::string& key) {
    Difference was = difference(wrong, 3, kOnDisk);
    was.where.key = key;
    const auto ways = plainer_ways(forked, was);
    const Plainer* way = way_with(ways, closed);
    return way && way->shown_by({difference(Wrong::kLost, 3, kOnDisk)});
  };
  EXPECT_TRUE(way_of(Wrong::kLost, "a"));
  EXPECT_TRUE(way_of(Wrong::kMade, "a")) << "under another name";
  EXPECT_FALSE(way_of(Wrong::kMade, "")) << "a file where none should be";
}

// What a store lacks, an array that lies in its copy lacks as well.
TEST(PlainerWays, AskACopyOfTheStoreForWhatAnArrayLacks) {
  const std::string made = R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"},
      {"call": "create array", "key": "a", "on": "s0", "as": "s1"}, )";
  Difference was = difference(Wrong::kRefused, 3, "refusal");
  was.where.handle = "s2";
  was.was = Refusal{"AttributeError", "'ZipStore' object has no attribute 'compression'", ""};
  const auto ways =
      plainer_ways(parsed(made + R"({"carry": "pickle 5", "cargo": "array", "from": "s1",
          "as": "s2"}, {"call": "read block", "end": 1, "on": "s2"})"),
                   was);
  const Plainer* way =
      way_with(ways, parsed(made + R"({"carry": "pickle 5", "from": "s0", "as": "s2"},
          {"call": "state", "on": ["s0", "s2"]})"));
  ASSERT_TRUE(way);
  Difference is = difference(Wrong::kState, 3, "attributes");
  is.where.key = "compression";
  EXPECT_TRUE(way->shown_by({is}));
}

TEST(Warmed, ProgramsDoBeforeAForkWhatTheForkedProcessAsks) {
  const auto program = [](const char* before) {
    return parse_case(R"({"format": 2, "processes": {"p1": "fork"}, "program": [
        {"make": "memory", "as": "s0"},)" +
                      std::string(before) + R"({"fork": "p1"},
        {"call": "set", "on": "s0", "in": "p1", "key": "a", "value": "a@2"},
        {"call": "get", "on": "s0", "in": "p1", "key": "a"}]})")
        .value();
  };
  const auto warm = warmed(program(""));
  ASSERT_TRUE(warm);
  EXPECT_EQ(*warm, program(R"({"call": "get", "on": "s0", "key": "a"},)"));
  EXPECT_FALSE(warmed(parsed(R"({"make": "memory", "as": "s0"})")));
}

TEST(Warmed, ProgramsReadBeforeAForkWhereTheForkedProcessPacks) {
  const auto program = [](const char* before) {
    return parse_case(R"({"format": 2, "processes": {"p1": "fork"}, "program": [
        {"make": "memory", "as": "s0"},)" +
                      std::string(before) + R"({"fork": "p1"},
        {"make": "memory", "in": "p1", "as": "s1"},
        {"carry": "pickle 5", "cargo": "array", "from": "s1", "as": "s2"}]})")
        .value();
  };
  EXPECT_EQ(warmed(program("")), program(R"({"call": "get", "on": "s0", "key": "a"},)"));
}

// An earlier program may have woken the threads that the forked process lacks.
TEST(Warmed, ProgramsMakeBeforeAForkAStoreWithThreadsThatTheForkedProcessMakes) {
  const auto program = [](const std::string& kind, const std::string& before) {
    return parse_case(R"({"format": 2, "processes": {"p1": "fork"}, "program": [)" + before +
                      R"({"fork": "p1"}, {"make": ")" + kind +
                      R"(", "at": "f", "in": "p1", "as": "s0"},
        {"call": "set", "on": "s0", "key": "a", "value": "a@2"}]})")
        .value();
  };
  EXPECT_EQ(warmed(program("object local", "")),
            program("object local", R"({"make": "object local", "at": "f", "as": "ws0"},
                {"call": "get", "on": "ws0", "key": "a"},)"));
  EXPECT_EQ(warmed(program("local", "")), std::nullopt);
}

TEST(PlainerWays, LeaveAListingThatNamesAKeyTwice) {
  EXPECT_TRUE(
      plainer_ways(parsed(R"({"make": "memory", "as": "s0"}, {"call": "list", "on": "s0"})"),
                   difference(Wrong::kTwice, 1, "listing"))
          .empty());
}

TEST(PlainerWays, LookAtTheDiskOneStepEarlier) {
  const std::string written = R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"},
      {"call": "set", "on": "s0", "key": "a", "value": "a@1"}, {"call": "close", "on": "s0"})";
  const auto ways = plainer_ways(parsed(written + R"(, {"make": "memory", "as": "s1"})"),
                                 difference(Wrong::kLost, 3, "on disk"));
  const Plainer* way = way_with(ways, parsed(written));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({difference(Wrong::kLost, 2, "on disk")}));
  Difference elsewhere = difference(Wrong::kLost, 2, "on disk");
  elsewhere.where.place = "y";
  EXPECT_FALSE(way->shown_by({elsewhere}));
}

// What lies on the disk when the store is closed, is what a key that is not shown is about.
TEST(PlainerWays, LookForAMissingKeyOnTheDisk) {
  const std::string set = R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"},
      {"call": "set", "on": "s0", "key": "b", "value": "b@1"}, )";
  const Difference was = difference(Wrong::kAbsent, 2, "reads");
  const auto ways = plainer_ways(parsed(set + R"({"call": "get", "on": "s0", "key": "b"})"), was);
  const Plainer* way = way_with(
      ways,
      parsed(set + R"({"call": "get", "on": "s0", "key": "a"}, {"call": "close", "on": "s0"})"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({difference(Wrong::kUnreadable, 3, "on disk")}));
  EXPECT_FALSE(way->shown_by({difference(Wrong::kMade, 3, "on disk")})) << "nothing is gone";
  EXPECT_FALSE(way->shown_by({difference(Wrong::kAbsent, 2, "reads")}));
}

// That an archive is ruined does not depend on what was in it.
TEST(PlainerWays, PutAPlainArchiveForOneThatIsWrongOnPurpose) {
  const auto program = [](const std::string& before) {
    return parsed(R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"},
        {"call": "get", "key": "b", "on": "s0"})",
                  R"("before": {"z": )" + before + "},");
  };
  const auto ways = plainer_ways(
      program(
          R"({"entries": [{"key": "a", "value": "a@0"}], "twists": [{"name": "long comment", "entry": 0, "amount": 0}]})"),
      difference(Wrong::kLost, 1, "on disk"));
  const Plainer* way = way_with(ways, program(R"({"entries": [{"key": "a", "value": "a@0"}]})"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({difference(Wrong::kUnreadable, 1, "on disk")}));
  EXPECT_FALSE(way->shown_by({difference(Wrong::kMade, 1, "on disk")}));
}

TEST(PlainerWays, LookForWhatWasInAnArchiveThatCannotBeRead) {
  const std::string make = R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"}, )";
  const std::string rest = R"({"call": "close", "on": "s0"}, {"call": "list", "on": "s0"})";
  const std::string quiet =
      R"({"call": "close", "on": "s0"}, {"call": "get", "key": "b", "on": "s0"})";
  const auto ways = plainer_ways(parsed(make + R"({"call": "open", "on": "s0"}, )" + rest),
                                 difference(Wrong::kUnreadable, 3, "on disk"));
  const Plainer* way =
      way_with(ways, parsed(make + R"({"call": "set", "key": "a", "value": "a@1", "on": "s0"}, )" +
                            quiet + R"(, {"call": "close", "on": "s0"})"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({difference(Wrong::kLost, 4, "on disk")}));
  EXPECT_FALSE(way->shown_by({difference(Wrong::kUnreadable, 4, "on disk")}));
}

TEST(PlainerWays, AskOneHandleWhetherItSpoilsTheFileForAnother) {
  const std::string made = R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"},
      {"make": "zip", "at": "z", "mode": "r", "as": "s1"}, )";
  Difference was = difference(Wrong::kRefused, 2, "refusal");
  was.was = Refusal{"BadZipFile", "no", "zarr/storage/_zip.py:get"};
  const auto ways =
      plainer_ways(parsed(made + R"({"call": "get", "key": "a", "on": ["s0", "s1"]})"), was);
  const Plainer* way = way_with(ways, parsed(made + R"({"call": "get", "key": "a", "on": "s0"})"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({difference(Wrong::kUnreadable, 2, "on disk")}));
}

TEST(PlainerWays, LookAtTheDiskAfterTheCallInWhichAllStops) {
  Difference was = difference(Wrong::kUnreadable, 1, "on disk");
  was.within = true;
  const std::string make = R"({"make": "zip", "at": "z", "as": "s0"}, )";
  const auto ways = plainer_ways(
      parsed(make + R"({"call": "set", "key": "a", "on": "s0", "value": "a@1", "watched": true})"),
      was);
  const Plainer* way =
      way_with(ways, parsed(make + R"({"call": "set", "key": "a", "on": "s0", "value": "a@1"})"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({difference(Wrong::kLost, 1, "on disk")}));
  EXPECT_FALSE(way->shown_by({was})) << "that is the same again";
}

TEST(PlainerWays, AskAPlainArchiveAsAWrongOne) {
  Difference was = difference(Wrong::kDone, 1, "writable");
  was.where.handle = "s0";
  const auto with = [](const std::string& entries) {
    return parse_case(R"({"format": 2, "before": {"z": {"entries": )" + entries + R"(}},
        "program": [{"make": "zip", "at": "z", "mode": "r", "as": "s0"},
                    {"call": "move read only", "on": "s0"}]})")
        .value();
  };
  const Case wrong = with(R"([], "twists": [{"amount": 1, "entry": 0, "name": "zip64 sizes"}])");
  const auto ways = plainer_ways(wrong, was);
  const Plainer* way = way_with(ways, with(R"([{"key": "a", "value": "a@0"}])"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({was}));
  was.oracle = "readers agree";
  EXPECT_FALSE(way_with(plainer_ways(wrong, was), with(R"([{"key": "a", "value": "a@0"}])")));
}

TEST(PlainerWays, StopWithinAPlainArchiveAsWithinAWrongOne) {
  Difference was = difference(Wrong::kUnreadable, 1, "on disk");
  was.within = true;
  const std::string steps = R"("program": [{"make": "zip", "at": "z", "mode": "a", "as": "s0"},
      {"call": "set", "key": "a", "on": "s0", "value": "a@1", "watched": true}]})";
  const auto with = [&](const std::string& entries) {
    return parse_case(R"({"format": 2, "before": {"z": {"entries": )" + entries + "}}, " + steps)
        .value();
  };
  const auto ways = plainer_ways(
      with(R"([], "twists": [{"amount": 1, "entry": 0, "name": "zip64 sizes"}])"), was);
  const Plainer* way = way_with(ways, with(R"([{"key": "a", "value": "a@0"}])"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({was}));
}

TEST(PlainerWays, StopWithinAnyWriteAsWithinASet) {
  Difference was = difference(Wrong::kUnreadable, 1, "on disk");
  was.within = true;
  const std::string make = R"({"make": "zip", "at": "z", "as": "s0"}, )";
  const auto ways = plainer_ways(
      parsed(make + R"({"call": "create group", "key": "a", "on": "s0", "watched": true})"), was);
  EXPECT_TRUE(way_with(ways, parsed(make + R"({"call": "set", "key": "a", "on": "s0",
      "value": {"word": "a@1", "size": 9000}, "watched": true})")));
  const auto of_a_set = plainer_ways(
      parsed(make + R"({"call": "set", "key": "a", "on": "s0", "value": "a@1", "watched": true})"),
      was);
  EXPECT_EQ(of_a_set.size(), 2U) << "where nothing stops, and where another key is written";
  const Plainer* way = way_with(of_a_set, parsed(make + R"({"call": "set", "key": "b", "on": "s0",
      "value": "b@1"}, {"call": "close", "on": "s0"})"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({difference(Wrong::kLost, 2, "on disk")}));
}

// What a delete leaves half deleted is nothing that it was writing; and a folder is looked at after
// each call, so that it was not left so by the one before.
TEST(PlainerWays, StopWithinADeleteAsWithinNothingElse) {
  const auto stops_in_a_set = [](const std::string& kind, const std::string& call) {
    Difference was = difference(Wrong::kMade, 2, "on disk");
    was.within = true;
    const Case value = parsed(R"({"make": ")" + kind + R"(", "at": "z", "as": "s0"},
        {"call": "set", "key": "a/b", "on": "s0", "value": "a/b@1"},
        {"on": "s0", "watched": true, "call": )" +
                              call + "}");
    return std::ranges::any_of(plainer_ways(value, was), [](const Plainer& way) {
      return std::ranges::any_of(way.value.steps, [](const Step& step) {
        const Call* it = std::get_if<Call>(&step);
        return it && it->op == Op::kSet && it->watched;
      });
    });
  };
  EXPECT_FALSE(stops_in_a_set("local", R"("delete dir", "key": "a")"));
  EXPECT_FALSE(stops_in_a_set("local", R"("clear")"));
  EXPECT_TRUE(stops_in_a_set("local", R"("set if not exists", "key": "b", "value": "b@2")"));
  EXPECT_TRUE(stops_in_a_set("zip", R"("delete dir", "key": "a")"))
      << "an archive is whole when it is closed";
}

TEST(PlainerWays, WaitForZarrsLoopWithAnyStore) {
  const auto hang = [](const std::string& frame) {
    Difference it = difference(Wrong::kHang, 2, "deadline");
    it.was = TimedOut{
        "Thread 0x1 (most recent call first):\n  File \"/x/zarr/a.py\", line 1 in f\n\n"
        "Current thread 0x2 (most recent call first):\n"
        "  File \"/python3.13/threading.py\", line 359 in wait\n"
        "  File \"/site-packages/zarr/" +
        frame + "\n"};
    return it;
  };
  const std::string forked = R"("processes": {"p1": "fork"}, )", fork = R"({"fork": "p1"}, )";
  const Difference was = hang("core/sync.py\", line 135 in sync");
  const auto ways =
      plainer_ways(parsed(R"({"make": "local", "at": "z", "as": "s0"}, )" + fork +
                              R"({"call": "create group", "key": "a", "on": "s0", "in": "p1"})",
                          forked),
                   was);
  EXPECT_TRUE(way_with(ways, parsed(R"({"make": "local", "at": "z", "as": "s0"}, )" + fork +
                                        R"({"call": "get", "key": "a", "on": "s0", "in": "p1",
                                            "by": "sync"})",
                                    forked)));
  const Plainer* memory =
      way_with(ways, parsed(R"({"make": "memory", "as": "s0"}, )" + fork +
                                R"({"call": "create group", "key": "a", "on": "s0", "in": "p1"})",
                            forked));
  ASSERT_TRUE(memory);
  EXPECT_TRUE(memory->shown_by({was}));
  EXPECT_FALSE(memory->shown_by({hang("storage/_local.py\", line 9 in get")}));
}

TEST(PlainerWays, LookForWhatIsLeftOneStepEarlier) {
  const std::string set = R"({"make": "local", "at": "z", "as": "s0"},
      {"call": "set", "on": "s0", "key": "../a", "value": "a@1"})";
  const auto ways = plainer_ways(parsed(set + R"(, {"call": "get", "on": "s0", "key": "../a"})"),
                                 difference(Wrong::kStray, 2, "survival"));
  const Plainer* way = way_with(ways, parsed(set));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({difference(Wrong::kStray, 1, "survival")}));
}

// An array is read before it is packed. A carry is told of where it goes.
TEST(PlainerWays, ReadWhatCannotBePacked) {
  const std::string processes = R"("processes": {"p1": "fork"}, )";
  const std::string made = R"({"fork": "p1"}, {"make": "memory", "in": "p1", "as": "s0"}, )";
  const auto ways = plainer_ways(
      parsed(made + R"({"carry": "pickle 5", "cargo": "array", "from": "s0", "as": "s1"})",
             processes),
      difference(Wrong::kHang, 2, "deadline"));
  const Plainer* way = way_with(
      ways, parsed(made + R"({"call": "get", "on": "s0", "key": "a", "by": "sync"})", processes));
  ASSERT_TRUE(way);
  Difference is = difference(Wrong::kHang, 2, "deadline");
  is.where.process = "p1";
  EXPECT_TRUE(way->shown_by({is}));
  is.where.handle = "s9";
  EXPECT_FALSE(way->shown_by({is}));
}

TEST(PlainerWays, PutMemoryBelowAWrapperUnlessItIsWrongAlone) {
  const std::string get = R"(, {"call": "get", "key": "a", "on": "s0"})";
  const auto ways =
      plainer_ways(parsed(R"({"make": "cache over local", "at": "z", "as": "s0"})" + get),
                   difference(Wrong::kOtherValue, 1, "reads"));
  const Plainer* way = way_with(ways, parsed(R"({"make": "cache over memory", "as": "s0"})" + get));
  ASSERT_TRUE(way);
  EXPECT_EQ(way->unless, parsed(R"({"make": "memory", "as": "s0"})" + get));
}

// Memory has no place in which something could lie: the store writes it.
TEST(PlainerWays, WriteWhatLayOnADiskWhereTheyPutMemory) {
  const auto value = parse_case(R"({"format": 2, "before": {"z": {"entries": [
      {"key": "a", "value": "a@0"}]}}, "program": [
      {"make": "logging over zip", "at": "z", "mode": "r", "as": "s0"},
      {"call": "get", "key": "a", "on": "s0"}]})");
  const auto ways = plainer_ways(value.value(), difference(Wrong::kOtherValue, 1, "reads"));
  EXPECT_TRUE(way_with(ways, parsed(R"({"make": "logging over memory", "as": "s0"},
      {"call": "set", "key": "a", "value": "a@0", "on": "s0"},
      {"call": "get", "key": "a", "on": "s0"})")));
}

TEST(PlainerWays, AskForARangeWhereTheSameComesForAnyPart) {
  const std::string made = R"({"make": "memory", "as": "s0"},
      {"call": "set", "on": "s0", "key": "a", "value": "a@1"}, )";
  Difference was = difference(Wrong::kOtherValue, 2, "reads");
  was.was = Shown{BytesValue{"a@1"}};
  const auto ways = plainer_ways(
      parsed(made + R"({"call": "get suffix", "key": "a", "start": 2, "on": "s0"})"), was);
  const Plainer* way = way_with(
      ways,
      parsed(made + R"({"call": "get range", "key": "a", "start": 0, "end": 1, "on": "s0"})"));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({was}));
  Difference is = was;
  is.was = Shown{BytesValue{"a@"}};
  EXPECT_FALSE(way->shown_by({is})) << "a byte too many is another root than the whole value";
}

TEST(PlainerWays, AskForOneRangeInTheSteadOfSeveral) {
  const std::string made = R"({"make": "memory", "as": "s0"},
      {"call": "set", "on": "s0", "key": "a", "value": "a@1"}, )";
  const std::string call = R"(", "key": "a", "start": 0, "end": 2, "on": "s0"})";
  const Difference was = difference(Wrong::kOtherValue, 2, "reads");
  const auto ways = plainer_ways(parsed(made + R"({"call": "get ranges)" + call), was);
  const Plainer* way = way_with(ways, parsed(made + R"({"call": "get range)" + call));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({was}));
  EXPECT_FALSE(way->shown_by({difference(Wrong::kAbsent, 2, "reads")}));
}

// Who says that it may write is asked that, whatever it then does.
TEST(PlainerWays, AskWhoWritesThoughItMayNotWhetherItSaysSo) {
  const std::string made = R"({"make": "memory", "as": "s1"},
      {"call": "with read only", "flag": true, "on": "s1", "as": "s0"}, )";
  const Difference done = difference(Wrong::kDone, 2, "writable");
  const Case asked = parsed(made + R"({"call": "read only", "on": "s0"})");
  for (const char* write : {R"({"call": "set", "key": "a", "value": "a@2", "on": "s0"})",
                            R"({"call": "delete", "key": "a", "on": "s0"})"}) {
    const auto ways = plainer_ways(parsed(made + write), done);
    const Plainer* way = way_with(ways, asked);
    ASSERT_TRUE(way) << write;
    EXPECT_TRUE(way->shown_by({difference(Wrong::kState, 2, "writable")}));
    EXPECT_FALSE(way->shown_by({done}));
  }
}

TEST(PlainerWays, MakeAStoreOfATextReadOnlyAfterwards) {
  const std::string asked = R"(, {"call": "read only", "on": "s0"})";
  const Difference was = difference(Wrong::kState, 1, "writable");
  const auto ways = plainer_ways(
      parsed(R"({"make": "named path", "at": "f", "read_only": true, "as": "s0"})" + asked), was);
  const Plainer* way = way_with(ways, parsed(R"({"make": "local", "at": "f", "as": "ws0"},
      {"call": "with read only", "on": "ws0", "flag": true, "as": "s0"})" +
                                             asked));
  ASSERT_TRUE(way);
  EXPECT_TRUE(way->shown_by({difference(Wrong::kState, 2, "writable")}));
  EXPECT_FALSE(way->shown_by({difference(Wrong::kState, 2, "reads")}));
  const auto writing =
      plainer_ways(parsed(R"({"make": "named path", "at": "f", "as": "s0"})" + asked), was);
  EXPECT_TRUE(std::ranges::none_of(writing, [](const Plainer& it) {
    return std::holds_alternative<Call>(it.value.steps[1]) && it.value.steps.size() > 2;
  }));
}

TEST(PlainerWays, AskForTheStateThatIsNotThere) {
  const std::string carried = R"({"make": "zip", "at": "z", "as": "s1"},
      {"carry": "pickle 5", "from": "s1", "to": "p0", "as": "s0"}, )";
  Difference was = difference(Wrong::kUnfittingType, 2, "refusal");
  was.was = Refusal{"AttributeError", "'ZipStore' object has no attribute '_read_only'", ""};
  const auto ways = plainer_ways(parsed(carried + R"({"call": "clear", "on": "s0"})"), was);
  const Plainer* way = way_with(ways, parsed(carried + R"({"call": "state", "on": ["s1", "s0"]})"));
  ASSERT_TRUE(way);
  Difference is = difference(Wrong::kState, 2, "attributes");
  is.where.key = "_read_only";
  EXPECT_TRUE(way->shown_by({is}));
  is.where.key = "_lock";
  EXPECT_FALSE(way->shown_by({is}));
}

}  // namespace
}  // namespace storefuzz::program
