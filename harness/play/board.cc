// A memfd, mapped shared; it has no name, so nothing is left of it.
#include "harness/play/board.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace storefuzz {

Result<Board> Board::make() {
  auto file = make_memory_file("storefuzz-board", sizeof(BoardData));
  if (!file) return std::unexpected(file.error());
  auto board = open(file->get());
  if (board) board->file_ = std::make_shared<Descriptor>(std::move(*file));
  return board;
}

Result<Board> Board::open(int descriptor) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || status.st_size < static_cast<off_t>(sizeof(BoardData)))
    return machine_failure("the shared memory that was handed down is too short");
  void* place =
      ::mmap(nullptr, sizeof(BoardData), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (place == MAP_FAILED)
    return machine_failure(fmt::format("shared memory cannot be mapped: {}", std::strerror(errno)));
  Board board;
  board.data_ = std::shared_ptr<BoardData>(
      static_cast<BoardData*>(place), [](BoardData* data) { ::munmap(data, sizeof(BoardData)); });
  board.descriptor_ = descriptor;
  return board;
}

std::size_t Board::lines_covered() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(data_->ever, [](std::byte b) { return b != std::byte{0}; }));
}

std::vector<std::size_t> Board::reached() const {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < data_->ever.size(); ++i)
    if (data_->ever[i] != std::byte{0}) numbers.push_back(i);
  return numbers;
}

void Board::begin_case(std::string_view text) {
  data_->case_size = 0;
  const std::size_t size = std::min(text.size(), data_->case_text.size());
  std::memcpy(data_->case_text.data(), text.data(), size);
  data_->case_size = static_cast<std::uint32_t>(size);
  data_->case_since = now_nanoseconds();
}

void Board::end_case() { data_->case_since = 0; }

void Board::keep_lines() {
  for (std::size_t i = 0; i < data_->lines.size(); ++i) data_->ever[i] |= data_->lines[i];
}

std::string Board::case_in_flight() const {
  return {data_->case_text.data(), std::min<std::size_t>(data_->case_size, kMaxCaseText)};
}

std::int64_t now_nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace storefuzz
