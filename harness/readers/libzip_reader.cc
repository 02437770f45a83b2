// See libzip_reader.h.
#include "harness/readers/libzip_reader.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <expected>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "harness/readers/names.h"
#include "harness/zip/names.h"

namespace storefuzz {
namespace {

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using OpenArchive = std::unique_ptr<zip_t, Discard>;
using File = std::unique_ptr<zip_file_t, Discard>;

constexpr std::size_t kChunk = 32 << 10;  // read at once; small enough for the stack

// By number, as zip.h defines them.
constexpr std::string_view kErrors[] = {
    "OK",          "MULTIDISK",   "RENAME",      "CLOSE",
    "SEEK",        "READ",        "WRITE",       "CRC",
    "ZIPCLOSED",   "NOENT",       "EXISTS",      "OPEN",
    "TMPOPEN",     "ZLIB",        "MEMORY",      "CHANGED",
    "COMPNOTSUPP", "EOF",         "INVAL",       "NOZIP",
    "INTERNAL",    "INCONS",      "REMOVE",      "DELETED",
    "ENCRNOTSUPP", "RDONLY",      "NOPASSWD",    "WRONGPASSWD",
    "OPNOTSUPP",   "INUSE",       "TELL",        "COMPRESSED_DATA",
    "CANCELLED",   "DATA_LENGTH", "NOT_ALLOWED", "TRUNCATED_ZIP"};
static_assert(kErrors[ZIP_ER_CANCELLED] == "CANCELLED");

Refusal refusal_of(zip_error_t* error) {
  const auto code = static_cast<std::size_t>(zip_error_code_zip(error));
  return {.type = code < std::size(kErrors) ? fmt::format("ZIP_ER_{}", kErrors[code])
                                            : fmt::format("ZIP_ER_{}", code),
          .text = zip_error_strerror(error)};
}

std::expected<OpenArchive, Refusal> open(const std::string& file, bool checked) {
  int code = 0;
  const int flags = checked ? ZIP_RDONLY | ZIP_CHECKCONS : ZIP_RDONLY;
  if (zip_t* archive = zip_open(file.c_str(), flags, &code)) return OpenArchive(archive);
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  Refusal refusal = refusal_of(&error);
  zip_error_fini(&error);
  return std::unexpected(std::move(refusal));
}

// libzip leaves such a name as it is, and finds it by itself.
bool is_found_by_libzip(std::string_view raw, std::string_view text) {
  const auto plain = [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\r' || c == '\n';
  };
  return raw == text && std::ranges::all_of(raw, plain);
}

// All listed names, and where the first one of each name is that libzip does not find by its bytes.
struct Directory {
  Listing listing;
  std::map<std::string, zip_uint64_t, std::less<>> other;
};

Directory look_at(zip_t* archive, const std::vector<std::string>& keys) {
  Directory directory;
  const auto count =
      static_cast<zip_uint64_t>(std::max<zip_int64_t>(zip_get_num_entries(archive, 0), 0));
  for (zip_uint64_t index = 0; index < std::min<zip_uint64_t>(count, kMostVisited); ++index) {
    const char* name = zip_get_name(archive, index, ZIP_FL_ENC_RAW);
    const std::string_view raw = name == nullptr ? "" : name;
    const std::string text = text_of_name(raw);
    directory.listing.add(text);
    if (!is_found_by_libzip(raw, text) && std::ranges::find(keys, text) != keys.end())
      directory.other.try_emplace(text, index);
  }
  return directory;
}

std::optional<zip_uint64_t> locate(zip_t* archive, const Directory& directory,
                                   const std::string& key) {
  if (!key.contains('\0')) {  // libzip would look for what stands before it
    const zip_int64_t index = zip_name_locate(archive, key.c_str(), 0);
    if (index >= 0) return static_cast<zip_uint64_t>(index);
  }
  const auto found = directory.other.find(key);
  if (found == directory.other.end()) return std::nullopt;
  return found->second;
}

// Reads one entry to its end; takes what it read off `left`.
std::expected<Sum, Refusal> read_value(zip_t* archive, zip_uint64_t index, std::uint64_t& left) {
  zip_stat_t listed;
  zip_stat_init(&listed);
  if (zip_stat_index(archive, index, 0, &listed) != 0)
    return std::unexpected(refusal_of(zip_get_error(archive)));
  if (listed.size > kLargestValue) return std::unexpected(too_large());
  const File file(zip_fopen_index(archive, index, 0));
  if (!file) return std::unexpected(refusal_of(zip_get_error(archive)));
  std::array<char, kChunk> chunk;
  for (Sum sum;;) {
    const zip_int64_t got = zip_fread(file.get(), chunk.data(), chunk.size());
    if (got < 0) return std::unexpected(refusal_of(zip_file_get_error(file.get())));
    if (got == 0) return sum;
    const auto count = static_cast<std::uint64_t>(got);
    if (count > left || sum.size + count > kLargestValue) return std::unexpected(too_large());
    left -= count;
    sum.add(chunk.data(), count);
  }
}

}  // namespace

Json read_with_libzip(const std::string& file, const std::vector<std::string>& keys, bool checked) {
  const auto archive = open(file, checked);
  if (!archive) return reply_when_refused(archive.error(), file);
  Directory directory = look_at(archive->get(), keys);
  std::uint64_t left = kMostBytesInAll;
  Json answers = Json::object();
  for (const std::string& key : keys) {
    Json& answer = answers[key] = missing();
    const auto index = locate(archive->get(), directory, key);
    if (!index) continue;
    const auto sum = read_value(archive->get(), *index, left);
    answer = sum ? value_of(*sum) : refused(sum.error(), file);
  }
  return reply_when_opened(directory.listing.take(), std::move(answers));
}

std::string libzip_version() { return zip_libzip_version(); }

}  // namespace storefuzz
