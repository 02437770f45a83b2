// Archives that are wrong on purpose, as zarr and others read them: the gallery, replay --archive,
// and zip_journey.
#include <fmt/format.h>

#include "harness/archives/gallery.h"
#include "harness/testing/whole_runs.h"

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
    if (!it.legal && it.name != "many entries")
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
  for (const Json& it : manifest.at("archives")) {
    EXPECT_TRUE(e2e::fs::exists(place / it.at("file").get<std::string>()));
    EXPECT_NE(page.find(it.at("file").get<std::string>()), std::string::npos);
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
