// Any bytes are a layout and render back to themselves; repair changes nothing that was parsed, and
// puts right what parts that were put in have moved.
#include "harness/zip/layout.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <set>

#include "harness/testing/shared.h"
#include "harness/zip/archive.h"
#include "harness/zip/twists.h"
#include "harness/zip/values.h"

namespace storefuzz {
namespace {

std::vector<ArchiveEntry> four() {
  return {{.key = "zarr.json", .bytes = R"({"zarr_format":3})"},
          {.key = "a/zarr.json", .bytes = std::string(300, '{')},
          {.key = "a/c/0", .bytes = test::noise(64)},
          {.key = "empty", .bytes = ""}};
}

std::string sound(std::vector<ArchiveEntry> entries, Compression compression) {
  return make_archive(entries, compression).value();
}

std::vector<std::string> sound_archives() {
  return {
      sound(four(), Compression::kStored), sound(four(), Compression::kDeflated),
      sound({}, Compression::kStored),
      sound({{.key = "PK", .bytes = sound(four(), Compression::kStored)}}, Compression::kStored)};
}

template <class Part>
std::vector<Part> all(const ZipLayout& zip) {
  std::vector<Part> found;
  for (const ZipPart& part : zip.parts)
    if (const auto* it = std::get_if<Part>(&part)) found.push_back(*it);
  return found;
}

// What holds for every string of bytes.
void expect_kept(std::string_view bytes, std::string_view what) {
  ZipLayout zip = parse_layout(bytes);
  ASSERT_EQ(render(zip), bytes) << what;
  const ZipLayout before = zip;
  repair(zip);
  ASSERT_EQ(zip, before) << what;
}

// The parts of a layout as letters: a shape that a person can read.
std::string shape(const ZipLayout& zip) {
  std::string letters;
  for (const ZipPart& part : zip.parts) letters += "ldczte_"[part.index()];
  return letters;
}

TEST(Layout, ASoundArchiveIsTypedPartsThatFit) {
  const ZipLayout zip = parse_layout(sound(four(), Compression::kStored));
  EXPECT_EQ(shape(zip), "llllcccce");
  EXPECT_EQ(zip.shift, 0);
  const auto locals = all<LocalPart>(zip);
  const auto centrals = all<CentralPart>(zip);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(locals[i].name, four()[i].key);
    EXPECT_EQ(locals[i].data, four()[i].bytes);
    EXPECT_EQ(centrals[i].name, locals[i].name);
    EXPECT_EQ(centrals[i].crc, locals[i].crc);
    EXPECT_EQ(centrals[i].local, locals[i].label);
  }
  EXPECT_EQ(all<EndPart>(zip).front().total, 4);
  EXPECT_EQ(all<EndPart>(zip).front().right, Right{});
}

TEST(Layout, RecordsInsideAValueAreTheValue) {
  const std::string inner = sound(four(), Compression::kStored);
  const ZipLayout zip = parse_layout(sound_archives().back());
  EXPECT_EQ(shape(zip), "lce");
  EXPECT_EQ(all<LocalPart>(zip).front().data, inner);
}

TEST(Layout, AnEmptyArchiveIsItsEndRecord) {
  EXPECT_EQ(shape(parse_layout(sound({}, Compression::kStored))), "e");
  EXPECT_EQ(shape(parse_layout("")), "");
}

TEST(Layout, SoundArchivesRenderBackAndNeedNoRepair) {
  for (const std::string& bytes : sound_archives()) expect_kept(bytes, "sound");
}

TEST(Layout, EveryTwistRendersBackAndNeedsNoRepair) {
  const auto archives = sound_archives();
  for (const TwistKind& kind : all_twists()) {
    for (const std::string& bytes : archives)
      for (std::uint32_t amount = 0; amount < (kind.heavy ? 1 : 16); ++amount) {
        const Twist twist{.name = std::string(kind.name), .entry = amount / 2, .amount = amount};
        expect_kept(twist_archive(bytes, {&twist, 1}).value(), kind.name);
      }
  }
}

// Bytes set, taken away, put in and copied.
void edit(std::string& bytes, std::mt19937& random) {
  constexpr std::string_view signatures[] = {"PK\1\2", "PK\3\4", "PK\5\6",
                                             "PK\6\6", "PK\6\7", "PK\7\10"};
  const std::size_t at = random() % (bytes.size() + 1), from = random() % (bytes.size() + 1);
  switch (random() % 4) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(random());
      break;
    case 1:
      bytes.erase(at, random() % 20);
      break;
    case 2:
      bytes.insert(at, std::string(bytes.substr(from, random() % 60)));
      break;
    default:
      bytes.insert(at, signatures[random() % std::size(signatures)]);
  }
}

