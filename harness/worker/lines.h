// Which lines of the subject ran: a byte a line, in memory that all processes of an engine share.
//
// sys.monitoring reports a line, which is then disabled and costs nothing more: each process tells
// each line once.
#pragma once

#include <cstddef>

#include "harness/base/error.h"

namespace storefuzz::program {

// Counts lines into a memory file from here on, as numbered by reference/side/guidance.py, so that
// all processes agree. The number of lines. machine_failure: the file cannot be mapped.
Result<std::size_t> count_lines(int memory_file);

}  // namespace storefuzz::program
