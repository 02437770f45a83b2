// See libarchive_reader.h. The order of calls is bsdtar's when it extracts.
#include "harness/readers/libarchive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <cstring>
#include <expected>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string_view>

#include "harness/process/process.h"
#include "harness/readers/names.h"
#include "harness/zip/names.h"

namespace storefuzz {
namespace {

struct Free {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, Free>;

constexpr std::size_t kBlock = 10240;  // bsdtar's

Refusal refusal_of(archive* reader, int code) {
  const char* text = archive_error_string(reader);
  const char* type = code == ARCHIVE_FATAL    ? "ARCHIVE_FATAL"
                     : code == ARCHIVE_FAILED ? "ARCHIVE_FAILED"
                     : code == ARCHIVE_WARN   ? "ARCHIVE_WARN"
                     : code == ARCHIVE_RETRY  ? "ARCHIVE_RETRY"
                                              : "ARCHIVE_EOF";
  return {.type = type, .text = text == nullptr ? "libarchive says nothing" : text};
}

// Names that are not ASCII are lost in the locale "C".
void use_utf8() {
  static const char* const locale = std::setlocale(LC_CTYPE, "C.UTF-8");
  static_cast<void>(locale);
}

// A file as a pipe would bring it.
struct Stream {
  Descriptor descriptor;
  std::array<char, kBlock> block;

  static la_ssize_t read(archive* reader, void* self, const void** bytes) {
    auto& stream = *static_cast<Stream*>(self);
    *bytes = stream.block.data();
    ssize_t count = -1;
    do {
      count = ::read(stream.descriptor.get(), stream.block.data(), stream.block.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) archive_set_error(reader, errno, "%s", std::strerror(errno));
    return count;
  }
};

// What came of one request.
struct Seen {
  Listing listing;
  std::map<std::string, Json> answers;  // of keys asked for that were seen
  std::optional<Refusal> end;           // why the iteration ended early
  std::uint64_t left = kMostBytesInAll;
};

// The data of the entry whose header was read last.
std::expected<Sum, Refusal> read_data(archive* reader, Seen& seen) {
  for (Sum sum;;) {
    const void* bytes = nullptr;
    std::size_t count = 0;
    la_int64_t offset = 0;
    const int code = archive_read_data_block(reader, &bytes, &count, &offset);
    if (code == ARCHIVE_EOF) return sum;
    if (code != ARCHIVE_OK) {
      const Refusal refusal = refusal_of(reader, code);
      if (code == ARCHIVE_FATAL) seen.end = refusal;
      return std::unexpected(refusal);
    }
    if (count > seen.left || sum.size + count > kLargestValue) {
      seen.end = too_large();  // to skip the rest may cost as much as to read it
      return std::unexpected(too_large());
    }
    seen.left -= count;
    sum.add(bytes, count);
  }
}

std::expected<Sum, Refusal> read_entry(archive* reader, archive_entry* entry, int code,
                                       Seen& seen) {
  // No data may be asked for after this: libarchive would take it for an error of the program.
  if (code == ARCHIVE_FAILED) return std::unexpected(refusal_of(reader, code));
  if (archive_entry_size_is_set(entry) != 0 &&
      static_cast<std::uint64_t>(archive_entry_size(entry)) > kLargestValue)
    return std::unexpected(too_large());
  const auto sum = read_data(reader, seen);
  if (sum && archive_entry_filetype(entry) != AE_IFREG)
    return std::unexpected(Refusal{.type = "NotAFile",
                                   .text = "libarchive takes it for a folder, a link or a device"});
  return sum;
}

std::string name_of(archive_entry* entry) {
  const char* name = archive_entry_pathname(entry);
  return text_of_name(name == nullptr ? "" : name);
}

// Visits the entries. An error: the first header is fatal.
std::expected<Seen, Refusal> visit(archive* reader, const std::vector<std::string>& keys,
                                   const std::string& file) {
  Seen seen;
  for (std::size_t visited = 0; !seen.end; ++visited) {
    archive_entry* entry = nullptr;  // belongs to the reader
    const int code = archive_read_next_header(reader, &entry);
    if (code == ARCHIVE_EOF) break;
    if (code == ARCHIVE_FATAL) {
      if (visited == 0) return std::unexpected(refusal_of(reader, code));
      seen.end = refusal_of(reader, code);
      break;
    }
    if (visited == kMostVisited) {
      seen.end = {.type = "TooMany", .text = fmt::format("more than {} entries", kMostVisited)};
      break;
    }
    if (code == ARCHIVE_RETRY) continue;
    const std::string name = name_of(entry);
    seen.listing.add(name);
    const auto sum = read_entry(reader, entry, code, seen);
    if (std::ranges::find(keys, name) != keys.end())
      seen.answers[name] = sum ? value_of(*sum) : refused(sum.error(), file);
  }
  return seen;
}

int open(archive* reader, const std::string& file, bool seeking, Stream& stream) {
  if (seeking) {
    archive_read_support_format_zip_seekable(reader);
    return archive_read_open_filename(reader, file.c_str(), kBlock);
  }
  archive_read_support_format_zip_streamable(reader);
  stream.descriptor = Descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (stream.descriptor.get() < 0) {
    archive_set_error(reader, errno, "Failed to open '%s'", file.c_str());
    return ARCHIVE_FATAL;
  }
  return archive_read_open(reader, &stream, nullptr, &Stream::read, nullptr);
}

}  // namespace

Json read_with_libarchive(const std::string& file, const std::vector<std::string>& keys,
                          bool seeking) {
  use_utf8();
  Stream stream;  // outlives the reader
  const Reader reader(archive_read_new());
  if (!reader) throw std::bad_alloc();
  if (const int code = open(reader.get(), file, seeking, stream); code < ARCHIVE_WARN)
    return reply_when_refused(refusal_of(reader.get(), code), file);
  auto seen = visit(reader.get(), keys, file);
  if (!seen) return reply_when_refused(seen.error(), file);
  Json answers = Json::object();
  for (const std::string& key : keys) {
    const auto found = seen->answers.find(key);
    answers[key] = found != seen->answers.end() ? found->second
                   : seen->end                  ? refused(*seen->end, file)
                                                : missing();
  }
  // Where a bound of ours ended the iteration, the list has an end that is not the file's.
  const bool bound = seen->end && is_bound(seen->end->type);
  return reply_when_opened(bound ? Json() : seen->listing.take(), std::move(answers));
}

std::string libarchive_version() {
  const std::string_view text = archive_version_string();  // "libarchive 3.6.2"
  return std::string(text.substr(text.rfind(' ') + 1));
}

}  // namespace storefuzz
