// The subject: which zarr is under test, and the environment it lives in.
//
// Environments are made by reference/environment.py, on first use, and kept.
//
//     Result<Subject> subject = find_subject("3.0.1", "");
//     if (!subject) return std::unexpected(subject.error());
#pragma once

#include <string>
#include <vector>

#include "harness/case.h"
#include "harness/error.h"

namespace storefuzz {

struct Subject {
  std::string python;   // interpreter of its environment
  std::string release;  // "3.0.1"
  Json path;            // of a checkout or wheel; null for a release
};

// `zarr`: a release or a path; empty: the newest release. `venv`: a user's own environment, whose
// zarr is then the subject; or empty. `quiet` leaves out the lines about what is being installed.
Result<Subject> find_subject(const std::string& zarr, const std::string& venv, bool quiet = false);

// Every release known, oldest first.
Result<std::vector<std::string>> all_releases();

// Where the sources of this build lie: reference/, reports/, corpus/.
std::string source_folder();
std::string tools_python();

}  // namespace storefuzz
