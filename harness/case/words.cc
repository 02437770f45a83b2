// See words.h.
#include "harness/case/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <utility>

#include "harness/base/text.h"

namespace storefuzz {
namespace {

template <class Enum>
using Word = std::pair<Enum, std::string_view>;

// One table per enumeration: the only place where a value meets its word.
constexpr auto kModes = std::to_array<Word<Mode>>({
    {Mode::kRead, "r"},
    {Mode::kAppend, "a"},
    {Mode::kWrite, "w"},
    {Mode::kExclusive, "x"},
});
constexpr auto kCarriers = std::to_array<Word<Carrier>>({
    {Carrier::kPickle5, "pickle 5"},
    {Carrier::kPickle0, "pickle 0"},
    {Carrier::kPickle1, "pickle 1"},
    {Carrier::kPickle2, "pickle 2"},
    {Carrier::kPickle3, "pickle 3"},
    {Carrier::kPickle4, "pickle 4"},
    {Carrier::kCloudpickle, "cloudpickle"},
    {Carrier::kForkingPickler, "forking pickler"},
    {Carrier::kDask, "dask"},
    {Carrier::kCopy, "copy"},
    {Carrier::kDeepcopy, "deepcopy"},
    {Carrier::kHandedOver, "handed over"},
    {Carrier::kMadeAnew, "made anew"},
    {Carrier::kInherited, "inherited"},
});
constexpr auto kCargo = std::to_array<Word<Cargo>>({
    {Cargo::kStore, "store"},
    {Cargo::kList, "list"},
    {Cargo::kDict, "dict"},
    {Cargo::kTwoReferences, "two references"},
    {Cargo::kStorePath, "store path"},
    {Cargo::kArray, "array"},
    {Cargo::kGroup, "group"},
});

template <class Enum>
std::string_view word(Enum value, std::span<const Word<Enum>> table) {
  for (const auto& [candidate, name] : table)
    if (candidate == value) return name;
  std::abort();  // an enumerator without a word is our own bug
}

template <class Enum>
std::vector<Enum> values(std::span<const Word<Enum>> table) {
  std::vector<Enum> list;
  for (const auto& entry : table) list.push_back(entry.first);
  return list;
}

}  // namespace

std::string_view name_of(Mode value) { return word<Mode>(value, kModes); }
std::string_view name_of(Carrier value) { return word<Carrier>(value, kCarriers); }
std::string_view name_of(Cargo value) { return word<Cargo>(value, kCargo); }

template <>
const std::vector<Mode>& all_of<Mode>() {
  static const std::vector<Mode> list = values<Mode>(kModes);
  return list;
}
template <>
const std::vector<Carrier>& all_of<Carrier>() {
  static const std::vector<Carrier> list = values<Carrier>(kCarriers);
  return list;
}
template <>
const std::vector<Cargo>& all_of<Cargo>() {
  static const std::vector<Cargo> list = values<Cargo>(kCargo);
  return list;
}

bool stays_in_process(Carrier carrier) {
  return carrier == Carrier::kCopy || carrier == Carrier::kDeepcopy ||
         carrier == Carrier::kHandedOver;
}

Result<std::vector<Carrier>> parse_carriers(std::string_view list) {
  std::vector<Carrier> carriers;
  for (const std::string& word : comma_separated(std::string(list))) {
    const auto& all = all_of<Carrier>();
    const auto found = std::ranges::find(all, word, [](Carrier it) { return name_of(it); });
    if (found == all.end())
      return bad_input(
          fmt::format("there is no carrier \"{}\"; see storefuzz list carriers", word));
    carriers.push_back(*found);
  }
  return carriers;
}

}  // namespace storefuzz
