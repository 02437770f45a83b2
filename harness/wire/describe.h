// An answer as one short line for a person.
//
//     describe(Answer{BytesValue{"a@0"}})  // b"a@0"
#pragma once

#include <string>

#include "harness/wire/observation.h"

namespace storefuzz::program {

// At most 160 bytes, always printable: `b"a@0"`, `["a", "b"]`, `refused KeyError: 'a'`, `SIGSEGV`,
// `hangs`, `nobody to ask`.
std::string describe(const Answer& answer);

}  // namespace storefuzz::program
