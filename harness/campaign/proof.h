// The proof of a run: a planted loss goes the whole line, from a case to its page.
//
// The loss is that of a store of our own (reference/planted/storefuzz_proof.py), so whether it is
// seen does not depend on what the subject itself loses. It says that workers, oracles, reducing,
// script, confirmation and pages work in the subject's environment.
//
//     Result<Proof> proof = prove({.dossier = how, .oracles_off = "", .run = run_json()});
//     if (!proof) return std::unexpected(proof.error());
#pragma once

#include <string>

#include "harness/campaign/dossier.h"

namespace storefuzz {

struct ProofOptions {
  DossierOptions dossier;   // the subject, and where scripts run
  std::string oracles_off;  // as the run has them
  Json run;                 // a run.json, for the page
};

struct Proof {
  Json told;  // for run.json: {"planted", "found", "seconds"}
  std::string containment;
};

// machine_failure: the loss was not found, so a run would see nothing; or a process does not start.
Result<Proof> prove(const ProofOptions& options);

}  // namespace storefuzz
