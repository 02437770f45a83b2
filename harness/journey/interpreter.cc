// CPython by pybind11::embed.
#include "harness/journey/interpreter.h"

#include <fmt/format.h>
#include <pybind11/embed.h>
#include <signal.h>

#include <algorithm>

#include "harness/journey/marks.h"
#include "harness/worker/embedded_python.h"

namespace py = pybind11;

namespace storefuzz {

struct Interpreter::Parts {
  py::object answer;
  py::object restart;
};

namespace {

// files_below of marks.h, as side.py has it: name → [size, checksum].
py::dict sums_below(const std::string& folder) {
  py::dict sums;
  for (const FileSum& it : files_below(folder)) {
    const auto name = py::reinterpret_steal<py::object>(PyUnicode_DecodeFSDefaultAndSize(
        it.name.data(), static_cast<py::ssize_t>(it.name.size())));
    if (!name) throw py::error_already_set();
    py::list sum;
    sum.append(it.size);
    sum.append(it.crc);
    sums[name] = std::move(sum);
  }
  return sums;
}

}  // namespace

Result<Interpreter*> Interpreter::start(const Options& options) {
  if (auto started = start_embedded_python(options.python); !started) return std::unexpected(started.error());
  auto* self = new Interpreter;  // lives as long as the process: CPython is never shut down
  self->parts_ = new Parts;
  try {
    py::module_ sys = py::module_::import("sys");
    sys.attr("path").attr("insert")(0, options.reference + "/side");
    if (!options.planted.empty()) sys.attr("path").attr("append")(options.reference + "/planted");
    for (const std::string& folder : options.folders) sys.attr("path").attr("append")(folder);
    if (options.stacks >= 0) {
      py::module_ faulthandler = py::module_::import("faulthandler");
      faulthandler.attr("register")(SIGUSR2, py::arg("file") = options.stacks,
                                    py::arg("all_threads") = true);
      if (options.fatal_stacks) faulthandler.attr("enable")(py::arg("file") = options.stacks);
    }
    py::module_ side = py::module_::import("side");
    self->parts_->answer = side.attr("answer");
    py::module_::import("answers").attr("files_below") = py::cpp_function(sums_below);
    if (!options.planted.empty()) py::module_::import("planted").attr("plant")(options.planted);
    if (!options.lines.empty()) {
      const auto view = [](std::span<std::byte> bytes) {
        return py::memoryview::from_memory(bytes.data(), static_cast<py::ssize_t>(bytes.size()));
      };
      py::module_ guidance = py::module_::import("guidance");
      self->lines_watched_ =
          guidance.attr("watch")(view(options.lines), view(options.ever)).cast<std::size_t>();
      self->parts_->restart = guidance.attr("restart");
    }
  } catch (const py::error_already_set& error) {
    return machine_failure(
        fmt::format("the reference does not start in {}: {}", options.python, error.what()));
  }
  return self;
}

Result<std::string> Interpreter::ask_text(const std::string& request) {
  try {
    return parts_->answer(request).cast<std::string>();
  } catch (const py::error_already_set& error) {
    // One line, or a log would keep only the end of it.
    std::string told = error.what();
    std::ranges::replace(told, '\n', ' ');
    return machine_failure(fmt::format("side.py failed: {}", told));
  }
}

Result<Json> Interpreter::ask(const Json& request) {
  auto text = ask_text(text_of(request));
  if (!text) return std::unexpected(text.error());
  return Json::parse(*text, nullptr, false);
}

Process::ForkHooks Interpreter::fork_hooks(int stacks) {
  return {.before = [] { PyOS_BeforeFork(); },
          .in_parent = [] { PyOS_AfterFork_Parent(); },
          .in_child =
              [stacks] {
                PyOS_AfterFork_Child();
                py::module_::import("faulthandler").attr("enable")(py::arg("file") = stacks);
              }};
}

void Interpreter::restart_guidance() {
  if (parts_->restart) parts_->restart();
}

void* Interpreter::release() { return PyEval_SaveThread(); }
void Interpreter::acquire(void* state) { PyEval_RestoreThread(static_cast<PyThreadState*>(state)); }

}  // namespace storefuzz
