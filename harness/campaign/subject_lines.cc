// See subject_lines.h.
#include "harness/campaign/subject_lines.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/process/process.h"

namespace storefuzz {

Result<std::vector<std::pair<std::string, int>>> lines_of_subject(const std::string& python) {
  auto told =
      run_to_end({.arguments = {python, "-W", "ignore", reference_folder() + "/side/guidance.py"}},
                 Milliseconds(60'000));
  if (!told) return std::unexpected(told.error());
  const std::string last = last_line(told->output).last;
  const Json json = parse_json(last);
  if (told->end != "exit 0" || !json.is_array())
    return machine_failure(fmt::format("the lines of the subject are not told: {}", last));
  return json.get<std::vector<std::pair<std::string, int>>>();
}

Json by_file(const std::vector<std::pair<std::string, int>>& lines,
             const std::vector<std::uint32_t>& numbers) {
  std::map<std::string, std::set<int>> files;
  for (const std::uint32_t number : numbers)
    if (number < lines.size()) files[lines[number].first].insert(lines[number].second);
  return files;
}

}  // namespace storefuzz
