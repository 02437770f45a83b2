// The state of a store or path: every attribute and property of it, and of the stores it holds.
#pragma once

#include "harness/worker/python.h"

namespace storefuzz::program {

// Gives the lines of operations.json a function `state`: handle → dict of name → text. Plain values
// are told as they are written, a path as its text; of other objects, whose text may hold an
// address, the class; of an attribute that is lost, its refusal. A store within is told by its
// attributes too: "_store.read_only".
//
// It is made in C, since programs ask for a state more often than for anything else.
void offer_state();

}  // namespace storefuzz::program
