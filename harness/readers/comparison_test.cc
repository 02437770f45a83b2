// Each way to differ comes out for the reader that is alone with it, and for nobody else; libraries
// vote, not readers; and any shape of a reply is compared.
#include "harness/readers/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <random>

#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

using Texts = std::vector<std::string>;

constexpr ValueSum kRight{.size = 64, .crc = 0x1234abcd}, kOther{.size = 64, .crc = 0x1234abce};
const Json kMissing{"missing"};
const Json kRefused{"refused", "BadZipFile", "a bad file"};

Json value(const ValueSum& sum) { return {"value", sum.size, sum.crc}; }

// What a reader says of the key "c/0", with a list of names.
ReaderReply reply(const Json& answer, const Json& listed = {"c/0", "zarr.json"}) {
  return {.reply = {{"opened", {"value"}},
                    {"listed", listed},
                    {"keys", {{"c/0", answer}}},
                    {"arrays", Json::object()}}};
}

ReaderReply unopened(const Json& refusal = kRefused) {
  return {.reply = {{"opened", refusal},
                    {"listed", nullptr},
                    {"keys", Json::object()},
                    {"arrays", Json::object()}}};
}

struct Seat {
  std::string name;
  ReaderReply reply;
};

const Question kAboutOneKey{.request = {.keys = {"c/0"}}};

std::vector<Difference> compared(const std::vector<Seat>& seats,
                                 const Question& question = kAboutOneKey) {
  std::vector<ReaderInfo> readers;
  std::vector<ReaderReply> replies;
  for (const Seat& seat : seats) {
    readers.push_back({.name = seat.name, .version = "1.2", .views = {"keys"}});
    replies.push_back(seat.reply);
  }
  return compare(readers, replies, question);
}

// "libzip: other data", each.
Texts told(const std::vector<Seat>& seats, const Question& question = kAboutOneKey) {
  Texts texts;
  for (const Difference& it : compared(seats, question))
    texts.push_back(fmt::format("{}: {}", it.reader, name_of(it.direction)));
  return texts;
}

// One reader, and three libraries that agree.
std::vector<Seat> against_three(const ReaderReply& one, const ReaderReply& three) {
  return {{"zarr", three}, {"libzip", one}, {"gdal", three}, {"zarrista", three}};
}

Question honest(std::set<ValueSum> sums) {
  Question question = kAboutOneKey;
  question.honest = std::move(sums);
  return question;
}

Question made(const ValueSum& sum) {
  Question question = kAboutOneKey;
  question.made["c/0"] = sum;
  return question;
}

// --- each direction

TEST(Compare, ThoseWhoAgreeDoNotDiffer) {
  for (const Json& answer : {value(kRight), kMissing, kRefused})
    EXPECT_EQ(told(against_three(reply(answer), reply(answer))), Texts{}) << answer;
  EXPECT_EQ(told(against_three(unopened(), unopened())), Texts{});
  EXPECT_EQ(told({}), Texts{});
}

TEST(Compare, EachDirectionComesOutForTheReaderThatIsAlone) {
  struct Row {
    ReaderReply one, three;
    const char* direction;
  };
  const ReaderReply right = reply(value(kRight));
  const Row rows[] = {
      {reply(kRefused), right, "refuses"},
      {unopened(), right, "refuses"},
      {reply(kMissing), right, "misses"},
      {reply(value(kOther)), right, "other data"},
      {right, reply(kMissing), "reads alone"},
      {right, reply(kRefused), "reads alone"},
      {reply(value(kRight), {"c/0"}), right, "lists otherwise"},
      {reply(value(kRight), {"c/0", "zarr.json", "more"}), right, "lists otherwise"},
      {reply(value(kRight), Json::array()), right, "lists otherwise"},
      {reply(value(kRight), {"c/0", "zarr.json", "c/0"}), right, "lists twice"},
      {{.died = TimedOut{}}, right, "hangs"},
      {{.died = Crashed{.signal = "SIGSEGV"}}, right, "dies"},
  };
  for (const Row& row : rows) {
    const auto list = compared(against_three(row.one, row.three));
    ASSERT_EQ(list.size(), 1) << row.direction;
    EXPECT_EQ(list[0].reader, "libzip") << row.direction;
    EXPECT_EQ(list[0].version, "1.2");
    EXPECT_EQ(name_of(list[0].direction), row.direction);
    EXPECT_EQ(list[0].times, 1) << row.direction;
    EXPECT_FALSE(list[0].says.empty()) << row.direction;
    EXPECT_FALSE(list[0].others.empty()) << row.direction;
  }
  const auto list =
      compared(against_three(reply(value(kOther)), reply(value(kRight))), honest({kRight}));
  ASSERT_EQ(list.size(), 1);
  EXPECT_EQ(name_of(list[0].direction), "invented data");
}

