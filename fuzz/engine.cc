// libFuzzer's hooks over the library; nothing in harness/ knows the engine.
#include "fuzz/engine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <tuple>

#include "fuzz/hooks.h"
#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/journey/mutate.h"
#include "harness/play/session.h"
#include "harness/play/settings.h"

// libFuzzer reads these besides its own counters; the board is mapped over them. Page-aligned and
// whole pages, so that the mapping replaces nothing else.
__attribute__((section("__libfuzzer_extra_counters"),
               aligned(4096))) std::byte storefuzz_counters[storefuzz::kLineCounters];

namespace storefuzz {
namespace {

constexpr int kGuidanceEvery = 16;   // cases between two restarts of the line events
constexpr double kForkShare = 0.33;  // of all time, at most, goes to forked processes
constexpr double kDearShare = 0.1;   // and to stores that cost kDear times the mean
constexpr double kDear = 2.5;
constexpr double kSample = 5;           // cases that tell what a store costs
constexpr double kWarmUpSeconds = 0.5;  // before that, shares are not looked at
constexpr std::size_t kSwarm = 192;     // random bytes a mutation may draw from
// A child in which no thread has run for so long hangs; sooner where one of its like has hung.
constexpr Milliseconds kAsleep{500}, kAsleepAgain{250};

struct Sent {
  std::size_t size = 0;  // of the smallest case sent
  std::set<std::string> seen_on;
};

Session* session = nullptr;
int findings = -1;  // descriptor to the supervisor
std::vector<Quirk> known;
std::map<std::string, Sent> sent;
Case (*shape_of_cases)(Case) = nullptr;
std::set<std::string> avoided;  // cases that a predecessor of this process died of

void send(const Json& line) {
  if (write_all(findings, text_of(line) + "\n") != 0) ::_exit(0);  // the supervisor is gone
}

// A finding costs one short line; the whole case goes along when it is new, or smaller than before.
void tell(const Case& value, const Finding& found) {
  const std::string journey =
      fmt::format("{} / {}", name_of(value.carrier), name_of(value.transport));
  const std::string text = to_text(value);
  Sent& before = sent[found.fingerprint];
  const BoardData& board = session->board().data();
  Json line{{"fingerprint", found.fingerprint},
            {"carrier", name_of(value.carrier)},
            {"transport", name_of(value.transport)},
            {"executions", board.executions.load()},
            {"seconds", static_cast<double>(now_nanoseconds() - board.fuzzing_since) / 1e9}};
  const bool new_journey = before.seen_on.insert(journey).second;
  if (before.size == 0 || text.size() < before.size) {
    before.size = text.size();
    line["finding"] = to_json(found);
    line["case"] = to_json(value);
  } else if (!new_journey) {
    line.erase("executions");
  }
  send(line);
}

// A target that was started by hand, or by a fuzzing service, has no supervisor that takes its
// findings: it aborts, unless the list of known defects holds this one.
void abort_on(const Case& value, const Finding& found) {
  if (match(known, name_of(value.store), found.told, session->release())) return;
  fmt::print(stderr, "storefuzz: {}\n{}\nAssertion failure: {}\n", printable(found.told.headline),
             printable_lines(text_of(to_json(value), 1)), found.fingerprint);
  std::abort();
}

struct Cost {
  double cases = 0, time = 0;  // nanoseconds
  double mean() const { return cases > 0 ? time / cases : 0; }
};

// What costs many times more than other cases gets a share of the time, and the others the rest.
class Shares {
 public:
  // True when `value` is over a share, and is not played.
  static bool ends_for(const Case& value) {
    const BoardData& board = session->board().data();
    const double passed = static_cast<double>(now_nanoseconds() - board.fuzzing_since);
    if (findings < 0 || passed < kWarmUpSeconds * 1e9) return false;
    return (forked(value) && forked_time > kForkShare * passed) ||
           (dear(value) && dear_time > kDearShare * passed);
  }

  static void note(const Case& value, double nanoseconds) {
    if (forked(value)) forked_time += nanoseconds;
    if (dear(value)) dear_time += nanoseconds;
    for (Cost* it : {&all, &stores[value.store]}) {
      it->cases += 1;
      it->time += nanoseconds;
    }
  }

