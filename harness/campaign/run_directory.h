// The run directory: what a run leaves behind, and how nothing half-written ever lies there.
//
//   run.json, findings.jsonl, unconfirmed.jsonl, index.html, summary.md,
//   findings/<fingerprint>/{case.json, repro.py, observations.json, archive.zip, README.md}
//
// From the moment that fuzzing begins the directory holds what was seen so far, because a run may
// be killed at any time: run.json is written anew every few seconds, and says by `"ended": null`
// that the run has not ended by itself; seen.jsonl is a journal of the findings as the loop saw
// them, a line as soon as a fingerprint is new. findings.jsonl and unconfirmed.jsonl grow while
// findings are followed. A run that ends by itself has followed each of them, and removes
// seen.jsonl.
//
//     Result<RunDirectory> run = RunDirectory::make("runs/today");
//     run->write("run.json", text);
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/process/process.h"

namespace storefuzz {

// A lock on a folder, for as long as the descriptor lives; none where another process has it.
Descriptor lock_folder(const std::filesystem::path& folder);

class RunDirectory {
 public:
  // Whether make() is going to succeed, as far as can be told without touching anything.
  static Result<void> check(const std::filesystem::path& folder, bool replace = false);

  // Makes the folder, or takes an empty one, or with `replace` one of an earlier run, whose files
  // stay until clear(). bad_input: not writable, another run is writing to it, or it holds
  // something else. Machine: its disk is full.
  static Result<RunDirectory> make(const std::filesystem::path& folder, bool replace = false);

  RunDirectory(RunDirectory&&) = default;
  RunDirectory& operator=(RunDirectory&&) = delete;
  // Removes the folders that make() made, if nothing was ever written into them.
  ~RunDirectory();

  const std::filesystem::path& path() const { return path_; }

  // Removes what an earlier run left here.
  void clear() const;

  // Writes beside, then renames. `name` is a path below the run directory. Errors: those of
  // cannot_write (harness/base/files.h).
  Result<void> write(const std::filesystem::path& name, std::string_view bytes) const;

  // Draws the pages; `security`: as below.
  Result<void> render(bool security = false) const;

 private:
  RunDirectory(std::filesystem::path path, std::vector<std::filesystem::path> made)
      : path_(std::move(path)), made_(std::move(made)) {}
  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_;  // the folder and its parents, outermost first
  Descriptor lock_;                          // of the folder; a second run is turned away
};

// Draws the pages of a run directory, by reports/render.py. bad_input: what lies there is no run.
// machine_failure: `stop` said true meanwhile. `security`: what is marked so is also told where it
// is to be published.
Result<void> render(const std::filesystem::path& run, bool security,
                    const std::function<bool()>& stop = {});

// Draws the page of a state of nights (state.h), by reports/nights.py. Errors: as above.
Result<void> draw_nights(const std::filesystem::path& state,
                         const std::function<bool()>& stop = {});

}  // namespace storefuzz
