// The first frame of the program is its address.
#include "harness/direct/folder_server.h"

#include <utility>
#include <variant>

#include "harness/base/paths.h"

namespace storefuzz::program {
namespace {

constexpr Milliseconds kStarts(30'000);  // one interpreter, a busy machine

}  // namespace

Result<FolderServer> FolderServer::start(const std::string& python,
                                         const std::filesystem::path& folder) {
  const std::string file = reference_folder() + "/servers/folder_server.py";
  auto process = storefuzz::Process::start(
      {.arguments = {python, "-I", "-B", file, folder.string()}, .contain = folder.string()});
  if (!process) return std::unexpected(process.error());
  storefuzz::Reply first = process->wait(kStarts);
  if (auto* address = std::get_if<std::string>(&first))
    return FolderServer(std::move(*process), std::move(*address));
  return machine_failure("the http server of a case's folder does not start");
}

}  // namespace storefuzz::program
