// A campaign: prove that we can see, fuzz, shrink, confirm, date, draw the page.
//
//     Result<CampaignEnd> end = run_campaign(options);
//     return static_cast<int>(end->code);
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/fuzzing.h"
#include "harness/releases.h"
#include "harness/run_directory.h"
#include "harness/shrink.h"
#include "harness/subject.h"

namespace storefuzz {

inline constexpr Milliseconds kFindingBudget{60'000};  // for shrinking and confirming one finding

struct CampaignOptions {
  std::vector<std::string> targets{"store_journey"};
  Wanted subject;
  std::filesystem::path adapter;  // a stranger's file with a STORE; empty: none
  double seconds = 60;            // of fuzzing
  int jobs = 1;
  unsigned seed = 0;  // 0: drawn, and shown
  std::string stores = "all", carriers;
  std::filesystem::path corpus, known, out;
  bool date = true;     // play each finding over all releases
  std::string planted;  // a planted loss that must be found; its findings are no findings
  std::string oracles_off;
  std::vector<std::string> until;      // measure: stop at these fingerprints, follow none
  std::filesystem::path until_new;     // measure: stop at the first fingerprint not in this file
  bool fingerprints = false;           // measure: say what was found, follow nothing
  std::string command;                 // as it was typed, for run.json
  std::function<int()> interruptions;  // how often Ctrl-C was pressed
  std::function<void(std::string_view)> progress;  // one line that replaces the one before
  std::function<void(std::string_view)> say;       // one line that stays
};

struct CampaignEnd {
  ExitCode code = ExitCode::kNothingNew;
  std::filesystem::path page;
};

Result<CampaignEnd> run_campaign(const CampaignOptions& options);

}  // namespace storefuzz
