// See coverage.h.
#include "harness/campaign/coverage.h"

#include <fmt/format.h>

#include <map>
#include <sstream>

#include "harness/base/paths.h"
#include "harness/process/process.h"

namespace storefuzz {
namespace {

constexpr Milliseconds kDeadline{60'000};
constexpr std::size_t kMostLines = 1'000'000;  // text of a file may say any number

// [["zarr/storage/_zip.py", 12], null, …] by number; null: not within a function of zarr.
constexpr const char* kTell = R"(import json, sys
sys.path.insert(0, sys.argv[1])
import guidance
print(json.dumps(guidance.lines_of_functions()))
)";

}  // namespace

std::string to_ranges(const Numbers& numbers) {
  std::string text;
  for (auto it = numbers.begin(); it != numbers.end();) {
    const std::size_t first = *it;
    std::size_t last = first;
    while (++it != numbers.end() && *it == last + 1) last = *it;
    text += fmt::format("{}{}{}", text.empty() ? "" : " ", first,
                        last > first ? fmt::format("-{}", last) : "");
  }
  return text;
}

Numbers from_ranges(std::string_view text) {
  Numbers numbers;
  std::istringstream stream{std::string(text)};
  for (std::size_t first = 0; stream >> first;) {
    std::size_t last = first;
    if (stream.peek() == '-' && !(stream.ignore() >> last)) break;
    if (last < first || last > kMostLines) break;
    for (std::size_t number = first; number <= last; ++number) numbers.insert(number);
  }
  return numbers;
}

Result<Json> missed_lines(const std::string& python, const Numbers& reached) {
  auto told =
      run_to_end({.arguments = {python, "-W", "ignore", "-c", kTell, reference_folder() + "/side"},
                  .environment = {{"PYTHONDONTWRITEBYTECODE", "1"}}},
                 kDeadline);
  if (!told) return std::unexpected(told.error());
  const Json lines = parse_json(told->output);
  if (told->exit_code != 0 || !lines.is_array())
    return machine_failure("the lines of the subject's store code cannot be told");
  std::map<std::string, Numbers> missed;
  for (std::size_t number = 0; number < lines.size(); ++number)
    if (lines[number].is_array() && !reached.contains(number))
      missed[lines[number].at(0)].insert(lines[number].at(1).get<std::size_t>());
  Json by_file = Json::object();
  for (const auto& [file, numbers] : missed) by_file[file] = to_ranges(numbers);
  return by_file;
}

}  // namespace storefuzz
