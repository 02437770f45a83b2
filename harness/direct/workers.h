// The workers of one engine: processes with an embedded zarr, all copies of one zygote; those of
// another release than the one under test, of a zygote of that release, which is started when it is
// first needed and kept.
//
// A worker that played a program whole plays another; one that hung, died or was forked by another
// is replaced. The engine is the parent of them all: of copies of the zygote by CLONE_PARENT, of a
// worker's own children once that worker is gone (PR_SET_CHILD_SUBREAPER).
//
//     Result<Workers> workers = Workers::start(options);
//     Result<Worker> worker = workers->lease(/*loop=*/false);
//     Asked asked = worker->ask(orders, {});
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/error.h"
#include "harness/process/process.h"
#include "harness/wire/channel.h"
#include "harness/wire/orders.h"
#include "harness/wire/zygote.h"

namespace storefuzz::program {

// How long a stretch may take. A process in which no thread has run for `asleep` hangs; one that is
// at work, or waits for a processor, has until the deadline. Where it costs little to ask again, or
// to wait in the background, a process is late after `late`.
struct Patience {
  Milliseconds deadline{4000}, asleep{1000}, late{200};
};

using Asked = std::variant<std::vector<Reply>, Crashed, TimedOut>;

// Processes that ended while they were another's children, who did not wait for them: when that one
// ends they are ours, and take a place in the kernel's table until we wait.
class Orphans {
 public:
  Orphans() = default;
  Orphans(const Orphans&) = delete;
  ~Orphans() { reap(); }

  void add(pid_t pid) { pids_.push_back(pid); }
  void reap();

 private:
  std::vector<pid_t> pids_;
};

// A process that takes orders.
class Worker {
 public:
  Worker(Born born, bool loop, StackFile* stacks, Orphans* orphans, std::string subject = {})
      : pid_(born.pid),
        channel_(std::move(born.channel)),
        loop_(loop),
        stacks_(stacks),
        orphans_(orphans),
        subject_(std::move(subject)) {}
  Worker(Worker&& other) noexcept;
  Worker& operator=(Worker&& other) noexcept;
  ~Worker();  // kills, and reaps where the process is a child of ours

  // As many replies as orders; or how the process ended, after which it is not alive. `descriptor`
  // travels along, for a fork order.
  Asked ask(std::span<const Order> orders, const Patience& patience, int descriptor = -1);

  // The same, but a process that is late lives on. Nothing: it is late, and `late_answer` and
  // `hang` are all that may be called.
  std::optional<Asked> try_ask(std::span<const Order> orders, const Patience& patience,
                               int descriptor = -1);
  // What came from a process that was late; nothing yet: nothing.
  std::optional<Asked> late_answer();
  TimedOut hang(bool stacks = true);  // that a process hangs, with its stacks; it is killed

  // Sends orders that end the process, and waits until its channel is closed; past the patience it
  // is killed.
  void let_end(std::span<const Order> orders, const Patience& patience);

  // How a process ended that is a child of ours: "exit 0", "SIGKILL". It has been told to end.
  std::string ending();

  void kill();
  bool alive() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  bool loop() const { return loop_; }
  const std::string& subject() const { return subject_; }  // release; empty: the one under test

 private:
  Got receive(const Patience& patience);
  std::optional<Asked> taken(Got got);

  pid_t pid_ = -1;
  Channel channel_;
  bool loop_ = false;  // zarr's event loop runs in it
  StackFile* stacks_ = nullptr;
  Orphans* orphans_ = nullptr;
  std::string subject_;
  std::string frame_;
  std::size_t asked_ = 0;  // orders that wait for a reply
};

// Release → interpreter of an environment that has it.
using Interpreters = std::map<std::string, std::string>;

class Workers {
 public:
  // `others`: releases that a process of a program may name. machine_failure: the zygote does not
  // start.
  static Result<Workers> start(ZygoteOptions options, Interpreters others = {});

  // A worker that nobody uses, or a new one. bad_input: a subject that is none of the others.
  Result<Worker> lease(bool loop, const std::string& subject = {});
  void give_back(Worker worker);  // one that dropped all it held

  // From here on none is used twice: what a program leaves in a process (a thread of a module, an
  // exit handler) has no part in the next one. A fresh worker costs some milliseconds. Or, with
  // false, they are used again, as at first. What it was before.
  bool use_once(bool once);

  // A process that `parent` forked, on the other end of `channel`.
  Worker forked(pid_t pid, Channel channel, const Worker& parent);

  const ReferenceInfo& subject() const { return zygote_.subject(); }
  const Interpreters& others() const { return others_; }

  // What the zygotes, all idle workers and those that are gone have used of processors.
  std::chrono::nanoseconds processor_time() const;

 private:
  Workers(Zygote zygote, ZygoteOptions options, Interpreters others, StackFile stacks)
      : zygote_(std::move(zygote)),
        options_(std::move(options)),
        others_(std::move(others)),
        stacks_(std::make_unique<StackFile>(std::move(stacks))) {}
  Result<Zygote*> zygote_of(const std::string& subject);

  std::unique_ptr<Orphans> orphans_ = std::make_unique<Orphans>();  // after all workers
  Zygote zygote_;
  ZygoteOptions options_;
  Interpreters others_;
  std::map<std::string, Zygote> other_zygotes_;  // by release
  std::unique_ptr<StackFile> stacks_;
  std::vector<Worker> idle_;
  bool once_ = false;
};

}  // namespace storefuzz::program
