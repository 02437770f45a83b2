// Starts the CPython that is linked into this process.
//
//     if (auto started = start_embedded_python("env/bin/python"); !started) return started;
#pragma once

#include <string>

#include "harness/base/error.h"

namespace storefuzz {

// `python`: an environment's interpreter, whose site-packages become the embedded ones
// (PyConfig.executable). The hash seed is pinned, so that sets have one order; no signal handler is
// installed; no bytecode is written, because the sandbox forbids it. machine_failure: Python does
// not start.
Result<void> start_embedded_python(const std::string& python);

}  // namespace storefuzz
