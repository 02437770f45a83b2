// Steps become orders, orders stretches, replies answers.
#include "harness/direct/performance.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <ranges>
#include <set>
#include <utility>

#include "harness/case/make_text.h"
#include "harness/direct/crash_states.h"
#include "harness/direct/disk.h"

namespace storefuzz::program {
namespace fs = std::filesystem;

namespace {

// A key that climbs leads out of the case's folder; so many steps stay below the program's own.
constexpr const char* kBelow = "a/b/case";

// Where a process goes that changes its directory.
std::string elsewhere(const std::string& process) { return "a/b/of-" + process; }

// Whether the disk may be another one after this step, and must be looked at.
bool may_write(const Step& step) {
  if (const Call* call = std::get_if<Call>(&step)) {
    const Family family = operation(call->op).family;
    return family != Family::kRead && family != Family::kRange && family != Family::kSize &&
           family != Family::kListing && family != Family::kState;
  }
  return true;
}

// Whether a program needs zarr's own event loop: calls by `sync`, arrays, and stores whose
// coroutines really wait. Its workers have the loop from their birth, so that what a fork inherits
// does not depend on what a worker played before.
bool needs_loop(const Case& value) {
  return std::ranges::any_of(value.steps, [](const Step& step) {
    if (const Make* make = std::get_if<Make>(&step)) return make->kind->waits;
    const Call* call = std::get_if<Call>(&step);
    return call && (call->by == By::kSync || operation(call->op).family == Family::kArray ||
                    operation(call->op).family == Family::kBind);
  });
}

Order begin(const fs::path& folder, const std::string& server) {
  return {.verb = Verb::kBegin, .text = folder.string(), .value = server};
}

// Whether a store of this kind shows a copy of its place as it is: not what a server gives of the
// case's own folder, nor what a cache beside the place shows.
bool reads_as_it_is(const Adapter& kind) {
  return kind.medium != Medium::kMemory && !kind.served && !kind.keeps;
}

// One worker in so many leaves as Python leaves, with all that it holds. Which, the case says.
constexpr std::uint64_t kOrderly = 100;

}  // namespace

Performance::Performance(Workers& workers, Options options, const Case& value)
    : workers_(workers),
      options_(std::move(options)),
      case_(value),
      loop_(needs_loop(value)),
      hash_(hash_of(value)),
      folder_(folder_of_case(options_.folder)) {}

fs::path Performance::folder_of_case(const fs::path& folder) { return folder / kBelow; }

Result<void> Performance::prepare() {
  // The folders that processes change into lie beside it.
  std::error_code error;
  if (!empty(folder_.parent_path())) return machine_failure("a case's folder cannot be emptied");
  if (::mkdir(folder_.c_str(), 0777) != 0) fs::create_directories(folder_, error);
  for (const Step& step : case_.steps)
    if (const Make* make = std::get_if<Make>(&step); make && !make->at.empty()) {
      if (make->kind->medium == Medium::kMemory) continue;
      if (!make->kind->opaque) places_.try_emplace(make->at, make->kind->medium);
      // A store of its own layout may keep files beside its path, named after it.
      std::set<std::string>& files = make->kind->opaque ? named_after_ : files_;
      files.insert(std::string(kBelow) + "/" + file_name(*make));
      if (make->kind->keeps) files.insert(std::string(kBelow) + "/" + file_name(*make) + ".cache");
      // A relative path in another directory is another place, of which nothing is known.
      if (!make->relative) continue;
      files.insert(elsewhere(std::string(kHome)) + "/" + file_name(*make));
      for (const Process& process : case_.processes)
        files.insert(elsewhere(process.name) + "/" + file_name(*make));
    }
  for (const auto& [name, medium] : places_) {
    const fs::path path = folder_ / file_name(name, medium);
    for (const Place& place : case_.before)
      if (place.name == name)
        if (auto done = put(path, medium, place); !done) return done;
    seen_.before[name] = look_at(path, medium);
  }
  seen_.steps.resize(case_.steps.size());
  for (std::size_t at = 0; at < case_.steps.size(); ++at) {
    const Call* call = std::get_if<Call>(&case_.steps[at]);
    seen_.steps[at].answers.resize(call ? call->on.size() : 1);
  }
  return {};
}

// The worker of a process that has begun; a null pointer where it has ended or not begun.
Result<Performance::Player*> Performance::player(const std::string& name) {
  if (late_) return nullptr;
  const auto found = players_.find(name);
  if (found != players_.end()) return found->second.ended ? nullptr : &found->second;
  const auto declared = std::ranges::find(case_.processes, name, &Process::name);
  const bool spawned = declared != case_.processes.end() && declared->began == Began::kSpawn;
  if (name != kHome && !spawned) return nullptr;
  auto worker = workers_.lease(loop_, spawned ? declared->subject : std::string());
  if (!worker) return std::unexpected(worker.error());
  Player& player = players_[name];
  begun_.push_back(name);
  player.worker = std::move(*worker);
  return &player;
}

Slot Performance::slot_of(const std::string& handle) {
  if (handle.empty()) return 0;
  const auto next = static_cast<Slot>(slots_.size() + 1);
  return slots_.try_emplace(handle, next).first->second;
}

Result<void> Performance::perform(const Make& make) {
  Order order{.verb = Verb::kMake,
              .result = slot_of(make.as),
              .other = slot_of(make.around),
              .text = make_text(make),
              .key = make.kind->kind};
  if (const std::string file = file_name(make); !file.empty())
    order.value = make.relative ? file : (folder_ / file).string();
  made_[make.as] = make.around.empty() ? &make : make_of(make.around);
  const std::string process = make.around.empty() ? make.in : process_of(make.around, make.in);
  return add(process, std::move(order));
}

Order Performance::order_of(const Call& call, const std::string& handle) {
  return {.verb = Verb::kCall,
          .op = call.op,
          .by = call.by,
          .watched = call.watched,
          .flag = call.flag,
          .handle = slot_of(handle),
          .result = slot_of(call.as),
          .other = slot_of(call.other),
          .start = call.start,
          .end = call.end,
          .key = call.key,
          .value = call.value.bytes()};
}

Result<void> Performance::perform(const Call& call) {
  if (!call.as.empty()) made_[call.as] = make_of(call.on.front());
  for (std::size_t at = 0; at < call.on.size(); ++at) {
    const std::string& process = process_of(call.on[at], call.in);
    if (auto done = add(process, order_of(call, call.on[at]), at); !done) return done;
  }
  return {};
}

// What a carry cannot pack is its answer; else that which receiving gives.
Result<void> Performance::perform(const Carry& carry) {
  const std::string from = process_of(carry.from, carry.in);
  made_[carry.as] = make_of(carry.from);
  Order pack{.verb = stays_in_process(carry.carrier) ? Verb::kCopy : Verb::kPack,
             .carrier = carry.carrier,
             .cargo = carry.cargo,
             .handle = slot_of(carry.from),
             .result = slot_of(carry.as)};
  if (auto done = add(from, std::move(pack)); !done) return done;
  if (stays_in_process(carry.carrier)) return {};
  flush();
  const auto* bytes = shown_as<BytesValue>(answer());
  if (!bytes) return {};
  Order unpack{.verb = Verb::kUnpack,
               .carrier = carry.carrier,
               .cargo = carry.cargo,
               .result = slot_of(carry.as),
               .key = made_[carry.as] ? made_[carry.as]->kind->kind : "",
               .value = bytes->bytes};
  answer() = Absent{};
  return add(carry.to, std::move(unpack));
}

Result<void> Performance::perform(const Fork& fork) {
  flush();
  auto parent = player(fork.in);
  if (!parent) return std::unexpected(parent.error());
  if (!*parent) return {};
  auto ends = Channel::pair();
  if (!ends) return std::unexpected(ends.error());
  auto& [ours, theirs] = *ends;
  auto told = ask(fork.in, {.verb = Verb::kFork}, theirs.get());
  if (!told) return {};
  answer() = std::move(*told);
  const auto* pid = shown_as<std::int64_t>(answer());
  if (!pid) return {};
  Worker child = workers_.forked(static_cast<pid_t>(*pid), std::move(ours), *(*parent)->worker);
  begun_.push_back(fork.process);
  players_[fork.process] = {.worker = std::move(child), .parent = fork.in, .begun = true};
  answer() = None{};  // a process number is chance
  return {};
}

Result<void> Performance::perform(const Deed& deed) {
  switch (deed.what) {
    case What::kChangeDirectory: {
      std::string folder = (options_.folder / elsewhere(deed.in)).string();
      return add(deed.in, {.verb = Verb::kChangeDirectory, .text = std::move(folder)});
    }
    case What::kDrop:
      return add(deed.in, {.verb = Verb::kDrop, .handle = slot_of(deed.handle)});
    case What::kDeleteFile: {
      flush();
      const auto place = places_.find(deed.at);
      if (late_ || place == places_.end()) return {};
      std::error_code error;
      fs::remove_all(folder_ / file_name(deed.at, place->second), error);
      answer() = None{};
      look(step_);
      return {};
    }
    case What::kExit:
    case What::kQuit:
    case What::kDie:
      break;
  }
  flush();
  auto ending = player(deed.in);
  if (!ending) return std::unexpected(ending.error());
  if (!*ending) return {};
  const Order leave{.verb = deed.what == What::kExit ? Verb::kExit : Verb::kQuit};
  if (deed.what == What::kDie) (*ending)->worker->kill();
  const bool orderly = deed.what != What::kDie;
  seen_.ends[deed.in] = end_of(**ending, std::span(&leave, orderly ? 1 : 0));
  (*ending)->ended = true;
  answer() = Text{seen_.ends[deed.in]};
  look(step_);
  return {};
}

// How a process ends. The parent of a forked one learns it, and tells us.
std::string Performance::end_of(Player& player, std::span<const Order> orders) {
  player.worker->let_end(orders, options_.patience);
  const auto parent = players_.find(player.parent);
  if (parent == players_.end() || parent->second.ended) return player.worker->ending();
  const auto told = ask(player.parent, {.verb = Verb::kWaitFor, .start = player.worker->pid()});
  const auto* text = told ? shown_as<Text>(*told) : nullptr;
  return text ? text->text : "lost";
}

Result<void> Performance::add(const std::string& process, Order order, std::size_t answer) {
  if (process != to_) flush();
  auto reached = player(process);
  if (!reached) return std::unexpected(reached.error());
  if (!*reached) return {};  // its process is not there: Absent
  to_ = process;
  if (!std::exchange((*reached)->begun, true)) {
    stretch_.push_back(begin(folder_, options_.server));
    belongs_.push_back({.to = Belongs::To::kBegin});
  }
  order.look = is_looked_at(step_);
  stretch_.push_back(std::move(order));
  belongs_.push_back({.step = step_, .answer = answer});
  if (options_.careful) flush();
  return {};
}

void Performance::flush() {
  if (stretch_.empty()) return;
  const std::vector<Order> orders = std::exchange(stretch_, {});
  const std::vector<Belongs> belongs = std::exchange(belongs_, {});
  const std::string process = std::exchange(to_, {});
  Worker& worker = *players_[process].worker;
  // To begin a case is nothing that could hang.
  const bool one = belongs.size() == (belongs.front().to == Belongs::To::kBegin ? 2 : 1);
  const Belongs& last = belongs.back();
  Patience patience = options_.patience;
  if (options_.parks || !one) patience.asleep = patience.late;
  if (!one) patience.asleep /= 2;  // it costs no more than to play it once more
  // Somebody has slept already, and will sleep again.
  if (options_.parks && options_.careful) patience.asleep = patience.late / 4;
  std::optional<Asked> got = worker.try_ask(orders, patience);
  if (!got && one && options_.parks && last.to == Belongs::To::kStep) {
    const auto now = std::chrono::steady_clock::now();
    const Milliseconds sooner = options_.careful ? patience.late : Milliseconds(0);
    const Milliseconds more = options_.patience.asleep + sooner;
    late_ = Late{process, last, now + patience.deadline, Asleep(worker.pid()), more, now};
    return;
  }
  // Where nobody can tell which order it was, nobody reads the stacks: it is played once more.
  const Asked asked = got ? std::move(*got) : Asked(worker.hang(one));
  if (auto* replies = std::get_if<std::vector<Reply>>(&asked)) {
    for (std::size_t at = 0; at < replies->size(); ++at) take(process, belongs[at], (*replies)[at]);
    return;
  }
  broken_ = broken_ || !one;
  if (one && last.to == Belongs::To::kStep)
    take_ending(process, last, asked);
  else
    note_end(process, asked, " when its stores are dropped");
}

// A process that hung or died while it was asked one thing.
void Performance::take_ending(const std::string& process, const Belongs& belongs,
                              const Asked& asked) {
  note_end(process, asked);
  Answer& at = seen_.steps[belongs.step].answers[belongs.answer];
  if (const auto* crash = std::get_if<Crashed>(&asked)) at = *crash;
  if (const auto* hang = std::get_if<TimedOut>(&asked)) at = *hang;
  look(belongs.step);
}

void Performance::take(const std::string& process, const Belongs& belongs, const Reply& reply) {
  if (belongs.to == Belongs::To::kEnd) take_open_files(process, reply.answer);
  if (belongs.to != Belongs::To::kStep) return;
  take_folder(players_[process], belongs.step, reply);
  seen_.steps[belongs.step].answers[belongs.answer] = reply.answer;
  const Call* call = std::get_if<Call>(&case_.steps[belongs.step]);
  if (reply.snapshots.empty() || !call) return;
  snapshots_.push_back(
      {.step = belongs.step, .make = make_of(call->on[belongs.answer]), .list = reply.snapshots});
}

bool Performance::is_looked_at(std::size_t step) const {
  return may_write(case_.steps[step]) || step + 1 == case_.steps.size();
}

void Performance::take_folder(Player& player, std::size_t step, const Reply& reply) {
  if (reply.looked == Looked::kTooLarge) player.saw.reset();
  if (reply.looked == Looked::kChanged) {
    player.saw.emplace();
    for (const auto& [name, medium] : places_)
      (*player.saw)[name] = look_at(reply.folder, file_name(name, medium), medium);
  }
  if (is_looked_at(step) && player.saw) seen_.steps[step].disk = *player.saw;
}

// One order apart from stretches. Nothing: the process hung or ended.
std::optional<Answer> Performance::ask(const std::string& process, Order order, int descriptor) {
  Player& player = players_[process];
  std::vector<Order> orders;
  if (!std::exchange(player.begun, true)) orders.push_back(begin(folder_, options_.server));
  orders.push_back(std::move(order));
  // Who waits for a child sleeps for as long as the child needs a processor to die.
  Patience patience = options_.patience;
  if (orders.back().verb == Verb::kWaitFor) patience.asleep = patience.deadline;
  Asked asked = player.worker->ask(orders, patience, descriptor);
  note_end(process, asked, " between its steps");
  auto* replies = std::get_if<std::vector<Reply>>(&asked);
  if (!replies) return std::nullopt;
  return std::move(replies->back().answer);
}

void Performance::note_end(const std::string& process, const Asked& asked, const char* when) {
  if (std::holds_alternative<std::vector<Reply>>(asked)) return;
  players_[process].ended = true;
  const auto* crash = std::get_if<Crashed>(&asked);
  seen_.ends[process] = crash ? crash->signal + when : "hang";
}

void Performance::look(std::size_t step) {
  for (const auto& [name, medium] : places_)
    seen_.steps[step].disk[name] = look_at(folder_ / file_name(name, medium), medium);
}

void Performance::take_open_files(const std::string& process, const Answer& told) {
  const auto* files = shown_as<Names>(told);
  if (files && !files->names.empty()) seen_.open[process] = files->names;
}

bool Performance::leaves_orderly(const std::string& name) const {
  const auto player = players_.find(name);
  if (player == players_.end() || !player->second.begun || !player->second.parent.empty())
    return false;
  // Each process by itself: by its place among those that began.
  const auto number = std::ranges::find(begun_, name) - begun_.begin();
  return (hash_ + static_cast<std::uint64_t>(number)) % kOrderly == 0;
}

// Forked processes are let go; the others drop what they hold and stay for other programs. Now and
// then one ends by Python's own exit instead, which runs what a store left for it. Whoever began
// last goes first: a parent must wait for what it forked.
void Performance::leave() {
  const Order end{.verb = Verb::kEnd}, exit{.verb = Verb::kExit};
  std::set<std::string> orderly;
  for (const std::string& name : begun_)
    if (!players_[name].ended && leaves_orderly(name)) orderly.insert(name);
  // A stretch that is still to be sent goes with the order to end, where that comes next.
  const auto next = std::ranges::find_if(begun_ | std::views::reverse, [&](const auto& name) {
    return !players_[name].ended && !orderly.contains(name);
  });
  if (next == begun_.rend() || *next != to_) flush();
  if (late_) return;
  for (const std::string& name : begun_ | std::views::reverse) {
    if (players_[name].ended || orderly.contains(name)) continue;
    if (to_ != name) flush();
    to_ = name;
    stretch_.push_back(end);
    belongs_.push_back({.to = Belongs::To::kEnd});
    flush();
  }
  for (const std::string& name : begun_ | std::views::reverse) {
    Player& player = players_[name];
    if (player.ended) continue;
    if (orderly.contains(name)) {
      seen_.ends[name] = end_of(player, std::span(&exit, 1));
    } else if (player.parent.empty()) {
      workers_.give_back(std::move(*player.worker));
    } else {
      player.worker->kill();
      end_of(player, {});
    }
    player.ended = true;
  }
}

Result<void> Performance::judge_snapshots() {
  if (snapshots_.empty()) return {};
  CrashReader reader(workers_, options_.folder.string() + "-crash", options_.patience, loop_);
  const std::vector<std::string> keys = written_keys(case_);
  for (const Snapshots& taken : snapshots_) {
    if (!taken.make || !reads_as_it_is(*taken.make->kind.operator->())) continue;
    for (const Snapshot& snapshot : taken.list) {
      auto state = reader.read(*taken.make, snapshot, keys);
      if (!state) return std::unexpected(state.error());
      seen_.steps[taken.step].crash_states.push_back(std::move(*state));
    }
  }
  return {};
}

Result<Observation> Performance::play() {
  if (auto ready = prepare(); !ready) return std::unexpected(ready.error());
  for (; step_ < case_.steps.size() && !broken_ && !late_; ++step_) {
    const Step& step = case_.steps[step_];
    auto done = std::visit([&](const auto& it) { return perform(it); }, step);
    if (!done) return std::unexpected(done.error());
    handles_.take(step);
  }
  if (!late_) leave();
  if (broken_ || late_) return Observation{};
  if (!seen_.steps.empty() && seen_.steps.back().disk.empty()) look(seen_.steps.size() - 1);
  seen_.stray = strays(options_.folder, files_, named_after_);
  if (auto done = judge_snapshots(); !done) return std::unexpected(done.error());
  return std::move(seen_);
}

// Who sleeps hangs as soon as in the foreground, where nothing else goes on meanwhile. It is looked
// at now and then: a program is played within milliseconds.
bool Performance::hangs() {
  const auto now = std::chrono::steady_clock::now();
  if (now >= late_->until) return true;
  if (now < late_->next) return false;
  late_->next = now + options_.patience.asleep / 5;
  return late_->asleep.look() >= late_->more;
}

Performance::Fate Performance::decide() {
  Worker& worker = *players_[late_->process].worker;
  std::optional<Asked> got = worker.late_answer();
  const bool answered = got && std::holds_alternative<std::vector<Reply>>(*got);
  if (!got && !hangs()) return Fate::kOpen;
  const Late late = *std::exchange(late_, std::nullopt);
  if (answered) {
    // It was late, and others were kept waiting with it: none of them is used again.
    players_[late.process].ended = true;
    worker.kill();
  } else {
    take_ending(late.process, late.belongs, got ? *got : Asked(worker.hang()));
    seen_.steps.resize(late.belongs.step + 1);
  }
  leave();
  return answered ? Fate::kSlow : Fate::kDecided;
}

}  // namespace storefuzz::program
