// Handles of one kind, place and history have the same attributes. A mode that was taken is another
// mode, so values are compared only where it is the same; an attribute that is missing is lost.
#include <map>
#include <optional>

#include "harness/oracles/oracle.h"

namespace storefuzz::program {
namespace {

// Whether a store was opened. A store that is made anew by its pickle (__reduce__) need not be.
bool tells_of_use(std::string_view name) {
  return name == "_is_open" || name.ends_with("._is_open");
}

// A property whose question was refused shows the type of the refusal.
bool is_refused(const std::string& value) {
  return value.ends_with("Error") && value.find_first_of(" =('") == value.npos;
}

struct Differing {
  std::string name, should_be, was;
};

// The first attribute that is lost, and where none is, the first in which two states differ; values
// only where they are comparable.
std::optional<Differing> differing(const Attributes& one, const Attributes& other, bool values) {
  const std::map<std::string, std::string> left(one.values.begin(), one.values.end());
  const std::map<std::string, std::string> right(other.values.begin(), other.values.end());
  std::optional<Differing> first;
  for (const auto& [name, value] : left) {
    const auto found = right.find(name);
    const std::string was = found == right.end() ? "nothing" : found->second;
    const bool lost = found == right.end() || (is_refused(was) && !is_refused(value));
    if (lost) return Differing{name, value, was};
    if (!first && values && !tells_of_use(name) && was != value)
      first = Differing{name, value, was};
  }
  if (first) return first;
  for (const auto& [name, value] : right)
    if (!left.contains(name)) return Differing{name, "nothing", value};
  return std::nullopt;
}

}  // namespace

std::vector<Difference> judge_attributes(const Case& value, const Judged& judged,
                                         const Observation&) {
  std::vector<Difference> found;
  std::map<std::string, const JudgedAnswer*> first, of_mode;
  for (const JudgedAnswer& it : judged.answers) {
    const Attributes* seen = shown_as<Attributes>(*it.answer);
    if (!seen || it.signature.empty()) continue;
    const std::string kind = it.signature.substr(0, it.signature.find('|'));
    const auto whole = of_mode.emplace(it.signature, &it).first;
    const auto names = first.emplace(kind, &it).first;
    const JudgedAnswer& before = whole->second != &it ? *whole->second : *names->second;
    const auto differs =
        differing(*shown_as<Attributes>(*before.answer), *seen, before.signature == it.signature);
    if (!differs) continue;
    Difference wrong{.wrong = Wrong::kState,
                     .where = where_of(value, it),
                     .should_be = differs->should_be,
                     .was = *it.answer,
                     .seen = differs->was};
    wrong.where.key = differs->name;
    wrong.first = true;
    found.push_back(std::move(wrong));
  }
  return found;
}

}  // namespace storefuzz::program
