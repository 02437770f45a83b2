// A campaign: prove that we can see, fuzz, reduce, confirm, date, draw the page.
//
//     Result<CampaignEnd> end = run_campaign(options);
//     return static_cast<int>(end->code);
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/campaign/measure.h"
#include "harness/campaign/releases.h"
#include "harness/campaign/run_directory.h"
#include "harness/campaign/subject.h"
#include "harness/campaign/supervise.h"
#include "harness/play/settings.h"
#include "harness/process/cores.h"

namespace storefuzz {

// How an option of `storefuzz run` is typed. A hidden one is for tests and measurements.
struct Typed {
  const char* name;
  const char* help;
  bool hidden = false;
  bool shows_default = false;
  int least = 0, most = 0;  // of a number
};

inline constexpr int kMostJobs = 64;

struct CampaignOptions {
  std::vector<std::string> targets{"program"};
  Wanted subject;
  std::string adapter;  // a stranger's file with a STORE; empty: none
  std::string time = "60s", total, corpus, known = "shipped", against, out;
  int jobs = static_cast<int>(std::min<std::size_t>(busy_cores(), kMostJobs));
  unsigned seed = 0;
  bool replace = false, no_releases = false, security = false;
  MeasureOptions measure;
  Settings settings;                               // of the fuzz processes
  std::string command;                             // as typed, for run.json
  std::function<void(std::string_view)> progress;  // one line that replaces the one before
  std::function<void(std::string_view)> say;       // one line that stays
};

// Every option that a user types, with the member that takes its value. A new one is a member and a
// line here, and its use.
template <class Visit>
void each_option(CampaignOptions& options, Visit visit) {
  visit(Typed{.name = "--time", .help = "Fuzzing time: 60s, 5m, 1h", .shows_default = true},
        options.time);
  visit(Typed{.name = "--total",
              .help = "Bound of the whole run: fuzzing, and what follows it (default: twice "
                      "--time, at least "
                      "60 s to follow what was found)"},
        options.total);
  visit(Typed{.name = "--jobs",
              .help = "Fuzz processes side by side, of each target (default: one a processor)",
              .least = 1,
              .most = kMostJobs},
        options.jobs);
  visit(Typed{.name = "--seed", .help = "Seed; 0 draws one", .shows_default = true}, options.seed);
  visit(Typed{.name = "--corpus",
              .help = "Folder of cases to start from and add to (default: corpus/TARGET/ of the "
                      "repository, which is only read; nothing where stores are chosen)"},
        options.corpus);
  visit(
      Typed{.name = "--known",
            .help = "What is known, and never red: shipped (the pages of reports/defects/), none, "
                    "a file, or a run directory",
            .shows_default = true},
      options.known);
  visit(Typed{.name = "--against",
              .help = "A release, a checkout or a wheel: what it shows as well is old"},
        options.against);
  visit(Typed{.name = "--out", .help = "The run directory (default: runs/<time>-zarr-…)"},
        options.out);
  visit(Typed{.name = "--replace", .help = "Delete the earlier run in --out"}, options.replace);
  visit(Typed{.name = "--no-releases", .help = "Do not play each finding over all releases"},
        options.no_releases);
  visit(
      Typed{.name = "--security",
            .help = "Put causes that are marked security into issue.md and findings.sarif as well"},
      options.security);
  visit(Typed{.name = "--until",
              .help = "Stop when findings with these words were seen",
              .hidden = true},
        options.measure.until);
  visit(Typed{.name = "--until-new",
              .help = "Stop at the first finding that is not there without the planted loss",
              .hidden = true},
        options.measure.until_new);
  visit(Typed{.name = "--keys",
              .help = "Only say what was found, when, and after how many executions",
              .hidden = true},
        options.measure.keys);
}

// "90", "60s", "5m", "1h" → seconds. bad_input: it is no time.
Result<double> seconds_of(const std::string& text);

struct CampaignEnd {
  ExitCode code = ExitCode::kNothingNew;
  std::filesystem::path page;
};

// Errors before cases are played leave no run directory behind. kMachine also where the run is no
// all-clear: it could not see, it lost too many of its cases or findings, or it failed on its way;
// what it found is told first.
Result<CampaignEnd> run_campaign(const CampaignOptions& options);

}  // namespace storefuzz
