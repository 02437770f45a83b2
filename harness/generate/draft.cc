// Zero is the plainest of every choice: what comes first in a table is what no bytes give.
#include "harness/generate/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace storefuzz::program {
namespace {

struct Often {
  Family family;
  std::uint32_t weight;
};
// A third are writes: what was never written cannot be lost. While nothing lies anywhere, most are.
constexpr Often kFamilies[] = {{Family::kWrite, 9},     {Family::kRead, 6},  {Family::kListing, 4},
                               {Family::kLifecycle, 3}, {Family::kRange, 2}, {Family::kDelete, 2},
                               {Family::kSize, 1},      {Family::kState, 1}, {Family::kBind, 1},
                               {Family::kArray, 9}};

constexpr std::uint32_t kMore = 4;       // times as many
constexpr std::uint32_t kNodesMade = 3;  // times as many, in programs about nodes
constexpr std::uint32_t kFirstNode = 12;
constexpr int kAttempts = 4;  // at a step that fits

// What a write, a read or a journey by this handle can lose.
std::uint32_t at_stake(const HandleFacts& it) {
  return 2U + 4 * it.pending + 4 * it.claim + 4 * it.stale + 3 * it.elsewhere + 2 * it.cached;
}
std::uint32_t for_writing(const HandleFacts& it) { return it.read_only ? 1 : at_stake(it) + 4; }
std::uint32_t for_closing(const HandleFacts& it) {
  return 1U + 8 * it.pending + 4 * it.claim + it.opened;
}

bool is_node(const HandleFacts& it) {
  return it.subject == Subject::kArray || it.subject == Subject::kGroup;
}

template <class T>
T any_of(Choices& choices, std::span<const T> list) {
  return list[choices.below(static_cast<std::uint32_t>(list.size()))];
}

}  // namespace

Draft::Draft(const Taste& taste, Choices& choices, Case frame)
    : taste_(taste),
      choices_(choices),
      value_(std::move(frame)),
      fitter_(value_.processes),
      model_(value_) {
  value_.steps.clear();
}

bool Draft::take(Step step) {
  if (value_.steps.size() >= kMaxSteps || !fitter_.take(step)) return false;
  if (const auto* make = std::get_if<Make>(&step); make && !make->at.empty())
    made_at_.emplace(make->at, make->kind);
  model_.assume(step);
  facts_ = model_.facts();
  value_.steps.push_back(std::move(step));
  return true;
}

Case Draft::finish() && {
  fit(value_);
  name_values(value_);
  return std::move(value_);
}

std::string Draft::new_name() {
  for (std::size_t i = 0;; ++i) {
    std::string name = fmt::format("s{}", i);
    if (!fitter_.handles().subject_of(name) && !names_.contains(name)) return name;
  }
}

std::string Draft::draw_process() {
  std::vector<std::string> running{std::string(kHome)};
  for (const Process& process : value_.processes)
    if (fitter_.runs(process.name)) running.push_back(process.name);
  return choices_.among(running);
}

const HandleFacts* Draft::choose(const Weight& weight) {
  std::vector<std::uint32_t> weights;
  for (const Facts& it : facts_) weights.push_back(weight(it));
  if (std::ranges::all_of(weights, [](std::uint32_t it) { return it == 0; })) return nullptr;
  return &facts_[choices_.weighted(weights)];
}

bool Draft::has_content() const {
  return std::ranges::any_of(facts_, [](const Facts& it) { return !it.keys.empty(); });
}

