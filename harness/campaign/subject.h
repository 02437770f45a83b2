// The subject: which zarr is under test, and the environment it lives in.
//
// Environments are made by reference/environments/environment.py, on first use, and kept.
//
//     Result<Subject> subject = find_subject({.zarr = "3.0.1"});
//     if (!subject) return std::unexpected(subject.error());
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/program.h"
#include "harness/case/words.h"
#include "harness/process/process.h"

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

// `quiet` leaves out the lines about what is being installed. bad_input: no such release, path,
// package or environment, in environment.py's own words. machine_failure: it cannot be made, or
// Ctrl-C came meanwhile.
Result<Subject> find_subject(const Wanted& wanted, bool quiet = false);

// Which other releases a program's processes name.
std::set<std::string> releases_of(const program::Case& value);

// Their interpreters, as Settings::subjects has them.
Result<std::string> interpreters_of(const std::set<std::string>& releases);

// The adapters in a stranger's Python file (its `STORE`), as a JSON list. `python` imports the
// file. bad_input: there is no such file, its import fails, ends the process or does not end before
// the deadline, or there is no STORE in it.
Result<Json> read_adapter(const std::filesystem::path& file, const std::string& python,
                          Milliseconds deadline = Milliseconds(30'000));

// The same, added to the stores of this process, which hands them on to those it starts
// (Settings::adapters). bad_input: what is there is no adapter (see add_adapters).
Result<void> use_adapter(const std::filesystem::path& file, const std::string& python);

// Every release known, oldest first.
Result<std::vector<std::string>> all_releases();

}  // namespace storefuzz
