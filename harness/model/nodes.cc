// Which members a group has: the nodes that were created at its place, in order.
//
// A group that was opened from consolidated metadata shows its members as they were when that was
// written, or as they are now where the metadata is not used. Of a group whose place held anything
// but created nodes, or of an archive, nothing is said.
#include <algorithm>

#include "harness/case/keys.h"
#include "harness/model/world.h"

namespace storefuzz::program {

using World = Model::World;

namespace {

// Names that zarr gives to documents and chunks: a node cannot be called so.
bool taken_by_zarr(std::string_view name) { return name == "c" || is_document(name); }

std::vector<std::string> parents_of(std::string_view path) {
  std::vector<std::string> parents;
  for (std::size_t at = path.find('/'); at != path.npos; at = path.find('/', at + 1))
    parents.emplace_back(path.substr(0, at));
  return parents;
}

bool has_taken_name(std::string_view path) {
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (taken_by_zarr(path.substr(at, end - at))) return true;
    at = end + 1;
  }
  return false;
}

// Releases differ in whether they write the groups above a node.
void add_node(Nodes& nodes, const std::string& path, bool array) {
  if (!nodes.can_add(path) || (array && path.empty())) {
    nodes.unclear = true;
    return;
  }
  for (std::string& parent : parents_of(path))
    if (!nodes.at(parent)) nodes.list.push_back({.path = std::move(parent)});
  nodes.list.push_back({.path = path, .sure = true, .array = array});
  nodes.list.back().elements.fill({0});
  nodes.list.back().attributes.emplace();
}

}  // namespace

Node* Nodes::at(std::string_view path) {
  const auto found = std::ranges::find(list, path, &Node::path);
  return found == list.end() ? nullptr : &*found;
}

const Node* Nodes::at(std::string_view path) const { return const_cast<Nodes*>(this)->at(path); }

bool Nodes::can_add(std::string_view path) const {
  return !has_taken_name(path) && std::ranges::none_of(list, [&](const Node& it) {
    return it.path == path || (it.array && lies_below(path, it.path)) ||
           (it.sure && it.array && it.path.empty());
  });
}

void World::note_nodes(const Asked& asked, bool done) {
  if (!asked.row->writes()) return;
  const std::size_t number = handles[asked.handle].view;
  if (!views[number].writable && !views[number].contradictory) return;
  PlaceState& place = place_of(views[number]);
  Nodes& nodes = place.nodes;
  if (asked.row->on_content == OnContent::kUnknown && views[number].archive() &&
      views[number].writable) {
    if (!nodes.list.empty() && !sees_nodes(number)) nodes.unclear = true;
    nodes.writer = number;
  }
  switch (asked.row->op) {
    case Op::kCreateArray:
    case Op::kCreateGroup:
      // What is there already, is refused and stays.
      if (const Node* it = nodes.at(node_path(asked)); !done && it && it->sure) return;
      if (!done || asked.odd) nodes.unclear = true;
      if (!nodes.unclear) add_node(nodes, node_path(asked), asked.row->op == Op::kCreateArray);
      return;
    case Op::kConsolidate:
      // A refused one may have been written all the same.
      nodes.consolidated.emplace_back(asked.question.full, nodes.list.size());
      return;
    case Op::kWriteBlock:
      return write_block(asked, done);
    case Op::kSetAttributes:
      return set_attribute(asked, done);
    default:
      // What a key that was set may have done to a node is asked by its name.
      if (!asked.row->sets() || asked.odd) nodes.unclear = true;
  }
}

// How many of the nodes there were when the oldest metadata that a group may show was written.
// Whoever held older metadata may have written it back.
std::size_t World::nodes_at_opening(const PlaceState& place, std::string_view path) const {
  std::size_t oldest = kNow;
  for (const auto& [where, count] : place.nodes.consolidated)
    if (where == path) oldest = std::min(oldest, count);
  return oldest;
}

std::optional<Difference> World::take_members(const Asked& asked, const Answer& answer) {
  const HandleState& who = handles[asked.handle];
  const View& view = views[who.view];
  PlaceState& place = places[view.place];
  const auto* shown = shown_as<Names>(answer);
  const bool silent = !sees_nodes(who.view) || who.cache || who.unknown != Reason::kNone ||
                      view.broken != Reason::kNone || place.unknown != Reason::kNone ||
                      who.kind->shared == Shared::kSession || elsewhere(view);
  if (!shown || silent || place.told || place.nodes.unclear || !place.names.empty()) return {};
  // The root group of a store that has a prefix is at "prefix/".
  const std::string path(without_slash(joined(view.prefix, who.prefix)));
  std::vector<std::string> sure, possible;
  for (std::size_t i = 0; i < place.nodes.list.size(); ++i) {
    const Node& node = place.nodes.list[i];
    if (node.path.empty() || !lies_below(node.path, path)) continue;
    std::string name = node.path.substr(path.empty() ? 0 : path.size() + 1);
    if (name.find('/') != name.npos) continue;
    if (node.sure && i < who.nodes_from) sure.push_back(name);
    possible.push_back(std::move(name));
  }
  const auto in = [](const std::vector<std::string>& list) {
    return [&list](const std::string& name) { return std::ranges::find(list, name) != list.end(); };
  };
  const bool lost = !std::ranges::all_of(sure, in(shown->names));
  const bool ghost = !std::ranges::all_of(shown->names, in(possible));
  if (!lost && !ghost && !named_twice(answer)) return {};
  Difference wrong = differ(lost    ? Wrong::kAbsent
                            : ghost ? Wrong::kGhost
                                    : Wrong::kOtherValue,
                            asked, say(Shown{Names{lost ? sure : possible}}), answer);
  place.told = true;
  return wrong;
}

}  // namespace storefuzz::program
