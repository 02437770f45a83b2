// How a process below us ended without an answer.
#pragma once

#include <string>

namespace storefuzz {

struct Crashed {
  std::string signal;  // "SIGSEGV", or "exit 3"
  std::string stacks;
  bool operator==(const Crashed&) const = default;
};
struct TimedOut {
  std::string stacks;  // Python stacks of every thread
  bool operator==(const TimedOut&) const = default;
};

}  // namespace storefuzz
