// What an archive costs: to make one, which the hot loop does for every case, and to look at one.
#include <benchmark/benchmark.h>

#include "harness/testing/shared.h"
#include "harness/zip/archive.h"

namespace storefuzz {
namespace {

using test::noise;

// A group with one small array.
std::vector<ArchiveEntry> four_keys() {
  return {{.key = "zarr.json", .bytes = std::string(90, '{')},
          {.key = "a/zarr.json", .bytes = std::string(600, '{')},
          {.key = "a/c/0", .bytes = noise(64)},
          {.key = "a/c/1", .bytes = noise(64)}};
}

std::vector<ArchiveEntry> one_key_of_64_kib() { return {{.key = "c/0", .bytes = noise(64 << 10)}}; }

void make(benchmark::State& state, const std::vector<ArchiveEntry>& entries,
          Compression compression) {
  for (auto _ : state) benchmark::DoNotOptimize(make_archive(entries, compression));
}

void view(benchmark::State& state, const std::vector<ArchiveEntry>& entries,
          Compression compression) {
  const auto archive = make_archive(entries, compression);
  for (auto _ : state) benchmark::DoNotOptimize(view_archive(archive.value()));
}

BENCHMARK_CAPTURE(make, four_keys_stored, four_keys(), Compression::kStored);
BENCHMARK_CAPTURE(make, four_keys_deflated, four_keys(), Compression::kDeflated);
BENCHMARK_CAPTURE(make, one_key_of_64_kib_stored, one_key_of_64_kib(), Compression::kStored);
BENCHMARK_CAPTURE(make, one_key_of_64_kib_deflated, one_key_of_64_kib(), Compression::kDeflated);
BENCHMARK_CAPTURE(view, four_keys_stored, four_keys(), Compression::kStored);
BENCHMARK_CAPTURE(view, four_keys_deflated, four_keys(), Compression::kDeflated);
BENCHMARK_CAPTURE(view, one_key_of_64_kib_stored, one_key_of_64_kib(), Compression::kStored);
BENCHMARK_CAPTURE(view, one_key_of_64_kib_deflated, one_key_of_64_kib(), Compression::kDeflated);

}  // namespace
}  // namespace storefuzz
