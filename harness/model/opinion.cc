// What an answer may rest on, and whether it may be a refusal. Nothing is changed here.
//
// Three kinds of refusal: due (anything else is a difference), allowed (with a reason; both are
// right), not allowed.
#include <algorithm>

#include "harness/case/keys.h"
#include "harness/case/words.h"
#include "harness/model/world.h"

namespace storefuzz::program {

using World = Model::World;

namespace {

// Arguments that contradict each other a constructor may refuse, and so may whoever looks at them
// later. But a mode that reads, with a flag that does not forbid to write, reads as any other one.
bool may_refuse_for_its_arguments(const View& view) {
  return view.contradictory && view.mode != Mode::kRead;
}

}  // namespace

// --- who writes, and what that would publish

bool World::others_write(std::size_t place, const View* view) const {
  return std::ranges::any_of(
      views, [&](const View& it) { return &it != view && it.place == place && it.writes(); });
}

bool World::anybody_truncates(std::size_t place) const {
  return std::ranges::any_of(views,
                             [&](const View& it) { return it.place == place && it.truncates(); });
}

// Others published since it was opened, or perhaps opened by a call that was refused.
bool World::stale(const View& view) const {
  if (!view.archive() || (!view.opened && !(view.touched && view.writable))) return false;
  const std::size_t current = place_of(view).current();
  if (others_write(view.place, &view)) return true;
  // Who wrote nodes alone has published as well.
  const PlaceState& place = place_of(view);
  if (view.nodes_seen != place.nodes.published || (place.nodes.unclear && !place.arrays.empty()))
    return true;
  if (!view.opened) return view.lo < current;
  return (view.fresh ? view.since : view.seen) < current ||
         std::ranges::any_of(
             view.candidates, [&](const Candidate& it) { return it.epoch < current; });
}

// A close publishes its own writes over what others published since it opened.
Content World::publishes(const View& view) const {
  const PlaceState& place = place_of(view);
  Content base = view.fresh ? Content{} : place.now();
  if (!view.fresh && view.fuzzy)
    for (const Candidate& it : view.candidates) base = united(base, it.content);
  for (std::size_t epoch = view.since + 1; view.opened && epoch < place.epochs.size(); ++epoch)
    for (KeyId key = 0; key < book.size(); ++key)
      if (const Values now = place.epochs[epoch][key], old = place.epochs[epoch - 1][key];
          now != old) {
        // Perhaps it did not change, or before this archive was opened.
        const bool unsure = now & old || epoch <= view.seen;
        base.put(key, place.now()[key] | (unsure ? base[key] : 0));
      }
  return overlaid(base, view.pending);
}

// While somebody writes: as it is, as each close would leave it, or nothing where one truncates.
Content World::meanwhile(std::size_t place) const {
  Content all = places[place].now();
  for (const View& it : views) {
    if (it.place != place || !it.writes()) continue;
    all = united(all, publishes(it));
    if (it.truncates()) all = united(all, Content{});
  }
  return all;
}

// --- what a view may rest on

namespace {

void rest_on_epochs(Opinion& opinion, const PlaceState& place, std::size_t lo) {
  for (std::size_t epoch = lo; epoch < place.epochs.size(); ++epoch) {
    const Content& content = place.epochs[epoch];
    const bool again = std::ranges::any_of(
        opinion.candidates, [&](const Candidate& it) { return it.content == content; });
    // The newest of equal ones: what rests on it is not stale.
    if (again) std::erase_if(opinion.candidates, [&](auto& it) { return it.content == content; });
    opinion.candidates.push_back({epoch, content});
  }
}

}  // namespace

// Whether a copy that is not open may truncate, as what it was carried from would have: mode w is
// for who opens the archive first, and nobody has.
bool World::may_claim(const View& view) const {
  return !view.opened && view.w_of && views[*view.w_of].claim;
}

Opinion World::rests(const View& view) const {
  const PlaceState& place = place_of(view);
  Opinion opinion;
  if (place.unknown != Reason::kNone) opinion.give_up(place.unknown);
  if (place.others_acted) opinion.give_up(Reason::kOtherRelease);
  if (view.broken != Reason::kNone) opinion.give_up(view.broken);
  if (may_claim(view)) opinion.give_up(Reason::kBeforeClaim);
  if (!view.archive()) {
    opinion.candidates.push_back({place.current(), place.now()});
    if (place.on_disk && !view.writable && place.exists != Exists::kYes)
      opinion.allow(Reason::kPlaceMissing);
    if (place.torn) opinion.allow(Reason::kTorn);
    return opinion;
  }
  const bool others = others_write(view.place, &view);
  if (view.opened) {
    opinion.candidates = view.candidates;
    if (view.torn) opinion.allow(Reason::kTorn);
    if (view.writes() && others) opinion.allow(Reason::kOpenWriter);
    return opinion;
  }
  if (view.claim) {
    opinion.candidates.push_back({place.current(), Content{}});
    if (view.mode == Mode::kExclusive) {
      // zipfile asks for no new file where it is given one: its caller made that.
      const bool sure =
          place.exists == Exists::kYes && !others && !place.torn && !view.kind->given_a_file;
      // What a refused call of this very handle may have made is no reason.
      if (sure && !view.touched && view.broken == Reason::kNone)
        opinion.due(Reason::kArchiveClaimed);
      else if (place.exists != Exists::kNo || others || view.touched)
        opinion.allow(Reason::kArchiveClaimed);
      return opinion;
    }
    if (others) opinion.allow(Reason::kOpenWriter);
    if (view.torn) {
      opinion.candidates.push_back({place.current(), meanwhile(view.place)});
      opinion.allow(Reason::kTorn);
    }
    return opinion;
  }
  rest_on_epochs(opinion, place, view.lo);
  if (others) opinion.candidates.push_back({place.current(), meanwhile(view.place)});
  if (others) opinion.allow(Reason::kOpenWriter);
  if (view.torn || place.torn) opinion.allow(Reason::kTorn);
  if (place.exists == Exists::kMaybe || (place.exists == Exists::kNo && !view.writable))
    opinion.allow(Reason::kArchiveMissing);
  if (view.before_claim || may_claim(view)) opinion.allow(Reason::kBeforeClaim);
  return opinion;
}

Content World::shown_by(const Asked& asked, const Candidate& candidate) const {
  const HandleState& who = handles[asked.handle];
  Content content = overlaid(candidate.content, views[who.view].pending);
  if (!who.cache) return content;
  const std::vector<Values>& ever = caches[*who.cache].ever;
  for (KeyId key = 0; key < ever.size(); ++key)
    if (ever[key]) content.add(key, ever[key]);
  return content;
}

// --- reads

namespace {

bool within_a_name(const Question& question, const PlaceState& place, const Book& book) {
  const std::string prefix = question.prefix + question.call->key;
  if (question.call->key.empty() || prefix.ends_with('/')) return false;
  return std::ranges::any_of(place.names, [&](KeyId it) {
    const std::string& name = book.name(it);
    return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] != '/');
  });
}

