// Archives are sound, repeatable and read back whole; any bytes whatever have a view.
#include "harness/zip/archive.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <ranges>

#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

using test::noise;

using Entries = std::vector<ArchiveEntry>;

// What a small array leaves in a store, beside values at both ends of the scale.
Entries plenty() {
  return {{.key = "zarr.json", .bytes = R"({"zarr_format": 3, "node_type": "array"})"},
          {.key = "c/0", .bytes = std::string("\0\1\2\3PK\5\6", 8)},
          {.key = "empty", .bytes = ""},
          {.key = "c/größer/數", .bytes = noise(100 << 10)},
          {.key = "zeros", .bytes = std::string(100 << 10, '\0')},
          {.key = "../odd//name ", .bytes = "x"}};
}

Entries few() { return {{.key = "zarr.json", .bytes = "{}"}, {.key = "c/0", .bytes = noise(40)}}; }

std::string archive_of(const Entries& entries, Compression compression) {
  Result<std::string> archive = make_archive(entries, compression);
  if (!archive) ADD_FAILURE() << archive.error().message;
  return archive.value_or("");
}

// The error of entries that cannot be an archive.
Error refusal_of(const Entries& entries) {
  const Result<std::string> archive = make_archive(entries, Compression::kStored);
  return archive ? Error{.code = ExitCode::kNothingNew, .message = "accepted"} : archive.error();
}

std::vector<std::pair<std::string, std::string>> pairs(const Entries& entries) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [key, bytes] : entries) all.emplace_back(key, bytes);
  return all;
}

class EachCompression : public testing::TestWithParam<Compression> {};

INSTANTIATE_TEST_SUITE_P(Archive, EachCompression,
                         testing::Values(Compression::kStored, Compression::kDeflated),
                         [](const auto& info) {
                           return info.param == Compression::kStored ? "Stored" : "Deflated";
                         });

TEST_P(EachCompression, EverythingComesBackInOrder) {
  const ArchiveView view = view_archive(archive_of(plenty(), GetParam()));
  EXPECT_TRUE(view.sound) << view.why;
  EXPECT_EQ(view.why, "");
  EXPECT_EQ(view.entries, pairs(plenty()));
}

TEST_P(EachCompression, NoEntriesAreAnEmptyArchive) {
  const std::string archive = archive_of({}, GetParam());
  EXPECT_EQ(archive.size(), 22);
  EXPECT_TRUE(view_archive(archive).sound);
  EXPECT_TRUE(view_archive(archive).entries.empty());
}

// Time zones, because libzip turns MS-DOS dates into local time and back.
TEST_P(EachCompression, TheSameEntriesAreTheSameBytes) {
  const char* set = std::getenv("TZ");
  const std::string before = set == nullptr ? "" : set;
  const std::string once = archive_of(plenty(), GetParam());
  for (const char* zone : {"UTC", "Pacific/Kiritimati", "America/Los_Angeles", "XYZ12", "XYZ-14"}) {
    setenv("TZ", zone, 1);
    tzset();
    EXPECT_EQ(once, archive_of(plenty(), GetParam())) << zone;
  }
  set == nullptr ? unsetenv("TZ") : setenv("TZ", before.c_str(), 1);
  tzset();
}

TEST_P(EachCompression, EveryEntryIsDated1980) {
  const std::string archive = archive_of(few(), GetParam());
  const std::string date_and_time("\0\0\x21\0", 4);  // APPNOTE 4.3.7: bytes 10 to 13
  EXPECT_EQ(archive.substr(10, 4), date_and_time);
}

TEST_P(EachCompression, CutAnywhereItIsUnsound) {
  const std::string archive = archive_of(few(), GetParam());
  for (std::size_t size = 0; size < archive.size(); ++size) {
    const ArchiveView view = view_archive(std::string_view(archive).substr(0, size));
    EXPECT_FALSE(view.sound) << "cut to " << size << " of " << archive.size();
    EXPECT_NE(view.why, "");
  }
}

// Sound or not, the view of a flipped bit must not claim other bytes under a name of ours.
TEST_P(EachCompression, AFlippedBitNeverChangesAValueUnseen) {
  const auto truth = pairs(few());
  const std::string archive = archive_of(few(), GetParam());
  for (std::size_t bit = 0; bit < archive.size() * 8; ++bit) {
    std::string flipped = archive;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const ArchiveView view = view_archive(flipped);
    EXPECT_EQ(view.sound, view.why.empty());
    for (const auto& [name, bytes] : view.entries)
      for (const auto& [key, value] : truth)
        EXPECT_TRUE(name != key || bytes == value) << "bit " << bit << " changes " << key;
  }
}

