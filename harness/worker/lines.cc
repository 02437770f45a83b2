// The callback is called once a line and process; a map by file and line is fast enough.
#include "harness/worker/lines.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <string>
#include <unordered_map>

#include "harness/worker/interpreter.h"

namespace storefuzz::program {
namespace {

using Numbers64 = std::unordered_map<long, std::size_t>;  // line → number

std::span<std::uint8_t> counters;
std::unordered_map<std::string, Numbers64> numbers;  // file → its lines
PyObject* disable = nullptr;

PyObject* on_line(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  if (count == 2 && PyCode_Check(arguments[0])) {
    const auto* code = reinterpret_cast<PyCodeObject*>(arguments[0]);
    if (const auto file = numbers.find(bytes_of_text(code->co_filename)); file != numbers.end())
      if (const auto line = file->second.find(PyLong_AsLong(arguments[1]));
          line != file->second.end())
        counters[line->second] = 1;
  }
  return Py_NewRef(disable);
}

void start_counting() {
  for (const auto& [place, number] : py::cast<py::dict>(borrow(side().lines)())) {
    const auto index = number.cast<std::size_t>();
    const auto [file, line] = place.cast<std::pair<std::string, long>>();
    if (index < counters.size()) numbers[file][line] = index;
  }
  static PyMethodDef definition{"storefuzz_line", _PyCFunction_CAST(on_line), METH_FASTCALL,
                                nullptr};
  const py::object monitoring = py::module_::import("sys").attr("monitoring");
  const py::object tool = monitoring.attr("COVERAGE_ID");
  const py::object event = monitoring.attr("events").attr("LINE");
  disable = monitoring.attr("DISABLE").cast<py::object>().release().ptr();
  monitoring.attr("use_tool_id")(tool, "storefuzz");
  monitoring.attr("register_callback")(tool, event, steal(PyCFunction_New(&definition, nullptr)));
  const py::object set_events = monitoring.attr("set_local_events");
  for (const auto& code : borrow(side().counted)()) set_events(tool, code, event);
}

}  // namespace

Result<std::size_t> count_lines(int memory_file) {
  struct stat status{};
  if (::fstat(memory_file, &status) != 0)
    return machine_failure(fmt::format("the counters are no file: {}", std::strerror(errno)));
  const auto size = static_cast<std::size_t>(status.st_size);
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_file, 0);
  if (mapped == MAP_FAILED)
    return machine_failure(fmt::format("the counters cannot be mapped: {}", std::strerror(errno)));
  counters = {static_cast<std::uint8_t*>(mapped), size};
  try {
    start_counting();
  } catch (const py::error_already_set& error) {
    return machine_failure(fmt::format("lines cannot be counted: {}", error.what()));
  }
  std::size_t count = 0;
  for (const auto& [file, lines] : numbers) count += lines.size();
  return count;
}

}  // namespace storefuzz::program