void question_of(Opinion& opinion, Reason why) {
  opinion.give_up(why);
  opinion.question = true;
}

// Arguments that stores answer in their own way: what they answer is a question, no difference.
void look_for_edges(const World& world, const Asked& asked, Opinion& opinion) {
  const Question& question = asked.question;
  const PlaceState& place = world.place_of(world.view_of(asked.handle));
  if (asked.odd) question_of(opinion, Reason::kOddKey);
  for (const Candidate& it : opinion.candidates)
    if (is_edge(question, world.book, world.shown_by(asked, it)))
      return question_of(opinion, Reason::kEdge);
  const bool one_key = reads_one_key(question.op);
  // Where a key was set as well, either may be there.
  const bool perhaps_key = question.key && std::ranges::any_of(opinion.candidates, [&](auto& it) {
                             return world.shown_by(asked, it)[*question.key] & kEvery;
                           });
  if (one_key && question.files && perhaps_key && world.is_folder(place, question.full))
    question_of(opinion, Reason::kKeyAndFolder);
  if (question.op == Op::kListPrefix && question.files &&
      within_a_name(question, place, world.book))
    question_of(opinion, Reason::kEdge);
  if (!one_key && asked.row->takes.prefix && question.key &&
      std::ranges::find(place.names, *question.key) != place.names.end() &&
      question.op != Op::kListPrefix)
    question_of(opinion, Reason::kEdge);
}

void look_below_arrays(const World& world, const Asked& asked, Opinion& opinion) {
  const PlaceState& place = world.place_of(world.view_of(asked.handle));
  const bool listing = !reads_one_key(asked.question.op);
  if (!place.arrays.empty() && (listing || world.hidden(place, asked.question.full)))
    opinion.give_up(Reason::kArray);
}

}  // namespace

// --- writes

