// See known.h.
#include "harness/findings/known.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/text.h"
#include "harness/findings/quirk_file.h"

namespace storefuzz {

Result<std::vector<Known>> load_known(const std::filesystem::path& file) {
  const auto list = read_list(file, "known");
  if (!list) return std::unexpected(list.error());
  std::vector<Known> all;
  for (const Json& json : *list) {
    Known known;
    const std::pair<const char*, std::string*> members[] = {
        {"cause", &known.cause}, {"link", &known.link}, {"reason", &known.reason}};
    for (const auto& [name, into] : members) {
      const Json text = json.is_object() ? json.value(name, Json()) : Json();
      if (!text.is_string() || text.get<std::string>().empty())
        return bad_input(fmt::format("{}: an entry has no text \"{}\"", file.string(), name));
      *into = text;
    }
    if (json.size() != std::size(members))
      return bad_input(
          fmt::format("{}: {} has an unknown member", file.string(), printable(known.cause)));
    all.push_back(std::move(known));
  }
  return all;
}

const Known* find_known(const std::vector<Known>& known, std::string_view cause) {
  const auto found = std::ranges::find(known, cause, &Known::cause);
  return found == known.end() ? nullptr : &*found;
}

Json to_json(const Known& known) {
  return {{"page", ""}, {"link", known.link}, {"reason", known.reason}};
}

}  // namespace storefuzz
