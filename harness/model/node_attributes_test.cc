// What the model says of the attributes of arrays and groups.
#include <gtest/gtest.h>

#include "harness/model/follow_program.h"

namespace storefuzz::program {
namespace {

#define CREATE(sort, key, on, as) \
  R"({"call":"create )" sort R"(","key":")" key R"(","on":")" on R"(","as":")" as R"("},)"
#define OPEN(sort, key, on, as) \
  R"({"call":"open )" sort R"(","key":")" key R"(","on":")" on R"(","as":")" as R"("},)"
#define SET_ATTRIBUTE(key, value, on) \
  R"({"call":"set attributes","key":")" key R"(","value":")" value R"(","on":")" on R"("},)"
#define GET_ATTRIBUTES(on) R"({"call":"get attributes","on":")" on R"("},)"

Answer attributes(std::vector<std::pair<std::string, std::string>> values) {
  return Shown{Attributes{std::move(values)}};
}

TEST(NodeAttributes, AreThoseThatWereSet) {
  for (const char* sort : {"array", "group"}) {
    const std::string create =
        std::string(R"({"call":"create )") + sort + R"(","key":"x","on":"s0","as":"x0"},)";
    const std::string open =
        std::string(R"({"call":"open )") + sort + R"(","key":"x","on":"s0","as":"x1"},)";
    Follow it(LOCAL + create + GET_ATTRIBUTES("x0") SET_ATTRIBUTE("k", "1", "x0") + open +
                  GET_ATTRIBUTES("x1") END,
              "");
    it.sound({store(), store()});
    EXPECT_TRUE(it.allowed().exact);
    expect_wrong(Follow(it).take(attributes({{"k", "1"}})), Wrong::kOtherValue);
    it.sound({attributes({}), none(), store()});
    EXPECT_TRUE(it.allowed().exact);
    EXPECT_FALSE(Follow(it).take(attributes({{"k", "1"}})));
    expect_wrong(Follow(it).take(attributes({})), Wrong::kAbsent);
    expect_wrong(Follow(it).take(attributes({{"k", "2"}})), Wrong::kOtherValue);
    expect_wrong(Follow(it).take(attributes({{"k", "1"}, {"l", "1"}})), Wrong::kOtherValue);
    expect_wrong(Follow(it).take(refusal("ValueError")), Wrong::kRefused);
  }
}

// zarr writes all attributes that an object knows with each that is set.
TEST(NodeAttributes, ThatTwoObjectsSetMayTakeEachOthersAway) {
  Follow it(LOCAL CREATE("array", "x", "s0", "x0") OPEN("array", "x", "s0", "x1")
                SET_ATTRIBUTE("k", "1", "x0") SET_ATTRIBUTE("l", "2", "x1")
                    OPEN("array", "x", "s0", "x2") GET_ATTRIBUTES("x2") GET_ATTRIBUTES("x0") END,
            "");
  it.sound({store(), store(), store(), none(), none(), store()});
  EXPECT_FALSE(it.allowed().exact);
  EXPECT_FALSE(Follow(it).take(attributes({{"l", "2"}})));
  EXPECT_FALSE(Follow(it).take(attributes({{"k", "1"}, {"l", "2"}})));
  expect_wrong(Follow(it).take(attributes({{"k", "1"}})), Wrong::kAbsent);
  it.sound({attributes({{"l", "2"}})});
  EXPECT_FALSE(Follow(it).take(attributes({{"k", "1"}}))) << "as it wrote them last";
  expect_wrong(Follow(it).take(attributes({{"k", "2"}})), Wrong::kOtherValue);
}

TEST(NodeAttributes, ThatWereRefusedAreNotThere) {
  Follow it(LOCAL CREATE(
                "array", "x", "s0",
                "x0") R"({"make":"local","at":"z","read_only":true,"as":"s1"},)" OPEN("array", "x",
                                                                                      "s1", "x1")
                SET_ATTRIBUTE("k", "1", "x1") GET_ATTRIBUTES("x1") END,
            "");
  it.sound({store(), store(), store(), store()});
  EXPECT_EQ(it.allowed().refusal, RefusalIs::kDue);
  expect_wrong(Follow(it).take(none()), Wrong::kDone);
  it.sound({refusal("ValueError")});
  expect_wrong(Follow(it).take(attributes({{"k", "1"}})), Wrong::kOtherValue);
  it.sound({attributes({})});
}

TEST(NodeAttributes, TravelWithTheirObject) {
  Follow it(
      LOCAL CREATE("array", "x", "s0", "x0") SET_ATTRIBUTE(
          "k", "1",
          "x0") R"({"carry":"pickle 5","from":"x0","to":"p1","as":"x1"},)" GET_ATTRIBUTES("x1") END,
      R"("processes":{"p1":{"began":"spawn"}},)");
  it.sound({store(), store(), none(), store()});
  EXPECT_TRUE(it.allowed().exact);
  expect_wrong(it.take(attributes({})), Wrong::kAbsent);
}

TEST(NodeAttributes, OfAnArchiveAreThereForWhoOpensItAfterItsClose) {
  Follow it(ZIP("w") CREATE("array", "x", "s0", "x0") SET_ATTRIBUTE("k", "1", "x0")
                CLOSE("s0") R"({"make":"zip","at":"z","mode":"r","as":"s1"},)" OPEN(
                    "array", "x", "s1", "x1") GET_ATTRIBUTES("x1") END,
            "");
  it.sound({store(), store(), none(), none(), store(), store()});
  EXPECT_TRUE(it.allowed().exact);
  expect_wrong(it.take(attributes({})), Wrong::kAbsent);
}

}  // namespace
}  // namespace storefuzz::program
