// Signals that ask a command to end are counted; each test sends them to a process of its own.
#include "harness/process/interruption.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <initializer_list>

namespace storefuzz {
namespace {

[[noreturn]] void exit_with_count_after(std::initializer_list<int> signals) {
  count_interruptions();
  for (const int number : signals) ::raise(number);
  ::_exit(interrupted() ? interruptions() : 100);
}

TEST(Interruption, IsNoneBeforeASignal) {
  EXPECT_EXIT(exit_with_count_after({}), testing::ExitedWithCode(100), "");
}

TEST(Interruption, IsEachSignalThatAsksToEnd) {
  EXPECT_EXIT(exit_with_count_after({SIGINT}), testing::ExitedWithCode(1), "");
  EXPECT_EXIT(exit_with_count_after({SIGINT, SIGHUP, SIGINT}), testing::ExitedWithCode(3), "");
}

TEST(Interruption, OfATerminationIsAnImpatientOne) {
  EXPECT_EXIT(exit_with_count_after({SIGTERM}), testing::ExitedWithCode(2), "");
}

}  // namespace
}  // namespace storefuzz
