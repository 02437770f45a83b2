// The functions of performing.py are looked up once.
#include "harness/worker/interpreter.h"

#include <fmt/format.h>
#include <signal.h>

#include <utility>

#include "harness/case/store.h"
#include "harness/process/process.h"
#include "harness/worker/embedded_python.h"
#include "harness/worker/state.h"

namespace storefuzz::program {
namespace {

Side held;

// What each member of Side is called in performing.py.
constexpr std::pair<PyObject * Side::*, const char*> kFunctions[] = {
    {&Side::is_buffer, "is_buffer"},
    {&Side::operation, "operation"},
    {&Side::maker, "maker"},
    {&Side::carrier, "carrier"},
    {&Side::put, "put"},
    {&Side::take, "take"},
    {&Side::bring, "bring"},
    {&Side::run, "run"},
    {&Side::import_early, "import_early"},
    {&Side::lacking, "lacking"},
    {&Side::sync, "sync"},
    {&Side::start_loop, "start_loop"},
    {&Side::finish, "finish"},
    {&Side::finish_what_is_left, "finish_what_is_left"},
    {&Side::collect, "collect"},
    {&Side::first, "first"},
    {&Side::awaited, "awaited"},
    {&Side::inline_loop, "InlineLoop"},
    {&Side::wait, "wait"},
    {&Side::settle, "settle"},
    {&Side::lines, "lines"},
    {&Side::counted, "counted"},
    {&Side::tidy, "tidy"},
    {&Side::names, "NAMES"},
    {&Side::declared, "declared"},
    {&Side::store, "STORE"},
};

void import_side(const ZygoteOptions& options) {
  const py::module_ sys = py::module_::import("sys");
  sys.attr("path").attr("insert")(0, options.reference + "/side");
  if (!options.planted.empty()) sys.attr("path").attr("append")(options.reference + "/planted");
  for (const std::string& folder : options.folders) sys.attr("path").attr("append")(folder);
  if (options.stacks >= 0) {
    const py::module_ faulthandler = py::module_::import("faulthandler");
    for (const int signal : {kSignalOfStack, kSignalOfStacks})
      faulthandler.attr("register")(signal, py::arg("file") = options.stacks,
                                    py::arg("all_threads") = signal == kSignalOfStacks);
    faulthandler.attr("enable")(py::arg("file") = options.stacks);
  }
  const py::module_ performing = py::module_::import("performing");
  for (const auto& [member, name] : kFunctions)
    held.*member = performing.attr(name).cast<Object>().release().ptr();
  held.prefixes = {{performing.attr("SUBJECT").cast<std::string>(), ""},
                   {performing.attr("STDLIB").cast<std::string>(), ""}};
  offer_state();
  if (!options.planted.empty()) py::module_::import("planted").attr("plant")(options.planted);
}

py::dict adapter_object(StoreKind kind) {
  py::dict about;
  about["kind"] = kind->kind;
  about["imports"] = py::cast(kind->imports);
  about["needs"] = kind->needs;
  about["make"] = kind->make;
  return about;
}

}  // namespace

const Side& side() { return held; }

Result<void> start_python(const ZygoteOptions& options) {
  if (auto started = start_embedded_python(options.python); !started)
    return std::unexpected(started.error());
  try {
    import_side(options);
  } catch (const py::error_already_set& error) {
    return machine_failure(
        fmt::format("the reference does not start in {}: {}", options.python, error.what()));
  }
  return {};
}

Result<ReferenceInfo> describe_reference() {
  try {
    py::list adapters;
    for (const StoreKind kind : all_stores()) adapters.append(adapter_object(kind));
    borrow(held.import_early)(adapters);
    const py::object lacks = borrow(held.lacking)(adapters);
    return ReferenceInfo{
        .zarr = py::module_::import("zarr").attr("__version__").cast<std::string>(),
        .python = std::string(Py_GetVersion(), std::string_view(Py_GetVersion()).find(' ')),
        .stores = lacks["stores"].cast<std::map<std::string, std::string>>(),
        .carriers = lacks["carriers"].cast<std::vector<std::string>>()};
  } catch (const py::error_already_set& error) {
    return machine_failure(fmt::format("performing.py failed: {}", error.what()));
  }
}

}  // namespace storefuzz::program