namespace {

// Whether a key is surely there, of those that a delete names.
bool surely_deletes(const World& world, const Asked& asked, const Content& content) {
  const Question& question = asked.question;
  const PlaceState& place = world.place_of(world.view_of(asked.handle));
  if (asked.row->on_content == OnContent::kDelete)
    return question.key && !(content[*question.key] & kGone) && !world.hidden(place, question.full);
  const std::string folder = asked.folder();
  for (KeyId key = 0; key < content.size(); ++key)
    if (const std::string& name = world.book.name(key);
        !(content[key] & kGone) && lies_below(name, folder) && !world.hidden(place, name))
      return true;
  return false;
}

}  // namespace

bool World::changes_nothing(const Asked& asked, const Content& content) const {
  const PlaceState& place = place_of(view_of(asked.handle));
  // A chunk that is not there need not be asked for.
  if (judges_nodes(asked)) return writes_zeros(asked) && handles[asked.handle].kind->connects;
  if (asked.row->deletes()) return !surely_deletes(*this, asked, content);
  if (!place.arrays.empty()) return true;  // who knows
  return asked.row->on_content == OnContent::kSetIfAbsent && asked.question.key &&
         (content[*asked.question.key] & kEvery);
}

namespace {

void opinion_of_write(const World& world, const Asked& asked, Opinion& opinion) {
  const HandleState& who = world.handles[asked.handle];
  const View& view = world.views[who.view];
  const PlaceState& place = world.place_of(view);
  const Adapter& kind = *who.kind.operator->();
  if (asked.odd) opinion.give_up(Reason::kOddKey);
  if (opinion.unknown != Reason::kNone) return;
  const auto some = [&](auto&& holds) {
    return std::ranges::any_of(
        opinion.candidates, [&](const Candidate& it) { return holds(world.shown_by(asked, it)); });
  };
  const bool nothing = some([&](const Content& it) { return world.changes_nothing(asked, it); });
  if (!view.writable) {
    if (nothing) return opinion.allow(Reason::kNothingToDo);
    return opinion.due(view.contradictory ? Reason::kContradictory : Reason::kReadOnly);
  }
  if (opinion.refusal == RefusalIs::kDue) return;
  const bool clears = asked.row->on_content == OnContent::kClear;
  const bool cannot = clears ? kind.clears == Can::kNo : asked.row->deletes() && !kind.deletes;
  // While others write, an archive may have nothing to delete for whoever reads it.
  const bool others = view.archive() && !view.opened && world.others_write(view.place, &view);
  if (cannot && !nothing && others) return opinion.give_up(Reason::kOpenWriter);
  if (cannot && !nothing) return opinion.due(Reason::kNoDeletes);
  // Nothing is asked of an archive that surely has not what is to be deleted.
  const auto changes = [&](const Content& it) { return !world.changes_nothing(asked, it); };
  if (cannot && (!place.arrays.empty() || some(changes))) opinion.allow(Reason::kNothingToDo);
  if (clears && kind.clears == Can::kMay) opinion.allow(Reason::kClearMay);
  if (world.writes_zeros(asked) && !kind.deletes) opinion.allow(Reason::kNoDeletes);
  const std::string& full = asked.question.full;
  const bool block = asked.row->family == Family::kArray;  // in the folder of its array
  if (!block && kind.files && (world.is_folder(place, full) || world.below_a_key(place, full)))
    opinion.allow(Reason::kKeyAndFolder);
  if (asked.row->on_content == OnContent::kDeleteBelow && kind.files && asked.question.key &&
      std::ranges::find(place.names, *asked.question.key) != place.names.end())
    opinion.allow(Reason::kKeyAndFolder);
  if (world.stale(view)) opinion.allow(Reason::kStaleWriter);
}

void opinion_of_close(const World& world, const View& view, Opinion& opinion) {
  opinion.candidates.clear();
  const Reason broken = view.broken;
  opinion.refusal = RefusalIs::kNotAllowed;
  if (broken != Reason::kNone) return opinion.allow(broken);
  if (may_refuse_for_its_arguments(view)) return opinion.allow(Reason::kContradictory);
  if (!view.archive()) return;
  const bool perhaps_opened = !view.opened && view.touched && view.writable;
  if (!perhaps_opened && (!view.opened || !view.writes())) return;
  if (world.stale(view)) opinion.allow(Reason::kStaleWriter);
  if (view.torn) opinion.allow(Reason::kTorn);
  if (world.elsewhere(view)) opinion.allow(Reason::kOtherDirectory);
}

bool of_nodes(const Operation& row, const HandleState& who) {
  return row.is_about_a_node() || who.subject == Subject::kArray || who.subject == Subject::kGroup;
}

// Opening what nobody ever tried to make. A key may have been given any bytes: where one is called
// as a document of zarr is, they may be that document.
bool opens_no_node(const World& world, const Asked& asked) {
  const Operation& row = *asked.row;
  const bool node = row.binds == Subject::kArray || row.binds == Subject::kGroup;
  const bool creates = row.op == Op::kCreateArray || row.op == Op::kCreateGroup;
  if (row.gives != Gives::kHandle || !node || creates) return false;
  const HandleState& who = world.handles[asked.handle];
  const View& view = world.views[who.view];
  const PlaceState& place = world.place_of(view);
  const bool open_question = who.unknown != Reason::kNone || place.unknown != Reason::kNone ||
                             view.broken != Reason::kNone || place.odd_written || place.told ||
                             who.kind->shared == Shared::kSession || world.elsewhere(view) ||
                             place.twisted || place.others_acted || who.crossed;
  return !open_question && place.arrays.empty() && std::ranges::none_of(place.names, [&](KeyId it) {
    return is_document(world.book.name(it));
  });
}

}  // namespace