void Draft::draw_step() {
  struct Kind {
    std::uint32_t weight;
    std::optional<Step> (Draft::*draw)();
  };
  // What holds nothing loses nothing on its way; what two processes hold, both may publish.
  const bool pending = std::ranges::any_of(facts_, &Facts::pending);
  const Kind kinds[] = {{14, &Draft::draw_call},
                        {2, &Draft::draw_make},
                        {has_content() ? 8U : 1, &Draft::draw_carry},
                        {taste_.forks ? (pending ? 14U : 7) : 0, &Draft::draw_fork},
                        {taste_.directories || taste_.outsider ? 4U : 1, &Draft::draw_deed},
                        {taste_.ends ? 2U : 0, &Draft::draw_process_end}};
  std::vector<std::uint32_t> weights;
  for (const Kind& kind : kinds)
    weights.push_back(facts_.empty() && kind.draw != &Draft::draw_make ? 0 : kind.weight);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const Kind& kind = kinds[choices_.weighted(weights)];
    auto step = (this->*kind.draw)();
    const Carry* carry = step ? std::get_if<Carry>(&*step) : nullptr;
    if (carry && choices_.one_in(5)) return take_with_states(*carry);
    if (step && take(std::move(*step))) break;
  }
  const Deed* deed = last_as<Deed>();
  if (deed && deed->what == What::kDeleteFile) return ask_the_broken();
  ask_the_read_only();
  write_the_new_array();
  read_the_new_attribute();
  // Who is asked twice must answer the same.
  const Call* last = last_as<Call>();
  if (last && !operation(last->op).writes() && last->as.empty() && choices_.one_in(8))
    take(Step(*last));
}

// What came through a carry has the attributes of what was sent, which keeps its own.
void Draft::take_with_states(const Carry& carry) {
  if (choices_.one_in(3)) take(Call{.op = Op::kState, .on = {carry.from}, .in = carry.in});
  if (!take(carry)) return;
  const Carry& taken = std::get<Carry>(value_.steps.back());
  if (taken.in.empty()) take(Call{.op = Op::kState, .on = {taken.from, taken.as}});
}

// Whose file is gone may show it or not, and nobody knows which is right; but not both in turn.
void Draft::ask_the_broken() {
  const Facts* on = choose([](const Facts& it) { return it.broken && !is_node(it) ? 1U : 0U; });
  if (!on) return;
  Call call = call_on(operation(Op::kGet), *on);
  call.key = draw_stored_key(*on);
  if (take(call)) take(call);
}

// A new handle that may not write is asked to, where there is something to spoil: it is seldom
// drawn for a write, and each method has to refuse by itself.
void Draft::ask_the_read_only() {
  const Make* make = last_as<Make>();
  const Call* call = last_as<Call>();
  const std::string name = make ? make->as : call ? call->as : "";
  const auto on = std::ranges::find(facts_, name, &Facts::name);
  if (on == facts_.end() || !on->read_only || on->keys.empty()) return;
  // Where there are modes, many handles only read.
  if (on->kind->takes("mode") || choices_.one_in(3)) return;
  std::vector<const Operation*> rows;
  for (const Operation& row : operations())
    if ((row.family == Family::kWrite || row.family == Family::kDelete) && row.on(on->subject) &&
        row.writes() && !row.misuse && !row.may_lack)
      rows.push_back(&row);
  if (rows.empty()) return;
  Call write = call_on(*choices_.among(rows), *on);
  write.by = By::kHand;  // zarr's own loop costs, and refuses nothing itself
  draw_arguments(write, *on);
  if (operation(write.op).takes.key) write.key = draw_stored_key(*on);
  take(std::move(write));
}

// What was never written shows zeros, as what is lost does.
void Draft::write_the_new_array() {
  const auto* call = last_as<Call>();
  if (!call || call->op != Op::kCreateArray || choices_.one_in(4)) return;
  const auto on = std::ranges::find(facts_, call->as, &Facts::name);
  if (on == facts_.end()) return;
  Call write = call_on(operation(Op::kWriteBlock), *on);
  draw_arguments(write, *on);
  take(std::move(write));
}

// Whether it was refused or not, the object may show it.
void Draft::read_the_new_attribute() {
  const auto* call = last_as<Call>();
  if (!call || call->op != Op::kSetAttributes || choices_.one_in(3)) return;
  take(Call{.op = Op::kGetAttributes, .on = call->on, .in = call->in});
}

