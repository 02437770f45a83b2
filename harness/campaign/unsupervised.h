// What a target does with a difference when no supervisor listens: it was started by hand, or by a
// fuzzing service. A service files whatever ends a target, so only what a run would call new and
// confirmed may end it: the finding is reduced to its cause in fresh workers, the cause is looked
// up among the known ones, and its script must show it.
//
//     auto unsupervised = Unsupervised::start(settings, release);
//     if (auto fresh = (*unsupervised)->look_at(found); fresh && *fresh) tell_and_abort(**fresh);
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/campaign/dossier.h"
#include "harness/findings/known.h"

namespace storefuzz {

class Unsupervised {
 public:
  // `release`: that of the subject. bad_input: the list of known causes cannot be read.
  static Result<std::unique_ptr<Unsupervised>> start(const Settings& settings,
                                                     const std::string& release);

  // The dossier of a new cause; nothing where it is known, does not show again in a fresh process
  // or in the script, or was not reduced in time. Findings of one key look alike: of these the
  // first, the tenth, the hundredth, … are looked at, so that what is known costs little.
  Result<std::optional<Dossier>> look_at(const Finding& found);

 private:
  Unsupervised(Settings settings, DossierOptions options)
      : settings_(std::move(settings)), options_(std::move(options)) {}

  Settings settings_;
  DossierOptions options_;
  std::optional<Sides> sides_;                 // started when they are first needed
  std::map<std::string, std::uint64_t> seen_;  // key of a finding → how often
};

// The line by which services tell findings apart. ClusterFuzz compares 80 characters of it, and
// takes two for the same that differ in a word, unless "FuzzerHash=" is in them.
std::string assertion_line(const std::string& cause);

}  // namespace storefuzz
