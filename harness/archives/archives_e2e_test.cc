// Archives that are wrong on purpose, as zarr and others read them: the gallery, replay --archive,
// and the archives of programs.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "harness/archives/gallery.h"
#include "harness/testing/large_archives.h"
#include "harness/testing/whole_runs.h"
#include "harness/zip/layout.h"

namespace storefuzz {
namespace {

using e2e::Running;

std::vector<Json> lines_of(const Running& command) {
  return e2e::read_lines(command.folder() / "said");
}

// Oracles 1 to 3 of a hostile archive, for one of every kind there is.
TEST(Archives, ParentAndChildAgreeRefuseFittinglyAndChangeNothing) {
  const test::Folder folder;
  for (const Exhibit& it : exhibits()) folder.write(it.name, it.bytes);
  Running command("storefuzz",
                  {"replay", "--archive", folder.path().string(), "--zarr", e2e::kNewest});
  command.wait();
  const std::vector<Json> lines = lines_of(command);
  EXPECT_EQ(lines.size(), exhibits().size()) << command.complained();
  std::set<std::string> classes;
  for (const Json& line : lines) {
    EXPECT_EQ(line.at("faults"), Json::array()) << line.at("file");
    for (const auto& [reader, said] : line.at("readers").items())
      EXPECT_NE(said.at("answer"), "none") << reader << " " << line.at("file");
    classes.insert(line.at("class"));
  }
  for (const ZipClass& it : all_classes())
    if (!it.legal && it.name != "in part")
      EXPECT_TRUE(classes.contains(std::string(it.name))) << it.name;
}

TEST(Archives, OfASoundOneNothingIsToldByTheReleaseThatWasNamed) {
  const test::Folder folder;
  const std::string file = folder.write("sound.zip", gallery_store()).string();
  Running command("storefuzz", {"replay", "--archive", file, "--zarr", "3.4.1"});
  EXPECT_EQ(command.wait(), "exit 0") << command.complained();
  const std::vector<Json> lines = lines_of(command);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("class"), "sound");
  EXPECT_EQ(lines[0].at("differences"), Json::array());
  EXPECT_EQ(lines[0].at("readers").at("zarr").at("version"), "3.4.1");
  EXPECT_TRUE(lines[0].at("readers").contains("zarr child"));
}

std::vector<ArchiveEntry> values(int count) {
  std::vector<ArchiveEntry> list;
  for (int i = 0; i < count; ++i) list.push_back({.key = fmt::format("c/{}", i), .bytes = "x"});
  return list;
}

// Nothing is green that was not looked at, and nothing goes without a word.
TEST(Archives, WhatIsLeftOutIsCountedAndWhatIsNotLookedAtIsNotGreen) {
  const test::Folder folder;
  folder.write("all.ozx", gallery_store());
  folder.write("part.ZIP", *make_archive(values(65), Compression::kStored));
  const e2e::fs::path large = folder.write("large.zip", "x");
  e2e::fs::create_symlink("all.ozx", folder.path() / "link.zip");
  ::mkfifo((folder.path() / "pipe.zip").c_str(), 0600);
  const std::vector<std::string> arguments = {"replay", "--archive", folder.path().string(),
                                              "--readers", "libzip,libarchive"};
  e2e::fs::resize_file(large, kLargestArchive + 1);
  Running command("storefuzz", arguments);
  EXPECT_EQ(command.wait(), "exit 3") << command.complained();
  EXPECT_TRUE(command.complained().ends_with(
      "3 archives: 1 read alike, 1 in part, 0 with known differences, 0 with news, "
      "1 not looked at; links skipped: 1; pipes, sockets and devices skipped: 1\n"))
      << command.complained();
  const std::vector<Json> lines = lines_of(command);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].at("outcome"), "read alike");
  EXPECT_EQ(lines[1].at("refused"), "it is larger than 256 MiB");
  EXPECT_EQ(lines[2].at("unread"), Json({"64 of 65 entries asked"}));
  e2e::fs::remove(large);
  Running green("storefuzz", arguments);
  EXPECT_EQ(green.wait(), "exit 0") << green.complained();
}

TEST(Archives, OptionsThatWouldDoNothingAreRefused) {
  const test::Folder folder;
  const std::string file = folder.write("a.zip", gallery_store()).string();
  const std::vector<std::vector<std::string>> rows = {
      {"replay", "--archive", file, "--adapter", file},
      {"replay", "--archive", file, "--oracles-off", "reads"},
      {"replay", "--archive", file, "--readers", "libzip", "--zarr", "3.4.1"},
      {"replay", "--archive", file, "--readers", "libzip", "--with", "dask"},
      {"replay", file, "--readers", "libzip"},
      {"gallery", (folder.path() / "g").string(), "--readers", "libzip", "--zarr", "3.4.1"}};
  for (const std::vector<std::string>& row : rows) {
    Running command("storefuzz", row);
    EXPECT_EQ(command.wait(), "exit 2") << fmt::format("{}", fmt::join(row, " "));
    EXPECT_NE(command.complained().find(" is "), std::string::npos) << command.complained();
  }
}

