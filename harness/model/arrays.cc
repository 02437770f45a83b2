// What the elements of an array are, and which calls on arrays and groups the model has an opinion
// of.
//
// zarr writes an array as one key a chunk, and shows the fill value where a chunk is missing: a
// lost chunk is no refusal but other numbers. So each element of an array that was created here has
// its own set of values, of which one must be shown.
#include <algorithm>

#include "harness/case/keys.h"
#include "harness/model/world.h"

namespace storefuzz::program {

using World = Model::World;

namespace {

// As reference/operations.json says it: int.from_bytes(value[:7]).
std::int64_t number_of(const Call& call) {
  const Bytes value = call.value.bytes();
  std::int64_t number = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(7, value.size()); ++i)
    number = number * 256 + static_cast<unsigned char>(value[i]);
  return number;
}

bool is_plain_range(const Call& call) {
  return 0 <= call.start && call.start < call.end &&
         call.end <= static_cast<std::int64_t>(kElements);
}

std::span<const Element> elements_in(const Node& node, const Call& call) {
  return std::span(node.elements)
      .subspan(static_cast<std::size_t>(call.start),
               static_cast<std::size_t>(call.end - call.start));
}

// A key that lies where the node does: the one may have overwritten the other. So may a document of
// a node above it.
bool has_keys_at(const World& world, const PlaceState& place, std::string_view path) {
  return std::ranges::any_of(place.names, [&](KeyId it) {
    const std::string_view name = world.book.name(it);
    const std::size_t end = name.rfind('/');
    const std::string_view folder = name.substr(0, end == name.npos ? 0 : end);
    return name == path || lies_below(name, path) || lies_below(path, name) ||
           (is_document(name) && lies_below(path, folder));
  });
}

}  // namespace

// Whether this view shows the nodes as the list has them: an archive does to who wrote them, and to
// who opened it since that one was closed.
bool World::sees_nodes(std::size_t number) const {
  const View& view = views[number];
  const PlaceState& place = place_of(view);
  if (view.family == StoreFamily::kBound) {
    // What came from another process may share this one's dictionary, or have its own.
    const bool came = std::ranges::any_of(views, [&](const View& it) {
      return it.family == StoreFamily::kBound && it.process == view.process &&
             place_of(it).dictionary.empty();
    });
    return !came && !place.dictionary.empty();
  }
  if (!view.archive()) return true;
  if (view.torn || place.torn || view.claim || may_claim(view) || view.fuzzy) return false;
  if (view.kind->holds_its_file() || (view.touched && !view.opened)) return false;
  if (place.nodes.writer) return *place.nodes.writer == number;
  return (!view.opened && !view.carried) || view.nodes_seen == place.nodes.published;
}

// An archive has what its writer wrote since it was closed. Who writes without having seen that may
// leave it out.
void World::publish_nodes(const View& view, bool surely) {
  Nodes& nodes = place_of(view).nodes;
  const auto number = static_cast<std::size_t>(&view - views.data());
  if (!view.writes() && nodes.writer != number) return;
  if (!nodes.list.empty() && (!surely || !sees_nodes(number))) nodes.unclear = true;
  if (nodes.writer != number) return;
  nodes.writer.reset();
  ++nodes.published;
}

// Whether nothing but what lies there decides what this handle does.
bool World::knows_handle(const Asked& asked) const {
  const HandleState& who = handles[asked.handle];
  const View& view = views[who.view];
  const PlaceState& place = place_of(view);
  const bool silent = who.cache || who.unknown != Reason::kNone || who.crossed || asked.odd ||
                      view.broken != Reason::kNone || view.contradictory || elsewhere(view) ||
                      place.unknown != Reason::kNone || place.told ||
                      who.kind->shared == Shared::kSession;
  return !silent;
}

// Whether this handle shows the nodes as the list has them, and nothing but nodes lies where the
// call leads.
bool World::knows_nodes(const Asked& asked) const {
  const std::size_t view = handles[asked.handle].view;
  const PlaceState& place = place_of(views[view]);
  const bool others = place.twisted || place.others_acted || place.odd_written;
  return knows_handle(asked) && !others && !place.nodes.unclear && sees_nodes(view) &&
         !has_keys_at(*this, place, node_path(asked));
}

