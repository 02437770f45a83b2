// Handles of one kind, place and history have the same attributes. A mode that was taken is another
// mode, so values are compared only where it is the same; an attribute that is missing is lost.
#include <map>

#include "harness/oracles/oracle.h"

namespace storefuzz::program {
namespace {

// Whether a store was opened. A store that is made anew by its pickle (__reduce__) need not be.
bool tells_of_use(std::string_view name) {
  return name == "_is_open" || name.ends_with("._is_open");
}

// The first attribute in which two states differ; values only where they are comparable.
std::string differing(const Attributes& one, const Attributes& other, bool values) {
  const std::map<std::string, std::string> left(one.values.begin(), one.values.end());
  const std::map<std::string, std::string> right(other.values.begin(), other.values.end());
  for (const auto& [name, value] : left) {
    const auto found = right.find(name);
    if (found == right.end()) return name;
    if (values && !tells_of_use(name) && found->second != value) return name;
  }
  for (const auto& [name, value] : right)
    if (!left.contains(name)) return name;
  return {};
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
    const std::string name =
        differing(*shown_as<Attributes>(*before.answer), *seen, before.signature == it.signature);
    if (name.empty()) continue;
    Difference wrong{.wrong = Wrong::kState,
                     .where = where_of(value, it),
                     .should_be = say(*before.answer),
                     .was = *it.answer};
    wrong.where.key = name;
    wrong.first = true;
    found.push_back(std::move(wrong));
  }
  return found;
}

}  // namespace storefuzz::program