TEST(Layout, AnyBytesRenderBackAndNeedNoRepair) {
  std::mt19937 random(1);
  const auto archives = sound_archives();
  const auto& kinds = all_twists();
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = archives[random() % archives.size()];
    const Twist twist{.name = std::string(kinds[random() % kinds.size()].name),
                      .entry = static_cast<std::uint32_t>(random()),
                      .amount = static_cast<std::uint32_t>(random() % 64)};
    if (!find_twist(twist.name)->heavy) bytes = twist_archive(bytes, {&twist, 1}).value();
    for (unsigned edits = random() % 6; edits > 0; --edits) edit(bytes, random);
    ASSERT_NO_FATAL_FAILURE(expect_kept(bytes, twist.name)) << "round " << round;
  }
}

TEST(Layout, NoiseIsOneGap) {
  const std::string bytes = "PK" + std::string(100, 'P') + "PK\1";
  EXPECT_EQ(shape(parse_layout(bytes)), "_");
  expect_kept(bytes, "noise");
}

// Each is worst for one loop of the parser; a parser that looked ahead again and again would take
// minutes.
TEST(Layout, HostileBytesTakeTimeInProportion) {
  using Clock = std::chrono::steady_clock;
  const LocalPart later{.flags = 8, .name_length = 0};
  const LocalPart huge{.packed = 0xfffffff0};
  for (const std::string& unit :
       {render(later), render(huge), render(CentralPart{}), render(EndPart{}),
        render(Zip64EndPart{}), std::string("PK"), std::string("PK\7\10", 4)}) {
    std::string bytes;
    while (bytes.size() < 4 << 20) bytes += unit;
    const auto begin = Clock::now();
    expect_kept(bytes, unit);
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(20)) << testing::PrintToString(unit);
  }
}

TEST(Layout, FieldsStandAsTheyAreGiven) {
  ZipLayout zip = parse_layout(sound(four(), Compression::kStored));
  auto& local = std::get<LocalPart>(zip.parts[0]);
  local.name_length = 3;  // less than there is
  local.packed = 0x01020304;
  const std::string bytes = render(zip);
  EXPECT_EQ(bytes.substr(18, 4), "\x04\x03\x02\x01");           // 4.3.7: compressed size
  EXPECT_EQ(bytes.substr(26, 2), std::string_view("\3\0", 2));  // file name length
  EXPECT_EQ(bytes.size(), sound(four(), Compression::kStored).size());
}

TEST(Layout, RepairMakesWhatWasInsertedSound) {
  for (const Compression compression : {Compression::kStored, Compression::kDeflated}) {
    ZipLayout zip = parse_layout(sound(four(), compression));
    ZipLayout other = parse_layout(sound({{.key = "more", .bytes = "1234"}}, compression));
    auto local = std::get<LocalPart>(other.parts[0]);
    auto central = std::get<CentralPart>(other.parts[1]);
    local.label = 9;
    central.local = 9;
    zip.parts.insert(zip.parts.begin() + 5, central);
    zip.parts.insert(zip.parts.begin() + 1, local);
    EXPECT_FALSE(view_archive(render(zip)).sound);
    repair(zip);
    const ArchiveView view = view_archive(render(zip));
    EXPECT_TRUE(view.sound) << view.why;
    ASSERT_EQ(view.entries.size(), 5);
    EXPECT_EQ(view.entries[1], std::pair(std::string("more"), std::string("1234")));
    const ZipLayout once = zip;
    repair(zip);
    EXPECT_EQ(zip, once);
  }
}

TEST(Layout, RepairReachesZip64Records) {
  ZipLayout zip = parse_layout(sound(four(), Compression::kStored));
  auto& end = std::get<EndPart>(zip.parts.back());
  end.right = {false, false, false, false};
  end.here = end.total = 0xffff;
  end.size = end.offset = 0xffffffff;
  zip.parts.insert(zip.parts.end() - 1, Zip64EndPart{});
  zip.parts.insert(zip.parts.end() - 1, Zip64LocatorPart{});
  repair(zip);
  EXPECT_EQ(shape(parse_layout(render(zip))), "llllcccczte");
  EXPECT_EQ(all<Zip64EndPart>(zip).front().total, 4);
  const ArchiveView view = view_archive(render(zip));
  EXPECT_TRUE(view.sound) << view.why;
  EXPECT_EQ(view.entries.size(), 4);
}

