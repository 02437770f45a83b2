// Each reduction is a possible case that is strictly smaller, so that shrinking comes to an end.
#include "harness/campaign/shrink.h"

#include <gtest/gtest.h>

#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

std::uint64_t size_of(const Entry& entry) {
  return entry.key.size() + entry.value.size() + entry.repeat;
}

// What every reduction makes smaller: the sum of all choices, plainest first, and all sizes.
std::uint64_t size_of(const Case& value) {
  const Constructor& made = value.constructor;
  std::uint64_t size =
      static_cast<std::uint64_t>(value.transport) + static_cast<std::uint64_t>(value.carrier) +
      static_cast<std::uint64_t>(value.parent) +
      // An array that comes back is looked at as well.
      16 * static_cast<std::uint64_t>(value.comes_back) +
      static_cast<std::uint64_t>(value.lifecycle) + static_cast<std::uint64_t>(made.mode) +
      static_cast<std::uint64_t>(made.compression);
  size += static_cast<std::uint64_t>(value.cargo) + static_cast<std::uint64_t>(value.pool) +
          static_cast<std::uint64_t>(value.meanwhile) +
          static_cast<std::uint64_t>(value.surroundings) + value.twice + value.twin;
  size += value.driver == Driver::kLoop;
  size += made.relative_path;
  size += !made.allow_zip64;
  size += made.read_only ? 1 + *made.read_only : 0;
  for (const LookGroup look : value.looks) size += 1 + static_cast<std::uint64_t>(look);
  for (const Operation& operation : value.operations) size += 1 + size_of(operation.entry);
  if (value.archive) {
    size += 1 + static_cast<std::uint64_t>(value.archive->compression);
    for (const Entry& entry : value.archive->entries) size += 1 + size_of(entry);
    for (const Twist& twist : value.archive->twists)
      size += 1 + (twist.entry > 0) + (twist.amount > 0);
  }
  return size;
}

Case any_case(unsigned seed) {
  Case value = seed % 2 == 0 ? test::random_case(seed) : test::wild_case(seed);
  normalise(value);
  return value;
}

TEST(Reductions, EachIsPossibleAndStrictlySmaller) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    const Case value = any_case(seed);
    for (const Case& next : reductions(value)) {
      Case again = next;
      normalise(again);
      ASSERT_EQ(again, next) << to_text(next);
      ASSERT_TRUE(within_bounds(next));
      ASSERT_NE(next, value);
      ASSERT_LT(size_of(next), size_of(value)) << to_text(value) << "\n" << to_text(next);
    }
  }
}

TEST(Reductions, ARandomDescentEndsWithinABound) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    Case value = any_case(seed);
    int steps = 0;
    for (std::vector<Case> next = reductions(value); !next.empty(); next = reductions(value)) {
      value = next[random() % next.size()];
      ASSERT_LT(++steps, 200);
    }
  }
}

// Where everything shows the finding, only this is left.
TEST(Reductions, TheEndOfEveryDescentIsThePlainestCase) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    Case value = any_case(seed);
    for (std::vector<Case> next = reductions(value); !next.empty(); next = reductions(value))
      value = next.front();
    Case plainest{.store = value.store};
    normalise(plainest);
    ASSERT_EQ(value, plainest) << to_text(value);
  }
}

TEST(Reductions, ThereIsOneForEveryOperationAndEveryEntry) {
  Case value = test::plain_case();
  value.lifecycle = Lifecycle::kOpen;
  value.operations = {
      {.what = What::kSet, .entry = {"k", "v"}}, {.what = What::kList}, {.what = What::kClose}};
  const auto lacks = [&](auto smaller) { return std::ranges::any_of(reductions(value), smaller); };
  for (std::size_t i = 0; i < value.operations.size(); ++i)
    EXPECT_TRUE(lacks([&](const Case& reduction) {
      std::vector<Operation> rest = value.operations;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
      return reduction.operations == rest;
    })) << i;
  for (std::size_t i = 0; i < value.archive->entries.size(); ++i)
    EXPECT_TRUE(lacks([&](const Case& reduction) {
      std::vector<Entry> rest = value.archive->entries;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
      return reduction.archive && reduction.archive->entries == rest;
    })) << i;
}

TEST(Reductions, ThereIsOneForEverythingAroundTheJourney) {
  Case value = test::plain_case();
  value.transport = Transport::kSpawn;
  value.lifecycle = Lifecycle::kUsedAfterClose;
  value.twice = value.twin = true;
  value.cargo = Cargo::kGroup;
  value.meanwhile = Meanwhile::kHoldsZarrsLock;
  value.surroundings = Surroundings::kOtherConfig;
  value.comes_back = ComesBack::kGrandchild;
  normalise(value);
  const std::vector<Case> smaller = reductions(value);
  const auto expect_one = [&](const char* what, auto change) {
    Case wanted = value;
    change(wanted);
    EXPECT_NE(wanted, value) << what;
    EXPECT_NE(std::ranges::find(smaller, wanted), smaller.end()) << what;
  };
  expect_one("twice", [](Case& it) { it.twice = false; });
  expect_one("twin", [](Case& it) { it.twin = false; });
  for (const Cargo cargo : {Cargo::kStore, Cargo::kList, Cargo::kArray})
    expect_one("cargo", [&](Case& it) { it.cargo = cargo; });
  for (const Meanwhile meanwhile : {Meanwhile::kIdle, Meanwhile::kHoldsItsLock})
    expect_one("meanwhile", [&](Case& it) { it.meanwhile = meanwhile; });
  expect_one("surroundings", [](Case& it) { it.surroundings = Surroundings::kSame; });
  for (const ComesBack back : {ComesBack::kNothing, ComesBack::kStore})
    expect_one("comes_back", [&](Case& it) { it.comes_back = back; });
  for (const Lifecycle lifecycle : {Lifecycle::kNew, Lifecycle::kOpen, Lifecycle::kReopened})
    expect_one("lifecycle", [&](Case& it) { it.lifecycle = lifecycle; });
  value.pool = Pool::kMultiprocessingPool;
  normalise(value);
  const std::vector<Case> all = reductions(value);
  EXPECT_TRUE(std::ranges::any_of(all, [](const Case& it) { return it.pool == Pool::kNone; }));
}

// A fingerprint names the store: another one would be another finding.
TEST(Reductions, KeepTheStore) {
  for (const StoreKind kind : test::every_store())
    for (const Case& next : reductions(test::random_case(7, {kind})))
      ASSERT_EQ(next.store->kind.substr(0, 3), kind->kind.substr(0, 3));
}

TEST(Reductions, APlainerJourneyComesFirst) {
  Case value = test::plain_case();
  value.transport = Transport::kFork;
  ASSERT_FALSE(reductions(value).empty());
  EXPECT_EQ(reductions(value).front().transport, Transport::kSameProcess);
}

}  // namespace
}  // namespace storefuzz
