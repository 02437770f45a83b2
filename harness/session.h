// A session: all that one parent process needs to play and judge cases, set up from the
// environment.
//
// Fuzz targets and the player are the two programs that hold one. The variables are an agreement
// between the storefuzz command and these programs:
//
//   STOREFUZZ_PYTHON      interpreter of the subject's environment (required)
//   STOREFUZZ_REFERENCE   folder with side.py (default: where it was built from)
//   STOREFUZZ_SCRATCH     folder this process may write to (default: a new one, removed by nobody)
//   STOREFUZZ_STORES      zip,local (default: all)
//   STOREFUZZ_CARRIERS    the carriers that are played, with commas between (default: all)
//   STOREFUZZ_ADAPTERS    JSON list of adapters from strangers' files (default: none)
//   STOREFUZZ_DEADLINE    milliseconds for a child's visit (default 1000)
//   STOREFUZZ_PLANTED     name of a planted loss (default: none)
//   STOREFUZZ_ORACLES_OFF oracles left out, with commas between
//   STOREFUZZ_KNOWN       file of known defects; a target run by hand does not abort on them
//   STOREFUZZ_AVOID       file of cases, one a line, that a fuzz process passes over
//   STOREFUZZ_POOLS       set for real pools, whose locks lie in /dev/shm: it may be written too
//   STOREFUZZ_NICE        niceness of a fuzz process (default: as it was started)
//   STOREFUZZ_STACKS, STOREFUZZ_BOARD, STOREFUZZ_FINDINGS   descriptors from the supervisor
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/board.h"
#include "harness/finding.h"
#include "harness/generate.h"
#include "harness/journey.h"

namespace storefuzz {

struct Played {
  Observations seen;
  Judged judged;
};

class Session {
 public:
  // Reads the environment, shuts this process in by Landlock, starts Python. `fatal_stacks`: a
  // fatal signal writes Python stacks; not under an engine, which has handlers of its own.
  static Result<std::unique_ptr<Session>> start(bool fatal_stacks = false);

  // Starts the spawned child now, and not at its first journey.
  Result<void> prepare();

  Result<Played> play(const Case& value);

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
  void restart_guidance() { interpreter_->restart_guidance(); }

 private:
  explicit Session(Board board) : board_(std::move(board)) {}
  Result<void> find_stores();
  Result<void> add_reader_quirks(const std::string& folder);
  Result<void> try_to_make(StoreKind kind);

  Board board_;
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

// A descriptor number from the environment; -1 where there is none.
int descriptor_from(const char* variable);

}  // namespace storefuzz
