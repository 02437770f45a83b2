// What a whole journey costs, by transport: build, pack, visit, look on both sides, judge.
//
// STOREFUZZ_PYTHON names the subject's environment, as for a fuzz target; without it the newest
// release's environment is taken, and where there is none the benchmark is skipped.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "harness/campaign/run_directory.h"
#include "harness/campaign/subject.h"
#include "harness/play/session.h"
#include "harness/process/scratch.h"

namespace storefuzz {
namespace {

Session* session = nullptr;

// An archive with an array, opened for reading and looked at in every way.
Case array_case(Transport transport) {
  auto value = parse_case(R"({"archive": {"entries": [
      {"key": "zarr.json", "value": "{\"zarr_format\":3,\"node_type\":\"array\",\"shape\":[4],\"data_type\":\"uint8\",\"chunk_grid\":{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":[2]}},\"chunk_key_encoding\":{\"name\":\"default\",\"configuration\":{\"separator\":\"/\"}},\"fill_value\":0,\"codecs\":[{\"name\":\"bytes\"}],\"attributes\":{}}"},
      {"key": "c/0", "value": "ab"}, {"key": "c/1", "value": "cd"}]},
      "lifecycle": "open", "parent": "warm",
      "looks": ["state", "reads", "ranges", "listing", "array", "writes", "again"]})");
  value->transport = transport;
  return *value;
}

void journey(benchmark::State& state, Transport transport, bool all_looks) {
  Case value = array_case(transport);
  if (!all_looks) value.looks = {LookGroup::kState};
  std::ignore = session->play(value);  // what Python does only once is not what a case costs
  for (auto _ : state) {
    auto played = session->play(value);
    if (!played) return state.SkipWithError(played.error().message.c_str());
    if (!played->judged.arrived) return state.SkipWithError("the journey did not arrive");
  }
}

void register_all() {
  for (const Transport transport : all_of<Transport>())
    for (const bool all_looks : {false, true})
      benchmark::RegisterBenchmark(
          fmt::format("journey/{}/{}", name_of(transport), all_looks ? "every look" : "state only")
              .c_str(),
          journey, transport, all_looks)
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
}

int skip(const std::string& why) {
  fmt::print("skipped: {}\n", why);
  return 0;
}

int run(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  if (!std::getenv("STOREFUZZ_PYTHON")) {
    const auto subject = find_subject({}, true);
    if (!subject) return skip(subject.error().message);
    ::setenv("STOREFUZZ_PYTHON", subject->python.c_str(), 1);
  }
  auto started = Session::start({.thrifty = true});
  if (!started) return skip(started.error().message);
  if (auto ready = (*started)->prepare(); !ready) return skip(ready.error().message);
  session = started->release();  // as long as the process: CPython is never shut down
  register_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace storefuzz

// A session shuts its process in for ever; another one has to take the scratch folder away.
int main(int count, char** arguments) {
  storefuzz::become_child_if_asked(count, arguments);
  const auto scratch = storefuzz::Scratch::make();
  if (!scratch) return storefuzz::skip(scratch.error().message);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("STOREFUZZ_SCRATCH", scratch->path().c_str(), 1);
    const int code = storefuzz::run(count, arguments);
    std::fflush(nullptr);
    ::_exit(code);
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
