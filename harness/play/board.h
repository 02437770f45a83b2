// The board: shared memory between a supervisor, its fuzz process and the workers below.
//
// The board holds the case in flight, so that a fault of the fuzz process can be told with its
// case, the numbers a progress line shows, and the counters of covered lines that every worker
// fills.
//
//     Result<Board> board = Board::make();          // supervisor
//     Result<Board> same = Board::open(descriptor); // fuzz process, workers
//     same->data().executions += 1;
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/words.h"
#include "harness/play/phases.h"
#include "harness/process/process.h"

namespace storefuzz {

inline constexpr std::size_t kLineCounters = 16 * 1024;  // whole pages; lines of the subject

struct BoardData {
  // First, so that they start on a page: libFuzzer's extra counters lie over them.
  std::array<std::byte, kLineCounters> lines;
  std::array<std::byte, kLineCounters> ever;  // never cleared

  std::atomic<std::uint64_t> executions;
  std::atomic<std::uint64_t> lines_watched;
  std::atomic<std::int64_t> fuzzing_since;  // steady clock, nanoseconds; 0: not yet
  std::atomic<std::int64_t> case_since;     // the same; 0: no case in flight
  PhaseTimes phase_nanoseconds;
  std::atomic<std::uint32_t> case_size;
  std::array<char, kMaxCaseText> case_text;
};

class Board {
 public:
  static Result<Board> make();
  static Result<Board> open(int descriptor);

  BoardData& data() const { return *data_; }
  int descriptor() const { return descriptor_; }
  std::size_t lines_covered() const;
  std::vector<std::size_t> reached() const;  // the numbers of these lines, rising

  void begin_case(std::string_view text);
  void end_case();

  // libFuzzer clears the lines before each case: what ran until now is kept in `ever`.
  void keep_lines();

  std::string case_in_flight() const;

 private:
  std::shared_ptr<BoardData> data_;
  std::shared_ptr<Descriptor> file_;  // where this process made the board
  int descriptor_ = -1;
};

// The steady clock in nanoseconds; the same for every process of a machine.
std::int64_t now_nanoseconds();

}  // namespace storefuzz