TEST(Archive, DeflatedIsSmaller) {
  const Entries zeros = {{.key = "c/0", .bytes = std::string(10'000, '\0')}};
  EXPECT_GT(archive_of(zeros, Compression::kStored).size(), 10'000);
  EXPECT_LT(archive_of(zeros, Compression::kDeflated).size(), 500);
}

TEST(Archive, AKeyTwiceIsRefused) {
  const Error error = refusal_of({{"a", "1"}, {"b", "2"}, {"a", "3"}});
  EXPECT_EQ(error.code, ExitCode::kBadInput);
  EXPECT_EQ(error.message, R"(The key "a" occurs twice.)");
}

TEST(Archive, KeysThatZipCannotHoldAreRefused) {
  for (const std::string& key :
       {std::string(), std::string("a\0b", 3), std::string("\xff"), std::string(65'536, 'k')}) {
    const Error error = refusal_of({{.key = key, .bytes = "1"}});
    EXPECT_EQ(error.code, ExitCode::kBadInput) << error.message;
    EXPECT_LT(error.message.size(), 200);
  }
  EXPECT_EQ(refusal_of({{.key = std::string(65'535, 'k'), .bytes = "1"}}).message, "accepted");
}

TEST(View, AWrongByteInAValueIsUnsoundAndTheOthersAreRead) {
  std::string archive = archive_of({{"a", "first"}, {"b", "second"}}, Compression::kStored);
  archive[archive.find("first")] = 'F';
  const ArchiveView view = view_archive(archive);
  EXPECT_FALSE(view.sound);
  EXPECT_EQ(view.why, R"(Entry 0 "a" cannot be read: CRC error.)");
  EXPECT_EQ(view.entries, pairs({{"b", "second"}}));
}

TEST(View, ASentenceIsReadableWhateverTheNameIs) {
  std::string archive = archive_of({{"abc", "first"}}, Compression::kStored);
  for (std::size_t at = 0; (at = archive.find("abc")) != archive.npos;)
    archive.replace(at, 3, "\xff\n\x80");  // in the entry's header and in the directory
  ArchiveView view = view_archive(archive);
  // Some versions of libzip turn such a name away, and then say why.
  if (view.sound) EXPECT_EQ(view.entries, pairs({{"\xff\n\x80", "first"}}));
  EXPECT_EQ(view.sound, view.why.empty());
  for (const char byte : view.why) EXPECT_TRUE(' ' <= byte && byte <= '~') << view.why;
  archive[archive.find("first")] = 'F';
  view = view_archive(archive);
  EXPECT_NE(view.why, "");
  for (const char byte : view.why) EXPECT_TRUE(' ' <= byte && byte <= '~') << view.why;
}

// Older versions of libzip read such an entry as empty, without an error.
TEST(View, AValueWhoseCompressedSizeIsListedAsZeroIsUnsound) {
  std::string archive = archive_of({{"a", "first"}}, Compression::kStored);
  archive[archive.find("PK\1\2") + 20] = 0;  // APPNOTE 4.3.12
  const ArchiveView view = view_archive(archive);
  EXPECT_FALSE(view.sound);
  EXPECT_TRUE(view.why.starts_with(R"(Entry 0 "a" cannot be read: )")) << view.why;
  EXPECT_TRUE(view.entries.empty());
}

TEST(View, BytesAreLimited) {
  const Entries entries = {{"a", std::string(60'000, '\0')}, {"b", std::string(40'000, '\0')}};
  const std::string archive = archive_of(entries, Compression::kDeflated);
  EXPECT_TRUE(view_archive(archive, 100'000).sound);
  const ArchiveView view = view_archive(archive, 99'999);
  EXPECT_FALSE(view.sound);
  EXPECT_EQ(view.why, R"(Entry 1 "b" cannot be read: Too many bytes in all.)");
  EXPECT_EQ(view.entries.size(), 1);
  EXPECT_TRUE(view_archive(archive, 0).entries.empty());
}

TEST(View, EntriesAreLimited) {
  const std::string archive = archive_of({{"a", ""}, {"b", ""}}, Compression::kStored);
  EXPECT_TRUE(view_archive(archive, 0, 2).sound);
  EXPECT_EQ(view_archive(archive, 0, 1).why, "It lists 2 entries, more than 1.");
}

TEST(View, OtherBytesAreNoArchive) {
  for (const std::string& bytes : {std::string(), std::string("PK"), std::string(22, '\0'),
                                   std::string(1000, 'P'), noise(100'000)}) {
    EXPECT_FALSE(view_archive(bytes).sound);
    EXPECT_TRUE(view_archive(bytes).entries.empty());
  }
}

// Counts, size and offset in an end record that nothing stands behind (APPNOTE 4.3.16).
TEST(View, AnArchiveThatPromisesTooMuchIsUnsound) {
  for (std::size_t field = 8; field < 20; ++field) {
    std::string archive = archive_of({}, Compression::kStored);
    archive[field] = '\xff';
    EXPECT_FALSE(view_archive(archive).sound) << "byte " << field;
  }
}

}  // namespace
}  // namespace storefuzz
