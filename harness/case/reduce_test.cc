// Reductions lead down, and what stays is needed.
#include "harness/case/reduce.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "harness/generate/generate.h"
#include "harness/testing/shared.h"

namespace storefuzz::program {
namespace {

using test::random_bytes;

Case parsed(const std::string& text) {
  auto value = parse_case(text);
  EXPECT_TRUE(value) << value.error().message;
  return value.value_or(Case{});
}

bool calls(const Case& value, Op op) {
  return std::ranges::any_of(value.steps, [&](const Step& step) {
    const Call* call = std::get_if<Call>(&step);
    return call && call->op == op;
  });
}

TEST(Reductions, FitWeighLessAndAreOfferedOnce) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    const Case value = generate_program(random_bytes(seed, 300), test::kListed);
    std::set<std::string> offered;
    for (const Case& smaller : reductions(value)) {
      ASSERT_LT(weight(smaller), weight(value)) << to_text(value) << "\n" << to_text(smaller);
      ASSERT_EQ(parse_case(to_text(smaller)).value_or(Case{}), smaller) << to_text(smaller);
      ASSERT_TRUE(offered.insert(to_text(smaller)).second) << to_text(smaller);
    }
  }
}

TEST(Reduce, LeavesAMakeAndTheCallThatIsAskedFor) {
  int reduced = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    const Case value = generate_program(random_bytes(seed, 300), test::kListed);
    if (!calls(value, Op::kList)) continue;
    const Reduced small = reduce(value, [](const Case& it) { return calls(it, Op::kList); });
    EXPECT_EQ(small.value.steps.size(), 2U) << to_text(small.value);
    EXPECT_TRUE(small.value.processes.empty() && small.value.before.empty())
        << to_text(small.value);
    ++reduced;
  }
  EXPECT_GT(reduced, 20);
}

TEST(Reduce, MakesAllStoresPlainerAtOnce) {
  const Case value = parsed(R"({"format": 2, "program": [
      {"make": "zip", "at": "z", "mode": "w", "read_only": true, "as": "s0"},
      {"make": "zip", "at": "z", "mode": "w", "read_only": true, "as": "s1"},
      {"call": "equal", "on": "s0", "other": "s1"}]})");
  const auto equal = [](const Case& it) {
    const Make* one = it.steps.size() == 3 ? std::get_if<Make>(&it.steps[0]) : nullptr;
    const Make* other = one ? std::get_if<Make>(&it.steps[1]) : nullptr;
    return other && one->read_only == other->read_only && one->mode == other->mode;
  };
  const Make made = std::get<Make>(reduce(value, equal).value.steps[0]);
  EXPECT_FALSE(made.read_only);
  EXPECT_EQ(made.mode, all_of<Mode>().front());
}

// Who appends leaves the archive as it is; who begins it anew may do what is wrong by that alone.
TEST(Reduce, ComesToAStoreThatAppendsBeforeOneThatBeginsAnew) {
  for (const char* mode : {"a", "w", "x"}) {
    const Case value = parsed(R"({"format": 2, "program": [
        {"make": "zip", "at": "z", "mode": ")" +
                              std::string(mode) + R"(", "as": "s0"}]})");
    const Reduced small = reduce(value, [](const Case& it) {
      const Make* make = it.steps.empty() ? nullptr : std::get_if<Make>(&it.steps[0]);
      return make && make->mode != Mode::kRead;
    });
    EXPECT_EQ(std::get<Make>(small.value.steps[0]).mode, Mode::kAppend) << mode;
  }
}

TEST(Reduce, PutsOneStoreInTheSteadOfTwoThatAreMadeAlike) {
  const auto stores_left = [](const std::string& second) {
    const Case value = parsed(R"({"format": 2, "program": [
        {"make": "local", "at": "f", "as": "s0"}, {"make": "local", "at": "f", )" +
                              second + R"("as": "s1"},
        {"call": "set", "on": "s0", "key": "a", "value": "a@2"},
        {"call": "clear", "on": "s1"}]})");
    const Reduced small = reduce(value, [&](const Case& it) {
      const Make* last = nullptr;
      for (const Step& step : it.steps)
        if (const Make* make = std::get_if<Make>(&step)) last = make;
      return calls(it, Op::kSet) && calls(it, Op::kClear) && last &&
             last->read_only == std::get<Make>(value.steps[1]).read_only;
    });
    return std::ranges::count_if(small.value.steps,
                                 [](const Step& it) { return std::holds_alternative<Make>(it); });
  };
  EXPECT_EQ(stores_left(""), 1);
}

TEST(Reduce, FindsAPlainKeyForAnOddOneBesideTwoPlainOnes) {
  const Case value = parsed(R"({"format": 2, "program": [{"make": "zip", "at": "z", "as": "s0"},
      {"call": "set", "on": "s0", "key": "a", "value": "a@1"},
      {"call": "set", "on": "s0", "key": "b", "value": "b@2"},
      {"call": "set", "on": "s0", "key": "a\\b", "value": "#0@3"}]})");
  const Reduced small = reduce(value, [](const Case& it) { return keys_of(it).size() == 3; });
  EXPECT_EQ(keys_of(small.value), (std::set<std::string>{"a", "b", "c"}));
}

