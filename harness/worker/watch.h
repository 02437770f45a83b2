// Crash states: the case's folder as it was at some moment within a call.
//
// A state of the disk changes only in a call out of Python code: to the kernel, or to native code
// that calls it. sys.monitoring (PEP 669) reports each return of a C function; after each, the
// folder is compared with what was last seen, and copied if it differs. C_RETURN and C_RAISE are
// reported only where CALL is set as well.
//
//     Watch watch;
//     watch.begin(folder);
//     …
//     std::vector<Snapshot> states = watch.end();
#pragma once

#include <string>
#include <vector>

#include "harness/wire/orders.h"
#include "harness/worker/folder.h"

namespace storefuzz::program {

inline constexpr std::size_t kMostSnapshots = 64;           // of one call
inline constexpr std::size_t kMostSnapshotBytes = 1 << 20;  // of one snapshot; larger: left out

class Watch {
 public:
  // From here on, in this thread. The folder has just been read: that state is none of the call's.
  void begin(Folder& folder);
  std::vector<Snapshot> end();

  void look();  // for the callback

 private:
  Folder* folder_ = nullptr;
  std::vector<Snapshot> seen_;
};

// While this lives, nothing is looked at: other threads are at work (zarr's loop, obstore's own),
// and how far they got at some return in this thread would be chance.
class Unwatched {
 public:
  Unwatched();
  ~Unwatched();
  Unwatched(const Unwatched&) = delete;

 private:
  bool before_;
};

}  // namespace storefuzz::program