// One that shares a dictionary with a store of another kind that was made, and that no store was
// made of yet; or any.
StoreKind Draft::kind_to_make() {
  Stores made;
  for (const Step& step : value_.steps)
    if (const Make* make = std::get_if<Make>(&step)) made.push_back(make->kind);
  Stores meeting = taste_.kinds;
  std::erase_if(meeting, [&](StoreKind it) {
    return std::ranges::count(made, it) > 0 || sharing(it, made).empty();
  });
  return choices_.among(meeting.empty() ? taste_.kinds : meeting);
}

std::optional<Step> Draft::draw_make() {
  Make make{.kind = kind_to_make(), .in = draw_process(), .as = new_name()};
  // A wrapper is put around what lives, or around what is made for it alone.
  if (make.kind->inner && choices_.one_in(2)) {
    const std::string& words = make.kind->kind;
    const auto wrapper = find_store(words.substr(0, words.find(" over ")));
    const Facts* inner = choose([](const Facts& it) -> std::uint32_t {
      return it.subject == Subject::kStore && !it.wrapper ? at_stake(it) : 0;
    });
    if (wrapper && inner)
      return Make{.kind = *wrapper, .around = inner->name, .in = inner->process, .as = make.as};
  }
  make.at = place_name(make.kind, choices_.one_in(6));
  // What lies there stays, mostly: two of three modes append or read.
  static constexpr Mode kModes[] = {Mode::kAppend,    Mode::kWrite,  Mode::kAppend, Mode::kRead,
                                    Mode::kExclusive, Mode::kAppend, Mode::kRead,   Mode::kWrite};
  make.mode = any_of<Mode>(choices_, kModes);
  // Without modes, this argument alone says that a store only reads.
  if (choices_.one_in(make.kind->takes("mode") ? 10 : 5)) make.read_only = !choices_.one_in(3);
  // What is written, and what a copy is told to write, is no default then.
  make.deflated = make.kind->takes("compression") && choices_.one_in(4);
  make.relative = taste_.directories && !choices_.one_in(4);
  return make;
}

// --- calls

const Operation& Draft::draw_operation(const Facts& on) {
  const auto fits = [&](const Operation& row) {
    return row.on(on.subject) && (!row.misuse || taste_.misuse) &&
           (!is_about_nodes(row) || taste_.arrays) &&
           (row.op != Op::kGetAndOverwrite || taste_.edges);  // it may spoil what others read
  };
  std::vector<std::uint32_t> weights;
  std::vector<std::vector<const Operation*>> rows;
  for (const Often& often : kFamilies) {
    auto& list = rows.emplace_back();
    for (const Operation& row : operations())
      if (row.family == often.family && fits(row)) list.push_back(&row);
    // In a program about nodes, keys that are set in their place hide what becomes of them.
    const bool of_nodes = often.family == Family::kArray || often.family == Family::kBind ||
                          often.family == Family::kLifecycle;
    const std::uint32_t weight = taste_.arrays && !of_nodes ? (often.weight + 2) / 3 : often.weight;
    std::uint32_t times = 1;
    if (often.family == Family::kWrite && !has_content() && !taste_.arrays) times = kMore;
    // A program about edges asks for ranges, where most of them are.
    if (often.family == Family::kRange && taste_.edges) times = kMore;
    if (often.family == Family::kBind && taste_.arrays)
      times = std::ranges::any_of(facts_, is_node) ? kNodesMade : kFirstNode;
    // Of content in an object, only its view is read-only and sees something.
    if (often.family == Family::kBind && on.kind->views == Can::kYes && !on.read_only &&
        has_content() && std::ranges::none_of(facts_, &Facts::read_only))
      times = std::max(times, kMore);
    weights.push_back(list.empty() ? 0 : weight * times);
  }
  const auto& list = rows[choices_.weighted(weights)];
  const Operation* drawn = choices_.among(list);
  // Elements matter more than attributes.
  const bool attributes = drawn->op == Op::kGetAttributes || drawn->op == Op::kSetAttributes;
  if (attributes) drawn = choices_.among(list);
  // What a store may lack is asked in vain.
  const bool has_it = drawn->op == Op::kWithReadOnly && on.kind->views == Can::kYes;
  if (drawn->may_lack && !has_it) drawn = choices_.among(list);
  // Where nobody made a node, none can be opened: mostly, one is made instead.
  const bool node = drawn->binds == Subject::kArray || drawn->binds == Subject::kGroup;
  if (node && std::ranges::none_of(facts_, is_node) && !choices_.one_in(8))
    drawn = &operation(drawn->binds == Subject::kArray ? Op::kCreateArray : Op::kCreateGroup);
  const Operation& row = *drawn;
  const Operation& plainer = operation(row.plainer);
  return !row.misuse && fits(plainer) && !choices_.one_in(2) ? plainer : row;
}