TEST(Reduce, FindsAKeyThatBeginsAlikeForOneInAFolder) {
  const auto begin_alike = [](const Case& it) {
    const std::set<std::string> keys = keys_of(it);
    return keys.contains("a") &&
           std::ranges::any_of(keys, [](const auto& key) { return key > "a" && key[0] == 'a'; });
  };
  const auto below = parse_case(R"({"format": 2, "before": {"f": {"entries": [
      {"key": "a/b/c", "value": "a/b/c@0"}]}}, "program": [
      {"make": "local", "at": "f", "as": "s0"}, {"call": "exists", "on": "s0", "key": "a"}]})");
  EXPECT_EQ(keys_of(reduce(below.value(), begin_alike).value), (std::set<std::string>{"a", "ab"}))
      << "no folder is needed";
}

TEST(Reduce, TakesTheJourneyOutWhereItIsNotNeeded) {
  const Case value = parsed(R"({"format": 2, "processes": {"p1": "spawn"}, "program": [
    {"make": "logging over local", "at": "f", "as": "s0"},
    {"carry": "pickle 0", "from": "s0", "to": "p1", "as": "s1"},
    {"call": "set", "on": "s1", "key": "c/c/0", "value": {"word": "c/c/0@2", "size": 9000}},
    {"call": "get", "on": "s1", "key": "c/c/0", "by": "sync"}]})");
  const auto keeps = [](const Case& it) { return calls(it, Op::kGet) && calls(it, Op::kSet); };
  EXPECT_EQ(to_text(reduce(value, keeps).value), to_text(parsed(R"({"format": 2, "program": [
              {"make": "local", "at": "f", "as": "s0"},
              {"call": "set", "on": "s0", "key": "a", "value": "a@2"},
              {"call": "get", "on": "s0", "key": "a"}]})")))
      << "a store of another class has defects of its own";
}

TEST(Reduce, ComesToTheClassThatAStoreUsesAndToACallForADeed) {
  const Case value = parsed(R"({"format": 2, "program": [
    {"make": "cache over local", "at": "f", "as": "s0"},
    {"call": "get", "on": "s0", "key": "a"}, {"do": "drop", "handle": "s0"}]})");
  const auto keeps = [](const Case& it) {
    return calls(it, Op::kGet) && it.steps.size() == 3 &&
           std::get<Make>(it.steps[0]).kind->type != "LocalStore";
  };
  EXPECT_EQ(to_text(reduce(value, keeps).value), to_text(parsed(R"({"format": 2, "program": [
              {"make": "memory", "as": "s0"}, {"call": "get", "on": "s0", "key": "a"},
              {"call": "close", "on": "s0"}]})")));
}

TEST(Reduce, KeepsTheJourneyWhereItIsNeeded) {
  const Case value = parsed(R"({"format": 2, "processes": {"p1": "spawn"}, "program": [
    {"make": "zip", "at": "z", "mode": "a", "as": "s0"},
    {"carry": "pickle 2", "from": "s0", "to": "p1", "as": "s1"},
    {"call": "list", "on": ["s0", "s1"]}]})");
  const auto carried = [](const Case& it) {
    return std::ranges::any_of(it.steps, [](const Step& step) {
      const Carry* carry = std::get_if<Carry>(&step);
      return carry && carry->to != kHome;
    });
  };
  const Case small = reduce(value, carried).value;
  EXPECT_EQ(small.steps.size(), 2U) << to_text(small);
  EXPECT_TRUE(carried(small));
}

TEST(Reduce, TakesTwistsAndOtherReleasesOut) {
  const Case value = parsed(R"({"format": 2,
    "processes": {"p1": {"began": "spawn", "subject": "3.0.8"}},
    "before": {"z": {"entries": [{"key": "a", "value": "a@0"}],
                     "twists": [{"name": "wrong crc"}]}}, "program": [
    {"make": "zip", "at": "z", "mode": "r", "in": "p1", "as": "s0"},
    {"call": "list", "on": "s0"}]})");
  const auto seeded = [](const Case& it) {
    return calls(it, Op::kList) && !it.before.empty() && !it.processes.empty();
  };
  const Case small = reduce(value, seeded).value;
  EXPECT_TRUE(small.before.front().twists.empty()) << to_text(small);
  EXPECT_TRUE(small.processes.front().subject.empty()) << to_text(small);
}

TEST(Reduce, StopsWhenItIsTold) {
  const Case value = generate_program(random_bytes(4, 300), test::kListed);
  int left = 3;
  const Reduced small =
      reduce(value, [](const Case&) { return true; }, [&] { return left-- == 0; });
  EXPECT_EQ(small.tried, 3U);
}

}  // namespace
}  // namespace storefuzz::program
