// By PyIter_Send, which gives a result without a StopIteration.
#include "harness/worker/drive.h"

#include <vector>

#include "harness/worker/interpreter.h"
#include "harness/worker/watch.h"

namespace storefuzz::program {
namespace {

bool is_awaitable(PyObject* value) {
  const PyAsyncMethods* methods = Py_TYPE(value)->tp_as_async;
  return methods && methods->am_await;
}

Object vectorcall(PyObject* function, std::span<PyObject* const> arguments) {
  return steal(PyObject_Vectorcall(function, arguments.data(), arguments.size(), nullptr));
}

// The call is made within the coroutine that collects, where a loop runs; by `sync` beside it, as
// zarr's own `collect_aiterator` takes what was called already.
Object collected(Said said, PyObject* function, std::span<PyObject* const> arguments, By by) {
  PyObject* const collect = said == Said::kIterator ? side().collect : side().first;
  if (by == By::kSync) {
    const Object called = vectorcall(function, arguments);
    return called ? steal(PyObject_CallOneArg(collect, called.ptr())) : Object();
  }
  std::vector<PyObject*> all{function};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return vectorcall(collect, all);
}

}  // namespace

void Driver::begin() {
  loop_ = PyObject_CallNoArgs(side().inline_loop);
  task_ = PyObject_GetAttrString(loop_, "caller");
  if (set_running_) return;
  const auto function = [](const char* module, const char* name) {
    return py::module_::import(module).attr(name).cast<Object>().release().ptr();
  };
  set_running_ = function("asyncio.events", "_set_running_loop");
  enter_ = function("asyncio.tasks", "_enter_task");
  leave_ = function("asyncio.tasks", "_leave_task");
}

Object Driver::run(Said said, PyObject* function, std::span<PyObject* const> arguments, By by) {
  const bool iterates = said == Said::kIterator || said == Said::kHalfIterator;
  Object made =
      iterates ? collected(said, function, arguments, by) : vectorcall(function, arguments);
  if (!made || said == Said::kPlain) return made;
  if (!PyCoro_CheckExact(made.ptr())) {
    if (!is_awaitable(made.ptr())) return made;  // zarr 2 has no coroutines
    made = steal(PyObject_CallOneArg(side().awaited, made.ptr()));
    if (!made) return {};
  }
  if (by == By::kSync && side().sync != Py_None) {
    const Unwatched others_work;
    return steal(PyObject_CallOneArg(side().sync, made.ptr()));
  }
  return by_hand(made.ptr());
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
  const auto task = [&](PyObject* does) {
    return bool(steal(PyObject_CallFunctionObjArgs(does, loop_, task_, nullptr)));
  };
  if (!running && !task(leave_)) return false;
  if (!steal(PyObject_CallOneArg(set_running_, running ? loop_ : Py_None))) return false;
  return !running || task(enter_);
}

bool Driver::wait(PyObject* awaited) {
  const Unwatched others_work;
  waited_ = true;
  return bool(steal(PyObject_CallFunctionObjArgs(side().wait, loop_, awaited, nullptr)));
}

void Driver::settle() {
  if (!waited_) return;
  waited_ = false;
  if (!steal(PyObject_CallOneArg(side().settle, loop_))) PyErr_Clear();
}

}  // namespace storefuzz::program
