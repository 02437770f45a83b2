// What the attributes of an array or a group are.
//
// zarr keeps them in the object of a node: it shows them as it read or wrote them last, and writes
// all of them with each that is set. So an object may show its own, or those that lie there now;
// and who sets one may take away what others set meanwhile.
#include <algorithm>

#include "harness/model/world.h"

namespace storefuzz::program {

using World = Model::World;

namespace {

bool may_be(const Attribute& attribute, const std::optional<std::string>& text) {
  return std::ranges::find(attribute, text) != attribute.end();
}

// What both may show: a name that only one of them has may be missing.
NodeAttributes either(const NodeAttributes& one, const NodeAttributes& other) {
  NodeAttributes both;
  const auto add = [&](Attribute& to, const NodeAttributes& from, const std::string& name) {
    const auto found = from.find(name);
    for (const auto& text : found == from.end() ? Attribute{std::nullopt} : found->second)
      if (!may_be(to, text)) to.push_back(text);
  };
  for (const NodeAttributes* all : {&one, &other})
    for (const auto& [name, attribute] : *all) {
      if (both.contains(name)) continue;
      add(both[name], one, name);
      add(both[name], other, name);
    }
  return both;
}

}  // namespace

std::optional<ShownAttributes> World::attributes_of(const Asked& asked) const {
  const Node* node = asked.row->op == Op::kGetAttributes ? judged_node(asked) : nullptr;
  if (!node) return {};
  ShownAttributes all{.may_be = either(*handles[asked.handle].attributes, *node->attributes)};
  for (const auto& [name, attribute] : all.may_be) {
    all.several = all.several || attribute.size() > 1;
    if (attribute.back()) all.newest.values.emplace_back(name, *attribute.back());
  }
  return all;
}

void World::set_attribute(const Asked& asked, bool done) {
  HandleState& who = handles[asked.handle];
  const View& view = view_of(asked.handle);
  Node* node = place_of(view).nodes.at(node_path(asked));
  if (!view.writable || !node) return;
  if (!who.attributes || !node->attributes) {
    who.attributes = node->attributes = std::nullopt;
    return;
  }
  NodeAttributes now = either(*who.attributes, *node->attributes);
  Attribute& attribute = now[asked.call->key];
  if (attribute.empty()) attribute.push_back(std::nullopt);
  if (done) attribute.clear();
  attribute.emplace_back(asked.call->value.bytes());
  who.attributes = node->attributes = std::move(now);
}

std::optional<Difference> World::take_attributes(const Asked& asked, const Answer& answer) {
  const std::optional<ShownAttributes> right = attributes_of(asked);
  if (!right || !shown(answer)) return {};
  const auto* all = shown_as<Attributes>(answer);
  std::map<std::string, std::string> there;
  if (all) there.insert(all->values.begin(), all->values.end());
  bool missing = false, other = !all;
  for (const auto& [name, text] : there) {
    const auto found = right->may_be.find(name);
    other = other || found == right->may_be.end() || !may_be(found->second, text);
  }
  for (const auto& [name, attribute] : right->may_be)
    missing = missing || (!there.contains(name) && !may_be(attribute, std::nullopt));
  if (!missing && !other) return {};
  Difference wrong =
      differ(other ? Wrong::kOtherValue : Wrong::kAbsent, asked, say(Shown{right->newest}), answer);
  place_of(view_of(asked.handle)).told = true;
  return wrong;
}

}  // namespace storefuzz::program
