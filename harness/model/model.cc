// The model's public face: steps in, opinions and differences out.
#include "harness/model/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/case/keys.h"
#include "harness/model/world.h"

namespace storefuzz::program {

Model::Model(const Case& value) : world_(std::make_unique<World>()) {
  World& world = *world_;
  for (const Place& it : value.before) {
    PlaceState& place = world.places[world.place_on_disk(it.name)];
    place.exists = Exists::kYes;
    for (const Entry& entry : it.entries) {
      const KeyId key = world.book.key(entry.key);
      place.now().put(key, world.book.value(key, entry.value.bytes()));
      place.names_key(key);
    }
    if (is_ambiguous(it)) world.twist(place, it);
  }
  for (const Process& it : value.processes)
    if (!it.subject.empty()) world.others.push_back(it.name);
}

Model::Model(const Model& other) : world_(std::make_unique<World>(*other.world_)) {}
Model& Model::operator=(const Model& other) {
  world_ = std::make_unique<World>(*other.world_);
  return *this;
}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

void Model::begin(std::string_view name, const OnDisk& seen) {
  World& world = *world_;
  PlaceState& place = world.places[world.place_on_disk(name)];
  place.exists = seen.state == OnDisk::State::kMissing ? Exists::kNo : Exists::kYes;
  place.torn = seen.state == OnDisk::State::kUnreadable;
  if (place.twisted) place.twisted = seen;
  place.now() = Content{};
  for (const auto& [key_name, bytes] : seen.content) {
    const KeyId key = world.book.key(key_name);
    place.now().put(key, world.book.value(key, bytes));
    place.names_key(key);
  }
}

Allowed Model::allowed(const Step& step, std::size_t handle) const {
  const World& world = *world_;
  if (world.own_affair(step, handle))
    return {.refusal = RefusalIs::kAllowed, .opinion = false, .reason = Reason::kOtherRelease};
  if (const auto asked = world.asked(step, handle))
    return world.render(*asked, world.opinion(*asked));
  Allowed allowed;
  const auto from = world.handle_of(step, handle);
  const auto* make = std::get_if<Make>(&step);
  const auto* carry = std::get_if<Carry>(&step);
  const bool nobody = (carry || (make && !make->around.empty())) ? !from : !make;
  if (nobody || (make && world.gone(make->in)) || (carry && world.gone(carry->to))) {
    allowed.opinion = false;
    allowed.reason = Reason::kAbsent;
    return allowed;
  }
  const Opinion opinion =
      make ? world.opinion_of_make(*make) : world.opinion_of_carry(*carry, *from);
  allowed.refusal = opinion.refusal;
  allowed.reason = opinion.reason;
  allowed.exact = opinion.refusal == RefusalIs::kNotAllowed;
  allowed.answers.push_back(world.sound_answer(step, handle));
  if (from) allowed.place = world.place_of(world.view_of(*from)).name;
  return allowed;
}

std::optional<Difference> Model::take(const Step& step, std::size_t handle, const Answer& answer,
                                      std::size_t index) {
  World& world = *world_;
  if (!world.own_affair(step, handle, &answer)) return world.take(step, handle, answer, index);
  // What is ours may still be the first difference of its place.
  std::vector<bool> told;
  for (const PlaceState& it : world.places) told.push_back(it.told);
  world.take(step, handle, answer, index);
  told.resize(world.places.size());
  for (std::size_t i = 0; i < told.size(); ++i) world.places[i].told = told[i];
  world.note_others_deed();
  return {};
}

std::optional<Difference> Model::World::take(const Step& step, std::size_t handle,
                                             const Answer& answer, std::size_t index) {
  std::optional<Difference> wrong;
  const bool asks = std::holds_alternative<Call>(step);
  if (asks && std::holds_alternative<Absent>(answer)) return {};
  if (const auto asked = this->asked(step, handle))
    wrong = take_call(*asked, answer);
  else if (std::holds_alternative<Make>(step) || std::holds_alternative<Carry>(step))
    wrong = take_arrival(step, answer);
  else if (const auto* fork = std::get_if<Fork>(&step)) {
    wrong = take_ending(fork->in, answer);
    if (wrong)
      end_process(fork->in);
    else if (shown(answer))
      this->fork(*fork);
  } else if (const auto* deed = std::get_if<Deed>(&step)) {
    wrong = take_ending(deed->in, answer);
    const bool ends =
        deed->what == What::kDie || deed->what == What::kQuit || deed->what == What::kExit;
    // What ended by order was not asked for an answer; a hang at an exit is one.
    if (ends && !std::holds_alternative<TimedOut>(answer)) wrong.reset();
    this->deed(*deed);
    if (wrong) end_process(deed->in);
  }
  if (wrong) {
    wrong->where.step = index;
    wrong->where.call = handle;
  }
  return wrong;
}

std::optional<Difference> Model::take_disk(std::string_view place, const OnDisk& seen,
                                           std::size_t index) {
  for (std::size_t i = 0; i < world_->places.size(); ++i) {
    if (!world_->places[i].on_disk || world_->places[i].name != place) continue;
    auto wrong = world_->take_disk(i, seen);
    if (wrong) wrong->where.step = index;
    return wrong;
  }
  return {};
}

std::vector<Answer> Model::assume(const Step& step) {
  const auto* call = std::get_if<Call>(&step);
  std::vector<Answer> answers;
  for (std::size_t handle = 0; handle < (call ? call->on.size() : 1); ++handle) {
    answers.push_back(world_->sound_answer(step, handle));
    take(step, handle, answers.back());
  }
  return answers;
}

std::vector<HandleFacts> Model::facts() const {
  const World& world = *world_;
  std::vector<HandleFacts> all;
  for (const HandleState& it : world.handles) {
    if (!it.living) continue;
    const View& view = world.views[it.view];
    HandleFacts facts{.process = it.process,
                      .name = it.name,
                      .kind = it.kind,
                      .subject = it.subject,
                      .place = world.place_of(view).name,
                      .prefix = it.prefix,
                      .archive = view.archive(),
                      .on_disk = world.place_of(view).on_disk,
                      .pending = !view.pending.empty() || view.fresh,
                      .claim = view.claim,
                      .opened = view.opened || !view.archive(),
                      .stale = world.stale(view),
                      .read_only = !view.writable,
                      .relative = view.relative,
                      .elsewhere = world.elsewhere(view),
                      .wrapper = it.kind->inner != nullptr,
                      .cached = it.cache.has_value(),
                      .broken = view.broken != Reason::kNone};
    Question question;
    question.prefix = prefix_of_folder(view.prefix + it.prefix);
    Opinion opinion = world.rests(view);
    for (const Candidate& candidate : opinion.candidates)
      for (std::string& key :
           names_in(question, world.book, overlaid(candidate.content, view.pending)))
        if (std::ranges::find(facts.keys, key) == facts.keys.end())
          facts.keys.push_back(std::move(key));
    all.push_back(std::move(facts));
  }
  return all;
}

std::size_t Model::effects() const { return world_->effects; }

namespace {

// What a place holds now: what became of the object's content may show in its attributes.
std::string content_of(const PlaceState& place) {
  std::string text;
  for (KeyId key = 0; key < place.now().size(); ++key)
    if (place.now()[key] != kGone) text += fmt::format(" {}={}", key, place.now()[key]);
  return text;
}

bool is_unused(const View& view) {
  return !view.used && !view.told_to_open && !view.told_to_close && !view.denied;
}

// What the attributes of two handles have in common, in four parts: what sort of handle it is | how
// it was used | what it was made with | how things are. Of one sort and use they have the same
// names, and where all is the same the same values. What its constructor was given a handle keeps,
// however it was used; that part is "" where it need not.
std::string state_signature(const Model::World& world, const HandleState& who, const View& view) {
  // Who wrote what is not published may keep it in an attribute.
  const std::string unpublished =
      fmt::format("{:d}{:d}{:d}{:d}", !view.pending.empty(), view.fresh, view.begins, view.claims);
  // A call that was refused has opened an archive, or not.
  const bool unclear = view.archive() && view.touched && !view.opened;
  const std::string opened =
      unclear ? fmt::format("view {}", who.view) : fmt::format("{:d}", view.opened);
  // The copy of an object has its attributes, with content of its own.
  const PlaceState& place = world.place_of(view);
  const std::size_t origin = place.copy_of.value_or(view.place);
  const std::string given =
      fmt::format("mode {} {} {}", static_cast<int>(view.mode), view.read_only, view.deflated);
  // A mode that is taken becomes another one, and a relative path may become a whole one. What a
  // session says of itself is its own affair.
  const bool keeps = !view.claimed && !view.relative && !view.contradictory &&
                     who.kind->shared != Shared::kSession;
  const std::string use = is_unused(view) ? std::string(view.archive() ? kUnusedArchive : kUnused)
                                          : fmt::format("{} {} {} {}", view.used, view.told_to_open,
                                                        view.told_to_close, view.denied);
  return fmt::format("{} {} {} {} {} {}|{} {}|{}|{} {}{} {}", who.kind->kind, origin, who.prefix,
                     static_cast<int>(who.subject), view.relative, view.directory, use, opened,
                     keeps ? given : "", given, unpublished, place.on_disk ? "" : content_of(place),
                     world.effects);
}

bool no_cache_was_used(const Model::World& world) {
  return std::ranges::none_of(world.handles, [&](const HandleState& it) {
    return it.cache && !is_unused(world.views[it.view]);
  });
}

}  // namespace

// Handles that surely see the same: one place and prefix, live; or open archives of one epoch with
// the same pending writes. What a cache shows may be of several times: it mirrors nothing; its
// attributes do until some cache of the program was used.
std::string Model::signature(const Step& step, std::size_t handle) const {
  const World& world = *world_;
  const auto asked = world.asked(step, handle);
  if (!asked) return {};
  const HandleState& who = world.handles[asked->handle];
  const View& view = world.views[who.view];
  const bool of_state = asked->row->gives == Gives::kState && asked->row->family == Family::kState;
  if (who.unknown != Reason::kNone || who.crossed || world.is_other(who.process)) return {};
  if (who.cache && !(of_state && no_cache_was_used(world))) return {};
  if (of_state) {
    // How far a refused call came may show: ZipStore keeps that a close failed, and mode w where it
    // could not open what `clear` had removed.
    if (view.archive() && view.refused) return {};
    return state_signature(world, who, view);
  }
  if (!reads(asked->row->op)) return {};
  std::string text = fmt::format("{} {} {}", view.place, asked->question.prefix, who.kind->files);
  // Each kind of store has its own reader of archives that are wrong.
  if (world.place_of(view).twisted) text += " " + who.kind->kind;
  if (!view.archive()) return text;
  if (view.broken != Reason::kNone || !view.opened || view.fuzzy || view.candidates.size() != 1)
    return fmt::format("{} view {} {}", text, who.view, view.opened);
  // Who began an archive, or wrote what nobody knows, has more than who reads it.
  text += fmt::format(" {} {} {}", view.candidates.front().epoch, view.fresh, view.begins);
  for (KeyId key = 0; key < view.pending.size(); ++key)
    if (view.pending[key]) text += fmt::format(" {}={}", key, view.pending[key]);
  return text;
}

namespace {

// Whether nothing but the content and the question decides what a handle answers.
bool is_plain_view(const Model::World& world, const Asked& asked) {
  const HandleState& who = world.handles[asked.handle];
  const View& view = world.views[who.view];
  const PlaceState& place = world.place_of(view);
  // Whether it brought its content along to another process, other oracles ask.
  const bool far = view.family == StoreFamily::kBound && place.dictionary.empty();
  const bool own_ways = far || who.cache || who.kind->shared == Shared::kSession ||
                        who.unknown != Reason::kNone || view.contradictory || world.elsewhere(view);
  const bool there = !place.on_disk || view.opened || place.exists == Exists::kYes;
  return !own_ways && there && !place.torn && !place.told && !place.odd_written &&
         place.arrays.empty() && !world.stale(view);
}

}  // namespace

std::optional<std::map<std::string, std::string>> Model::published(std::string_view name) const {
  const World& world = *world_;
  for (std::size_t i = 0; i < world.places.size(); ++i) {
    const PlaceState& place = world.places[i];
    if (!place.on_disk || place.name != name) continue;
    if (place.exists != Exists::kYes || place.torn || place.told || place.odd_written ||
        place.unknown != Reason::kNone || !place.arrays.empty() || world.others_write(i, nullptr))
      return std::nullopt;
    std::map<std::string, std::string> all;
    for (KeyId key = 0; key < place.now().size(); ++key) {
      if (!single(place.now()[key])) return std::nullopt;
      if (place.now()[key] != kGone)
        all[world.book.name(key)] = world.book.bytes(key, place.now()[key]);
    }
    return all;
  }
  return std::nullopt;
}

bool Model::wrong_as_made(std::string_view name) const {
  const World& world = *world_;
  for (std::size_t i = 0; i < world.places.size(); ++i) {
    const PlaceState& place = world.places[i];
    if (place.on_disk && place.name == name)
      return place.twisted && !place.told && !place.others_acted && !world.may_be_written(i);
  }
  return false;
}

std::string Model::surely_seen(const Step& step, std::size_t handle) const {
  const World& world = *world_;
  const auto asked = world.asked(step, handle);
  if (!asked || !is_plain_view(world, *asked)) return {};
  const View& view = world.view_of(asked->handle);
  const Opinion opinion = world.rests(view);
  if (opinion.refusal != RefusalIs::kNotAllowed || opinion.unknown != Reason::kNone ||
      opinion.candidates.size() != 1)
    return {};
  const Content content = overlaid(opinion.candidates.front().content, view.pending);
  std::map<std::string, std::string> seen;
  for (KeyId key = 0; key < content.size(); ++key) {
    if (!single(content[key])) return {};
    const std::string& name = world.book.name(key);
    if (content[key] == kGone || !name.starts_with(asked->question.prefix)) continue;
    seen[name.substr(asked->question.prefix.size())] = world.book.bytes(key, content[key]);
  }
  std::string text = view.writable ? "writes" : "reads";
  for (const auto& [name, bytes] : seen)
    text += fmt::format(" {} {} {}{}", name.size(), bytes.size(), name, bytes);
  return text;
}

}  // namespace storefuzz::program
