// CPython's interface, as the worker uses it: references by pybind11, everything else plain C.
//
//     const Object name = steal(PyObject_GetAttrString(kind, "__name__"));
//     if (!name) return refusal();   // the exception is set
#pragma once

#include <pybind11/embed.h>
#include <pybind11/stl.h>

#include <string>
#include <string_view>

namespace storefuzz::program {

namespace py = pybind11;

using Object = py::object;  // a reference of ours; empty where a call raised

inline Object steal(PyObject* made) { return py::reinterpret_steal<Object>(made); }
inline Object borrow(PyObject* held) { return py::reinterpret_borrow<Object>(held); }

// Names on the wire are bytes; those that are no UTF-8 become what os.fsdecode makes of them.
inline Object text_object(std::string_view text) {
  return steal(
      PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "surrogateescape"));
}

// And back. A text that no bytes give (a lone surrogate of the subject's) is spelled out.
inline std::string bytes_of_text(PyObject* text) {
  py::ssize_t size = 0;
  if (const char* bytes = PyUnicode_AsUTF8AndSize(text, &size))
    return {bytes, static_cast<std::size_t>(size)};
  PyErr_Clear();
  Object spelled = steal(PyUnicode_AsEncodedString(text, "utf-8", "surrogateescape"));
  if (!spelled) {
    PyErr_Clear();
    spelled = steal(PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace"));
  }
  if (!spelled) {
    PyErr_Clear();
    return "";
  }
  return {PyBytes_AS_STRING(spelled.ptr()),
          static_cast<std::size_t>(PyBytes_GET_SIZE(spelled.ptr()))};
}

}  // namespace storefuzz::program