TEST(Compare, OnlySilencesAreSilent) {
  std::set<std::string_view> names, silences;
  for (int i = 0; i <= static_cast<int>(Direction::kDies); ++i) {
    const auto direction = static_cast<Direction>(i);
    EXPECT_TRUE(names.insert(name_of(direction)).second) << name_of(direction);
    if (silent(direction)) silences.insert(name_of(direction));
  }
  EXPECT_FALSE(names.contains(""));
  EXPECT_EQ(silences, (std::set<std::string_view>{"misses", "other data", "invented data"}));
}

TEST(Compare, SaysWhatItSaysAndWhatOthersSay) {
  const auto list = compared(against_three(reply(kRefused), reply(value(kRight))));
  ASSERT_EQ(list.size(), 1);
  EXPECT_EQ(list[0].about, "key c/0");
  EXPECT_EQ(list[0].says, "refused BadZipFile: a bad file");
  EXPECT_EQ(list[0].others, "zarr: 64 bytes, crc 0x1234abcd");
}

TEST(Compare, OneDifferenceIsToldOfManyKeysWithTheirNumber) {
  Question question;
  Seat one{"libzip", unopened()}, other{"zarr", reply(value(kRight))}, third = other;
  third.name = "gdal";
  for (const char* key : {"a", "b", "c"}) {
    question.request.keys.push_back(key);
    for (Seat* it : {&other, &third}) it->reply.reply["keys"][key] = value(kRight);
  }
  const auto list = compared({one, other, third}, question);
  ASSERT_EQ(list.size(), 1);
  EXPECT_EQ(list[0].about, "key a");
  EXPECT_EQ(list[0].times, 3);
}

TEST(Compare, DifferencesAreInTheOrderOfTheReaders) {
  EXPECT_EQ(told({{"zarr", reply(value(kRight))},
                  {"libzip", reply(kMissing, {"x"})},
                  {"gdal", reply(kRefused)},
                  {"zarrita", reply(value(kRight))},
                  {"tensorstore", reply(value(kRight))}}),
            (Texts{"libzip: misses", "libzip: lists otherwise", "gdal: refuses"}));
}

TEST(Compare, LongTextsAreCutBetweenCharacters) {
  std::string text = "x";
  while (text.size() < 1000) text += "\u00e9";
  const Json long_refusal{"refused", "E", text};
  const auto list = compared(against_three(reply(long_refusal), reply(value(kRight))));
  ASSERT_EQ(list.size(), 1);
  EXPECT_LE(list[0].says.size(), 200);
  EXPECT_NO_THROW(Json(list[0].says).dump());
}

// --- who is right

TEST(Compare, ALibraryHasOneVote) {
  EXPECT_EQ(library_of("libzip-checked"), "libzip");
  EXPECT_EQ(library_of("libarchive-seeking"), "libarchive");
  EXPECT_EQ(library_of("zarr child"), "zarr");
  EXPECT_EQ(library_of("zarrista"), "zarrista");
  // Two readers of one library against two libraries.
  const ReaderReply one = reply(value(kOther)), two = reply(value(kRight));
  EXPECT_EQ(told({{"libzip", one}, {"libzip-checked", one}, {"zarr", two}, {"gdal", two}}),
            (Texts{"libzip: other data", "libzip-checked: other data"}));
  EXPECT_EQ(told({{"libarchive", one},
                  {"libarchive-seeking", one},
                  {"libzip", one},
                  {"libzip-checked", one},
                  {"zarr", two},
                  {"gdal", two},
                  {"zarrita", two}}),
            (Texts{"libarchive: other data", "libarchive-seeking: other data", "libzip: other data",
                   "libzip-checked: other data"}));
}

