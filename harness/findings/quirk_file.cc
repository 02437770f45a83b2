// See quirk_file.h.
#include "harness/findings/quirk_file.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

#include "harness/base/files.h"
#include "harness/base/text.h"

namespace storefuzz {

Result<Json> read_list(const std::filesystem::path& file, const char* member) {
  const auto text = read_file_whole(file);
  if (!text) return std::unexpected(text.error());
  const Json json = parse_json(*text);
  const auto list = json.is_object() ? json.find(member) : json.end();
  if (!json.is_object() || list == json.end() || !list->is_array())
    return bad_input(fmt::format("{} has no list \"{}\"", file.string(), member));
  return *list;
}

bool holds_in(std::string_view version, std::string_view first, std::string_view last) {
  return (first.empty() || compare_releases(version, first) >= 0) &&
         (last.empty() || compare_releases(version, last) <= 0);
}

int compare_releases(std::string_view left, std::string_view right) {
  while (!left.empty() || !right.empty()) {
    int numbers[2] = {0, 0};
    int index = 0;
    for (std::string_view* text : {&left, &right}) {
      std::from_chars(text->data(), text->data() + text->size(), numbers[index++]);
      const std::size_t dot = text->find('.');
      *text = dot == text->npos ? std::string_view() : text->substr(dot + 1);
    }
    if (numbers[0] != numbers[1]) return numbers[0] < numbers[1] ? -1 : 1;
  }
  return 0;
}

}  // namespace storefuzz
