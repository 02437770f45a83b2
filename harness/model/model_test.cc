// The rules of the model that are easy to get wrong, one by one: what is allowed, what is a
// difference, and what an answer teaches.
#include "harness/model/model.h"

#include <gtest/gtest.h>

#include "harness/model/content.h"
#include "harness/model/follow_program.h"

namespace storefuzz::program {
namespace {

// --- contents

TEST(Contents, OverlayTakesWhatWasWrittenAndPerhapsBoth) {
  Book book;
  const KeyId a = book.key("a");
  const Values one = book.value(a, "1"), two = book.value(a, "2");
  EXPECT_EQ(book.value(a, "1"), one);
  EXPECT_EQ(book.ever(a), one | two);
  EXPECT_EQ(overlaid(one, 0), one);
  EXPECT_EQ(overlaid(one, two), two);
  EXPECT_EQ(overlaid(one, two | kPerhaps), one | two);
  Content left, right;
  left.put(a, one);
  EXPECT_EQ(united(left, right)[a], one | kGone);
  EXPECT_EQ(right[a], kGone);
  for (int i = 0; i < 100; ++i) EXPECT_NE(book.value(a, std::to_string(i + 10)), kPerhaps);
}

// --- live

TEST(Model, ALiveStoreShowsWhatLies) {
  Follow it(LOCAL GET("a", "s0") END);
  it.sound({store()});
  EXPECT_TRUE(it.allowed().exact);
  EXPECT_EQ(it.allowed().answers, std::vector{bytes("a@0")});
  for (const auto& [answer, wrong] : {std::pair{bytes("a@1"), Wrong::kOtherValue},
                                      {none(), Wrong::kAbsent},
                                      {refusal("KeyError"), Wrong::kRefused}})
    expect_wrong(Follow(it).take(answer), wrong);
  EXPECT_FALSE(Follow(it).take(bytes("a@0")));
}

TEST(Model, WhatIsNotThereIsAGhost) {
  Follow it(LOCAL GET("b", "s0") END);
  expect_wrong(it.sound({store()}).take(bytes("a@0")), Wrong::kGhost);
}

TEST(Model, AnEarlierValueIsNoLongerRight) {
  Follow it(LOCAL SET("a", "a@1", "s0") GET("a", "s0") END);
  expect_wrong(it.sound({store(), none()}).take(bytes("a@0")), Wrong::kOtherValue);
}

TEST(Model, ADifferenceIsAdoptedAndToldOnce) {
  Follow it(LOCAL GET("a", "s0") GET("a", "s0") END);
  it.sound({store()});
  const auto wrong = it.take(none());
  ASSERT_TRUE(wrong && wrong->first);
  it.sound({none()});
  const auto later = it.take(names({"ghost"}));
  ASSERT_TRUE(later.has_value());
  EXPECT_FALSE(later->first) << "a symptom";
}

TEST(Model, AListingNamesEachKeyOnce) {
  Follow it(LOCAL END);
  it.sound({store()});
  EXPECT_FALSE(Follow(it).take(names({"a"})));
  expect_wrong(Follow(it).take(names({"a", "a"})), Wrong::kTwice);
  expect_wrong(Follow(it).take(names({})), Wrong::kAbsent);
  expect_wrong(Follow(it).take(names({"a", "b"})), Wrong::kGhost);
}

TEST(Model, TheSizeOfNothingIsAnAnswerOfItsOwn) {
  Follow it(LOCAL
            R"({"call":"getsize","key":"b","on":"s0"},{"call":"getsize","key":"a","on":"s0"})");
  it.sound({store()});
  EXPECT_FALSE(it.take(refusal("FileNotFoundError")));
  expect_wrong(it.take(refusal("FileNotFoundError")), Wrong::kAbsent);
}

TEST(Model, AnEdgeIsAQuestion) {
  Follow it(LOCAL R"({"call":"get range","key":"a","start":5,"end":2,"on":"s0"})");
  it.sound({store()});
  EXPECT_FALSE(it.allowed().opinion);
  EXPECT_FALSE(Follow(it).take(refusal("ValueError")));
  EXPECT_FALSE(Follow(it).take(bytes("whatever")));
}

TEST(Model, OnAFileSystemAKeyIsNoFolder) {
  Follow it(LOCAL SET("a/b", "x", "s0") END);
  it.sound({store()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kAllowed);
  EXPECT_FALSE(it.take(refusal("NotADirectoryError")));
  EXPECT_FALSE(it.take(names({"a"})));
}

TEST(Model, AReadOnlyStoreRefusesToWriteButMayDoNothing) {
  const std::string made = R"({"make":"local","at":"z","read_only":true,"as":"s0"},)";
  Follow it(made + SET("a", "x", "s0") R"({"call":"delete","key":"b","on":"s0"},)" END);
  it.sound({store()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kDue);
  Follow done(it);
  expect_wrong(done.take(none()), Wrong::kDone);
  it.sound({refusal("ValueError")});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kAllowed) << "nothing to delete";
}

TEST(Model, AnAttributeErrorFitsNoRefusal) {
  const std::string made = R"({"make":"local","at":"z","read_only":true,"as":"s0"},)";
  Follow it(made + SET("a", "x", "s0") END);
  expect_wrong(it.sound({store()}).take(refusal("AttributeError")), Wrong::kUnfittingType);
}

TEST(Model, ARelativePathMayBeRefusedElsewhere) {
  Follow it(R"({"make":"local","at":"z","relative":true,"as":"s0"},)"
            R"({"do":"change directory"},)" GET("a", "s0") END);
  it.sound({store(), none()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kAllowed);
  expect_wrong(it.take(bytes("b@1")), Wrong::kOtherValue);
}

TEST(Model, AStoreThatIsOpenedByItsMakingMakesItsPlace) {
  const auto on_disk = [](std::string_view kind, std::string_view more) {
    Follow it(R"({"make":")" + std::string(kind) + R"(","at":"z","as":"s0")" + std::string(more) +
                  R"(},)" END,
              "");
    it.sound({store()});
    return it.disk(holds({}));
  };
  EXPECT_FALSE(on_disk("named path", ""));
  EXPECT_TRUE(on_disk("named path", R"(,"read_only":true)").has_value()) << "by who may not write";
  EXPECT_FALSE(on_disk("object local", R"(,"read_only":true)")) << "its caller makes the folder";
  EXPECT_FALSE(on_disk("zip file", R"(,"mode":"a")")) << "its caller opens the file";
  EXPECT_TRUE(on_disk("local", "").has_value()) << "which opens itself when it is used";
  Follow copy(R"({"make":"object local","at":"z","as":"s0"},{"do":"delete the file","at":"z"},
                 {"carry":"pickle 5","from":"s0","as":"s1"},)" END,
              "");
  copy.sound({store(), none(), store()});
  EXPECT_FALSE(copy.disk(holds({}))) << "made anew by its pickle";
}

TEST(Model, StoresThatAreGivenAFileEachMayDiffer) {
  Follow it(R"({"make":"zip file","at":"z","mode":"w","as":"s0"},
               {"make":"zip file","at":"z","mode":"w","as":"s1"},
               {"call":"equal","on":"s0","other":"s1"})",
            "");
  it.sound({store(), store()});
  EXPECT_FALSE(Follow(it).take(Shown{false}));
  EXPECT_FALSE(it.take(Shown{true}));
}

TEST(Model, AGroupAtTheRootOfADictionaryHasItsMembers) {
  Follow it(
      R"({"make":"fsspec memory","as":"s0"},{"call":"create group","key":"","on":"s0","as":"s1"},
               {"call":"create array","key":"a","on":"s1","as":"s2"},{"call":"members","on":"s1"})",
      "");
  it.sound({store(), Shown{NewHandle{"Group"}}, Shown{NewHandle{"Array"}}});
  EXPECT_FALSE(Follow(it).take(names({"a"})));
  expect_wrong(it.take(names({})), Wrong::kAbsent);
}

TEST(Model, AFileThatIsGivenToAStoreWasEmptiedByWhoOpenedIt) {
  Follow it(ZIP("r") GET("a", "s0") R"({"make":"zip file","at":"z","mode":"w","read_only":true,
      "as":"s1"},)" GET("a", "s0") END);
  it.sound({store(), bytes("a@0"), store()});
  EXPECT_FALSE(Follow(it).disk(kUnreadable));
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kAllowed);
  Follow refused(R"({"make":"zip file","at":"z","mode":"w","read_only":true,"as":"s1"},)" END);
  EXPECT_FALSE(refused.take(refusal("ValueError")));
  EXPECT_FALSE(refused.disk(kUnreadable));
}

