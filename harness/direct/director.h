// Directs workers through a program: case → observation. Nothing is judged.
//
// Consecutive orders to one process are a stretch: one frame there and one back. A stretch ends
// before an order to another process. After each order that may change the disk the worker's C++
// looks at the case's folder and tells what it found; after what the director does itself, the
// director looks. Where a stretch ends in a hang or a death, nobody can tell which order it was:
// the program is played once more, an order a stretch.
//
//     Director director(*zygote, {.folder = scratch / "program"});
//     Result<Observation> seen = director.play(value);
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "harness/base/error.h"
#include "harness/case/program.h"
#include "harness/direct/workers.h"
#include "harness/wire/observation.h"

namespace storefuzz::program {

class Director {
 public:
  struct Options {
    std::filesystem::path folder;  // below the run's scratch folder; of this director alone
    Patience patience = {};        // how long a stretch may take
  };
  Director(Workers& workers, Options options);

  // machine_failure: no worker can be had, or the folder cannot be used.
  Result<Observation> play(const Case& value);

 private:
  Workers& workers_;
  Options options_;
};

// Whether a program needs zarr's own event loop: calls by `sync`, arrays, and stores whose
// coroutines really wait. Its workers have the loop from their birth, so that what a fork inherits
// does not depend on what a worker played before.
bool needs_loop(const Case& value);

}  // namespace storefuzz::program
