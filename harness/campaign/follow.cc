// See follow.h.
#include "harness/campaign/follow.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <thread>
#include <tuple>
#include <utility>

#include "harness/generate/twins.h"
#include "harness/process/cores.h"

namespace storefuzz {
namespace {

constexpr std::size_t kMostTries = 4;  // of a cause whose scripts show nothing
// Threads a core that follow hangs alone: one waits for most of its time, and has a process of the
// subject of its own.
constexpr std::size_t kWaitingThreads = 2;

// The stores of zarr against which a store of one's own is held: one in memory, one on a disk.
Stores stores_of_zarr() {
  Stores stores;
  for (const char* kind : {"memory", "local"})
    if (auto found = find_store(kind)) stores.push_back(*found);
  return stores;
}

// Each worker is used once: what a program needs that is only there after others have been played
// would not be there in a script.
Result<Sides> start_sides(const Settings& settings) {
  auto sides = Sides::start(settings);
  if (!sides) return sides;
  sides->subject->use_workers_once();
  if (sides->against) sides->against->session().use_workers_once();
  return sides;
}

// Findings by number, each taken by one thread. A hang takes a second each time that it happens
// again and needs no core meanwhile: what does not hang must not wait behind it.
class Round {
 public:
  explicit Round(const std::vector<RawFinding>& raw) {
    for (std::size_t i = 0; i < raw.size(); ++i)
      (raw[i].finding.wrong == name_of(program::Wrong::kHang) ? hangs_ : others_).push_back(i);
  }

  std::size_t hangs() const { return hangs_.size(); }
  std::optional<std::size_t> take(bool hangs_alone) {
    if (!hangs_alone)
      if (const std::size_t next = next_other_++; next < others_.size()) return others_[next];
    if (const std::size_t next = next_hang_++; next < hangs_.size()) return hangs_[next];
    return std::nullopt;
  }

 private:
  std::vector<std::size_t> hangs_, others_;
  std::atomic<std::size_t> next_hang_ = 0, next_other_ = 0;
};

}  // namespace

Result<void> Following::follow(std::vector<RawFinding> raw, double seconds) {
  std::ranges::sort(
      raw, {}, [](const RawFinding& it) { return std::pair(it.finding.severity, it.seconds); });
  followed_.findings = raw.size();
  const auto stopped = [&] { return options_.dossier.stop && options_.dossier.stop(); };
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  over_ = [=] { return stopped() || std::chrono::steady_clock::now() > until; };
  std::vector<std::size_t> used(raw.size(), 0);  // of the other programs of a finding
  const auto follow_first = [&](Result<Sides>& sides, std::size_t i) {
    if (sides && !over_()) {
      used[i] = follow_one(*sides, raw[i]);
      return;
    }
    used[i] = raw[i].others.size();
    leave(raw[i], !sides      ? sides.error().message
                  : stopped() ? "it was not followed: the run was cut short"
                              : "it was not followed: the time for it was over");
  };
  // What time is left is for the others: of two roots that look alike to the loop, the first
  // program shows one.
  const auto follow_others = [&](Result<Sides>& sides, std::size_t i) {
    for (; sides && used[i] < raw[i].others.size() && !over_(); ++used[i])
      (void)follow_program(*sides, raw[i], raw[i].others[used[i]]);
  };
  Round first(raw), second(raw);
  const std::size_t cores = std::max<std::size_t>(1, own_cores().size());
  const std::size_t usual = std::min(cores, raw.size());
  const std::size_t waiting = std::min(cores * kWaitingThreads, first.hangs());
  std::barrier all_first(static_cast<std::ptrdiff_t>(usual + waiting));
  // Linux ends a child when the thread ends that started it (PR_SET_PDEATHSIG): who plays keeps its
  // thread to the end.
  const auto work = [&](bool hangs_alone) {
    auto sides = start_sides(options_.settings);
    while (const auto i = first.take(hangs_alone)) follow_first(sides, *i);
    all_first.arrive_and_wait();
    while (const auto i = second.take(hangs_alone)) follow_others(sides, *i);
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < usual; ++i) threads.emplace_back(work, false);
    for (std::size_t i = 0; i < waiting; ++i) threads.emplace_back(work, true);
  }
  if (broken_) return std::unexpected(*broken_);
  return {};
}

