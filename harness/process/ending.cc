// See ending.h.
#include "harness/process/ending.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>

namespace storefuzz {

bool Ending::from_outside() const {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGINT;
}

std::string name_of(const Ending& ending) {
  if (!ending.by_signal())
    return ending.exit_code < 0 ? "lost" : fmt::format("exit {}", ending.exit_code);
  const char* name = sigabbrev_np(ending.signal);
  return name ? fmt::format("SIG{}", name) : fmt::format("signal {}", ending.signal);
}

}  // namespace storefuzz
