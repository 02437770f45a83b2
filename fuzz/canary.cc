// The canary: store_journey over a subject that was made to drop `_read_only` from its pickled
// state. The canary must fail; a build where it does not is blind.
#include <cstdlib>

#include "fuzz/engine.h"

namespace {
// Before LLVMFuzzerInitialize starts Python.
const int planted = ::setenv("STOREFUZZ_PLANTED", "state drops _read_only", 1);
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return planted == 0 ? storefuzz::fuzz_case(storefuzz::decode(data, size)) : 0;
}
