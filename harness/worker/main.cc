// The program storefuzz-worker: a zygote with zarr imported, from which workers are born. What is
// said with it stands in wire/zygote.h; its argument is the number of its socket.
//
// The order is the only right one: containment before any thread, then Python, then one rehearsal
// of every operation, then the counting of lines, then freezing.
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "harness/base/json.h"
#include "harness/case/store.h"
#include "harness/process/sandbox.h"
#include "harness/wire/zygote.h"
#include "harness/worker/interpreter.h"
#include "harness/worker/lines.h"
#include "harness/worker/processes.h"
#include "harness/worker/rehearsal.h"
#include "harness/worker/serve.h"

namespace {

using namespace storefuzz;
using namespace storefuzz::program;

void set_environment(const ZygoteOptions& options) {
  // numpy's libraries start a thread a processor, which workers born of us would lack.
  for (const char* name : {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"})
    ::setenv(name, "1", 1);
  ::setenv("STOREFUZZ_REFERENCE", options.reference.c_str(), 1);
  ::signal(SIGPIPE, SIG_IGN);  // as Python does where it is the program
}

// A store that takes memory without end would take that of the whole machine, and the kernel would
// end whoever it likes: Python raises a MemoryError instead. Address sanitizer takes an address
// space by the terabyte, and is left alone.
constexpr rlim_t kMostMemory = rlim_t{4} << 30;  // zarr with all its stores needs less than 0.5 GiB

void bound_memory() {
#if !__has_feature(address_sanitizer)
  const rlimit limit{kMostMemory, kMostMemory};
  ::setrlimit(RLIMIT_DATA, &limit);
#endif
}

Result<ReferenceInfo> prepare(const ZygoteOptions& options, Performer& performer) {
  set_environment(options);
  bound_memory();
  auto contained = forbid_writes_outside(options.scratch);
  if (!contained) return std::unexpected(contained.error());
  if (::chdir(options.scratch.c_str()) != 0)
    return machine_failure(fmt::format("{}: {}", options.scratch, std::strerror(errno)));
  if (auto added = add_adapters(options.adapters); !added) return std::unexpected(added.error());
  if (auto started = start_python(options); !started) return std::unexpected(started.error());
  auto reference = describe_reference();
  if (!reference) return reference;
  reference->containment = contained->sentence;
  rehearse(performer, options.scratch);
  if (thread_count() > 1) return machine_failure("the zygote has more than one thread");
  if (options.counters >= 0) {
    auto lines = count_lines(options.counters);
    if (!lines) return std::unexpected(lines.error());
    reference->lines = *lines;
  }
  prepare_exit();
  if (!steal(PyObject_CallNoArgs(side().tidy))) PyErr_Clear();
  return reference;
}

[[noreturn]] void live(Channel channel, Performer& performer, bool loop, pid_t starter) {
  performer.begin();
  if (loop && !steal(PyObject_CallNoArgs(side().start_loop))) PyErr_Clear();
  serve(std::move(channel), performer, starter);
}

}  // namespace

int main(int count, char** arguments) {
  const pid_t starter = ::getppid();
  Channel channel{Descriptor(count > 1 ? std::atoi(arguments[1]) : 3)};
  std::string frame;
  if (channel.receive(frame) != Got::kFrame) return 2;
  auto options = zygote_options_from(frame);
  if (!options) {
    channel.send(text_of(to_json(Result<ReferenceInfo>(std::unexpected(options.error())))));
    return 2;
  }
  auto& performer = *new Performer(options->scratch);  // processes end without destructors
  const Result<ReferenceInfo> reference = prepare(*options, performer);
  if (!channel.send(text_of(to_json(reference))) || !reference) ::_exit(1);
  while (channel.receive(frame) == Got::kFrame) {
    if (frame.size() != 1 || channel.came().get() < 0) break;
    const std::int32_t pid = bear(starter);
    if (pid == 0) {
      Channel own(std::move(channel.came()));
      channel.close();
      live(std::move(own), performer, frame[0] == kBearWithLoop, starter);
    }
    channel.came().reset();
    if (!channel.send({reinterpret_cast<const char*>(&pid), sizeof pid})) break;
  }
  ::_exit(0);
}
