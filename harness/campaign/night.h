// A night: what is recorded is played, every target is fuzzed for its share of the time, and what
// came of it is held against the nights before.
//
//     auto end = run_night({.state = "state", .campaign = options});
//     return static_cast<int>(end->code);
#pragma once

#include <filesystem>
#include <string>

#include "harness/campaign/campaign.h"

namespace storefuzz {

struct NightOptions {
  std::filesystem::path state;
  // As for a run; `out` and `corpus` are the state's. No target: all but the canary.
  CampaignOptions campaign;
};

// Exit codes: 1 something is new, or was mended and shows again; 3 (or 2) the night failed or
// proved blind, and nothing is new; else 0. A night that found something new and failed as well
// ends with 1: what is new is recorded, and no later night would tell of it. An Error: no night has
// begun.
Result<ExitCode> run_night(const NightOptions& options);

}  // namespace storefuzz
