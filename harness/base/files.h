// Files that are written whole or not at all, and what it means that one could not be written.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/error.h"

namespace storefuzz {

// Whether a file must survive a power cut (POSIX promises that only after a sync, which waits for
// the disk), or only the end of this process.
enum class Durable { kNo, kYes };

// Writes a file that has no name, or another one, until it is whole. What had the name is replaced.
Result<void> write_file_whole(const std::filesystem::path& file, std::string_view bytes,
                              Durable durable = Durable::kNo);

// All bytes of a file. Bad input where it cannot be read.
Result<std::string> read_file_whole(const std::filesystem::path& file);

// Writes all bytes to a descriptor. 0, or the errno of the call that failed.
int write_all(int descriptor, std::string_view bytes);

// What a failed system call means for a file or folder that should be written: exit code 3 where
// the machine failed (its disk is full, or broken), 2 where the user named a place that cannot be
// written. `system_error` is an errno.
Error cannot_write(const std::filesystem::path& file, int system_error);

}  // namespace storefuzz
