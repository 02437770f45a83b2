// What targets that play do alike, whatever their cases are: for the sources of fuzz/ alone.
#pragma once

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/text.h"
#include "harness/play/board.h"

namespace storefuzz {

[[noreturn]] inline void leave(const Error& error) {
  fmt::print(stderr, "storefuzz: {}\n", printable(error.message));
  ::_exit(static_cast<int>(error.code));
}

// Maps the board over the counters that libFuzzer reads besides its own.
inline void map_counters(std::byte* counters, const Board& board) {
  void* place = ::mmap(counters, kLineCounters, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                       board.descriptor(), 0);
  if (place == MAP_FAILED) leave({.message = "the counters cannot be shared"});
}

// `size` bytes that a mutation may draw from.
inline std::vector<std::byte> random_bytes(unsigned seed, std::size_t size) {
  std::minstd_rand random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() >> 8);
  return bytes;
}

// The text in the engine's memory, and its size; what is too long stays out: `size`.
inline std::size_t write_back(const std::string& text, std::uint8_t* data, std::size_t size,
                              std::size_t limit) {
  if (text.size() > limit) return size;
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

}  // namespace storefuzz
