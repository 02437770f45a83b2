// Archives that are wrong on purpose: each is opened as a ZipStore, carried to another process,
// read there and at home, and compared with what independent readers see.
#include "fuzz/engine.h"

namespace {
const bool shaped = storefuzz::shape_cases(storefuzz::of_a_wrong_archive);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return shaped ? storefuzz::fuzz_case(storefuzz::decode(data, size)) : 0;
}