// --- archives

constexpr std::string_view kSpawned = R"("processes":{"p1":"spawn"},)";

TEST(Model, WhatIsNotPublishedIsSeenByItsWriterAlone) {
  Follow it(ZIP("w") SET("b", "b@1", "s0") CARRY("p1") GET("b", "s1") GET(
                "b", "s0") CLOSE("s0") GET("b", "s1") GET("a", "s1")
                CLOSE("s1") R"({"make":"zip","at":"z","mode":"r","as":"s2"},)" GET("b", "s2") END,
            kSpawned);
  it.sound({store(), none()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kAllowed) << "a carry of what is not published";
  it.sound({store()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kAllowed);
  Follow(it).sound({refusal("BadZipFile"), bytes("b@1"), none(), bytes("b@1")});
  it.sound({none(), bytes("b@1"), none()});
  // The handle opened before the close: it goes on showing what it opened, and a fresh one does
  // not.
  it.sound({none(), none(), none(), store()});
  EXPECT_TRUE(it.allowed().exact);
  EXPECT_EQ(it.allowed().answers, std::vector{bytes("b@1")});
}

TEST(Model, AnyBytesBeforeTheCloseAreThoseThatWereWritten) {
  Follow it(ZIP("w") SET("b", "b@1", "s0") CARRY("p1") GET("b", "s1") END, kSpawned);
  expect_wrong(it.sound({store(), none(), store()}).take(bytes("b@2")), Wrong::kOtherValue);
}

TEST(Model, ACarriedWriterDoesNotTruncateAgain) {
  Follow it(ZIP("w") SET("b", "b@1", "s0") CLOSE("s0") CARRY("p1") GET("b", "s1") END, kSpawned);
  it.sound({store(), none(), none()});
  EXPECT_TRUE(it.allowed().exact) << "what is closed is carried";
  it.sound({store()});
  EXPECT_TRUE(it.allowed().exact);
  expect_wrong(it.take(none()), Wrong::kAbsent);
}

TEST(Model, ExclusiveIsRefusedWhereTheArchiveIs) {
  Follow it(ZIP("x") GET("a", "s0") END);
  it.sound({store()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kDue);
  expect_wrong(it.take(bytes("a@0")), Wrong::kDone);
  Follow fresh(ZIP("x") GET("a", "s0") END, "");
  EXPECT_TRUE(fresh.sound({store()}).allowed().exact);
  EXPECT_EQ(fresh.allowed().answers, std::vector{none()});
}

TEST(Model, OnlyAClosePublishesForSure) {
  Follow dropped(ZIP("a")
                     SET("b", "b@1", "s0") R"({"do":"drop","handle":"s0"},)"
                                           R"({"make":"zip","at":"z","mode":"r","as":"s1"},)" GET(
                                               "a", "s1") R"({"call":"get","key":"b","on":"s1"})");
  dropped.sound({store(), none(), none(), store()});
  EXPECT_TRUE(dropped.allowed().exact) << "nothing takes what was published";
  dropped.sound({bytes("a@0")});
  EXPECT_FALSE(Follow(dropped).take(none()));
  EXPECT_FALSE(Follow(dropped).take(bytes("b@1")));
  expect_wrong(Follow(dropped).take(bytes("x")), Wrong::kOtherValue);
}

TEST(Model, ContentMayEndWithTheLastStoreThatHasIt) {
  constexpr const char* both = R"({"make":"managed memory","as":"s0"},)" SET(
      "a", "a@1",
      "s0") R"({"make":"wrapper over managed memory","as":"s1"},{"do":"drop","handle":"s0"},)";
  constexpr const char* again = R"({"make":"managed memory","as":"s2"},)" GET("a", "s2");
  Follow held(std::string(both) + again, "");
  held.sound({store(), none(), store(), none(), store()});
  expect_wrong(held.take(none()), Wrong::kAbsent);
  Follow ended(std::string(both) + R"({"do":"drop","handle":"s1"},)" + again, "");
  ended.sound({store(), none(), store(), none(), none(), store()});
  EXPECT_FALSE(Follow(ended).take(none()));
  EXPECT_FALSE(Follow(ended).take(bytes("a@1")));
  expect_wrong(ended.take(bytes("a@2")), Wrong::kOtherValue);
}

TEST(Model, ADeleteOfWhatPerhapsWasNeverPublishedMayLeaveNoArchive) {
  Follow it(ZIP("a") SET("b", "b@1", "s0") R"({"do":"drop","handle":"s0"},
                {"make":"zip","at":"z","mode":"a","as":"s1"},
                {"call":"delete listed","on":"s1"},)" CLOSE(
                "s1") R"({"make":"zip","at":"z","mode":"r","as":"s2"},{"call":"list","on":"s2"})",
            "");
  it.sound({store(), none(), none(), store(), none(), none()});
  EXPECT_FALSE(Follow(it).disk({}));
  it.sound({store()});
  EXPECT_FALSE(it.take(refusal("FileNotFoundError")));
}

TEST(Model, ATruncatingWriterThatIsDroppedMayLeaveTheArchiveTorn) {
  Follow it(ZIP("w") SET("b", "b@1", "s0") R"({"do":"drop","handle":"s0"},)"
                                           R"({"make":"zip","at":"z","mode":"r","as":"s1"})");
  it.sound({store(), none(), none()});
  EXPECT_FALSE(Follow(it).disk(kUnreadable));
  EXPECT_FALSE(Follow(it).disk(holds({{"b", "b@1"}})));
  EXPECT_FALSE(Follow(it).disk(holds({{"a", "a@0"}})));
  EXPECT_TRUE(Follow(it).disk(holds({{"a", "a@1"}})));
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kAllowed);
}

TEST(Model, ACloseKeepsWhatOthersPublishedMeanwhile) {
  Follow it(ZIP("a") R"({"make":"zip","at":"z","mode":"a","as":"s1"},)" SET("b", "b@2", "s0")
                SET("c", "c@3", "s1") CLOSE("s0")
                    CLOSE("s1") R"({"make":"zip","at":"z","mode":"r","as":"s2"},)" GET("b", "s2"));
  it.sound({store(), store(), none(), none()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kAllowed) << "both write";
  it.sound({none(), none()});
  EXPECT_TRUE(it.disk(holds({{"a", "a@0"}, {"c", "c@3"}})));
  it.sound({store()});
  EXPECT_EQ(it.allowed().answers, std::vector{none()}) << "that was adopted";
}

// What was refused may have opened an archive all the same: what others published since that call
// stays there when it is closed, though it was seen to be open only later.
TEST(Model, ACloseKeepsWhatOthersPublishedSinceACallThatWasRefused) {
  Follow it(ZIP("a") SET("b", "b@1", "s0") R"({"make":"zip","at":"z","mode":"x","as":"s1"},
      {"call":"getsize","key":"b","on":"s1"},)" CLOSE("s0") R"({"call":"list","on":"s1"},)" CLOSE(
                "s1") END,
            "");
  it.sound({store(), none(), store(), refusal("FileNotFoundError"), none(), names({}), none()});
  EXPECT_FALSE(Follow(it).disk(holds({{"b", "b@1"}})));
  EXPECT_FALSE(Follow(it).disk(holds({})));
  EXPECT_TRUE(Follow(it).disk(holds({{"b", "b@2"}})));
}

