// A performance: one case, its workers, its folder, and what is still to be sent.
#include "harness/direct/director.h"

#include <fmt/format.h>

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

// A key that climbs leads out of the case's folder; so many steps stay below the director's own.
constexpr const char* kBelow = "a/b/case";

// Where a process goes that changes its directory.
std::string elsewhere(const std::string& process) { return "a/b/of-" + process; }

// Where the answer to an order belongs: to a step, or to a process that begins or ends a case.
struct Belongs {
  enum class To { kStep, kBegin, kEnd } to = To::kStep;
  std::size_t step = 0, answer = 0;
};

using Places = std::map<std::string, OnDisk>;  // what lies at each place on disk

struct Player {
  std::optional<Worker> worker;
  std::string parent;  // of a forked process
  bool begun = false;  // it knows the case's folder
  bool ended = false;
  std::optional<Places> saw;  // when it looked last; nothing: it was too large to be told
};

class Performance {
 public:
  Performance(Workers& workers, const Director::Options& options, const Case& value, bool careful)
      : workers_(workers),
        options_(options),
        case_(value),
        careful_(careful),
        loop_(needs_loop(value)),
        folder_(options.folder / kBelow) {}

  Result<Observation> play();
  bool broken() const { return broken_; }

 private:
  Result<void> prepare();
  Result<Player*> player(const std::string& name);
  Slot slot_of(const std::string& handle);
  Order order_of(const Call& call, const std::string& handle);

  // A step's orders; what cannot be asked stays Absent.
  Result<void> perform(const Make& make);
  Result<void> perform(const Call& call);
  Result<void> perform(const Carry& carry);
  Result<void> perform(const Fork& fork);
  Result<void> perform(const Deed& deed);

  Result<void> add(const std::string& process, Order order, std::size_t answer = 0);
  void flush();
  void take(const std::string& process, const Belongs& belongs, Reply reply);
  void take_folder(Player& player, std::size_t step, const Reply& reply);
  std::optional<Answer> ask(const std::string& process, Order order, int descriptor = -1);
  void note_end(const std::string& process, const Asked& asked);
  std::string end_of(Player& player, std::span<const Order> orders);
  void look(std::size_t step);
  Result<void> judge_snapshots();
  void take_open_files(const std::string& process, const Answer& told);
  void leave();

  const std::string& process_of(const std::string& handle, const std::string& in) const {
    static const std::string none;
    const std::string* process = handles_.process_of(handle, in);
    return process ? *process : none;
  }
  const Make* make_of(const std::string& handle) const {
    const auto found = made_.find(handle);
    return found == made_.end() ? nullptr : found->second;
  }
  Answer& answer() { return seen_.steps[step_].answers[0]; }

  Workers& workers_;
  const Director::Options& options_;
  const Case& case_;
  const bool careful_, loop_;
  const fs::path folder_;
  bool broken_ = false;  // a stretch of several orders ended in a hang or a death

  Observation seen_;
  Handles handles_;
  std::map<std::string, Player> players_;
  std::vector<std::string> begun_;  // their names, in the order in which they began
  std::map<std::string, Slot> slots_;
  std::map<std::string, const Make*> made_;  // handle → the make behind it
  std::map<std::string, Medium> places_;     // place → its medium; those on disk
  std::set<std::string> files_;              // where the places lie, below the director's folder
  std::size_t step_ = 0;

  std::string to_;  // the process that the stretch is for
  std::vector<Order> stretch_;
  std::vector<Belongs> belongs_;
  struct Snapshots {
    std::size_t step;
    const Make* make;
    std::vector<Snapshot> list;
  };
  std::vector<Snapshots> snapshots_;
};

// Whether the disk may be another one after this step, and must be looked at.
bool may_write(const Step& step) {
  if (const Call* call = std::get_if<Call>(&step)) {
    const Family family = operation(call->op).family;
    return family != Family::kRead && family != Family::kRange && family != Family::kSize &&
           family != Family::kListing && family != Family::kState;
  }
  return true;
}

