// A few stores, all that can be done with them by hand.
#include "harness/worker/rehearsal.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

namespace storefuzz::program {
namespace {

constexpr Slot kStore = 1, kResult = 2, kCopy = 3;

struct Rehearsed {
  const char* words;
  const char* make;
};
constexpr Rehearsed kStores[] = {
    {"zip", "zarr.storage.ZipStore(path, mode=\"w\")"},
    // Names are read by a codec, which Python imports when it first needs it.
    {"zip", "zarr.storage.ZipStore(path, mode=\"r\")"},
    {"local", "zarr.storage.LocalStore(path)"},
    {"memory", "zarr.storage.MemoryStore()"},
    // It asks for the source lines of its callers, which Python reads once a process.
    {"logging over memory",
     "zarr.storage.LoggingStore(zarr.storage.MemoryStore(), log_level=\"CRITICAL\")"},
};

// Arrays and groups are opened by zarr's own loop.
bool needs_loop(const Operation& row) {
  return row.gives == Gives::kHandle && row.binds != Subject::kStore && row.binds != Subject::kPath;
}

void call_all(Performer& performer, Slot handle) {
  for (const Operation& row : operations()) {
    if (needs_loop(row) || row.op == Op::kClose) continue;
    performer.perform({.op = row.op,
                       .handle = handle,
                       .result = kResult,
                       .other = handle,
                       .start = 0,
                       .end = 1,
                       .key = "a",
                       .value = "a"});
  }
}

void carry(Performer& performer) {
  for (const Carrier carrier : {Carrier::kPickle2, Carrier::kPickle5, Carrier::kCloudpickle}) {
    const Reply packed =
        performer.perform({.verb = Verb::kPack, .carrier = carrier, .handle = kStore});
    if (const auto* bytes = shown_as<BytesValue>(packed.answer))
      performer.perform(
          {.verb = Verb::kUnpack, .carrier = carrier, .result = kCopy, .value = bytes->bytes});
  }
}

}  // namespace

namespace {

void rehearse_here(Performer& performer, const std::string& scratch) {
  const std::string folder = scratch + "/rehearsal";
  ::mkdir(folder.c_str(), 0777);
  performer.begin();
  for (const auto& [words, make] : kStores) {
    performer.perform({.verb = Verb::kBegin, .text = folder});
    performer.perform({.verb = Verb::kMake,
                       .result = kStore,
                       .text = make,
                       .key = words,
                       .value = folder + "/" + words});
    call_all(performer, kStore);
    performer.perform(
        {.op = Op::kSet, .watched = true, .handle = kStore, .key = "b", .value = "b"});
    performer.perform({.op = Op::kClose, .handle = kStore});
    carry(performer);
    performer.perform({.verb = Verb::kEnd});
  }
  std::error_code error;
  std::filesystem::remove_all(folder, error);
}

// How a copy of this process fares with it.
bool a_copy_lives(Performer& performer, const std::string& scratch) {
  constexpr auto kPatience = std::chrono::seconds(10);
  PyOS_BeforeFork();
  const pid_t copy = ::fork();
  if (copy != 0) PyOS_AfterFork_Parent();
  if (copy == 0) {
    PyOS_AfterFork_Child();
    rehearse_here(performer, scratch);
    ::_exit(0);
  }
  if (copy < 0) return false;
  int status = 0;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (::waitpid(copy, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > until) {
      ::kill(copy, SIGKILL);
      ::waitpid(copy, &status, 0);
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

void rehearse(Performer& performer, const std::string& scratch) {
  if (a_copy_lives(performer, scratch)) rehearse_here(performer, scratch);
}

}  // namespace storefuzz::program
