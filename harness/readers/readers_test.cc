// What each reader answers about sound archives and about bytes broken by hand, side by side.
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "harness/readers/libarchive_reader.h"
#include "harness/readers/libzip_reader.h"
#include "harness/readers/names.h"
#include "harness/zip/archive.h"
#include "harness/zip/names.h"

namespace storefuzz {
namespace {

using Entries = std::vector<ArchiveEntry>;
using Keys = std::vector<std::string>;

// A file that is gone after the test.
class File {
 public:
  explicit File(const std::string& bytes) {
    char path[] = "/tmp/storefuzz-readers-XXXXXX";
    const int descriptor = ::mkstemp(path);
    EXPECT_GE(descriptor, 0);
    ::close(descriptor);
    path_ = path;
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The four replies.
struct Replies {
  Json zip, checked, streaming, seeking;
};

Replies ask(const std::string& bytes, const Keys& keys) {
  const File file(bytes);
  return {.zip = read_with_libzip(file.path(), keys, false),
          .checked = read_with_libzip(file.path(), keys, true),
          .streaming = read_with_libarchive(file.path(), keys, false),
          .seeking = read_with_libarchive(file.path(), keys, true)};
}

std::string sound(const Entries& entries, Compression compression = Compression::kStored) {
  const auto archive = make_archive(entries, compression);
  EXPECT_TRUE(archive);
  return archive.value_or("");
}

Json value(std::string_view bytes) {
  Sum sum;
  sum.add(bytes.data(), bytes.size());
  return value_of(sum);
}

// "value", "missing", or the type of the error.
std::string kind(const Json& answer) {
  return answer[0] == "refused" ? answer[1].get<std::string>() : answer[0].get<std::string>();
}

// libarchive 3.6 warns, 3.7 says that the entry failed.
bool data_is_wrong(const std::string& why) {
  return why == "ARCHIVE_WARN" || why == "ARCHIVE_FAILED";
}

// Whole, or this key.
bool refuses(const Json& reply, const char* key) {
  return reply["opened"][0] == "refused" || reply["keys"][key][0] == "refused";
}

std::string number(std::uint32_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> 8 * i);
  return bytes;
}

// An entry as its headers tell it, in any way.
struct Raw {
  std::string name;
  std::string bytes;  // as they lie in the file
  std::uint16_t flags = 0;
  std::uint32_t mode = 0100644;
  std::optional<std::uint32_t> size = std::nullopt;  // else that of `bytes`
  std::optional<std::uint32_t> packed = std::nullopt;
};

// What local header and directory share, from the version needed to the length of the extra field.
std::string common(const Raw& raw) {
  const auto size = static_cast<std::uint32_t>(raw.bytes.size());
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(raw.bytes.data()), size);
  return number(20, 2) + number(raw.flags, 2) + number(0, 2) + number(0, 2) + number(0x21, 2) +
         number(static_cast<std::uint32_t>(crc), 4) + number(raw.packed.value_or(size), 4) +
         number(raw.size.value_or(size), 4) +
         number(static_cast<std::uint32_t>(raw.name.size()), 2) + number(0, 2);
}

std::string made_by_hand(const std::vector<Raw>& entries) {
  std::string file;
  std::string directory;
  for (const Raw& raw : entries) {
    directory += "PK\1\2" + number(20 | 3 << 8, 2) + common(raw) + number(0, 2) + number(0, 2) +
                 number(0, 2) + number(raw.mode << 16, 4) +
                 number(static_cast<std::uint32_t>(file.size()), 4) + raw.name;
    file += "PK\3\4" + common(raw) + raw.name + raw.bytes;
  }
  const auto count = static_cast<std::uint32_t>(entries.size());
  const std::string end = "PK\5\6" + number(0, 4) + number(count, 2) + number(count, 2) +
                          number(static_cast<std::uint32_t>(directory.size()), 4) +
                          number(static_cast<std::uint32_t>(file.size()), 4) + number(0, 2);
  return file + directory + end;
}

TEST(Names, BytesThatAreNotUtf8AreEscapedAsPythonDoes) {
  EXPECT_EQ(text_of_name("c/größe/數/😀"), "c/größe/數/😀");
  EXPECT_EQ(text_of_name("c\xff"), "c\\xff");
  EXPECT_EQ(text_of_name(std::string_view("a\0\n", 3)), std::string("a\0\n", 3));
  EXPECT_EQ(text_of_name("\xc0\x80"), "\\xc0\\x80");           // overlong
  EXPECT_EQ(text_of_name("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(text_of_name("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(text_of_name("\xe2\x82"
                         "A"),
            "\\xe2\\x82"
            "A");
  EXPECT_EQ(text_of_name("\xe2\x82"), "\\xe2\\x82");
}

TEST(Names, TextsAreShortAndNameNoPath) {
  const Refusal refusal{.type = "T", .text = "in /a/b.zip: \xff" + std::string(300, 'x')};
  const auto text = refused(refusal, "/a/b.zip")[2].get<std::string>();
  EXPECT_TRUE(text.starts_with("in <file>: \\xffx")) << text;
  EXPECT_EQ(text.size(), 200U);
}

TEST(Names, ListingsEnd) {
  Listing many;
  for (int i = 0; i < 5000; ++i) many.add("x");
  EXPECT_EQ(many.take().size(), 4096U);
  Listing long_names;
  for (int i = 0; i < 100; ++i) long_names.add(std::string(1 << 20, 'x'));
  EXPECT_EQ(long_names.take().size(), 4U);
}

class Sound : public testing::TestWithParam<Compression> {};

INSTANTIATE_TEST_SUITE_P(Readers, Sound,
                         testing::Values(Compression::kStored, Compression::kDeflated));

TEST_P(Sound, AllReadersAgree) {
  const std::string zeros(100 << 10, '\0');
  const Entries entries = {{.key = "zarr.json", .bytes = "{}"},
                           {.key = "c/größer/數", .bytes = zeros},
                           {.key = "empty", .bytes = ""}};
  const Replies replies =
      ask(sound(entries, GetParam()), {"empty", "c/größer/數", "zarr.json", "c", ""});
  const Json expected = {{"opened", {"value"}},
                         {"listed", {"zarr.json", "c/größer/數", "empty"}},
                         {"keys",
                          {{"zarr.json", value("{}")},
                           {"c/größer/數", value(zeros)},
                           {"empty", value("")},
                           {"c", {"missing"}},
                           {"", {"missing"}}}},
                         {"arrays", Json::object()}};
  EXPECT_EQ(replies.zip, expected);
  EXPECT_EQ(replies.checked, expected);
  EXPECT_EQ(replies.streaming, expected);
  EXPECT_EQ(replies.seeking, expected);
}

TEST(Readers, AnEmptyArchiveIsOpenedOnlyNotByLibarchiveSeeking) {
  const Replies replies = ask(sound({}), {"a"});
  for (const Json& reply : {replies.zip, replies.checked, replies.streaming}) {
    EXPECT_EQ(reply["opened"], Json({"value"}));
    EXPECT_EQ(reply["listed"], Json::array());
    EXPECT_EQ(reply["keys"]["a"], Json({"missing"}));
  }
  EXPECT_EQ(kind(replies.seeking["opened"]), "ARCHIVE_FATAL");
}

TEST(Readers, AFileWithoutAByteIsNoArchive) {
  const Replies replies = ask("", {"a"});
  for (const Json& reply : {replies.zip, replies.checked})
    EXPECT_EQ(kind(reply["opened"]), "ZIP_ER_NOZIP");
  for (const Json& reply : {replies.streaming, replies.seeking})
    EXPECT_EQ(kind(reply["opened"]), "ARCHIVE_FATAL");
}

TEST(Readers, GarbageIsRefused) {
  const Replies replies = ask(std::string(3000, 'g'), {"a"});
  EXPECT_EQ(kind(replies.zip["opened"]), "ZIP_ER_NOZIP");
  EXPECT_EQ(kind(replies.checked["opened"]), "ZIP_ER_NOZIP");
  EXPECT_EQ(kind(replies.streaming["opened"]), "ARCHIVE_FATAL");
  EXPECT_EQ(kind(replies.seeking["opened"]), "ARCHIVE_FATAL");
  EXPECT_EQ(replies.zip["listed"], nullptr);
  EXPECT_EQ(replies.zip["keys"], Json::object());
}

TEST(Readers, AFileThatIsNotThereIsRefusedWithoutItsPath) {
  const std::string file = "/tmp/storefuzz-nowhere.zip";
  EXPECT_EQ(kind(read_with_libzip(file, {}, false)["opened"]), "ZIP_ER_NOENT");
  for (const bool seeking : {false, true}) {
    const Json opened = read_with_libarchive(file, {}, seeking)["opened"];
    EXPECT_EQ(kind(opened), "ARCHIVE_FATAL");
    EXPECT_EQ(opened[2], "Failed to open '<file>'");
  }
}

TEST(Readers, OfAnArchiveWithAWrongCrcTheRestIsRead) {
  std::string bytes = sound({{.key = "a", .bytes = "first"}, {.key = "b", .bytes = "second"}});
  bytes[bytes.find("first")] = 'F';
  const Replies replies = ask(bytes, {"a", "b"});
  for (const Json& reply : {replies.zip, replies.checked})
    EXPECT_EQ(kind(reply["keys"]["a"]), "ZIP_ER_CRC");
  for (const Json& reply : {replies.streaming, replies.seeking})
    EXPECT_TRUE(data_is_wrong(kind(reply["keys"]["a"])));
  for (const Json& reply : {replies.zip, replies.checked, replies.streaming, replies.seeking}) {
    EXPECT_EQ(reply["listed"], Json({"a", "b"}));
    EXPECT_EQ(reply["keys"]["b"], value("second"));
  }
}

TEST(Readers, WhatIsTruncatedIsStillStreamed) {
  std::string bytes = sound({{.key = "a", .bytes = "first"}, {.key = "b", .bytes = "second"}});
  bytes.resize(bytes.find("second") + 3);
  const Replies replies = ask(bytes, {"a", "b", "c"});
  // 1.7 calls it no archive, 1.11 a truncated one.
  for (const Json& reply : {replies.zip, replies.checked}) {
    const std::string why = kind(reply["opened"]);
    EXPECT_TRUE(why == "ZIP_ER_NOZIP" || why == "ZIP_ER_TRUNCATED_ZIP") << why;
  }
  EXPECT_EQ(kind(replies.seeking["opened"]), "ARCHIVE_FATAL");
  EXPECT_EQ(replies.streaming["listed"], Json({"a", "b"}));
  EXPECT_EQ(replies.streaming["keys"]["a"], value("first"));
  EXPECT_EQ(kind(replies.streaming["keys"]["b"]), "ARCHIVE_FATAL");
  EXPECT_EQ(kind(replies.streaming["keys"]["c"]), "ARCHIVE_FATAL");  // not seen, not "missing"
}

TEST(Readers, OfOneNameTwiceLibzipReadsTheFirstAndLibarchiveTheLast) {
  const Replies replies =
      ask(made_by_hand({{.name = "a", .bytes = "old"}, {.name = "a", .bytes = "new!"}}), {"a"});
  EXPECT_EQ(replies.zip["listed"], Json({"a", "a"}));
  EXPECT_EQ(replies.zip["keys"]["a"], value("old"));
  EXPECT_EQ(kind(replies.checked["opened"]), "ZIP_ER_EXISTS");
  for (const Json& reply : {replies.streaming, replies.seeking}) {
    EXPECT_EQ(reply["listed"], Json({"a", "a"}));
    EXPECT_EQ(reply["keys"]["a"], value("new!"));
  }
}

TEST(Readers, BytesAfterTheEndAreSeenOnlyByTheChecks) {
  const Replies replies = ask(sound({{.key = "a", .bytes = "x"}}) + "trailing", {"a"});
  EXPECT_EQ(kind(replies.checked["opened"]), "ZIP_ER_INCONS");
  for (const Json& reply : {replies.zip, replies.streaming, replies.seeking})
    EXPECT_EQ(reply["keys"]["a"], value("x"));
}

TEST(Readers, OnlyLibarchiveSeekingReadsPastBytesBeforeTheStart) {
  const Replies replies = ask("before" + sound({{.key = "a", .bytes = "x"}}), {"a"});
  EXPECT_EQ(kind(replies.zip["opened"]), "ZIP_ER_NOZIP");
  EXPECT_EQ(kind(replies.checked["opened"]), "ZIP_ER_NOZIP");
  EXPECT_EQ(kind(replies.streaming["opened"]), "ARCHIVE_FATAL");
  EXPECT_EQ(replies.seeking["keys"]["a"], value("x"));
}

TEST(Readers, WithACompressedSizeOfZeroLibzipComparesNothingOrRefuses) {
  const Replies replies = ask(made_by_hand({{.name = "a", .bytes = "hidden", .packed = 0}}), {"a"});
  // 1.7 compares nothing, 1.11 size and CRC.
  for (const Json& reply : {replies.zip, replies.checked})
    EXPECT_TRUE(refuses(reply, "a") || reply["keys"]["a"] == value("")) << reply;
  EXPECT_EQ(replies.streaming["keys"]["a"], value(""));
  EXPECT_EQ(replies.seeking["keys"]["a"], value(""));
}

TEST(Readers, AWrongSizeIsRefused) {
  const Replies replies = ask(made_by_hand({{.name = "a", .bytes = "hidden", .size = 7}}), {"a"});
  EXPECT_EQ(kind(replies.zip["keys"]["a"]), "ZIP_ER_INCONS");
  EXPECT_TRUE(data_is_wrong(kind(replies.streaming["keys"]["a"])));
  EXPECT_TRUE(data_is_wrong(kind(replies.seeking["keys"]["a"])));
}

TEST(Readers, AValueThatSaysItIsLargeIsNotRead) {
  const Replies replies =
      ask(made_by_hand({{.name = "a", .bytes = "x", .size = (64 << 20) + 1}, {.name = "b"}}),
          {"a", "b"});
  for (const Json& reply : {replies.zip, replies.checked, replies.streaming, replies.seeking}) {
    if (kind(reply["opened"]) == "ZIP_ER_INCONS") continue;  // 1.11: more than the file can hold
    EXPECT_EQ(kind(reply["keys"]["a"]), "TooLarge");
    EXPECT_EQ(reply["keys"]["b"], value(""));
  }
}

TEST(Readers, ANameInCodePage437IsFoundByLibzipUnderBothItsTexts) {
  const auto archive = made_by_hand({{.name = "\x80", .bytes = "x"}, {.name = "Ç", .bytes = "y"}});
  const Replies replies = ask(archive, {"\\x80", "Ç"});
  for (const Json& reply : {replies.zip, replies.streaming, replies.seeking})
    EXPECT_EQ(reply["listed"], Json({"\\x80", "Ç"}));
  EXPECT_EQ(replies.zip["keys"], Json({{"\\x80", value("x")}, {"Ç", value("x")}}));
  EXPECT_EQ(kind(replies.checked["opened"]), "ZIP_ER_EXISTS");  // one name twice
  for (const Json& reply : {replies.streaming, replies.seeking})
    EXPECT_EQ(reply["keys"], Json({{"\\x80", value("x")}, {"Ç", value("y")}}));
}

TEST(Readers, NamesWithANulOrAControlCharacter) {
  const auto archive =
      made_by_hand({{.name = std::string("a\0b", 3), .bytes = "x"}, {.name = "c\1", .bytes = "y"}});
  const std::string nul("a\0b", 3);
  const Replies replies = ask(archive, {"a", "a b", nul, "c\1"});
  for (const Json& reply : {replies.zip, replies.checked, replies.streaming, replies.seeking}) {
    EXPECT_EQ(reply["keys"][nul], Json({"missing"}));
    EXPECT_EQ(reply["keys"]["c\1"], value("y"));
  }
  for (const Json& reply : {replies.zip, replies.checked}) {
    EXPECT_EQ(reply["listed"], Json({"a b", "c\1"}));
    EXPECT_EQ(reply["keys"]["a"], Json({"missing"}));
    EXPECT_EQ(reply["keys"]["a b"], value("x"));
  }
  for (const Json& reply : {replies.streaming, replies.seeking}) {
    EXPECT_EQ(reply["listed"], Json({"a", "c\1"}));
    EXPECT_EQ(reply["keys"]["a"], value("x"));
    EXPECT_EQ(reply["keys"]["a b"], Json({"missing"}));
  }
}

TEST(Readers, LibarchiveComposesNamesMarkedAsUtf8) {
  const std::string apart = "e\xcc\x81";
  const auto marked = ask(made_by_hand({{.name = apart, .flags = 1 << 11}}), {apart, "é"});
  EXPECT_EQ(marked.zip["listed"], Json({apart}));
  EXPECT_EQ(marked.streaming["listed"], Json({"é"}));
  EXPECT_EQ(marked.seeking["keys"][apart], Json({"missing"}));
  const auto unmarked = ask(made_by_hand({{.name = apart}}), {apart});
  EXPECT_EQ(unmarked.streaming["listed"], Json({apart}));
}

TEST(Readers, FoldersAndLinksAreNoFilesToLibarchive) {
  const auto archive = made_by_hand(
      {{.name = "d/", .mode = 040755}, {.name = "link", .bytes = "target", .mode = 0120777}});
  const Replies replies = ask(archive, {"d/", "link"});
  EXPECT_EQ(replies.zip["keys"], Json({{"d/", value("")}, {"link", value("target")}}));
  EXPECT_EQ(kind(replies.streaming["keys"]["d/"]), "NotAFile");
  EXPECT_EQ(replies.streaming["keys"]["link"], value("target"));  // the mode is in the directory
  EXPECT_EQ(kind(replies.seeking["keys"]["d/"]), "NotAFile");
  EXPECT_EQ(kind(replies.seeking["keys"]["link"]), "NotAFile");
}

// An archive cut at any place, or with any byte inverted, has a whole reply.
TEST(Readers, AnythingIsAnswered) {
  const std::string whole =
      sound({{.key = "zarr.json", .bytes = "{}"}, {.key = "c/0", .bytes = std::string(50, '\1')}},
            Compression::kDeflated);
  const auto check = [](const std::string& bytes) {
    const Replies replies = ask(bytes, {"zarr.json", "c/0"});
    for (const Json& reply : {replies.zip, replies.checked, replies.streaming, replies.seeking}) {
      const bool opened = reply["opened"] == Json({"value"});
      EXPECT_EQ(reply["listed"].is_array(), opened);
      EXPECT_EQ(reply["keys"].size(), opened ? 2U : 0U);
    }
  };
  for (std::size_t at = 0; at < whole.size(); ++at) {
    check(whole.substr(0, at));
    std::string bytes = whole;
    bytes[at] = static_cast<char>(~bytes[at]);
    check(bytes);
  }
}

}  // namespace
}  // namespace storefuzz
