// What every target that plays programs shares: set-up, bytes ↔ program, the typed mutator, and
// what happens to a difference. Under a supervisor differences are sent to it and fuzzing goes on;
// without one a target ends at the first cause that is new and confirmed (campaign/unsupervised.h),
// as fuzzing services expect. Python is in the workers: a target loads none.
//
//     extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
//       return storefuzz::fuzz_program(data, size);
//     }
#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/case/program.h"
#include "harness/play/settings.h"

namespace storefuzz {

// What makes a target special. A target has at most one, as a static of its file.
struct Special {
  void (*settings)(Settings& settings) = nullptr;         // changes them before anything starts
  program::Case (*shape)(program::Case value) = nullptr;  // each program goes through this
};
// Returns a bool only so that a static can be initialised with the call, which then runs ahead of
// main().
bool make_special(const Special& special);

// A program with an archive that is wrong on purpose: its own, or one that its hash draws.
program::Case with_a_wrong_archive(program::Case value);

// Plays and judges what the bytes are: the JSON form where they are one, else whatever the
// generator makes of them. 0: the engine may keep the input.
int fuzz_program(const std::uint8_t* data, std::size_t size);

}  // namespace storefuzz