namespace {

// Of the handle with which one is compared.
std::optional<std::size_t> view_compared(const World& world, const Asked& asked) {
  const auto found = world.find_handle(asked.call->other, world.handles[asked.handle].process);
  if (!found) return {};
  return world.handles[*found].view;
}

// Two paths on disk are two places, whatever else a store compares.
bool lie_apart(const World& world, const View& one, const View& other) {
  const auto on_disk = [&](const View& it) {
    return world.place_of(it).on_disk && !it.relative && it.kind->shared == Shared::kPlace;
  };
  return one.place != other.place && on_disk(one) && on_disk(other);
}

// An object that brings its content along equals what it was copied from as long as both hold the
// same (zarr asks it of every store: zarr.testing.store, test_serializable_store).
bool hold_the_same(const World& world, const View& one, const View& other) {
  const PlaceState &left = world.place_of(one), &right = world.place_of(other);
  const auto surely = [&](const PlaceState& it) {
    return it.arrays.empty() && !it.odd_written && !it.told && it.unknown == Reason::kNone;
  };
  bool same = one.family == StoreFamily::kCopied && other.family == StoreFamily::kCopied &&
              left.copy_of.value_or(one.place) == right.copy_of.value_or(other.place) &&
              surely(left) && surely(right);
  for (KeyId key = 0; same && key < world.book.size(); ++key)
    same = single(left.now()[key]) && left.now()[key] == right.now()[key];
  return same;
}

}  // namespace

// True for one view; for two where nothing that a store compares differs; false for two places.
// Else who knows.
std::optional<bool> World::flag_of(const Asked& asked) const {
  const HandleState& one = handles[asked.handle];
  const View& view = views[one.view];
  if (asked.row->op == Op::kEnter) return true;  // `with store as it` gives the store itself
  if (asked.row->rule == Rule::kOwnAnswer) return {};
  if (one.subject == Subject::kArray || one.subject == Subject::kGroup) return {};
  if (asked.row->takes.other) {
    const auto found = find_handle(asked.call->other, one.process);
    if (!found || one.crossed || handles[*found].crossed) return {};
    const HandleState& other = handles[*found];
    const View& its = views[other.view];
    if (one.subject != other.subject || one.prefix != other.prefix || one.kind != other.kind)
      return {};
    if (one.view == other.view && one.cache == other.cache) return true;
    if (lie_apart(*this, view, its)) return false;
    // A store may compare how it was opened, as ZipStore does.
    const bool alike = (view.mode == Mode::kRead) == (its.mode == Mode::kRead);
    const bool same_place = view.place == its.place || hold_the_same(*this, view, its);
    const bool same = alike && same_place && view.read_only == its.read_only &&
                      view.relative == its.relative && view.directory == its.directory &&
                      !view.contradictory && !its.contradictory && !one.cache && !other.cache &&
                      !view.kind->given_a_file;  // each has a file of its own
    return same ? std::optional(true) : std::nullopt;
  }
  if (view.contradictory || !one.kind->writes) return {};
  return view.read_only;
}

// Not every store has a method without a loop: then what is around it refuses the call.
bool World::lacks_in_sync(const Asked& asked) const {
  const HandleState& who = handles[asked.handle];
  return asked.row->in_sync() && (who.kind->inner || who.subject != Subject::kStore);
}

