// Judges one answer, narrows what its view may rest on, and carries out its effect.
//
// An allowed refusal teaches nothing, not even whether it opened an archive. After a difference the
// model adopts what was answered where that says something of the content, so that one loss is told
// once.
#include <algorithm>
#include <array>

#include "harness/case/keys.h"
#include "harness/model/world.h"

namespace storefuzz::program {

using World = Model::World;

namespace {

// Errors that tell of a mistake within the store and not of what was asked.
constexpr auto kUnfitting = std::to_array<std::string_view>(
    {"AttributeError", "TypeError", "KeyError", "IndexError", "UnboundLocalError", "RecursionError",
     "AssertionError", "EOFError", "struct.error", "error", "UnicodeDecodeError", "NameError",
     "ZeroDivisionError"});

bool unfitting(std::string_view type) {
  return std::ranges::find(kUnfitting, type) != kUnfitting.end();
}

// What an object that does not pickle is refused by is a TypeError of pickle's.
bool unfitting_of_a_carry(std::string_view type) { return type != "TypeError" && unfitting(type); }

// A size is refused by this error where nothing is there: that is its answer. Where a refusal is
// allowed anyway, nobody knows which of both was meant.
bool refuses(const Asked& asked, const Opinion& opinion, const Answer& answer) {
  const Refusal* it = refused(answer);
  if (!it || opinion.refusal != RefusalIs::kNotAllowed) return it;
  return asked.row->op != Op::kGetSize || it->type != "FileNotFoundError";
}

std::string all_of(const std::vector<Answer>& answers) {
  std::string text;
  for (const Answer& it : answers) text += (text.empty() ? "" : " or ") + say(it);
  return text.empty() ? "an answer" : text;
}

// What reads without an opinion still cannot show: bytes that nobody ever gave this key.
bool judged_without_opinion(Reason unknown) {
  constexpr auto kOpaque = std::to_array(
      {Reason::kArray, Reason::kSession, Reason::kOddKey, Reason::kOddKeyWritten, Reason::kEdge,
       Reason::kKeyAndFolder, Reason::kOtherDirectory, Reason::kTwisted});
  return std::ranges::find(kOpaque, unknown) == kOpaque.end();
}

}  // namespace

Difference World::differ(Wrong wrong, const Asked& asked, std::string should_be,
                         const Answer& was) {
  const HandleState& who = handles[asked.handle];
  PlaceState& place = place_of(view_of(asked.handle));
  Difference it{.wrong = wrong, .should_be = std::move(should_be), .was = was};
  it.where = {.handle = who.name,
              .process = who.process,
              .operation = std::string(asked.row->word),
              .key = asked.call->key,
              .place = place.name};
  it.first = !place.told;
  return it;
}

namespace {

Difference told(World& world, const Asked& asked, Difference it) {
  world.place_of(world.view_of(asked.handle)).told = true;
  return it;
}

Difference as_question(Difference it) {
  it.question = true;
  it.first = false;
  return it;
}

}  // namespace

// --- a refusal

std::optional<Difference> World::take_refusal(const Asked& asked, const Opinion& opinion,
                                              const Answer& answer) {
  View& view = view_of(asked.handle);
  const bool ends = asked.on_handle == OnHandle::kEnds;
  if (opinion.refusal != RefusalIs::kDue) view.refused = true;
  if (opinion.refusal == RefusalIs::kNotAllowed) {
    Difference wrong =
        differ(Wrong::kRefused, asked, all_of(render(asked, opinion).answers), answer);
    if (asked.row->writes()) perhaps(asked);
    attempt(asked);
    if (ends)
      close(view, false);
    else if (view.archive() && asked.on_handle != OnHandle::kNone)
      view.broken = Reason::kAfterDifference;
    return told(*this, asked, std::move(wrong));
  }
  // The source may have written what the cache beside the place then refused.
  const auto cache = handles[asked.handle].cache;
  const bool by_cache = cache && caches[*cache].beside;
  if (by_cache && asked.row->writes() && opinion.refusal == RefusalIs::kAllowed)
    perhaps(asked);
  else
    attempt(asked, opinion.refusal == RefusalIs::kDue && !view.writable);
  if (ends) close(view, false);
  const std::string& type = refused(answer)->type;
  // zarr refuses by a TypeError what the class of a store lacks: a StorePath does, and so does
  // consolidating metadata.
  const bool may_lack = asked.row->in_sync()
                            ? lacks_in_sync(asked)
                            : asked.row->may_lack || asked.row->op == Op::kConsolidate;
  if (!unfitting(type) || asked.row->misuse || may_lack) return {};
  if (place_of(view).twisted) return {};
  Difference wrong = differ(Wrong::kUnfittingType, asked, "a refusal of a fitting type", answer);
  if (opinion.question) return as_question(std::move(wrong));
  return told(*this, asked, std::move(wrong));
}

// --- what was shown

std::optional<Difference> World::take_read(const Asked& asked, const Opinion& opinion,
                                           const Answer& answer) {
  View& view = view_of(asked.handle);
  const bool cached = handles[asked.handle].cache.has_value();
  std::vector<Candidate> kept;
  std::vector<Content> shown;
  Pending pending = view.pending;
  for (KeyId key = 0; key < pending.size(); ++key) pending.put(key, 0);
  for (const Candidate& it : opinion.candidates) {
    const Content content = shown_by(asked, it);
    shown.push_back(overlaid(it.content, view.pending));
    Content narrowed = content;
    if (named_twice(answer) || !fits(asked.question, book, content, answer, narrowed)) continue;
    Candidate fitting = it;
    const KeyId end = std::max({narrowed.size(), content.size(), view.pending.size()});
    for (KeyId key = 0; !cached && key < end; ++key) {
      const Values old = view.pending[key];
      if (old == 0) {
        fitting.content.put(key, narrowed[key]);
        continue;
      }
      const bool base = old & kPerhaps && it.content[key] & narrowed[key];
      pending.put(key, pending[key] | (old & narrowed[key]) | (base ? kPerhaps : 0));
    }
    kept.push_back(std::move(fitting));
  }
  if (kept.empty()) {
    const Content content =
        opinion.candidates.empty() ? Content{} : shown_by(asked, opinion.candidates.back());
    Difference wrong = differ(wrong_of(asked.question, book, content, answer), asked,
                              all_of(render(asked, opinion).answers), answer);
    attempt(asked);
    open(view, opinion.candidates);
    if (!cached) adopt(asked, answer);
    return told(*this, asked, std::move(wrong));
  }
  remember(asked, shown);
  attempt(asked);
  if (cached) {
    open(view, opinion.candidates);
    return {};
  }
  PlaceState& place = place_of(view);
  if (!view.archive()) {
    place.now() = std::move(kept.front().content);
    return {};
  }
  open(view, kept);
  if (!view.pending.empty())
    for (KeyId key = 0; key < view.pending.size(); ++key)
      // Only "perhaps" left: it was not written.
      if (view.pending[key]) view.pending.put(key, pending[key] == kPerhaps ? 0 : pending[key]);
  view.candidates = std::move(kept);
  const Candidate& only = view.candidates.front();
  if (view.candidates.size() == 1 && only.epoch == place.current() && view.pending.empty() &&
      !view.fresh && !view.fuzzy)
    place.now() = only.content;
  return {};
}

// Takes over what was answered, where it says what is there. What lies on disk is looked at after
// the step: until then both are right, lest a wrong answer be told as a loss.
void World::adopt(const Asked& asked, const Answer& answer) {
  View& view = view_of(asked.handle);
  const auto put = [&](KeyId key, Values values) {
    PlaceState& place = place_of(view);
    if (!view.archive())
      return place.now().put(key, place.on_disk ? place.now()[key] | values : values);
    for (Candidate& it : view.candidates) it.content.put(key, values);
    if (view.pending[key]) view.pending.put(key, values);
  };
  const auto presence = [&](KeyId key, bool there) {
    if (!there) return put(key, kGone);
    const Values ever = book.ever(key);
    put(key, ever ? ever : book.value(key, ""));
  };
  const Shown* it = shown(answer);
  if (!it) return;
  const bool whole = asked.row->op == Op::kGet || asked.row->op == Op::kGetSync;
  if (const auto* bytes = std::get_if<BytesValue>(it); bytes && whole) {
    const KeyId key = book.key(asked.question.full);
    return put(key, book.value(key, bytes->bytes));
  }
  if (std::holds_alternative<None>(*it) && whole) return put(book.key(asked.question.full), kGone);
  if (const auto* there = std::get_if<bool>(it); there && asked.row->op == Op::kExists)
    return presence(book.key(asked.question.full), *there);
  const auto* names = std::get_if<Names>(it);
  if (!names || (asked.row->op != Op::kList && asked.row->op != Op::kListPrefix)) return;
  const std::string seen = asked.question.prefix + asked.call->key;
  for (const std::string& name : names->names) book.key(asked.question.prefix + name);
  for (KeyId key = 0; key < book.size(); ++key) {
    const std::string& name = book.name(key);
    if (!name.starts_with(seen)) continue;
    const bool there = std::ranges::find(names->names, name.substr(asked.question.prefix.size())) !=
                       names->names.end();
    const Values now = view.archive() && !view.candidates.empty()
                           ? view.candidates.back().content[key]
                           : place_of(view).now()[key];
    if (there ? now == kGone : now != kGone) presence(key, there);
  }
}

std::optional<Difference> World::take_shown(const Asked& asked, const Opinion& opinion,
                                            const Answer& answer) {
  View& view = view_of(asked.handle);
  const Operation& row = *asked.row;
  std::optional<Difference> wrong;
  if (opinion.refusal == RefusalIs::kDue) {
    wrong = told(*this, asked,
                 differ(Wrong::kDone, asked,
                        "a refusal (" + std::string(name_of(opinion.reason)) + ")", answer));
    if (row.writes())
      perhaps(asked);
    else if (view.archive())
      view.broken = Reason::kAfterDifference;
    attempt(asked);
  } else if (asked.on_handle == OnHandle::kEnds) {
    // What __exit__ gives for true swallows the exception of its block (PEP 343).
    const auto* given = shown_as<bool>(answer);
    if (row.op == Op::kWith && given && *given)
      wrong = told(*this, asked, differ(Wrong::kOtherValue, asked, say(Shown{None{}}), answer));
    attempt(asked);
    close(view, true);
  } else if (opinion.unknown != Reason::kNone || row.misuse) {
    // Arrays and groups write documents of their own.
    // A node that is called as a document is a folder beside a file of one name.
    const bool twice =
        named_twice(answer) && std::ranges::none_of(place_of(view).arrays, is_document);
    const bool thin = judged_without_opinion(opinion.unknown) && !opinion.question &&
                      !hidden(place_of(view), asked.question.full);
    if (names_the_folder_itself(asked, answer))
      wrong = told(*this, asked,
                   differ(Wrong::kGhost, asked, "names of what lies in the folder", answer));
    else if (reads(row.op) && (twice || (thin && !ever_given(asked.question, book, answer)) ||
                               not_in_twisted(asked, answer)))
      wrong = told(*this, asked,
                   differ(twice ? Wrong::kTwice : Wrong::kOtherValue, asked,
                          "what was once given to the key, or nothing", answer));
    // What a cache showed when nobody knew what was right, it may go on showing.
    if (handles[asked.handle].cache) {
      std::vector<Content> shown;
      for (const Candidate& it : opinion.candidates) shown.push_back(shown_by(asked, it));
      remember(asked, shown);
    }
    if (row.writes())
      perhaps(asked);
    else
      attempt(asked);
    if (view.archive() && !view.opened && asked.on_handle != OnHandle::kNone)
      open(view, opinion.candidates);
  } else if (reads(row.op)) {
    return take_read(asked, opinion, answer);
  } else if (row.gives == Gives::kFlag) {
    const Answer right = Shown{*flag_of(asked)};
    if (!same_answer(right, answer))
      wrong = told(*this, asked,
                   differ(row.op == Op::kReadOnly ? Wrong::kState : Wrong::kNotEqual, asked,
                          say(right), answer));
  } else {
    if (asked.on_handle != OnHandle::kNone) open(view, opinion.candidates);
    attempt(asked);
    // Who may not write is answered where there was nothing to do: nothing was done.
    if (row.writes() && view.writable) acknowledge(asked);
  }
  if (row.gives == Gives::kHandle) bind(asked);
  return wrong;
}

std::optional<Difference> World::take_ending(std::string_view process, const Answer& answer) {
  const bool hang = std::holds_alternative<TimedOut>(answer);
  if (!hang && !std::holds_alternative<Crashed>(answer)) return {};
  Difference it{.wrong = hang ? Wrong::kHang : Wrong::kDeath,
                .should_be = "an answer, in time",
                .was = answer,
                .first = !gone(process)};
  it.where.process = process;
  return it;
}

std::optional<Difference> World::take_call(const Asked& asked, const Answer& answer) {
  const std::string process = handles[asked.handle].process;
  if (auto ending = take_ending(process, answer)) {
    Difference wrong = differ(ending->wrong, asked, ending->should_be, answer);
    if (asked.on_handle != OnHandle::kNone && asked.on_handle != OnHandle::kEnds) perhaps(asked);
    note_nodes(asked, false);
    end_process(process);
    wrong = told(*this, asked, std::move(wrong));
    // What was wrong at its place before keeps no process from answering.
    wrong.first = ending->first;
    return wrong;
  }
  const Opinion opinion = this->opinion(asked);
  note_nodes(asked, shown(answer));
  if (refuses(asked, opinion, answer)) return take_refusal(asked, opinion, answer);
  if (asked.row->op == Op::kMembers)
    if (auto wrong = take_members(asked, answer)) return wrong;
  if (opinion.unknown == Reason::kNone) {
    if (auto wrong = take_block(asked, answer)) return wrong;
    if (auto wrong = take_attributes(asked, answer)) return wrong;
  }
  return take_shown(asked, opinion, answer);
}

// --- makes, carries, forks and deeds

std::optional<Difference> World::take_arrival(const Step& step, const Answer& answer) {
  const auto* make_step = std::get_if<Make>(&step);
  const auto* carry_step = std::get_if<Carry>(&step);
  const std::optional<std::size_t> from = handle_of(step, 0);
  if ((carry_step || !make_step->around.empty()) && !from) return {};
  const std::string to = make_step ? make_step->in : carry_step->to;
  if (gone(to)) return {};
  // zarr opens what is put around the store to travel.
  if (carry_step && (carry_step->cargo == Cargo::kArray || carry_step->cargo == Cargo::kGroup))
    connect(*from, Opener::kSync);
  Difference wrong{
      .should_be = carry_step ? "the same content, or a refusal of a fitting type" : "a store",
      .was = answer};
  wrong.where = {.handle = carry_step ? carry_step->from : make_step->as,
                 .process = to,
                 .operation = carry_step ? std::string(name_of(carry_step->carrier)) : "make"};
  PlaceState* place = nullptr;
  if (from)
    place = &place_of(view_of(*from));
  else if (family_of(*make_step->kind.operator->()) == StoreFamily::kArchive ||
           family_of(*make_step->kind.operator->()) == StoreFamily::kLive)
    place = &places[place_on_disk(make_step->at)];
  if (place) wrong.where.place = place->name;
  wrong.first = !place || !place->told;
  const auto tell = [&](Wrong it) {
    wrong.wrong = it;
    if (place) place->told = true;
    return wrong;
  };
  if (auto ending = take_ending(to, answer)) {
    tell(ending->wrong);
    wrong.first = ending->first;
    end_process(to);
    if (from) end_process(std::string(handles[*from].process));
    return wrong;
  }
  if (const Refusal* it = refused(answer)) {
    const Opinion opinion =
        carry_step ? opinion_of_carry(*carry_step, *from) : opinion_of_make(*make_step);
    if (carry_step) opened_for_a_node(*carry_step, *from);
    if (place && !from) open_file(*make_step, static_cast<std::size_t>(place - places.data()));
    if (opinion.refusal == RefusalIs::kNotAllowed) return tell(Wrong::kRefused);
    if (place && place->twisted) return {};
    if (carry_step ? unfitting_of_a_carry(it->type) : unfitting(it->type))
      return tell(Wrong::kUnfittingType);
    return {};
  }
  if (!shown(answer)) return {};
  ++effects;
  const bool lay_there = place && place->exists == Exists::kYes;
  if (carry_step)
    carry(*carry_step, *from);
  else
    make(*make_step);
  const auto* made = shown_as<NewHandle>(answer);
  if (!made || !make_step || !make_step->kind->chosen || made->type == make_step->kind->type)
    return {};
  handles.back().unknown = Reason::kAfterDifference;
  // By what lies there zarr could choose; where nothing does, another class is as good, and what it
  // does there is not that of the kind.
  wrong.should_be = say(sound_answer(step, 0));
  auto other = tell(Wrong::kState);
  return lay_there ? std::optional(std::move(other)) : std::nullopt;
}

Answer World::sound_answer(const Step& step, std::size_t handle) const {
  if (const auto* make_step = std::get_if<Make>(&step))
    return Shown{NewHandle{make_step->kind->type}};
  if (std::holds_alternative<Carry>(step)) {
    const auto from = handle_of(step, 0);
    return from ? Answer{Shown{NewHandle{handles[*from].kind->type}}} : Answer{Absent{}};
  }
  if (!std::holds_alternative<Call>(step)) return Shown{None{}};
  const auto asked = this->asked(step, handle);
  if (!asked) return Absent{};
  const Opinion opinion = this->opinion(*asked);
  if (opinion.refusal == RefusalIs::kDue || asked->row->misuse)
    return Refusal{"ValueError", {}, {}};
  if (asked->row->gives == Gives::kHandle)
    return Shown{NewHandle{handles[asked->handle].kind->type}};
  if (asked->row->gives == Gives::kFlag && !reads(asked->row->op))
    return Shown{flag_of(*asked).value_or(false)};
  if (auto block = block_of(*asked)) return Shown{std::move(block->newest)};
  if (auto attributes = attributes_of(*asked)) return Shown{std::move(attributes->newest)};
  if (!reads(asked->row->op) || opinion.candidates.empty()) return Shown{None{}};
  return some_answer(asked->question, book, shown_by(*asked, opinion.candidates.back()));
}

}  // namespace storefuzz::program