// The smallest program first; what happens only in a process that was used before may be in one of
// the others. How many of those were asked.
std::size_t Following::follow_one(Sides& sides, const RawFinding& raw) {
  {
    const std::scoped_lock lock(mutex_);
    if (options_.progress)
      options_.progress(fmt::format("reducing and confirming {} of {}: {}", ++begun_,
                                    followed_.findings, raw.finding.headline));
  }
  Outcome first = follow_program(sides, raw, raw.finding);
  std::size_t asked = 0;
  bool kept = first.kept;
  while (!first.enough && asked < raw.others.size() && !over_()) {
    const Outcome other = follow_program(sides, raw, raw.others[asked++]);
    first.enough = other.enough;
    kept = kept || other.kept;
  }
  if (!kept && first.left)
    leave(raw, first.why);
  else if (!kept)
    // Only what was played once more, and did not happen again, may be a race that a page names.
    keep_unreduced(raw, first.why, true,
                   first.enough
                       ? nullptr
                       : find_known(options_.dossier.known, raw.finding, options_.dossier.release));
  return asked;
}

Following::Outcome Following::follow_program(Sides& sides, const RawFinding& raw,
                                             const Finding& finding) {
  auto dossier = reduce_finding(*sides.subject, finding, options_.dossier, sides.against.get());
  if (!dossier) {
    // A fault of ours costs its finding, not the run; what was found stays told.
    const std::scoped_lock lock(mutex_);
    followed_.unfollowed.push_back(dossier.error().message);
    return {.enough = true, .why = "it could not be followed: " + dossier.error().message};
  }
  if (!dossier->reduced) return {.why = dossier->why};
  // What could be plainer still may be known by its plainest program: nobody is told it as new.
  if (!dossier->whole &&
      !find_known(options_.dossier.known, dossier->cause, options_.dossier.release))
    return {.left = true, .why = "it was not followed: the time was over before it was reduced"};
  return {.enough = settle(sides, {.dossier = std::move(*dossier), .raw = raw}), .kept = true};
}

// Whether the cause is known or confirmed, or is being tried by another thread.
bool Following::settle(Sides& sides, Way way) {
  Told* told = nullptr;  // elements of a map stay where they are
  {
    const std::scoped_lock lock(mutex_);
    const auto [at, is_new] = told_.try_emplace(way.dossier.cause.key);
    told = &at->second;
    count(*told, way.raw);
    if (!is_new && told->state == State::kTried) {
      told->waiting.push_back(std::move(way));
      return true;
    }
    if (!is_new && told->state != State::kUnconfirmed) return true;
    if (told->tries >= kMostTries) return false;
    told->state = State::kTried;
  }
  for (;;) {
    const auto known = why_known(sides, way.dossier);
    if (!known)
      if (auto done = confirm_dossier(*sides.subject, way.dossier, options_.dossier); !done)
        way.dossier.why = done.error().message;
    const std::scoped_lock lock(mutex_);
    keep(*told, way.dossier, way.raw, known ? &*known : nullptr);
    if (told->state != State::kUnconfirmed || ++told->tries >= kMostTries) told->waiting.clear();
    grown();
    if (told->waiting.empty()) return told->state != State::kUnconfirmed;
    told->state = State::kTried;
    way = std::move(told->waiting.front());
    told->waiting.pop_front();
  }
}

