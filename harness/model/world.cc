// Names of a program → what the model keeps of them.
#include "harness/model/world.h"

#include <algorithm>

#include "harness/case/keys.h"
#include "harness/case/words.h"

namespace storefuzz::program {

StoreFamily family_of(const Adapter& kind) {
  if (kind.shared == Shared::kObject) return StoreFamily::kCopied;
  if (kind.shared == Shared::kProcess) return StoreFamily::kBound;
  return kind.medium == Medium::kZip ? StoreFamily::kArchive : StoreFamily::kLive;
}

const std::string& Asked::folder() const {
  const bool all = row->on_content == OnContent::kClear || call->key.empty();
  return all ? question.prefix : question.full;
}

void PlaceState::names_key(KeyId key) {
  if (std::ranges::find(names, key) == names.end()) names.push_back(key);
}

using World = Model::World;

namespace {

// Where a step's handles are, and in which process they are asked.
struct Named {
  std::string_view handle, in;
};

Named named_by(const Step& step, std::size_t handle) {
  if (const auto* call = std::get_if<Call>(&step))
    return {handle < call->on.size() ? std::string_view(call->on[handle]) : "", call->in};
  if (const auto* carry = std::get_if<Carry>(&step)) return {carry->from, carry->in};
  if (const auto* make = std::get_if<Make>(&step)) return {make->around, make->in};
  if (const auto* deed = std::get_if<Deed>(&step)) return {deed->handle, deed->in};
  return {};
}

}  // namespace

// Without a process, the handle is asked where it was made; a fork has it under the same name.
std::optional<std::size_t> World::find_handle(std::string_view name, std::string_view in) const {
  if (name.empty()) return {};
  for (std::size_t i = handles.size(); i-- > 0;) {
    const HandleState& it = handles[i];
    if (it.living && it.name == name && (in.empty() ? !it.inherited : it.process == in)) return i;
  }
  return {};
}

std::optional<std::size_t> World::handle_of(const Step& step, std::size_t handle) const {
  const Named named = named_by(step, handle);
  auto found = find_handle(named.handle, named.in);
  // A deed names a process always, and means a handle of any where there is one alone.
  if (!found && std::holds_alternative<Deed>(step)) found = find_handle(named.handle, {});
  return found;
}

std::string World::directory_of(std::string_view process) const {
  for (const auto& [name, directory] : directories)
    if (name == process) return directory;
  return {};
}

bool World::gone(std::string_view process) const {
  return std::ranges::find(ended, process) != ended.end();
}

bool World::elsewhere(const View& view) const {
  return view.relative && directory_of(view.process) != view.directory;
}

// zarr runs on its own loop what it is not given a loop for.
Opener World::opener_of(const Asked& asked) {
  const bool by_zarr = asked.row->said == Said::kPlain || asked.call->by == By::kSync;
  return by_zarr ? Opener::kSync : Opener::kHand;
}

// A connection belongs to the event loop in which it was opened, and a package may share it among
// all stores of a process: by another loop, or in a fork, such a store answers or refuses.
bool World::connected_otherwise(const Asked& asked) const {
  const HandleState& who = handles[asked.handle];
  return who.kind->connects && std::ranges::any_of(connections, [&](const Connection& it) {
           return it.process == who.process && it.opener != opener_of(asked);
         });
}

void World::connect(std::size_t handle, Opener opener) {
  const HandleState& who = handles[handle];
  const bool known = std::ranges::any_of(connections, [&](const Connection& it) {
    return it.process == who.process && it.opener == opener;
  });
  if (who.kind->connects && !known) connections.push_back({who.process, opener});
}

std::size_t World::new_place(std::string name, std::string process) {
  places.push_back({.name = std::move(name), .process = std::move(process)});
  return places.size() - 1;
}

std::size_t World::place_on_disk(std::string_view name) {
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i].on_disk && places[i].name == name) return i;
  const std::size_t made = new_place(std::string(name), {});
  places[made].on_disk = true;
  return made;
}

