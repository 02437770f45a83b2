// The run directory: what a run leaves behind, and how nothing half-written ever lies there.
//
//   run.json, findings.jsonl, unconfirmed.jsonl, index.html, summary.md,
//   findings/<fingerprint>/{case.json, repro.py, observations.json, archive.zip, README.md}
//
//     Result<RunDirectory> run = RunDirectory::make("runs/today");
//     run->write("run.json", text);
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/case/case.h"
#include "harness/process/process.h"

namespace storefuzz {

class RunDirectory {
 public:
  // Whether make() is going to succeed, as far as can be told without touching anything.
  static Result<void> check(const std::filesystem::path& folder);

  // Makes the folder, or takes an empty one. bad_input: not writable, another run is writing to
  // it, or it holds something else than an earlier run.
  static Result<RunDirectory> make(const std::filesystem::path& folder);

  const std::filesystem::path& path() const { return path_; }

  // Writes beside, then renames. `name` is a path below the run directory.
  Result<void> write(const std::filesystem::path& name, std::string_view bytes) const;

  // Draws the pages.
  Result<void> render() const;

 private:
  RunDirectory(std::filesystem::path path, Descriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  Descriptor lock_;  // of the folder; a second run is turned away
};

// Draws the pages of a run directory, by reports/render.py. bad_input: what lies there is no run.
// machine_failure: `stop` said true meanwhile.
Result<void> render(const std::filesystem::path& run, const std::function<bool()>& stop = {});

}  // namespace storefuzz
