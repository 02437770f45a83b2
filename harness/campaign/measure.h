// Measuring how long a run takes to find something: what the hidden options of `storefuzz run` do
// for scripts/time-to-find, scripts/mutants and scripts/ledger. Nothing is reduced or confirmed
// then.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/campaign/supervise.h"
#include "harness/findings/known.h"

namespace storefuzz {

struct MeasureOptions {
  std::string until;       // words of a key or headline, commas between: stop when each was seen
  bool until_new = false;  // stop at what the subject does not show without the planted loss
  bool keys = false;       // say what was found, when, and after how many executions
};

class Measure {
 public:
  explicit Measure(const MeasureOptions& options);

  // Whether a measurement was asked for at all.
  bool asked() const;
  const std::vector<std::string>& until() const { return until_; }

  // Whether a finding ends the fuzzing: the subject does not show it without the planted loss. Of
  // each key several programs are asked, as a defect of the subject may look the same; what is
  // known by its key (find_known) is no news. Empty where this is not measured, or no worker
  // starts.
  std::function<bool(const Finding&, double seconds)> enough(const std::string& python,
                                                             const std::filesystem::path& scratch,
                                                             const std::vector<Known>& known,
                                                             const std::string& release);

  // Says the times. kFinding where one of `until` was not found, as a test wants it.
  ExitCode tell(const Fuzzed& fuzzed, const std::function<void(const std::string&)>& say) const;

 private:
  MeasureOptions options_;
  std::vector<std::string> until_;
  std::string news_;
};

}  // namespace storefuzz
