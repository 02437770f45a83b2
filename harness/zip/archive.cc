// See archive.h.
#include "harness/zip/archive.h"

#include <fmt/format.h>
#include <zip.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>

#include "harness/zip/deflate.h"
#include "harness/zip/values.h"

namespace storefuzz {
namespace {

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_source_t* source) const { zip_source_free(source); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using OpenArchive = std::unique_ptr<zip_t, Discard>;
using Source = std::unique_ptr<zip_source_t, Discard>;
using File = std::unique_ptr<zip_file_t, Discard>;

// 1980-01-01 in the words of MS-DOS (APPNOTE 4.4.6), the oldest date that zip knows.
constexpr std::uint16_t kDosDate = (0 << 9) | (1 << 5) | 1;
constexpr std::uint16_t kDosTime = 0;

// An archive is at least an end of central directory record (APPNOTE 4.3.16); an empty one is
// nothing else: the signature, and zero in every field.
constexpr std::string_view kEmptyArchive{"PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22};

constexpr std::size_t kLongestKey = 0xffff;  // APPNOTE 4.4.10: the length has two bytes
constexpr std::size_t kChunk = 32 << 10;     // read at once; small enough for the stack

// An error of libzip, and its text.
struct ZipError {
  zip_error_t error;
  ZipError() { zip_error_init(&error); }
  ~ZipError() { zip_error_fini(&error); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  std::string text() { return zip_error_strerror(&error); }
};

// A key as a sentence can carry it: quoted, UTF-8 whatever its bytes are, and not endless.
std::string in_quotes(std::string_view key) {
  constexpr std::size_t kEnough = 80;
  if (key.size() <= kEnough) return fmt::format("{:?}", key);
  return fmt::format("{:?}… ({} bytes)", key.substr(0, kEnough), key.size());
}

// `source` refers to memory of the caller; an empty one (`bytes` null) grows while it is written.
Result<Source> memory_source(std::string_view bytes) {
  ZipError error;
  Source source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error.error));
  if (!source) return machine_failure(fmt::format("libzip has no memory: {}.", error.text()));
  return source;
}

// The archive in `source`. Both own the source, in libzip's reference count.
std::optional<OpenArchive> open_archive(zip_source_t* source, int flags, ZipError& error) {
  zip_source_keep(source);
  if (zip_t* archive = zip_open_from_source(source, flags, &error.error))
    return OpenArchive(archive);
  zip_source_free(source);
  return std::nullopt;
}

// libzip takes keys as C strings and would let three of these through, or change them silently.
std::optional<std::string> what_is_wrong_with(std::string_view key) {
  if (key.empty()) return "An archive cannot hold an empty key.";
  if (key.size() > kLongestKey)
    return fmt::format("The key {} is longer than the {} bytes of zip.", in_quotes(key),
                       kLongestKey);
  if (key.contains('\0'))
    return fmt::format("The key {} holds a NUL.", in_quotes(key.substr(0, key.find('\0'))));
  return std::nullopt;
}

Error adding_failed(zip_t* archive, std::string_view key) {
  zip_error_t* error = zip_get_error(archive);
  switch (zip_error_code_zip(error)) {
    case ZIP_ER_EXISTS:
      return {.code = ExitCode::kBadInput,
              .message = fmt::format("The key {} occurs twice.", in_quotes(key))};
    case ZIP_ER_INVAL:
      return {.code = ExitCode::kBadInput,
              .message = fmt::format("The key {} is not UTF-8.", in_quotes(key))};
    default:
      return {.code = ExitCode::kMachine,
              .message = fmt::format("libzip cannot add the key {}: {}.", in_quotes(key),
                                     zip_error_strerror(error))};
  }
}

// A value that is deflated already. libzip copies what says so as it lies; left to deflate a value
// itself, libzip makes zlib's usual state of 270 KB anew for each entry.
struct PackedValue {
  std::string packed;
  ValueSum sum;
  std::size_t read = 0;
};

// A zip_source_callback; `state` is a PackedValue, which the source owns.
zip_int64_t read_packed(void* state, void* data, zip_uint64_t length, zip_source_cmd_t command) {
  auto* value = static_cast<PackedValue*>(state);
  switch (command) {
    case ZIP_SOURCE_SUPPORTS:
      return ZIP_SOURCE_SUPPORTS_READABLE;
    case ZIP_SOURCE_OPEN:
      value->read = 0;
      return 0;
    case ZIP_SOURCE_READ: {
      const std::size_t count = value->packed.copy(static_cast<char*>(data), length, value->read);
      value->read += count;
      return static_cast<zip_int64_t>(count);
    }
    case ZIP_SOURCE_STAT: {
      auto* status = static_cast<zip_stat_t*>(data);
      zip_stat_init(status);
      status->valid = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_CRC | ZIP_STAT_COMP_METHOD;
      status->size = value->sum.size;
      status->comp_size = value->packed.size();
      status->crc = value->sum.crc;
      status->comp_method = ZIP_CM_DEFLATE;
      return sizeof(zip_stat_t);
    }
    case ZIP_SOURCE_FREE:
      delete value;
      return 0;
    default:
      return 0;
  }
}

zip_source_t* value_source(zip_t* archive, const std::string& bytes, Compression compression) {
  if (compression == Compression::kStored)
    return zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
  auto value = std::make_unique<PackedValue>(deflated(bytes), sum_of(bytes));
  zip_source_t* source = zip_source_function(archive, read_packed, value.get());
  if (source != nullptr) static_cast<void>(value.release());
  return source;
}

Result<void> add_entry(zip_t* archive, const ArchiveEntry& entry, Compression compression) {
  if (auto wrong = what_is_wrong_with(entry.key)) return bad_input(*wrong);
  zip_source_t* value = value_source(archive, entry.bytes, compression);
  if (value == nullptr) return std::unexpected(adding_failed(archive, entry.key));
  const zip_int64_t index = zip_file_add(archive, entry.key.c_str(), value, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    Error error = adding_failed(archive, entry.key);
    zip_source_free(value);
    return std::unexpected(std::move(error));
  }
  const auto place = static_cast<zip_uint64_t>(index);
  const int method = compression == Compression::kStored ? ZIP_CM_STORE : ZIP_CM_DEFLATE;
  if (zip_set_file_compression(archive, place, method, 0) != 0 ||
      zip_file_set_dostime(archive, place, kDosTime, kDosDate, 0) != 0)
    return std::unexpected(adding_failed(archive, entry.key));
  return {};
}

// libzip asks for the local time of each entry, and where TZ is not set glibc looks each time
// whether there is another zone: more than half of what an archive costs. This names the file that
// glibc looks at (tzset(3)), and so changes nothing else.
void keep_time_zone() {
  static const int done = setenv("TZ", ":/etc/localtime", 0);
  static_cast<void>(done);
}

Result<std::string> bytes_of(zip_source_t* source) {
  zip_stat_t status;
  zip_stat_init(&status);
  if (zip_source_stat(source, &status) == 0 && zip_source_open(source) == 0) {
    std::string bytes(status.size, '\0');
    const zip_int64_t got = zip_source_read(source, bytes.data(), bytes.size());
    zip_source_close(source);
    if (got >= 0 && static_cast<std::size_t>(got) == bytes.size()) return bytes;
  }
  return machine_failure("libzip cannot read back the archive that it made.");
}

// Reads one entry to its end, where libzip compares size and CRC, into `bytes`. Takes what was read
// off `left`. Answers what went wrong, if anything did.
std::optional<std::string> read_entry(zip_t* archive, zip_uint64_t index, std::size_t& left,
                                      std::string& bytes) {
  const File file(zip_fopen_index(archive, index, 0));
  if (!file) return zip_strerror(archive);
  std::array<char, kChunk> chunk;
  while (true) {
    const std::size_t ask = left < chunk.size() ? left + 1 : chunk.size();  // +1 sees the excess
    const zip_int64_t got = zip_fread(file.get(), chunk.data(), ask);
    if (got < 0) return zip_file_strerror(file.get());
    if (got == 0) return std::nullopt;
    const auto count = static_cast<std::size_t>(got);
    if (count > left) {
      left = 0;
      return "Too many bytes in all";
    }
    left -= count;
    bytes.append(chunk.data(), count);
  }
}

// libzip gives no bytes, and compares nothing, where the directory says that the compressed size
// is 0. So this does: the size, and the CRC of nothing.
bool is_as_listed(zip_t* archive, zip_uint64_t index, const std::string& bytes) {
  zip_stat_t listed;
  zip_stat_init(&listed);
  return zip_stat_index(archive, index, 0, &listed) == 0 && listed.size == bytes.size() &&
         (listed.crc == 0 || !bytes.empty());
}

ArchiveView not_an_archive(std::string why) {
  return {.sound = false, .why = std::move(why), .entries = {}};
}

// Reads the `count` entries of an archive that libzip could open.
ArchiveView view_entries(zip_t* archive, zip_uint64_t count, std::size_t limit_bytes) {
  ArchiveView view{.sound = true, .why = {}, .entries = {}};
  std::size_t left = limit_bytes;
  for (zip_uint64_t index = 0; index < count; ++index) {
    const char* name = zip_get_name(archive, index, ZIP_FL_ENC_RAW);
    std::string key = name == nullptr ? "" : name;
    std::string bytes;
    auto trouble = read_entry(archive, index, left, bytes);
    if (!trouble && !is_as_listed(archive, index, bytes)) trouble = "Not what the directory lists";
    if (!trouble) {
      view.entries.emplace_back(std::move(key), std::move(bytes));
      continue;
    }
    if (view.sound)
      view.why = fmt::format("Entry {} {} cannot be read: {}.", index, in_quotes(key), *trouble);
    view.sound = false;
    if (left == 0) break;
  }
  return view;
}

}  // namespace

Result<std::string> make_archive(std::span<const ArchiveEntry> entries, Compression compression) {
  // libzip deletes an archive without entries instead of writing it.
  if (entries.empty()) return std::string(kEmptyArchive);
  keep_time_zone();
  auto source = memory_source({});
  if (!source) return std::unexpected(source.error());
  ZipError error;
  auto archive = open_archive(source->get(), ZIP_TRUNCATE, error);
  if (!archive)
    return machine_failure(fmt::format("libzip cannot begin an archive: {}.", error.text()));
  for (const ArchiveEntry& entry : entries)
    if (auto added = add_entry(archive->get(), entry, compression); !added)
      return std::unexpected(added.error());
  if (zip_close(archive->get()) != 0)
    return machine_failure(
        fmt::format("libzip cannot write the archive: {}.", zip_strerror(archive->get())));
  static_cast<void>(archive->release());  // a successful zip_close freed the archive
  return bytes_of(source->get());
}

ArchiveView view_archive(std::string_view bytes, std::size_t limit_bytes,
                         std::size_t limit_entries) {
  // libzip takes a file without a byte for an empty archive; APPNOTE 4.3.16 does not.
  if (bytes.size() < kEmptyArchive.size()) return not_an_archive("Too short for an archive.");
  const auto source = memory_source(bytes);
  if (!source) return not_an_archive(source.error().message);
  ZipError error;
  const auto archive = open_archive(source->get(), ZIP_RDONLY, error);
  if (!archive) return not_an_archive(fmt::format("It cannot be opened: {}.", error.text()));
  const auto count = static_cast<zip_uint64_t>(zip_get_num_entries(archive->get(), 0));
  if (count > limit_entries)
    return not_an_archive(fmt::format("It lists {} entries, more than {}.", count, limit_entries));
  return view_entries(archive->get(), count, limit_bytes);
}

}  // namespace storefuzz
