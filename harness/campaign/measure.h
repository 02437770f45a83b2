// Measuring how long a run takes to find something: what the hidden options of `storefuzz run` do
// for scripts/time-to-find, scripts/mutants and scripts/ledger. Nothing is reduced or confirmed
// then.
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/campaign/supervise.h"

namespace storefuzz {

struct MeasureOptions {
  std::string until;      // words of a key or headline, commas between: stop when each was seen
  std::string until_new;  // a file of keys: stop at the first that is not in it
  bool keys = false;      // say what was found, when, and after how many executions
};

class Measure {
 public:
  explicit Measure(const MeasureOptions& options);

  // Whether a measurement was asked for at all.
  bool asked() const;
  const std::vector<std::string>& until() const { return until_; }

  // Whether a finding ends the fuzzing: it is not in the file, and the subject does not show it
  // without the planted loss. Empty where no file was named, or no worker starts.
  std::function<bool(const RawFinding&)> enough(const std::string& python,
                                                const std::filesystem::path& scratch);

  // Says the times. kFinding where one of `until` was not found, as a test wants it.
  ExitCode tell(const Fuzzed& fuzzed, const std::function<void(const std::string&)>& say) const;

 private:
  MeasureOptions options_;
  std::vector<std::string> until_;
  std::set<std::string> baseline_;
  std::string news_;
};

}  // namespace storefuzz
