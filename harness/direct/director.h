// Directs workers through a program: case → observation. Nothing is judged.
//
// Consecutive orders to one process are a stretch: one frame there and one back. A stretch ends
// before an order to another process. After each order that may change the disk the worker's C++
// looks at the case's folder and tells what it found; after what the director does itself, the
// director looks. Where a stretch ends in a hang or a death, nobody can tell which order it was:
// the program is played once more, an order a stretch.
//
// A process in which nothing runs for a while is late, and may hang. `start` parks its program,
// with all its processes and its folder, and others are played meanwhile; `take_decided` tells
// later what became of it. `play` waits.
//
//     Director director(*zygote, {.folder = scratch / "program"});
//     Result<Observation> seen = director.play(value);
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/program.h"
#include "harness/direct/folder_server.h"
#include "harness/direct/workers.h"
#include "harness/wire/observation.h"

namespace storefuzz::program {

inline constexpr std::size_t kMostParked = 4;  // programs; each holds up to five processes

class Performance;

class Director {
 public:
  struct Options {
    std::filesystem::path folder;  // below the run's scratch folder; of this director alone
    Patience patience = {};        // how long a stretch may take
    std::string python = {};       // of the server for stores on the network; empty: none is served
  };
  Director(Workers& workers, Options options);
  ~Director();
  Director(Director&&) noexcept;

  // machine_failure: no worker can be had, or the folder cannot be used. What is seen ends with the
  // step in which a process hangs.
  Result<Observation> play(const Case& value);

  // The same; nothing: the program is parked.
  Result<std::optional<Observation>> start(const Case& value);

  // The parked programs that hang, or died, with what was seen of them. Who answered after all was
  // slow, and is forgotten. `wait`: until each is decided.
  std::vector<std::pair<Case, Observation>> take_decided(bool wait = false);

  // Where a place of the program that was played last lies, as the program left it.
  std::filesystem::path file_of(const std::string& place, Medium medium) const;

 private:
  std::filesystem::path folder() const;
  Result<std::string> server_for(const Case& value);
  std::unique_ptr<Performance> perform(const Case& value, const std::string& server, bool careful,
                                       bool parks);
  Result<std::optional<Observation>> played(const Case& value, bool parks);

  Workers& workers_;
  Options options_;
  std::vector<std::unique_ptr<Performance>> parked_;
  std::map<std::filesystem::path, FolderServer> servers_;  // by folder; started when one is needed
};

}  // namespace storefuzz::program