Call Draft::call_on(const Operation& row, const Facts& on) {
  Call call{.op = row.op, .on = {on.name}, .in = on.process};
  if (row.said != Said::kPlain && taste_.sync && choices_.one_in(2)) call.by = By::kSync;
  const bool changes = row.writes() || row.on_handle == OnHandle::kEnds;
  call.watched = changes && on.on_disk && choices_.one_in(4);
  if (row.gives == Gives::kHandle) call.as = new_name();
  return call;
}

// The same question to others that see the same place, asked there where they were made, or in the
// process of the first where a fork inherited that one.
void Draft::add_mirrors(Call& call, const Facts& on) {
  const Operation& row = operation(call.op);
  if (row.on_handle != OnHandle::kOpens || row.writes() || row.gives == Gives::kHandle) return;
  if (!choices_.one_in(3)) return;
  const std::string* made = fitter_.handles().process_of(on.name);
  const bool inherited = !made || *made != on.process;
  if (!inherited) call.in.clear();
  for (const Facts& other : facts_) {
    const std::string* home = fitter_.handles().process_of(other.name);
    const bool there = inherited ? other.process == on.process : home && *home == other.process;
    if (there && other.name != on.name && other.place == on.place && other.prefix == on.prefix &&
        row.on(other.subject) && call.on.size() < kMaxMirrored)
      call.on.push_back(other.name);
  }
}

std::optional<Step> Draft::draw_call() {
  // Which handle matters depends on what is done: so the operation is drawn for some handle first,
  // and then the handle anew among all that have the operation.
  const Facts* some = choose([](const Facts& it) { return is_node(it) ? 6U : 2U; });
  const Operation& row = draw_operation(*some);
  const Facts* on = choose([&](const Facts& it) -> std::uint32_t {
    if (!row.on(it.subject)) return 0;
    if (row.writes()) return for_writing(it);
    return row.on_handle == OnHandle::kEnds ? for_closing(it) : at_stake(it);
  });
  Call call = call_on(row, *on);
  draw_arguments(call, *on);
  add_mirrors(call, *on);
  return call;
}

void Draft::draw_arguments(Call& call, const Facts& on) {
  const Operation& row = operation(call.op);
  if (row.takes.key)
    call.key =
        row.writes() != choices_.one_in(3) ? draw_key(taste_, choices_) : draw_stored_key(on);
  if (row.family == Family::kBind && is_about_nodes(row)) call.key = draw_node(row, on);
  if (row.takes.prefix) call.key = draw_prefix(on);
  if (row.takes.value) {
    call.value.word = choices_.one_in(48) ? "" : "v";  // name_values gives the word
    if (choices_.one_in(12)) call.value.size = 9'000;  // above the buffers of zipfile and of files
  }
  if (row.takes.flag) call.flag = !choices_.one_in(4);
  if (row.takes.start) draw_range(call);
  if (!row.takes.other) return;
  const Facts* other = choose([&](const Facts& it) -> std::uint32_t {
    if (it.process != on.process || it.name == on.name) return 0;
    return it.place == on.place ? 6 : 1;
  });
  call.other = other ? other->name : on.name;
}

