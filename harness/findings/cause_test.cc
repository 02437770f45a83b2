// Severity by the table, and causes that neither slide nor depend on what does not matter.
#include "harness/findings/cause.h"

#include <gtest/gtest.h>

namespace storefuzz::program {
namespace {

constexpr const char* kProgram = R"({"format": 2, "processes": {"p1": "spawn"}, "program": [
  {"make": "zip", "at": "z", "mode": "a", "as": "s0"},
  {"carry": "pickle 3", "from": "s0", "to": "p1", "as": "s1"},
  {"call": "get range", "on": "s1", "key": "a", "start": 1, "end": 2},
  {"call": "set bytes", "on": "s1", "key": "a", "value": "a@3"}]})";

Difference at(std::size_t step, Wrong wrong, Answer was = Shown{None{}}) {
  Difference it{.wrong = wrong, .was = std::move(was), .first = true, .oracle = "reads"};
  it.where.step = step;
  return it;
}

const Case& value() {
  static const Case parsed = parse_case(kProgram).value();
  return parsed;
}

TEST(Severity, FollowsTheTable) {
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kLost)), 1);
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kAbsent)), 2);
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kStray)), 3);
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kHang)), 4);
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kState)), 5);
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kRefused)), 6);
}

TEST(Severity, OfARefusedCarryIsHigherAndOfMisuseLower) {
  EXPECT_EQ(severity_of(value(), at(1, Wrong::kRefused)), 5);
  EXPECT_EQ(severity_of(value(), at(3, Wrong::kOtherValue)), 6);
  EXPECT_EQ(severity_of(value(), at(3, Wrong::kLost)), 1) << "lost data are lost, whoever asked";
  Difference question = at(2, Wrong::kOtherValue);
  question.question = true;
  EXPECT_EQ(severity_of(value(), question), kMildest);
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kDisagree)), kMildest);
}

TEST(Severity, OfStateThatIsNotToldIsThatOfStateLost) {
  const Case asked = parse_case(R"({"format": 2, "program": [{"make": "memory", "as": "s0"},
                                    {"call": "read only", "on": "s0"}]})")
                         .value();
  EXPECT_EQ(severity_of(asked, at(1, Wrong::kUnfittingType)), 5);
}

TEST(ClassOfDifference, IsThatOfThePlainestOperationAndAnyCarrier) {
  EXPECT_EQ(class_of(value(), at(2, Wrong::kAbsent)), "reads / absent / get / ");
  EXPECT_EQ(class_of(value(), at(1, Wrong::kRefused, Refusal{"TypeError", "", ""})),
            "reads / refused / carry / TypeError");
}

// Each way to be wrong is a root of its own.
TEST(Causes, OfAWrongArchiveNameItsClass) {
  Difference one = at(2, Wrong::kAbsent), other = one;
  one.where.zip_class = "C2";
  other.where.zip_class = "C3";
  EXPECT_NE(cause_of(value(), one).key.find("an archive of class C2"), std::string::npos);
  EXPECT_NE(cause_of(value(), one).key, cause_of(value(), other).key);
  EXPECT_NE(class_of(value(), one), class_of(value(), other));
}

// A reduction gives a path whole where that shows the same.
TEST(Causes, OfARelativePathSaySo) {
  Case relative = value();
  std::get<Make>(relative.steps[0]).relative = true;
  EXPECT_NE(cause_of(relative, at(2, Wrong::kAbsent)).key,
            cause_of(value(), at(2, Wrong::kAbsent)).key);
}

TEST(Causes, NameStoreOperationFrameAndJourney) {
  const Refusal refusal{"OSError", "no", "zarr/storage/_zip.py:get"};
  const Cause cause = cause_of(value(), at(2, Wrong::kRefused, refusal));
  EXPECT_EQ(cause.key,
            "reads / refused / get range on zip / OSError in zarr/storage/_zip.py:get / after "
            "pickle 3 to another process");
  EXPECT_TRUE(cause.journey);
  Case home = value();
  home.steps.erase(home.steps.begin() + 1, home.steps.end());
  home.processes.clear();
  EXPECT_FALSE(cause_of(home, at(0, Wrong::kRefused, refusal)).journey);
}

}  // namespace
}  // namespace storefuzz::program
