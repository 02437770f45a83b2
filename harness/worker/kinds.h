// Classes of the subject's objects, and what can be done with them: a Python function for each
// operation and cargo, made when it is first needed and kept.
//
//     const Kind& kind = kind_of(handle);
//     if (PyObject* function = kind.operation(Op::kGet)) …
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "harness/case/operations.h"
#include "harness/case/words.h"
#include "harness/worker/python.h"

namespace storefuzz::program {

// Two functions that belong together: there and back.
struct Ways {
  Object there, back;
};

class Kind {
 public:
  explicit Kind(PyTypeObject* type);

  const std::string& name() const { return name_; }  // of the class, without its module
  bool is_buffer() const { return is_buffer_; }      // zarr's own kind of bytes

  // handle, key, value, start, end, other, flag → answer. nullptr: there is none.
  PyObject* operation(Op op);
  // handle → what travels. nullptr: such a handle does not travel so.
  PyObject* put(Cargo cargo);

 private:
  Object type_;  // keeps the class, and so its address
  std::string name_;
  bool is_buffer_ = false;
  std::array<std::optional<Object>, 64> operations_;
  std::array<std::optional<Object>, 8> puts_;
};

Kind& kind_of(PyObject* object);

// What travelled → the handle. nullptr: there is no such cargo.
PyObject* taker(Cargo cargo);

// pack and receive. nullptr: this environment lacks the carrier.
const Ways* carrier_ways(Carrier carrier);

// The name of an object's class.
std::string type_name(PyObject* object);

}  // namespace storefuzz::program