// The array is not published yet, and an archive that is appended to cannot be read meanwhile.
TEST(Model, WhoWroteAnArrayWritesUntilItsClose) {
  Follow it(ZIP("a") R"({"call":"create array","key":"b","on":"s0","as":"s1"},)" CLOSE("s0") END);
  it.sound({store(), store()});
  EXPECT_FALSE(Follow(it).disk(kUnreadable));
  EXPECT_TRUE(it.sound({none()}).disk(kUnreadable));
}

TEST(Model, AnOutsidersDeedLeavesOpenHandlesWithoutOpinion) {
  Follow it(ZIP("r") GET("a", "s0") R"({"do":"delete the file","at":"z"},)" GET(
      "a", "s0") R"({"make":"zip","at":"z","mode":"r","as":"s1"})");
  it.sound({store(), bytes("a@0"), none()});
  EXPECT_FALSE(it.allowed().opinion);
  EXPECT_FALSE(Follow(it).take(refusal("OSError")));
  expect_wrong(Follow(it).take(bytes("thin air")), Wrong::kOtherValue);
  it.sound({bytes("a@0")});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kAllowed);
}

// Its caller opened the file, which POSIX keeps for whoever has it open.
TEST(Model, AStoreThatHoldsAnOpenFileMaySeeItAfterAnOutsiderDeletedIt) {
  for (const char* make : {R"({"make":"zip file","at":"z","mode":"r","as":"s0"},)",
                           R"({"make":"fsspec zip","at":"z","as":"s0"},)"}) {
    Follow it(make + std::string(R"({"do":"delete the file","at":"z"},)" GET("a", "s0") CLOSE("s0")
                                     GET("a", "s0")));
    it.sound({store(), none()});
    EXPECT_FALSE(it.allowed().opinion) << make;
    it.sound({bytes("a@0"), none()});
    EXPECT_FALSE(it.allowed().opinion) << make << "after a close as well";
  }
  Follow second(
      R"({"make":"fsspec zip","at":"z","as":"s0"},{"do":"delete the file","at":"z"},
         {"call":"with read only","flag":false,"on":"s0","as":"s1"},)" GET("a", "s1"));
  second.sound({store(), none(), store()});
  EXPECT_FALSE(second.allowed().opinion) << "it shares the file system";
  const auto carried = [](const std::string& carrier) {
    Follow it(R"({"make":"fsspec zip","at":"z","as":"s0"},{"do":"delete the file","at":"z"},
                 {"carry":")" +
              carrier + R"(","from":"s0","as":"s1"},)" GET("a", "s1"));
    it.sound({store(), none(), store()});
    return it.allowed().opinion;
  };
  EXPECT_FALSE(carried("copy")) << "a shallow copy shares it as well";
  EXPECT_TRUE(carried("pickle 5")) << "a pickle opens the file anew";
}

TEST(Model, AFileThatItsCallerMadeIsNotAskedToBeNewAgain) {
  for (const char* make : {"zip", "zip file"}) {
    Follow it(fmt::format(R"({{"make":"{}","at":"z","mode":"x","as":"s0"}},)", make) +
                  R"({"make":"zip","at":"z","mode":"w","as":"s1"},)" SET("a", "a@2", "s1")
                      CLOSE("s1") R"({"call":"list","on":"s0"})",
              "");
    it.sound({store(), store(), none(), none()});
    EXPECT_EQ(it.allowed().refusal == RefusalIs::kDue, std::string_view(make) == "zip") << make;
  }
}

TEST(Model, DocumentsOfArraysAreGivenByNobody) {
  Follow it(R"({"make":"zip","at":"z","mode":"w","as":"s0"},
               {"call":"create array","key":"a/zarr.json","on":"s0","as":"s1"},
               {"do":"delete the file","at":"z"},)" GET("a/zarr.json", "s0"),
            "");
  it.sound({store(), store(), none()});
  EXPECT_FALSE(it.take(bytes("{}")));
}

TEST(Model, WhatLiesBelowAFileOfAnArrayMayBeRefusedByStoresOfFiles) {
  const auto refusal_of = [&](const std::string& kind, const std::string& key,
                              const std::string& bind = "create array") {
    Follow it(R"({"make":")" + kind + R"(","at":"z","as":"s0"},
        {"call":")" +
                  bind + R"(","key":"a/b","on":"s0","as":"s1"},
        {"call":"set","key":")" +
                  key + R"(","on":"s0","value":"v@2"},)" END,
              "");
    it.sound({store(), store()});
    return it.allowed().refusal;
  };
  EXPECT_EQ(refusal_of("local", "zarr.json/c"), RefusalIs::kAllowed);
  EXPECT_EQ(refusal_of("local", "a/zarr.json/c"), RefusalIs::kAllowed);
  EXPECT_EQ(refusal_of("local", "a/b/c/0/d"), RefusalIs::kAllowed) << "below a chunk";
  EXPECT_EQ(refusal_of("local", "a/b/c"), RefusalIs::kAllowed) << "the folder of the chunks";
  EXPECT_EQ(refusal_of("local", "a/b/x/y"), RefusalIs::kNotAllowed) << "zarr writes no such file";
  EXPECT_EQ(refusal_of("zip", "a/zarr.json/c"), RefusalIs::kNotAllowed);
  EXPECT_EQ(refusal_of("local", "a/c"), RefusalIs::kNotAllowed);
  EXPECT_EQ(refusal_of("local", "q/zarr.json/c"), RefusalIs::kNotAllowed) << "nobody wrote it";
  EXPECT_EQ(refusal_of("local", "a/zarr.json/c", "store path"), RefusalIs::kNotAllowed);
}

// Mode w is for who opens the archive first; afterwards a copy has to leave it alone.
TEST(Model, ACopyOfWhatIsNotOpenYetMayBeginTheArchiveAnew) {
  Follow first(ZIP("w") CARRY("p0") GET("a", "s1") CLOSE("s1") GET("a", "s1"));
  first.sound({store(), store()});
  EXPECT_FALSE(first.allowed().opinion);
  EXPECT_FALSE(Follow(first).take(none()));
  EXPECT_FALSE(Follow(first).take(bytes("a@0")));
  EXPECT_FALSE(Follow(first).take(refusal("BadZipFile")));
  first.sound({none(), none()});
  EXPECT_FALSE(first.take(none()));
  Follow second(ZIP("w") CARRY("p0") SET("b", "b@2", "s0") CLOSE("s0") GET("b", "s1") END);
  second.sound({store(), store(), none(), none()});
  EXPECT_TRUE(second.allowed().opinion);
  expect_wrong(second.take(refusal("BadZipFile")), Wrong::kRefused);
}

TEST(Model, WhatIsOfAnotherClassThanItsTextSaysSeesSomethingElse) {
  Follow it(
      R"({"make":"named zip","at":"z","as":"s0"},{"make":"zip","at":"z","mode":"r","as":"s1"},)" GET(
          "a", "s1") R"({"call":"get","key":"a","on":["s0","s1"]},)");
  expect_wrong(it.take(Shown{NewHandle{"LocalStore"}}), Wrong::kState);
  it.sound({store(), bytes("a@0")});
  EXPECT_EQ(it.signature(0), "");
  EXPECT_NE(it.signature(1), "");
}