// Values have three bytes or more; an array has eight elements.
void Draft::draw_range(Call& call) {
  static constexpr std::int64_t kEdges[] = {0, 1, 2, 3, 5, 64, 20'000};
  const Operation& row = operation(call.op);
  if (taste_.edges && choices_.one_in(2)) {
    call.start = any_of<std::int64_t>(choices_, kEdges);
    call.end = any_of<std::int64_t>(choices_, kEdges);
  } else if (row.on(Subject::kArray)) {
    call.start = choices_.one_in(2) ? 0 : choices_.below(8);
    call.end = call.start + 1 + choices_.below(static_cast<std::uint32_t>(8 - call.start));
  } else {
    call.start = row.takes.end ? choices_.below(2) : 1 + choices_.below(2);
    call.end = call.start + 1 + choices_.below(2);
  }
  if (taste_.misuse && choices_.one_in(4)) call.start = -1;
}

// A key that some handle of the same place may see, or one of the program's.
std::string Draft::draw_stored_key(const Facts& on) {
  std::set<std::string> seen;
  for (const Facts& it : facts_)
    if (it.place == on.place) seen.insert(it.keys.begin(), it.keys.end());
  if (seen.empty() || choices_.one_in(6)) return draw_key(taste_, choices_);
  return choices_.among(std::vector<std::string>(seen.begin(), seen.end()));
}

// The path of an array or a group: where one was made, or, for a new one, mostly where no key lies.
std::string Draft::draw_node(const Operation& row, const Facts& on) {
  static const std::vector<std::string> paths{"x", "y", "g/x"};
  if (choices_.one_in(3)) return draw_key(taste_, choices_);
  if (row.writes()) return choices_.among(paths);
  const Facts* node = choose([&](const Facts& it) -> std::uint32_t {
    return it.subject == row.binds && it.place == on.place ? 1 : 0;
  });
  return node && on.subject == Subject::kStore ? node->prefix : choices_.among(paths);
}

// Everything, or what lies below a folder; rarely below what is none.
std::string Draft::draw_prefix(const Facts& on) {
  const std::string key = draw_stored_key(on);
  const std::size_t slash = choices_.one_in(2) ? key.find('/') : key.rfind('/');
  switch (choices_.below(4)) {
    case 0:
    case 1:
      return "";
    case 2:
      return slash == key.npos ? "" : key.substr(0, slash);
    default:
      return taste_.edges || taste_.odd_keys ? key : key.substr(0, slash == key.npos ? 0 : slash);
  }
}

// --- journeys and deeds

std::optional<Step> Draft::draw_carry() {
  static const std::vector<Carrier> carriers = [] {
    std::vector<Carrier> list = all_of<Carrier>();
    std::erase_if(list,
                  [](Carrier it) { return it == Carrier::kMadeAnew || it == Carrier::kInherited; });
    return list;
  }();
  const Facts* from = choose(at_stake);
  Carry carry{.from = from->name, .in = from->process, .to = draw_process(), .as = new_name()};
  // What stays at home loses little: where there is another process, mostly there.
  if (carry.to == from->process) carry.to = draw_process();
  // Half of all journeys are what a process pool does.
  if (choices_.one_in(2)) carry.carrier = choices_.among(carriers);
  if (choices_.one_in(6)) carry.cargo = choices_.among(all_of<Cargo>());
  const bool node = carry.cargo == Cargo::kArray || carry.cargo == Cargo::kGroup;
  if (node && !taste_.arrays) carry.cargo = Cargo::kStore;
  return carry;
}

std::optional<Step> Draft::draw_fork() {
  for (const Process& process : value_.processes)
    if (process.began == Began::kFork && !fitter_.named(process.name))
      return Fork{.process = process.name, .in = choose(at_stake)->process};
  return std::nullopt;
}

std::optional<Step> Draft::draw_deed() {
  const std::uint32_t weights[] = {2, taste_.directories ? 4U : 0, taste_.outsider ? 3U : 0};
  switch (choices_.weighted(weights)) {
    case 0: {
      const Facts* some = choose(for_closing);
      return Deed{.what = What::kDrop, .in = some->process, .handle = some->name};
    }
    case 1: {
      const Facts* some = choose([](const Facts& it) { return it.relative ? 8U : 1U; });
      return Deed{.what = What::kChangeDirectory, .in = some->process};
    }
    default: {
      if (made_at_.empty()) return std::nullopt;
      std::vector<std::string> places;
      for (const auto& [place, kind] : made_at_) places.push_back(place);
      return Deed{.what = What::kDeleteFile, .at = choices_.among(places)};
    }
  }
}

std::optional<Step> Draft::draw_process_end() {
  static constexpr What kEnds[] = {What::kExit, What::kQuit, What::kDie};
  const Facts* some = choose([](const Facts& it) {
    return it.process == kHome ? 0 : for_closing(it);  // home ends last
  });
  if (!some) return std::nullopt;
  return Deed{.what = any_of<What>(choices_, kEnds), .in = some->process};
}

// --- how a program ends

void Draft::draw_end() {
  // What was written to a node shows when it is read.
  if (choices_.one_in(6) && std::ranges::none_of(facts_, is_node)) return;
  close_writers();
  read_afresh();
  if (taste_.ends && choices_.one_in(3)) take(Deed{.what = What::kExit});
}

void Draft::close_writers() {
  std::vector<Facts> writers;
  for (const Facts& it : facts_)
    if (it.archive && !is_node(it) && (it.pending || it.claim || it.opened)) writers.push_back(it);
  while (!writers.empty()) {
    const std::size_t next = choices_.below(static_cast<std::uint32_t>(writers.size()));
    // One that is left open publishes nothing for sure.
    if (!choices_.one_in(8)) take(call_on(operation(Op::kClose), writers[next]));
    writers.erase(writers.begin() + static_cast<std::ptrdiff_t>(next));
  }
}

// One that lies where `by` reads, whole. False: there is none.
bool Draft::read_an_array(const Facts& by) {
  const Facts* array = choose([&](const Facts& it) -> std::uint32_t {
    return it.subject == Subject::kArray && it.place == by.place ? 1 : 0;
  });
  if (!array || by.subject != Subject::kStore) return false;
  Call open = call_on(operation(Op::kOpenArray), by);
  open.key = array->prefix;
  Call read{.op = Op::kReadBlock, .on = {open.as}, .in = open.in, .end = 8};
  Call attributes{.op = Op::kGetAttributes, .on = {open.as}, .in = open.in};
  if (!take(std::move(open)) || !take(std::move(read))) return false;
  const bool has_attributes = std::ranges::any_of(value_.steps, [](const Step& step) {
    const Call* call = std::get_if<Call>(&step);
    return call && call->op == Op::kSetAttributes;
  });
  return !has_attributes || take(std::move(attributes));
}

// By a store that was made for it, or, where nothing lies on disk, by one that is there.
void Draft::read_afresh() {
  std::string reader;
  if (!made_at_.empty()) {
    const auto place =
        std::next(made_at_.begin(), choices_.below(static_cast<std::uint32_t>(made_at_.size())));
    Make make{.kind = place->second, .at = place->first, .mode = Mode::kRead};
    make.in = draw_process();
    make.as = new_name();
    if (take(make)) reader = make.as;
  }
  const Facts* on = choose([&](const Facts& it) -> std::uint32_t {
    return is_node(it) ? 0 : reader.empty() || it.name == reader ? 1 : 0;
  });
  if (!on) return;
  const Facts asked = *on;
  const auto ask = [&](Op op) {
    if (!operation(op).on(asked.subject)) return;
    Call call = call_on(operation(op), asked);
    if (operation(op).takes.key) call.key = draw_stored_key(asked);
    add_mirrors(call, asked);
    take(std::move(call));
  };
  if (read_an_array(asked)) return;
  ask(Op::kList);
  for (std::uint32_t times = 1 + choices_.below(3); times > 0; --times) ask(Op::kGet);
}

}  // namespace storefuzz::program
