// Handles of one sort and use have the same attributes: an attribute that is missing is lost, and
// where nothing else differs either, one of another value was changed. What a handle does may
// change it, but not the texts and paths that its constructor was given: the copy of a used store
// has them, as it is not used yet. Where zarr chooses a class, it is the right one.
#include <algorithm>
#include <map>
#include <optional>

#include "harness/oracles/oracle.h"

namespace storefuzz::program {
namespace {

// Whether a store is open, or ever was: of a store that was used, the copy that is made anew by its
// pickle (__reduce__) is not; and the copy of an archive may open its file, or say that it was
// open.
bool tells_of_use(std::string_view name) {
  name = name.substr(name.rfind('.') + 1);
  return name == "_is_open" || name == "_was_opened";
}

// A property whose question was refused shows the type of the refusal.
bool is_refused(const std::string& value) {
  return value.ends_with("Error") && value.find_first_of(" =('") == value.npos;
}

// Whether a value is a text or a path. Flags, numbers, None and objects may tell of use.
bool is_text(const std::string& value) {
  const bool number = !value.empty() && value.find_first_not_of("0123456789.-+e") == value.npos;
  return !value.empty() && value.front() != '<' && value.front() != '[' && !number &&
         value != "None" && value != "True" && value != "False" && !is_refused(value);
}

// A thread, a connection or a lock may be made when it is first needed, and a copy has none yet.
bool is_made_when_needed(const std::string& one, const std::string& other) {
  const auto is_object = [](const std::string& it) { return it.starts_with('<'); };
  return (one == "None" && is_object(other)) || (is_object(one) && other == "None");
}

struct Differing {
  std::string name, should_be, was;
};

enum class Values { kNone, kOfUsed, kOfUnusedArchive, kAll };

// The first attribute that is lost, and where none is, the first in which two states differ: of
// those values that are comparable. `may_lack`: what the other one has not, it never had.
std::optional<Differing> differing(const Attributes& one, const Attributes& other, Values values,
                                   bool may_lack) {
  const std::map<std::string, std::string> left(one.values.begin(), one.values.end());
  const std::map<std::string, std::string> right(other.values.begin(), other.values.end());
  std::optional<Differing> first;
  for (const auto& [name, value] : left) {
    const auto found = right.find(name);
    const std::string was = found == right.end() ? "nothing" : found->second;
    const bool lost = found == right.end() || (is_refused(was) && !is_refused(value));
    if (lost && may_lack) continue;
    if (lost) return Differing{name, value, was};
    const bool may_differ = values == Values::kNone ||
                            (values != Values::kAll && tells_of_use(name)) ||
                            (values == Values::kOfUsed && is_made_when_needed(value, was));
    if (!first && !may_differ && was != value) first = Differing{name, value, was};
  }
  if (first) return first;
  for (const auto& [name, value] : right)
    if (!left.contains(name)) return Differing{name, "nothing", value};
  return std::nullopt;
}

// The first text that both have, with another value.
std::optional<Differing> differing_text(const Attributes& one, const Attributes& other) {
  const std::map<std::string, std::string> right(other.values.begin(), other.values.end());
  for (const auto& [name, value] : one.values) {
    const auto found = right.find(name);
    if (found != right.end() && is_text(value) && is_text(found->second) && value != found->second)
      return Differing{name, value, found->second};
  }
  return std::nullopt;
}

// Whether a handle is of a constructor, and not of a carry or of another handle.
bool is_made(const Case& value, std::string_view handle) {
  return std::ranges::any_of(value.steps, [&](const Step& step) {
    const Make* make = std::get_if<Make>(&step);
    return make && make->as == handle && make->around.empty();
  });
}

// The states that were seen so far; of each sort the first.
class States {
 public:
  // How a state differs from that of a handle that should have the same. `made`: it came by no
  // journey.
  std::optional<Differing> take(const JudgedAnswer& it, const Attributes& seen, bool made) {
    const std::string& all = it.signature;
    // A prefix is any text, so the parts are counted from the end.
    const std::size_t now = all.rfind('|'), given = all.rfind('|', now - 1),
                      use = all.rfind('|', given - 1);
    const auto [whole, is_new] = whole_.emplace(all, &seen);
    const Attributes& named = *named_.emplace(all.substr(0, given), &seen).first->second;
    const std::string_view used = std::string_view(all).substr(use + 1);
    const Values values = used.starts_with(kUnusedArchive) ? Values::kOfUnusedArchive
                          : used.starts_with(kUnused)      ? Values::kAll
                                                           : Values::kOfUsed;
    // Copies open their archive when they arrive, in 3.0 and 3.1: they have more than one that was
    // made and never used.
    const bool may_lack = made && used.starts_with(kUnusedArchive);
    const auto wrong = is_new ? differing(named, seen, Values::kNone, may_lack)
                              : differing(*whole->second, seen, values, may_lack);
    if (now == given + 1) return wrong;  // it keeps nothing
    const std::string alike_made = all.substr(0, use) + all.substr(given, now - given);
    const Attributes& alike = *made_.emplace(alike_made, &seen).first->second;
    return wrong ? wrong : differing_text(alike, seen);
  }

 private:
  std::map<std::string, const Attributes*> whole_, named_, made_;
};

}  // namespace

std::vector<Difference> judge_attributes(const Case& value, const Judged& judged,
                                         const Observation&) {
  std::vector<Difference> found = differences(
      value, judged,
      [](const Operation* asked, Wrong wrong) { return !asked && wrong == Wrong::kState; });
  States states;
  for (const JudgedAnswer& it : judged.answers) {
    const Attributes* seen = shown_as<Attributes>(*it.answer);
    if (!seen || it.signature.empty()) continue;
    const auto differs = states.take(it, *seen, is_made(value, where_of(value, it).handle));
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
