// What a case costs before anything is built from it: drawn, mutated, written as JSON, read again.
#include <benchmark/benchmark.h>

#include "harness/journey/mutate.h"
#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

constexpr unsigned kCases = 64;  // different ones, taken in turn

std::vector<Case> cases() {
  std::vector<Case> all;
  for (unsigned seed = 0; seed < kCases; ++seed) all.push_back(test::random_case(seed));
  return all;
}

std::vector<std::vector<std::byte>> bytes() {
  std::vector<std::vector<std::byte>> all;
  for (unsigned seed = 0; seed < kCases; ++seed) all.push_back(test::random_bytes(seed, 192));
  return all;
}

void generate(benchmark::State& state) {
  const auto drawn = bytes();
  for (unsigned i = 0; auto _ : state)
    benchmark::DoNotOptimize(generate_case(drawn[i++ % kCases], test::kListed));
}

void mutate(benchmark::State& state) {
  const auto drawn = bytes();
  const auto all = cases();
  for (unsigned i = 0; auto _ : state) {
    benchmark::DoNotOptimize(mutate_case(all[i % kCases], drawn[i * 7 % kCases], test::kListed));
    ++i;
  }
}

void write(benchmark::State& state) {
  const auto all = cases();
  for (unsigned i = 0; auto _ : state) benchmark::DoNotOptimize(to_text(all[i++ % kCases]));
}

void read(benchmark::State& state) {
  std::vector<std::string> texts;
  for (const Case& value : cases()) texts.push_back(to_text(value));
  for (unsigned i = 0; auto _ : state) benchmark::DoNotOptimize(parse_case(texts[i++ % kCases]));
}

BENCHMARK(generate)->Name("case/generate");
BENCHMARK(mutate)->Name("case/mutate");
BENCHMARK(write)->Name("case/write");
BENCHMARK(read)->Name("case/read");

}  // namespace
}  // namespace storefuzz
