// A worker at work: a frame of orders in, a frame of replies out, until its socket ends.
#pragma once

#include <sys/types.h>

#include "harness/wire/channel.h"
#include "harness/worker/performer.h"

namespace storefuzz::program {

// In a worker and in what it forks. `starter`: the process that directs them.
[[noreturn]] void serve(Channel channel, Performer& performer, pid_t starter);

}  // namespace storefuzz::program
