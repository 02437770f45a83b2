// Roots that show in many ways, whatever was asked: each has words of its own.
//
//     if (auto words = words_of_a_root(small, difference, needs, journeys)) return *words;
#pragma once

#include <optional>

#include "harness/findings/cause_parts.h"

namespace storefuzz::program {

// "survival / death / end by SIGABRT / ObjectStore": the class of a store that was made in the
// process, or carried there, and that has threads of its own. Such a thread may kill the process
// when Python ends: it still waits for Python's lock (CPython gh-87135), or has an object of
// Python's (pyo3-async-runtimes #40). nullopt: the difference is none of these.
std::optional<Words> words_of_a_crash_at_the_end(const Case& value, const Difference& difference);

// `needs` and `journeys`: those of the reduced program (cause_parts.h). nullopt: the difference is
// of none of these roots, and is named by what was asked.
std::optional<Words> words_of_a_root(const Case& reduced, const Difference& difference,
                                     const Words& needs, const Words& journeys);

}  // namespace storefuzz::program
