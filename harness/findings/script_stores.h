// The script of a question: the same program over several kinds of store, their answers side by
// side. Nobody is wrong for sure; it ends with 1 where they are not alike.
//
//     auto code = stores_code(value, difference, *words);   // def ask(s0): … def main(): …
#pragma once

#include "harness/base/error.h"
#include "harness/case/program.h"
#include "harness/findings/script_frame.h"
#include "harness/findings/script_words.h"
#include "harness/model/difference.h"

namespace storefuzz::program {

// bad_input: what one function cannot say, as a sentence.
Result<ScriptCode> stores_code(const Case& value, const Difference& question, const Words& words);

}  // namespace storefuzz::program
