// How the store of a make step is made, as Python text: what a worker compiles and a script quotes.
//
//     make_text(make)  // zarr.storage.ZipStore(path, mode="r")
#pragma once

#include <string>

#include "harness/case/program.h"

namespace storefuzz::program {

// An expression over `path`, the place of the store as text, `inner`, the handle that a wrapper is
// put around, and `server`, the address of a server that gives the case's folder. It needs the
// imports of the adapter, `os` and `zarr.storage`.
std::string make_text(const Make& make);

// What a place is called below the case's folder: "z.zip" or "z"; empty for a store in memory.
std::string file_name(const std::string& place, Medium medium);
std::string file_name(const Make& make);

}  // namespace storefuzz::program
