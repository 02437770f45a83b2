// The workers of one engine: processes with an embedded zarr, all copies of one zygote.
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

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/process/process.h"
#include "harness/wire/orders.h"

namespace storefuzz::program {

// How long a stretch may take. A process in which no thread has run for `asleep` hangs; one that is
// at work, or waits for a processor, has until the deadline.
struct Patience {
  Milliseconds deadline{4000}, asleep{250};
};

using Asked = std::variant<std::vector<Reply>, Crashed, TimedOut>;

// A process that takes orders.
class Worker {
 public:
  Worker(pid_t pid, Descriptor socket, bool loop, StackFile* stacks)
      : pid_(pid), socket_(std::move(socket)), loop_(loop), stacks_(stacks) {}
  Worker(Worker&& other) noexcept;
  Worker& operator=(Worker&& other) noexcept;
  ~Worker();  // kills and reaps

  // As many replies as orders; or how the process ended, after which it is not alive. `descriptor`
  // travels along, for a fork order.
  Asked ask(std::span<const Order> orders, const Patience& patience, int descriptor = -1);

  // Sends orders that end the process, and waits for the end: "exit 0", "SIGKILL".
  std::string end(std::span<const Order> orders, const Patience& patience);
  void kill();

  bool alive() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  bool loop() const { return loop_; }

 private:
  std::string reap();

  pid_t pid_ = -1;
  Descriptor socket_;
  bool loop_ = false;  // zarr's event loop runs in it
  StackFile* stacks_ = nullptr;
};

}  // namespace storefuzz::program
