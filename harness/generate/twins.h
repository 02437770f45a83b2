// Program → the same program over other kinds of store: what the stores are, but not what is done.
//
// Where a kind cannot do what the steps ask of the place (it takes no such content, has no such
// mode), there is no twin.
//
//     for (const Case& twin : twins_of(value, stores)) play(twin);
#pragma once

#include <vector>

#include "harness/case/program.h"
#include "harness/case/store.h"

namespace storefuzz::program {

// One for each kind of `stores` that every make of the program can become, below its wrappers. The
// steps are as many as those of the program, each about the same. Crash states cost much: they are
// taken only where a difference within a call is asked for (kAsInTheProgram).
enum class CrashStates { kNone, kAsInTheProgram };
std::vector<Case> twins_of(const Case& value, const Stores& stores,
                           CrashStates crash_states = CrashStates::kNone);

}  // namespace storefuzz::program
