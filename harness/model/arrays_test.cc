// What the model says of the elements of arrays: on stores that are live, and on archives.
#include <gtest/gtest.h>

#include "harness/model/follow_program.h"

namespace storefuzz::program {
namespace {

#define CREATE(key, on, as) \
  R"({"call":"create array","key":")" key R"(","on":")" on R"(","as":")" as R"("},)"
#define OPEN(key, on, as) \
  R"({"call":"open array","key":")" key R"(","on":")" on R"(","as":")" as R"("},)"
#define WRITE(start, end, on)                                                                   \
  R"({"call":"write block","start":)" #start R"(,"end":)" #end R"(,"value":"\u0001","on":")" on \
  R"("},)"
#define READ(start, end, on) \
  R"({"call":"read block","start":)" #start R"(,"end":)" #end R"(,"on":")" on R"("},)"

Answer numbers(std::vector<std::int64_t> list) { return Shown{Numbers{std::move(list)}}; }

TEST(Arrays, ShowWhatWasWrittenAndZerosElsewhere) {
  Follow it(LOCAL CREATE("x", "s0", "x0") WRITE(2, 4, "x0") OPEN("x", "s0", "x1") READ(1, 5, "x1")
                END,
            "");
  it.sound({store(), store(), none(), store()});
  EXPECT_TRUE(it.allowed().exact);
  EXPECT_EQ(it.allowed().answers, std::vector{numbers({0, 1, 1, 0})});
  EXPECT_FALSE(Follow(it).take(numbers({0, 1, 1, 0})));
  expect_wrong(Follow(it).take(numbers({0, 1, 0, 0})), Wrong::kAbsent);
  expect_wrong(Follow(it).take(numbers({0, 1, 2, 0})), Wrong::kOtherValue);
  expect_wrong(Follow(it).take(numbers({0, 1, 1})), Wrong::kOtherValue);
  expect_wrong(Follow(it).take(refusal("ValueError")), Wrong::kRefused);
}

TEST(Arrays, CanBeOpenedWhereTheyWereCreated) {
  Follow it(LOCAL CREATE("x", "s0", "x0") OPEN("x", "s0", "x1") END, "");
  expect_wrong(it.sound({store(), store()}).take(refusal("FileNotFoundError")), Wrong::kRefused);
}

TEST(Arrays, AreCreatedWhereNothingIs) {
  Follow it(LOCAL CREATE("x", "s0", "x0") CREATE("g/x", "s0", "x1") CREATE("x", "s0", "x2") END,
            "");
  it.sound({store()});
  expect_wrong(Follow(it).take(refusal("ValueError")), Wrong::kRefused);
  it.sound({store()});
  expect_wrong(Follow(it).take(refusal("ValueError")), Wrong::kRefused);
  it.sound({store()});
  EXPECT_FALSE(it.allowed().opinion) << "one is there";
}

TEST(Arrays, AreNotJudgedWhereKeysLie) {
  for (const char* key : {"x", "x/c/0", "g", "g/zarr.json", "zarr.json"}) {
    Follow it(std::string(LOCAL R"({"call":"set","key":")") + key +
                  R"(","value":"1","on":"s0"},)" CREATE("x", "s0", "x0") CREATE("g/x", "s0", "x1")
                      END,
              "");
    it.sound({store(), none()});
    const bool first = it.allowed().opinion;
    it.sound({store()});
    EXPECT_FALSE(first && it.allowed().opinion) << key;
  }
}

// zarr deletes a chunk that is all zeros, and an archive deletes nothing.
TEST(Arrays, ZerosMayBeRefusedWhereNothingIsDeleted) {
  Follow it(ZIP("w") CREATE("x", "s0", "x0") R"({"call":"write block","start":0,"end":4,)"
                                             R"("value":"","on":"x0"},)" END,
            "");
  it.sound({store(), store()});
  EXPECT_FALSE(it.take(refusal("NotImplementedError")));
  Follow other(ZIP("w") CREATE("x", "s0", "x0") WRITE(0, 4, "x0") END, "");
  other.sound({store(), store()});
  expect_wrong(other.take(refusal("NotImplementedError")), Wrong::kRefused);
}

// The dictionary of a managed MemoryStore goes with the last store that has it.
TEST(Arrays, OfADictionaryThatNobodyHoldsAreForgotten) {
  Follow it(R"({"make":"managed memory","as":"s0"},)" CREATE(
                "x", "s0", "x0") R"({"do":"drop","handle":"x0"},{"do":"drop","handle":"s0"},)"
                                 R"({"make":"managed memory","as":"s1"},)" OPEN("x", "s1", "x1")
                                     END,
            "");
  it.sound({store(), store(), none(), none(), store()});
  EXPECT_FALSE(it.allowed().opinion);
}

TEST(Arrays, OfADictionaryThatAnArrivedStoreMayShareAreNotSeen) {
  Follow it(R"({"make":"fsspec memory","as":"s0"},)" CARRY("p1")
                CREATE("x", "s1", "x1") R"({"make":"fsspec memory","in":"p1","as":"s2"},)" CREATE(
                    "x", "s2", "x2") END,
            R"("processes":{"p1":{"began":"spawn"}},)");
  it.sound({store(), store(), store(), store()});
  EXPECT_FALSE(it.allowed().opinion);
}

TEST(Arrays, OfAnArchiveThatACopyMayHaveOpenedAsItArrivedAreNotSeen) {
  Follow it(ZIP("a") SET("b", "1", "s0") CLOSE("s0") CARRY("p1") CREATE("x", "s0", "x0") CLOSE("s0")
                OPEN("x", "s1", "x1") END,
            R"("processes":{"p1":{"began":"spawn"}},)");
  it.sound({store(), none(), none(), store(), store(), none()});
  EXPECT_FALSE(it.allowed().opinion);
}

