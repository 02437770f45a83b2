// The panel: independent readers of zip files as persistent processes, asked the same at once.
//
// A reader that hangs, dies or talks rubbish is an answer about the file, never an error; it is
// killed and replaced, and what it was not asked yet is asked of the new one. Every reader has a
// thread here, which starts it, asks it and waits for it. Files that are asked about stay where
// they are, as they are, until their replies are collected. One thread sends and collects.
//
//     Result<Panel> panel = Panel::start(*reader_commands({"libzip", "zarr"}), {});
//     for (const ReaderReply& reply : panel->ask({.file = "/tmp/a.zip", .keys = {"zarr.json"}}))
//       if (std::holds_alternative<Absent>(reply.died)) compare(reply.reply);
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/store.h"
#include "harness/process/process.h"
#include "harness/readers/answer.h"

namespace storefuzz {

// How a reader is started. `packs`: it also packs stores, as zarr does. Then it sits on the panel
// twice: the "zarr" reads and packs, and the "zarr child", a process of its own, reads through what
// was packed.
struct ReaderCommand {
  std::string name;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment = {};
  bool packs = false;
};

// What a reader said of itself.
struct ReaderInfo {
  std::string name;                // as in its command; or "zarr child"
  std::string version;             // "1.7.3"
  std::vector<std::string> views;  // "keys", "arrays"
};

// `keys` and `arrays` are UTF-8.
struct ReaderRequest {
  std::string file;
  std::vector<std::string> keys = {};
  std::vector<std::string> arrays = {};
  Milliseconds extra_time{0};  // beyond the panel's deadline, for a file that takes long to read
};

// One reader's answer about one file.
struct ReaderReply {
  Json reply;                      // of the protocol: opened, listed, keys, arrays; null if it died
  Answer died;                     // Crashed or TimedOut; Absent where it replied
  std::uint64_t microseconds = 0;  // of a processor, for the reply; its children not
  std::uint64_t peak_kib = 0;      // most memory resident meanwhile, if measured; its children not
};

class Panel {
 public:
  struct Options {
    // Readers read everything and write in this folder only, and in /dev/shm, no file of more than
    // 16 MiB. Empty: in /dev/shm only.
    std::string contain = {};
    Milliseconds deadline{15'000};            // of one request, before its extra time
    std::uint64_t memory_bytes = 2ULL << 30;  // that a reader may take after its start; 0: any
    bool measure = false;                     // peak_kib; costs some 50 µs a request and reader
  };

  // Starts all of them at once. machine_failure names the first that does not start, with its last
  // words.
  static Result<Panel> start(std::vector<ReaderCommand> commands, Options options);

  Panel(Panel&&) noexcept;
  Panel& operator=(Panel&&) noexcept;
  ~Panel();  // ends the readers at once; replies that were not collected are lost

  // In the order of the commands; whoever packs is followed by its child.
  const std::vector<ReaderInfo>& readers() const;

  // All readers get to work, each at its own pace; any number of requests may be under way.
  void send(ReaderRequest request);

  // Waits for the replies to the oldest request that was sent, in the order of readers(). Where
  // nothing was sent: none.
  std::vector<ReaderReply> collect();

  // send, then collect; for use where nothing else is under way.
  std::vector<ReaderReply> ask(ReaderRequest request);

 private:
  class Table;
  explicit Panel(std::unique_ptr<Table> table);

  std::unique_ptr<Table> table_;
};

}  // namespace storefuzz
