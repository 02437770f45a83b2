// The state of nights: one folder, in which each night finds what the nights before have seen.
//
//   state.json          format, nights, causes with their history: the only file that is believed
//   causes/NAME/        of each cause that was found: case.json, repro.py, issue.md, …
//   corpus/TARGET/      what the nights start from
//   nights/N/TARGET/    run directories of the last nights
//   index.html          the page (reports/nights.py)
//
// A night may be killed at any moment, and its disk may be full. What it learned becomes true in
// one moment, when state.json is replaced by the next one; until then the state is that of the
// night before, and says which night has begun.
//
//     auto folder = StateFolder::open("state");
//     folder->state.nights.push_back(line);
//     auto kept = folder->commit();
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/process/process.h"

namespace storefuzz {

inline constexpr int kStateFormat = 1;
inline constexpr int kNightsKept = 7;  // run directories, and the nights that one is held against

// When something was so: which night, its day, and the subject of that night.
struct Moment {
  int night = 0;
  std::string date, subject;
};

// "new", "severer", "gone" (the subject is the one that showed it: it may come again), "mended" (it
// is another), "reopened", "back" (after "gone").
struct Change {
  Moment at;
  std::string what;
};

enum class Status { kOpen, kGone, kMended };

// A cause that a night found; or a page of reports/defects/, whose programs lie in
// corpus/regressions/.
struct Recorded {
  std::string page;                                // of reports/defects/; empty: none
  std::string sentence;                            // its headline
  std::string cause, of_class, oracle, wrong, at;  // as findings.jsonl has them; of a page: empty
  int severity = 0;                                // 0: of a page
  bool question = false;
  Json security, releases, program;  // the same; program: null for a page
  Status status = Status::kOpen;
  std::string mended_in;  // the subject that was the first not to show it
  Moment first, last;     // seen
  std::vector<Change> changes;

  bool is_page() const { return program.is_null(); }
};

// One night that has ended, or was killed.
struct Night {
  int night = 0;
  std::string date, subject;
  std::vector<std::string> targets;
  double seconds = 0, executions_per_second = 0;
  std::uint64_t executions = 0;
  std::size_t lines = 0, lines_of = 0;                          // of the subject's store code
  std::vector<std::string> news, reopened, back, gone, mended;  // names of causes
  std::size_t still = 0, still_pages = 0, questions = 0, unconfirmed = 0;
  std::string planted;  // the loss that the loop had to find; empty: it was not asked
  bool found = false;   // and did
  std::string why;      // why it is red; empty: it is not
};

// The lines of store code that ran in any night on one subject, and those that never did.
struct Reached {
  std::string subject, numbers;  // as ranges (coverage.h)
  Json missed = Json::object();  // file → lines, as ranges
};

struct State {
  int format = kStateFormat;
  int begun = 0;  // the night that has begun and has not ended; 0: none
  std::vector<Night> nights;
  Reached reached;
  std::map<std::string, Recorded> causes;  // by fingerprint; a page by "page NAME"
};

Json to_json(const State& state);
// bad_input: it is none, or of another format.
Result<State> state_from_json(const Json& json);

class StateFolder {
 public:
  // Makes the folder, or takes one that is empty or holds a state. bad_input: another night is at
  // work on it, it holds something else, or a state of another format.
  static Result<StateFolder> open(const std::filesystem::path& folder);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path night(int number) const {
    return path_ / "nights" / std::to_string(number);
  }
  std::filesystem::path corpus(const std::string& target) const {
    return path_ / "corpus" / target;
  }

  // Makes `state` the one of the folder. What is too old is dropped.
  Result<void> commit();

  // Removes run directories of nights before the last kNightsKept, and folders of causes that the
  // state no longer has.
  void prune() const;

  // Removes the folder where `open` made it and nothing was committed.
  void drop_if_new() const;

  State state;

 private:
  StateFolder(std::filesystem::path path, Descriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  Descriptor lock_;
  bool made_ = false;  // the folder was not there before
};

}  // namespace storefuzz
