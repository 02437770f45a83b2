// Bytes → program: total (every byte string is some program that fits), bounded, and swarmed (each
// program leaves whole features out, so that the features left in meet each other more often).
//
// The model is asked before each step, so that programs go where contents are at stake: writes that
// are not published, claims that are not taken, handles that rest on what was, other directories,
// keys that can be confused.
//
//     Case first = generate_program({}, stores);             // no bytes: the plainest program
//     Case other = generate_program(random_bytes, stores);   // the same bytes, the same program
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "harness/case/program.h"
#include "harness/case/store.h"

namespace storefuzz::program {

// A bare wrapper of `stores` gets something to wrap. `stores` is not empty. `releases`: others than
// the one under test, that a process may have.
Case generate_program(std::span<const std::byte> bytes, const Stores& stores,
                      const std::vector<std::string>& releases = {});

}  // namespace storefuzz::program