Order begin(const fs::path& folder) { return {.verb = Verb::kBegin, .text = folder.string()}; }

Result<void> Performance::prepare() {
  // The folders that processes change into lie beside it.
  std::error_code error;
  if (fs::exists(folder_, error) && !empty(folder_.parent_path()))
    return machine_failure("a case's folder cannot be emptied");
  fs::create_directories(folder_, error);
  for (const Step& step : case_.steps)
    if (const Make* make = std::get_if<Make>(&step); make && !make->at.empty()) {
      if (make->kind->medium == Medium::kMemory) continue;
      places_.try_emplace(make->at, make->kind->medium);
      files_.insert(std::string(kBelow) + "/" + file_name(*make));
      // A relative path in another directory is another place, of which nothing is known.
      if (!make->relative) continue;
      files_.insert(elsewhere(std::string(kHome)) + "/" + file_name(*make));
      for (const Process& process : case_.processes)
        files_.insert(elsewhere(process.name) + "/" + file_name(*make));
    }
  for (const auto& [name, medium] : places_) {
    const fs::path path = folder_ / file_name(name, medium);
    for (const Place& place : case_.before)
      if (place.name == name)
        if (auto done = put(path, medium, place.entries); !done) return done;
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
Result<Player*> Performance::player(const std::string& name) {
  const auto found = players_.find(name);
  if (found != players_.end()) return found->second.ended ? nullptr : &found->second;
  const auto declared = std::ranges::find(case_.processes, name, &Process::name);
  const bool spawned = declared != case_.processes.end() && declared->began == Began::kSpawn;
  if (name != kHome && !spawned) return nullptr;
  auto worker = workers_.lease(loop_);
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
  Worker child =
      workers_.forked(static_cast<pid_t>(*pid), std::move(ours), (*parent)->worker->loop());
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
      if (place == places_.end()) return {};
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
    stretch_.push_back(begin(folder_));
    belongs_.push_back({.to = Belongs::To::kBegin});
  }
  order.look = may_write(case_.steps[step_]) || step_ + 1 == case_.steps.size();
  stretch_.push_back(std::move(order));
  belongs_.push_back({.step = step_, .answer = answer});
  if (careful_) flush();
  return {};
}

void Performance::flush() {
  if (stretch_.empty()) return;
  const std::vector<Order> orders = std::exchange(stretch_, {});
  const std::vector<Belongs> belongs = std::exchange(belongs_, {});
  const std::string process = std::exchange(to_, {});
  Asked asked = players_[process].worker->ask(orders, options_.patience);
  if (auto* replies = std::get_if<std::vector<Reply>>(&asked)) {
    for (std::size_t at = 0; at < replies->size(); ++at)
      take(process, belongs[at], std::move((*replies)[at]));
    return;
  }
  note_end(process, asked);
  // To begin a case is nothing that could hang.
  const bool one =
      belongs.front().to == Belongs::To::kBegin ? belongs.size() == 2 : belongs.size() == 1;
  broken_ = broken_ || !one;
  const Belongs& last = belongs.back();
  if (!one || last.to != Belongs::To::kStep) return;
  Answer& at = seen_.steps[last.step].answers[last.answer];
  if (const auto* crash = std::get_if<Crashed>(&asked)) at = *crash;
  if (const auto* hang = std::get_if<TimedOut>(&asked)) at = *hang;
  look(last.step);
}

void Performance::take(const std::string& process, const Belongs& belongs, Reply reply) {
  if (belongs.to == Belongs::To::kEnd) take_open_files(process, reply.answer);
  if (belongs.to != Belongs::To::kStep) return;
  take_folder(players_[process], belongs.step, reply);
  seen_.steps[belongs.step].answers[belongs.answer] = std::move(reply.answer);
  const Call* call = std::get_if<Call>(&case_.steps[belongs.step]);
  if (reply.snapshots.empty() || !call) return;
  snapshots_.push_back({.step = belongs.step,
                        .make = make_of(call->on[belongs.answer]),
                        .list = std::move(reply.snapshots)});
}

void Performance::take_folder(Player& player, std::size_t step, const Reply& reply) {
  if (reply.looked == Looked::kTooLarge) player.saw.reset();
  if (reply.looked == Looked::kChanged) {
    player.saw.emplace();
    for (const auto& [name, medium] : places_)
      (*player.saw)[name] = look_at(reply.folder, file_name(name, medium), medium);
  }
  const bool looked = may_write(case_.steps[step]) || step + 1 == case_.steps.size();
  if (looked && player.saw) seen_.steps[step].disk = *player.saw;
}

// One order apart from stretches. Nothing: the process hung or ended.
std::optional<Answer> Performance::ask(const std::string& process, Order order, int descriptor) {
  Player& player = players_[process];
  std::vector<Order> orders;
  if (!std::exchange(player.begun, true)) orders.push_back(begin(folder_));
  orders.push_back(std::move(order));
  Asked asked = player.worker->ask(orders, options_.patience, descriptor);
  note_end(process, asked);
  auto* replies = std::get_if<std::vector<Reply>>(&asked);
  if (!replies) return std::nullopt;
  return std::move(replies->back().answer);
}

void Performance::note_end(const std::string& process, const Asked& asked) {
  if (std::holds_alternative<std::vector<Reply>>(asked)) return;
  players_[process].ended = true;
  const auto* crash = std::get_if<Crashed>(&asked);
  seen_.ends[process] = crash ? crash->signal : "hang";
}

void Performance::look(std::size_t step) {
  for (const auto& [name, medium] : places_)
    seen_.steps[step].disk[name] = look_at(folder_ / file_name(name, medium), medium);
}

void Performance::take_open_files(const std::string& process, const Answer& told) {
  const auto* files = shown_as<Names>(told);
  if (files && !files->names.empty()) seen_.open[process] = files->names;
}

// Forked processes are let go; the others drop what they hold and stay for other programs. Whoever
// began last goes first: a parent must wait for what it forked.
void Performance::leave() {
  const Order end{.verb = Verb::kEnd};
  for (const std::string& name : begun_ | std::views::reverse) {
    if (players_[name].ended) continue;
    if (to_ != name) flush();
    to_ = name;
    stretch_.push_back(end);
    belongs_.push_back({.to = Belongs::To::kEnd});
    flush();
  }
  for (const std::string& name : begun_ | std::views::reverse) {
    Player& player = players_[name];
    if (player.ended) continue;
    if (player.parent.empty()) {
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
  const std::vector<std::string> keys = keys_of(case_);
  for (const Snapshots& taken : snapshots_) {
    if (!taken.make || taken.make->kind->medium == Medium::kMemory) continue;
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
  for (; step_ < case_.steps.size() && !broken_; ++step_) {
    const Step& step = case_.steps[step_];
    auto done = std::visit([&](const auto& it) { return perform(it); }, step);
    if (!done) return std::unexpected(done.error());
    handles_.take(step);
  }
  leave();
  if (broken_) return std::move(seen_);
  if (!seen_.steps.empty() && seen_.steps.back().disk.empty()) look(seen_.steps.size() - 1);
  seen_.stray = strays(options_.folder, files_);
  if (auto done = judge_snapshots(); !done) return std::unexpected(done.error());
  return std::move(seen_);
}

}  // namespace

bool needs_loop(const Case& value) {
  return std::ranges::any_of(value.steps, [](const Step& step) {
    if (const Make* make = std::get_if<Make>(&step)) return make->kind->waits;
    const Call* call = std::get_if<Call>(&step);
    return call && (call->by == By::kSync || operation(call->op).family == Family::kArray ||
                    operation(call->op).family == Family::kBind);
  });
}

Director::Director(Workers& workers, Options options)
    : workers_(workers), options_(std::move(options)) {}

Result<Observation> Director::play(const Case& value) {
  Performance fast(workers_, options_, value, false);
  auto seen = fast.play();
  if (!seen || !fast.broken()) return seen;
  return Performance(workers_, options_, value, true).play();
}

}  // namespace storefuzz::program
