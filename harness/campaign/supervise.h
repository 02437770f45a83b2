// Fuzzing, supervised: one fuzz process per job, watched from outside, never lost.
//
// A fuzz process that dies, or plays one program for too long, is replaced; both are faults of
// ours, since the subject is in its workers. What the processes find arrives as lines and is kept
// once a key.
//
//     Result<Fuzzed> fuzzed = fuzz(options);
//     for (const auto& [key, raw] : fuzzed->raw) …
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "harness/campaign/subject_lines.h"
#include "harness/findings/finding.h"
#include "harness/play/settings.h"

namespace storefuzz {

struct Fuzzed;

// A run that lost a greater share of its cases or of its findings, by a fault that is not the
// subject's, has not looked at enough to call the subject sound.
inline constexpr double kMostLost = 0.02;

inline constexpr std::size_t kMostOthers = 5;  // programs of a finding, besides the smallest

// A finding as the loop saw it: not yet reduced, not yet confirmed.
struct RawFinding {
  Finding finding;  // with the smallest program that showed it
  // Some others that showed it, those that were asked otherwise first. Where it needs a process
  // that has been used before, one of them may have in it what the smallest one has not.
  std::vector<Finding> others = {};
  std::set<std::string> asked = {};  // the ways in which these were asked
  std::uint64_t count = 0;
  std::uint64_t executions = 0;  // of the run, until the finding was first seen
  double seconds = 0;
};

struct FuzzOptions {
  std::vector<std::string> targets;  // fuzz targets of this build, side by side
  Settings settings;                 // of each fuzz process; what it does not say is filled in
  std::filesystem::path scratch;
  std::filesystem::path corpus;  // read before, added to afterwards; empty: none
  bool seeds = false;  // where there is no corpus, corpus/TARGET/ of the repository is read
  double seconds = 60;
  std::vector<std::string> until;  // stop once each of these was seen (first_seen)
  std::function<bool(const Finding&, double seconds)> enough;  // asked of each program: stop?
  int jobs = 1;                                                // processes for each target
  unsigned seed = 1;
  std::function<void(std::string_view)> progress;
  // What keeps findings and counters where a kill does not reach them. An Error ends the fuzzing.
  std::function<Result<void>(const Fuzzed&)> so_far;     // when fuzzing begins, then every 5 s
  std::function<Result<void>(const RawFinding&)> found;  // once of each key, when it is new
};

struct Fuzzed {
  std::map<std::string, RawFinding> raw;  // by key
  std::map<std::string, int> quirks;
  std::map<std::string, std::uint64_t> carried;  // "pickle 5 / spawn" → carries that arrived
  std::map<std::string, double> phases;          // where the time went: seconds of all jobs
  std::uint64_t executions = 0;
  double seconds = 0;
  Numbers reached;                // lines of the subject's store code, of all jobs
  std::size_t lines_watched = 0;  // how many there are
  int restarts = 0;
  std::string release, python, containment;
  std::map<std::string, std::pair<std::uint64_t, double>> targets;  // cases, cases a second
  std::size_t corpus_skipped = 0;     // of the corpus: no files, too large, too many, unreadable
  std::vector<std::string> faults;    // cases that storefuzz itself could not play, and why
  std::map<std::string, int> deaths;  // fuzz processes that no case ended: "SIGKILL" → how many
  std::optional<Error> failure;       // what ended the fuzzing early, other than the user
  Json skipped;                       // stores that this subject has not: word → why
};

// When a finding with these words in its key or headline was first seen, in seconds of fuzzing; or
// never.
std::optional<double> first_seen(const Fuzzed& fuzzed, std::string_view what);

// How many cases were lost by a fault that is not the subject's: not played, or in a process that
// died.
std::uint64_t lost_cases(const Fuzzed& fuzzed);

// Fuzzes until the time is over, or the user or `options` say so. An Error: no case was begun. What
// fails later ends the fuzzing as `failure`, and what was found is there.
Result<Fuzzed> fuzz(const FuzzOptions& options);

}  // namespace storefuzz
