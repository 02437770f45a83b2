// What a zip file that is wrong on purpose costs: to make one, to take it apart and to put it
// together. Four small entries, as the hot loop has them.
#include <benchmark/benchmark.h>

#include "harness/testing/shared.h"
#include "harness/zip/archive.h"
#include "harness/zip/layout.h"
#include "harness/zip/structure.h"
#include "harness/zip/twists.h"

namespace storefuzz {
namespace {

std::string sound(Compression compression) {
  const ArchiveEntry entries[] = {{.key = "zarr.json", .bytes = std::string(90, '{')},
                                  {.key = "a/zarr.json", .bytes = std::string(600, '{')},
                                  {.key = "a/c/0", .bytes = test::noise(64)},
                                  {.key = "a/c/1", .bytes = test::noise(64)}};
  return make_archive(entries, compression).value();
}

void zip_make(benchmark::State& state, Compression compression) {
  for (auto _ : state) benchmark::DoNotOptimize(sound(compression));
}

void zip_twist(benchmark::State& state, std::string name, Compression compression) {
  const std::string bytes = sound(compression);
  const Twist twist{.name = std::move(name), .entry = 1};
  for (auto _ : state) benchmark::DoNotOptimize(twist_archive(bytes, {&twist, 1}));
}

// Every kind that is not heavy, with every amount up to 7: the time is that of one twist.
void zip_twist_average(benchmark::State& state, Compression compression) {
  const std::string bytes = sound(compression);
  std::vector<Twist> twists;
  for (const TwistKind& kind : all_twists())
    for (std::uint32_t amount = 0; amount < 8 && !kind.heavy; ++amount)
      twists.push_back({.name = std::string(kind.name), .entry = amount, .amount = amount});
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(twist_archive(bytes, {&twists[next], 1}));
    next = (next + 1) % twists.size();
  }
}

void zip_parse_layout(benchmark::State& state) {
  const std::string bytes = sound(Compression::kStored);
  for (auto _ : state) benchmark::DoNotOptimize(parse_layout(bytes));
}

void zip_render(benchmark::State& state) {
  const ZipLayout zip = parse_layout(sound(Compression::kStored));
  for (auto _ : state) benchmark::DoNotOptimize(render(zip));
}

void zip_repair(benchmark::State& state) {
  ZipLayout zip = parse_layout(sound(Compression::kStored));
  for (auto _ : state) {
    repair(zip);
    benchmark::DoNotOptimize(zip);
  }
}

void zip_read_structure(benchmark::State& state) {
  const std::string bytes = sound(Compression::kStored);
  for (auto _ : state) benchmark::DoNotOptimize(read_structure(bytes));
}

// Every local header makes known that its sizes come later, and they never do: the worst case.
void zip_parse_hostile_mib(benchmark::State& state) {
  std::string bytes;
  while (bytes.size() < 1 << 20) bytes += render(LocalPart{.flags = 8});
  for (auto _ : state) benchmark::DoNotOptimize(parse_layout(bytes));
}

constexpr Compression kStored = Compression::kStored, kDeflated = Compression::kDeflated;
BENCHMARK_CAPTURE(zip_make, stored, kStored);
BENCHMARK_CAPTURE(zip_make, deflated, kDeflated);
BENCHMARK_CAPTURE(zip_twist, central_method_differs, "central method differs", kStored);
BENCHMARK_CAPTURE(zip_twist, same_name_after_stored, "same name after", kStored);
BENCHMARK_CAPTURE(zip_twist, same_name_after_deflated, "same name after", kDeflated);
BENCHMARK_CAPTURE(zip_twist, two_directories, "two directories", kStored);
BENCHMARK_CAPTURE(zip_twist, zip64_record_in_another, "zip64 record in another", kStored);
BENCHMARK_CAPTURE(zip_twist, truncated, "truncated", kStored);
BENCHMARK_CAPTURE(zip_twist, bomb, "bomb", kStored);
BENCHMARK_CAPTURE(zip_twist, many_entries, "many entries", kStored);
BENCHMARK_CAPTURE(zip_twist, counts_overflow, "counts overflow", kStored);
BENCHMARK_CAPTURE(zip_twist_average, stored, kStored);
BENCHMARK_CAPTURE(zip_twist_average, deflated, kDeflated);
BENCHMARK(zip_parse_layout);
BENCHMARK(zip_render);
BENCHMARK(zip_repair);
BENCHMARK(zip_read_structure);
BENCHMARK(zip_parse_hostile_mib);

}  // namespace
}  // namespace storefuzz
