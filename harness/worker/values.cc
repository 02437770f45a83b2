// By the C interface: an answer costs a microsecond, not ten.
#include "harness/worker/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "harness/base/text.h"
#include "harness/worker/interpreter.h"
#include "harness/worker/kinds.h"

namespace storefuzz::program {
namespace {

// str(value) or repr(value). A subject's own may raise, or be endless.
std::string text_by(PyObject* (*function)(PyObject*), PyObject* value, const Replacements& names) {
  const Object text = steal(function(value));
  if (!text) {
    PyErr_Clear();
    return fmt::format("<{} without text>", type_name(value));
  }
  return plain_text(shorten(bytes_of_text(text.ptr()), kMostBytes), names);
}

Text too_large(std::size_t size, const char* of) { return {fmt::format("{} {}", size, of)}; }

Shown shown_bytes_of(PyObject* value, const Replacements& names) {
  Py_buffer view;
  if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) != 0) {
    PyErr_Clear();
    return Text{text_by(PyObject_Repr, value, names)};
  }
  const auto size = static_cast<std::size_t>(view.len);
  Shown answer = too_large(size, "bytes");
  if (size <= kMostBytes) answer = BytesValue{{static_cast<const char*>(view.buf), size}};
  PyBuffer_Release(&view);
  return answer;
}

// The bytes of a zarr Buffer, or of what is bytes already; nothing: it is neither.
std::optional<Bytes> bytes_of(PyObject* value) {
  Object bytes = borrow(value);
  if (kind_of(value).is_buffer()) bytes = steal(PyObject_CallMethod(value, "to_bytes", nullptr));
  if (!bytes) PyErr_Clear();
  if (!bytes || !PyBytes_Check(bytes.ptr())) return std::nullopt;
  const auto size = static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.ptr()));
  if (size > kMostBytes) return std::nullopt;
  return Bytes(PyBytes_AS_STRING(bytes.ptr()), size);
}

std::int64_t to_number(PyObject* value) { return PyLong_AsLongLong(value); }

// Elements of a list or tuple, all of one sort.
std::optional<Shown> shown_list(PyObject* list, Gives gives, std::size_t size,
                                const Replacements& replacements) {
  PyObject** items = PySequence_Fast_ITEMS(list);
  const auto all = [&](auto is) { return std::all_of(items, items + size, is); };
  const bool no_names = gives == Gives::kBytesList || gives == Gives::kNumbers;
  if (all([](PyObject* it) { return PyUnicode_Check(it); }) && !(size == 0 && no_names)) {
    Names names;
    for (std::size_t i = 0; i < size; ++i)
      names.names.push_back(without_chance(replaced(bytes_of_text(items[i]), replacements)));
    return names;
  }
  if (gives != Gives::kBytesList && all([](PyObject* it) { return PyLong_Check(it); })) {
    Numbers numbers;
    for (std::size_t i = 0; i < size; ++i) numbers.numbers.push_back(to_number(items[i]));
    const bool fit = !PyErr_Occurred();
    PyErr_Clear();
    if (fit) return numbers;
    return std::nullopt;
  }
  BytesList list_of_bytes;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < size; ++i) {
    std::optional<Bytes> item;
    if (items[i] != Py_None && !(item = bytes_of(items[i]))) return std::nullopt;
    bytes += item ? item->size() : 0;
    if (bytes > kMostBytes) return std::nullopt;
    list_of_bytes.values.push_back(std::move(item));
  }
  return list_of_bytes;
}

Shown shown_dict(PyObject* dict, const Replacements& names) {
  Attributes attributes;
  PyObject *key, *value;
  for (py::ssize_t at = 0; PyDict_Next(dict, &at, &key, &value);) {
    const auto text = [&](PyObject* it) { return text_by(PyObject_Str, it, names); };
    attributes.values.emplace_back(text(key), text(value));
  }
  std::ranges::sort(attributes.values);
  return attributes;
}

