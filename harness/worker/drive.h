// Who runs the coroutines of a call: a loop of ours, by hand, or zarr's own `sync`.
//
// A coroutine needs a running event loop only to find it: asyncio.to_thread asks for the running
// loop and for its `run_in_executor`. With a loop that runs the function at once, every coroutine
// of LocalStore finishes under one `send(None)`. The running loop is set while we send, and at no
// other time, because zarr's `sync` refuses to run inside of one. asyncio runs a coroutine in a
// task, and libraries ask for it (aiohttp's timeouts do): one of ours stands for it meanwhile.
//
//     Driver driver;
//     Object result = driver.run(Said::kCoroutine, function, arguments, By::kHand);
#pragma once

#include <span>

#include "harness/case/operations.h"
#include "harness/case/program.h"
#include "harness/worker/python.h"

namespace storefuzz::program {

class Driver {
 public:
  // A loop for this process. What a fork inherits is forgotten and not closed: its descriptors
  // belong to the parent's loop as well.
  void begin();

  // What a call comes to. Empty: the exception is set.
  Object run(Said said, PyObject* function, std::span<PyObject* const> arguments, By by);

  // Ends what refused calls left in the loop; costs nothing where nothing waited.
  void settle();

 private:
  Object by_hand(PyObject* coroutine);
  bool set_running(bool running);
  bool wait(PyObject* awaited);

  PyObject* loop_ = nullptr;
  PyObject* task_ = nullptr;         // that runs what is driven by hand
  PyObject* set_running_ = nullptr;  // asyncio.events._set_running_loop
  PyObject* enter_ = nullptr;        // asyncio.tasks._enter_task
  PyObject* leave_ = nullptr;        // asyncio.tasks._leave_task
  bool waited_ = false;
};

}  // namespace storefuzz::program
