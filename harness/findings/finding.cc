// See finding.h.
#include "harness/findings/finding.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/findings/cause.h"

namespace storefuzz {
using program::Difference;

std::vector<Finding> findings_of(const program::Case& value,
                                 const std::vector<Difference>& differences) {
  std::vector<Finding> all;
  for (const Difference& it : differences) {
    if (!it.first && !it.question) continue;
    std::string key = seen_as(value, it), asked = asked_as(value, it);
    if (std::ranges::any_of(
            all, [&](const Finding& other) { return other.key == key && other.asked == asked; }))
      continue;
    all.push_back({.key = std::move(key),
                   .asked = std::move(asked),
                   .of_class = class_of(value, it),
                   .oracle = it.oracle,
                   .wrong = std::string(name_of(it.wrong)),
                   .headline = it.headline,
                   .severity = severity_of(value, it),
                   .question = it.question,
                   .value = value});
  }
  return all;
}

Json to_json(const Finding& found) {
  return {{"key", found.key},
          {"asked", found.asked},
          {"class", found.of_class},
          {"oracle", found.oracle},
          {"wrong", found.wrong},
          {"headline", found.headline},
          {"severity", found.severity},
          {"question", found.question},
          {"case", program::to_json(found.value)}};
}

Result<Finding> finding_from_json(const Json& json) {
  Finding found;
  try {
    found.key = json.at("key");
    found.asked = json.value("asked", "");  // an older journal has none
    found.of_class = json.at("class");
    found.oracle = json.at("oracle");
    found.wrong = json.at("wrong");
    found.headline = json.at("headline");
    found.severity = json.at("severity");
    found.question = json.at("question");
    auto value = program::parse_case(text_of(json.at("case")));
    if (!value) return std::unexpected(value.error());
    found.value = std::move(*value);
  } catch (const Json::exception& error) {
    return bad_input(fmt::format("a finding cannot be read: {}", error.what()));
  }
  return found;
}

}  // namespace storefuzz
