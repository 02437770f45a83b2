// Following: from the findings of the loop to causes. Each is reduced, the severest first, on all
// cores; a cause that is new is confirmed by its script, one that is known is counted and linked.
//
//     Following following(options);
//     auto done = following.follow(fuzzed.raw, seconds);
//     for (const Json& line : following.confirmed()) …
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "harness/campaign/dossier.h"
#include "harness/campaign/releases.h"
#include "harness/campaign/run_directory.h"
#include "harness/campaign/supervise.h"
#include "harness/campaign/trouble.h"
#include "harness/findings/known.h"

namespace storefuzz {

struct FollowOptions {
  Settings settings;  // of the processes that play
  DossierOptions dossier;
  bool own_stores = false;            // what a store of zarr shows as well is zarr's, and known
  const RunDirectory* run = nullptr;  // where each finding gets its folder
  std::function<void(std::string_view)> progress;  // one line that replaces the one before
  // Told after each finding, by one thread at a time. An Error ends the following.
  std::function<Result<void>()> grown;
};

// What is found by findings of one cause is told once. Where the script of the first one shows
// nothing, that of the next is tried: a defect does not get lost behind another one's program.
class Following {
 public:
  explicit Following(FollowOptions options) : options_(std::move(options)) {}

  // For at most `seconds`. What is not reached by then is told as unconfirmed, and says so.
  Result<void> follow(std::vector<RawFinding> raw, double seconds);

  // Lines of findings.jsonl and unconfirmed.jsonl, the severest first.
  std::vector<Json> confirmed() const { return lines(true); }
  std::vector<Json> unconfirmed() const { return lines(false); }
  std::vector<Asked> asked() const;  // confirmed and new, no questions: to be dated
  const Followed& followed() const { return followed_; }
  std::size_t not_reached() const { return not_reached_; }
  std::vector<std::string> unshown() const;  // hangs that were seen again and that no script shows
  void date(const std::string& cause, const ReleaseTable& table);

 private:
  // A way to a cause: a program that shows it, and the finding that it is of.
  struct Way {
    Dossier dossier;
    RawFinding raw;
  };
  enum class State { kTried, kUnconfirmed, kConfirmed, kKnown };
  struct Told {
    State state = State::kTried;
    Json line;
    std::optional<Asked> asked;
    std::string hang;       // that no script shows, in a sentence; or empty
    std::size_t tries = 0;  // scripts that showed nothing
    std::uint64_t count = 0;
    std::vector<std::string> keys;
    std::deque<Way> waiting;  // of the same cause, while another one is tried
  };

  struct Outcome {
    bool enough = false;  // the finding has been told
    bool kept = false;    // as a cause, confirmed or not
    bool left = false;    // there was no time to reduce it to its end
    std::string why = {};
  };

  std::size_t follow_one(Sides& sides, const RawFinding& raw);
  Outcome follow_program(Sides& sides, const RawFinding& raw, const Finding& finding);
  bool settle(Sides& sides, Way way);
  std::optional<Known> why_known(Sides& sides, const Dossier& dossier) const;
  void count(Told& told, const RawFinding& raw) const;
  void keep(Told& told, const Dossier& dossier, const RawFinding& raw, const Known* known);
  // False: its key is told already.
  bool keep_unreduced(const RawFinding& raw, const std::string& why, bool followed,
                      const Known* known);
  void leave(const RawFinding& raw, const std::string& why);  // for want of time
  void grown();
  std::vector<Json> lines(bool confirmed) const;

  FollowOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, Told> told_;  // by cause; what was not reduced, by the key of its finding
  Followed followed_;
  std::size_t begun_ = 0, not_reached_ = 0;
  std::function<bool()> over_;   // whether the time for following is
  std::optional<Error> broken_;  // the run directory cannot be written
};

}  // namespace storefuzz
