// The names of the phases, and the clock.
#include "harness/journey/phases.h"

#include <algorithm>

namespace storefuzz {
namespace {

constexpr std::array<std::string_view, kPhases> kNames{
    "mutation",     "folder",       "build",          "pack",         "meanwhile",
    "visit",        "looks: state", "looks: reads",   "looks: ranges", "looks: listing",
    "looks: array", "looks: writes", "looks: again",  "marks",        "readers",
    "judging",      "waiting",      "hangs",          "engine"};

}  // namespace

std::string_view name_of(Phase phase) { return kNames[static_cast<std::size_t>(phase)]; }

std::optional<Phase> phase_named(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Phase>(found - kNames.begin());
}

void PhaseClock::enter(Phase phase) {
  const Clock::time_point now = Clock::now();
  if (phase_) {
    const auto passed = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(now - since_).count());
    times_[static_cast<std::size_t>(*phase_)] += passed - std::min(passed, given_);
  }
  phase_ = phase;
  since_ = now;
  given_ = 0;
}

void PhaseClock::give(Phase phase, std::uint64_t nanoseconds) {
  const auto passed = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - since_).count());
  nanoseconds = std::min(nanoseconds, passed - std::min(passed, given_));
  given_ += nanoseconds;
  times_[static_cast<std::size_t>(phase)] += nanoseconds;
}

}  // namespace storefuzz
