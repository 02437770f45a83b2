// What answers and deeds do to places and views.
//
// Acknowledged means that the same handle sees it. Published is what everybody sees: of a live
// store at once, of an archive by its close. Only a close publishes for sure; a drop, an exit and a
// death publish or do not, key by key.
#include <algorithm>

#include "harness/case/keys.h"
#include "harness/model/world.h"

namespace storefuzz::program {

using World = Model::World;

namespace {

// Pending values of a write that perhaps did not happen.
Values perhaps_pending(Values pending, Values written) {
  if (written == 0) return pending;
  return pending ? pending | written : written | kPerhaps;
}

// Truncating is a write that is not published yet. Who has the archive open may find it torn.
void tear_others(World& world, const View& view, bool touched_too) {
  for (View& it : world.views)
    if (&it != &view && it.place == view.place && it.living &&
        (it.opened || (touched_too && it.touched)))
      it.torn = true;
}

}  // namespace

void World::touch(View& view) {
  if (view.touched) return;
  view.since = place_of(view).current();
  if (!view.carried) view.nodes_seen = place_of(view).nodes.published;
  view.touched = true;
}

// The first answer that needs the content opens an archive.
void World::open(View& view, std::vector<Candidate> fitting) {
  if (!view.archive() || view.opened) return;
  PlaceState& place = place_of(view);
  touch(view);
  if (may_claim(view)) {
    view.broken = Reason::kBeforeClaim;
    view.begins = true;
    place.publish(united(place.now(), Content{}));
    place.exists = Exists::kMaybe;
    place.torn = true;
    tear_others(*this, view, true);
  }
  view.fuzzy = others_write(view.place, &view);
  view.opened = true;
  view.seen = place.current();
  // Who truncates an archive takes the nodes of others away.
  Nodes& nodes = place.nodes;
  const bool own = nodes.writer && &views[*nodes.writer] == &view;
  if ((view.claim || may_claim(view)) && !own && !nodes.list.empty()) nodes.unclear = true;
  view.candidates = std::move(fitting);
  if (view.candidates.empty()) view.candidates.push_back({place.current(), place.now()});
  if (view.claim) {
    view.fresh = true;
    view.claim = view.claims = false;
    if (place.exists == Exists::kNo) place.exists = Exists::kMaybe;
    tear_others(*this, view, true);
  } else if (view.writable && place.exists != Exists::kYes) {
    view.begins = true;
    place.exists = Exists::kMaybe;
  }
}

// What a call does although nobody knows whether it was done: it was tried.
void World::attempt(const Asked& asked, bool denied) {
  View& view = view_of(asked.handle);
  PlaceState& place = place_of(view);
  if (asked.on_handle == OnHandle::kNone) return;
  connect(asked.handle, opener_of(asked));
  const bool ends = asked.on_handle == OnHandle::kEnds;
  const bool closes_unopened = ends && view.archive() && !view.opened && !view.used;
  (asked.row->op == Op::kOpen ? view.told_to_open
   : closes_unopened          ? view.told_to_close
   : denied                   ? view.denied
                              : view.used) = true;
  if (!ends) touch(view);
  if (!view.writable) return;
  // What was refused may have opened an archive all the same, and begun one where there was none.
  const bool may_open = view.archive() && !view.opened && !ends;
  if (may_open && !view.claim && place.exists != Exists::kYes) view.begins = true;
  // A refused mode x claims what has gone since.
  if (view.claim && place.exists != Exists::kYes) view.claims = true;
  if (place.exists == Exists::kNo) place.exists = Exists::kMaybe;
  if (asked.row->writes()) ++effects;
  if (asked.row->sets()) place.names_key(book.key(asked.question.full));
  if (asked.row->on_content == OnContent::kUnknown) {
    if (view.archive()) view.begins = true;  // it holds what we do not know
    place.arrays.push_back(node_path(asked));
  }
}

namespace {

// The content after a write that was done. `named` are the keys it is about.
Content after_write(World& world, const Asked& asked, const Content& old,
                    std::vector<KeyId>& named) {
  const OnContent what = asked.row->on_content;
  Content changed = old;
  const auto put = [&](KeyId key, Values values) {
    changed.put(key, values);
    named.push_back(key);
  };
  if (asked.row->sets()) {
    const KeyId key = world.book.key(asked.question.full);
    const Values value = world.book.value(key, asked.call->value.bytes());
    const Values before = what == OnContent::kSet ? kGone : old[key];
    if (before & kGone) put(key, (before & ~kGone) | value);
    return changed;
  }
  if (what == OnContent::kUnknown || what == OnContent::kNone) return changed;
  const PlaceState& place = world.place_of(world.view_of(asked.handle));
  const auto itself = asked.question.key;
  const bool folders = world.handles[asked.handle].kind->deletes_folders;
  const std::string folder = asked.folder();
  const bool one = what == OnContent::kDelete;
  for (KeyId key = 0; key < world.book.size(); ++key) {
    const bool inside = lies_below(world.book.name(key), folder);
    if (one && key == itself) put(key, kGone);
    if (!one && inside) put(key, kGone);
    // By the name of a folder a key or all below it may have been meant.
    const bool both = folders && world.is_folder(place, folder);
    if (one && both && inside && old[key] != kGone) put(key, old[key] | kGone);
  }
  return changed;
}

Content as_one(const World& world, const Asked& asked) {
  const View& view = world.view_of(asked.handle);
  if (!view.archive()) return world.place_of(view).now();
  Content all = overlaid(view.candidates.front().content, view.pending);
  for (const Candidate& it : view.candidates) all = united(all, overlaid(it.content, view.pending));
  return all;
}

Values& ever_of(Cache& cache, KeyId key) {
  if (key >= cache.ever.size()) cache.ever.resize(key + 1, 0);
  return cache.ever[key];
}

// What one cache holds that lies beside a place, the others there may show.
void share(World& world, std::size_t cache, KeyId key, Values values) {
  const auto beside = world.caches[cache].beside;
  if (!beside) return;
  for (Cache& it : world.caches)
    if (it.beside == beside) ever_of(it, key) |= &it == &world.caches[cache] ? 0 : values;
}

void floor_cache(World& world, const Asked& asked, const std::vector<KeyId>& named,
                 const Content& content, bool perhaps) {
  const auto cache = world.handles[asked.handle].cache;
  if (!cache) return;
  for (const KeyId key : named) {
    Values& ever = ever_of(world.caches[*cache], key);
    ever = perhaps ? ever | content[key] : content[key];
    share(world, *cache, key, content[key]);
  }
}

}  // namespace

void World::acknowledge(const Asked& asked) {
  View& view = view_of(asked.handle);
  PlaceState& place = place_of(view);
  open(view, {});
  if (asked.odd) place.odd_written = true;
  std::vector<KeyId> named;
  const Content old = as_one(*this, asked);
  Content changed = after_write(*this, asked, old, named);
  if (asked.row->sets()) place.names_key(book.key(asked.question.full));
  // A cache may hold what its source no longer lists.
  floor_cache(*this, asked, named, changed, asked.row->rule == Rule::kListed);
  const OnContent what = asked.row->on_content;
  if (!view.archive()) {
    place.publish(std::move(changed));
    const bool all = what == OnContent::kClear ||
                     (what == OnContent::kDeleteBelow && asked.question.full.empty());
    if (all && place.on_disk) place.exists = Exists::kMaybe;
    if (asked.row->sets()) place.exists = Exists::kYes;
    return;
  }
  if (what == OnContent::kClear) {
    // The file is closed before it goes, with what was pending in it; a store that was given a file
    // has that one open still.
    const bool held = std::ranges::any_of(views, [&](const View& it) {
      return it.living && it.place == view.place && it.kind->given_a_file;
    });
    if (held) place.publish(united(place.now(), old));
    view.pending.clear();
    view.fresh = true;
    view.candidates = {{place.current(), Content{}}};
    if (place.exists == Exists::kYes) place.exists = Exists::kMaybe;
    return tear_others(*this, view, false);
  }
  for (const KeyId key : named) {
    // What was there already, or was not, was perhaps not written: others may still change it.
    const bool sure = what == OnContent::kSet ||
                      (what == OnContent::kSetIfAbsent ? old[key] == kGone : !(old[key] & kGone));
    const bool deletes = changed[key] == kGone && old[key] != kGone;
    const Values news = deletes ? kGone : changed[key] & ~old[key];
    const Values written = sure ? changed[key] : perhaps_pending(view.pending[key], news);
    // What lists nothing asks nobody to delete.
    if (written || asked.row->rule != Rule::kListed) view.pending.put(key, written);
  }
}

// Done or not, and nobody says which.
void World::perhaps(const Asked& asked) {
  View& view = view_of(asked.handle);
  PlaceState& place = place_of(view);
  attempt(asked);
  if (view.archive() && !view.opened) {
    Opinion base = rests(view);
    open(view, std::move(base.candidates));
  }
  if (asked.odd) place.odd_written = true;
  std::vector<KeyId> named;
  const Content old = as_one(*this, asked);
  const Content changed = after_write(*this, asked, old, named);
  floor_cache(*this, asked, named, changed, true);
  if (!view.archive()) {
    place.publish(united(old, changed));
    if (place.on_disk && asked.row->writes()) place.exists = Exists::kMaybe;
    return;
  }
  for (const KeyId key : named)
    view.pending.put(key, perhaps_pending(view.pending[key], changed[key]));
  if (asked.row->on_content == OnContent::kClear) place.torn = true;
}

// What a cache was shown, it may go on showing.
void World::remember(const Asked& asked, const std::vector<Content>& shown) {
  const auto cache = handles[asked.handle].cache;
  if (!cache) return;
  // A sum of sizes reads each value.
  const bool below = asked.row->op == Op::kGetSizePrefix;
  const std::string_view folder = without_slash(asked.folder());
  for (KeyId key = 0; key < book.size(); ++key) {
    if (key != asked.question.key && !(below && lies_below(book.name(key), folder))) continue;
    for (const Content& it : shown) {
      ever_of(caches[*cache], key) |= it[key];
      share(*this, *cache, key, it[key]);
    }
  }
}

// --- handles

void World::bind(const Asked& asked) {
  if (asked.call->as.empty()) return;
  HandleState bound = handles[asked.handle];
  bound.name = asked.call->as;
  bound.inherited = false;
  const Operation& row = *asked.row;
  if (row.takes.flag) {
    View second = views[bound.view];
    const PlaceState& place = place_of(second);
    second.read_only = asked.call->flag;
    second.contradictory = false;
    second.writable = bound.kind->writes && !asked.call->flag;
    second.mode = second.writable ? Mode::kAppend : Mode::kRead;
    second.claim = second.claims = second.opened = second.touched = second.torn = false;
    second.fresh = second.begins = second.fuzzy = second.refused = false;
    second.pending.clear();
    second.candidates.clear();
    if (!second.kind->holds_its_file()) {
      second.lo = place.current();
      second.broken = Reason::kNone;
    }
    views.push_back(std::move(second));
    bound.view = views.size() - 1;
  } else {
    bound.subject = row.binds;
    bound.prefix = joined(bound.prefix, asked.call->key);
    bound.nodes_from = nodes_at_opening(place_of(view_of(asked.handle)), asked.question.full);
    const Node* node =
        knows_nodes(asked) ? place_of(view_of(asked.handle)).nodes.at(node_path(asked)) : nullptr;
    bound.attributes = node && node->sure ? node->attributes : std::nullopt;
    if (asked.odd) bound.unknown = Reason::kOddKey;
  }
  handles.push_back(std::move(bound));
}

namespace {

void add_cache(World& world, HandleState& handle) {
  if (!handle.kind->caches) return;
  Cache made;
  if (handle.kind->keeps) made.beside = world.views[handle.view].place;
  for (const Cache& it : world.caches)
    for (KeyId key = 0; made.beside && it.beside == made.beside && key < it.ever.size(); ++key)
      ever_of(made, key) |= it.ever[key];
  world.caches.push_back(std::move(made));
  handle.cache = world.caches.size() - 1;
}

std::string place_of_memory(const Make& step, const Adapter& kind) {
  return kind.shared == Shared::kProcess ? "dictionary of " + step.in
                                         : "object of " + step.in + "/" + step.as;
}

}  // namespace

// A store that is given a file: its caller has opened it. That made it or emptied it, also where
// the store is refused, or may not write.
void World::open_file(const Make& step, std::size_t number) {
  if (!innermost(step.kind)->given_a_file || step.mode == Mode::kRead) return;
  PlaceState& place = places[number];
  if (place.exists == Exists::kNo) place.exists = Exists::kMaybe;
  if (step.mode != Mode::kWrite) return;
  place.publish(united(place.now(), Content{}));
  place.exists = Exists::kMaybe;
  place.torn = true;
  place.others_acted = place.others_acted || place.twisted;
  for (View& it : views)
    if (it.place == number && it.living && (it.opened || it.touched)) it.torn = true;
}

// A store that opens itself, or whose caller makes its folder, makes its place, also where a pickle
// makes it anew.
void World::make_place(const View& view) {
  PlaceState& place = place_of(view);
  const bool makes = (view.kind->opens && view.writable) || view.kind->made_for;
  if (place.on_disk && makes && place.exists == Exists::kNo) place.exists = Exists::kMaybe;
}

bool contradicts(const Make& make) {
  if (!make.kind->takes("mode") || !make.read_only) return false;
  const bool writes = make.mode == Mode::kWrite || make.mode == Mode::kExclusive;
  return *make.read_only ? writes : make.mode == Mode::kRead;
}

bool makes_writable(const Make& make) {
  const bool has_mode = make.kind->takes("mode");
  return make.kind->writes && !make.read_only.value_or(false) &&
         !(has_mode && make.mode == Mode::kRead);
}

void World::make(const Make& step) {
  if (!step.around.empty()) {
    const auto inner = find_handle(step.around, step.in);
    if (!inner) return;
    HandleState around = handles[*inner];
    around.name = step.as;
    around.inherited = false;
    around.kind = over(step.kind, around.kind);
    if (step.kind->caches) add_cache(*this, around);
    handles.push_back(std::move(around));
    return;
  }
  const Adapter& kind = *step.kind.operator->();
  View view{.kind = step.kind, .family = family_of(kind), .process = step.in};
  view.mode = kind.takes("mode") ? step.mode : kind.writes ? Mode::kAppend : Mode::kRead;
  view.deflated = step.deflated;
  const bool mode_reads = view.mode == Mode::kRead;
  view.read_only = step.read_only.value_or(kind.takes("mode") && mode_reads);
  const bool truncates = view.mode == Mode::kWrite || view.mode == Mode::kExclusive;
  view.claimed = truncates;
  view.contradictory = contradicts(step);
  view.writable = makes_writable(step);
  if (!kind.prefix.empty()) view.prefix = kind.prefix + "/";
  const bool on_disk = view.family == StoreFamily::kLive || view.archive();
  if (on_disk) {
    view.relative = step.relative;
    view.directory = directory_of(step.in);
    const bool moved = step.relative && !view.directory.empty();
    view.place = moved ? new_place(step.at + " elsewhere", step.in) : place_on_disk(step.at);
    if (moved) places.back().unknown = Reason::kOtherDirectory;
  } else {
    const auto shared = std::ranges::find_if(places, [&](const PlaceState& it) {
      return !kind.dictionary.empty() && it.dictionary == kind.dictionary && it.process == step.in;
    });
    const bool bound = view.family == StoreFamily::kBound && shared != places.end();
    view.place = bound ? static_cast<std::size_t>(shared - places.begin())
                       : new_place(place_of_memory(step, kind), step.in);
    if (view.family == StoreFamily::kBound) places[view.place].dictionary = kind.dictionary;
    places[view.place].exists = Exists::kYes;
  }
  PlaceState& place = places[view.place];
  // How a session keeps its content is its own affair.
  if (kind.shared == Shared::kSession && kind.writes && on_disk) place.unknown = Reason::kSession;
  make_place(view);
  open_file(step, view.place);
  view.lo = place.current();
  view.claim = view.archive() && view.writable && truncates;
  view.claims = view.claim && !(view.mode == Mode::kExclusive && place.exists == Exists::kYes);
  views.push_back(std::move(view));
  HandleState handle{.process = step.in, .name = step.as, .kind = step.kind};
  handle.view = views.size() - 1;
  add_cache(*this, handle);
  handles.push_back(std::move(handle));
}

namespace {

// A shallow copy of what holds a store holds the same store.
bool shares_the_object(const Carry& step, const HandleState& from) {
  if (step.carrier == Carrier::kHandedOver) return true;
  const bool holds =
      from.kind->inner || from.subject != Subject::kStore || step.cargo != Cargo::kStore;
  return step.carrier == Carrier::kCopy && holds;
}

// The content of an object travels with it, and is its own from then on.
std::size_t place_of_its_own(World& world, const Carry& step, std::size_t origin) {
  PlaceState copy = world.places[origin];
  copy.name = "object of " + step.to + "/" + step.as;
  copy.copy_of = copy.copy_of.value_or(origin);
  copy.process = step.to;
  copy.dictionary.clear();
  copy.epochs = {copy.now()};
  world.places.push_back(std::move(copy));
  return world.places.size() - 1;
}

}  // namespace

// Opening a node opened the store, and perhaps another one that only reads; also where that was
// refused.
void World::opened_for_a_node(const Carry& step, std::size_t from) {
  if (step.cargo != Cargo::kArray && step.cargo != Cargo::kGroup) return;
  View& origin = views[handles[from].view];
  ++effects;
  touch(origin);
  origin.used = true;
  if (origin.archive() && !origin.opened) origin.broken = Reason::kArray;
  PlaceState& place = places[origin.place];
  if (origin.writable && place.exists == Exists::kNo) place.exists = Exists::kMaybe;
}

void World::carry(const Carry& step, std::size_t from) {
  HandleState arrived = handles[from];
  const bool was_other = is_other(arrived.process), is_other_now = is_other(step.to);
  if (was_other || is_other_now) arrived.crossed = was_other != is_other_now;
  arrived.process = step.to;
  arrived.name = step.as;
  arrived.inherited = false;
  if (!shares_the_object(step, arrived)) {
    View view = views[arrived.view];
    const bool stays = view.process == step.to;
    view.process = step.to;
    view.before_claim = view.before_claim || (view.claim && view.mode == Mode::kExclusive);
    if (view.claim && view.mode == Mode::kWrite) view.w_of = arrived.view;
    if (view.mode == Mode::kWrite || view.mode == Mode::kExclusive) view.mode = Mode::kAppend;
    view.claim = view.claims = view.opened = view.touched = view.torn = false;
    view.fresh = view.begins = view.fuzzy = false;
    view.pending.clear();
    view.candidates.clear();
    const bool same_object = view.family == StoreFamily::kCopied && step.carrier == Carrier::kCopy;
    if ((view.family == StoreFamily::kCopied && !same_object) ||
        (view.family == StoreFamily::kBound && !stays))
      view.place = place_of_its_own(*this, step, view.place);
    // What a session or an outsider left stays unknown where the object itself travelled, or what
    // has the file open.
    const bool shares_the_file = step.carrier == Carrier::kCopy && view.kind->holds_its_file();
    if ((view.archive() || view.family == StoreFamily::kLive) && !shares_the_file)
      view.broken = Reason::kNone;
    if (view.archive()) view.used = view.told_to_open = view.told_to_close = view.denied = false;
    view.lo = places[view.place].current();
    view.carried = true;
    view.nodes_seen = places[view.place].nodes.published;
    make_place(view);
    views.push_back(std::move(view));
    arrived.view = views.size() - 1;
    if (arrived.cache && step.carrier != Carrier::kCopy) {
      caches.push_back(Cache(caches[*arrived.cache]));
      arrived.cache = caches.size() - 1;
    }
  }
  if (step.cargo == Cargo::kArray || step.cargo == Cargo::kGroup) {
    arrived.unknown = Reason::kArray;
    opened_for_a_node(step, from);
  }
  handles.push_back(std::move(arrived));
}

// Everything of a process is copied: places nobody has a handle of yet, each view once, so that
// handles that shared one still do. Nothing is published.
void World::fork(const Fork& step) {
  std::vector<std::size_t> moved(places.size());
  for (std::size_t i = 0, count = places.size(); i < count; ++i) {
    moved[i] = i;
    if (places[i].on_disk || places[i].process != step.in) continue;
    PlaceState copy = places[i];
    copy.process = step.process;
    copy.name += " in " + step.process;
    copy.copy_of = copy.copy_of.value_or(i);
    moved[i] = places.size();
    places.push_back(std::move(copy));
  }
  std::vector<std::optional<std::size_t>> cloned(views.size());
  std::vector<std::optional<std::size_t>> cached(caches.size());
  for (std::size_t i = 0, count = handles.size(); i < count; ++i) {
    if (!handles[i].living || handles[i].process != step.in) continue;
    HandleState copy = handles[i];
    copy.process = step.process;
    copy.inherited = true;
    if (!cloned[copy.view]) {
      View view = views[copy.view];
      view.process = step.process;
      view.place = moved[view.place];
      cloned[copy.view] = views.size();
      views.push_back(std::move(view));
    }
    copy.view = *cloned[copy.view];
    if (copy.cache && !cached[*copy.cache]) {
      caches.push_back(Cache(caches[*copy.cache]));
      cached[*copy.cache] = caches.size() - 1;
    }
    if (copy.cache) copy.cache = cached[*copy.cache];
    handles.push_back(std::move(copy));
  }
  // A file system of fsspec refuses to work in a fork, whether it was connected or not.
  const bool inherits = std::ranges::any_of(handles, [&](const HandleState& it) {
    return it.living && it.process == step.process && it.kind->connects;
  });
  if (inherits) connections.push_back({step.process, Opener::kInherited});
  if (const std::string where = directory_of(step.in); !where.empty())
    directories.emplace_back(step.process, where);
  if (is_other(step.in)) others.push_back(step.process);
}

// --- ends

namespace {

// Deleting what perhaps is not there may be no write at all.
bool surely_written(const View& view) {
  if (view.fresh) return true;
  for (KeyId key = 0; key < view.pending.size(); ++key)
    if (view.pending[key] && view.pending[key] != (kGone | kPerhaps)) return true;
  return false;
}

}  // namespace

void World::close(View& view, bool acknowledged) {
  PlaceState& place = place_of(view);
  ++effects;
  if (!view.archive()) return;
  // An earlier close may have taken the claim, or not.
  const bool unsure = view.broken == Reason::kArchiveClaimed;
  const bool outsider = view.broken != Reason::kNone && !unsure;
  const bool publishes_any = view.opened && (!view.pending.empty() || view.fresh);
  publish_nodes(view, acknowledged && !outsider);
  if (publishes_any && !outsider) {
    Content content = publishes(view);
    if (!acknowledged) content = united(place.now(), content);
    if (!acknowledged && view.fresh) place.torn = true;
    if (acknowledged && surely_written(view)) {
      place.exists = Exists::kYes;
      place.torn = false;
    }
    place.publish(std::move(content));
    for (View& it : views)
      if (&it != &view && it.place == view.place && it.writes()) it.torn = true;
  } else if (outsider && view.writes()) {
    place.exists = Exists::kMaybe;
    place.torn = true;
    place.publish(united(place.now(), publishes(view)));
  }
  const bool untaken = view.claim && !view.opened;
  // A call that was refused may have taken the claim: then this close published nothing but that.
  const bool perhaps_taken = untaken && view.touched;
  if (perhaps_taken && !outsider) place.publish(united(place.now(), publishes(view)));
  if (perhaps_taken && !outsider) place.now() = united(place.now(), Content{});
  if (!acknowledged) {
    view.broken = Reason::kCloseRefused;
    return;
  }
  std::size_t oldest = place.current();
  // The next opening reads the file anew, unless the object has it open all the time.
  if (!publishes_any && view.kind->holds_its_file())
    for (const Candidate& it : view.candidates) oldest = std::min(oldest, it.epoch);
  if (view.opened || outsider) view.lo = publishes_any || outsider ? place.current() : oldest;
  view.opened = view.fresh = view.begins = view.fuzzy = view.touched = view.torn = false;
  view.carried = false;
  view.pending.clear();
  view.candidates.clear();
  // An open file is there, whatever an outsider did to its name.
  const bool keeps_its_file = view.broken == Reason::kOutsider && view.kind->holds_its_file();
  view.broken = perhaps_taken || (untaken && unsure) ? Reason::kArchiveClaimed
                : keeps_its_file                     ? Reason::kOutsider
                                                     : Reason::kNone;
  if (untaken) return;
  view.claim = view.claims = false;
  if (view.mode == Mode::kWrite || view.mode == Mode::kExclusive) view.mode = Mode::kAppend;
}

void World::perhaps_published(View& view) {
  PlaceState& place = place_of(view);
  if (!view.archive() || !view.writes()) return;
  publish_nodes(view, false);
  Content content = united(place.now(), publishes(view));
  if (view.truncates()) {
    content = united(content, Content{});
    place.torn = true;
    if (place.exists == Exists::kYes) place.exists = Exists::kMaybe;
  }
  if (place.exists == Exists::kNo) place.exists = Exists::kMaybe;
  if (view.broken != Reason::kNone) place.torn = true;
  place.publish(std::move(content));
  for (View& it : views)
    if (&it != &view && it.place == view.place && it.writes()) it.torn = true;
}

namespace {

// Some content ends with the last store that has it: when Python collects that store, or later.
void forget_content(World& world, const View& last) {
  const bool has_another = std::ranges::any_of(
      world.views, [&](const View& it) { return it.living && it.place == last.place; });
  PlaceState& place = world.place_of(last);
  if (has_another || !innermost(last.kind)->forgets) return;
  place.publish(united(place.now(), Content{}));
  place.nodes.unclear = true;
}

}  // namespace

void World::drop(std::size_t handle) {
  handles[handle].living = false;
  const std::size_t view = handles[handle].view;
  const bool held = std::ranges::any_of(
      handles, [&](const HandleState& it) { return it.living && it.view == view; });
  if (held) return;
  perhaps_published(views[view]);
  views[view].living = false;
  forget_content(*this, views[view]);
}

void World::end_process(std::string_view process) {
  if (gone(process)) return;
  ++effects;
  ended.emplace_back(process);
  for (std::size_t i = 0; i < handles.size(); ++i)
    if (handles[i].living && handles[i].process == process) drop(i);
}

namespace {

void delete_file(World& world, std::string_view at) {
  for (std::size_t i = 0; i < world.places.size(); ++i) {
    PlaceState& place = world.places[i];
    if (!place.on_disk || place.name != at) continue;
    place.publish(Content{});
    place.exists = Exists::kNo;
    place.torn = false;
    if (place.twisted) place.twisted.emplace();
    place.nodes.unclear = true;
    for (View& it : world.views)
      if (it.place == i && it.living && it.archive() &&
          (it.opened || it.touched || it.writes() || it.kind->holds_its_file()))
        it.broken = Reason::kOutsider;
  }
}

}  // namespace

void World::deed(const Deed& step) {
  ++effects;
  switch (step.what) {
    case What::kChangeDirectory: {
      const std::string where = step.in + " " + std::to_string(directories.size() + 1);
      std::erase_if(directories, [&](const auto& it) { return it.first == step.in; });
      directories.emplace_back(step.in, where);
      return;
    }
    case What::kDrop:
      if (const auto found = handle_of(Step(step), 0)) drop(*found);
      return;
    case What::kDeleteFile:
      return delete_file(*this, step.at);
    case What::kExit:
    case What::kQuit:
    case What::kDie:
      return end_process(step.in);
  }
}

}  // namespace storefuzz::program
