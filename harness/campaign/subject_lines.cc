// See subject_lines.h.
#include "harness/campaign/subject_lines.h"

#include <fmt/format.h>

#include <map>
#include <sstream>

#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/process/process.h"

namespace storefuzz {
namespace {

constexpr Milliseconds kDeadline{60'000};
constexpr std::size_t kMostLines = 1'000'000;  // text of a file may say any number

}  // namespace

Result<std::vector<SubjectLine>> lines_of_subject(const std::string& python) {
  auto told = run_to_end(
      {.arguments = {python, "-B", "-W", "ignore", reference_folder() + "/side/guidance.py"}},
      kDeadline);
  if (!told) return std::unexpected(told.error());
  const std::string last = last_line(told->output).last;
  const Json json = parse_json(last);
  if (told->end != "exit 0" || !json.is_array())
    return machine_failure(fmt::format("the lines of the subject are not told: {}", last));
  std::vector<SubjectLine> lines;
  for (const Json& it : json)
    lines.push_back({.file = it.at(0), .line = it.at(1), .in_function = it.at(2)});
  return lines;
}

Json by_file(const std::vector<SubjectLine>& lines, const Numbers& numbers) {
  std::map<std::string, Numbers> files;
  for (const std::size_t number : numbers)
    if (number < lines.size()) files[lines[number].file].insert(lines[number].line);
  return files;
}

Json missed_lines(const std::vector<SubjectLine>& lines, const Numbers& reached) {
  std::map<std::string, Numbers> missed;
  for (std::size_t number = 0; number < lines.size(); ++number) {
    const SubjectLine& it = lines[number];
    if (it.in_function && it.file.starts_with("zarr/") && !reached.contains(number))
      missed[it.file].insert(it.line);
  }
  Json by_file = Json::object();
  for (const auto& [file, numbers] : missed) by_file[file] = to_ranges(numbers);
  return by_file;
}

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

}  // namespace storefuzz