TEST(Model, AWrapperSharesTheObjectAndAReadOnlyViewDoesNot) {
  Follow it(ZIP("a") SET("b", "b@1",
                         "s0") R"({"make":"logging","around":"s0","as":"s1"},)"
                               R"({"call":"with read only","flag":true,"on":"s0","as":"s2"},)" GET(
                                   "b", "s1") SET("b", "b@5", "s2") END);
  it.sound({store(), none(), store(), store()});
  EXPECT_TRUE(it.allowed().exact);
  EXPECT_EQ(it.allowed().answers, std::vector{bytes("b@1")});
  it.sound({bytes("b@1")});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kDue);
}

// --- memory

TEST(Model, WhatIsCopiedIsItsOwnAndAShallowCopyIsNot) {
  const std::string made = R"({"make":"memory","as":"s0"},)";
  const std::string rest =
      std::string(SET("a", "a@2", "s0")) + R"({"call":"get","key":"a","on":"s1"})";
  Follow deep(made + SET("a", "a@1", "s0") CARRY("p1") + rest, kSpawned);
  deep.sound({store(), none(), store(), none()});
  EXPECT_EQ(deep.allowed().answers, std::vector{bytes("a@1")});
  Follow shallow(made + SET("a", "a@1", "s0") R"({"carry":"copy","from":"s0","as":"s1"},)" + rest,
                 "");
  shallow.sound({store(), none(), store(), none()});
  EXPECT_EQ(shallow.allowed().answers, std::vector{bytes("a@2")});
}

TEST(Model, WhatIsBoundIsRefusedElsewhereOrBringsItsContent) {
  const std::string made = R"({"make":"managed memory","as":"s0"},)";
  Follow it(made + SET("a", "a@1", "s0") CARRY("p1") R"({"call":"get","key":"a","on":"s1"})",
            kSpawned);
  it.sound({store(), none()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kAllowed);
  EXPECT_FALSE(Follow(it).take(refusal("ValueError")));
  expect_wrong(it.sound({store()}).take(none()), Wrong::kAbsent);
}

TEST(Model, TwoStoresOfOneDictionarySeeEachOther) {
  Follow it(R"({"make":"managed memory","as":"s0"},{"make":"managed memory path","as":"s1"},)" SET(
                "a", "a@1", "s1") GET("p/q/a", "s0") END,
            "");
  it.sound({store(), store(), none()});
  EXPECT_EQ(it.allowed().answers, std::vector{bytes("a@1")});
}

TEST(Model, AForkCopiesWhatIsNotPublished) {
  const std::string_view forked = R"("processes":{"p2":"fork"},)";
  Follow it(R"({"make":"zip","at":"z","mode":"w","as":"s0"},)" SET(
                "a", "a@1", "s0") R"({"fork":"p2"},)"
                                  R"({"call":"get","key":"a","on":"s0","in":"p2"},)"
                                  R"({"do":"_exit","in":"p2"},)" CLOSE("s0") GET("a", "s0"),
            forked);
  it.sound({store(), none(), none()});
  EXPECT_EQ(it.allowed().answers, std::vector{bytes("a@1")});
  it.sound({bytes("a@1"), none(), none()});
  EXPECT_FALSE(it.disk(holds({{"a", "a@1"}})));
  EXPECT_TRUE(Follow(it).disk(holds({})));
}

// --- caches

TEST(Model, ACacheMayShowWhatWasButNeverWhatWasNot) {
  Follow it(R"({"make":"local","at":"z","as":"s0"},{"make":"cache","around":"s0","as":"s1"},)" GET(
      "a", "s1") SET("a", "a@3", "s0") GET("a", "s1") SET("a", "a@5", "s1") GET("a", "s1"));
  it.sound({store(), store(), bytes("a@0"), none()});
  EXPECT_FALSE(Follow(it).take(bytes("a@0")));
  EXPECT_FALSE(Follow(it).take(bytes("a@3")));
  expect_wrong(Follow(it).take(none()), Wrong::kAbsent);
  it.sound({bytes("a@0"), none()});
  EXPECT_EQ(it.allowed().answers, std::vector{bytes("a@5")}) << "it wrote the key itself";
}

TEST(Model, ACacheThatIsKeptShowsWhatAnotherOneWasShown) {
  const std::string kept = R"({"make":"cache kept over local","at":"z","as":)";
  Follow it(kept +
            R"("s1"},{"make":"local","at":"z","as":"s0"},)" GET("a", "s1")
                SET("a", "a@3", "s0") R"({"do":"drop","handle":"s1"},)" +
            kept + R"("s2"},)" GET("a", "s2") SET("a", "a@7", "s2") GET("a", "s2") END);
  it.sound({store(), store(), bytes("a@0"), none(), none(), store()});
  EXPECT_FALSE(Follow(it).take(bytes("a@3")));
  expect_wrong(Follow(it).take(none()), Wrong::kAbsent);
  it.sound({bytes("a@0"), none()});
  EXPECT_EQ(it.allowed().answers, std::vector{bytes("a@7")}) << "it wrote the key itself";
}

// --- groups

// A group, an array in it, its metadata consolidated, one array more; then opened anew.
std::string consolidated(std::string_view open) {
  return R"({"make":"local","at":"z","as":"s0"},)"
         R"({"call":"create group","key":"","on":"s0","as":"g0"},)"
         R"({"call":"create array","key":"x","on":"g0","as":"x0"},)"
         R"({"call":"consolidate metadata","key":"","on":"s0","as":"g1"},)"
         R"({"call":"create array","key":"y","on":"g0","as":"y0"},)"
         R"({"call":")" +
         std::string(open) + R"(","key":"","on":"s0","as":"g2"},)" +
         R"({"call":"members","on":"g2"},{"call":"members","on":"g0"})";
}

TEST(Model, MembersAreThoseOfTheConsolidationOrThoseOfNow) {
  for (const char* open : {"open consolidated", "open group"}) {
    Follow it(consolidated(open), "");
    it.sound({store(), store(), store(), store(), store(), store()});
    EXPECT_FALSE(Follow(it).take(names({"x"}))) << open;
    EXPECT_FALSE(Follow(it).take(names({"y", "x"}))) << open;
    EXPECT_FALSE(Follow(it).take(refusal("ValueError"))) << open;
    expect_wrong(Follow(it).take(names({"y"})), Wrong::kAbsent);
    expect_wrong(Follow(it).take(names({"x", "w"})), Wrong::kGhost);
    it.sound({names({"x"})});
    EXPECT_FALSE(Follow(it).take(names({"x", "y"})));
    expect_wrong(it.take(names({"x"})), Wrong::kAbsent);
  }
}

