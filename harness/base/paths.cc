// See paths.h; CMakeLists.txt defines the two places of a build.
#include "harness/base/paths.h"

#include <cstdlib>

namespace storefuzz {
namespace {

// What lies beside this program, where it does.
std::string beside_us(std::string_view name) {
  std::error_code error;
  const std::filesystem::path place = built_program(name);
  return std::filesystem::exists(place, error) ? place.string() : "";
}

}  // namespace

std::string source_folder() {
  if (const char* named = std::getenv("STOREFUZZ_HOME"); named && *named) return named;
  static const std::string moved = beside_us("reference");
  return moved.empty() ? STOREFUZZ_SOURCE : std::filesystem::path(moved).parent_path().string();
}

std::string reference_folder() {
  if (const char* named = std::getenv("STOREFUZZ_REFERENCE"); named && *named) return named;
  return source_folder() + "/reference";
}

std::string python_beside_us() { return beside_us("python/bin/python3"); }

std::string tools_python() { return STOREFUZZ_TOOLS_PYTHON; }

std::filesystem::path built_program(std::string_view name) {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / name;
}

}  // namespace storefuzz
