// The journey: case → observations. The one place where the steps are in order.
//
// One `Journeys` lives in each parent process. It owns the persistent spawned child, forks the
// others, and cleans the case's folder. Nothing here judges.
//
//     Journeys journeys(*interpreter, {.folder = scratch});
//     Result<Observations> seen = journeys.play(value);
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "harness/journey/expectation.h"
#include "harness/journey/interpreter.h"
#include "harness/journey/observation.h"
#include "harness/journey/phases.h"
#include "harness/process/process.h"
#include "harness/readers/panel.h"

namespace storefuzz {

class Journeys {
 public:
  struct Options {
    std::filesystem::path folder;             // writable; the case's folder is made below it
    Command child;                            // starts a spawned child (run_child below)
    Milliseconds deadline{1000};              // for a child's whole visit
    int stacks = -1;                          // the stack file that all sides share
    PhaseClock* clock = nullptr;              // counts where the time goes; null: not counted
    // Told when this process begins (true) and ends (false) to wait for a process of ours that has
    // a deadline of its own: meanwhile a watcher must not take the case for a hang.
    std::function<void(bool)> waits = [](bool) {};
    std::vector<ReaderCommand> readers = {};  // asked what they see in an archive at the end
    // A loop of many cases need not pay in each for what others of its kind have shown: readers are
    // asked where there may be news, and a file that stays open is waited for once a kind of store.
    bool thrifty = false;
  };

  Journeys(Interpreter& interpreter, Options options);

  // Plays the case from a clean folder. An Error is a failed machine or a bug of ours; whatever the
  // subject does is in the observations. A child that sleeps for as long as `asleep` is taken to
  // hang before its deadline; 0: only at its deadline.
  Result<Observations> play(const Case& value, Milliseconds asleep = Milliseconds(0));

  // True after a thread of this process hung: what this process sees is no longer trustworthy.
  bool spoiled() const { return spoiled_; }

  // Starts the spawned child, the fork server and the readers ahead of their first use.
  Result<void> prepare();

  // Who is asked about archives; empty before prepare().
  std::vector<ReaderInfo> readers() const {
    return panel_ ? panel_->readers() : std::vector<ReaderInfo>();
  }

 private:
  void enter(Phase phase);
  void take_times(const Json& reply);
  // Asks a process that has a deadline of its own.
  template <class Body>
  auto wait_for(const Body& body);
  Result<Json> step(const char* name, Json& request);
  Result<Json> step(const char* name, Json&& request);
  Result<void> make_folder(const Case& value);
  Result<void> prepare_child(Transport transport);
  Result<void> build(const Case& value, Observations& seen);
  Result<void> send_off(const Case& value, Observations& seen, Json& request);
  void take_reply(const Json& reply, Observations& seen);
  Result<void> ask_twin(const Expectation& expected, Observations& seen, Json question);
  Result<void> visit(const Case& value, Observations& seen, Json& request);
  Result<void> visit_elsewhere(const Case& value, Observations& seen, Json& request);
  Result<void> look_at_returned(const Case& value, Observations& seen, const Json& request);
  Result<void> start_readers();
  bool may_be_news(const Case& value, const Observations& seen) const;
  Result<void> ask_readers(const Case& value, const Expectation& expected, Observations& seen);
  Result<void> finish(const Case& value, Observations& seen, const Json& request);
  Result<Reply> ask_child(const Case& value, const std::string& request);

  Interpreter& interpreter_;
  Options options_;
  Milliseconds asleep_{0};
  StackFile stacks_;
  std::filesystem::path case_folder_;
  std::map<Transport, std::optional<Process>> children_;  // spawned, or a fork server
  std::optional<Panel> panel_;
  std::string returned_pickle_;
  std::string archive_begin_;  // bytes of the zip file that the case begins with
  bool spoiled_ = false;
};

// The main loop of a spawned child: frames from standard input, answers on descriptor 3, until the
// end of the file. A fork server has each of them answered by a fork of its own. Never returns.
[[noreturn]] void run_child(const Interpreter::Options& options, bool forkserver);

}  // namespace storefuzz