TEST(Model, WhatNobodyMadeCannotBeOpened) {
  const std::string open = R"({"call":"open group","key":"x","on":"s0","as":"g0"})";
  Follow it(R"({"make":"local","at":"z","as":"s0"},)" + open, "");
  it.sound({store()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kDue);
  EXPECT_FALSE(Follow(it).take(refusal("FileNotFoundError")));
  expect_wrong(it.take(store()), Wrong::kDone);
  // What somebody wrote there may be the document of a group.
  Follow written(R"({"make":"local","at":"z","as":"s0"},)" SET("x/zarr.json", "{}", "s0") + open,
                 "");
  written.sound({store(), none()});
  EXPECT_EQ(written.allowed().refusal, RefusalIs::kAllowed);
}

TEST(Model, MembersAreOpenOnceAnythingElseHappened) {
  Follow it(R"({"make":"local","at":"z","as":"s0"},)"
            R"({"call":"create group","key":"","on":"s0","as":"g0"},)"
            R"({"call":"create array","key":"x","on":"g0","as":"x0"},)"
            R"({"call":"delete dir","key":"x","on":"s0"},{"call":"members","on":"g0"})",
            "");
  it.sound({store(), store(), store(), none()});
  EXPECT_FALSE(Follow(it).take(names({})));
  EXPECT_FALSE(Follow(it).take(names({"x"})));
}

// --- connections

TEST(Model, AConnectionOfAnotherLoopOrOfAForkAnswersOrRefuses) {
  const std::string_view forked = R"("before":{"f":{"entries":[{"key":"a","value":"a@0"}]}},)"
                                  R"("processes":{"p1":"fork"},)";
  const auto by = [](std::string_view who, std::string_view in) {
    return R"({"call":"get","key":"a","on":"s0","by":")" + std::string(who) + R"(","in":")" +
           std::string(in) + R"("},)";
  };
  const std::string made = R"({"make":"fsspec http","at":"f","as":"s0"},)";
  Follow it(made + by("sync", "p0") + by("sync", "p0") + by("hand", "p0"), forked);
  it.sound({store(), bytes("a@0")});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kNotAllowed) << "the same loop";
  it.sound({bytes("a@0")});
  EXPECT_EQ(it.allowed().reason, Reason::kConnection);
  EXPECT_FALSE(Follow(it).take(refusal("RuntimeError")));
  expect_wrong(Follow(it).take(bytes("a@1")), Wrong::kOtherValue);
  Follow fork(made + by("sync", "p0") + R"({"fork":"p1"},)" + by("sync", "p1"), forked);
  fork.sound({store(), bytes("a@0"), none()});
  EXPECT_EQ(fork.allowed().reason, Reason::kConnection);
}

// --- ends

TEST(Model, ADeathIsToldAndItsHandlesAreGone) {
  Follow it(LOCAL SET("a", "a@1", "s0") END);
  it.sound({store()});
  expect_wrong(it.take(Crashed{.signal = "SIGSEGV", .stacks = ""}), Wrong::kDeath);
  EXPECT_FALSE(it.take(names({"a"}))) << "nobody was asked";
  EXPECT_FALSE(Follow(it).disk(holds({{"a", "a@0"}})));
  EXPECT_FALSE(Follow(it).disk(holds({{"a", "a@1"}})));
  expect_wrong(Follow(it).disk(holds({})), Wrong::kLost);
}

// A refusal, or another value, keeps no process from answering: no symptom of it.
TEST(Model, AHangIsFirstOfItsPlaceWhateverWasWrongBefore) {
  Follow it(LOCAL GET("a", "s0") GET("a", "s0") END);
  it.sound({store()});
  const auto before = it.take(bytes("nobody's"));
  ASSERT_TRUE(before);
  EXPECT_TRUE(before->first);
  const auto hang = it.take(TimedOut{.stacks = ""});
  ASSERT_TRUE(hang);
  EXPECT_EQ(hang->wrong, Wrong::kHang);
  EXPECT_TRUE(hang->first);
}

// --- the disk

TEST(Model, TheDiskHoldsWhatWasPublishedAndNoMore) {
  Follow it(LOCAL SET("b", "b@1", "s0") END);
  it.sound({store(), none()});
  EXPECT_FALSE(Follow(it).disk(holds({{"a", "a@0"}, {"b", "b@1"}})));
  expect_wrong(Follow(it).disk(holds({{"b", "b@1"}})), Wrong::kLost);
  expect_wrong(Follow(it).disk(holds({{"a", "x"}, {"b", "b@1"}})), Wrong::kLost);
  expect_wrong(Follow(it).disk(holds({{"a", "a@0"}, {"b", "b@1"}, {"c", "c"}})), Wrong::kMade);
  expect_wrong(Follow(it).disk(kMissing), Wrong::kLost);
}

TEST(Model, AReadingHandleMakesNothing) {
  Follow it(ZIP("r") END, "");
  it.sound({refusal("FileNotFoundError")});
  expect_wrong(it.disk(holds({})), Wrong::kMade);
}

// --- crash states

TEST(Model, ACrashLeavesTheTouchedKeyOldOrNewAndTheOthersAlone) {
  Follow it(LOCAL SET("b", "b@1", "s0") SET("b", "b@2", "s0") END);
  it.sound({store(), none(), none()});
  EXPECT_TRUE(it.crash(holds({{"a", "a@0"}, {"b", "b@1"}})).empty());
  EXPECT_TRUE(it.crash(holds({{"a", "a@0"}, {"b", "b@2"}})).empty());
  EXPECT_EQ(it.crash(holds({{"a", "a@0"}, {"b", ""}})).size(), 1U);
  EXPECT_EQ(it.crash(holds({{"a", "a@0"}})).size(), 1U);
  EXPECT_EQ(it.crash(holds({{"b", "b@2"}})).size(), 1U);
}

// A key below another one is refused whenever it is asked for, and "/b" may be another name for
// "b": neither is a loss by the crash.
TEST(Model, ACrashIsNotToldOfAKeyThatIsNotThereAndMeansSomethingElse) {
  Follow it(LOCAL SET("b", "b@1", "s0") END);
  it.sound({store(), none()});
  const OnDisk seen = holds({{"a", "a@0"}, {"b", "b@1"}});
  EXPECT_TRUE(it.crash(seen, {{"a/b", refusal("NotADirectoryError")}}).empty());
  EXPECT_TRUE(it.crash(seen, {{"/b", bytes("b@1")}}).empty());
  EXPECT_EQ(it.crash(seen, {{"c", bytes("b@1")}}).size(), 1U);
  EXPECT_EQ(it.crash(seen, {{"a", refusal("OSError")}}).size(), 1U);
}

TEST(Model, AppendingTearsNothingAndTruncatingMay) {
  Follow appends(ZIP("a") SET("b", "b@1", "s0") CLOSE("s0") END);
  appends.sound({store(), none(), none()});
  ASSERT_EQ(appends.crash(kUnreadable).size(), 1U);
  EXPECT_EQ(appends.crash(kUnreadable).front().wrong, Wrong::kUnreadable);
  EXPECT_TRUE(appends.crash(holds({{"a", "a@0"}})).empty());
  Follow truncates(ZIP("w") SET("b", "b@1", "s0") CLOSE("s0") END);
  truncates.sound({store(), none(), none()});
  EXPECT_TRUE(truncates.crash(kUnreadable).empty());
}

TEST(Model, WhetherAClaimWasTakenIsNotKnownAfterASecondCloseEither) {
  Follow it(ZIP("w") R"({"make":"zip","at":"z","mode":"a","as":"s1"},)" SET("a", "a@2", "s1")
                GET("b", "s0") CLOSE("s0") CLOSE("s1") CLOSE("s0") END,
            "");
  it.sound({store(), store(), none(), refusal("FileNotFoundError"), none(), none(), none()});
  EXPECT_FALSE(it.take(names({"a"})));
}

TEST(Model, WhatListDirMakesOfAKeyThatIsNoPathIsTheStoresAffair) {
  Follow it(R"({"make":"memory","as":"s0"},)" SET(
                "a//b", "#0@1", "s0") R"({"call":"list dir","key":"a","on":"s0"},)",
            "");
  it.sound({store(), none()});
  EXPECT_EQ(it.allowed().reason, Reason::kOddKeyWritten);
  EXPECT_FALSE(it.take(names({""})));
}

