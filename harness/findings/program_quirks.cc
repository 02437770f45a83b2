// The form of reference/program_quirks.json: {"quirks": [{…}, …]}.
#include "harness/findings/program_quirks.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "harness/findings/quirk_file.h"
#include "harness/oracles/oracle.h"

namespace storefuzz::program {
namespace {

struct Member {
  const char* name;
  std::string Quirk::* one = nullptr;
  std::vector<std::string> Quirk::* several = nullptr;
  bool optional = false;
};
constexpr Member kMembers[] = {{"id", &Quirk::id},
                               {"stores", nullptr, &Quirk::stores},
                               {"operations", nullptr, &Quirk::operations},
                               {"argument", &Quirk::argument},
                               {"oracle", &Quirk::oracle},
                               {"class", &Quirk::wrong},
                               {"error", &Quirk::error, nullptr, true},
                               {"first", &Quirk::first, nullptr, true},
                               {"last", &Quirk::last, nullptr, true},
                               {"reason", &Quirk::reason},
                               {"link", &Quirk::link},
                               {"example", &Quirk::example}};

std::optional<std::string> words_of(const Json& json) {
  if (!json.is_string() || json.get_ref<const std::string&>().empty()) return std::nullopt;
  return json.get<std::string>();
}

// False: it is not what stands there.
bool read_member(const Json& json, const Member& member, Quirk& quirk) {
  if (member.one) {
    const auto text = words_of(json);
    if (text) quirk.*member.one = *text;
    return text.has_value();
  }
  if (!json.is_array() || json.empty()) return false;
  for (const Json& it : json) {
    const auto text = words_of(it);
    if (!text) return false;
    (quirk.*member.several).push_back(*text);
  }
  return true;
}

// A word that names nothing would never match and never be missed. The first one, or "".
std::string names_nothing(const Quirk& quirk) {
  const auto is_carrier = [](const std::string& word) {
    return std::ranges::any_of(all_of<Carrier>(), [&](Carrier it) { return name_of(it) == word; });
  };
  for (const std::string& store : quirk.stores)
    if (!std::ranges::any_of(all_stores(), [&](StoreKind it) { return it->kind == store; }))
      return store;
  for (const std::string& word : quirk.operations)
    if (!find_operation(word) && !is_carrier(word)) return word;
  if (std::ranges::find(oracles(), quirk.oracle, &Oracle::name) == oracles().end())
    return quirk.oracle;
  bool is_class = false, is_argument = false;
  for (int i = 0; i <= static_cast<int>(Wrong::kDisagree); ++i)
    is_class = is_class || name_of(static_cast<Wrong>(i)) == quirk.wrong;
  for (const Argument it : {Argument::kPlain, Argument::kEdge, Argument::kMisuse})
    is_argument = is_argument || name_of(it) == quirk.argument;
  if (!is_class) return quirk.wrong;
  return is_argument ? "" : quirk.argument;
}

Result<Quirk> read_quirk(const Json& json, const std::string& file) {
  if (!json.is_object()) return bad_input(fmt::format("{}: an entry is no object", file));
  Quirk quirk;
  for (const Member& member : kMembers) {
    const auto found = json.find(member.name);
    if (found == json.end() ? member.optional : read_member(*found, member, quirk)) continue;
    return bad_input(fmt::format("{}: \"{}\" of an entry must name something ({})", file,
                                 member.name, quirk.id));
  }
  for (const auto& [name, value] : json.items())
    if (std::ranges::none_of(kMembers, [&](const Member& it) { return name == it.name; }))
      return bad_input(fmt::format("{}: {} has an unknown member \"{}\"", file, quirk.id, name));
  if (const std::string word = names_nothing(quirk); !word.empty())
    return bad_input(fmt::format("{}: \"{}\" of {} names nothing there is", file, word, quirk.id));
  return quirk;
}

bool matches(const Quirk& quirk, const Case& value, std::string_view release,
             const Difference& it) {
  const auto kind = kind_of(value, it.where.handle);
  const Refusal* refusal = refused(it.was);
  return kind &&
         std::ranges::any_of(
             quirk.stores,
             [&](const std::string& store) { return is_or_wraps((*kind)->kind, store); }) &&
         std::ranges::find(quirk.operations, it.where.operation) != quirk.operations.end() &&
         quirk.argument == it.where.argument && quirk.oracle == it.oracle &&
         quirk.wrong == name_of(it.wrong) && quirk.error == (refusal ? refusal->type : "") &&
         holds_in(release, quirk.first, quirk.last);
}

}  // namespace

Result<std::vector<Quirk>> load_quirks(const std::filesystem::path& file) {
  return read_quirks<Quirk>(file, read_quirk);
}

std::vector<std::string> take_out(const std::vector<Quirk>& quirks, const Case& value,
                                  std::string_view release, std::vector<Difference>& differences) {
  std::vector<std::string> taken;
  remove(differences, [&](const Difference& it) {
    const auto found = std::ranges::find_if(
        quirks, [&](const Quirk& quirk) { return matches(quirk, value, release, it); });
    if (found != quirks.end()) taken.push_back(found->id);
    return found != quirks.end();
  });
  return taken;
}

void remove(std::vector<Difference>& differences,
            const std::function<bool(const Difference&)>& goes) {
  for (auto it = differences.begin(); it != differences.end();) {
    if (!goes(*it)) {
      ++it;
      continue;
    }
    const bool was_first = it->first;
    const std::string place = it->where.place;
    it = differences.erase(it);
    const auto next = std::find_if(it, differences.end(), [&](const Difference& other) {
      return other.where.place == place && !other.question;
    });
    if (was_first && next != differences.end()) next->first = true;
  }
}

}  // namespace storefuzz::program
