// Every class has its twists; each changes the bytes, is repeatable and safe on any archive; and
// some are what their names say, as libzip sees them.
#include "harness/zip/twists.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <set>

#include "harness/testing/shared.h"
#include "harness/zip/archive.h"
#include "harness/zip/classes.h"
#include "harness/zip/layout.h"
#include "harness/zip/structure.h"

namespace storefuzz {
namespace {

using Strings = std::vector<std::string>;

std::vector<ArchiveEntry> four() {
  return {{.key = "zarr.json", .bytes = R"({"zarr_format":3,"shape":[4]})"},
          {.key = "a/zarr.json", .bytes = std::string(300, '{')},
          {.key = "a/c/0", .bytes = test::noise(64)},
          {.key = "a/c/1", .bytes = "01234567"}};
}

std::string sound(Compression compression = Compression::kStored) {
  return make_archive(four(), compression).value();
}

std::string twisted(std::string_view archive, std::string_view name, std::uint32_t entry = 0,
                    std::uint32_t amount = 0) {
  const Twist twist{.name = std::string(name), .entry = entry, .amount = amount};
  const auto result = twist_archive(archive, {&twist, 1});
  if (!result) ADD_FAILURE() << result.error().message;
  return result.value_or("");
}

TEST(Twists, EveryClassIsCovered) {
  std::set<std::string_view> about;
  for (const TwistKind& kind : all_twists()) about.insert(kind.about);
  const std::set<std::string_view> wanted = {"A1",
                                             "A2",
                                             "A3",
                                             "A4",
                                             "A5",
                                             "B1",
                                             "B2",
                                             "B3",
                                             "B4",
                                             "C1",
                                             "C2",
                                             "C3",
                                             "C4",
                                             "C5",
                                             "truncated",
                                             "no directory",
                                             "trailing bytes",
                                             "prefix",
                                             "flipped bits",
                                             "wrong crc",
                                             "unsupported method",
                                             "long comment",
                                             "odd name",
                                             "nul in name",
                                             "nested archive",
                                             "unfinished write",
                                             "bomb",
                                             "many entries",
                                             "sound"};
  EXPECT_EQ(about, wanted);
}

TEST(Twists, TheTableIsInOrder) {
  std::set<std::string_view> names;
  for (const TwistKind& kind : all_twists()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name << " is there twice";
    ASSERT_NE(find_twist(kind.name), nullptr);
    EXPECT_EQ(find_twist(kind.name)->says, kind.says);
    EXPECT_TRUE(kind.section.starts_with("4.")) << kind.name;
    EXPECT_TRUE(kind.says.ends_with(".")) << kind.name;
  }
  EXPECT_EQ(find_twist("no such twist"), nullptr);
}

TEST(Twists, AnUnknownNameIsBadInput) {
  const Twist twists[] = {{.name = "wrong crc"}, {.name = "no such twist"}};
  const auto result = twist_archive(sound(), twists);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kBadInput);
  EXPECT_EQ(result.error().message, "There is no twist \"no such twist\".");
}

TEST(Twists, AnArchiveThatIsTooLargeIsBadInput) {
  const auto result = twist_archive(std::string(kMostTwisted + 1, '\0'), {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kBadInput);
}

TEST(Twists, NoTwistsChangeNothing) { EXPECT_EQ(twist_archive(sound(), {}).value(), sound()); }

TEST(Twists, EachChangesTheBytesWithItsFirstAmount) {
  for (const Compression compression : {Compression::kStored, Compression::kDeflated})
    for (const TwistKind& kind : all_twists())
      for (std::uint32_t entry = 0; entry < 4; ++entry) {
        if (kind.heavy && entry > 0) continue;
        EXPECT_NE(twisted(sound(compression), kind.name, entry), sound(compression))
            << kind.name << " on entry " << entry;
      }
}

TEST(Twists, AmountsAreVariants) {
  std::set<std::string_view> single;
  for (const TwistKind& kind : all_twists()) {
    if (kind.heavy) continue;
    std::set<std::string> seen;
    for (std::uint32_t amount = 0; amount < 4; ++amount)
      seen.insert(twisted(sound(), kind.name, 1, amount));
    if (seen.size() == 1) single.insert(kind.name);
  }
  const std::set<std::string_view> without = {"local name of another entry",
                                              "names swapped",
                                              "directory reversed",
                                              "no end record",
                                              "empty name",
                                              "deep name"};
  EXPECT_EQ(single, without);
}

TEST(Twists, TheSameTwistsGiveTheSameBytes) {
  for (const TwistKind& kind : all_twists())
    EXPECT_EQ(twisted(sound(), kind.name, 2, 3), twisted(sound(), kind.name, 2, 3)) << kind.name;
}

// Every entry is read whole by libzip, and the values are the same or one more.
TEST(Twists, WhatIsAboutSoundIsSound) {
  for (const Compression compression : {Compression::kStored, Compression::kDeflated})
    for (const TwistKind& kind : all_twists()) {
      if (kind.about != "sound") continue;
      for (std::uint32_t amount = 0; amount < 12; ++amount) {
        const ArchiveView view = view_archive(twisted(sound(compression), kind.name, 1, amount));
        EXPECT_TRUE(view.sound) << kind.name << " " << amount << ": " << view.why;
        EXPECT_GE(view.entries.size(), 4) << kind.name << " " << amount;
      }
    }
}

TEST(Twists, AnyTwistsAreSafeOnAnyArchive) {
  std::mt19937 random(1);
  const std::string archives[] = {sound(), sound(Compression::kDeflated),
                                  make_archive({}, Compression::kStored).value(), "", "PK"};
  for (int round = 0; round < 6'000; ++round) {
    std::vector<Twist> twists(1 + random() % 4);
    for (Twist& twist : twists) {
      do twist.name = all_twists()[random() % all_twists().size()].name;
      while (find_twist(twist.name)->heavy && round % 1000 != 0);
      twist.entry = static_cast<std::uint32_t>(random());
      twist.amount = static_cast<std::uint32_t>(random());
    }
    const auto result = twist_archive(archives[random() % std::size(archives)], twists);
    ASSERT_TRUE(result);
    ASSERT_LE(result->size(), kMostTwisted);
    ASSERT_EQ(render(parse_layout(*result)), *result);
  }
}

TEST(Twists, ResultsAreBounded) {
  const std::vector<Twist> twists(12, {.name = "nested archive"});
  const std::vector<Twist> many(9, {.name = "counts overflow"});
  for (const auto& list : {twists, many}) {
    const auto result = twist_archive(twisted(sound(), "long comment"), list);
    ASSERT_TRUE(result);
    EXPECT_LE(result->size(), kMostTwisted);
    EXPECT_GT(result->size(), kMostTwisted / 8);
  }
}

// An archive that an earlier twist left wrong stays wrong in the same way.
TEST(Twists, ALaterTwistDoesNotRepairAnEarlierOne) {
  const Twist twists[] = {{.name = "count off"}, {.name = "one more entry"}};
  const std::string bytes = twist_archive(sound(), twists).value();
  const ZipStructure zip = read_structure(bytes);
  EXPECT_EQ(zip.end->total, 5);
  EXPECT_EQ(zip.end->here, 5);
  EXPECT_EQ(zip.directory.size(), 5);
  EXPECT_NE(twisted(twisted(sound(), "prefix"), "one more entry"), "");
  EXPECT_TRUE(view_archive(twisted(twisted(sound(), "prefix, adjusted"), "one more entry")).sound);
}

// A value that is replaced takes its descriptor along.
TEST(Twists, NoDescriptorIsLeftBehind) {
  for (const char* name : {"two readings by method", "sizes of a prefix", "entry in a value"}) {
    const std::string later = twisted(sound(), "data descriptor", 1);
    EXPECT_EQ(parse_layout(later).parts.size(), 10);
    for (const ZipPart& part : parse_layout(twisted(later, name, 1)).parts)
      EXPECT_FALSE(std::holds_alternative<DescriptorPart>(part)) << name;
  }
}

// --- what their names say

TEST(Twists, AnEntryBesideAnotherHoldsAnotherValueOfTheSameLength) {
  const auto values = four();
  for (const char* name : {"same name after", "same name before", "other case", "double slash",
                           "dot inside", "absolute spelling", "parent in front"})
    for (std::uint32_t entry = 0; entry < 4; ++entry) {
      const std::string bytes = twisted(sound(Compression::kDeflated), name, entry);
      const ArchiveView view = view_archive(bytes);
      EXPECT_TRUE(view.sound) << name << ": " << view.why;
      ASSERT_EQ(view.entries.size(), 5) << name;
      int changed = 0;
      for (const auto& [key, value] : view.entries) {
        bool known = false;
        for (const auto& [old_key, old_value] : values) known |= value == old_value;
        if (known) continue;
        ++changed;
        EXPECT_EQ(value.size(), values[entry].bytes.size()) << name;
      }
      EXPECT_EQ(changed, 1) << name << " of entry " << entry;
    }
}

TEST(Twists, OtherMetadataAreStillMetadata) {
  const ArchiveView view = view_archive(twisted(sound(), "same name after", 0));
  EXPECT_EQ(view.entries[1].second, R"({"zarr_format":3,"shape":[5]})");
}

TEST(Twists, CountsOverflowModulo65536) {
  const std::string bytes = twisted(sound(), "counts overflow");
  const ZipStructure zip = read_structure(bytes);
  EXPECT_EQ(zip.end->total, 4);
  EXPECT_EQ(zip.directory.size(), 65'540);
}

TEST(Twists, ManyEntriesAreCounted) {
  const std::string bytes = twisted(sound(), "many entries");
  EXPECT_EQ(read_structure(bytes).end->total, 20'004);
}

TEST(Twists, ABombIsSmallAndSound) {
  const std::string bytes = twisted(sound(), "bomb");
  EXPECT_LT(bytes.size(), 64 << 10);
  const ArchiveView view = view_archive(bytes);
  EXPECT_TRUE(view.sound) << view.why;
  EXPECT_EQ(view.entries.back().second.size(), 8 << 20);
}

TEST(Twists, AnotherDirectoryHoldsOtherValues) {
  for (const char* name : {"two directories", "forgotten directory", "zip64 other directory"})
    for (std::uint32_t amount = 0; amount < 4; ++amount) {
      const std::string bytes = twisted(sound(), name, 0, amount);
      const ZipStructure zip = read_structure(bytes);
      EXPECT_EQ(zip.end->total, 4) << name << amount;
      EXPECT_EQ(zip.scanned.size(), 8) << name << amount;  // both sets of local headers
      EXPECT_TRUE(central_at(bytes, zip.end->offset)) << name << amount;
      std::size_t entries = 0;
      for (const ZipPart& part : parse_layout(bytes).parts)
        entries += std::holds_alternative<CentralPart>(part);
      EXPECT_EQ(entries, 8) << name << amount;
    }
}

TEST(Twists, AnArchiveInTheCommentCanBeReadFromThere) {
  const std::string bytes = twisted(sound(), "other archive in the comment");
  const ZipStructure zip = read_structure(bytes);
  EXPECT_EQ(zip.ends.size(), 2);
  ASSERT_EQ(zip.directory.size(), 4);
  for (const auto& local : zip.locals) EXPECT_TRUE(local);
  EXPECT_GT(zip.directory[0].offset, sound().size() - 1);
}

TEST(Twists, BothReadingsByMethodFit) {
  for (std::uint32_t amount = 0; amount < 2; ++amount) {
    const ZipLayout zip = parse_layout(twisted(sound(), "two readings by method", 1, amount));
    const auto& local = std::get<LocalPart>(zip.parts[1]);
    const auto& central = std::get<CentralPart>(zip.parts[5]);
    EXPECT_EQ(local.packed, central.packed);
    EXPECT_EQ(local.method + central.method, 8);
    EXPECT_EQ(std::max(local.size, central.size), 300);
    EXPECT_NE(local.crc, central.crc);
  }
}

TEST(Twists, FieldsAreBentOnTheSideThatIsNamed) {
  const ZipLayout before = parse_layout(sound());
  const auto parts = [&](const char* name) {
    return parse_layout(twisted(sound(), name, 2)).parts;
  };
  // The lowest bit (4.4.4); newer libzip sets that of UTF-8 as well.
  EXPECT_EQ(std::get<LocalPart>(parts("local encrypted")[2]).flags & 1, 1);
  EXPECT_EQ(std::get<CentralPart>(parts("local encrypted")[6]).flags & 1, 0);
  EXPECT_EQ(std::get<CentralPart>(parts("central encrypted")[6]).flags & 1, 1);
  EXPECT_EQ(parts("central encrypted")[2], before.parts[2]);
  EXPECT_EQ(parts("central method differs")[2], before.parts[2]);
  EXPECT_EQ(parts("local method differs")[6], before.parts[6]);
  EXPECT_EQ(parts("wrong central crc")[2], before.parts[2]);
  EXPECT_EQ(parts("wrong local crc")[6], before.parts[6]);
  EXPECT_EQ(parts("central sizes off")[2], before.parts[2]);
  EXPECT_EQ(parts("local sizes zero")[6], before.parts[6]);
}

TEST(Twists, OneBitIsFlipped) {
  for (const char* name :
       {"flipped bit in data", "flipped bit in local header", "flipped bit in central header",
        "flipped bit in end record", "flipped bit"})
    for (std::uint32_t amount = 0; amount < 64; ++amount) {
      const std::string before = sound(), after = twisted(before, name, 1, amount);
      ASSERT_EQ(before.size(), after.size());
      int bits = 0;
      for (std::size_t i = 0; i < before.size(); ++i)
        bits += std::popcount(static_cast<unsigned char>(before[i] ^ after[i]));
      EXPECT_EQ(bits, 1) << name;
    }
}

TEST(Twists, TruncatedReachesEveryByte) {
  const std::size_t size = sound().size();
  for (std::uint32_t amount = 0; amount < 2 * size; ++amount)
    ASSERT_EQ(twisted(sound(), "truncated", 0, amount).size(), amount % size);
}

Strings names_of(const std::string& bytes) {
  Strings names;
  for (const CentralHeader& it : read_structure(bytes).directory) names.emplace_back(it.name);
  return names;
}

TEST(Twists, FoldersHaveEntriesBeforeThoseInThem) {
  const Strings all = {"zarr.json", "a/", "a/zarr.json", "a/c/", "a/c/0", "a/c/1"};
  const Strings first = {"zarr.json", "a/", "a/zarr.json", "a/c/0", "a/c/1"};
  for (const Compression compression : {Compression::kStored, Compression::kDeflated})
    for (std::uint32_t amount = 0; amount < 3; ++amount) {
      const std::string bytes = twisted(sound(compression), "folder entries", 1, amount);
      EXPECT_EQ(names_of(bytes), amount == 1 ? first : all);
      const ZipStructure zip = read_structure(bytes);
      ASSERT_EQ(zip.scanned.size(), zip.directory.size());
      for (std::size_t i = 0; i < zip.directory.size(); ++i) {
        EXPECT_EQ(zip.scanned[i].name, zip.directory[i].name);
        if (!zip.directory[i].name.ends_with('/')) continue;
        EXPECT_EQ(zip.directory[i].size + zip.directory[i].packed, 0);
        EXPECT_EQ(zip.directory[i].attributes & 0xf0000010, amount == 2 ? 0 : 0x40000010);
      }
      const Classified classified = classify(bytes);
      EXPECT_EQ(classified.name, "sound") << amount << ": " << classified.why;
      EXPECT_EQ(twisted(bytes, "folder entries", 1, amount) == bytes, amount != 1);
    }
}

TEST(Twists, AnArchiveWithoutFoldersGetsOne) {
  const std::string flat = make_archive(std::vector{four().front()}, Compression::kStored).value();
  EXPECT_EQ(names_of(twisted(flat, "folder entries")), (Strings{"zarr.json", "folder/"}));
  const std::string empty = make_archive({}, Compression::kStored).value();
  const std::string bytes = twisted(empty, "folder entries");
  EXPECT_EQ(names_of(bytes), Strings{"folder/"});
  EXPECT_EQ(classify(bytes).name, "sound");
  EXPECT_EQ(twisted(bytes, "folder entries"), bytes);
}

// A name of thousands of levels has as many folders, and each has a name of thousands of bytes.
TEST(Twists, FoldersAreNotEndless) {
  const std::string bytes = twisted(twisted(sound(), "deep name"), "folder entries");
  EXPECT_EQ(names_of(bytes).size(), 4 + 256);
}

// --- bytes of a fuzzer

TEST(Twists, AnOddByteLeavesTheRestAsItIs) {
  EXPECT_EQ(decode_archive("\1PK"), "PK");
  EXPECT_EQ(decode_archive("\1"), "");
  EXPECT_EQ(decode_archive(""), "");
}

TEST(Twists, AnEvenByteMakesArchives) {
  EXPECT_TRUE(view_archive(decode_archive(std::string_view("\0", 1))).sound);
  std::mt19937 random(1);
  std::set<std::string> seen;
  int parsed = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    bytes.insert(0, 1, static_cast<char>(random() % 128 * 2));
    const std::string archive = decode_archive(bytes);
    ASSERT_EQ(archive, decode_archive(bytes));
    seen.insert(archive);
    parsed += read_structure(archive).end.has_value();
  }
  EXPECT_GT(seen.size(), 1500);
  EXPECT_GT(parsed, 1000);
}

}  // namespace
}  // namespace storefuzz
