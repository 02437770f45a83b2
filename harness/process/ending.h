// How a process below us ended: what waitpid(2) says of it, and what that means for an answer.
//
//     if (const auto ending = process.ending(); ending && ending->from_outside()) start_again();
#pragma once

#include <string>

namespace storefuzz {

struct Ending {
  int exit_code = -1;  // -1: a signal ended the process, or the kernel does not know it
  int signal = 0;      // 0: the process left by exit

  bool exited(int code) const { return signal == 0 && exit_code == code; }
  bool by_signal() const { return signal != 0; }
  // SIGKILL, SIGTERM and SIGINT are sent by a person, by a kernel that lacks memory, or by us; a
  // crash of the subject raises others.
  bool from_outside() const;
};

// "exit 3", "SIGSEGV"; "lost" where the kernel does not know.
std::string name_of(const Ending& ending);

// The process ended before it answered.
struct Crashed {
  std::string signal;  // the name of its ending; or, in words, what else was wrong with its answer
  std::string stacks;
  bool operator==(const Crashed&) const = default;
};

// The process did not answer before its deadline.
struct TimedOut {
  std::string stacks;  // Python stacks of every thread
  bool operator==(const TimedOut&) const = default;
};

}  // namespace storefuzz
