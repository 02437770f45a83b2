// What a program costs: engine and workers together, on one core.
//
// The time of a benchmark is the processor time of the whole job, which a busy machine changes less
// than the time on the wall. STOREFUZZ_PYTHON names the subject's environment; without it the
// newest release's environment is taken, and where there is none the benchmark is skipped.
//
//     taskset -c 1 build/fuzz/storefuzz_program_benchmark
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <random>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/campaign/run_directory.h"
#include "harness/campaign/subject.h"
#include "harness/generate/generate.h"
#include "harness/oracles/oracle.h"
#include "harness/play/board.h"
#include "harness/play/program_session.h"
#include "harness/process/scratch.h"

namespace storefuzz {
namespace {

using program::Case;
using program::parse_case;

ProgramSession* session = nullptr;

// The case that others are measured on as well: an archive of four keys is written and opened for
// reading; everything is asked; it is carried to another process, and everything is asked there.
Case journey_of_peers() {
  const std::string file = source_folder() + "/corpus/program/24-the-journey-of-peers.json";
  return parse_case(read_file_whole(file).value()).value();
}

Case state_only() {
  return *parse_case(R"({"format": 2, "processes": {"p1": "spawn"},
    "before": {"z": {"entries": [{"key": "a", "value": "a@0"}]}}, "program": [
    {"make": "zip", "at": "z", "mode": "r", "as": "s0"},
    {"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s1"},
    {"call": "state", "on": ["s0", "s1"]}]})");
}

Case ten_steps(const std::string& kind) {
  const bool memory = kind == "memory";
  Json steps = Json::array();
  Json make{{"make", kind}, {"as", "s0"}};
  if (!memory) make["at"] = "z";
  if (kind == "zip") make["mode"] = "a";
  steps.push_back(make);
  for (const char* key : {"b", "a/b", "c"})
    steps.push_back(
        {{"call", "set"}, {"on", "s0"}, {"key", key}, {"value", fmt::format("{}@1", key)}});
  steps.push_back({{"call", "get"}, {"on", "s0"}, {"key", "b"}});
  steps.push_back({{"call", "close"}, {"on", "s0"}});
  steps.push_back({{"carry", "pickle 5"}, {"from", "s0"}, {"to", "p1"}, {"as", "s1"}});
  steps.push_back({{"call", "list"}, {"on", "s1"}});
  steps.push_back({{"call", "get"}, {"on", "s1"}, {"key", "b"}});
  steps.push_back({{"call", "exists"}, {"on", "s1"}, {"key", "c"}});
  return *parse_case(
      text_of({{"format", 2}, {"processes", {{"p1", "spawn"}}}, {"program", steps}}));
}

// The same case with other values each time: what is looked at besides a program (readers, twins)
// is drawn by its hash, so one case has it always or never, and many have it as often as a run
// does.
class Anew {
 public:
  explicit Anew(Case value) : value_(std::move(value)) {}
  Case operator()() {
    ++count_;
    for (program::Place& place : value_.before)
      for (program::Entry& entry : place.entries) renew(entry.key, entry.value);
    for (program::Step& step : value_.steps)
      if (auto* call = std::get_if<program::Call>(&step); call && !call->value.word.empty())
        renew(call->key, call->value);
    return value_;
  }

 private:
  void renew(const std::string& key, program::Value& value) const {
    value.word = fmt::format("{}@{}", key, count_);
  }

  Case value_;
  std::size_t count_ = 0;
};

// A program a time, drawn as a run draws them.
class Drawn {
 public:
  explicit Drawn(const Stores& stores) : stores_(stores) {}
  Case operator()() {
    std::vector<std::byte> bytes(256);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random_() >> 8);
    return session->fit(program::generate_program(bytes, stores_));
  }

 private:
  const Stores& stores_;
  std::minstd_rand random_{1};
};

template <class Next>
void play(benchmark::State& state, Next next) {
  for (auto _ : state) {
    const Case value = next();
    const auto begin = session->processor_time();
    auto played = session->play(value);
    if (!played) return state.SkipWithError(played.error().message.c_str());
    state.SetIterationTime(
        std::chrono::duration<double>(session->processor_time() - begin).count());
  }
  state.SetItemsProcessed(state.iterations());
}

// What the model and the oracles cost, without the playing.
void judge_again(benchmark::State& state, const Case& value) {
  const auto played = session->play(value);
  if (!played) return state.SkipWithError(played.error().message.c_str());
  for (auto _ : state) benchmark::DoNotOptimize(program::judge(value, played->seen));
  state.SetItemsProcessed(state.iterations());
}

void register_all() {
  benchmark::RegisterBenchmark("program/judging, journey of peers", [](benchmark::State& state) {
    judge_again(state, journey_of_peers());
  })->Unit(benchmark::kMicrosecond);
  const auto add = [](const std::string& name, auto next) {
    benchmark::RegisterBenchmark(("program/" + name).c_str(),
                                 [next](benchmark::State& state) { play(state, next); })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  };
  add("journey of peers", Anew(journey_of_peers()));
  add("state only", Anew(state_only()));
  for (const char* kind : {"zip", "local", "memory"})
    add(fmt::format("ten steps, {}", kind), Anew(ten_steps(kind)));
  add("drawn, all stores", Drawn(session->stores()));
}

int skip(const std::string& why) {
  fmt::print("skipped: {}\n", why);
  return 0;
}

}  // namespace

int run(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  const auto scratch = Scratch::make();
  if (!scratch) return skip(scratch.error().message);
  Settings settings = settings_from_environment();
  settings.scratch = scratch->path();
  if (settings.python.empty()) {
    const auto subject = find_subject({}, true);
    if (!subject) return skip(subject.error().message);
    settings.python = subject->python;
  }
  auto board = Board::make();
  if (!board) return skip(board.error().message);
  auto started = ProgramSession::start(settings, board->descriptor());
  if (!started) return skip(started.error().message);
  session = started->get();
  register_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace storefuzz

int main(int count, char** arguments) { return storefuzz::run(count, arguments); }