// Of all others, what zarr makes of its documents and chunks, nobody says.
const Node* World::judged_node(const Asked& asked) const {
  const Op op = asked.row->op;
  const HandleState& who = handles[asked.handle];
  const bool block = op == Op::kReadBlock || op == Op::kWriteBlock;
  const bool attributes = op == Op::kGetAttributes || op == Op::kSetAttributes;
  if (!block && !attributes && op != Op::kOpenArray && op != Op::kOpenGroup) return nullptr;
  if ((block && !is_plain_range(*asked.call)) || (attributes && !who.attributes)) return nullptr;
  if (!knows_nodes(asked)) return nullptr;
  const bool array = attributes ? who.subject == Subject::kArray : op != Op::kOpenGroup;
  const Node* node = place_of(view_of(asked.handle)).nodes.at(node_path(asked));
  // A group may show those of its consolidated metadata.
  const bool consolidated = who.subject == Subject::kGroup && who.nodes_from != kNow;
  if (attributes && (consolidated || (node && !node->attributes))) return nullptr;
  return node && node->sure && node->array == array ? node : nullptr;
}

// zarr deletes a chunk that is all fill value (the `write_empty_chunks` of its configuration).
bool World::writes_zeros(const Asked& asked) const {
  return asked.row->op == Op::kWriteBlock && number_of(*asked.call) == 0;
}

// A node has to be refused by what may not write, whatever lies there; and it can be created where
// nothing is, by the one writer of an archive.
bool World::judges_create(const Asked& asked) const {
  if (asked.row->op != Op::kCreateArray && asked.row->op != Op::kCreateGroup) return false;
  const View& view = view_of(asked.handle);
  if (!view.writable) return knows_handle(asked);
  const std::string path = node_path(asked);
  return !path.empty() && knows_nodes(asked) && place_of(view).nodes.can_add(path) &&
         !(view.archive() && others_write(view.place, &view));
}

bool World::judges_nodes(const Asked& asked) const {
  return judges_create(asked) || judged_node(asked) != nullptr;
}

std::optional<Block> World::block_of(const Asked& asked) const {
  const Node* node = asked.row->op == Op::kReadBlock ? judged_node(asked) : nullptr;
  if (!node) return {};
  Block block;
  for (const Element& it : elements_in(*node, *asked.call)) {
    block.newest.numbers.push_back(it.back());
    block.several = block.several || it.size() > 1;
  }
  return block;
}

void World::write_block(const Asked& asked, bool done) {
  const View& view = view_of(asked.handle);
  Nodes& nodes = place_of(view).nodes;
  if (!view.writable) return;
  Node* node = nodes.at(node_path(asked));
  if (!node) return;
  const bool plain = is_plain_range(*asked.call);
  for (std::size_t i = 0; i < kElements; ++i) {
    const auto at = static_cast<std::int64_t>(i);
    if (plain && (at < asked.call->start || at >= asked.call->end)) continue;
    if (done && plain) node->elements[i].clear();
    node->elements[i].push_back(number_of(*asked.call));
  }
}

std::optional<Difference> World::take_block(const Asked& asked, const Answer& answer) {
  const std::optional<Block> right = block_of(asked);
  if (!right || !shown(answer)) return {};
  PlaceState& place = place_of(view_of(asked.handle));
  Node& node = *place.nodes.at(node_path(asked));
  const auto elements = elements_in(node, *asked.call);
  const auto* numbers = shown_as<Numbers>(answer);
  const bool as_many = numbers && numbers->numbers.size() == elements.size();
  bool fits = as_many, zeros = as_many;  // zeros: what is wrong is what a missing chunk shows
  for (std::size_t i = 0; as_many && i < elements.size(); ++i) {
    const std::int64_t now = numbers->numbers[i];
    if (std::ranges::find(elements[i], now) != elements[i].end()) continue;
    fits = false;
    zeros = zeros && now == 0;
  }
  if (fits) {
    for (std::size_t i = 0; i < elements.size(); ++i)
      node.elements[static_cast<std::size_t>(asked.call->start) + i] = {numbers->numbers[i]};
    return {};
  }
  Difference wrong =
      differ(zeros ? Wrong::kAbsent : Wrong::kOtherValue, asked, say(Shown{right->newest}), answer);
  attempt(asked);
  open(view_of(asked.handle), {});
  place.told = true;
  return wrong;
}

}  // namespace storefuzz::program