// By a list; or because a store of zarr shows the same where a stranger's is under test.
std::optional<Known> Following::why_known(Sides& sides, const Dossier& dossier) const {
  if (const Known* it = find_known(options_.dossier.known, dossier.cause, options_.dossier.release))
    return *it;
  if (!options_.own_stores) return std::nullopt;
  const std::string of_class = class_of(dossier.value, dossier.difference);
  const auto crash_states = dossier.difference.within ? program::CrashStates::kAsInTheProgram
                                                      : program::CrashStates::kNone;
  for (const program::Case& twin : program::twins_of(dossier.value, stores_of_zarr(), crash_states))
    if (stand(*sides.subject, {.value = twin, .of_class = of_class}) == Standing::kBad)
      return Known{
          .cause = dossier.cause.key,
          .link = "",
          .reason = fmt::format("zarr's own store shows it as well: {}", program::kinds_of(twin)),
          .by = "zarr"};
  return std::nullopt;
}

void Following::count(Told& told, const RawFinding& raw) const {
  if (std::ranges::count(told.keys, raw.finding.key) > 0) return;
  told.count += raw.count;
  told.keys.push_back(raw.finding.key);
}

// Under the lock. One hang may be a busy machine; one that was seen again is told, script or not.
void Following::keep(Told& told, const Dossier& dossier, const RawFinding& raw,
                     const Known* known) {
  told.line = to_json(dossier, options_.dossier.release);
  told.line.update({{"executions_to_find", raw.executions}, {"seconds_to_find", raw.seconds}});
  if (known) told.line["known"] = to_json(*known);
  told.state = known ? State::kKnown : dossier.confirmed ? State::kConfirmed : State::kUnconfirmed;
  told.hang.clear();
  told.asked.reset();
  if (told.state == State::kUnconfirmed && raw.finding.oracle == "deadline" && raw.count > 1)
    told.hang = fmt::format("{}: seen {} times, not shown by a script",
                            told.line.value("headline", ""), raw.count);
  if (told.state == State::kConfirmed && !dossier.finding.question)
    told.asked = Asked{.value = dossier.value,
                       .of_class = class_of(dossier.value, dossier.difference),
                       .cause = dossier.cause.key};
  if (auto written = write_dossier(*options_.run, dossier); !written && !broken_)
    broken_ = written.error();
}

bool Following::keep_unreduced(const RawFinding& raw, const std::string& why, bool followed,
                               const Known* known) {
  const std::scoped_lock lock(mutex_);
  const auto [at, is_new] = told_.try_emplace(raw.finding.key);
  Told& told = at->second;
  count(told, raw);
  if (!is_new) return false;  // what is named as the loop saw it may be told by another program
  Dossier dossier = not_followed(raw.finding, why);
  dossier.followed = followed;
  keep(told, dossier, raw, known);
  grown();
  return true;
}

void Following::leave(const RawFinding& raw, const std::string& why) {
  if (!keep_unreduced(raw, why, false, nullptr)) return;
  const std::scoped_lock lock(mutex_);
  if (!raw.finding.question) ++not_reached_;
}

void Following::grown() {
  if (broken_ || !options_.grown) return;
  if (auto done = options_.grown(); !done) broken_ = done.error();
}

std::vector<Json> Following::lines(bool confirmed) const {
  std::vector<Json> list;
  for (const auto& [cause, told] : told_) {
    const bool shown = told.state == State::kConfirmed || told.state == State::kKnown;
    if (shown != confirmed || told.line.is_null()) continue;
    list.push_back(told.line);
    list.back().update({{"seen_as", told.keys}, {"count", told.count}});
  }
  std::ranges::sort(list, {}, [](const Json& line) {
    return std::tuple(line.value("severity", 0), line.value("steps", Json::array()).size(),
                      line.value("cause", ""));
  });
  return list;
}

std::vector<Asked> Following::asked() const {
  std::vector<Asked> all;
  for (const auto& [cause, told] : told_)
    if (told.asked) all.push_back(*told.asked);
  return all;
}

std::vector<std::string> Following::unshown() const {
  std::vector<std::string> all;
  for (const auto& [cause, told] : told_)
    if (!told.hang.empty()) all.push_back(told.hang);
  return all;
}

void Following::date(const std::string& cause, const ReleaseTable& table) {
  if (const auto told = told_.find(cause); told != told_.end())
    told->second.line["releases"] = to_json(table);
}

}  // namespace storefuzz
