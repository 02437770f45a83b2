// CPython with the subject's zarr, in this process, and what reference/side/performing.py gives us.
//
// The interpreter starts once. Only a worker that is told to exit in an orderly way shuts it down.
//
//     Result<void> started = start_python(options);
//     Object function = steal(PyObject_CallFunction(side().maker, "s", "zarr.storage.…"));
#pragma once

#include <string>

#include "harness/base/error.h"
#include "harness/wire/plain_text.h"
#include "harness/wire/zygote.h"
#include "harness/worker/python.h"

namespace storefuzz::program {

// Functions of performing.py, and names that go with them. Held as long as the process lives.
struct Side {
  PyObject *is_buffer, *operation, *maker, *carrier, *put, *take;  // tables
  PyObject *bring, *run, *import_early, *lacking;                  // of adapters
  // Coroutines; sync may be None.
  PyObject *sync, *start_loop, *finish, *finish_what_is_left, *collect, *first, *awaited;
  PyObject *inline_loop, *wait, *settle;
  PyObject *lines, *counted, *tidy;
  PyObject *names, *declared, *store;  // what state.cc needs; store may be None
  Replacements prefixes;               // where the subject and the standard library lie
};
const Side &side();

// machine_failure: no zarr there, another Python version than this program was built with.
Result<void> start_python(const ZygoteOptions &options);

// Versions, and what cannot be had here. After start_python.
Result<ReferenceInfo> describe_reference();

}  // namespace storefuzz::program
