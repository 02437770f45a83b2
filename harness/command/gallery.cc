// storefuzz gallery: one small zip file for every way to be wrong, and a page about them.
#include "harness/archives/gallery.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "harness/command/archive_readers.h"
#include "harness/command/commands.h"
#include "harness/command/screen.h"

namespace storefuzz {
namespace {

struct GalleryOptions {
  SubjectOptions subject;
  std::string folder, readers{kUsualReaders};
};

int gallery(const GalleryOptions& options) {
  auto readers = archive_readers(options.readers, options.subject);
  if (!readers) return screen().fail(readers.error());
  std::size_t done = 0;
  auto made = make_gallery(
      options.folder, readers->quirks, readers->options,
      [&](const Examination&) { screen().progress(fmt::format("{} archives", ++done)); });
  if (!made) return screen().fail(made.error());
  screen().say(fmt::format("{} archives: {}", *made,
                           (std::filesystem::path(options.folder) / "index.html").string()));
  return 0;
}

}  // namespace

void add_gallery(CLI::App& app, int& code) {
  auto options = std::make_shared<GalleryOptions>();
  auto& command = *app.add_subcommand(
      "gallery", "One small zip file for every way to be wrong, and what readers make of it");
  command.add_option("folder", options->folder, "Where it is made")->required();
  add_subject(command, options->subject);
  add_readers(command, options->readers);
  command.footer("Example:\n  storefuzz gallery gallery --readers all");
  command.callback([options, &code] { code = gallery(*options); });
}

}  // namespace storefuzz
