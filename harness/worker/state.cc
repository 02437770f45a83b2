// By PyObject_GetAttr on names that are found out once a class.
#include "harness/worker/state.h"

#include <unordered_map>
#include <vector>

#include "harness/worker/interpreter.h"
#include "harness/worker/kinds.h"

namespace storefuzz::program {
namespace {

constexpr int kMostWrappers = 4;
constexpr std::size_t kMostClasses = 2000;  // a subject may make classes as it goes

// Python's classes that are asked for, and None where a release has none of them.
struct Classes {
  Object path, store, logger;
};

const Classes& classes() {
  static const auto& held = *new Classes{
      .path = py::module_::import("pathlib").attr("PurePath").cast<Object>(),
      .store = borrow(side().store),
      .logger = py::module_::import("logging").attr("Logger").cast<Object>(),
  };
  return held;
}

// What a class declares: the names that are asked of each of its objects.
struct Declared {
  Object type;          // keeps the class, and so its address
  Object names, order;  // as a set, and as a sorted list
};

// nullptr: an exception is set.
const Declared* declared_of(PyTypeObject* type) {
  static auto& known = *new std::unordered_map<PyTypeObject*, Declared>;
  if (known.size() > kMostClasses) known.clear();
  Declared& declared = known[type];
  if (!declared.names) {
    declared.type = borrow(reinterpret_cast<PyObject*>(type));
    declared.names = steal(PyObject_CallOneArg(side().declared, declared.type.ptr()));
    if (declared.names) declared.order = steal(PySequence_List(declared.names.ptr()));
    if (declared.order) PyList_Sort(declared.order.ptr());
  }
  return declared.order ? &declared : nullptr;
}

bool is_plain(PyObject* value) {
  return value == Py_None || PyUnicode_Check(value) || PyBytes_Check(value) ||
         PyLong_Check(value) || PyFloat_Check(value);
}

Object text_of(PyObject* value);

Object list_of(PyObject* list) {
  std::string text = "[";
  for (py::ssize_t at = 0; at < PySequence_Fast_GET_SIZE(list); ++at) {
    const Object item = text_of(PySequence_Fast_GET_ITEM(list, at));
    if (!item) return {};
    text += (at > 0 ? ", " : "") + bytes_of_text(item.ptr());
  }
  return text_object(text + "]");
}

// A logger is pickled as its name: what is lost with another process is its level, its handlers.
Object logger_text(PyObject* logger) {
  std::string text = "<" + type_name(logger);
  for (const char* name : {"level", "handlers"}) {
    const Object value = steal(PyObject_GetAttrString(logger, name));
    const Object told = value ? text_of(value.ptr()) : Object();
    if (!told) return {};
    text += " " + bytes_of_text(told.ptr());
  }
  return text_object(text + ">");
}

Object text_of(PyObject* value) {
  if (is_plain(value)) return steal(PyObject_Repr(value));
  if (PyType_Check(value)) return steal(PyObject_Repr(value));
  const int is_logger = PyObject_IsInstance(value, classes().logger.ptr());
  if (is_logger > 0) return logger_text(value);
  if (is_logger < 0) PyErr_Clear();
  const int is_path = PyObject_IsInstance(value, classes().path.ptr());
  if (is_path > 0) return steal(PyObject_Str(value));
  if (is_path < 0) PyErr_Clear();
  if (PyList_Check(value) || PyTuple_Check(value)) {
    // A list may hold itself.
    if (Py_EnterRecursiveCall(" in the text of a list") != 0) return {};
    Object text = list_of(value);
    Py_LeaveRecursiveCall();
    return text;
  }
  return text_object("<" + type_name(value) + ">");
}

bool is_store(PyObject* value) {
  if (is_plain(value) || classes().store.is_none()) return false;
  const int is = PyObject_IsInstance(value, classes().store.ptr());
  if (is < 0) PyErr_Clear();
  return is > 0;
}

class State {
 public:
  // False: an exception is set.
  bool read(PyObject* handle, const std::string& within, int depth) {
    const Declared* found = declared_of(Py_TYPE(handle));
    if (!found) return false;
    const Declared declared = *found;  // a property may make a class, and the table move
    for (py::ssize_t at = 0; at < PyList_GET_SIZE(declared.order.ptr()); ++at)
      if (!read_one(handle, PyList_GET_ITEM(declared.order.ptr(), at), within, depth)) return false;
    const Object own = steal(PyObject_GetAttr(handle, dict_name()));
    if (!own || !PyDict_Check(own.ptr())) {
      PyErr_Clear();
      return true;
    }
    // A property may change what an object has: the names are taken before they are asked.
    std::vector<Object> names;
    PyObject *name = nullptr, *value = nullptr;
    for (py::ssize_t at = 0; PyDict_Next(own.ptr(), &at, &name, &value);)
      if (PySet_Contains(declared.names.ptr(), name) == 0) names.push_back(borrow(name));
    for (const Object& each : names)
      if (!read_one(handle, each.ptr(), within, depth)) return false;
    return true;
  }

  Object all = steal(PyDict_New());

 private:
  static PyObject* dict_name() {
    static PyObject* const name = PyUnicode_InternFromString("__dict__");
    return name;
  }

  bool read_one(PyObject* handle, PyObject* name, const std::string& within, int depth) {
    const Object value = steal(PyObject_GetAttr(handle, name));
    Object text;
    if (value) text = text_of(value.ptr());
    if (!text) {
      const Object refusal = steal(PyErr_GetRaisedException());
      if (!refusal || !PyErr_GivenExceptionMatches(refusal.ptr(), PyExc_Exception)) {
        PyErr_SetRaisedException(borrow(refusal.ptr()).release().ptr());
        return false;
      }
      text = text_object(type_name(refusal.ptr()));
    }
    const Object full = within.empty() ? borrow(name) : text_object(within + bytes_of_text(name));
    if (!full || !text || PyDict_SetItem(all.ptr(), full.ptr(), text.ptr()) != 0) return false;
    if (!value || depth >= kMostWrappers || !is_store(value.ptr())) return true;
    return read(value.ptr(), bytes_of_text(full.ptr()) + ".", depth + 1);
  }
};

PyObject* state(PyObject*, PyObject* handle) {
  State state;
  if (!state.read(handle, "", 0)) return nullptr;
  return state.all.release().ptr();
}

}  // namespace

void offer_state() {
  static PyMethodDef definition{"state", state, METH_O, nullptr};
  const Object function = steal(PyCFunction_New(&definition, nullptr));
  PyDict_SetItemString(side().names, "state", function.ptr());
}

}  // namespace storefuzz::program
