// The names of the phases, and the clock.
#include "harness/play/phases.h"

namespace storefuzz {
namespace {

constexpr std::array<std::string_view, kPhases> kNames{"mutation", "playing", "twins",
                                                       "readers",  "judging", "engine"};

}  // namespace

std::string_view name_of(Phase phase) { return kNames[static_cast<std::size_t>(phase)]; }

void PhaseClock::enter(Phase phase) {
  const Clock::time_point now = Clock::now();
  if (phase_)
    times_[static_cast<std::size_t>(*phase_)] += static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(now - since_).count());
  phase_ = phase;
  since_ = now;
}

}  // namespace storefuzz
