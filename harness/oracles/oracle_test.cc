// Each oracle has something that it alone tells, and what is told says so by name in a sentence.
#include "harness/oracles/oracle.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "harness/testing/sound_programs.h"

namespace storefuzz::program {
namespace {

Case parsed(const std::string& program) {
  const auto value =
      parse_case(R"({"format":2,"before":{"z":{"entries":[{"key":"a","value":"a@0"}]}},
    "program":[)" +
                 program + "]}");
  if (!value) ADD_FAILURE() << value.error().message;
  return value.value_or(Case{});
}

struct Planted {
  const char* oracle;
  Wrong wrong;
  std::string program;
  std::function<void(Observation&)> loss;
};

Answer& last(Observation& seen) { return seen.steps.back().answers.back(); }

constexpr const char* kLocal = R"({"make":"local","at":"z","as":"s0"},)";
constexpr const char* kReader = R"({"make":"local","at":"z","read_only":true,"as":"s0"},)";

const std::vector<Planted>& all_planted() {
  static const std::string local = kLocal, reader = kReader;
  static const std::vector<Planted> all{
      {"reads", Wrong::kAbsent, local + R"({"call":"get","key":"a","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{None{}}; }},
      {"reads", Wrong::kOtherValue, local + R"({"call":"getsize","key":"a","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{std::int64_t{2}}; }},
      {"listing", Wrong::kTwice, local + R"({"call":"list","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{Names{{"a", "a"}}}; }},
      {"writable", Wrong::kDone, reader + R"({"call":"set","key":"a","value":"a@1","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{None{}}; }},
      {"writable", Wrong::kState, reader + R"({"call":"read only","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{false}; }},
      {"on disk", Wrong::kLost, local + R"({"call":"list","on":"s0"})",
       [](Observation& seen) { seen.steps.back().disk["z"].content.clear(); }},
      {"on disk", Wrong::kUnreadable,
       R"({"make":"zip","at":"z","mode":"a","as":"s0"},
          {"call":"set","key":"b","value":"b@1","on":"s0"},
          {"call":"close","on":"s0","watched":true})",
       [](Observation& seen) {
         seen.steps.back().crash_states.front().disk = {.state = OnDisk::State::kUnreadable};
       }},
      {"refusal", Wrong::kRefused, local + R"({"call":"get","key":"a","on":"s0"})",
       [](Observation& seen) { last(seen) = Refusal{"OSError", "lost", ""}; }},
      {"refusal", Wrong::kUnfittingType,
       reader + R"({"call":"set","key":"a","value":"a@1","on":"s0"})",
       [](Observation& seen) { last(seen) = Refusal{"AttributeError", "_lock", ""}; }},
      {"equality", Wrong::kNotEqual, local + R"({"call":"equal","other":"s0","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{false}; }},
      {"attributes", Wrong::kState,
       local + R"({"carry":"pickle 5","from":"s0","as":"s1"},{"call":"state","on":["s0","s1"]})",
       [](Observation& seen) { last(seen) = Shown{Attributes{}}; }},
      {"deadline", Wrong::kHang, local + R"({"call":"get","key":"a","on":"s0"})",
       [](Observation& seen) { last(seen) = TimedOut{}; }},
      {"survival", Wrong::kDeath, local + R"({"call":"get","key":"a","on":"s0"})",
       [](Observation& seen) { last(seen) = Crashed{.signal = "SIGSEGV", .stacks = ""}; }},
      {"survival", Wrong::kDeath, local + R"({"do":"exit"})",
       [](Observation& seen) { seen.ends["p0"] = "exit 120"; }},
      {"survival", Wrong::kStray, local + R"({"call":"list","on":"s0"})",
       [](Observation& seen) { seen.stray = {"../x"}; }},
      {"survival", Wrong::kStray, local + R"({"call":"list","on":"s0"})",
       [](Observation& seen) { seen.open["p0"] = {"z/a"}; }},
      {"agreement", Wrong::kOtherValue,
       R"({"make":"zip","at":"z","mode":"r","as":"s0"},{"call":"list","on":"s0"},
          {"do":"delete the file","at":"z"},{"call":"get","key":"a","on":"s0"},
          {"call":"get","key":"a","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{None{}}; }},
  };
  return all;
}

