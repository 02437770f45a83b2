// What one process puts on the board, another reads.
#include "harness/play/board.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

TEST(Board, IsSharedWithAChild) {
  auto board = Board::make();
  ASSERT_TRUE(board.has_value());
  const pid_t child = ::fork();
  if (child == 0) {
    auto same = Board::open(board->descriptor());
    if (!same) ::_exit(1);
    same->data().executions += 41;
    same->data().ever[7] = std::byte{1};
    same->begin_case(R"({"store":"zip"})");
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(board->data().executions, 41);
  EXPECT_EQ(board->case_in_flight(), R"({"store":"zip"})");
  EXPECT_GT(board->data().case_since, 0);
  EXPECT_EQ(board->lines_covered(), 1);
}

TEST(Board, HoldsTheCaseInFlightUntilItEnds) {
  auto board = Board::make();
  ASSERT_TRUE(board.has_value());
  EXPECT_EQ(board->data().case_since, 0);
  for (const std::string text : {R"({"format":2})", "{}", "another one, longer than the others"}) {
    board->begin_case(text);
    EXPECT_EQ(board->case_in_flight(), text);
  }
  board->end_case();
  EXPECT_EQ(board->data().case_since, 0);
}

TEST(Board, ATextThatIsTooLongDoesNotOverflow) {
  auto board = Board::make();
  ASSERT_TRUE(board.has_value());
  board->begin_case(std::string(kMaxCaseText * 2, 'x'));
  EXPECT_LE(board->case_in_flight().size(), kMaxCaseText);
}

// Another process writes the board: whatever stands there must not read past the end.
TEST(Board, ASizeThatIsALieDoesNotOverflow) {
  auto board = Board::make();
  ASSERT_TRUE(board.has_value());
  board->data().case_size = 0xFFFFFFFF;
  EXPECT_LE(board->case_in_flight().size(), kMaxCaseText);
}

TEST(Board, TheCountersLieOnPages) {
  EXPECT_EQ(offsetof(BoardData, lines), 0);
  EXPECT_EQ(kLineCounters % static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), 0);
}

TEST(Board, OfADescriptorThatIsNoneIsAnError) {
  EXPECT_FALSE(Board::open(-1).has_value());
  EXPECT_FALSE(Board::open(987'654).has_value());
}

// A descriptor of something shorter would kill whoever touches it (SIGBUS).
TEST(Board, OfAFileThatIsTooShortIsAnError) {
  const int file = ::memfd_create("short", 0);
  ASSERT_EQ(::ftruncate(file, 4096), 0);
  EXPECT_FALSE(Board::open(file).has_value());
  ::close(file);
}

TEST(Board, KeepsTheLinesThatTheEngineClears) {
  Board board = Board::make().value();
  board.data().lines[7] = std::byte{1};
  board.keep_lines();
  board.data().lines.fill(std::byte{0});
  board.keep_lines();
  EXPECT_EQ(board.lines_covered(), 1U);
}

}  // namespace
}  // namespace storefuzz
