// Roots that show in many ways, whatever was asked: each has words of its own.
//
//     if (auto words = words_of_a_root(small, difference, needs, journeys)) return *words;
#pragma once

#include <optional>

#include "harness/findings/cause_parts.h"

namespace storefuzz::program {

// `needs` and `journeys`: those of the reduced program (cause_parts.h). nullopt: the difference is
// of none of these roots, and is named by what was asked.
std::optional<Words> words_of_a_root(const Case& reduced, const Difference& difference,
                                     const Words& needs, const Words& journeys);

}  // namespace storefuzz::program
