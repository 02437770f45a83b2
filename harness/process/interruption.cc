// See interruption.h.
#include "harness/process/interruption.h"

#include <signal.h>

#include <atomic>

namespace storefuzz {
namespace {

std::atomic<int> count = 0;

void on_signal(int number) { count += number == SIGTERM ? 2 : 1; }

}  // namespace

void count_interruptions() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGHUP, &action, nullptr);  // the terminal of a night's run may go away
}

int interruptions() { return count; }

}  // namespace storefuzz
