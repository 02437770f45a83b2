// The command lines of readers by their names, whose environments are made on first use.
//
// libzip, libzip-checked, libarchive and libarchive-seeking are the program storefuzz-reader of
// this build; all others stand in reference/readers/readers.json and are made by install.py there.
//
//     auto commands = reader_commands({"libzip", "zarr==3.0.2"});
//     if (!commands) return std::unexpected(commands.error());
//     Result<Panel> panel = Panel::start(*commands, {});
#pragma once

#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/readers/panel.h"
#include "harness/readers/reader_names.h"

namespace storefuzz {

// Those of storefuzz-reader that a run asks about every archive: libzip and libarchive. Fuzzing
// services move a target out of its build folder: then there are none.
std::vector<ReaderCommand> readers_beside_us();

// The commands, in the order of the names; zarr may have a release, and is called "zarr" with any.
// bad_input: a name that there is not, a name twice, a release that there is not. machine_failure:
// an environment cannot be made, in install.py's own words.
Result<std::vector<ReaderCommand>> reader_commands(const std::vector<std::string>& names);

}  // namespace storefuzz
