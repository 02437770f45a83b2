// What it costs to ask a child: a frame there and a frame back, and a fork with it.
#include <benchmark/benchmark.h>

#include "harness/process/process.h"

namespace storefuzz {
namespace {

constexpr Milliseconds kDeadline{60'000};

Result<Process> echo() {
  return Process::fork({[] {}, [] {}, [] {}}, [](const std::string& request) { return request; });
}

void round_trip(benchmark::State& state) {
  auto child = echo();
  if (!child) return state.SkipWithError(child.error().message.c_str());
  const std::string request(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(child->ask(request, kDeadline));
  state.SetBytesProcessed(2 * state.iterations() * state.range(0));
}

void fork_and_round_trip(benchmark::State& state) {
  for (auto _ : state) {
    auto child = echo();
    if (!child) return state.SkipWithError(child.error().message.c_str());
    benchmark::DoNotOptimize(child->ask("x", kDeadline));
  }
}

BENCHMARK(round_trip)->Name("frame/round_trip")->Arg(1 << 10)->Arg(64 << 10)->UseRealTime();
BENCHMARK(fork_and_round_trip)->Name("frame/fork_and_round_trip")->UseRealTime();

}  // namespace
}  // namespace storefuzz
