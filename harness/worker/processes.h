// Processes that are copies of this one: workers born of the zygote, and what a worker forks.
//
//     pid_t pid = bear(starter);   // 0: this is the worker
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace storefuzz::program {

// A copy of this process, of one thread, whose parent is ours (CLONE_PARENT). 0 in the copy;
// negative: an errno. It dies with `starter`, which it has for its parent.
pid_t bear(pid_t starter);

// As os.fork() does it, for a process of several threads. The copy goes on without its parent, as
// long as `starter`, then its new parent (PR_SET_CHILD_SUBREAPER), lives.
pid_t fork_worker(pid_t starter);

// What sys.exit(0) does: atexit, threads, the modules and what they hold. `threads`: so many have
// nothing to do with what this process held. Where no others are left, and no module but those of
// the zygote, which was prepared, the modules stay.
void prepare_exit();
[[noreturn]] void exit_by_python(std::size_t threads);

std::size_t thread_count();  // of this process; the greatest number: not known

}  // namespace storefuzz::program