// Large stores are no hang, no contradiction and no news: 3 GB of values, and more entries than are
// kept.
TEST(Archives, LargeSoundOnesAreReadInPart) {
  const test::Folder folder;
  folder.write("chunks.zip", test::many_entries(140'000, "x", false));
  folder.write("values.zip", test::many_entries(60, std::string(50 << 20, '\0'), true));
  Running command("storefuzz",
                  {"replay", "--archive", folder.path().string(), "--zarr", e2e::kNewest});
  EXPECT_EQ(command.wait(), "exit 0") << command.said() << command.complained();
  for (const Json& line : lines_of(command)) EXPECT_EQ(line.at("outcome"), "in part") << line;
}

// GDAL gives the bytes of an encrypted entry as they lie: a silence, no value that others refuse.
TEST(Archives, TheCipherOfAnEncryptedEntryIsOtherData) {
  const test::Folder folder;
  const std::vector<ArchiveEntry> two = {{.key = "c/0", .bytes = "plain"},
                                         {.key = "c/1", .bytes = "x"}};
  ZipLayout zip = parse_layout(*make_archive(two, Compression::kStored));
  for (ZipPart& part : zip.parts) {
    if (auto* local = std::get_if<LocalPart>(&part); local && local->name == "c/1") {
      local->flags |= 1;  // 4.4.4: encrypted
      local->data = "?";
    }
    if (auto* central = std::get_if<CentralPart>(&part); central && central->name == "c/1")
      central->flags |= 1;
  }
  const std::string file = folder.write("a.zip", render(zip)).string();
  Running command("storefuzz",
                  {"replay", "--archive", file, "--readers", "gdal,libzip,libarchive"});
  if (command.wait() == "exit 3") GTEST_SKIP() << command.complained();
  const Json line = lines_of(command).at(0);
  EXPECT_EQ(line.at("class"), "A5");
  EXPECT_EQ(line.at("readers").at("gdal").at("silences"), 1) << line;
  for (const Json& difference : line.at("differences")) {
    EXPECT_EQ(difference.at("direction"), "other data") << line;
    EXPECT_EQ(difference.at("reader"), "gdal") << line;
  }
}

class PlantedFault : public testing::TestWithParam<std::tuple<std::string, std::string_view>> {};

TEST_P(PlantedFault, InOneReaderComesOutAsNews) {
  const auto& [reader, fault] = GetParam();
  const test::Folder folder;
  const std::string sound = gallery_store();
  folder.write("sound.zip", sound);
  // Of classes in which no reader of the three has a way of its own.
  for (const char* twist : {"short comment", "long comment", "other case", "nested archive"}) {
    const Twist it{.name = twist, .entry = 2};
    folder.write(fmt::format("{}.zip", twist), *twist_archive(sound, {&it, 1}));
  }
  Running command("storefuzz", {"replay", "--archive", folder.path().string(), "--zarr",
                                e2e::kNewest, "--planted", fmt::format("{}:{}", reader, fault)});
  EXPECT_EQ(command.wait(), "exit 1") << command.complained();
  for (const Json& line : lines_of(command)) {
    const bool told = std::ranges::any_of(line.at("differences"), [&](const Json& it) {
      return it.at("reader") == reader && it.contains("news") && it.at("direction") == fault;
    });
    EXPECT_TRUE(told) << line.dump();
  }
}

INSTANTIATE_TEST_SUITE_P(Each, PlantedFault,
                         testing::Combine(testing::Values("zarr", "libzip", "libarchive"),
                                          testing::ValuesIn(planted_faults())),
                         [](const auto& info) {
                           return e2e::test_name(fmt::format("{} {}", std::get<0>(info.param),
                                                             std::get<1>(info.param)));
                         });

TEST(Archives, TheGalleryHasAPageAndAManifest) {
  const test::Folder folder;
  const e2e::fs::path place = folder.path() / "gallery";
  Running command("storefuzz", {"gallery", place.string(), "--zarr", e2e::kNewest});
  ASSERT_EQ(command.wait(), "exit 0") << command.complained();
  const Json manifest = e2e::read_json(place / "manifest.json");
  EXPECT_EQ(manifest.at("archives").size(), exhibits().size());
  const std::string page = test::read_file(place / "index.html");
  for (const Json& archive : manifest.at("archives")) {
    EXPECT_TRUE(e2e::fs::exists(place / archive.at("file").get<std::string>()));
    EXPECT_NE(page.find(archive.at("file").get<std::string>()), std::string::npos);
  }
}

// A value of eight megabytes in as many kilobytes is read, and nobody dies of it.
TEST(Archives, ABombIsReadWithinItsBounds) {
  const test::Folder folder;
  const Twist bomb{.name = "bomb"};
  const std::string file =
      folder.write("bomb.zip", *twist_archive(gallery_store(), {&bomb, 1})).string();
  Running command("storefuzz", {"replay", "--archive", file, "--zarr", e2e::kNewest});
  EXPECT_EQ(command.wait(), "exit 0") << command.complained();
  EXPECT_EQ(lines_of(command).at(0).at("class"), "bomb");
}

}  // namespace
}  // namespace storefuzz
