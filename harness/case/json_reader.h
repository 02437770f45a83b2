// Reads the members of one JSON object that a stranger wrote: types, words and bounds are checked,
// and the first thing wrong is kept as one sentence that names the field.
//
//     JsonReader reader(json, "the constructor");
//     reader.read_word("mode", made.mode);
//     reader.reject_unknown();
//     if (!reader.wrong().empty()) return bad_input(reader.wrong());
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/case/words.h"

namespace storefuzz {

// A case's text as JSON. bad_input: longer than a case may be, or no JSON.
inline Result<Json> parse_case_json(std::string_view text) {
  if (text.size() > kMaxCaseText)
    return bad_input(fmt::format("a case has at most {} bytes of JSON, this one has {}",
                                 kMaxCaseText, text.size()));
  Json json = parse_json(text);
  if (json.is_discarded()) return bad_input("the case is not JSON");
  return json;
}

class JsonReader {
 public:
  JsonReader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) fail("must be an object");
  }

  const std::string& where() const { return where_; }  // how sentences begin
  const std::string& wrong() const { return wrong_; }  // the first thing wrong; empty: nothing

  void fail(std::string_view what) {
    if (wrong_.empty()) wrong_ = fmt::format("{} {}", where_, what);
  }

  // What was wrong with a part is wrong with the whole.
  void take_wrong(const JsonReader& part) {
    if (wrong_.empty()) wrong_ = part.wrong_;
  }

  const Json* find(std::string_view key) {
    known_.insert(std::string(key));
    if (!object_.is_object()) return nullptr;
    auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  template <class Enum>
  void read_word(std::string_view key, Enum& into) {
    if (const Json* value = find(key)) into = parse_word<Enum>(*value, key).value_or(into);
  }

  template <class Enum>
  std::optional<Enum> parse_word(const Json& value, std::string_view key) {
    std::vector<std::string_view> words;
    for (const Enum candidate : all_of<Enum>()) {
      words.push_back(name_of(candidate));
      if (value.is_string() && value.get_ref<const std::string&>() == words.back())
        return candidate;
    }
    fail(fmt::format("has no \"{}\" like that; it is one of: {}", key, fmt::join(words, ", ")));
    return std::nullopt;
  }

  void read_text(std::string_view key, std::string& into, std::size_t limit) {
    const Json* value = find(key);
    if (!value) return;
    if (!value->is_string()) return fail(fmt::format("needs a text as \"{}\"", key));
    into = value->get<std::string>();
    if (into.size() > limit) fail(fmt::format("has a \"{}\" above {} bytes", key, limit));
  }

  void read_bool(std::string_view key, bool& into) {
    const Json* value = find(key);
    if (!value) return;
    if (!value->is_boolean()) return fail(fmt::format("needs true or false as \"{}\"", key));
    into = value->get<bool>();
  }

  template <class Integer>
  void read_number(std::string_view key, Integer& into, std::int64_t low, std::int64_t high) {
    const Json* value = find(key);
    if (!value) return;
    if (!value->is_number_integer() || value->get<double>() < static_cast<double>(low) ||
        value->get<double>() > static_cast<double>(high))
      return fail(fmt::format("needs a whole number from {} to {} as \"{}\"", low, high, key));
    into = static_cast<Integer>(value->get<std::int64_t>());
  }

  // The members of an array, each by `each(member)`.
  template <class Each>
  void read_list(std::string_view key, std::size_t limit, Each each) {
    const Json* value = find(key);
    if (!value) return;
    if (!value->is_array()) return fail(fmt::format("needs a list as \"{}\"", key));
    if (value->size() > limit) return fail(fmt::format("has above {} \"{}\"", limit, key));
    for (const Json& member : *value) each(member);
  }

  // Call last: a member that no call asked for is a typing mistake.
  void reject_unknown() {
    if (!object_.is_object()) return;
    for (const auto& [key, value] : object_.items())
      if (!known_.contains(key)) fail(fmt::format("has an unknown \"{}\"", shorten(key, 40)));
  }

 private:
  const Json& object_;
  std::string where_;
  std::string wrong_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace storefuzz