// A vote is that of the first reader of a library; the second one may well be wrong with it.
TEST(Compare, AReaderCanDifferFromItsOwnLibrary) {
  const ReaderReply right = reply(value(kRight));
  EXPECT_EQ(told({{"libzip", right}, {"libzip-checked", unopened()}, {"zarr", right}}),
            Texts{"libzip-checked: refuses"});
}

TEST(Compare, AChildThatRepeatsItsParentIsToldOnce) {
  const ReaderReply right = reply(value(kRight)), other = reply(value(kOther));
  EXPECT_EQ(told({{"zarr", other}, {"zarr child", other}, {"libzip", right}, {"gdal", right}}),
            Texts{"zarr: other data"});
  EXPECT_EQ(
      told({{"zarr", other}, {"zarr child", reply(kMissing)}, {"libzip", right}, {"gdal", right}}),
      (Texts{"zarr: other data", "zarr child: misses"}));
  EXPECT_EQ(told({{"zarr", right}, {"zarr child", other}, {"libzip", right}, {"gdal", right}}),
            Texts{"zarr child: other data"});
  const ReaderReply dead{.died = Crashed{.signal = "SIGSEGV"}}, hung{.died = TimedOut{}};
  EXPECT_EQ(told({{"zarr", dead}, {"zarr child", dead}, {"libzip", right}, {"gdal", right}}),
            Texts{"zarr: dies"});
  EXPECT_EQ(told({{"zarr", dead}, {"zarr child", hung}, {"libzip", right}, {"gdal", right}}),
            (Texts{"zarr: dies", "zarr child: hangs"}));
}

// Nobody can say who is right, so both are told with what the other says.
TEST(Compare, OfTwoValuesWithEqualVotesBothAreTold) {
  const auto list = compared({{"zarr", reply(value(kRight))}, {"libzip", reply(value(kOther))}});
  ASSERT_EQ(list.size(), 2);
  EXPECT_EQ(list[0].reader, "zarr");
  EXPECT_EQ(list[0].direction, Direction::kOtherData);
  EXPECT_EQ(list[0].others, "libzip: 64 bytes, crc 0x1234abce");
  EXPECT_EQ(list[1].reader, "libzip");
  EXPECT_EQ(list[1].direction, Direction::kOtherData);
  EXPECT_EQ(list[1].others, "zarr: 64 bytes, crc 0x1234abcd");
}

// Half the libraries give a value: then it is expected.
TEST(Compare, AgainstAsManyValuesARefusalIsTold) {
  const ReaderReply right = reply(value(kRight));
  EXPECT_EQ(told({{"zarr", right}, {"libzip", reply(kRefused)}}), Texts{"libzip: refuses"});
  EXPECT_EQ(told({{"zarr", right}, {"libzip", reply(kMissing)}}), Texts{"libzip: misses"});
  EXPECT_EQ(told({{"zarr", right}, {"libzip", reply(kRefused)}, {"gdal", reply(kMissing)}}),
            Texts{"zarr: reads alone"});
}

// No reader is blamed for them, and they have no vote.
TEST(Compare, OurOwnBoundsAreNoOpinion) {
  const ReaderReply right = reply(value(kRight));
  for (const char* bound : {"TooLarge", "TooMany"}) {
    const ReaderReply late = reply({"refused", bound, "more than 64 MiB"});
    EXPECT_EQ(told({{"zarr", right}, {"libzip", late}, {"libarchive", late}}), Texts{});
    EXPECT_EQ(told({{"zarr", late}, {"libzip", right}, {"libarchive", right}}), Texts{});
  }
}

