// faulthandler prints "  File "zarr/core/sync.py", line 143 in sync", innermost first, thread by
// thread; a look of ours stands there as `File "<look …>"` (see side.py).
#include "harness/process/stacks.h"

#include <sstream>
#include <vector>

namespace storefuzz {
namespace {

struct Frame {
  std::string file;
  std::string function;
};

struct Thread {
  bool current = false;
  std::vector<Frame> frames;
};

std::vector<Thread> threads_of(std::string_view stacks) {
  std::vector<Thread> threads;
  std::istringstream lines{std::string(stacks)};
  for (std::string line; std::getline(lines, line);) {
    const bool current = line.starts_with("Current thread ");
    if (current || line.starts_with("Thread ")) threads.push_back({current, {}});
    const std::size_t file = line.find("File \"");
    const std::size_t end = line.find("\", line ");
    const std::size_t in = line.rfind(" in ");
    if (file == line.npos || end == line.npos || in == line.npos || threads.empty()) continue;
    threads.back().frames.push_back({line.substr(file + 6, end - file - 6), line.substr(in + 4)});
  }
  return threads;
}

// "zarr/core/sync.py", wherever the subject is installed; "" for a file that is not the subject's.
std::string subject_file(const std::string& file) {
  if (file.starts_with("zarr/")) return file;
  const std::size_t at = file.rfind("/zarr/");
  // A folder called zarr may hold a whole environment; what lies deeper in it is not the subject.
  const bool deeper = at != file.npos && file.find("/lib/python", at) != file.npos;
  return at == file.npos || deeper ? "" : file.substr(at + 1);
}

}  // namespace

HangPlace find_hang(std::string_view stacks) {
  HangPlace place{.frame = "", .doing = "an unknown place"};
  for (const Thread& thread : threads_of(stacks)) {
    std::string frame;
    for (const Frame& call : thread.frames) {
      if (frame.empty() && !subject_file(call.file).empty())
        frame = subject_file(call.file) + ":" + call.function;
      const bool ours = call.file.ends_with("side.py");
      if (call.file.starts_with("<look ")) {
        std::string line = call.file.substr(6, call.file.size() - 7);
        return {.frame = frame, .doing = "`" + line + "`"};
      }
      if (ours && (call.function == "take" || call.function == "receive"))
        return {.frame = frame, .doing = "receiving the store"};
      if (ours && call.function == "send_back") return {.frame = frame, .doing = "sending it back"};
      if (ours && call.function == "pack") return {.frame = frame, .doing = "packing the store"};
      if (ours && call.function == "answer") return {.frame = frame, .doing = "a step of side.py"};
    }
    // A hook for forks hangs before any line of ours runs: then the current thread is the place.
    if (thread.current) place.frame = frame;
  }
  return place;
}

}  // namespace storefuzz
