// What every libFuzzer target shares: set-up, bytes ↔ case, the typed mutator, and what happens to
// a finding. Under a supervisor a finding is sent to it and fuzzing goes on; run by hand, a target
// prints "Assertion failure: KEY" and aborts, as fuzzing services expect.
//
//     extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
//       return storefuzz::fuzz_case(storefuzz::decode(data, size));
//     }
#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/case.h"

namespace storefuzz {

// Bytes → case: the JSON form where it is one, else whatever the generator makes of the bytes.
Case decode(const std::uint8_t* data, std::size_t size);

// The case carried by a real pool: its own, or one that its text draws.
Case in_a_pool(Case value);

// Plays and judges. 0: the engine may keep the input; -1: it should not.
int fuzz_case(const Case& value);

}  // namespace storefuzz
