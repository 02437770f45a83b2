// All that one engine needs to play and judge programs, set up from the environment (settings.h).
// Python is in the workers; this process loads none.
//
//     auto session = ProgramSession::start();
//     Result<PlayedProgram> played = (*session)->play(value);
//     for (const program::Difference& it : played->differences) if (it.first) report(it);
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/program.h"
#include "harness/direct/director.h"
#include "harness/direct/workers.h"
#include "harness/findings/program_quirks.h"
#include "harness/model/difference.h"
#include "harness/oracles/judged.h"
#include "harness/play/phases.h"
#include "harness/play/settings.h"
#include "harness/readers/panel.h"

namespace storefuzz {

class ReaderQuirks;

// What is looked at besides the program itself: now and then, or all there is.
enum class Effort { kUsual, kAll };

struct PlayedProgram {
  program::Observation seen;
  std::vector<program::Difference> differences;  // in the order of the steps, without quirks
  std::vector<std::string> quirks;               // by name, what was taken out
};

class ProgramSession {
 public:
  // Starts the zygote, which forbids itself and all workers to write outside the scratch folder of
  // the settings. `counters`: a memory file for lines of the subject that ran, or -1.
  // machine_failure: no zarr there. The adapters of the settings have been added to this process.
  static Result<std::unique_ptr<ProgramSession>> start(const Settings& settings, int counters = -1);

  ~ProgramSession();

  // An Error: the program was not played, by a fault of ours or because the disk is full. Now
  // and then it is played over another kind of the stores as well, and readers are asked about its
  // archives; `kAll`: over each of them, and always.
  Result<PlayedProgram> play(const program::Case& value, Effort effort = Effort::kUsual);

  // The same for those who play many: nothing where a process may hang. What became of such
  // programs is told by `take_decided`; `wait`: of all of them.
  Result<std::optional<PlayedProgram>> start(const program::Case& value);
  std::vector<std::pair<program::Case, PlayedProgram>> take_decided(bool wait = false);

  // The program without what cannot be had here: steps that make other stores go, a carrier that
  // lacks its package becomes the plainest one, a process of another release that is not among the
  // settings one of the subject under test.
  program::Case fit(program::Case value) const;

  const Stores& stores() const { return stores_; }                        // asked for, and there
  const std::vector<std::string>& releases() const { return releases_; }  // others that are there
  const program::Workers& workers() const { return workers_; }
  // What it was before.
  bool use_workers_once(bool once = true) { return workers_.use_once(once); }
  Json skipped() const;  // kinds of store that cannot be had here: word → why

  // Counts where the time goes from here on.
  void count_phases(PhaseTimes& times) { clock_.emplace(times); }
  void enter(Phase phase) {
    if (clock_) clock_->enter(phase);
  }

  // What this process and its workers have used of processors.
  std::chrono::nanoseconds processor_time() const;

 private:
  explicit ProgramSession(program::Workers workers);

  // Whether this subject has no such store.
  bool lacks(StoreKind kind) const;
  std::string why_none(const Stores& stores) const;
  bool makes_what_lacks(const program::Step& step) const;

  // A store of a stranger that cannot be made would agree with everything.
  Result<void> try_strangers(const Stores& strangers);
  Result<PlayedProgram> judge(const program::Case& value, program::Observation seen, Effort effort);
  void tell(const program::Case& value, const program::Judged& judged, PlayedProgram& played) const;
  // What readers say of the archives that were left, where it may be news.
  Result<std::vector<program::ReadArchive>> ask_readers(const program::Case& value,
                                                        const program::Observation& seen,
                                                        const program::Judged& judged,
                                                        std::size_t drawn);
  // Which silences are the way of the subject's zip library with archives of these classes.
  std::set<program::Wrong> known_ways(const std::vector<std::string>& classes) const;
  Result<std::vector<program::Twin>> play_twins(const program::Case& value,
                                                const program::Judged& judged, std::size_t drawn,
                                                Effort effort);

  program::Workers workers_;
  std::unique_ptr<program::Director> director_;
  Stores stores_;
  std::vector<std::string> releases_;
  std::vector<program::Quirk> quirks_;
  std::unique_ptr<const ReaderQuirks> reader_quirks_;
  std::vector<std::string> oracles_off_;
  std::vector<Carrier> carriers_;  // that were asked for; empty: all
  std::optional<PhaseClock> clock_;
  std::filesystem::path scratch_;
  std::optional<Panel> panel_;  // started when it is first asked
};

}  // namespace storefuzz
