// The process from which workers come: storefuzz-worker, which has zarr imported and waits. And
// what is said with it, the only JSON on the wire.
//
// The first frame tells the zygote what to be; its answer, who it is. From then on a frame of one
// byte (kBear, kBearWithLoop) with a socket asks for a worker, which serves that socket with the
// frames of orders.h; the answer is its process number. Workers are children of whoever started the
// zygote (CLONE_PARENT, clone(2)), which reaps them. All processes end with the starter; those that
// a worker forked, once their parent is gone, as well: the starter is their subreaper
// (PR_SET_CHILD_SUBREAPER).
//
//     Result<Zygote> zygote = Zygote::start({.python = python, .scratch = scratch.path()});
//     Result<Born> worker = zygote->bear();
//     worker->channel.send(encode(orders));
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/process/process.h"
#include "harness/wire/channel.h"

namespace storefuzz::program {

struct ZygoteOptions {
  std::string python;                // the environment's interpreter; its site-packages hold zarr
  std::string reference;             // the folder reference/; empty: that of this build
  std::string scratch;               // nothing is written outside this folder
  Json adapters = Json::array();     // of strangers, as added_adapters() of store.h has them
  std::vector<std::string> folders;  // where their modules are found
  std::string planted;               // name of a planted loss; empty: none
  int counters = -1;  // a memory file: a byte a line of the subject that ran is set; -1: none
  int stacks = -1;    // where Python stacks go, on SIGUSR2 and on a fatal signal; -1: nowhere
  int output = -1;    // standard output and error; -1: as ours
  Milliseconds patience{60'000};  // one interpreter, one import of zarr, a busy machine
};

// Who the zygote is.
struct ReferenceInfo {
  std::string zarr, python;                   // versions
  std::string containment;                    // a sentence, see process/sandbox.h
  std::map<std::string, std::string> stores;  // kinds that cannot be had here → why
  std::vector<std::string> carriers;          // words of those that cannot be had here
  std::size_t lines = 0;                      // of the subject, that are counted
};

// A worker as it was born.
struct Born {
  pid_t pid = -1;
  Channel channel;
};

inline constexpr char kBear = 0;          // a worker in which zarr's event loop never ran
inline constexpr char kBearWithLoop = 1;  // one in which zarr's event loop runs

// The first frames, each way. A decoded error is what the other side could not do.
Json to_json(const ZygoteOptions& options);
Result<ZygoteOptions> zygote_options_from(std::string_view text);
Json to_json(const Result<ReferenceInfo>& subject);
Result<ReferenceInfo> subject_from(std::string_view text);

class Zygote {
 public:
  // machine_failure: no zarr there, another Python version than this build's, no answer.
  static Result<Zygote> start(const ZygoteOptions& options);

  // Asks for a worker. machine_failure: the zygote is gone.
  Result<Born> bear(bool loop = false);

  const ReferenceInfo& subject() const { return subject_; }
  pid_t pid() const { return process_.pid(); }

 private:
  Zygote(storefuzz::Process process, Channel channel, ReferenceInfo subject)
      : process_(std::move(process)), channel_(std::move(channel)), subject_(std::move(subject)) {}

  storefuzz::Process process_;
  Channel channel_;
  ReferenceInfo subject_;
};

}  // namespace storefuzz::program