Opinion World::opinion(const Asked& asked) const {
  const HandleState& who = handles[asked.handle];
  const View& view = views[who.view];
  const Operation& row = *asked.row;
  const Adapter& kind = *who.kind.operator->();
  Opinion opinion;
  const bool looks_at_content = asked.on_handle != OnHandle::kNone;
  if (looks_at_content) opinion = rests(view);
  // That a store equals itself needs no content.
  const bool compares = row.takes.other && who.view == view_compared(*this, asked);
  if (kind.shared == Shared::kSession && !compares) opinion.give_up(Reason::kSession);
  if (who.unknown != Reason::kNone) opinion.give_up(who.unknown);
  if (of_nodes(row, who) && !judges_nodes(asked)) opinion.give_up(Reason::kArray);
  if (row.misuse) opinion.allow(Reason::kMisuse);
  if (may_refuse_for_its_arguments(view)) opinion.allow(Reason::kContradictory);
  if (asked.on_handle == OnHandle::kEnds) {
    if (opinion.unknown != Reason::kSession) opinion_of_close(*this, view, opinion);
    if (who.crossed) opinion.allow(Reason::kOtherRelease);
    if (place_of(view).twisted) opinion.allow(Reason::kTwisted);
    return opinion;
  }
  if (opens_no_node(*this, asked)) {
    opinion.unknown = Reason::kNone;
    opinion.due(Reason::kNoNode);
    return opinion;
  }
  if (who.crossed) opinion.allow(Reason::kOtherRelease);
  if (looks_at_content && elsewhere(view)) opinion.allow(Reason::kOtherDirectory);
  if (looks_at_content && connected_otherwise(asked)) opinion.allow(Reason::kConnection);
  if (looks_at_content && lacks_in_sync(asked)) opinion.allow(Reason::kMayRefuse);
  // What a StorePath makes of a key that is no path, is its own affair, on any store.
  const PlaceState& place = place_of(view);
  // So is what `list dir` makes of it, which looks at the parts between slashes.
  const bool whole_names = kind.any_key && row.op != Op::kListDir;
  if (looks_at_content && (whole_names ? place.odd_written : odd_names(place)))
    opinion.give_up(Reason::kOddKeyWritten);
  if (row.gives == Gives::kState && !judges_nodes(asked)) opinion.unknown = Reason::kState;
  if (row.gives == Gives::kFlag && !looks_at_content && !flag_of(asked))
    opinion.give_up(Reason::kEqualityOfTwo);
  if (row.gives == Gives::kHandle && row.takes.flag && kind.views != Can::kYes)
    opinion.allow(Reason::kMayRefuse);
  if (row.rule == Rule::kOwnAnswer) opinion.allow(Reason::kMayRefuse);
  if (row.gives == Gives::kHandle && asked.odd) opinion.allow(Reason::kOddKey);
  // The name of a zip entry ends at its first NUL (APPNOTE 4.4.17 has it in DOS and Unix manner).
  if (view.archive() && row.takes.key && asked.call->key.find('\0') != std::string::npos)
    opinion.allow(Reason::kOddKey);
  // What is there no more for others was taken away, by whatever name.
  if (row.rule == Rule::kMoves) {
    opinion.allow(Reason::kMayRefuse);
    if (view.read_only && !view.contradictory && opinion.unknown == Reason::kNone)
      opinion.due(Reason::kReadOnly);
  }
  if (reads(row.op)) {
    look_for_edges(*this, asked, opinion);
    look_below_arrays(*this, asked, opinion);
  } else if (row.writes()) {
    opinion_of_write(*this, asked, opinion);
  }
  return opinion;
}

// --- make and carry

Opinion World::opinion_of_make(const Make& make) const {
  Opinion opinion;
  if (make.kind->shared == Shared::kSession) opinion.give_up(Reason::kSession);
  if (contradicts(make)) opinion.allow(Reason::kContradictory);
  if (!make.around.empty()) {
    const auto inner = find_handle(make.around, make.in);
    if (inner && may_refuse_for_its_arguments(view_of(*inner)))
      opinion.allow(Reason::kContradictory);
    return opinion;
  }
  const StoreFamily family = family_of(*make.kind.operator->());
  if (family != StoreFamily::kArchive && family != StoreFamily::kLive) return opinion;
  const auto place = std::ranges::find_if(
      places, [&](const PlaceState& it) { return it.on_disk && it.name == make.at; });
  const bool there = place != places.end();
  const bool elsewhere = make.relative && !directory_of(make.in).empty();
  const Exists exists = elsewhere ? Exists::kMaybe : there ? place->exists : Exists::kNo;
  const bool others =
      there && others_write(static_cast<std::size_t>(place - places.begin()), nullptr);
  if (there && place->unknown != Reason::kNone) opinion.allow(place->unknown);
  if (!makes_writable(make) && (exists != Exists::kYes || place->torn || others))
    opinion.allow(others ? Reason::kOpenWriter : Reason::kPlaceMissing);
  if (family == StoreFamily::kArchive && make.mode == Mode::kExclusive && makes_writable(make) &&
      (exists != Exists::kNo || others))
    opinion.allow(Reason::kArchiveClaimed);
  return opinion;
}

