// Tables over performing.py.
#include "harness/worker/kinds.h"

#include <unordered_map>

#include "harness/worker/interpreter.h"

namespace storefuzz::program {
namespace {

constexpr std::size_t kMostKinds = 2000;  // a subject may make classes as it goes

// What performing.py says to a word, asked once. It does not raise; if it does, there is nothing.
template <class... Before>
PyObject* once(std::optional<Object>& known, PyObject* function, std::string_view word,
               Before... before) {
  if (!known) {
    const Object text = text_object(word);
    known = steal(PyObject_CallFunctionObjArgs(function, before..., text.ptr(), nullptr));
    PyErr_Clear();
  }
  return *known && !known->is_none() ? known->ptr() : nullptr;
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
  return once(operations_.at(static_cast<std::size_t>(op)), side().operation, name_of(op),
              type_.ptr());
}

PyObject* Kind::put(Cargo cargo) {
  return once(puts_.at(static_cast<std::size_t>(cargo)), side().put, name_of(cargo), type_.ptr());
}

PyObject* taker(Cargo cargo) {
  static auto& all = *new std::array<std::optional<Object>, 8>;
  return once(all.at(static_cast<std::size_t>(cargo)), side().take, name_of(cargo));
}

Kind& kind_of(PyObject* object) {
  static auto& kinds = *new std::unordered_map<PyTypeObject*, std::unique_ptr<Kind>>;
  if (kinds.size() > kMostKinds) kinds.clear();
  std::unique_ptr<Kind>& kind = kinds[Py_TYPE(object)];
  if (!kind) kind = std::make_unique<Kind>(Py_TYPE(object));
  return *kind;
}

const Ways* carrier_ways(Carrier carrier) {
  static auto& all = *new std::array<std::optional<Object>, 16>;
  static auto& ways = *new std::array<Ways, 16>;
  const auto at = static_cast<std::size_t>(carrier);
  PyObject* both = once(all.at(at), side().carrier, name_of(carrier));
  if (!both) return nullptr;
  if (!ways.at(at).there)
    ways.at(at) = {borrow(PyTuple_GET_ITEM(both, 0)), borrow(PyTuple_GET_ITEM(both, 1))};
  return &ways.at(at);
}

}  // namespace storefuzz::program