// What names an attribute names no node.
std::string World::node_path(const Asked& asked) const {
  const HandleState& who = handles[asked.handle];
  const bool named = asked.row->takes.text() && asked.row->family != Family::kArray;
  const std::string path = named ? asked.question.full : joined(views[who.view].prefix, who.prefix);
  return std::string(without_slash(path));  // the root of a store that has a prefix
}

bool World::is_folder(const PlaceState& place, std::string_view key) const {
  if (key.empty()) return false;  // no key is called so
  // An array or a group is a folder itself: its metadata lies there, and its chunks in another one.
  return std::ranges::any_of(place.names,
                             [&](KeyId it) { return lies_below(book.name(it), key); }) ||
         std::ranges::any_of(place.arrays, [&](const std::string& node) {
           return node == key || lies_below(node, key) || joined(node, "c") == key;
         });
}

namespace {

// In the folder of an array or a group zarr writes its document, and chunks as files below `c`; and
// it writes the documents of the groups above.
bool below_a_file_of(const std::string& node, std::string_view key) {
  const std::string folder = prefix_of_folder(node);
  const std::string chunks = folder + "c/";
  if (key.starts_with(chunks) && key.find('/', chunks.size()) != key.npos) return true;
  for (std::size_t at = key.find('/'); at != key.npos; at = key.find('/', at + 1)) {
    const std::string_view file = key.substr(0, at);
    const std::size_t name = file.rfind('/') == file.npos ? 0 : file.rfind('/') + 1;
    if (is_document(file) && folder.starts_with(file.substr(0, name))) return true;
  }
  return false;
}

}  // namespace

bool World::below_a_key(const PlaceState& place, std::string_view key) const {
  if (std::ranges::any_of(place.arrays,
                          [&](const std::string& node) { return below_a_file_of(node, key); }))
    return true;
  return std::ranges::any_of(place.names, [&](KeyId it) {
    return !book.name(it).empty() && lies_below(key, book.name(it));
  });
}

bool World::odd_names(const PlaceState& place) const {
  return place.odd_written ||
         std::ranges::any_of(place.names, [&](KeyId it) { return !plain_key(book.name(it)); });
}

// Below the path of an array or a group, above it, and the documents of the folders above it.
bool World::hidden(const PlaceState& place, std::string_view key) const {
  return std::ranges::any_of(place.arrays, [&](const std::string& path) {
    return key == path || lies_below(key, path) || (!key.empty() && lies_below(path, key)) ||
           is_document(key);
  });
}

std::optional<Asked> World::asked(const Step& step, std::size_t handle) const {
  const auto* call = std::get_if<Call>(&step);
  const auto found = handle_of(step, handle);
  if (!call || !found) return {};
  const HandleState& who = handles[*found];
  const View& view = views[who.view];
  Asked asked{.call = call, .row = &operation(call->op), .handle = *found};
  // What may be moved stays where it is (reference/side/operation_helpers.py).
  const bool nothing_done = asked.row->rule == Rule::kMoves && !view.read_only;
  asked.on_handle = nothing_done ? OnHandle::kNone : asked.row->on_handle;
  Question& question = asked.question;
  question.op = call->op;
  question.call = call;
  question.files = who.kind->files;
  const std::string prefix = view.prefix + who.prefix;
  question.prefix = prefix_of_folder(prefix);
  question.full = joined(prefix, call->key);
  question.key = book.find(question.full);
  const Arguments& takes = asked.row->takes;
  std::string_view path = call->key;
  if (takes.prefix && path.ends_with('/')) path.remove_suffix(1);
  const bool root = (takes.prefix || asked.row->gives == Gives::kHandle) && call->key.empty();
  // What takes any key takes it as a store; zarr makes a path of the name of an array, a group or a
  // StorePath, and refuses those that are none (normalize_path).
  const bool any_key =
      who.kind->any_key && who.subject == Subject::kStore && asked.row->gives != Gives::kHandle;
  asked.odd = (takes.key || takes.prefix) && !root && !plain_key(path) && !any_key;
  // zarr makes another name of what lies below such a path, and nobody knows which.
  asked.odd = asked.odd || who.unknown == Reason::kOddKey;
  return asked;
}

}  // namespace storefuzz::program