 private:
  // A process that is forked for one case, by us, by a fork server or by a child, costs three times
  // what a child that stays costs, and whole deadlines where it hangs.
  static bool forked(const Case& value) {
    return value.transport == Transport::kFork || value.transport == Transport::kForkserver ||
           value.comes_back == ComesBack::kGrandchild;
  }

  // LoggingStore takes the whole stack at every call (inspect.stack).
  static bool dear(const Case& value) {
    const Cost& store = stores[value.store];
    return store.cases >= kSample && store.mean() > kDear * all.mean();
  }

  static inline double forked_time = 0, dear_time = 0;  // nanoseconds
  static inline Cost all;
  static inline std::map<StoreKind, Cost> stores;
};

// A journey that hung is likely to hang again, and a deadline is long: the more often it did, the
// more of its like are passed over: 3 of 4, 15 of 16, 63 of 64.
class Patience {
 public:
  static bool ends_for(const Case& value) {
    Record& it = records[key(value)];
    return it.asked++ % (1U << std::min(2 * it.hangs, 6U)) != 0;
  }

  static Milliseconds asleep(const Case& value) {
    return records[key(value)].hangs > 0 ? kAsleepAgain : kAsleep;
  }

  static void note(const Case& value, const Observations& seen) {
    const bool hung = std::holds_alternative<TimedOut>(seen.child.died) ||
                      std::holds_alternative<TimedOut>(seen.returned.died);
    Record& it = records[key(value)];
    it.hangs = hung ? it.hangs + 1 : it.hangs / 2;
  }

