// Every value that stands in an archive is honest, hidden ones too, and no other is.
#include "harness/zip/values.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "harness/testing/shared.h"
#include "harness/zip/archive.h"
#include "harness/zip/deflate.h"
#include "harness/zip/layout.h"
#include "harness/zip/structure.h"
#include "harness/zip/twists.h"

namespace storefuzz {
namespace {

using Names = std::vector<std::string>;

constexpr Compression kBoth[] = {Compression::kStored, Compression::kDeflated};

std::vector<ArchiveEntry> three() {
  return {{.key = "zarr.json", .bytes = R"({"zarr_format":3,"node_type":"group"})"},
          {.key = "a/c/0", .bytes = test::noise(200)},
          {.key = "a/c/1", .bytes = std::string(300, '7')}};
}

std::string sound(Compression compression) { return make_archive(three(), compression).value(); }

std::string twisted(std::string_view archive, std::string_view name, std::uint32_t entry = 0,
                    std::uint32_t amount = 0) {
  const Twist twist{.name = std::string(name), .entry = entry, .amount = amount};
  const auto result = twist_archive(archive, {&twist, 1});
  if (!result) ADD_FAILURE() << result.error().message;
  return result.value_or("");
}

void expect_honest(std::string_view archive, std::string_view what) {
  const std::set<ValueSum> honest = values_in(archive);
  for (const ArchiveEntry& it : three())
    EXPECT_TRUE(honest.contains(sum_of(it.bytes))) << what << ": " << it.key;
}

TEST(SumOf, IsTheNumberOfBytesAndTheirCrc) {
  EXPECT_EQ(sum_of(""), (ValueSum{.size = 0, .crc = 0}));
  EXPECT_EQ(sum_of("123456789"), (ValueSum{.size = 9, .crc = 0xcbf43926}));
  EXPECT_NE(sum_of("123456789"), sum_of("123456788"));
}

TEST(ValuesIn, HoldsEveryValueOfASoundArchive) {
  for (const Compression compression : kBoth) {
    expect_honest(sound(compression), "plain");
    for (const TwistKind& kind : all_twists())
      for (std::uint32_t amount = 0; amount < 6 && kind.about == "sound"; ++amount)
        expect_honest(twisted(sound(compression), kind.name, 1, amount), kind.name);
  }
}

// A reader that gives nothing at all invents nothing.
TEST(ValuesIn, HoldsTheEmptyValueAlways) {
  const ValueSum nothing{.size = 0, .crc = 0};
  EXPECT_EQ(values_in(""), std::set{nothing});
  EXPECT_EQ(values_in("no archive at all"), std::set{nothing});
  EXPECT_EQ(values_in(make_archive({}, Compression::kStored).value()), std::set{nothing});
  EXPECT_TRUE(values_in(sound(Compression::kStored)).contains(nothing));
}

TEST(ValuesIn, DoesNotHoldAnInventedOne) {
  for (const Compression compression : kBoth) {
    const std::set<ValueSum> honest = values_in(sound(compression));
    for (const ArchiveEntry& entry : three()) {
      std::string other = entry.bytes;
      other[other.size() / 2] ^= 1;
      EXPECT_FALSE(honest.contains(sum_of(other))) << entry.key;
      EXPECT_FALSE(honest.contains(sum_of(entry.bytes + "x"))) << entry.key;
      EXPECT_FALSE(honest.contains(sum_of(entry.bytes.substr(1)))) << entry.key;
      EXPECT_FALSE(
          honest.contains({.size = entry.bytes.size(), .crc = sum_of(entry.bytes).crc ^ 1}));
      EXPECT_FALSE(
          honest.contains({.size = entry.bytes.size() - 1, .crc = sum_of(entry.bytes).crc}));
    }
  }
}

// What a twist put in: the value of every local header of the layout, listed or not.
std::vector<std::string> values_that_stand_in(std::string_view archive) {
  std::vector<std::string> values;
  for (const ZipPart& part : parse_layout(archive).parts)
    if (const auto* local = std::get_if<LocalPart>(&part))
      values.push_back(local->method == 8 ? decompressed(local->data, 1 << 20).bytes : local->data);
  return values;
}

TEST(ValuesIn, HoldsWhatTheDirectoryHides) {
  for (const Compression compression : kBoth)
    for (const char* name : {"unlisted entry", "unlisted value", "entry in the comment"})
      for (std::uint32_t amount = 0; amount < 6; ++amount) {
        const std::string archive = twisted(sound(compression), name, 1, amount);
        expect_honest(archive, name);
        const std::set<ValueSum> honest = values_in(archive);
        for (const std::string& value : values_that_stand_in(archive))
          EXPECT_TRUE(honest.contains(sum_of(value))) << name;
        EXPECT_GT(honest.size(), values_in(sound(compression)).size()) << name;
      }
}

TEST(ValuesIn, HoldsBothValuesOfANameThatIsThereTwice) {
  for (const Compression compression : kBoth)
    for (const char* name : {"same name after", "same name before"})
      for (std::uint32_t entry = 0; entry < 3; ++entry) {
        const std::string archive = twisted(sound(compression), name, entry);
        expect_honest(archive, name);
        const std::vector<std::string> values = values_that_stand_in(archive);
        ASSERT_EQ(values.size(), 4) << name;
        EXPECT_EQ((std::set<std::string>(values.begin(), values.end()).size()), 4) << name;
        const std::set<ValueSum> honest = values_in(archive);
        for (const std::string& value : values)
          EXPECT_TRUE(honest.contains(sum_of(value))) << name << " of entry " << entry;
      }
}

// A header may state less than there is: what is before that is honest, packed or not.
TEST(ValuesIn, HoldsWhatAStatedSizeCutsOff) {
  const std::string value = three()[2].bytes;
  for (const Compression compression : kBoth) {
    ZipLayout zip = parse_layout(sound(compression));
    for (ZipPart& part : zip.parts)
      if (auto* central = std::get_if<CentralPart>(&part); central && central->name == "a/c/1")
        central->size = 10;
    const std::set<ValueSum> honest = values_in(render(zip));
    EXPECT_TRUE(honest.contains(sum_of(value.substr(0, 10))));
    EXPECT_TRUE(honest.contains(sum_of(value)));
    EXPECT_FALSE(honest.contains(sum_of(value.substr(0, 11))));
  }
}

// Not every reader looks whether there is a header before it reads what should be behind it.
TEST(ValuesIn, HoldsWhatLiesBehindADestroyedHeader) {
  for (std::uint32_t amount = 0; amount < 4; ++amount)
    expect_honest(twisted(sound(Compression::kStored), "destroyed local signature", 1, amount),
                  "destroyed local signature");
}

TEST(ValuesIn, IsEmptyWhereAMethodIsUnknown) {
  for (const char* name :
       {"unsupported method", "central method differs", "local method differs"}) {
    bool unknown = false;
    for (std::uint32_t amount = 0; amount < 8; ++amount) {
      const std::string archive = twisted(sound(Compression::kStored), name, 1, amount);
      bool other = false;
      for (const ZipPart& part : parse_layout(archive).parts) {
        if (const auto* it = std::get_if<LocalPart>(&part)) other |= it->method % 8 != 0;
        if (const auto* it = std::get_if<CentralPart>(&part)) other |= it->method % 8 != 0;
        if (const auto* it = std::get_if<LocalPart>(&part)) other |= it->method > 8;
        if (const auto* it = std::get_if<CentralPart>(&part)) other |= it->method > 8;
      }
      EXPECT_EQ(values_in(archive).empty(), other) << name << " " << amount;
      unknown |= other;
    }
    EXPECT_TRUE(unknown) << name;
  }
}

TEST(ValuesIn, AnyBytesHaveValues) {
  std::mt19937 random(1);
  for (int round = 0; round < 1000; ++round) {
    std::string bytes(random() % 48, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    bytes.insert(0, 1, static_cast<char>(random() % 128 * 2));
    const std::string archive = decode_archive(bytes);
    EXPECT_EQ(values_in(archive), values_in(archive));
    for (const std::string& name : names_in(archive, 64)) EXPECT_LE(name.size(), 4096);
  }
}

// Nothing is timed: what is not bounded does not end before ctest loses its patience.
TEST(ValuesIn, ManyHeadersBeforeMuchThatUnpacksToNothing) {
  std::string bytes;
  const std::size_t size = render(ZipPart(LocalPart{})).size(), count = 0xffff / size;
  for (std::size_t i = 1; i <= count; ++i)  // all of them end at one place
    bytes += render(ZipPart(
        LocalPart{.method = 8, .extra_length = static_cast<std::uint16_t>((count - i) * size)}));
  const std::string empty_block("\0\0\0\xff\xff", 5);
  while (bytes.size() < 4 << 20) bytes += empty_block;
  EXPECT_LE(values_in(bytes).size(), 1);
}

// What was not looked at may hold anything: then nobody knows.
TEST(ValuesIn, AreAllThereOrNone) {
  std::vector<ArchiveEntry> entries;
  for (int i = 0; i < 5000; ++i)
    entries.push_back({.key = "c/" + std::to_string(i), .bytes = std::to_string(i)});
  EXPECT_TRUE(values_in(make_archive(entries, Compression::kStored).value()).empty());
  entries.resize(4000);
  const auto honest = values_in(make_archive(entries, Compression::kDeflated).value());
  for (const ArchiveEntry& it : entries) EXPECT_TRUE(honest.contains(sum_of(it.bytes))) << it.key;
  const std::vector<ArchiveEntry> large{{.key = "a", .bytes = std::string(65 << 20, '\0')},
                                        {.key = "b", .bytes = "behind"}};
  EXPECT_TRUE(values_in(make_archive(large, Compression::kDeflated).value()).empty());
}

TEST(ValuesIn, ManySizesOfOneLargeValue) {
  const std::vector<ArchiveEntry> large{{.key = "a", .bytes = std::string(48 << 20, '\0')}};
  std::string bytes = make_archive(large, Compression::kDeflated).value();
  for (std::uint32_t i = 0; i < 4000; ++i)
    bytes += render(ZipPart(CentralPart{.method = 8,
                                        .packed = (40U << 20) + 2 * i,
                                        .size = (40U << 20) + 2 * i + 1,
                                        .name_length = 1,
                                        .name = "a"}));
  EXPECT_TRUE(values_in(bytes).contains(sum_of(large[0].bytes)));
}

// --- names

TEST(NamesIn, AreEachThereOnceInTheOrderOfTheFile) {
  for (const Compression compression : kBoth)
    EXPECT_EQ(names_in(sound(compression), 64), (Names{"zarr.json", "a/c/0", "a/c/1"}));
  EXPECT_EQ(names_in(twisted(sound(Compression::kStored), "same name after", 1), 64),
            (Names{"zarr.json", "a/c/0", "a/c/1"}));
  EXPECT_EQ(names_in("", 64), Names{});
}

// Those of the directory come first, so that a bound takes away what most readers do not see.
TEST(NamesIn, BeginWithThoseOfTheDirectory) {
  EXPECT_EQ(names_in(twisted(sound(Compression::kStored), "directory reversed"), 64),
            (Names{"a/c/1", "a/c/0", "zarr.json"}));
  const std::string other = twisted(sound(Compression::kStored), "local name of another entry", 1);
  EXPECT_EQ(names_in(other, 64), (Names{"zarr.json", "a/c/0", "a/c/1"}));
  const std::string hidden = twisted(sound(Compression::kStored), "unlisted entry", 0);
  const Names names = names_in(hidden, 64);
  ASSERT_EQ(names.size(), 4);
  EXPECT_EQ(Names(names.begin(), names.begin() + 3), (Names{"zarr.json", "a/c/0", "a/c/1"}));
}

TEST(NamesIn, AreNoMoreThanAskedFor) {
  EXPECT_EQ(names_in(sound(Compression::kStored), 2), (Names{"zarr.json", "a/c/0"}));
  EXPECT_EQ(names_in(sound(Compression::kStored), 0), Names{});
}

TEST(NamesIn, AllOfThemAreThereAndSaidToBe) {
  std::string bytes;
  for (int i = 0; i < 3000; ++i) {
    const std::string name = std::to_string(10'000 + i);
    bytes += render(ZipPart(CentralPart{.name_length = 5, .name = name}));
  }
  const auto all = all_names_in(bytes);
  EXPECT_EQ(all.list.size(), 3000U);
  EXPECT_TRUE(all.whole);
  EXPECT_FALSE(all_names_in(bytes + bytes).whole);  // no more than 4096 headers are looked at
}

TEST(NamesIn, SayWhatAnEncryptedValueIsBehindItsCipher) {
  const std::string bytes = twisted(sound(Compression::kStored), "central encrypted", 1);
  for (const NameInFile& name : all_names_in(bytes).list) {
    EXPECT_EQ(name.encrypted.has_value(), name.name == "a/c/0") << name.name;
    EXPECT_GT(name.size, 0U) << name.name;
    // The directory only says so.
    if (name.encrypted) EXPECT_TRUE(values_in(bytes).contains(*name.encrypted));
  }
}

TEST(NamesIn, AreAsTheyStandAndNotTooLong) {
  const std::string hostile("\xff\0\n</script>", 12);
  const auto central = [](const std::string& name) {
    return render(
        ZipPart(CentralPart{.name_length = static_cast<std::uint16_t>(name.size()), .name = name}));
  };
  EXPECT_EQ(names_in(central(hostile), 64), Names{hostile});
  EXPECT_EQ(names_in(central(std::string(4096, 'n')) + central(std::string(4097, 'n')), 64),
            Names{std::string(4096, 'n')});
}

}  // namespace
}  // namespace storefuzz
