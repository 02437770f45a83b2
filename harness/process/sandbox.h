// Containment: after one call, this process cannot change a file outside its scratch folder.
//
// The subject writes and deletes wherever a key leads, and `LocalStore.delete("../../x")` leads
// out. Landlock (Linux 5.13) forbids that in the kernel, without root, for the calling process and
// all that it starts later, forked or executed. A process cannot undo the restriction. Reading and
// executing stay free everywhere, as do descriptors that are open already.
//
// Call this before any thread starts: Landlock binds the calling thread and what comes from it, so
// a process with more than one thread is refused. Each call adds a layer, inherited by children,
// and the kernel allows 16.
//
// Not covered, because Landlock does not: chmod, chown, times, extended attributes, ioctl, sockets.
//
//     Result<Containment> contained = forbid_writes_outside(run / "scratch");
//     if (!contained) return std::unexpected(contained.error());
//     if (contained->landlock_abi == 0) warn(contained->sentence);
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "harness/base/error.h"

namespace storefuzz {

// What holds from now on.
struct Containment {
  // The version of Landlock in force; 0: the kernel has none, nothing is forbidden. Version 1 also
  // forbids to rename or link from one folder to another inside scratch; truncating outside is
  // forbidden from version 3 (Linux 6.2) on.
  int landlock_abi = 0;

  // The same for a person: one sentence that names scratch and, if there is one, the gap.
  std::string sentence;
};

// Forbids to write, truncate, create, remove, rename or link anything, and to make folders,
// devices, sockets, FIFOs or symbolic links, except below the folder `scratch`, below or at
// `also_writable`, and in /dev/null and /dev/zero. An attempt fails with EACCES, or EXDEV for a
// rename or link that only crosses the border. `multiprocessing` makes its semaphores in /dev/shm:
// name it if they are needed. Also sets PR_SET_NO_NEW_PRIVS, so set-user-id programs stay
// powerless.
//
// A kernel without Landlock is no error: `landlock_abi` is 0. bad_input: `scratch` is no folder, or
// a path of `also_writable` does not exist. machine_failure: more than one thread, a 17th layer, or
// the kernel refuses. After an error nothing is forbidden that was not before, but
// PR_SET_NO_NEW_PRIVS may be set.
Result<Containment> forbid_writes_outside(
    const std::filesystem::path& scratch,
    std::span<const std::filesystem::path> also_writable = {});

namespace internal {

// The rights (LANDLOCK_ACCESS_FS_…) of version `abi` that change files; all others stay free.
std::uint64_t rights_that_write(int abi);

// As forbid_writes_outside, with no more than what version `most_abi` of Landlock can do.
Result<Containment> forbid_writes_outside(const std::filesystem::path& scratch,
                                          std::span<const std::filesystem::path> also_writable,
                                          int most_abi);

}  // namespace internal
}  // namespace storefuzz
