// By PyConfig (PEP 587).
#include "harness/worker/embedded_python.h"

#include <Python.h>
#include <fmt/format.h>

namespace storefuzz {

Result<void> start_embedded_python(const std::string& python) {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.parse_argv = 0;
  config.install_signal_handlers = 0;
  config.use_environment = 0;
  config.user_site_directory = 0;
  config.write_bytecode = 0;
  config.use_hash_seed = 1;
  config.hash_seed = 0;
  PyStatus status = PyConfig_SetBytesString(&config, &config.executable, python.c_str());
  if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status))
    return machine_failure(fmt::format("Python does not start with {}: {}", python,
                                       status.err_msg ? status.err_msg : "unknown reason"));
  return {};
}

}  // namespace storefuzz
