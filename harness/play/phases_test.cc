// The clock of phases counts every moment once, in the phase that is on.
#include "harness/play/phases.h"

#include <gtest/gtest.h>

#include <numeric>

namespace storefuzz {
namespace {

using Clock = std::chrono::steady_clock;

TEST(PhaseClock, CountsEveryMomentOnceAndInThePhaseThatIsOn) {
  PhaseTimes times{};
  PhaseClock clock(times);
  const auto begin = Clock::now();
  clock.enter(Phase::kPlaying);
  while (Clock::now() - begin < std::chrono::microseconds(100)) {
  }
  clock.enter(Phase::kJudging);
  clock.enter(Phase::kEngine);
  const auto passed = std::chrono::nanoseconds(Clock::now() - begin).count();
  const auto at = [&](Phase phase) { return times[static_cast<std::size_t>(phase)].load(); };
  EXPECT_GE(at(Phase::kPlaying), 90'000U);
  EXPECT_EQ(at(Phase::kEngine), 0U) << "it is still on";
  std::uint64_t sum = 0;
  for (const auto& it : times) sum += it;
  EXPECT_LE(sum, static_cast<std::uint64_t>(passed));
}

}  // namespace
}  // namespace storefuzz