TEST(Oracles, EachTellsSomethingThatItAloneTells) {
  std::set<std::string> tell;
  for (const Planted& it : all_planted()) {
    const Case value = parsed(it.program);
    Observation seen = test::sound_observation(value, 0);
    ASSERT_TRUE(judge(value, seen).empty()) << it.program << judge(value, seen)[0].headline;
    it.loss(seen);
    const std::vector<Difference> told = judge(value, seen);
    ASSERT_EQ(told.size(), 1U) << it.oracle << " " << it.program;
    EXPECT_EQ(told.front().oracle, it.oracle) << told.front().headline;
    EXPECT_EQ(name_of(told.front().wrong), name_of(it.wrong)) << told.front().headline;
    EXPECT_TRUE(told.front().first) << told.front().headline;
    EXPECT_EQ(told.front().headline.find('{'), std::string::npos) << told.front().headline;
    tell.insert(it.oracle);
  }
  for (const Oracle& it : oracles()) EXPECT_TRUE(tell.contains(std::string(it.name))) << it.name;
}

// Two handles of one kind on an archive that is wrong read it alike, whatever that is.
TEST(Oracles, HandlesOnATwistedArchiveAgree) {
  const auto value = parse_case(R"({"format":2,"before":{"z":{
      "entries":[{"key":"a","value":"a@0"},{"key":"b","value":"b@0"}],
      "twists":[{"name":"names swapped","entry":0,"amount":0}]}},"program":[
    {"make":"zip","at":"z","mode":"r","as":"s0"},{"make":"zip","at":"z","mode":"r","as":"s1"},
    {"call":"list","on":["s0","s1"]},{"call":"get","key":"a","on":["s0","s1"]}]})");
  ASSERT_TRUE(value.has_value()) << value.error().message;
  Observation seen = test::sound_observation(*value, 0);
  for (Answer& answer : seen.steps.back().answers) answer = Shown{BytesValue{"b@0"}};
  EXPECT_TRUE(judge(*value, seen).empty());
  last(seen) = Shown{BytesValue{"a@0"}};
  ASSERT_EQ(judge(*value, seen).size(), 1U);
  EXPECT_EQ(judge(*value, seen).front().oracle, "agreement");
}

// How a process of another release ends, and what it leaves, is that release's affair.
TEST(Oracles, TellNothingOfHowAnotherReleaseEnds) {
  for (const char* subject : {"", "3.0.8"}) {
    Case value = parsed(std::string(kLocal) + R"({"call":"get","key":"a","on":"s0"})");
    value.processes = {{.name = "p1", .subject = subject}};
    Observation seen = test::sound_observation(value, 0);
    seen.ends["p1"] = "SIGSEGV";
    seen.open["p1"] = {"z/a"};
    seen.stray = {"../x"};
    EXPECT_EQ(judge(value, seen).size(), *subject ? 0U : 3U);
  }
}

TEST(Oracles, SayWhereByName) {
  const Case value = parsed(std::string(kLocal) + R"({"call":"get","key":"a","on":"s0"})");
  Observation seen = test::sound_observation(value, 0);
  last(seen) = Shown{BytesValue{"nobody's"}};
  const Difference told = judge(value, seen).at(0);
  EXPECT_EQ(told.headline,
            "`get` of \"a\" on s0 in p0 shows b\"nobody's\" where b\"a@0\" is right");
  EXPECT_EQ(told.where.place, "z");
  EXPECT_EQ(told.where.step, 1U);
}

TEST(Oracles, TellTheFirstOfEachPlace) {
  const Case value = parsed(std::string(kLocal) + R"({"call":"get","key":"a","on":"s0"},
    {"call":"list","on":"s0"},{"make":"memory","as":"s1"},{"call":"list","on":"s1"})");
  Observation seen = test::sound_observation(value, 0);
  seen.steps[1].answers[0] = Shown{BytesValue{"nobody's"}};
  seen.steps[2].answers[0] = Shown{Names{{"a", "ghost"}}};
  seen.steps[4].answers[0] = Shown{Names{{"ghost"}}};
  std::vector<bool> first;
  for (const Difference& it : judge(value, seen))
    if (it.oracle != "on disk") first.push_back(it.first);
  EXPECT_EQ(first, (std::vector{true, false, true}));
}

}  // namespace
}  // namespace storefuzz::program
