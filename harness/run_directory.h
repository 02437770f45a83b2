// The run directory: what a run leaves behind, and how nothing half-written ever lies there.
//
//   run.json, findings.jsonl, unconfirmed.jsonl, index.html, summary.md,
//   findings/<fingerprint>/{case.json, repro.py, observations.json, archive.zip, README.md}
//
//     Result<RunDirectory> run = RunDirectory::make("runs/today");
//     run->write("run.json", text);
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/case.h"
#include "harness/error.h"
#include "harness/process.h"

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

  // Draws the pages, by reports/render.py.
  Result<void> render() const;

 private:
  RunDirectory(std::filesystem::path path, Descriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  Descriptor lock_;  // of the folder; a second run is turned away
};

// Writes a file beside its place, then renames it.
Result<void> write_file_whole(const std::filesystem::path& file, std::string_view bytes);

// A folder that is gone when this is: the scratch folder of one run, in memory where that is
// possible. Folders of storefuzz commands that were killed are removed on the way.
class Scratch {
 public:
  static Result<Scratch> make();
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit Scratch(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace storefuzz
