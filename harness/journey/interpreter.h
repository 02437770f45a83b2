// The embedded reference: one CPython with the subject's zarr, in this process. The only module
// that knows pybind11.
//
// The interpreter starts once and is never shut down (the process leaves by _exit). Every question
// is one JSON text answered by reference/side/side.py.
//
//     Result<Interpreter*> zarr = Interpreter::start({.python = "env/bin/python"});
//     Result<Json> reply = (*zarr)->ask({{"step", "hello"}});
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/case.h"
#include "harness/process/process.h"

namespace storefuzz {

class Interpreter {
 public:
  struct Options {
    std::string python;                // the environment's interpreter; its site-packages hold zarr
    std::string reference;             // the folder of this project's reference/
    std::vector<std::string> folders;  // where strangers' adapters are imported from
    std::string planted;               // name of a planted loss (planted.py); empty: none
    std::span<std::byte> lines;        // counters of lines, or empty: no guidance
    std::span<std::byte> ever;         // the same lines, never cleared
    int stacks = -1;                   // descriptor for stacks on SIGUSR2; -1: none
    bool fatal_stacks = false;         // also on a fatal signal (children)
  };

  // machine_failure: no zarr there, another Python version than this program was built with.
  static Result<Interpreter*> start(const Options& options);

  // A reply of side.py. An Error means that side.py itself failed: a bug of ours.
  Result<Json> ask(const Json& request);
  Result<std::string> ask_text(const std::string& request);

  // CPython's own hooks around fork, which run those that zarr registered.
  Process::ForkHooks fork_hooks(int stacks);

  // How many lines the guidance watches.
  std::size_t lines_watched() const { return lines_watched_; }

  // Counts lines anew, so that coverage belongs to the case that runs next.
  void restart_guidance();

  // Lets other Python threads run while `wait` blocks.
  template <class Wait>
  auto without_lock(Wait wait) {
    void* state = release();
    auto result = wait();
    acquire(state);
    return result;
  }

 private:
  Interpreter() = default;
  static void* release();
  static void acquire(void* state);

  struct Parts;
  Parts* parts_ = nullptr;
  std::size_t lines_watched_ = 0;
};

}  // namespace storefuzz