// GDAL gives the bytes of an encrypted entry as they lie, and so may others: no vote makes them
// right.
TEST(Compare, ACipherIsOtherDataHoweverManyGiveIt) {
  Question question = honest({kRight});
  question.encrypted = {"c/0"};
  const ReaderReply cipher = reply(value(kRight)), refused = reply(kRefused);
  EXPECT_EQ(told({{"zarr", refused}, {"gdal", cipher}, {"libzip", refused}}, question),
            Texts{"gdal: other data"});
  EXPECT_EQ(told({{"zarr", refused}, {"gdal", cipher}, {"tensorstore", cipher}}, question),
            (Texts{"gdal: other data", "tensorstore: other data"}));
  EXPECT_EQ(told({{"gdal", cipher}}, question), Texts{"gdal: other data"});
  EXPECT_EQ(told({{"zarr", refused}, {"gdal", reply(value(kOther))}}, question),
            Texts{"gdal: invented data"});
  EXPECT_EQ(told({{"zarr", refused}, {"libzip", reply(kMissing)}}, question), Texts{});
}

// What a reader knows of Zarr is not what it makes of the zip file.
TEST(Compare, OfASoundFileNoArrayIsRefused) {
  const auto array = [](const Json& answer) {
    ReaderReply answered = reply(value(kRight));
    answered.reply["arrays"]["a"] = answer;
    return answered;
  };
  Question question;
  question.request.arrays = {"a"};
  const std::vector<Seat> seats = {{"zarr", array({"value", "bool", {4}, 4, 7})},
                                   {"gdal", array({"value", "uint8", {4}, 4, 7})},
                                   {"tensorstore", array(kRefused)}};
  EXPECT_EQ(told(seats, question), Texts{"tensorstore: refuses"});
  question.sound = true;
  EXPECT_EQ(told(seats, question), Texts{});
  EXPECT_EQ(told({seats[0], seats[2], {"zarrista", array(kRefused)}}, question), Texts{});
}

TEST(Compare, AMissingKeyAndARefusedOneAreNoDifference) {
  EXPECT_EQ(told({{"zarr", reply(kMissing)}, {"libzip", reply(kRefused)}}), Texts{});
}

TEST(Compare, WhatItsMakerPutThereBeatsTheMajority) {
  const ReaderReply wrong = reply(value(kOther)), right = reply(value(kRight));
  EXPECT_EQ(told(against_three(right, wrong), made(kRight)),
            (Texts{"zarr: other data", "gdal: other data", "zarrista: other data"}));
  EXPECT_EQ(told(against_three(right, reply(kMissing)), made(kRight)),
            (Texts{"zarr: misses", "gdal: misses", "zarrista: misses"}));
  EXPECT_EQ(told(against_three(right, reply(kRefused)), made(kRight)),
            (Texts{"zarr: refuses", "gdal: refuses", "zarrista: refuses"}));
  const auto all = compared({{"zarr", unopened()}, {"libzip", unopened()}}, made(kRight));
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0].others, fmt::format("its maker: [64,{}]", kRight.crc));
}

// Even where there is nobody to compare a reader with.
TEST(Compare, WhatItsMakerPutThereIsAskedOfAReaderAlone) {
  EXPECT_EQ(told({{"zarr", reply(value(kOther))}}, made(kRight)), Texts{"zarr: other data"});
  EXPECT_EQ(told({{"zarr", reply(value(kRight))}}, made(kRight)), Texts{});
  EXPECT_EQ(told({{"zarr", reply(value(kOther))}}), Texts{});
}

// What is known of keys is not known of an array of the same name.
TEST(Compare, WhatItsMakerPutThereIsAKeyAndNoArray) {
  Question question = made(kRight);
  question.request.keys = {};
  question.request.arrays = {"c/0"};
  ReaderReply array{.reply = {{"opened", {"value"}},
                              {"listed", nullptr},
                              {"keys", Json::object()},
                              {"arrays", {{"c/0", {"value", "uint8", {4}, 4, 7}}}}}};
  EXPECT_EQ(told({{"zarr", array}, {"gdal", array}}, question), Texts{});
  ReaderReply other = array;
  other.reply["arrays"]["c/0"][4] = 8;
  const auto list = compared({{"zarr", array}, {"gdal", other}, {"zarrista", array}}, question);
  ASSERT_EQ(list.size(), 1);
  EXPECT_EQ(list[0].reader, "gdal");
  EXPECT_EQ(list[0].direction, Direction::kOtherData);
  EXPECT_EQ(list[0].about, "array c/0");
}