 private:
  struct Record {
    unsigned hangs = 0, asked = 0;
  };
  using Key = std::tuple<StoreKind, Transport, Warmth, bool>;
  // What hangs is the store below all wrappers: each wrapper over it would cost a whole deadline to
  // say so again.
  static Key key(const Case& value) {
    const Adapter* store = value.store.operator->();
    while (store->inner) store = store->inner;
    const bool grandchild = value.comes_back == ComesBack::kGrandchild;
    return {StoreKind(store), value.transport, value.parent, grandchild};
  }
  static inline std::map<Key, Record> records;
};

Json versions(const std::vector<ReaderInfo>& readers) {
  Json json = Json::object();
  for (const ReaderInfo& it : readers) json[it.name] = it.version;
  return json;
}

// A parent and its children take turns, and so do the threads of a Python. To wake an idle core
// costs ten times what it costs to change to another thread of the same one.
void keep_to_core(const std::string& core) {
  if (core.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(std::atoi(core.c_str())), &set);
  ::sched_setaffinity(0, sizeof set, &set);  // where it is forbidden, it only costs time
}

void start(int* count, char*** arguments) {
  become_child_if_asked(*count, *arguments);
  const Settings settings = settings_from_environment();
  findings = descriptor_of(settings.findings);
  keep_to_core(settings.core);  // before children and threads, which inherit it
  // Without a supervisor the engine handles fatal signals.
  auto started = Session::start({.fatal_stacks = findings >= 0, .thrifty = true});
  if (!started) leave(started.error());
  session = started->release();  // lives as long as the process
  if (auto ready = session->prepare(); !ready) leave(ready.error());
  if (!settings.known.empty()) {
    auto list = load_quirks(settings.known);
    if (!list) leave(list.error());
    known = std::move(*list);
  }
  std::ifstream lines(settings.avoid);
  for (std::string line; std::getline(lines, line);) avoided.insert(line);
  ::signal(SIGINT, SIG_DFL);  // Python may have taken it; libFuzzer installs its own after us
  map_counters(storefuzz_counters, session->board());
  session->board().data().lines_watched = session->lines_watched();
  // The slow lane waits most of its time, and leaves the rest to the fast one.
  if (!settings.niceness.empty())
    ::setpriority(PRIO_PROCESS, 0, std::atoi(settings.niceness.c_str()));
  if (findings >= 0)
    send({{"started",
           {{"release", session->release()},
            {"python", session->python_version()},
            {"containment", session->containment()},
            {"skipped", session->skipped()},
            {"readers", versions(session->readers())}}}});
  if (session->board().data().fuzzing_since == 0)
    session->board().data().fuzzing_since = now_nanoseconds();
  session->clock().enter(Phase::kEngine);
}

// Applies the target's shape, then replaces carriers and stores that this environment lacks.
Case shaped(Case value) {
  return session->fit(shape_of_cases ? shape_of_cases(std::move(value)) : std::move(value));
}

std::size_t write_back(const Case& value, std::uint8_t* data, std::size_t size, std::size_t limit) {
  const std::string text = to_text(value);
  session->clock().enter(Phase::kEngine);
  return storefuzz::write_back(text, data, size, limit);
}

}  // namespace

bool shape_cases(Case (*shape)(Case)) {
  shape_of_cases = shape;
  return true;
}

Case decode(const std::uint8_t* data, std::size_t size) {
  session->clock().enter(Phase::kMutation);
  const char* text = reinterpret_cast<const char*>(data);
  if (size > 0 && text[0] == '{')
    if (auto parsed = parse_case({text, size})) return shaped(*parsed);
  return shaped(generate_case({reinterpret_cast<const std::byte*>(data), size}, session->stores()));
}

Case of_a_wrong_archive(Case value) {
  if (wrong_on_purpose(value)) return value;
  const auto bytes =
      random_bytes(static_cast<unsigned>(std::hash<std::string>{}(to_text(value))), kSwarm);
  Choices choices(bytes);
  static const StoreKind zip = find_store("zip").value();
  value.store = zip;
  if (!value.archive || value.archive->entries.empty()) value.archive = generate_archive(choices);
  for (std::uint32_t count = 1 + choices.below(8) / 7; count > 0; --count)
    value.archive->twists.push_back(generate_twist(choices));
  return value;
}

Case in_a_pool(Case value) {
  if (value.pool != Pool::kNone) return value;
  const auto& pools = all_of<Pool>();
  value.pool = pools[1 + std::hash<std::string>{}(to_text(value)) % (pools.size() - 1)];
  normalise(value);
  value = session->fit(value);
  if (value.pool == Pool::kNone) value.pool = Pool::kProcessPoolExecutor;
  normalise(value);
  return value;
}

int fuzz_case(const Case& value) {
  session->clock().enter(Phase::kEngine);
  if (Shares::ends_for(value) || Patience::ends_for(value)) return -1;
  if (!avoided.empty() && avoided.contains(to_text(value))) return -1;
  static int until_restart = kGuidanceEvery;
  if (--until_restart == 0) {
    session->restart_guidance();
    until_restart = kGuidanceEvery;
  }
  const std::int64_t begin = now_nanoseconds();
  auto played = session->play(value, Patience::asleep(value));
  Shares::note(value, static_cast<double>(now_nanoseconds() - begin));
  if (!played) leave(played.error());
  Patience::note(value, played->seen);
  const std::size_t feature = played->judged.verdicts % kVerdictCounters;
  storefuzz_counters[kLineCounters - kVerdictCounters + feature] = std::byte{1};
  for (const Finding& found : played->judged.findings)
    findings >= 0 ? tell(value, found) : abort_on(value, found);
  if (findings >= 0 && !played->judged.quirks.empty()) send({{"quirks", played->judged.quirks}});
  if (session->spoiled()) ::_exit(0);  // a thread of ours hangs: the supervisor starts us anew
  return 0;
}

}  // namespace storefuzz

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  storefuzz::start(count, arguments);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t limit, unsigned seed) {
  using namespace storefuzz;
  const Case next =
      shaped(mutate_case(decode(data, size), random_bytes(seed, kSwarm), session->stores()));
  return write_back(next, data, size, limit);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* left, std::size_t left_size,
                                                 const std::uint8_t* right, std::size_t right_size,
                                                 std::uint8_t* out, std::size_t limit,
                                                 unsigned seed) {
  using namespace storefuzz;
  const Case mixed = shaped(
      cross_cases(decode(left, left_size), decode(right, right_size), random_bytes(seed, kSwarm)));
  return write_back(mixed, out, 0, limit);
}
