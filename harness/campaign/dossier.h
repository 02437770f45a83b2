// The dossier of one finding: reduced, confirmed by its script, and ready for findings.jsonl.
//
// Workers of the loop have played other programs before, and what those left in a process (a thread
// that a module started, say) may be half of what a finding needs. Its script begins with nothing,
// and so does each worker here (ProgramSession::use_workers_once). Where the script of the
// reduced program does not show the finding, that of the program as the loop saw it is asked.
//
// To bear a worker for each program that is tried takes most of the time, and most findings are
// known. So a finding is reduced in workers that are used again and again first: if the cause of
// that is known, and its smallest program shows it in fresh workers too, that is all.
//
//     Result<Dossier> dossier = reduce_finding(session, raw.finding, options);
//     if (dossier->reduced) confirm_dossier(session, *dossier, options);
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/campaign/run_directory.h"
#include "harness/findings/cause.h"
#include "harness/findings/finding.h"
#include "harness/findings/known.h"
#include "harness/play/against.h"
#include "harness/play/program_session.h"

namespace storefuzz {

struct DossierOptions {
  std::string python, release;  // the subject's
  bool published = true;        // that release can be installed by its number
  Json packages;                // name → version, of what is installed beside the subject
  std::filesystem::path scratch;
  std::string planted;          // such a finding must be gone where nothing is planted
  double hang_seconds = 5;      // deadline of a hang in repro.py: five times the campaign's
  Milliseconds budget{60'000};  // for confirming; for reducing three quarters of it
  std::function<bool()> stop;
  std::vector<Known> known = {};
};

struct Dossier {
  Finding finding;  // as the loop saw it
  program::Case value;
  program::Difference difference;
  program::Observation seen;
  program::Cause cause;
  std::string script;  // repro.py
  bool reduced = false, confirmed = false;
  bool whole = true;     // false: there was no time to reduce it to its end
  bool followed = true;  // false: there was no time to look at it at all
  std::string why;       // when not confirmed: one sentence
  std::string said;      // when not confirmed: what repro.py printed

  std::string fingerprint() const;  // safe as the name of a file
};

// Never fails because the subject is odd: what does not happen again comes back not reduced, and
// says so. `against`: what its base shows as well is not what happens; or null.
Result<Dossier> reduce_finding(ProgramSession& session, const Finding& found,
                               const DossierOptions& options, Against* against = nullptr);

// Writes the script of a reduced finding and runs it.
Result<void> confirm_dossier(ProgramSession& session, Dossier& dossier,
                             const DossierOptions& options);

// One that nobody followed, and why.
Dossier not_followed(const Finding& found, std::string why);

// findings/<fingerprint>/ but for README.md, which the pages' side writes.
Result<void> write_dossier(const RunDirectory& run, const Dossier& dossier);

// A line of findings.jsonl or unconfirmed.jsonl (reports/finding.schema.json); the campaign adds
// what only it knows.
Json to_json(const Dossier& dossier, const std::string& release);

}  // namespace storefuzz