// A central header whose offset is in its zip64 extra field, behind both sizes (4.5.3).
TEST(Layout, RepairReachesOffsetsInExtraFields) {
  ZipLayout zip = parse_layout(sound(four(), Compression::kStored));
  auto& central = std::get<CentralPart>(zip.parts[5]);
  std::string extra("\1\0\30\0", 4);
  for (const std::uint32_t number : {central.size, central.packed, central.offset})
    for (int i = 0; i < 8; ++i) extra += static_cast<char>(std::uint64_t{number} >> (8 * i));
  central.size = central.packed = central.offset = 0xffffffff;
  central.extra = extra;
  central.extra_length = static_cast<std::uint16_t>(extra.size());
  repair(zip);
  zip = parse_layout(render(zip));
  ASSERT_EQ(all<CentralPart>(zip)[1].local, 1u);
  zip.parts.insert(zip.parts.begin(), GapPart{"prefix"});
  repair(zip);
  const ZipLayout again = parse_layout(render(zip));
  EXPECT_EQ(all<CentralPart>(again)[1].local, 1u);
  EXPECT_EQ(all<CentralPart>(again)[1].offset, 0xffffffff);
}

TEST(Layout, OffsetsCountFromThePrefixWhenTheyDid) {
  ZipLayout zip = parse_layout("prefix" + sound(four(), Compression::kStored));
  EXPECT_EQ(zip.shift, 6);
  EXPECT_EQ(all<CentralPart>(zip)[3].local, 3u);
  EXPECT_EQ(all<EndPart>(zip)[0].right, Right{});
  std::get<GapPart>(zip.parts[0]).bytes = "a longer prefix";
  zip.shift = 15;
  const std::string longer = "a longer prefix" + sound(four(), Compression::kStored);
  repair(zip);
  EXPECT_EQ(render(zip), longer);
}

TEST(Layout, RepairLeavesWhatWasWrong) {
  ZipLayout zip = parse_layout(sound(four(), Compression::kStored));
  std::get<EndPart>(zip.parts.back()).total = 7;
  zip = parse_layout(render(zip));
  zip.parts.insert(zip.parts.begin() + 4, zip.parts[4 - 1]);
  repair(zip);
  const EndPart end = all<EndPart>(zip).front();
  EXPECT_EQ(end.total, 7);
  EXPECT_EQ(end.here, 4);
  const ZipLayout again = parse_layout(render(zip));
  EXPECT_TRUE(all<EndPart>(again).front().right.offset);
}

// Every form of a data descriptor (4.3.9) is found again.
TEST(Layout, DescriptorsAreFound) {
  for (const bool wide : {false, true})
    for (const bool with_signature : {false, true}) {
      ZipLayout zip = parse_layout(sound(four(), Compression::kStored));
      auto& local = std::get<LocalPart>(zip.parts[1]);
      const DescriptorPart descriptor{.with_signature = with_signature,
                                      .wide = wide,
                                      .crc = local.crc,
                                      .packed = local.packed,
                                      .size = local.size};
      local.flags |= 8;
      local.crc = local.packed = local.size = 0;
      zip.parts.insert(zip.parts.begin() + 2, descriptor);
      repair(zip);
      const ZipLayout again = parse_layout(render(zip));
      EXPECT_EQ(shape(again), "lldllcccce") << wide << with_signature;
      EXPECT_EQ(all<DescriptorPart>(again).at(0), descriptor);
    }
}

// --- files that were made to be slow

// Headers of one name, each with its own sizes: every header could have the size of every other.
TEST(Hostile, MillionsOfStatedSizesAreTooMany) {
  ZipLayout zip;
  for (std::uint32_t i = 0; i < 1000; ++i)
    zip.parts.emplace_back(LocalPart{.label = i, .packed = i, .size = i, .data = {}});
  for (std::uint32_t i = 0; i < 1000; ++i)
    zip.parts.emplace_back(CentralPart{.local = i, .packed = 5000 + i, .size = 7000 + i});
  zip.parts.emplace_back(EndPart{});
  repair(zip);
  EXPECT_EQ(values_in(render(zip)), std::set<ValueSum>{});
}

// Extra fields are looked through once for each header, not once for each pair of them.
TEST(Hostile, ManyExtraFieldsAreReadInNoTime) {
  std::string extra;
  for (int i = 0; i < 16'000; ++i) extra += std::string("\1\0\0\0", 4);
  ZipLayout zip;
  for (std::uint32_t i = 0; i < 4000; ++i) zip.parts.emplace_back(LocalPart{.label = i});
  for (std::uint32_t i = 0; i < 12; ++i)
    zip.parts.emplace_back(CentralPart{
        .local = i, .extra_length = static_cast<std::uint16_t>(extra.size()), .extra = extra});
  zip.parts.emplace_back(EndPart{});
  repair(zip);
  const std::string bytes = render(zip);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(values_in(bytes).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

}  // namespace
}  // namespace storefuzz