TEST(Arrays, OfAReadOnlyStoreAreNotCreated) {
  Follow it(
      LOCAL SET("b", "1", "s0") R"({"make":"local","at":"z","read_only":true,"as":"s1"},)" CREATE(
          "x", "s1", "x1") END,
      "");
  it.sound({store(), none(), store()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kDue);
  expect_wrong(it.take(store()), Wrong::kDone);
}

TEST(Arrays, AWriteThatWasAllowedToFailMayBeThere) {
  Follow it(LOCAL CREATE("x", "s0", "x0") WRITE(0, 2, "x0") READ(0, 2, "x0") READ(0, 2, "x0") END,
            R"("processes":{"p1":{"began":"spawn"}},)");
  it.sound({store(), store()});
  expect_wrong(it.take(Answer{TimedOut{}}), Wrong::kHang);
}

TEST(Arrays, KeysOfOthersInTheirPlaceLeaveThemWithoutOpinion) {
  for (const char* key : {"x", "x/c/0", "zarr.json"}) {
    Follow it(std::string(LOCAL CREATE("x", "s0", "x0")) + R"({"call":"set","key":")" + key +
                  R"(","value":"1","on":"s0"},)" READ(0, 2, "x0") END,
              "");
    it.sound({store(), store(), none()});
    EXPECT_FALSE(it.allowed().opinion) << key;
  }
  Follow beside(LOCAL CREATE("x", "s0", "x0") SET("y", "1", "s0") READ(0, 2, "x0") END, "");
  beside.sound({store(), store(), none()});
  EXPECT_TRUE(beside.allowed().opinion);
  Follow deleted(
      LOCAL CREATE("x", "s0", "x0") R"({"call":"clear","on":"s0"},)" READ(0, 2, "x0") END, "");
  deleted.sound({store(), store(), none()});
  EXPECT_FALSE(deleted.allowed().opinion);
}

TEST(Arrays, OfAReadOnlyStoreAreNotWritten) {
  Follow it(
      LOCAL CREATE("x", "s0", "x0") R"({"make":"local","at":"z","read_only":true,"as":"s1"},)" OPEN(
          "x", "s1", "x1") WRITE(0, 2, "x1") END,
      "");
  it.sound({store(), store(), store(), store()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kDue);
  expect_wrong(it.take(none()), Wrong::kDone);
}

// --- archives

#define READER R"({"make":"zip","at":"z","mode":"r","as":"s1"},)"

TEST(Arrays, OfAnArchiveAreSeenByTheirWriterAndAfterItsClose) {
  Follow it(ZIP("w") CREATE("x", "s0", "x0") WRITE(0, 2, "x0") READ(0, 2, "x0") CLOSE("s0")
                READER OPEN("x", "s1", "x1") READ(0, 2, "x1") END,
            "");
  it.sound({store(), store(), none()});
  EXPECT_TRUE(it.allowed().exact) << "who wrote it";
  expect_wrong(Follow(it).take(numbers({0, 0})), Wrong::kAbsent);
  it.sound({numbers({1, 1}), none()});
  EXPECT_FALSE(it.disk(holds({{"x/zarr.json", "{}"}, {"x/c/0", "1"}})));
  it.sound({store(), store()});
  EXPECT_TRUE(it.allowed().exact) << "who opened it afterwards";
  expect_wrong(it.take(numbers({0, 0})), Wrong::kAbsent);
}

TEST(Arrays, OfAnArchiveThatIsOpenElsewhereAreNotPublishedYet) {
  Follow it(ZIP("w") CREATE("x", "s0", "x0") READER OPEN("x", "s1", "x1") READ(0, 2, "x1") END, "");
  it.sound({store(), store(), store()});
  EXPECT_FALSE(it.allowed().opinion);
}

TEST(Arrays, OfAnArchiveThatARefusedCallMayHaveOpenedBeforeAreNotSeen) {
  const std::string steps = ZIP("w") SET("b", "1", "s0") CLOSE("s0") READER;
  const std::string later = CREATE("x", "s0", "x0") CLOSE("s0") GET("b", "s1");
  const std::string open = OPEN("x", "s1", "x1") END;
  Follow asked(steps + OPEN("q", "s1", "q1") + later + open, "");
  asked.sound({store(), none(), none(), store(), refusal("FileNotFoundError"), store(), none(),
               bytes("1")});
  EXPECT_FALSE(asked.allowed().opinion);
  Follow anew(steps + later + open, "");
  anew.sound({store(), none(), none(), store(), store(), none(), bytes("1")});
  EXPECT_TRUE(anew.allowed().opinion);
}

TEST(Arrays, OfAnArchiveWhoseWriterWasDroppedMayBeLost) {
  Follow it(
      ZIP("w") CREATE(
          "x", "s0",
          "x0") R"({"do":"drop","handle":"x0"},{"do":"drop","handle":"s0"},)" READER OPEN("x", "s1",
                                                                                          "x1") END,
      "");
  it.sound({store(), store(), none(), none(), store()});
  EXPECT_FALSE(it.allowed().opinion);
}

TEST(Arrays, OfAnArchiveThatSomebodyTruncatesAreGone) {
  Follow it(ZIP("a") CREATE("x", "s0", "x0")
                CLOSE("s0") R"({"make":"zip","at":"z","mode":"w","as":"s1"},)" SET("b", "1", "s1")
                    CLOSE("s1") OPEN("x", "s0", "x1") END,
            "");
  it.sound({store(), store(), none(), store(), none(), none()});
  EXPECT_FALSE(it.allowed().opinion);
}

}  // namespace
}  // namespace storefuzz::program
