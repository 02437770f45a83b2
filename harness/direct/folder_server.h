// An http server that gives a folder: what a store on the network reads.
//
// A program of ours (reference/servers/folder_server.py), which dies with us. It listens on
// loopback, at a port that the kernel chooses.
//
//     Result<FolderServer> server = FolderServer::start(python, folder);
//     order.value = server->address();  // http://127.0.0.1:40123
#pragma once

#include <filesystem>
#include <string>

#include "harness/base/error.h"
#include "harness/process/process.h"

namespace storefuzz::program {

class FolderServer {
 public:
  // `python`: any interpreter; no package is needed. machine_failure: it does not start.
  static Result<FolderServer> start(const std::string& python, const std::filesystem::path& folder);

  const std::string& address() const { return address_; }

 private:
  FolderServer(storefuzz::Process process, std::string address)
      : process_(std::move(process)), address_(std::move(address)) {}

  storefuzz::Process process_;
  std::string address_;
};

}  // namespace storefuzz::program
