// Tables over performing.py.
#include "harness/worker/kinds.h"

#include <unordered_map>

#include "harness/worker/interpreter.h"

namespace storefuzz::program {
namespace {

constexpr std::size_t kMostKinds = 2000;  // a subject may make classes as it goes

// A pair of functions, or none.
Ways ways_from(Object made) {
  if (!made) PyErr_Clear();  // performing.py does not raise here; if it does, there is none
  if (!made || !PyTuple_Check(made.ptr())) return {};
  return {borrow(PyTuple_GET_ITEM(made.ptr(), 0)), borrow(PyTuple_GET_ITEM(made.ptr(), 1))};
}

}  // namespace

std::string type_name(PyObject* object) {
  const Object name = steal(PyType_GetName(Py_TYPE(object)));
  if (name) return bytes_of_text(name.ptr());
  PyErr_Clear();
  return "?";
}

Kind::Kind(PyTypeObject* type) : type_(borrow(reinterpret_cast<PyObject*>(type))) {
  const Object name = steal(PyType_GetName(type));
  if (name) name_ = bytes_of_text(name.ptr());
  const Object buffer = steal(PyObject_CallOneArg(side().is_buffer, type_.ptr()));
  is_buffer_ = buffer.ptr() == Py_True;
  PyErr_Clear();
}

PyObject* Kind::operation(Op op) {
  std::optional<Object>& function = operations_.at(static_cast<std::size_t>(op));
  if (!function) {
    const Object word = text_object(name_of(op));
    function =
        steal(PyObject_CallFunctionObjArgs(side().operation, type_.ptr(), word.ptr(), nullptr));
    PyErr_Clear();
  }
  return *function && !function->is_none() ? function->ptr() : nullptr;
}

const Ways* Kind::cargo(Cargo cargo) {
  std::optional<Ways>& ways = cargos_.at(static_cast<std::size_t>(cargo));
  if (!ways) {
    const Object word = text_object(name_of(cargo));
    ways = ways_from(
        steal(PyObject_CallFunctionObjArgs(side().cargo, type_.ptr(), word.ptr(), nullptr)));
  }
  return ways->there ? &*ways : nullptr;
}

Kind& kind_of(PyObject* object) {
  static auto& kinds = *new std::unordered_map<PyTypeObject*, std::unique_ptr<Kind>>;
  if (kinds.size() > kMostKinds) kinds.clear();
  std::unique_ptr<Kind>& kind = kinds[Py_TYPE(object)];
  if (!kind) kind = std::make_unique<Kind>(Py_TYPE(object));
  return *kind;
}

const Ways* carrier_ways(Carrier carrier) {
  static auto& all = *new std::array<std::optional<Ways>, 16>;
  std::optional<Ways>& ways = all.at(static_cast<std::size_t>(carrier));
  if (!ways) {
    const Object word = text_object(name_of(carrier));
    ways = ways_from(steal(PyObject_CallOneArg(side().carrier, word.ptr())));
  }
  return ways->there ? &*ways : nullptr;
}

}  // namespace storefuzz::program
