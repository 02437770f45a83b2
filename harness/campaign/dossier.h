// The dossier of one finding: shrunk, confirmed by its script, and ready for findings.jsonl.
//
// A player has played other cases before, and what they left in its process (a thread that a module
// started, say) may be half of what a finding needs. Its script begins with nothing. So where the
// script of the smallest case does not show the finding, the larger ones are asked, up to the case
// that fuzzing saw, and then scripts that first use such a store in their own process; then the
// headline says so.
//
//     Result<Dossier> dossier = make_dossier(player, value, "zip-attributes-_read_only-lost", how);
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "harness/campaign/run_directory.h"
#include "harness/play/player.h"

namespace storefuzz {

struct DossierOptions {
  std::string python, release;  // the subject's
  bool published = true;        // that release can be installed by its number
  Json packages;                // name → version, of what is installed beside the subject
  std::filesystem::path scratch;
  std::string planted;          // such a finding must be gone where nothing is planted
  double hang_seconds = 5;      // deadline of a hang in repro.py: five times the campaign's
  Milliseconds budget{60'000};  // for shrinking and confirming together
  std::function<bool()> stop;
};

struct Dossier {
  std::string fingerprint;  // with what the journey adds, where no plainer one agrees
  Finding finding;
  Case value;
  Json observations;
  std::string script;  // repro.py
  bool confirmed = false;
  std::string why;   // when not confirmed: one sentence
  std::string said;  // when not confirmed: what repro.py printed
  int tried = 0;     // cases played while shrinking
};

// Never fails because the subject is odd: what does not happen again comes back unconfirmed.
Result<Dossier> make_dossier(Player& player, const Case& value, const Finding& found,
                             const DossierOptions& options);

// findings/<fingerprint>/ but for README.md, which the pages' side writes.
Result<void> write_dossier(const RunDirectory& run, const Dossier& dossier);

// A line of findings.jsonl or unconfirmed.jsonl; the campaign adds what only it knows.
Json to_json(const Dossier& dossier, const std::string& release);

}  // namespace storefuzz
