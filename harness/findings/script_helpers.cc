// A definition begins at the first column, and ends before the next line that does, unless that
// closes its arguments.
#include "harness/findings/script_helpers.h"

#include <algorithm>
#include <utility>

#include "harness/base/files.h"

namespace storefuzz::program {
namespace {

// What a line defines; "": nothing.
std::string defined(std::string_view line) {
  for (const std::string_view head : {"def ", "async def ", "class "}) {
    if (!line.starts_with(head)) continue;
    line.remove_prefix(head.size());
    const std::string name(line.substr(0, line.find_first_of("(:")));
    return head == "class " ? name : name + "(";
  }
  return "";
}

}  // namespace

std::vector<Helper> helpers_of(std::string_view python) {
  std::vector<Helper> all;
  bool within = false;
  while (!python.empty()) {
    const std::string_view line = python.substr(0, python.find('\n'));
    python.remove_prefix(std::min(line.size() + 1, python.size()));
    const bool at_first_column = !line.empty() && line.front() != ' ' && line.front() != ')';
    if (at_first_column) {
      const std::string name = defined(line);
      within = !name.empty();
      if (within) all.push_back({.used = name});
    }
    if (within) all.back().code.append(line).append("\n");
  }
  for (Helper& it : all) it.code.resize(it.code.find_last_not_of('\n') + 2);
  return all;
}

Result<std::vector<Helper>> read_helpers(const std::string& reference) {
  std::vector<Helper> all;
  for (const char* name : {"/script_helpers.py", "/side/operation_helpers.py"}) {
    const auto text = read_file_whole(reference + name);
    if (!text) return machine_failure(text.error().message);
    for (Helper& it : helpers_of(*text)) all.push_back(std::move(it));
  }
  return all;
}

}  // namespace storefuzz::program
