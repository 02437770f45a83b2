// The target: programs, in which stores are made, called, carried and forked by several processes,
// and held against a model.
#include "fuzz/engine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return storefuzz::fuzz_program(data, size);
}
