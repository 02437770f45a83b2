// A small world of stores that lose nothing: performs a program exactly and says what would be
// seen. For tests: no oracle may differ, and what a test falsifies must be told.
//
// It is written apart from the model: contents are plain maps, an archive is a snapshot and a list
// of writes. Where the model allows several answers, a random one of them is given, by seed.
//
//     const Observation seen = test::sound_observation(value, 7);
//     EXPECT_TRUE(judge(value, seen).empty());
#pragma once

#include <string>
#include <vector>

#include "harness/case/program.h"
#include "harness/wire/observation.h"

namespace storefuzz::program::test {

Observation sound_observation(const Case& value, unsigned seed);

// A program drawn blindly, the same for the same seed; it fits. `stores` are words of stores.
Case random_program(unsigned seed, const std::vector<std::string>& stores);

}  // namespace storefuzz::program::test
