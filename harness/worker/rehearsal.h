// Every operation done once in the zygote, so that no worker pays for a first time: a cold one's
// first call costs two milliseconds more.
#pragma once

#include <string>

#include "harness/worker/performer.h"

namespace storefuzz::program {

// zarr's event loop is not started: its thread would be missing in the workers. So what is done by
// it (arrays and groups) is left out. Nothing is done where a copy of this process hangs in it or
// dies: what is wrong with the subject is for a program to find.
void rehearse(Performer& performer, const std::string& scratch);

}  // namespace storefuzz::program
