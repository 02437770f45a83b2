// Ctrl-C, and the other signals that ask a command to end.
//
// A command that is asked to end finishes what it can say in a moment; what only waits for another
// process (an installation, a worker) stops waiting. Processes below us are killed by whoever
// started them.
//
//     count_interruptions();
//     while (!interrupted()) play_next();
#pragma once

namespace storefuzz {

// From now on SIGINT, SIGTERM and SIGHUP are counted, and end nothing by themselves.
void count_interruptions();

// How often one of them arrived. SIGTERM counts twice, as an impatient Ctrl-C does: who sends it
// (systemd, a CI job that was cancelled) soon sends SIGKILL.
int interruptions();

// Whether one arrived.
inline bool interrupted() { return interruptions() > 0; }

// Whether whoever waits is impatient: then what is half done is left as it is.
inline bool cut_short() { return interruptions() > 1; }

}  // namespace storefuzz
