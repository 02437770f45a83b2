// One program, performed: its workers, its folder, what is still to be sent, and what was seen.
//
//     Performance performance(workers, {.folder = folder, .patience = patience}, value);
//     Result<Observation> seen = performance.play();
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/program.h"
#include "harness/direct/workers.h"
#include "harness/wire/observation.h"
#include "harness/wire/orders.h"

namespace storefuzz::program {

class Performance {
 public:
  struct Options {
    std::filesystem::path folder;  // of this program alone
    Patience patience = {};        // how long a stretch may take
    std::string server = {};       // address of what gives the case's folder; empty: none is needed
    bool careful = false;          // an order a stretch
    bool parks = false;            // a program that is late lives on
  };
  Performance(Workers& workers, Options options, const Case& value);

  // machine_failure: no worker can be had, or the folder cannot be used. What is seen ends with the
  // step in which a process hangs. It says nothing where the program is `broken` or `late`.
  Result<Observation> play();

  // A stretch of several orders ended in a hang or a death: to be played again, carefully.
  bool broken() const { return broken_; }
  // A process may hang; see `decide`.
  bool late() const { return late_.has_value(); }

  enum class Fate {
    kOpen,    // it may still answer
    kSlow,    // it answered, too late for a program
    kDecided  // it hangs, or died: `seen`
  };
  Fate decide();  // of a program that is late; all processes are let go unless it is open
  const Observation& seen() const { return seen_; }
  // Where the case lies within the program's folder.
  static std::filesystem::path folder_of_case(const std::filesystem::path& folder);
  const Case& played() const { return case_; }
  const std::filesystem::path& folder() const { return options_.folder; }

 private:
  // Where the answer to an order belongs: to a step, or to a process that begins or ends a case.
  struct Belongs {
    enum class To { kStep, kBegin, kEnd } to = To::kStep;
    std::size_t step = 0, answer = 0;
  };
  using Places = std::map<std::string, OnDisk>;  // what lies at each place on disk
  struct Player {
    std::optional<Worker> worker;
    std::string parent;  // of a forked process
    bool begun = false;  // it knows the case's folder
    bool ended = false;
    std::optional<Places> saw;  // when it looked last; nothing: it was too large to be told
  };
  struct Late {
    std::string process;
    Belongs belongs;
    std::chrono::steady_clock::time_point until;  // from then on it hangs
    Asleep asleep;                                // or earlier, as in the foreground,
    Milliseconds more;                            // when it has slept so long again
    std::chrono::steady_clock::time_point next;   // when it is looked at again
  };

  bool hangs();
  Result<void> prepare();
  Result<Player*> player(const std::string& name);
  Slot slot_of(const std::string& handle);
  Order order_of(const Call& call, const std::string& handle);

  // A step's orders; what cannot be asked stays Absent.
  Result<void> perform(const Make& make);
  Result<void> perform(const Call& call);
  Result<void> perform(const Carry& carry);
  Result<void> perform(const Fork& fork);
  Result<void> perform(const Deed& deed);

  Result<void> add(const std::string& process, Order order, std::size_t answer = 0);
  void flush();
  void take(const std::string& process, const Belongs& belongs, const Reply& reply);
  void take_ending(const std::string& process, const Belongs& belongs, const Asked& asked);
  bool is_looked_at(std::size_t step) const;  // the disk, after it
  void take_folder(Player& player, std::size_t step, const Reply& reply);
  std::optional<Answer> ask(const std::string& process, Order order, int descriptor = -1);
  void note_end(const std::string& process, const Asked& asked, const char* when = "");
  std::string end_of(Player& player, std::span<const Order> orders);
  void look(std::size_t step);
  Result<void> judge_snapshots();
  void take_open_files(const std::string& process, const Answer& told);
  bool leaves_orderly(const std::string& name) const;
  void leave();

  const std::string& process_of(const std::string& handle, const std::string& in) const {
    static const std::string none;
    const std::string* process = handles_.process_of(handle, in);
    return process ? *process : none;
  }
  const Make* make_of(const std::string& handle) const {
    const auto found = made_.find(handle);
    return found == made_.end() ? nullptr : found->second;
  }
  Answer& answer() { return seen_.steps[step_].answers[0]; }

  Workers& workers_;
  const Options options_;
  const Case case_;
  const bool loop_;
  const std::uint64_t hash_;  // of the case
  const std::filesystem::path folder_;
  bool broken_ = false;
  std::optional<Late> late_;

  Observation seen_;
  Handles handles_;
  std::map<std::string, Player> players_;
  std::vector<std::string> begun_;  // their names, in the order in which they began
  std::map<std::string, Slot> slots_;
  std::map<std::string, const Make*> made_;  // handle → the make behind it
  std::map<std::string, Medium> places_;     // place → its medium; those on disk
  std::set<std::string> files_;              // where the places lie, below the director's folder
  std::set<std::string> named_after_;        // the same of places that only their store can read
  std::size_t step_ = 0;

  std::string to_;  // the process that the stretch is for
  std::vector<Order> stretch_;
  std::vector<Belongs> belongs_;
  struct Snapshots {
    std::size_t step;
    const Make* make;
    std::vector<Snapshot> list;
  };
  std::vector<Snapshots> snapshots_;
};

}  // namespace storefuzz::program
