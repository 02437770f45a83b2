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

#include "harness/case/case.h"

namespace storefuzz {

// Bytes → case: the JSON form where it is one, else whatever the generator makes of the bytes.
Case decode(const std::uint8_t* data, std::size_t size);

// Every case of this program goes through `shape`, when it is decoded and when it was mutated: a
// target that is about some cases only. Returns a bool only so that a static can be initialised
// with the call, which then runs ahead of main().
bool shape_cases(Case (*shape)(Case));

// The case with a zip archive that is wrong on purpose: as it is wrong itself, or as its text
// draws.
Case of_a_wrong_archive(Case value);

// The case carried by a real pool: its own, or one that its text draws.
Case in_a_pool(Case value);

// Plays and judges. 0: the engine may keep the input; -1: it should not.
int fuzz_case(const Case& value);

}  // namespace storefuzz
