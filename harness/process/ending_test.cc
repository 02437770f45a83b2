// How a process ended is known by its code or its signal, and has a name for people.
#include "harness/process/ending.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>

#include "harness/process/process.h"

namespace storefuzz {
namespace {

Ending ending_of(const std::string& line) {
  auto process = Process::start({.arguments = {"/bin/sh", "-c", line}, .frames = false});
  process->wait_for_end(std::chrono::seconds(20));
  return process->ending().value_or(Ending{});
}

TEST(Ending, OfAProcessThatExitsHasItsCode) {
  const Ending ending = ending_of("exit 70");
  EXPECT_TRUE(ending.exited(70));
  EXPECT_FALSE(ending.by_signal());
  EXPECT_EQ(name_of(ending), "exit 70");
}

TEST(Ending, TellsACrashFromAKillFromOutside) {
  const Ending crash = ending_of("kill -SEGV $$");
  EXPECT_TRUE(crash.by_signal());
  EXPECT_FALSE(crash.from_outside());
  EXPECT_FALSE(crash.exited(SIGSEGV));
  EXPECT_EQ(name_of(crash), "SIGSEGV");
  EXPECT_TRUE(ending_of("kill -KILL $$").from_outside());
}

TEST(Ending, OfAProcessThatTheKernelDoesNotKnowIsLost) { EXPECT_EQ(name_of(Ending{}), "lost"); }

}  // namespace
}  // namespace storefuzz
