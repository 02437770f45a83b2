// The form of reference/quirks.json and of a `--known` file: {"quirks": [{…}, …]}.
#include "harness/findings/quirks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>

namespace storefuzz {
namespace {

// A quirk whose word names nothing would never match and never be missed: such a word is an error.
bool names_things(const Quirk& quirk) {
  const auto digits = [](const std::string& release) {
    return release.empty() || std::isdigit(static_cast<unsigned char>(release.front()));
  };
  return std::ranges::any_of(all_stores(), [&](StoreKind it) { return it->kind == quirk.store; }) &&
         std::ranges::any_of(oracles(),
                             [&](const Oracle& it) { return it.name == quirk.oracle; }) &&
         digits(quirk.first) && digits(quirk.last);
}

Result<Quirk> read_quirk(const Json& json, const std::string& file) {
  Quirk quirk;
  const std::pair<const char*, std::string*> members[] = {
      {"id", &quirk.id},       {"store", &quirk.store}, {"oracle", &quirk.oracle},
      {"field", &quirk.field}, {"class", &quirk.wrong}, {"reason", &quirk.reason},
      {"link", &quirk.link},   {"first", &quirk.first}, {"last", &quirk.last}};
  if (!json.is_object()) return bad_input(fmt::format("{}: an entry is no object", file));
  for (const auto& [name, into] : members) {
    auto found = json.find(name);
    const bool optional = into == &quirk.first || into == &quirk.last;
    if (found == json.end() && optional) continue;
    if (found == json.end() || !found->is_string())
      return bad_input(fmt::format("{}: an entry has no text \"{}\"", file, name));
    *into = found->get<std::string>();
    const bool wild =
        into->find_first_of("*?") != into->npos && into != &quirk.reason && into != &quirk.link;
    if (wild || (into->empty() && !optional))
      return bad_input(fmt::format("{}: \"{}\" of {} must name one thing", file, name, quirk.id));
  }
  for (const auto& [name, value] : json.items())
    if (name != "example" &&
        std::ranges::none_of(members, [&](const auto& it) { return name == it.first; }))
      return bad_input(fmt::format("{}: {} has an unknown member", file, quirk.id));
  if (!names_things(quirk))
    return bad_input(
        fmt::format("{}: {} names no store, oracle or release there is", file, quirk.id));
  quirk.example = json.value("example", Json());
  return quirk;
}

// "_store._store.path" is the `path` of what is wrapped.
std::string_view without_wrappers(std::string_view field) {
  for (const std::string_view prefix : {"_store.", "store."})
    if (field.starts_with(prefix)) return without_wrappers(field.substr(prefix.size()));
  return field;
}

}  // namespace

Result<Json> read_quirk_list(const std::filesystem::path& file) {
  std::error_code error;
  std::ifstream stream(file);
  if (!stream || !std::filesystem::is_regular_file(file, error))
    return bad_input(fmt::format("{} cannot be read", file.string()));
  const Json json = parse_json(std::string{std::istreambuf_iterator<char>(stream), {}});
  const auto list = json.is_object() ? json.find("quirks") : json.end();
  if (!json.is_object() || list == json.end() || !list->is_array())
    return bad_input(fmt::format("{} is not a list of quirks", file.string()));
  return *list;
}

bool holds_in(std::string_view version, std::string_view first, std::string_view last) {
  return (first.empty() || compare_releases(version, first) >= 0) &&
         (last.empty() || compare_releases(version, last) <= 0);
}

Result<std::vector<Quirk>> load_quirks(const std::filesystem::path& file) {
  return read_quirks<Quirk>(file, read_quirk);
}

const Quirk* match(const std::vector<Quirk>& quirks, std::string_view store,
                   const Disagreement& found, std::string_view release) {
  const std::string_view field = without_wrappers(found.field);
  for (const Quirk& quirk : quirks) {
    const bool named =
        quirk.field == field || std::ranges::find(found.also, quirk.field) != found.also.end();
    // What is right for a store is right for what wraps it.
    if (!is_or_wraps(store, quirk.store) || quirk.oracle != found.oracle || !named ||
        quirk.wrong != found.wrong)
      continue;
    if (holds_in(release, quirk.first, quirk.last)) return &quirk;
  }
  return nullptr;
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