TEST(Model, ANodeIsAFolderThatNoKeyCanReplace) {
  Follow it(R"({"make":"local","at":"z","as":"s0"},
               {"call":"create group","key":"g","on":"s0","as":"s1"},
               {"call":"set","key":"g","value":"g@2","on":"s0"},)");
  it.sound({store(), Shown{NewHandle{"Group"}}});
  EXPECT_EQ(it.allowed().reason, Reason::kKeyAndFolder);
  EXPECT_FALSE(it.take(refusal("IsADirectoryError")));
}

TEST(Model, WhatIsWrittenBelowAnOddPathLiesAnywhere) {
  Follow it(ZIP("a") R"({"call":"store path","key":"/b","on":"s0","as":"s1"},)" SET(
      "c", "c@2", "s1") CLOSE("s0") END);
  it.sound({store(), store(), none(), none()});
  EXPECT_FALSE(it.disk(holds({{"a", "a@0"}, {"b/c", "c@2"}})));
}

TEST(Model, ANodeThatIsSentOpensItsStore) {
  Follow it(ZIP("a") R"({"carry":"pickle 5","cargo":"group","from":"s0","to":"p0","as":"s1"},
                        {"carry":"deepcopy","from":"s0","to":"p0","as":"s2"},
                        {"call":"state","on":["s0","s2"]},)");
  it.sound({store(), store(), store()});
  EXPECT_NE(it.signature(0), it.signature(1)) << "of the one that was opened, and the other";
}

TEST(Model, AnArchiveThatIsClosedUnopenedWasNeverOpen) {
  Follow it(ZIP("a") SET(
      "b", "b@1", "s0") R"({"carry":"pickle 5","from":"s0","to":"p0","as":"s1"},)" CLOSE("s0")
                CLOSE("s1") R"({"call":"state","on":["s0","s1"]},)");
  it.sound({store(), none(), store(), none(), none()});
  EXPECT_NE(it.signature(0), it.signature(1)) << "of the one that was open, and the other";
}

TEST(Model, WhetherACallThatWasRefusedOpenedAnArchiveNobodyKnows) {
  Follow it(ZIP("a") SET(
      "b", "b@1", "s0") R"({"carry":"pickle 5","from":"s0","to":"p0","as":"s1"},)" GET("a", "s1")
                CLOSE("s0") R"({"call":"state","on":["s0","s1"]},)");
  it.sound({store(), none(), store(), refusal("BadZipFile"), none()});
  EXPECT_NE(it.signature(0), it.signature(1)) << "of the one that is closed, and the other";
}

TEST(Model, WhatARefusedCallLeftInTheStateOfAnArchiveNobodyKnows) {
  Follow it(ZIP("a") SET("b", "b@1", "s0") CLOSE("s0") R"({"call":"state","on":"s0"},)");
  expect_wrong(it.sound({store(), none()}).take(refusal("OSError")), Wrong::kRefused);
  EXPECT_EQ(it.signature(0), "");
  Follow due(R"({"make":"zip","at":"z","mode":"r","as":"s0"},)" SET(
      "b", "b@1", "s0") R"({"call":"state","on":"s0"},)");
  due.sound({store(), refusal("ValueError")});
  EXPECT_NE(due.signature(0), "") << "it was refused before anything was done";
}

TEST(Model, WhoWasOnlyRefusedAWriteIsNotLikeWhoWasUsed) {
  const auto alike = [](const std::string& call) {
    Follow it(R"({"make":"zip","at":"z","mode":"r","as":"s0"},{"make":"zip","at":"z","mode":"r",
        "as":"s1"},)" +
              call + R"(,)" SET("b", "b@3", "s1") CLOSE("s0") CLOSE("s1") +
              R"({"call":"state","on":["s0","s1"]},)");
    it.sound({store(), store(),
              call.find("get") != call.npos ? bytes("a@0") : refusal("ValueError"),
              refusal("ValueError"), none(), none()});
    return it.signature(0) == it.signature(1);
  };
  EXPECT_FALSE(alike(R"({"call":"get","key":"a","on":"s0"})")) << "s1 never opened the archive";
  EXPECT_TRUE(alike(R"({"call":"set","key":"b","on":"s0","value":"b@2"})"));
}

TEST(Model, TwoArchivesAreAlikeOnlyWhereTheyWereGivenTheSameCompression) {
  Follow it(R"({"make":"zip","at":"z","mode":"r","deflated":true,"as":"s0"},
               {"make":"zip","at":"z","mode":"r","as":"s1"},
               {"carry":"pickle 5","from":"s0","to":"p0","as":"s2"},
               {"call":"state","on":["s0","s1","s2"]},)");
  it.sound({store(), store(), store()});
  EXPECT_NE(it.signature(0), it.signature(1));
  EXPECT_EQ(it.signature(0), it.signature(2)) << "a copy has what its sender was given";
}

TEST(Model, TheAttributesOfACacheAreThoseOfItsCopyUntilOneWasUsed) {
  constexpr std::string_view made = R"({"make":"cache over local","at":"z","as":"s0"},)";
  constexpr std::string_view carried = R"({"carry":"pickle 5","from":"s0","to":"p0","as":"s1"},)";
  constexpr std::string_view state = R"({"call":"state","on":["s0","s1"]},)";
  Follow unused(std::string(made) + std::string(carried) + std::string(state));
  unused.sound({store(), store()});
  EXPECT_NE(unused.signature(0), "");
  EXPECT_EQ(unused.signature(0), unused.signature(1));
  Follow used(std::string(made) + GET("a", "s0") + std::string(carried) + std::string(state));
  used.sound({store(), bytes("a@0"), store()});
  EXPECT_EQ(used.signature(0), "");
  EXPECT_EQ(used.signature(1), "") << "a copy may have what the other one was used for";
}

TEST(Model, WhatMayBeMovedStaysAndIsNotOpened) {
  Follow it(
      R"({"make":"zip","at":"z","mode":"w","as":"s0"},{"call":"move read only","on":"s0"},)" CLOSE(
          "s0") END,
      "");
  it.sound({store(), none(), none()});
  EXPECT_FALSE(it.disk(kMissing)) << "nobody has made the archive";
}

TEST(Model, WhoWroteANodeIntoAnArchiveSeesMoreThanWhoReads) {
  Follow it(ZIP("a") R"({"make":"zip","at":"z","mode":"r","as":"s1"},)" GET("a", "s1")
                GET("a", "s0")
                    R"({"call":"create group","key":"a","on":"s0","as":"s2"},
                   {"call":"list","on":["s0","s1"]},)");
  it.sound({store(), store(), bytes("a@0"), bytes("a@0"), Shown{NewHandle{"Group"}}});
  EXPECT_NE(it.signature(0), it.signature(1));
}

TEST(Model, WhoBeginsAnArchiveByReadingHoldsLessThanWhoWrites) {
  Follow it(ZIP("a") SET("b", "b@1", "s0") R"({"carry":"pickle 5","from":"s0","to":"p0","as":"s1"},
                        {"call":"get","key":"a","on":["s0","s1"]},
                        {"call":"state","on":["s0","s1"]},)",
            "");
  it.sound({store(), none(), store()});
  EXPECT_FALSE(it.take({none(), none()}));
  EXPECT_NE(it.signature(0), it.signature(1));
}

// --- arguments that contradict each other

TEST(Model, AModeThatReadsIsReadWhateverTheFlagSays) {
  constexpr const char* make = R"({"make":"zip","at":"z","mode":"r","read_only":false,"as":"s0"},)";
  const auto asked = [&](const std::string& step) {
    Follow it(make + step + END);
    EXPECT_FALSE(Follow(it).take(refusal("ValueError"))) << "its constructor";
    it.sound({store()});
    return it;
  };
  for (const char* step : {GET("a", "s0"), CARRY("p0"), CLOSE("s0")})
    expect_wrong(asked(step).take(refusal("ValueError")), Wrong::kRefused);
  expect_wrong(asked(SET("a", "a@1", "s0")).take(none()), Wrong::kDone);
  EXPECT_FALSE(asked(SET("a", "a@1", "s0")).take(refusal("ValueError")));
  EXPECT_FALSE(asked(R"({"call":"read only","on":"s0"},)").take(Shown{true}));
}

