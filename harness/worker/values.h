// Python's values and exceptions as answers.
//
//     Answer answer = result ? Answer(shown(result.ptr(), Gives::kBytes, names)) : refusal(names);
#pragma once

#include "harness/case/operations.h"
#include "harness/wire/observation.h"
#include "harness/wire/plain_text.h"
#include "harness/worker/python.h"

namespace storefuzz::program {

inline constexpr std::size_t kMostText = 300;        // bytes of a refusal's text
inline constexpr std::size_t kMostBytes = 16 << 20;  // of an answer; longer ones are told by size
inline constexpr std::size_t kMostItems = 1 << 16;   // of a list; longer ones likewise

// What a value holds; by its class, since a subject may answer with anything. `gives` decides what
// an empty list is of. `names` are taken out of texts.
Shown shown(PyObject* value, Gives gives, const Replacements& names);

// Takes the exception that is set.
Refusal refusal(const Replacements& names);

}  // namespace storefuzz::program
