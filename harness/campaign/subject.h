// The subject: which zarr is under test, and the environment it lives in.
//
// Environments are made by reference/environments/environment.py, on first use, and kept.
//
//     Result<Subject> subject = find_subject("3.0.1", "");
//     if (!subject) return std::unexpected(subject.error());
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/case.h"

namespace storefuzz {

// What the user asked for.
struct Wanted {
  std::string zarr;               // a release or a path; empty: the newest release
  std::string venv;               // a user's own environment, whose zarr is the subject; or empty
  std::vector<std::string> with;  // packages beside it: NAME, NAME==VERSION or a path
};

struct Subject {
  std::string python;   // interpreter of its environment
  std::string release;  // "3.0.1"
  Json path;            // of a checkout or wheel; null for a release
  Json packages;        // name → version, of those that stores or carriers need
};

// `quiet` leaves out the lines about what is being installed.
Result<Subject> find_subject(const Wanted& wanted, bool quiet = false);

// The adapters in a stranger's Python file (its `STORE`), found by running it with `python`: the
// user asked for it by name. They are added to the stores of this process, which hands
// them on to those it starts (Settings::adapters).
Result<void> use_adapter(const std::filesystem::path& file, const std::string& python);

// Every release known, oldest first.
Result<std::vector<std::string>> all_releases();

}  // namespace storefuzz
