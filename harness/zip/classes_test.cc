// Every class is reached, sound archives are sound whoever made them, a cut archive never is, and
// any bytes at all have a class.
#include "harness/zip/classes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>

#include "harness/testing/large_archives.h"
#include "harness/testing/shared.h"
#include "harness/zip/archive.h"
#include "harness/zip/layout.h"
#include "harness/zip/twists.h"
#include "harness/zip/values.h"

namespace storefuzz {
namespace {

using Names = std::vector<std::string>;

std::vector<ArchiveEntry> four() {
  return {{.key = "zarr.json", .bytes = R"({"zarr_format":3,"node_type":"group"})"},
          {.key = "a/zarr.json", .bytes = R"({"zarr_format":3,"shape":[4],"fill_value":0})"},
          {.key = "a/c/0", .bytes = test::noise(64)},
          {.key = "a/c/1", .bytes = std::string(48, '1')}};
}

std::string sound(Compression compression = Compression::kStored) {
  return make_archive(four(), compression).value();
}

std::string twisted(std::string_view archive, const std::vector<Twist>& twists) {
  const auto result = twist_archive(archive, twists);
  if (!result) ADD_FAILURE() << result.error().message;
  return result.value_or("");
}

std::string twisted(std::string_view archive, std::string_view name, std::uint32_t entry = 0,
                    std::uint32_t amount = 0) {
  return twisted(archive, {{.name = std::string(name), .entry = entry, .amount = amount}});
}

std::size_t place_of(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(all_classes(), name, &ZipClass::name) -
                                  all_classes().begin());
}

// "in part", "sound", and what no reader should mind.
bool legal(std::string_view name) { return place_of(name) >= place_of("in part"); }

// What holds for the class of any bytes.
void expect_well_formed(const Classified& classified, std::string_view of) {
  ASSERT_FALSE(classified.all.empty()) << of;
  EXPECT_EQ(classified.name, classified.all.front()) << of;
  EXPECT_FALSE(classified.why.empty()) << of;
  for (std::size_t i = 0; i < classified.all.size(); ++i) {
    EXPECT_LT(place_of(classified.all[i]), all_classes().size()) << of << ": " << classified.all[i];
    if (i > 0) {
      EXPECT_LT(place_of(classified.all[i - 1]), place_of(classified.all[i])) << of;
    }
  }
  // A file is sound where nothing but what is legal was met, and all was looked at.
  EXPECT_EQ(classified.name == (classified.unread.empty() ? "sound" : "in part"),
            std::ranges::all_of(classified.all, legal))
      << of;
}

bool has(const Classified& classified, std::string_view name) {
  return std::ranges::find(classified.all, name) != classified.all.end();
}

// --- the table

TEST(Classes, AreTheFourteenAndTheDamageAndBehindSoundWhatIsLegal) {
  std::set<std::string_view> names;
  for (const ZipClass& it : all_classes()) EXPECT_TRUE(names.insert(it.name).second) << it.name;
  for (const char* name : {"A1", "A2", "A3", "A4", "A5", "B1", "B2", "B3", "B4", "C1", "C2", "C3",
                           "C4", "C5", "truncated", "no directory", "wrong crc", "sound"})
    EXPECT_TRUE(names.contains(name)) << name;
  for (const ZipClass& it : all_classes())
    EXPECT_EQ(it.legal, place_of(it.name) > place_of("sound")) << it.name;
}

TEST(Classes, EachHasASectionOfTheAppnoteButThoseInWhichNothingIsWrong) {
  for (const ZipClass& zip_class : all_classes()) {
    EXPECT_EQ(zip_class.section.starts_with("4."),
              zip_class.name != "sound" && zip_class.name != "in part")
        << zip_class.name;
    EXPECT_FALSE(zip_class.says.empty()) << zip_class.name;
    EXPECT_EQ(section_of(zip_class.name), zip_class.section);
    EXPECT_EQ(says_of(zip_class.name), zip_class.says);
  }
  EXPECT_EQ(section_of("sound"), "");
  EXPECT_EQ(section_of("no such class"), "");
  EXPECT_EQ(says_of("no such class"), "");
}

// --- arrival

class EveryClass : public testing::TestWithParam<ZipClass> {};

// By a twist that is about the class, as the name, in an archive whose values lie packed in either
// way; and what is legal, in a sound one.
TEST_P(EveryClass, IsReachedByATwistThatIsAboutIt) {
  if (GetParam().name == "in part") return;  // by no twist: see ClassesOfLargeFiles
  for (const Compression compression : {Compression::kStored, Compression::kDeflated}) {
    bool reached = GetParam().name == "sound" && classify(sound(compression)).name == "sound";
    for (const TwistKind& kind : all_twists()) {
      if (kind.about != GetParam().name && !(GetParam().legal && kind.about == "sound")) continue;
      const std::uint32_t amounts = kind.heavy ? 1 : 32, entries = kind.heavy ? 1 : 4;
      for (std::uint32_t amount = 0; amount < amounts && !reached; ++amount)
        for (std::uint32_t entry = 0; entry < entries && !reached; ++entry) {
          const Classified classified =
              classify(twisted(sound(compression), kind.name, entry, amount));
          reached = GetParam().legal
                        ? classified.name == "sound" && has(classified, GetParam().name)
                        : classified.name == GetParam().name;
        }
    }
    EXPECT_TRUE(reached) << GetParam().name << ", compression " << static_cast<int>(compression);
  }
}

INSTANTIATE_TEST_SUITE_P(Classes, EveryClass, testing::ValuesIn(all_classes()),
                         [](const testing::TestParamInfo<ZipClass>& info) {
                           std::string name(info.param.name);
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

// A twist may bend more than it is about, or once in a while something else; never only that.
TEST(Classes, EveryKindOfTwistIsSeenForWhatItIsAbout) {
  for (const TwistKind& kind : all_twists()) {
    bool seen = false;
    const std::uint32_t amounts = kind.heavy ? 1 : 32;
    for (std::uint32_t amount = 0; amount < amounts && !seen; ++amount)
      seen = has(classify(twisted(sound(), kind.name, 1, amount)), kind.about);
    EXPECT_TRUE(seen) << kind.name;
  }
}

TEST(Classes, ACountThatOverflowsIsC3WithManyEntries) {
  const Classified classified = classify(twisted(sound(), "counts overflow"));
  EXPECT_EQ(classified.name, "C3");
  EXPECT_TRUE(has(classified, "many entries"));
}

// Twenty thousand chunks are no damage: what else is wrong gives the file its name.
TEST(Classes, ManyEntriesAreSoundAndHideNothingThatIsWrong) {
  const Classified many = classify(twisted(sound(), "many entries"));
  EXPECT_EQ(many.name, "sound") << many.why;
  EXPECT_TRUE(has(many, "many entries"));
  EXPECT_EQ(many.entries, 20'004U);
  for (const char* wrong : {"wrong crc", "same name after", "long comment"}) {
    const Classified classified =
        classify(twisted(sound(), {{.name = wrong, .entry = 2}, {.name = "many entries"}}));
    EXPECT_EQ(classified.name, find_twist(wrong)->about) << classified.why;
    EXPECT_TRUE(has(classified, "many entries")) << wrong;
  }
}

// --- sound

void expect_sound(std::string_view bytes, std::string_view what) {
  const Classified classified = classify(bytes);
  EXPECT_EQ(classified.name, "sound") << what << ": " << classified.why;
  expect_well_formed(classified, what);
}

TEST(Classes, WhatLibzipMakesIsSound) {
  expect_sound(sound(Compression::kStored), "stored");
  expect_sound(sound(Compression::kDeflated), "deflated");
  const std::string empty = make_archive({}, Compression::kStored).value();
  ASSERT_EQ(empty.size(), 22);
  expect_sound(empty, "empty");
  const std::vector<ArchiveEntry> nothing{{.key = "a", .bytes = ""}, {.key = "b", .bytes = ""}};
  expect_sound(make_archive(nothing, Compression::kDeflated).value(), "empty values");
  const std::vector<ArchiveEntry> nul{{.key = "a", .bytes = std::string(500, '\0')}};
  expect_sound(make_archive(nul, Compression::kStored).value(), "a value of NULs");
  expect_sound(make_archive(nul, Compression::kDeflated).value(), "a value of NULs, deflated");
}

TEST(Classes, EveryKindOfTwistAboutSoundLeavesItSound) {
  int kinds = 0;
  for (const TwistKind& kind : all_twists()) {
    if (kind.about != "sound") continue;
    ++kinds;
    for (const Compression compression : {Compression::kStored, Compression::kDeflated})
      for (std::uint32_t amount = 0; amount < 24; ++amount)
        for (std::uint32_t entry = 0; entry < 4; ++entry)
          expect_sound(twisted(sound(compression), kind.name, entry, amount),
                       std::string(kind.name) + " " + std::to_string(amount));
  }
  EXPECT_GE(kinds, 6);
}

// A writer that streams, with zip64 throughout, a comment, and fields of its own.
TEST(Classes, SoundTwistsTogetherAreSound) {
  std::vector<Twist> twists;
  for (std::uint32_t entry = 0; entry < 4; ++entry)
    twists.push_back({.name = "data descriptor", .entry = entry, .amount = entry});
  twists.push_back({.name = "zip64 records", .amount = 1});
  twists.push_back({.name = "short comment"});
  twists.push_back({.name = "unknown extra field", .entry = 2});
  twists.push_back({.name = "directory reversed"});
  for (const Compression compression : {Compression::kStored, Compression::kDeflated})
    expect_sound(twisted(sound(compression), twists), "all of them");
}

// --- cut

// Every beginning of an archive that lacks at least its last byte.
void expect_cut(const std::string& whole, const std::set<std::string>& allowed,
                std::string_view what) {
  ASSERT_EQ(classify(whole).name, "sound") << what;
  std::set<std::string> others;  // the first place of each, for a person
  std::string list;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Classified classified = classify(std::string_view(whole).substr(0, size));
    if (!allowed.contains(classified.name) &&
        others.insert(classified.name + classified.why).second)
      list += fmt::format("\n  {} of {} bytes: {}, {}", size, whole.size(), classified.name,
                          classified.why);
  }
  EXPECT_TRUE(others.empty()) << what << list;
}

TEST(Classes, ACutArchiveIsTruncatedOrHasNoDirectory) {
  const std::set<std::string> allowed{"truncated", "no directory"};
  for (const Compression compression : {Compression::kStored, Compression::kDeflated}) {
    expect_cut(sound(compression), allowed, "plain");
    for (const char* name : {"zip64 sizes", "zip64 records", "unknown extra field",
                             "directory reversed", "folder entries"})
      for (std::uint32_t amount = 0; amount < 2; ++amount)
        expect_cut(twisted(sound(compression), name, 1, amount), allowed, name);
  }
}

TEST(Classes, ACutArchiveOfEmptyValuesIsTruncatedOrHasNoDirectory) {
  const std::vector<ArchiveEntry> entries{
      {.key = "zarr.json", .bytes = "{}"}, {.key = "a", .bytes = ""}, {.key = "b", .bytes = ""}};
  for (const Compression compression : {Compression::kStored, Compression::kDeflated})
    expect_cut(make_archive(entries, compression).value(), {"truncated", "no directory"},
               "empty values");
  expect_cut(make_archive({}, Compression::kStored).value(), {"truncated", "no directory"},
             "the empty archive");
}

// Where sizes come later, or the last bytes are NULs, a cut looks like a writer that stopped.
TEST(Classes, ACutArchiveWithDescriptorsOrNulsMayBeAnUnfinishedWriteAndIsNeverSound) {
  const std::set<std::string> allowed{"truncated", "no directory", "unfinished write"};
  for (const Compression compression : {Compression::kStored, Compression::kDeflated}) {
    std::string later = sound(compression);
    for (std::uint32_t entry = 0; entry < 4; ++entry)
      later = twisted(later, "data descriptor", entry, entry);
    expect_cut(later, allowed, "descriptors");
    const std::vector<ArchiveEntry> nul{{.key = "a", .bytes = std::string(90, '\0')}};
    expect_cut(make_archive(nul, compression).value(), allowed, "NULs");
  }
}

// One bit of a length that is a power of two makes a comment as well.
TEST(Classes, AnArchiveWithoutItsCommentIsTruncatedOrHasAFlippedBit) {
  const auto with_comment = [](std::size_t length) {
    ZipLayout zip = parse_layout(sound());
    auto& end = std::get<EndPart>(zip.parts.back());
    end.comment = std::string(length, 'c');
    end.comment_length = static_cast<std::uint16_t>(length);
    return render(zip);
  };
  for (const std::size_t length : {3, 5, 100}) {
    expect_cut(with_comment(length), {"truncated", "no directory"}, "comment");
    EXPECT_EQ(classify(with_comment(length).substr(0, sound().size())).name, "truncated");
  }
  for (const std::size_t length : {1, 2, 64}) {
    expect_cut(with_comment(length), {"truncated", "no directory", "flipped bits"}, "comment");
    EXPECT_EQ(classify(with_comment(length).substr(0, sound().size())).name, "flipped bits");
  }
}

TEST(Classes, AByteMoreIsTrailingBytes) {
  EXPECT_EQ(classify(sound() + "x").name, "trailing bytes");
  EXPECT_EQ(classify(sound() + std::string(1, '\0')).name, "trailing bytes");
}

// --- any bytes

TEST(Classes, AnyBytesHaveAClass) {
  std::mt19937 random(1);
  for (const std::string_view bytes :
       {std::string_view(), std::string_view("P"), std::string_view("PK\5\6", 4),
        std::string_view("PK\3\4", 4), std::string_view("\0\0\0\0", 4), std::string_view("zip!")}) {
    const Classified classified = classify(bytes);
    expect_well_formed(classified, bytes);
    EXPECT_NE(classified.name, "sound") << bytes;
  }
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const Classified classified = classify(bytes);
    expect_well_formed(classified, "random bytes");
    EXPECT_NE(classified.name, "sound");
  }
}

// Archives bent by several twists and then by edits of single bytes.
TEST(Classes, ArchivesOfAFuzzerHaveAClass) {
  std::mt19937 random(2);
  std::set<std::string> seen;
  for (int round = 0; round < 4000; ++round) {
    std::string bytes(random() % 48, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    bytes.insert(0, 1, static_cast<char>(random() % 128 * 2));
    const Classified classified = classify(decode_archive(bytes));
    expect_well_formed(classified, "round " + std::to_string(round));
    seen.insert(classified.name);
  }
  EXPECT_GT(seen.size(), 12);
}

// --- bytes made to be slow

constexpr std::size_t kMany = 4 << 20;

std::string repeated(const std::string& record, std::size_t size = kMany) {
  std::string bytes;
  bytes.reserve(size + record.size());
  while (bytes.size() < size) bytes += record;
  return bytes;
}

std::string end_record(const EndPart& end) { return render(ZipPart(end)); }

// The directory is where it says, as far as a header stands there.
std::string with_end(std::string bytes, std::uint32_t offset, std::uint32_t size) {
  return bytes + end_record({.here = 1, .total = 1, .size = size, .offset = offset});
}

// Of each: as they are, with an end record that points to the first, and one that points nowhere.
// Nothing is timed: what is not linear does not end before ctest loses its patience.
void expect_to_end(const std::string& bytes, std::string_view what) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  for (const std::string& file :
       {bytes, with_end(bytes, 0, size), with_end(bytes, 1, size - 1),
        with_end("x" + bytes + "x", 1, size), with_end(bytes + "PK\1\2", size / 2, 7)}) {
    const Classified classified = classify(file);
    expect_well_formed(classified, what);
    EXPECT_NE(classified.name, "sound") << what;
  }
}

TEST(ClassesOfManySignatures, LocalHeadersWhoseSizesComeLater) {
  expect_to_end(repeated(render(ZipPart(LocalPart{.flags = 8}))), "local headers");
  expect_to_end(repeated(render(ZipPart(LocalPart{.flags = 8, .method = 8}))), "deflated");
}

TEST(ClassesOfManySignatures, LocalHeadersThatHoldEachOther) {
  expect_to_end(repeated(render(ZipPart(LocalPart{.packed = 0x10000, .size = 0x10000}))), "nested");
}

TEST(ClassesOfManySignatures, EndRecords) {
  expect_to_end(repeated(end_record({})), "end records");
  expect_to_end(repeated(end_record({.comment_length = 0xffff})), "with comments");
  expect_to_end(repeated("PK\5\6"), "signatures");
}

TEST(ClassesOfManySignatures, CentralHeaders) {
  expect_to_end(repeated(render(ZipPart(CentralPart{}))), "central headers");
  expect_to_end(repeated(render(ZipPart(CentralPart{.offset = 77}))), "pointing nowhere");
  expect_to_end(repeated(render(ZipPart(CentralPart{.name_length = 1, .name = "a"}))), "named");
  expect_to_end(repeated("PK\1\2"), "signatures");
}

TEST(ClassesOfManySignatures, Zip64Records) {
  expect_to_end(repeated(std::string("PK\6\6")), "records");
  expect_to_end(repeated(std::string("PK\6\7")), "locators");
  expect_to_end(repeated(std::string("PK\6\6PK\6\7")), "both");
  expect_to_end(repeated(render(ZipPart(Zip64EndPart{})) + render(ZipPart(Zip64LocatorPart{}))),
                "whole");
}

// Half of the file local headers, the other half a directory of them, or of places where none are.
TEST(ClassesOfManySignatures, ADirectoryOfManyEntries) {
  const std::string local = render(ZipPart(LocalPart{}));
  const std::string locals = repeated(local, kMany / 2);
  for (const bool there : {true, false}) {
    std::string bytes = locals;
    const std::size_t count = kMany / 2 / 46;
    for (std::size_t i = 0; i < count; ++i)
      bytes += render(
          ZipPart(CentralPart{.offset = static_cast<std::uint32_t>(i * local.size() + !there)}));
    const auto at = static_cast<std::uint32_t>(locals.size());
    const auto size = static_cast<std::uint32_t>(bytes.size() - at);
    for (const std::uint32_t stated : {size, size / 2 / 46 * 46, 46U}) {
      const Classified classified = classify(with_end(bytes, at, stated));
      expect_well_formed(classified, "many entries");
      EXPECT_NE(classified.name, "sound");
    }
  }
}

// The same with names, in two directories one behind the other.
TEST(ClassesOfManySignatures, TwoDirectoriesOfManyNames) {
  std::string bytes;
  const std::size_t count = kMany / 52;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = std::to_string(100'000 + i);
    bytes += render(ZipPart(CentralPart{.name_length = 6, .name = name}));
  }
  const auto half = static_cast<std::uint32_t>(count / 2 * 52);
  const Classified classified = classify(with_end(bytes, 0, half));
  expect_well_formed(classified, "two directories");
  EXPECT_NE(classified.name, "sound");
}

// As in bombs of the better kind: all entries are the same bytes.
TEST(ClassesOfManySignatures, EntriesThatShareOneValue) {
  for (const std::uint16_t method : {0, 8}) {
    const std::string data(1 << 20, '\0');
    const LocalPart local{.method = method, .packed = 1 << 20, .size = 1 << 20, .data = data};
    std::string bytes = render(ZipPart(local));
    const auto at = static_cast<std::uint32_t>(bytes.size());
    while (bytes.size() < kMany)
      bytes += render(ZipPart(CentralPart{.method = method, .packed = 1 << 20, .size = 1 << 20}));
    const Classified classified =
        classify(with_end(bytes, at, static_cast<std::uint32_t>(bytes.size()) - at));
    expect_well_formed(classified, "one value");
    EXPECT_NE(classified.name, "sound");
  }
}

// --- which one is the name

// Where structures are goes before what an entry says twice, that before what its name means, and
// that before its data.
TEST(Classes, OneGoesBeforeTheOthers) {
  struct Row {
    std::vector<Twist> twists;
    Names all;  // at least, in this order
  };
  const Row rows[] = {
      {{{.name = "wrong crc"}, {.name = "end record in the comment"}}, {"C2", "wrong crc"}},
      {{{.name = "same name after"}, {.name = "other archive in the comment"}}, {"C2", "B1"}},
      {{{.name = "same name before", .entry = 1}, {.name = "count off"}}, {"C3", "B1"}},
      {{{.name = "prefix"}, {.name = "wrong crc", .entry = 1}}, {"prefix", "wrong crc"}},
      {{{.name = "wrong crc", .entry = 1}, {.name = "trailing bytes"}},
       {"trailing bytes", "wrong crc"}},
      {{{.name = "unlisted entry"}, {.name = "central encrypted", .entry = 2}}, {"C1", "A5"}},
      {{{.name = "central method differs"}, {.name = "same name after", .entry = 1}}, {"A1", "B1"}},
      {{{.name = "local name differs"}, {.name = "other case", .entry = 1}}, {"A3", "B4"}},
      {{{.name = "same name after"}, {.name = "odd name", .entry = 3}}, {"B1", "odd name"}},
      {{{.name = "special byte in name"}, {.name = "wrong crc", .entry = 2}}, {"B2", "wrong crc"}},
      {{{.name = "unsupported method"}, {.name = "wrong crc", .entry = 2}},
       {"unsupported method", "wrong crc"}},
      {{{.name = "wrong crc"}, {.name = "long comment"}}, {"wrong crc", "long comment"}},
  };
  for (const Row& row : rows) {
    const Classified classified = classify(twisted(sound(), row.twists));
    const std::string what = row.twists[0].name + ", " + row.twists[1].name;
    EXPECT_EQ(classified.name, row.all[0]) << what << ": " << classified.why;
    for (const std::string& name : row.all)
      EXPECT_TRUE(has(classified, name)) << what << ": " << name;
  }
}

TEST(Classes, AllAreInTheOrderOfTheTable) {
  for (const TwistKind& first : all_twists())
    for (const TwistKind& second : all_twists()) {
      if (first.heavy || second.heavy) continue;
      const std::string bytes =
          twisted(sound(), {{.name = std::string(first.name), .entry = 1},
                            {.name = std::string(second.name), .entry = 2, .amount = 1}});
      expect_well_formed(classify(bytes),
                         std::string(first.name) + ", then " + std::string(second.name));
    }
}

// --- nothing but the bytes

TEST(Classes, TheSameBytesHaveTheSameClassWhereverTheyLie) {
  for (const TwistKind& kind : all_twists()) {
    if (kind.heavy) continue;
    for (std::uint32_t amount = 0; amount < 4; ++amount) {
      const std::string bytes = twisted(sound(), kind.name, 1, amount);
      const Classified classified = classify(bytes), again = classify(bytes);
      // Between other archives, at an odd address, and where nothing at all follows.
      const std::string among = "x" + sound() + bytes + sound();
      const Classified between =
          classify(std::string_view(among).substr(1 + sound().size(), bytes.size()));
      const auto bare = std::make_unique<char[]>(bytes.size());
      std::ranges::copy(bytes, bare.get());
      const Classified alone = classify({bare.get(), bytes.size()});
      for (const Classified* other : {&again, &between, &alone}) {
        EXPECT_EQ(classified.name, other->name) << kind.name;
        EXPECT_EQ(classified.why, other->why) << kind.name;
        EXPECT_EQ(classified.all, other->all) << kind.name;
      }
    }
  }
}

// --- large files

TEST(ClassesOfLargeFiles, MoreEntriesThanAreKeptAreNoContradiction) {
  const Classified all = classify(test::many_entries(70'000, "x", false));
  EXPECT_EQ(all.name, "sound") << all.why;
  EXPECT_EQ(all.unread, Names{});
  std::string bytes = test::many_entries(140'000, "x", false);
  const Classified part = classify(bytes);
  EXPECT_EQ(part.name, "in part") << part.why;
  EXPECT_EQ(part.all, (Names{"in part", "many entries"}));
  EXPECT_EQ(part.unread, Names{"8928 of 140000 entries not looked at"});
  EXPECT_EQ(part.entries, 140'000U);
  expect_well_formed(part, "140,000 entries");
  // One less in both counts of the zip64 record (4.3.14).
  const std::size_t record = bytes.rfind("PK\6\6");
  --bytes[record + 24], --bytes[record + 32];
  const Classified wrong = classify(bytes);
  EXPECT_EQ(wrong.name, "C5") << wrong.why;
  EXPECT_EQ(wrong.unread, part.unread);
}

TEST(ClassesOfLargeFiles, StoredValuesAreAllChecked) {
  std::string bytes = test::many_entries(17, std::string(2 << 20, 'v'), false);
  EXPECT_EQ(classify(bytes).name, "sound");
  bytes.replace(bytes.find("PK\1\2") - 8, 8, "changed!");  // of the last value
  EXPECT_EQ(classify(bytes).name, "wrong crc");
}

// What lies behind 32 MiB of decompressed values is not checked against its CRC.
TEST(Classes, OnlySoMuchIsDecompressed) {
  const std::vector<ArchiveEntry> large{{.key = "large", .bytes = std::string(33 << 20, '\0')},
                                        {.key = "small", .bytes = "01234567012345670123"}};
  const std::string bytes = make_archive(large, Compression::kDeflated).value();
  const Classified wrong = classify(twisted(bytes, "wrong crc", 1));
  EXPECT_FALSE(has(wrong, "wrong crc"));
  ASSERT_EQ(wrong.unread.size(), 1U);
  EXPECT_TRUE(wrong.unread[0].starts_with("2 of 2 values not checked")) << wrong.unread[0];
  EXPECT_TRUE(has(classify(twisted(bytes, "directory reversed")), "bomb"));
  const std::vector<ArchiveEntry> small{large[1]};
  EXPECT_EQ(
      classify(twisted(make_archive(small, Compression::kDeflated).value(), "wrong crc")).name,
      "wrong crc");
}

}  // namespace
}  // namespace storefuzz
