// A C function as sys.monitoring's callback, under a tool number of its own.
#include "harness/worker/watch.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "harness/worker/python.h"

namespace storefuzz::program {
namespace {

constexpr int kTool = 4;  // 0 to 2 and 5 are taken by convention: debugger, coverage, profilers

Watch* watching = nullptr;  // by the thread below
pthread_t watched{};
bool paused = false;

// Methods of plain values, and functions of the language itself, reach no file.
bool is_plain(PyTypeObject* type) {
  static PyTypeObject* const kPlain[] = {&PyUnicode_Type, &PyBytes_Type, &PyDict_Type,
                                         &PyList_Type,    &PyTuple_Type, &PySet_Type,
                                         &PyLong_Type,    &PyType_Type};
  return std::ranges::find(kPlain, type) != std::end(kPlain);
}

bool is_harmless(PyObject* called) {
  static PyObject* const builtins = PyImport_AddModule("builtins");
  if (PyType_Check(called)) return is_plain(reinterpret_cast<PyTypeObject*>(called));
  if (Py_IS_TYPE(called, &PyMethodDescr_Type)) return is_plain(PyDescr_TYPE(called));
  if (!PyCFunction_CheckExact(called)) return false;
  PyObject* self = PyCFunction_GET_SELF(called);
  if (!self) return false;
  const char* name = reinterpret_cast<PyCFunctionObject*>(called)->m_ml->ml_name;
  return self == builtins ? std::string_view(name) != "open" : is_plain(Py_TYPE(self));
}

PyObject* on_return(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  if (watching && !paused && pthread_equal(watched, pthread_self()) && count > 2 &&
      !is_harmless(arguments[2]))
    watching->look();
  Py_RETURN_NONE;
}

// sys.monitoring as far as it is needed.
struct Monitoring {
  Object set_events;
  py::object on, off;

  Monitoring() {
    static PyMethodDef definition{"storefuzz_watch", _PyCFunction_CAST(on_return), METH_FASTCALL,
                                  nullptr};
    const py::object monitoring = py::module_::import("sys").attr("monitoring");
    const py::object events = monitoring.attr("events");
    const Object callback = steal(PyCFunction_New(&definition, nullptr));
    monitoring.attr("use_tool_id")(kTool, "storefuzz watch");
    for (const char* event : {"C_RETURN", "C_RAISE"})
      monitoring.attr("register_callback")(kTool, events.attr(event), callback);
    set_events = monitoring.attr("set_events");
    on = events.attr("CALL") | events.attr("C_RETURN") | events.attr("C_RAISE");
    off = py::int_(0);
  }
  void set(const py::object& events) const { set_events(kTool, events); }
};

const Monitoring& monitoring() {
  static const auto& self = *new Monitoring;
  return self;
}

}  // namespace

void Watch::begin(Folder& folder) {
  folder_ = &folder;
  seen_.clear();
  watching = this;
  watched = pthread_self();
  monitoring().set(monitoring().on);
}

std::vector<Snapshot> Watch::end() {
  watching = nullptr;
  monitoring().set(monitoring().off);
  look();
  return std::exchange(seen_, {});
}

Unwatched::Unwatched() : before_(std::exchange(paused, true)) {}
Unwatched::~Unwatched() { paused = before_; }

void Watch::look() {
  if (folder_->changed() && seen_.size() < kMostSnapshots && folder_->size() <= kMostSnapshotBytes)
    seen_.push_back(folder_->content());
}

}  // namespace storefuzz::program
