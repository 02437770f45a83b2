// By PyIter_Send, which gives a result without a StopIteration.
#include "harness/worker/drive.h"

#include "harness/worker/interpreter.h"

namespace storefuzz::program {
namespace {

bool is_awaitable(PyObject* value) {
  const PyAsyncMethods* methods = Py_TYPE(value)->tp_as_async;
  return methods && methods->am_await;
}

bool is_async_iterator(PyObject* value) {
  const PyAsyncMethods* methods = Py_TYPE(value)->tp_as_async;
  return methods && methods->am_aiter;
}

// A coroutine of what was made; empty: the value is the answer already (zarr 2 has no coroutines),
// or, where an exception is set, there is none.
Object coroutine_of(Said said, PyObject* value) {
  if (said == Said::kPlain) return {};
  if (said == Said::kIterator || said == Said::kHalfIterator) {
    if (!is_async_iterator(value)) return {};
    return steal(
        PyObject_CallOneArg(said == Said::kIterator ? side().collect : side().first, value));
  }
  if (PyCoro_CheckExact(value)) return borrow(value);
  return is_awaitable(value) ? steal(PyObject_CallOneArg(side().awaited, value)) : Object();
}

}  // namespace

void Driver::begin() {
  loop_ = PyObject_CallNoArgs(side().inline_loop);
  if (!set_running_)
    set_running_ = py::module_::import("asyncio.events")
                       .attr("_set_running_loop")
                       .cast<Object>()
                       .release()
                       .ptr();
}

Object Driver::run(Said said, Object value, By by) {
  if (!value) return {};
  const Object coroutine = coroutine_of(said, value.ptr());
  value = coroutine ? Object() : value;  // a half iterator belongs to its coroutine alone
  if (!coroutine) return PyErr_Occurred() ? Object() : value;
  if (by == By::kSync && side().sync != Py_None)
    return steal(PyObject_CallOneArg(side().sync, coroutine.ptr()));
  return by_hand(coroutine.ptr());
}

Object Driver::by_hand(PyObject* coroutine) {
  if (!set_running(true)) return {};
  for (;;) {
    PyObject* result = nullptr;
    const PySendResult sent = PyIter_Send(coroutine, Py_None, &result);
    const Object given = steal(result);
    const Object raised = sent == PYGEN_ERROR ? steal(PyErr_GetRaisedException()) : Object();
    set_running(false);
    if (sent == PYGEN_RETURN) return given;
    if (sent == PYGEN_ERROR) {
      PyErr_SetRaisedException(borrow(raised.ptr()).release().ptr());
      return {};
    }
    if (!wait(given.ptr()) || !set_running(true)) return {};
  }
}

bool Driver::set_running(bool running) {
  return bool(steal(PyObject_CallOneArg(set_running_, running ? loop_ : Py_None)));
}

bool Driver::wait(PyObject* awaited) {
  waited_ = true;
  return bool(steal(PyObject_CallFunctionObjArgs(side().wait, loop_, awaited, nullptr)));
}

void Driver::settle() {
  if (!waited_) return;
  waited_ = false;
  if (!steal(PyObject_CallOneArg(side().settle, loop_))) PyErr_Clear();
}

}  // namespace storefuzz::program
