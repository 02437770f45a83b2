// What both subcommands about archives need: who reads, what is known of them, a place for them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "harness/archives/examination.h"
#include "harness/command/subject_options.h"
#include "harness/process/scratch.h"

namespace storefuzz {

inline constexpr const char* kUsualReaders = "zarr,libzip,libarchive";

struct ArchiveReaders {
  ReaderQuirks quirks;
  Scratch scratch;
  ExamineOptions options;
};

// --readers.
void add_readers(CLI::App& command, std::string& readers);

// `readers` as it was typed: names with commas between, or all. Ctrl-C stops the examination.
Result<ArchiveReaders> archive_readers(const std::string& readers, const SubjectOptions& subject);

}  // namespace storefuzz
