// The table of kinds, their application, and archives out of bytes.
#include "harness/zip/twists.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/zip/archive.h"
#include "harness/zip/twists_kinds.h"

namespace storefuzz {
namespace {

using twists::Row;

const std::vector<Row>& rows() {
  static const std::vector<Row> list = [] {
    using namespace twists;
    std::vector<Row> all;
    for (const auto part : {header_rows(), name_rows(), layout_rows(), zip64_rows(), damage_rows(),
                            odd_name_rows(), more_damage_rows(), sound_rows()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return list;
}

const Row* find_row(std::string_view name) {
  const auto row = std::ranges::find(rows(), name, [](const Row& it) { return it.kind.name; });
  return row == rows().end() ? nullptr : &*row;
}

}  // namespace

const std::vector<TwistKind>& all_twists() {
  static const std::vector<TwistKind> kinds = [] {
    std::vector<TwistKind> list;
    for (const Row& row : rows()) list.push_back(row.kind);
    return list;
  }();
  return kinds;
}

const TwistKind* find_twist(std::string_view name) {
  const Row* row = find_row(name);
  return row ? &row->kind : nullptr;
}

Result<std::string> twist_archive(std::string_view sound, std::span<const Twist> twists) {
  if (sound.size() > kMostTwisted)
    return bad_input(
        fmt::format("An archive of {} bytes is larger than {}.", sound.size(), kMostTwisted));
  for (const Twist& twist : twists)
    if (!find_row(twist.name)) return bad_input(fmt::format("There is no twist {:?}.", twist.name));
  std::string bytes(sound);
  for (const Twist& twist : twists) {
    twists::Bench bench(bytes, twist);
    find_row(twist.name)->apply(bench);
    std::string next = bench.result();
    if (next.size() <= kMostTwisted) bytes = std::move(next);
  }
  return bytes;
}

namespace {

// Takes numbers off the front of bytes; zero when there are none left.
struct Reader {
  std::string_view bytes;
  std::uint32_t byte() {
    if (bytes.empty()) return 0;
    const auto value = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    return value;
  }
  std::uint32_t word() {
    const std::uint32_t low = byte();
    return low | byte() << 8;
  }
};

const std::string& small_archive(std::uint32_t which) {
  static const std::array<std::string, 3> archives = [] {
    const ArchiveEntry entries[] = {
        {.key = "zarr.json", .bytes = R"({"zarr_format":3,"shape":[4]})"},
        {.key = "a/c/0", .bytes = "01234567012345670123456701234567"},
        {.key = "a/c/1", .bytes = "value"}};
    return std::array{make_archive(entries, Compression::kStored).value_or(""),
                      make_archive(entries, Compression::kDeflated).value_or(""),
                      make_archive({}, Compression::kStored).value_or("")};
  }();
  return archives[which % archives.size()];
}

// One edit: a byte set, bytes taken away, bytes put in, or bytes of the archive copied.
void edit(std::string& bytes, Reader& reader) {
  const std::uint32_t what = reader.byte();
  const std::size_t at = reader.word() % (bytes.size() + 1), count = reader.byte() % 64;
  if (what % 4 == 0 && at < bytes.size()) bytes[at] = static_cast<char>(count << 2 | what >> 6);
  if (what % 4 == 1) bytes.erase(at, count);
  if (what % 4 == 2) {
    bytes.insert(at, reader.bytes.substr(0, count));
    reader.bytes.remove_prefix(std::min(count, reader.bytes.size()));
  }
  if (what % 4 == 3)
    bytes.insert(at, std::string(bytes.substr(reader.word() % (bytes.size() + 1), count)));
}

}  // namespace

std::string decode_archive(std::string_view bytes) {
  if (bytes.empty() || bytes.front() % 2 != 0)
    return std::string(bytes.substr(std::min<std::size_t>(1, bytes.size())));
  Reader reader{bytes};
  const std::uint32_t first = reader.byte() / 2;
  std::vector<Twist> twists;
  for (std::uint32_t left = first / 3 % 5; left > 0; --left) {
    const TwistKind& kind = all_twists()[reader.byte() % all_twists().size()];
    const std::uint32_t entry = reader.byte();
    if (!kind.heavy)
      twists.push_back({.name = std::string(kind.name), .entry = entry, .amount = reader.word()});
  }
  std::string archive = twist_archive(small_archive(first), twists).value_or("");
  for (int left = 16; left > 0 && !reader.bytes.empty(); --left) edit(archive, reader);
  return archive;
}

}  // namespace storefuzz
