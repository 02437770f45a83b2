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
  const auto nanoseconds_since = [](Clock::time_point begin) {
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(Clock::now() - begin).count());
  };
  const auto before = Clock::now();
  clock.enter(Phase::kPlaying);
  // Another process may take the core between any two lines: what surely is play lies between the
  // two calls of enter(), and what may be any phase around them.
  const auto begin = Clock::now();
  while (nanoseconds_since(begin) < 100'000) {
  }
  const std::uint64_t surely_played = nanoseconds_since(begin);
  clock.enter(Phase::kJudging);
  clock.enter(Phase::kEngine);
  const std::uint64_t passed = nanoseconds_since(before);
  const auto at = [&](Phase phase) { return times[static_cast<std::size_t>(phase)].load(); };
  EXPECT_GE(at(Phase::kPlaying), surely_played);
  EXPECT_EQ(at(Phase::kEngine), 0U) << "it is still on";
  std::uint64_t sum = 0;
  for (const auto& it : times) sum += it;
  EXPECT_LE(sum, passed);
}

}  // namespace
}  // namespace storefuzz
