// Fuzzing, supervised: one fuzz process per job, watched from outside, never lost.
//
// A fuzz process past its deadline gives its Python stacks and is killed; one that dies is
// replaced; both are recorded. What the processes find arrives as lines and is kept once per
// fingerprint.
//
//     Result<Fuzzed> fuzzed = fuzz(options);
//     for (const auto& [fingerprint, raw] : fuzzed->raw) …
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "harness/findings/finding.h"
#include "harness/play/settings.h"

namespace storefuzz {

// A finding as the loop saw it: not yet shrunk, not yet confirmed.
struct RawFinding {
  Finding finding;
  Case value;  // the smallest case that showed it
  std::uint64_t count = 0;
  std::uint64_t executions = 0;  // of its job, until it was first seen
  double seconds = 0;
  std::map<std::pair<std::string, std::string>, double> seen_on;  // carrier, transport → seconds
};

struct FuzzOptions {
  std::vector<std::string> targets;  // fuzz targets of this build, side by side
  Settings settings;                 // of each fuzz process; what it does not say is filled in
  std::filesystem::path scratch;
  std::filesystem::path corpus;  // read before, added to afterwards; empty: none
  double seconds = 60;
  std::vector<std::string> until;                 // stop once each of these was seen (first_seen)
  std::function<bool(const RawFinding&)> enough;  // asked once of each finding: stop?
  int jobs = 1;                                   // processes for each target
  unsigned seed = 1;
  std::function<void(std::string_view)> progress;
};

struct Fuzzed {
  std::map<std::string, RawFinding> raw;  // by fingerprint
  std::map<std::string, int> quirks;
  std::map<std::string, std::pair<std::uint64_t, double>> transports;  // cases, seconds
  std::uint64_t executions = 0;
  std::uint64_t arrived = 0;
  double seconds = 0;
  std::size_t lines_covered = 0, lines_watched = 0;
  int restarts = 0;
  std::string release, python, containment;
  std::map<std::string, std::pair<std::uint64_t, double>> targets;  // cases, cases a second
  std::vector<std::string> faults;  // cases that storefuzz itself could not play, and why
  Json readers;                     // who else was asked about archives: name → version
  Json skipped;                     // stores that this subject has not: word → why
};

// When "fingerprint" or "fingerprint@transport" was first seen, in seconds of fuzzing; or never.
std::optional<double> first_seen(const Fuzzed& fuzzed, std::string_view what);

Result<Fuzzed> fuzz(const FuzzOptions& options);

}  // namespace storefuzz
