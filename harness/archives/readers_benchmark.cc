// What reading a zip file costs each reader, beside what making it costs: sound archives and wrong
// ones, asked for every key, through the protocol. In archives a second.
//
// STOREFUZZ_READERS names the readers, with commas between; without it those that need nothing
// installed, and zarr. A reader that cannot be had is left out, and said so.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>

#include "harness/archives/gallery.h"
#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/case/words.h"
#include "harness/process/scratch.h"
#include "harness/readers/install.h"

namespace storefuzz {
namespace {

constexpr const char* kUsual = "zarr,libzip,libzip-checked,libarchive,libarchive-seeking";

struct Files {
  std::vector<ReaderRequest> stored, sound, wrong;
};

// The gallery on the disk, and what is asked of it.
Result<Files> write_files(const std::filesystem::path& folder) {
  Files files;
  for (const Exhibit& exhibit : exhibits()) {
    const std::filesystem::path file = folder / exhibit.name;
    if (auto written = write_file_whole(file, exhibit.bytes); !written)
      return std::unexpected(written.error());
    ReaderRequest request{.file = file.string(), .keys = names_in(exhibit.bytes, kMostKeys)};
    std::erase_if(request.keys, [](const std::string& key) {
      return !std::ranges::all_of(key, [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
    });
    (exhibit.twist.name.empty() ? files.sound : files.wrong).push_back(std::move(request));
  }
  files.stored = files.sound;
  files.stored[0].file = (folder / "stored.zip").string();
  if (auto written = write_file_whole(files.stored[0].file, gallery_store(Compression::kStored));
      !written)
    return std::unexpected(written.error());
  return files;
}

void read_with(benchmark::State& state, const ReaderCommand& command, const std::string& scratch,
               const std::vector<ReaderRequest>& requests) {
  auto panel = Panel::start({command}, {.contain = scratch});
  if (!panel) return state.SkipWithError(panel.error().message.c_str());
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(panel->ask(requests[next]));
    next = (next + 1) % requests.size();
  }
  state.SetItemsProcessed(state.iterations());
}

// Making what is read: by libzip, and a twist of it.
void make(benchmark::State& state, Compression compression, bool wrong) {
  std::vector<Twist> twists;
  for (const TwistKind& kind : all_twists())
    if (!kind.heavy) twists.push_back({.name = std::string(kind.name), .entry = 2, .amount = 0});
  std::size_t next = 0;
  for (auto _ : state) {
    const std::string sound = gallery_store(compression);
    if (wrong) benchmark::DoNotOptimize(twist_archive(sound, {&twists[next], 1}));
    benchmark::DoNotOptimize(sound.data());
    next = (next + 1) % twists.size();
  }
  state.SetItemsProcessed(state.iterations());
}

int run(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  const auto scratch = Scratch::make();
  const auto files = scratch ? write_files(scratch->path()) : std::unexpected(scratch.error());
  if (!files) {
    fmt::print("skipped: {}\n", files.error().message);
    return 0;
  }
  for (const auto& [compression, name] :
       {std::pair{Compression::kStored, "stored"}, std::pair{Compression::kDeflated, "deflated"}})
    for (const bool wrong : {false, true})
      benchmark::RegisterBenchmark(
          fmt::format("make/{}/{}", wrong ? "wrong" : "sound", name).c_str(), make, compression,
          wrong)
          ->Unit(benchmark::kMicrosecond);
  const char* named = std::getenv("STOREFUZZ_READERS");
  for (const std::string& name : comma_separated(named ? named : kUsual)) {
    const auto commands = reader_commands({name});
    if (!commands) {
      fmt::print(stderr, "{} is left out: {}\n", name, commands.error().message);
      continue;
    }
    // zarr reads in a parent and in its child: here the plain reader alone.
    ReaderCommand command = commands->front();
    command.packs = false;
    for (const auto& [kind, requests] : {std::pair{"sound, stored", &files->stored},
                                         {"sound, deflated", &files->sound},
                                         {"wrong, deflated", &files->wrong}})
      benchmark::RegisterBenchmark(fmt::format("read/{}/{}", name, kind).c_str(), read_with,
                                   command, scratch->path().string(), *requests)
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace storefuzz

int main(int count, char** arguments) { return storefuzz::run(count, arguments); }