// What numpy calls an item's type → the number behind it; others have no form of their own here.
std::optional<std::int64_t> element(const char* bytes, char format) {
  const auto as = [&]<class T>(T value) {
    std::memcpy(&value, bytes, sizeof value);
    return static_cast<std::int64_t>(value);
  };
  switch (format) {
    case '?':
    case 'B':
      return as(std::uint8_t{});
    case 'b':
      return as(std::int8_t{});
    case 'H':
      return as(std::uint16_t{});
    case 'h':
      return as(std::int16_t{});
    case 'I':
      return as(std::uint32_t{});
    case 'i':
      return as(std::int32_t{});
    case 'L':
    case 'Q':
      return as(std::uint64_t{});
    case 'l':
    case 'q':
      return as(std::int64_t{});
    default:
      return std::nullopt;
  }
}

std::optional<Shown> shown_array(PyObject* array) {
  Py_buffer view;
  if (PyObject_GetBuffer(array, &view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS) != 0) {
    PyErr_Clear();
    return std::nullopt;
  }
  const std::string_view format = view.format ? view.format : "B";
  const auto count = static_cast<std::size_t>(view.itemsize > 0 ? view.len / view.itemsize : 0);
  std::optional<Shown> answer;
  if (format.size() == 1 && count <= kMostItems) {
    Numbers numbers;
    const char* at = static_cast<const char*>(view.buf);
    for (std::size_t i = 0; i < count; ++i, at += view.itemsize)
      if (const auto number = element(at, format[0])) numbers.numbers.push_back(*number);
    if (numbers.numbers.size() == count) answer = std::move(numbers);
  }
  PyBuffer_Release(&view);
  return answer;
}

// "zarr/storage/_zip.py:get": the subject's innermost frame. Walking costs a microsecond;
// traceback.extract_tb looks for the source line of every frame.
std::string innermost_frame(PyObject* exception) {
  const std::string& subject = side().prefixes[0].first;
  std::string found;
  const Object first = steal(PyException_GetTraceback(exception));
  for (auto* it = reinterpret_cast<PyTracebackObject*>(first.ptr()); it; it = it->tb_next) {
    const Object code = steal(reinterpret_cast<PyObject*>(PyFrame_GetCode(it->tb_frame)));
    const auto* of = reinterpret_cast<PyCodeObject*>(code.ptr());
    std::string file = bytes_of_text(of->co_filename);
    if (file.starts_with(subject))
      found = file.substr(subject.size()) + ":" + bytes_of_text(of->co_name);
  }
  return found;
}

}  // namespace

Shown shown(PyObject* value, Gives gives, const Replacements& names) {
  if (value == Py_None) return None{};
  if (PyBool_Check(value)) return value == Py_True;
  if (PyLong_Check(value)) {
    int overflow = 0;
    const std::int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow == 0) return number;
    return Text{text_by(PyObject_Repr, value, names)};  // Python itself bounds the digits
  }
  if (PyUnicode_Check(value)) return Text{text_by(PyObject_Str, value, names)};
  if (PyBytes_Check(value) || PyByteArray_Check(value)) return shown_bytes_of(value, names);
  if (kind_of(value).is_buffer()) {
    const Object bytes = steal(PyObject_CallMethod(value, "to_bytes", nullptr));
    if (bytes) return shown_bytes_of(bytes.ptr(), names);
    PyErr_Clear();
  }
  if (PyList_Check(value) || PyTuple_Check(value)) {
    const auto size = static_cast<std::size_t>(PySequence_Fast_GET_SIZE(value));
    if (size > kMostItems) return too_large(size, "items");
    if (auto list = shown_list(value, gives, size, names)) return *list;
    return Text{text_by(PyObject_Repr, value, names)};
  }
  if (PyDict_Check(value)) return shown_dict(value, names);
  if (PyFloat_Check(value)) return Text{text_by(PyObject_Repr, value, names)};
  if (PyObject_CheckBuffer(value))
    if (auto array = shown_array(value)) return *array;
  return Text{type_name(value)};
}

Refusal refusal(const Replacements& names) {
  const Object exception = steal(PyErr_GetRaisedException());
  if (!exception) return {.type = "SystemError", .text = "refused without an exception"};
  const std::string text = text_by(PyObject_Str, exception.ptr(), names);
  return {.type = type_name(exception.ptr()),
          .text = std::string(shorten(text, kMostText)),
          .frame = innermost_frame(exception.ptr())};
}

}  // namespace storefuzz::program