TEST(Compare, InventedDataIsToldEvenWhenEverybodyElseRefuses) {
  for (const ReaderReply& others : {reply(kRefused), reply(kMissing), unopened()})
    EXPECT_EQ(told(against_three(reply(value(kOther)), others), honest({kRight})),
              Texts{"libzip: invented data"});
  EXPECT_EQ(
      told({{"zarr", reply(value(kOther))}, {"libzip", reply(value(kOther))}}, honest({kRight})),
      (Texts{"zarr: invented data", "libzip: invented data"}));
}

// There need be nobody else: the file itself is the witness.
TEST(Compare, InventedDataIsToldOfAReaderAlone) {
  EXPECT_EQ(told({{"zarr", reply(value(kOther))}}, honest({kRight})), Texts{"zarr: invented data"});
  EXPECT_EQ(told({{"zarr", reply(value(kRight))}}, honest({kRight})), Texts{});
  EXPECT_EQ(
      told({{"zarr", reply(value(kOther))}, {"libzip", {.died = TimedOut{}}}}, honest({kRight})),
      (Texts{"zarr: invented data", "libzip: hangs"}));
}

// Though its library has voted otherwise.
TEST(Compare, InventedDataIsToldOfAChild) {
  EXPECT_EQ(told({{"zarr", reply(kRefused)},
                  {"zarr child", reply(value(kOther))},
                  {"libzip", reply(kRefused)}},
                 honest({kRight})),
            Texts{"zarr child: invented data"});
}

TEST(Compare, WhereNobodyKnowsWhatIsHonestNothingIsInvented) {
  EXPECT_EQ(told(against_three(reply(value(kOther)), reply(value(kRight))), honest({})),
            Texts{"libzip: other data"});
}

TEST(Compare, AReaderThatRefusesToOpenRefusesEveryKey) {
  Question question;
  ReaderReply right = reply(value(kRight));
  for (int i = 0; i < 5; ++i) {
    question.request.keys.push_back(std::to_string(i));
    right.reply["keys"][std::to_string(i)] = value(kRight);
  }
  const auto list = compared(against_three(unopened(), right), question);
  ASSERT_EQ(list.size(), 1);
  EXPECT_EQ(list[0].direction, Direction::kRefuses);
  EXPECT_EQ(list[0].times, 5);
  // Also where a reader opened nothing and answers all the same.
  ReaderReply odd = right;
  odd.reply["opened"] = kRefused;
  EXPECT_EQ(compared(against_three(odd, right), question).at(0).times, 5);
}

// Views differ: who was not asked has nothing to say.
TEST(Compare, AReaderWithoutKeysIsNotComparedByKeys) {
  ReaderReply arrays_only = reply(value(kRight), nullptr);
  arrays_only.reply["keys"] = Json::object();
  EXPECT_EQ(told(against_three(arrays_only, reply(value(kRight)))), Texts{});
  EXPECT_EQ(told(against_three(arrays_only, reply(value(kRight))), made(kRight)), Texts{});
}

// --- listings

TEST(Compare, FoldersDoNotCountInListings) {
  const ReaderReply without = reply(value(kRight), {"c/0", "zarr.json"}),
                    with = reply(value(kRight), {"c/", "c/0", "zarr.json", "c/"});
  EXPECT_EQ(told(against_three(with, without)), Texts{});
  EXPECT_EQ(told(against_three(without, with)), Texts{});
}

TEST(Compare, ListingsMayBeInAnyOrder) {
  EXPECT_EQ(told(against_three(reply(value(kRight), {"zarr.json", "c/0"}), reply(value(kRight)))),
            Texts{});
}