Opinion World::opinion_of_carry(const Carry& carry, std::size_t from) const {
  const HandleState& who = handles[from];
  const View& view = views[who.view];
  Opinion opinion;
  if (who.kind->shared == Shared::kSession) opinion.give_up(Reason::kSession);
  if (who.unknown != Reason::kNone) opinion.give_up(who.unknown);
  if (who.crossed || is_other(who.process) != is_other(carry.to))
    opinion.allow(Reason::kOtherRelease);
  if (carry.cargo == Cargo::kArray || carry.cargo == Cargo::kGroup) opinion.allow(Reason::kArray);
  if (carry.carrier == Carrier::kHandedOver) return opinion;
  if (may_refuse_for_its_arguments(view)) opinion.allow(Reason::kContradictory);
  if (view.broken != Reason::kNone) opinion.allow(view.broken);
  if (place_of(view).unknown != Reason::kNone) opinion.allow(place_of(view).unknown);
  if (view.family == StoreFamily::kBound) opinion.allow(Reason::kBound);
  if (view.archive() && view.writes()) opinion.allow(Reason::kUnpublished);
  if (view.archive() && others_write(view.place, &view)) opinion.allow(Reason::kOpenWriter);
  if (view.archive() && place_of(view).exists != Exists::kYes)
    opinion.allow(Reason::kArchiveMissing);
  if (view.before_claim) opinion.allow(Reason::kBeforeClaim);
  if (place_of(view).torn || view.torn) opinion.allow(Reason::kTorn);
  if (elsewhere(view) || (view.relative && directory_of(carry.to) != view.directory))
    opinion.allow(Reason::kOtherDirectory);
  return opinion;
}

// --- what is allowed, as values

namespace {

constexpr std::size_t kMostAnswers = 8;

void add_answer(Allowed& allowed, Answer answer) {
  for (const Answer& it : allowed.answers)
    if (same_answer(it, answer)) return;
  if (allowed.answers.size() < kMostAnswers) allowed.answers.push_back(std::move(answer));
}

}  // namespace

Allowed World::render(const Asked& asked, const Opinion& opinion) const {
  Allowed allowed{.refusal = opinion.refusal,
                  .opinion = opinion.unknown == Reason::kNone,
                  .reason = opinion.reason,
                  .place = place_of(view_of(asked.handle)).name};
  allowed.exact = opinion.refusal == RefusalIs::kDue;
  if (opinion.unknown != Reason::kNone) allowed.reason = opinion.unknown;
  if (!allowed.opinion || allowed.exact) return allowed;
  bool several = false;
  if (auto block = block_of(asked)) {
    several = block->several;
    add_answer(allowed, Shown{std::move(block->newest)});
  } else if (auto attributes = attributes_of(asked)) {
    several = attributes->several;
    add_answer(allowed, Shown{std::move(attributes->newest)});
  } else if (reads(asked.row->op)) {
    for (const Candidate& it : opinion.candidates) {
      const Content content = shown_by(asked, it);
      auto only = only_answer(asked.question, book, content);
      several = several || !only;
      add_answer(allowed, only ? std::move(*only) : some_answer(asked.question, book, content));
    }
  } else if (const auto flag = asked.row->gives == Gives::kFlag ? flag_of(asked) : std::nullopt) {
    add_answer(allowed, Shown{*flag});
  } else if (asked.row->gives == Gives::kHandle) {
    add_answer(allowed, Shown{NewHandle{handles[asked.handle].kind->type}});
  } else {
    add_answer(allowed, Shown{None{}});
  }
  several = several || allowed.answers.size() > 1;
  allowed.exact = opinion.refusal == RefusalIs::kNotAllowed && !several;
  if (several && allowed.reason == Reason::kNone)
    allowed.reason = handles[asked.handle].cache ? Reason::kCache : Reason::kSeveralValues;
  return allowed;
}

}  // namespace storefuzz::program
