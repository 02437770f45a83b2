// Ctrl-C, and the other signals that ask a command to end.
//
// A command that is asked to end finishes what it can say in a moment; what only waits for another
// process (an installation, a player) stops waiting. Processes below us are killed by whoever
// started them.
//
//     count_interruptions();
//     while (interruptions() == 0) play_next();
#pragma once

namespace storefuzz {

// From now on SIGINT, SIGTERM and SIGHUP are counted, and end nothing by themselves.
void count_interruptions();

// How often one of them arrived.
int interruptions();

}  // namespace storefuzz