TEST(Compare, ListingsWithoutAMajorityTellNothing) {
  const auto lists = [](const char* name) { return reply(value(kRight), {name}); };
  EXPECT_EQ(told({{"zarr", lists("a")}, {"libzip", lists("b")}}), Texts{});
  EXPECT_EQ(told({{"zarr", lists("a")}, {"libzip", lists("b")}, {"gdal", lists("c")}}), Texts{});
  EXPECT_EQ(told({{"zarr", lists("a")},
                  {"libzip", lists("b")},
                  {"gdal", lists("a")},
                  {"zarrita", lists("b")}}),
            Texts{});
  // A library that repeats itself makes none.
  EXPECT_EQ(told({{"zarr", lists("a")}, {"libzip", lists("b")}, {"libzip-checked", lists("b")}}),
            Texts{});
}

TEST(Compare, WhoCannotListIsNotCompared) {
  const ReaderReply right = reply(value(kRight));
  for (const Json& none : {Json(nullptr), kRefused})
    EXPECT_EQ(told(against_three(reply(value(kRight), none), right)), Texts{}) << none;
}

TEST(Compare, ListingTwiceIsToldUnlessMostDo) {
  const ReaderReply once = reply(value(kRight), {"c/0", "zarr.json"}),
                    twice = reply(value(kRight), {"c/0", "zarr.json", "c/0"});
  EXPECT_EQ(told({{"zarr", twice}, {"libzip", once}}), Texts{"zarr: lists twice"});
  EXPECT_EQ(told({{"zarr", twice}, {"libzip", once}, {"gdal", twice}}), Texts{});
  EXPECT_EQ(told({{"zarr", twice}, {"libzip", twice}, {"gdal", once}, {"zarrita", once}}),
            (Texts{"zarr: lists twice", "libzip: lists twice"}));
  const auto list = compared(against_three(twice, once));
  ASSERT_EQ(list.size(), 1);
  EXPECT_EQ(list[0].about, "listing");
  EXPECT_EQ(list[0].says, "3 names");
  EXPECT_EQ(list[0].others, "2 different ones");
}

// --- deaths

TEST(Compare, ADeathIsToldWhateverTheOthersDo) {
  const ReaderReply dead{.died = Crashed{.signal = "SIGSEGV"}}, hung{.died = TimedOut{}};
  EXPECT_EQ(told({{"zarr", dead}, {"libzip", hung}}), (Texts{"zarr: dies", "libzip: hangs"}));
  const auto list = compared({{"zarr", dead}});
  ASSERT_EQ(list.size(), 1);
  EXPECT_EQ(list[0].about, "archive");
  EXPECT_EQ(list[0].says, "SIGSEGV");
}

// The dead have no vote, so one that reads and one that died are no majority for either.
TEST(Compare, TheDeadDoNotVote) {
  const ReaderReply dead{.died = Crashed{.signal = "SIGABRT"}};
  EXPECT_EQ(told({{"zarr", reply(value(kRight))}, {"libzip", dead}}), Texts{"libzip: dies"});
  EXPECT_EQ(told({{"zarr", reply(value(kRight))}, {"libzip", dead}, {"gdal", reply(kRefused)}}),
            (Texts{"libzip: dies", "gdal: refuses"}));
}

// --- tally

TEST(Tally, CountsValuesRefusalsAndSilences) {
  Question question{.request = {.keys = {"a", "b", "c", "d"}}};
  const auto answers = [](const Json& a, const Json& b, const Json& c, const Json& d) {
    ReaderReply answered = reply(kMissing);
    answered.reply["keys"] = {{"a", a}, {"b", b}, {"c", c}, {"d", d}};
    return answered;
  };
  const Json right = value(kRight);
  const std::vector<Seat> seats = against_three(answers(right, kRefused, kMissing, value(kOther)),
                                                answers(right, right, right, right));
  const auto differences = compared(seats, question);
  const Tally one = tally(seats[1].reply, differences, "libzip");
  EXPECT_EQ(one.values, 2);
  EXPECT_EQ(one.refusals, 1);
  EXPECT_EQ(one.silences, 2);
  const Tally other = tally(seats[0].reply, differences, "zarr");
  EXPECT_EQ(other.values, 4);
  EXPECT_EQ(other.refusals + other.silences, 0);
  const Tally closed = tally(unopened(), {}, "libzip");
  EXPECT_EQ(closed.values, 0);
  EXPECT_EQ(closed.refusals, 1);
  const Tally dead = tally({.died = TimedOut{}}, {}, "libzip");
  EXPECT_EQ(dead.values + dead.refusals + dead.silences, 0);
}

