// See journal.h.
#include "harness/campaign/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "harness/base/files.h"

namespace storefuzz {

Result<Journal> Journal::make(const std::filesystem::path& file) {
  Descriptor descriptor(
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666));
  if (descriptor.get() < 0) return std::unexpected(cannot_write(file, errno));
  return Journal(file, std::move(descriptor));
}

Result<void> Journal::append(std::string_view line) {
  const std::string whole = std::string(line) + "\n";
  if (const int failed = write_all(descriptor_.get(), whole); failed != 0) {
    // Should this fail too, a later line follows upon half a line, and readers say that it is
    // broken.
    (void)::ftruncate(descriptor_.get(), size_);
    return std::unexpected(cannot_write(file_, failed));
  }
  size_ += static_cast<std::int64_t>(whole.size());
  synced_ = false;
  return {};
}

Result<void> Journal::sync() {
  if (synced_) return {};
  if (::fdatasync(descriptor_.get()) != 0) return std::unexpected(cannot_write(file_, errno));
  synced_ = true;
  return {};
}

}  // namespace storefuzz