// clear() closes the archive before it removes it: who has the file open sees what was written
// then.
TEST(Model, AStoreThatWasGivenAFileHasItAlsoAfterAClear) {
  const auto cleared = [](const std::string& kind) {
    Follow it(ZIP("w") SET("a", "a@1", "s0") R"({"make":")" + kind +
              R"(","at":"z","mode":"r","as":"s1"},{"call":"clear","on":"s0"},)" GET("a", "s1") END);
    it.sound({store(), none(), store(), none()});
    return it.take(bytes("a@1"));
  };
  EXPECT_FALSE(cleared("zip file"));
  EXPECT_TRUE(cleared("zip"));
}

TEST(Model, WhoMayNotWriteAndHasNothingToClearMakesNothing) {
  Follow it(ZIP("r") R"({"call":"clear","on":"s0"},)" END, "");
  it.sound({store(), none()});
  expect_wrong(it.disk(holds({})), Wrong::kMade);
}

// --- archives that are wrong on purpose

#define TWISTED(name)                                                                  \
  R"("before":{"z":{"entries":[{"key":"a","value":"a@0"},{"key":"b","value":"b@0"}],)" \
  R"("twists":[{"name":")" name R"("}]}},)"

TEST(Model, OfATwistedArchiveItKnowsThatValuesStandInIt) {
  Follow it(ZIP("r") GET("a", "s0") GET("a", "s0") GET("b", "s0") END, TWISTED("wrong crc"));
  it.sound({store()});
  EXPECT_FALSE(it.allowed().opinion);
  EXPECT_EQ(it.allowed().reason, Reason::kTwisted);
  EXPECT_FALSE(Follow(it).take(refusal("AttributeError")));
  EXPECT_FALSE(Follow(it).take(bytes("b@0"))) << "another reader's view";
  expect_wrong(Follow(it).take(bytes("c@0")), Wrong::kOtherValue);
}

TEST(Model, ReadingChangesNothingOfATwistedArchive) {
  Follow reads(ZIP("r") GET("a", "s0") END, TWISTED("wrong crc"));
  reads.begin(holds({{"a", "a@0"}}));
  reads.sound({store(), refusal("BadZipFile")});
  EXPECT_FALSE(reads.disk(holds({{"a", "a@0"}})));
  expect_wrong(Follow(reads).disk(holds({})), Wrong::kLost);
  Follow writes(ZIP("a") SET("c", "c@1", "s0") END, TWISTED("wrong crc"));
  writes.begin(holds({{"a", "a@0"}}));
  writes.sound({store(), none()});
  EXPECT_FALSE(writes.disk(holds({{"a", "a@0"}, {"c", "c@1"}})));
}

// It is emptied also where the store takes no file object, as in zarr 3.0.1.
TEST(Model, ATwistedArchiveIsEmptiedByWhoOpensItsFile) {
  Follow it(R"({"make":"zip file","at":"z","mode":"w","as":"s0"},)" END, TWISTED("wrong crc"));
  it.begin(holds({{"a", "a@0"}}));
  it.sound({refusal("AssertionError")});
  EXPECT_FALSE(it.disk(holds({})));
}

TEST(Model, ARareFormIsAnArchiveLikeAnyOther) {
  Follow it(ZIP("r") GET("a", "s0") END, TWISTED("zip64 records"));
  it.sound({store()});
  EXPECT_TRUE(it.allowed().exact);
  expect_wrong(it.take(none()), Wrong::kAbsent);
}

TEST(Model, ACacheMayShowWhatASumOfSizesRead) {
  Follow it(LOCAL R"({"make":"cache over local","at":"z","as":"s1"},)"
                  R"({"call":"getsize prefix","key":"","on":"s1"},)" SET("a", "a@8", "s0")
                      GET("a", "s1") END);
  it.sound({store(), store(), Shown{std::int64_t{3}}, none()});
  EXPECT_FALSE(Follow(it).take(bytes("a@0")));
  EXPECT_FALSE(it.take(bytes("a@8")));
}

// --- what no store may do, whatever else is open

TEST(Model, WhoMayNotWriteMayNotClearBesideAGroupEither) {
  Follow it(LOCAL R"({"call":"create group","key":"g","on":"s0","as":"g0"},)"
                  R"({"make":"local","at":"z","read_only":true,"as":"s1"},)"
                  R"({"call":"clear","on":"s1"},)" END);
  it.sound({store(), store(), store()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kDue);
  expect_wrong(it.take(none()), Wrong::kDone);
}

TEST(Model, ADeleteTakesAFolderOnlyWhereThatIsDocumented) {
  for (const auto& [kind, may] : {std::pair{"fsspec local", false}, {"local", true}}) {
    Follow it(std::string(R"({"make":")") + kind + R"(","at":"z","as":"s0"},)" +
                  R"({"call":"delete","key":"d","on":"s0"},)" GET("d/a", "s0") END,
              R"("before":{"z":{"entries":[{"key":"d/a","value":"a@0"}]}},)");
    it.sound({store(), none()});
    EXPECT_EQ(!Follow(it).take(none()), may) << kind;
    EXPECT_FALSE(it.take(bytes("a@0"))) << kind;
  }
}

TEST(Model, AFolderIsNoKey) {
  for (const char* call : {"exists", "get", "getsize"}) {
    Follow it(std::string(LOCAL) + R"({"call":")" + call + R"(","key":"d","on":"s0"})",
              R"("before":{"z":{"entries":[{"key":"d/a","value":"a@0"}]}},)");
    it.sound({store()});
    EXPECT_TRUE(it.allowed().opinion) << call;
  }
  Follow it(LOCAL SET("d", "d@1", "s0") GET("d", "s0") END,
            R"("before":{"z":{"entries":[{"key":"d/a","value":"a@0"}]}},)");
  it.sound({store(), none()});
  EXPECT_FALSE(it.allowed().opinion) << "it was set where the folder is";
}

TEST(Model, ASuffixLongerThanTheValueIsTheValue) {
  Follow it(LOCAL R"({"call":"get suffix","key":"a","start":5,"on":"s0"})");
  it.sound({store()});
  EXPECT_TRUE(it.allowed().exact);
  EXPECT_EQ(it.allowed().answers, std::vector{bytes("a@0")});
}

TEST(Model, ADeleteOfNothingIsAskedOfEveryStore) {
  Follow it(ZIP("a") R"({"call":"delete","key":"x","on":"s0"},)" END);
  it.sound({store()});
  expect_wrong(Follow(it).take(refusal("NotImplementedError")), Wrong::kRefused);
  EXPECT_FALSE(it.take(none()));
}

TEST(Model, WhatHasItsMethodInSyncIsNotRefused) {
  Follow it(LOCAL R"({"call":"get sync","key":"a","on":"s0"},)" END);
  it.sound({store()});
  expect_wrong(Follow(it).take(refusal("KeyError")), Wrong::kRefused);
  EXPECT_FALSE(it.take(Answer{Absent{}})) << "a store may have none";
  Follow around(LOCAL R"({"make":"wrapper","around":"s0","as":"s1"},)"
                      R"({"call":"get sync","key":"a","on":"s1"},)" END);
  around.sound({store(), store()});
  EXPECT_FALSE(around.take(refusal("TypeError")));
}

TEST(Model, AWithSwallowsNoException) {
  Follow it(LOCAL R"({"call":"with","on":"s0"},)" END);
  it.sound({store()});
  expect_wrong(Follow(it).take(Answer{Shown{true}}), Wrong::kOtherValue);
  EXPECT_FALSE(it.take(none()));
}

TEST(Model, TwoPlacesAreNotEqual) {
  Follow it(LOCAL R"({"make":"local","at":"y","as":"s1"},)"
                  R"({"call":"equal","other":"s1","on":"s0"},)" END);
  it.sound({store(), store()});
  expect_wrong(Follow(it).take(Answer{Shown{true}}), Wrong::kNotEqual);
  EXPECT_FALSE(it.take(Answer{Shown{false}}));
}

TEST(Model, ACopyEqualsWhatItWasCopiedFromAsLongAsBothHoldTheSame) {
  Follow it(R"({"make":"memory","at":"z","as":"s0"},)" SET("b", "b@1", "s0")
                CARRY("p0") R"({"call":"equal","other":"s1","on":"s0"},)" SET(
                    "b", "b@2", "s1") R"({"call":"equal","other":"s1","on":"s0"},)" END,
            "");
  it.sound({store(), none(), store()});
  expect_wrong(Follow(it).take(Answer{Shown{false}}), Wrong::kNotEqual);
  it.sound({Shown{true}, none()});
  EXPECT_FALSE(it.allowed().opinion);
}

TEST(Model, APlaceStaysWhenItsLastKeyGoes) {
  Follow it(LOCAL R"({"call":"delete","key":"a","on":"s0"},)" END);
  it.begin(holds({{"a", "a@0"}}));
  it.sound({store(), none()});
  Follow gone(it);
  expect_wrong(gone.disk(kMissing), Wrong::kLost);
  EXPECT_FALSE(it.disk(holds({})));
}

TEST(Model, AnArchiveThatIsOpenedAgainIsReadAgain) {
  Follow it(ZIP("r") GET("a", "s0") R"({"make":"zip","at":"z","mode":"a","as":"s1"},)" SET(
      "b", "b@1", "s1") CLOSE("s1") CLOSE("s0") GET("b", "s0") END);
  it.sound({store(), bytes("a@0"), store(), none(), none()});
  EXPECT_FALSE(it.disk(holds({{"a", "a@0"}, {"b", "b@1"}})));
  it.sound({none()});
  expect_wrong(Follow(it).take(none()), Wrong::kAbsent);
  EXPECT_FALSE(it.take(bytes("b@1")));
}

// --- other releases

constexpr std::string_view kOther = R"("processes":{"p1":{"began":"spawn","subject":"3.0.8"}},)";
constexpr std::string_view kOtherBefore =
    R"("before":{"z":{"entries":[{"key":"a","value":"a@0"}]}},)"
    R"("processes":{"p1":{"began":"spawn","subject":"3.0.8"}},)";
#define IN_P1(kind, as) R"({"make":")" kind R"(","at":"z","mode":"a","in":"p1","as":")" as R"("},)"

TEST(Model, WhatAnotherReleaseDoesIsItsOwnAffair) {
  Follow it(R"({"make":"local","at":"z","in":"p1","as":"s0"},)" GET("a", "s0")
                SET("b", "b@2", "s0") R"({"make":"local","at":"z","as":"s2"},)" GET("a", "s2")
                    GET("b", "s2") END,
            kOtherBefore);
  it.sound({store()});
  EXPECT_EQ(it.allowed().reason, Reason::kOtherRelease);
  EXPECT_FALSE(it.allowed().opinion);
  EXPECT_FALSE(it.take(refusal("AttributeError")));
  it.sound({none()});
  // It lost what lay there: the model follows.
  EXPECT_FALSE(it.disk(holds({{"b", "b@2"}})));
  it.sound({store()});
  EXPECT_TRUE(it.allowed().exact);
  it.sound({none(), bytes("b@2")});
  EXPECT_TRUE(it.disk(holds({{"a", "a@0"}})).has_value()) << "who has it here may lose nothing";
}

TEST(Model, AnArchiveThatBothWriteIsReadInAnyWay) {
  Follow it(ZIP("a") IN_P1("zip", "s1") SET("b", "b@2", "s1") SET("c", "c@3", "s0") CLOSE("s1")
                CLOSE("s0") R"({"make":"zip","at":"z","mode":"r","as":"s2"},)" GET("c", "s2") END,
            kOtherBefore);
  it.sound({store(), store(), none(), none()});
  EXPECT_FALSE(it.disk(holds({{"a", "a@0"}})));
  it.sound({none(), none()});
  EXPECT_FALSE(it.disk(holds({})));
  it.sound({store()});
  EXPECT_FALSE(it.take(bytes("c@3")));
}

TEST(Model, AnArchiveThatAnotherReleaseSpoiledIsReadInAnyWay) {
  Follow it(IN_P1("zip", "s0") SET("b", "b@1", "s0")
                CLOSE("s0") R"({"make":"zip","at":"z","mode":"r","as":"s2"},)" GET("a", "s2") END,
            kOtherBefore);
  it.sound({store(), none(), none()});
  Follow spoiled(it);
  EXPECT_FALSE(spoiled.disk(holds({{"b", "b@1"}})));
  spoiled.sound({store()});
  EXPECT_FALSE(spoiled.allowed().opinion);
  EXPECT_FALSE(it.disk(holds({{"a", "a@0"}, {"b", "b@1"}})));
  it.sound({store()});
  EXPECT_TRUE(it.allowed().exact) << "what it wrote well is known";
}

TEST(Model, ACarryBetweenReleasesKeepsTheContentOrIsRefused) {
  constexpr const char* program =
      IN_P1("zip", "s0") SET("b", "b@1", "s0") CLOSE("s0") CARRY("p0") GET("b", "s1") END;
  Follow it(program, kOther);
  it.sound({store(), none(), none()});
  EXPECT_FALSE(it.disk(holds({{"b", "b@1"}})));
  expect_wrong(Follow(it).take(refusal("AttributeError")), Wrong::kUnfittingType);
  EXPECT_FALSE(Follow(it).take(refusal("ValueError")));
  it.sound({store()});
  EXPECT_EQ(it.allowed().reason, Reason::kOtherRelease);
  EXPECT_FALSE(Follow(it).take(refusal("ValueError")));
  expect_wrong(Follow(it).take(refusal("AttributeError")), Wrong::kUnfittingType);
  expect_wrong(Follow(it).take(none()), Wrong::kAbsent);
  EXPECT_FALSE(it.take(bytes("b@1")));
}

TEST(Model, AnotherReleaseThatReceivesShowsTheContentOrRefusesAsItLikes) {
  Follow it(ZIP("r") CARRY("p1") GET("a", "s1") END, kOtherBefore);
  it.sound({store(), store()});
  EXPECT_FALSE(Follow(it).take(refusal("AttributeError")));
  EXPECT_FALSE(Follow(it).take(bytes("a@0")));
  expect_wrong(it.take(none()), Wrong::kAbsent);
}

// --- for the generator

TEST(Model, FactsSayWhatIsAtStake) {
  Follow it(ZIP("w") SET("b", "b@1", "s0") CLOSE("s0") END, "");
  it.sound({store()});
  EXPECT_TRUE(it.facts().front().claim);
  it.sound({none()});
  EXPECT_TRUE(it.facts().front().pending);
  EXPECT_EQ(it.facts().front().keys, std::vector<std::string>{"b"});
  it.sound({none()});
  EXPECT_FALSE(it.facts().front().pending);
}

}  // namespace
}  // namespace storefuzz::program
