// JSON from side.py → typed answers, and back for people.
#include "harness/journey/observation.h"

#include <fmt/format.h>

#include "harness/base/text.h"

namespace storefuzz {

Answer answer_at(const Json& json, const char* key) {
  auto found = json.find(key);
  return found == json.end() ? Answer{} : answer_from_json(*found);
}

namespace {

Json to_json(const View& view, const std::vector<Look>& plan) {
  Json json;
  json["received"] = to_json(view.received);
  if (view.state)
    for (const auto& [name, answer] : *view.state) json["state"][name] = to_json(answer);
  for (std::size_t i = 0; i < view.looks.size() && i < plan.size(); ++i) {
    json["looks"].push_back({{"look", plan[i].name},
                             {"key", plan[i].entry.key},
                             {"start", plan[i].start},
                             {"end", plan[i].end},
                             {"answer", to_json(view.looks[i])}});
  }
  for (const auto& [name, answer] : view.equality) json["equality"][name] = to_json(answer);
  json["sent back"] = to_json(view.sent_back);
  json["array"] = to_json(view.array);
  json["left"] = to_json(view.left);
  json["died"] = to_json(view.died);
  json["mark after receiving"] = view.mark_after_receiving.files;
  json["mark after leaving"] = view.mark_after_leaving.files;
  if (view.descriptors) json["descriptors"] = *view.descriptors;
  return json;
}

}  // namespace

std::string field_of(const Look& look) {
  return look.about.empty() ? look.name : look.name + " of " + look.about;
}

Mark mark_from_json(const Json& json) {
  Mark mark{.files = json.value("files", Json::object())};
  if (auto found = json.find("entries"); found != json.end() && found->is_array())
    mark.entries = found->get<std::vector<std::string>>();
  return mark;
}

void read_view(const Json& json, View& into) {
  into.received = answer_at(json, "received");
  if (auto found = json.find("state"); found != json.end()) into.state = state_from_json(*found);
  into.arrived_with = json.value("arrived with", std::vector<std::string>());
  if (auto found = json.find("state sent"); found != json.end())
    into.state_sent = state_from_json(*found);
  if (auto found = json.find("looks"); found != json.end())
    for (const Json& answer : *found) into.looks.push_back(answer_from_json(answer));
  if (auto found = json.find("equality"); found != json.end())
    into.equality = state_from_json(*found);
  into.same_object = answer_at(json, "same object");
  into.sent_back = answer_at(json, "sent back");
  into.array = answer_at(json, "array");
  into.left = answer_at(json, "left");
  if (auto found = json.find("descriptors"); found != json.end())
    into.descriptors = found->get<std::vector<std::string>>();
  if (auto found = json.find("mark after receiving"); found != json.end())
    into.mark_after_receiving = mark_from_json(*found);
  if (auto found = json.find("mark after leaving"); found != json.end())
    into.mark_after_leaving = mark_from_json(*found);
}

Json to_json(const Observations& seen) {
  Json json;
  json["constructed"] = to_json(seen.constructed);
  json["operations"] = Json::array();
  for (const Answer& answer : seen.operations) json["operations"].push_back(to_json(answer));
  for (const auto& [name, answer] : seen.state_before)
    json["state before packing"][name] = to_json(answer);
  json["cargo"] = to_json(seen.cargo);
  json["packed"] = to_json(seen.packed);
  json["meanwhile"] = to_json(seen.meanwhile);
  for (const auto& [name, answer] : seen.state_packed)
    json["state after packing"][name] = to_json(answer);
  json["files"] = {{"built", seen.mark_built.files},
                   {"packed", seen.mark_packed.files},
                   {"end", seen.mark_end.files}};
  json["child"] = to_json(seen.child, seen.plan);
  json["returned"] = to_json(seen.returned, seen.plan);
  json["parent"] = to_json(seen.parent, seen.plan);
  if (!seen.twin.looks.empty()) json["twin"] = to_json(seen.twin, seen.plan);
  json["strange files"] = seen.strange_files;
  return json;
}

}  // namespace storefuzz
