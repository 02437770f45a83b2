// Where a fuzz process spends its time: one phase at every moment, and a clock that counts each.
//
// The numbers add up: no moment counts twice. What a child did while its parent waited is known
// from its reply only; it is then taken out of the phase that is on.
//
//     PhaseClock clock(board.data().phase_nanoseconds);
//     clock.enter(Phase::kVisit);
//     clock.give(Phase::kMarks, 150'000);  // nanoseconds since enter() that were spent on marks
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace storefuzz {

enum class Phase {
  kMutation,      // bytes → case, and the next case
  kFolder,        // the case's folder, and what lies in it before
  kBuild,         // the parent's store and its operations
  kPack,          // the store into its carrier
  kMeanwhile,     // what the parent does while its store is under way
  kVisit,         // out of the carrier, sent on, closed, files still open: on any side
  kLooksState,    // the looks of all sides, by family
  kLooksReads,
  kLooksRanges,
  kLooksListing,
  kLooksArray,
  kLooksWrites,
  kLooksAgain,
  kMarks,    // which files lie in the folder
  kReaders,  // libzip and libarchive
  kJudging,
  kWaiting,  // a child that tells nothing of it: its start or fork, the way there and back
  kHangs,    // a child that passed its deadline
  kEngine,   // libFuzzer, and telling what was found
};
inline constexpr std::size_t kPhases = static_cast<std::size_t>(Phase::kEngine) + 1;

using PhaseTimes = std::array<std::atomic<std::uint64_t>, kPhases>;  // nanoseconds, by Phase

// "looks: reads": in run.json, on the page, and in a reply of side.py.
std::string_view name_of(Phase phase);
std::optional<Phase> phase_named(std::string_view name);

class PhaseClock {
 public:
  explicit PhaseClock(PhaseTimes& times) : times_(times) {}

  // From here on it is `phase`.
  void enter(Phase phase);

  // Since enter() it was another phase, as is known now.
  void was(Phase phase) { phase_ = phase; }

  // So many of the nanoseconds since enter() belong to another phase.
  void give(Phase phase, std::uint64_t nanoseconds);

 private:
  using Clock = std::chrono::steady_clock;

  PhaseTimes& times_;
  std::optional<Phase> phase_;  // none before the first enter()
  Clock::time_point since_;
  std::uint64_t given_ = 0;  // nanoseconds since since_ that are counted elsewhere
};

}  // namespace storefuzz
