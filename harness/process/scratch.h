// The scratch folder of one command: processes that load zarr may write there and nowhere else.
//
//     Result<Scratch> scratch = Scratch::make();
//     ProgramSession::start({.scratch = scratch->path().string()});
#pragma once

#include <filesystem>
#include <utility>

#include "harness/base/error.h"

namespace storefuzz {

// A folder that is gone when this is: the scratch folder of one run, in memory where that is
// possible. Folders of storefuzz commands that were killed are removed on the way.
class Scratch {
 public:
  static Result<Scratch> make();
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit Scratch(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// Whether a case still fits into a scratch folder. A store that finds the disk full refuses
// alike in every process, which would look like agreement.
Result<void> check_room(const std::filesystem::path& scratch);

}  // namespace storefuzz
