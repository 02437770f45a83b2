// Where a fuzz process spends its time: one phase at every moment, and a clock that counts each, so
// that the numbers add up.
//
//     PhaseClock clock(board.data().phase_nanoseconds);
//     clock.enter(Phase::kJudging);
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace storefuzz {

enum class Phase {
  kMutation,  // bytes → program, and the next program
  kPlaying,   // workers perform it
  kTwins,     // the same program over another kind of store
  kReaders,   // independent readers of archives
  kJudging,   // the model and the oracles
  kEngine,    // libFuzzer, and telling what was found
};
inline constexpr std::size_t kPhases = static_cast<std::size_t>(Phase::kEngine) + 1;

using PhaseTimes = std::array<std::atomic<std::uint64_t>, kPhases>;  // nanoseconds, by Phase

std::string_view name_of(Phase phase);  // "judging": in run.json and on the page

class PhaseClock {
 public:
  explicit PhaseClock(PhaseTimes& times) : times_(times) {}

  // From here on it is `phase`.
  void enter(Phase phase);

 private:
  using Clock = std::chrono::steady_clock;

  PhaseTimes& times_;
  std::optional<Phase> phase_;  // none before the first enter()
  Clock::time_point since_;
};

}  // namespace storefuzz
