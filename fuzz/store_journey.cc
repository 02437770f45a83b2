// The target: a store is built, carried to another place, looked at there and at home, and
// compared.
#include "fuzz/engine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return storefuzz::fuzz_case(storefuzz::decode(data, size));
}
