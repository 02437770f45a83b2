// A session: all that one parent process needs to play and judge cases, set up from the
// environment.
//
// Fuzz targets and the player are the two programs that hold one; settings.h has the variables.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/findings/finding.h"
#include "harness/journey/generate.h"
#include "harness/journey/journey.h"
#include "harness/play/board.h"

namespace storefuzz {

struct Played {
  Observations seen;
  Judged judged;
};

class Session {
 public:
  struct Options {
    bool fatal_stacks = false;  // a fatal signal writes Python stacks; not where an engine has
                                // handlers of its own
    bool thrifty = false;       // a loop of many cases: see Journeys
  };

  // Reads the environment, shuts this process in by Landlock, starts Python.
  static Result<std::unique_ptr<Session>> start(const Options& options);

  // Starts the spawned child now, and not at its first journey.
  Result<void> prepare();

  // `asleep`: see Journeys. An Error: the case was not played, by a fault of ours or because the
  // disk is full.
  Result<Played> play(const Case& value, Milliseconds asleep = Milliseconds(0));
  // Oracles that judge no case from now on, with commas between.
  void leave_out(const std::string& oracles);

  const Stores& stores() const { return stores_; }  // those that can be had here
  std::vector<ReaderInfo> readers() const { return journeys_->readers(); }
  const Json& skipped() const { return skipped_; }  // the others: word → why
  Case fit(Case value) const;  // a carrier that cannot be had here becomes the plainest one
  const std::string& release() const { return release_; }
  const std::string& python_version() const { return python_version_; }
  const std::string& containment() const { return containment_; }
  const Board& board() const { return board_; }
  std::size_t lines_watched() const { return interpreter_->lines_watched(); }
  bool spoiled() const { return journeys_->spoiled(); }
  PhaseClock& clock() { return clock_; }
  void restart_guidance() { interpreter_->restart_guidance(); }

 private:
  explicit Session(Board board)
      : board_(std::move(board)), clock_(board_.data().phase_nanoseconds) {}
  Result<void> find_stores();
  Result<void> add_reader_quirks(const std::string& folder);
  Result<void> try_strangers(const Stores& stores) const;

  Board board_;
  PhaseClock clock_;
  Interpreter* interpreter_ = nullptr;
  std::unique_ptr<Journeys> journeys_;
  std::vector<Quirk> quirks_;
  std::vector<std::string> oracles_off_;
  Stores stores_;
  Json skipped_;
  std::vector<std::string> lacking_carriers_;
  std::vector<Carrier> carriers_;  // that were asked for; empty: all
  std::string scratch_;
  std::string release_, python_version_, containment_;
};

// When this program was started as a spawned child (`--child`), becomes it and never returns.
void become_child_if_asked(int count, char** arguments);

}  // namespace storefuzz
