// See archive_readers.h.
#include "harness/command/archive_readers.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/process/interruption.h"
#include "harness/readers/install.h"

namespace storefuzz {

void add_readers(CLI::App& command, std::string& readers) {
  command
      .add_option("--readers", readers,
                  "Who reads archives, with commas between, or all: zarr, libzip, libzip-checked, "
                  "libarchive, libarchive-seeking, tensorstore, zarrita, zarrista, gdal")
      ->capture_default_str();
}

namespace {

// An option that is taken and not used would let a person believe the answer to another question.
Result<void> check_used(const SubjectOptions& subject, bool with_zarr) {
  if (!subject.adapter.empty() || !subject.oracles_off.empty())
    return bad_input(fmt::format("{} is for cases; archives are shown to readers as they are",
                                 subject.adapter.empty() ? "--oracles-off" : "--adapter"));
  if (!with_zarr && (!subject.zarr.empty() || !subject.python.empty() || !subject.with.empty()))
    return bad_input(
        "--zarr, --python and --with say whose zarr the reader zarr is, and it is not among "
        "--readers");
  return {};
}

}  // namespace

Result<ArchiveReaders> archive_readers(const std::string& readers, const SubjectOptions& subject) {
  auto quirks = ReaderQuirks::load(reference_folder() + "/reader_quirks.json");
  if (!quirks) return std::unexpected(quirks.error());
  auto scratch = Scratch::make();
  if (!scratch) return std::unexpected(scratch.error());
  ExamineOptions options{.readers = comma_separated(readers),
                         .scratch = scratch->path(),
                         .planted = subject.planted,
                         .stop = interrupted};
  if (readers == "all") {
    auto all = all_readers();
    if (!all) return std::unexpected(all.error());
    options.readers = *all;
  }
  if (options.readers.empty()) return bad_input("--readers names no reader");
  const bool with_zarr = std::ranges::find(options.readers, "zarr") != options.readers.end();
  if (auto used = check_used(subject, with_zarr); !used) return std::unexpected(used.error());
  if (with_zarr) {
    auto found = find_subject(wanted(subject));
    if (!found) return std::unexpected(found.error());
    options.zarr_python = found->python;
  }
  return ArchiveReaders{std::move(*quirks), std::move(*scratch), std::move(options)};
}

}  // namespace storefuzz
