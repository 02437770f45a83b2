// Crash states: what a fresh handle finds in a snapshot of a case's folder.
//
// A process that is killed within a write leaves the disk as it is at that moment. A worker took
// snapshots of the folder while a call ran; here a store is made on each of them, by the same kind
// of constructor with mode r, and read.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/program.h"
#include "harness/direct/workers.h"
#include "harness/wire/observation.h"

namespace storefuzz::program {

// Every key that the case writes or that lies there before, sorted, each once.
std::vector<std::string> written_keys(const Case& value);

class CrashReader {
 public:
  // `folder` is the reader's own. The worker is leased at the first snapshot and given back at the
  // end.
  CrashReader(Workers& workers, std::filesystem::path folder, Patience patience, bool loop);
  ~CrashReader();

  // machine_failure: no worker can be had, or the folder cannot be used.
  Result<CrashState> read(const Make& make, const Snapshot& snapshot,
                          const std::vector<std::string>& keys);

 private:
  Workers& workers_;
  std::filesystem::path folder_;
  Patience patience_;
  bool loop_;
  std::optional<Worker> worker_;
};

}  // namespace storefuzz::program