// --- any shape

// Shapes that no reader should send and one may: a program of somebody else in another language.
const Json kShapes[] = {
    nullptr,
    true,
    -1,
    0.5,
    1e300,
    "value",
    "",
    Json::array(),
    Json::object(),
    {"value"},
    {"value", nullptr},
    {"value", nullptr, nullptr},
    {"value", "64", "1"},
    {"value", -1, -1},
    {"value", 1e300, 1},
    {"value", 64, 1.5},
    {"value", 18446744073709551615ULL, 18446744073709551615ULL},
    {"value", Json::array(), Json::object()},
    {"value", 64, 1, 2, 3},
    {"missing", 7},
    {"refused"},
    {"refused", nullptr, nullptr},
    {"refused", 7, {7}},
    {"refused", "E"},
    {7, "value"},
    {nullptr},
    {{"value", 64, 1}},
    {{"a", {{"b", {{"c", 1}}}}}},
};

// Every place of a reply: its members, and what they hold.
std::vector<ReaderReply> odd_replies() {
  std::vector<ReaderReply> list;
  for (const Json& shape : kShapes) {
    list.push_back({.reply = shape});
    for (const char* member : {"opened", "listed", "keys", "arrays"}) {
      ReaderReply answered = reply(value(kRight));
      answered.reply[member] = shape;
      list.push_back(answered);
      answered.reply.erase(member);
      list.push_back(answered);
    }
    list.push_back(reply(shape));
    list.push_back(reply(value(kRight), Json::array({shape})));
    list.push_back(reply(value(kRight), Json::array({"c/0", shape, "c/0"})));
    ReaderReply array = reply(value(kRight));
    array.reply["arrays"] = {{"a", shape}};
    list.push_back(array);
  }
  return list;
}

TEST(Compare, AnyShapeOfAReplyIsCompared) {
  const ReaderReply right = reply(value(kRight));
  for (Question question : {kAboutOneKey, honest({kRight}), made(kRight)}) {
    question.request.arrays = {"a"};
    for (const ReaderReply& odd : odd_replies()) {
      for (const auto& seats :
           {against_three(odd, right), against_three(right, odd), against_three(odd, odd)}) {
        std::vector<Difference> list;
        EXPECT_NO_THROW(list = compared(seats, question)) << odd.reply;
        EXPECT_NO_THROW(tally(odd, list, "libzip")) << odd.reply;
      }
      for (const Difference& it : compared(against_three(odd, right), honest({kRight})))
        EXPECT_EQ(it.reader, "libzip") << odd.reply;
    }
  }
}

void mutate(Json& json, std::mt19937& random) {
  if (json.is_structured() && !json.empty() && random() % 4 != 0) {
    auto it = json.begin();
    std::advance(it, random() % json.size());
    if (random() % 8 == 0)
      json.erase(it);
    else
      mutate(*it, random);
    return;
  }
  json = kShapes[random() % std::size(kShapes)];
}

TEST(Compare, MutatedRepliesAreCompared) {
  std::mt19937 random(1);
  Question question = honest({kRight});
  question.request.arrays = {"a"};
  std::size_t differences = 0;
  for (int round = 0; round < 4'000; ++round) {
    std::vector<Seat> seats = against_three(reply(value(kRight)), reply(value(kOther)));
    seats.push_back({"zarr child", reply(kMissing)});
    for (Seat& seat : seats) {
      seat.reply.reply["arrays"] = {{"a", {"value", "uint8", {4}, 4, 7}}};
      for (auto i = random() % 3; i > 0; --i) mutate(seat.reply.reply, random);
    }
    ASSERT_NO_THROW({
      for (const Difference& difference : compared(seats, question)) {
        ++differences;
        EXPECT_GE(difference.times, 1);
        EXPECT_FALSE(difference.about.empty());
      }
    }) << round;
  }
  EXPECT_GT(differences, 4'000);
}

}  // namespace
}  // namespace storefuzz
