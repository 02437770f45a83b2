// The clock of phases: every moment is counted once, whatever a child says of its time.
#include "harness/journey/phases.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <string>

namespace storefuzz {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t counted(const PhaseTimes& times) {
  return std::accumulate(times.begin(), times.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& it) { return sum + it.load(); });
}

std::uint64_t at(const PhaseTimes& times, Phase phase) {
  return times[static_cast<std::size_t>(phase)];
}

void pass_some_time() {
  for (const auto begin = Clock::now(); Clock::now() - begin < std::chrono::microseconds(100);) {
  }
}

TEST(PhaseClock, CountsEveryMomentOnceAndInThePhaseThatIsOn) {
  PhaseTimes times{};
  PhaseClock clock(times);
  const auto begin = Clock::now();
  clock.enter(Phase::kBuild);
  pass_some_time();
  clock.enter(Phase::kPack);
  clock.enter(Phase::kEngine);
  const auto passed = std::chrono::nanoseconds(Clock::now() - begin).count();
  EXPECT_GE(at(times, Phase::kBuild), 100'000U);
  EXPECT_EQ(at(times, Phase::kEngine), 0U) << "it is still on";
  EXPECT_LE(counted(times), static_cast<std::uint64_t>(passed));
}

TEST(PhaseClock, TakesWhatIsGivenToAnotherPhaseOutOfTheOneThatIsOn) {
  PhaseTimes times{};
  PhaseClock clock(times);
  const auto begin = Clock::now();
  clock.enter(Phase::kWaiting);
  pass_some_time();
  clock.give(Phase::kLooksReads, 60'000);
  clock.give(Phase::kMarks, 3'600'000'000'000);  // more than ever passed
  clock.enter(Phase::kEngine);
  const auto passed = std::chrono::nanoseconds(Clock::now() - begin).count();
  EXPECT_EQ(at(times, Phase::kLooksReads), 60'000U);
  EXPECT_GE(at(times, Phase::kMarks), 40'000U);
  EXPECT_LE(counted(times), static_cast<std::uint64_t>(passed));
}

TEST(PhaseClock, NamesAHangWhenItIsKnownToBeOne) {
  PhaseTimes times{};
  PhaseClock clock(times);
  clock.enter(Phase::kWaiting);
  pass_some_time();
  clock.was(Phase::kHangs);
  clock.enter(Phase::kEngine);
  EXPECT_EQ(at(times, Phase::kWaiting), 0U);
  EXPECT_GE(at(times, Phase::kHangs), 100'000U);
}

TEST(Phases, HaveNamesOfTheirOwnByWhichTheyAreFound) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kPhases; ++i) {
    const auto phase = static_cast<Phase>(i);
    EXPECT_TRUE(names.insert(name_of(phase)).second) << name_of(phase);
    EXPECT_EQ(phase_named(name_of(phase)), phase);
  }
  EXPECT_EQ(phase_named("looks: tea leaves"), std::nullopt);
}

}  // namespace
}  // namespace storefuzz
