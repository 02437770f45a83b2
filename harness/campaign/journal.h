// A journal: a file that grows by whole lines. What was appended outlives this process, however
// that ends; what was synced outlives a power cut as well.
//
//     Result<Journal> journal = Journal::make(run.path() / "seen.jsonl");
//     journal->append(text_of(line));
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

#include "harness/base/error.h"
#include "harness/process/process.h"

namespace storefuzz {

class Journal {
 public:
  // Makes the file, empty, or empties it. Errors: those of cannot_write (harness/base/files.h),
  // here and below.
  static Result<Journal> make(const std::filesystem::path& file);

  // One line more; `line` has no line break. A line that does not fit, because the disk is full, is
  // taken back, so that the next one begins where it should. Only a machine that stops in the
  // middle leaves half a line: readers ignore a last line without a line break.
  Result<void> append(std::string_view line);

  // Waits until the disk has all lines; costs nothing when none is new.
  Result<void> sync();

 private:
  Journal(std::filesystem::path file, Descriptor descriptor)
      : file_(std::move(file)), descriptor_(std::move(descriptor)) {}
  std::filesystem::path file_;
  Descriptor descriptor_;
  std::int64_t size_ = 0;  // bytes, all of them whole lines
  bool synced_ = true;
};

}  // namespace storefuzz
