// What one process puts on the board, another reads.
#include "harness/play/board.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "harness/testing/sound_world.h"

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
  for (unsigned seed = 0; seed < 100; ++seed) {
    const std::string text = to_text(test::random_case(seed));
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
  EXPECT_LT(kVerdictCounters, kLineCounters);
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

TEST(Board, RestsWhileTheParentWaitsForAProcessWithADeadlineOfItsOwn) {
  Board board = Board::make().value();
  board.pause_watch();
  board.watch_again();
  EXPECT_EQ(board.data().case_since, 0) << "no case was in flight";
  board.begin_case("{}");
  const std::int64_t begun = board.data().case_since;
  board.pause_watch();
  EXPECT_EQ(board.data().case_since, 0);
  board.watch_again();
  EXPECT_GE(board.data().case_since, begun);
  EXPECT_EQ(board.case_in_flight(), "{}");
}

}  // namespace
}  // namespace storefuzz
