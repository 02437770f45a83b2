// See paths.h; CMakeLists.txt defines the two places of a build.
#include "harness/base/paths.h"

#include <cstdlib>

namespace storefuzz {

std::string source_folder() {
  const char* named = std::getenv("STOREFUZZ_HOME");
  return named && *named ? named : STOREFUZZ_SOURCE;
}

std::string reference_folder() {
  if (const char* named = std::getenv("STOREFUZZ_REFERENCE"); named && *named) return named;
  const char* home = std::getenv("STOREFUZZ_HOME");
  return std::string(home && *home ? home : STOREFUZZ_SOURCE) + "/reference";
}

std::string tools_python() { return STOREFUZZ_TOOLS_PYTHON; }

std::filesystem::path built_program(std::string_view name) {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / name;
}

}  // namespace storefuzz
