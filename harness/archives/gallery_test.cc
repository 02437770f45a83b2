// The gallery: small archives of every class, the same every time, in a folder of their own.
#include "harness/archives/gallery.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/base/paths.h"
#include "harness/campaign/subject.h"
#include "harness/testing/shared.h"
#include "harness/zip/archive.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

using Names = std::set<std::string>;

const std::vector<Exhibit>& shown() {
  static const std::vector<Exhibit> list = exhibits();
  return list;
}

// --- what is shown

// A file that is looked at in part only is a large one.
TEST(Exhibits, ReachAllClassesButInPart) {
  std::set<std::string> reached;
  for (const Exhibit& it : shown()) reached.insert(classify(it.bytes).name);
  for (const ZipClass& zip_class : all_classes())
    if (!zip_class.legal) {
      EXPECT_EQ(reached.contains(std::string(zip_class.name)), zip_class.name != "in part")
          << zip_class.name;
    }
}

TEST(Exhibits, HaveTheClassOfTheirTwist) {
  for (const Exhibit& exhibit : shown()) {
    const TwistKind* kind = find_twist(exhibit.twist.name);
    EXPECT_EQ(kind == nullptr, exhibit.name == "sound.zip") << exhibit.name;
    const auto all = classify(exhibit.bytes).all;
    EXPECT_NE(std::ranges::find(all, kind ? kind->about : "sound"), all.end()) << exhibit.name;
  }
}

// Those that make large files are left out.
TEST(Exhibits, HoldEveryKindOfTwistOneToThreeTimes) {
  std::map<std::string, int> times;
  for (const Exhibit& it : shown()) ++times[it.twist.name];
  EXPECT_EQ(times[""], 1);
  for (const TwistKind& kind : all_twists()) {
    const int count = times[std::string(kind.name)];
    EXPECT_LE(count, 3) << kind.name;
    if (!kind.heavy) {
      EXPECT_GE(count, 1) << kind.name;
    }
  }
}

TEST(Exhibits, AreSmall) {
  std::size_t all = 0;
  for (const Exhibit& exhibit : shown()) {
    EXPECT_LE(exhibit.bytes.size(), 128 << 10) << exhibit.name;
    all += exhibit.bytes.size();
  }
  EXPECT_LT(all, 4 << 20);
}

// As file systems tell them apart that do not tell case.
TEST(Exhibits, HaveUniqueNamesOfOnePlainComponent) {
  Names names;
  for (const Exhibit& exhibit : shown()) {
    std::string lower = exhibit.name;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    EXPECT_TRUE(names.insert(lower).second) << exhibit.name;
    EXPECT_TRUE(exhibit.name.ends_with(".zip")) << exhibit.name;
    EXPECT_EQ(fs::path(exhibit.name).filename(), exhibit.name);
    EXPECT_TRUE(std::ranges::all_of(exhibit.name, [](unsigned char c) {
      return std::isalnum(c) || c == '-' || c == '_' || c == '.';
    })) << exhibit.name;
    EXPECT_FALSE(exhibit.name.starts_with('.') || exhibit.name.starts_with('-')) << exhibit.name;
  }
}

TEST(Exhibits, AreTheSameEveryTime) {
  const std::vector<Exhibit> again = exhibits();
  ASSERT_EQ(again.size(), shown().size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(again[i].name, shown()[i].name);
    EXPECT_EQ(again[i].twist, shown()[i].twist);
    EXPECT_EQ(again[i].bytes, shown()[i].bytes) << again[i].name;
    EXPECT_EQ(again[i].made, shown()[i].made) << again[i].name;
  }
}

// What its maker knows of an archive stands in it.
TEST(Exhibits, AreMadeOfTheStore) {
  const ArchiveView view = view_archive(gallery_store());
  EXPECT_TRUE(view.sound) << view.why;
  const Exhibit& first = shown().front();
  EXPECT_EQ(first.name, "sound.zip");
  EXPECT_EQ(first.bytes, gallery_store());
  ASSERT_EQ(first.made.size(), view.entries.size());
  for (const auto& [key, bytes] : view.entries) {
    ASSERT_TRUE(first.made.contains(key)) << key;
    EXPECT_EQ(first.made.at(key), sum_of(bytes)) << key;
  }
  for (const char* key : {"zarr.json", "new/zarr.json", "old/.zarray", "shards/zarr.json"})
    EXPECT_TRUE(first.made.contains(key)) << key;
  for (const Exhibit& it : shown())
    EXPECT_TRUE(it.made.empty() || it.made == first.made) << it.name;
}

// --- the folder

Names names_in(const fs::path& folder) {
  Names names;
  for (const fs::directory_entry& it : fs::directory_iterator(folder))
    names.insert(it.path().filename().string());
  return names;
}

Names names_of_a_gallery() {
  Names names{"manifest.json", "index.html"};
  for (const Exhibit& it : shown()) names.insert(it.name);
  return names;
}

Result<std::size_t> made_in(
    const fs::path& folder, const std::function<void(const Examination&)>& each = [](auto&) {}) {
  const auto quirks = ReaderQuirks::load(source_folder() + "/reference/reader_quirks.json");
  if (!quirks) return std::unexpected(quirks.error());
  return make_gallery(folder, *quirks, {.readers = {"libzip", "libarchive"}}, each);
}

void expect_bad_input(const fs::path& folder) {
  const auto made = made_in(folder, [](const Examination&) { ADD_FAILURE() << "examined"; });
  ASSERT_FALSE(made.has_value()) << folder;
  EXPECT_EQ(made.error().code, ExitCode::kBadInput) << folder;
  EXPECT_NE(made.error().message.find(folder.string()), std::string::npos) << made.error().message;
}

TEST(MakeGallery, MakesArchivesManifestAndPage) {
  const test::Folder folder;
  const fs::path place = folder.path() / "new" / "gallery";
  std::size_t examined = 0;
  const auto made = made_in(place, [&](const Examination& examination) {
    EXPECT_EQ(examination.file, place / shown().at(examined).name);
    ++examined;
  });
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(*made, shown().size());
  EXPECT_EQ(examined, shown().size());
  EXPECT_EQ(names_in(place), names_of_a_gallery());
  for (const Exhibit& it : shown())
    EXPECT_EQ(test::read_file(place / it.name), it.bytes) << it.name;
  const Json manifest = Json::parse(test::read_file(place / "manifest.json"));
  ASSERT_EQ(manifest["classes"].size(), all_classes().size());
  ASSERT_EQ(manifest["readers"].size(), 2);
  EXPECT_EQ(manifest["readers"][0]["name"], "libzip");
  ASSERT_EQ(manifest["archives"].size(), shown().size());
  for (std::size_t i = 0; i < shown().size(); ++i) {
    const Json& line = manifest["archives"][i];
    EXPECT_EQ(line["file"], shown()[i].name);
    EXPECT_EQ(line["class"], classify(shown()[i].bytes).name);
    EXPECT_EQ(line["twist"].is_null(), shown()[i].twist.name.empty());
    if (line["twist"].is_object()) {
      EXPECT_EQ(line["twist"]["name"], shown()[i].twist.name);
    }
  }
  const std::string page = test::read_file(place / "index.html");
  for (const Exhibit& it : shown()) EXPECT_NE(page.find(it.name), std::string::npos) << it.name;
}

TEST(MakeGallery, TakesAnEmptyFolderAndReplacesAnOlderGallery) {
  const test::Folder folder;
  ASSERT_TRUE(made_in(folder.path()).has_value());
  const std::string manifest = test::read_file(folder.path() / "manifest.json"),
                    page = test::read_file(folder.path() / "index.html");
  Json older = Json::parse(manifest);
  older["archives"][0]["file"] = "gone-since.zip";
  folder.write("manifest.json", older.dump());
  folder.write("index.html", "older");
  fs::rename(folder.path() / "sound.zip", folder.path() / "gone-since.zip");
  const auto made = made_in(folder.path());
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(names_in(folder.path()), names_of_a_gallery());
  EXPECT_EQ(test::read_file(folder.path() / "manifest.json"), manifest);
  EXPECT_EQ(test::read_file(folder.path() / "index.html"), page);
}

TEST(MakeGallery, NeverTouchesAFolderWithOtherThings) {
  const test::Folder folder;
  folder.write("thesis.tex", "years of work");
  folder.write("data.zip", "measured for years");
  expect_bad_input(folder.path());
  EXPECT_EQ(names_in(folder.path()), (Names{"thesis.tex", "data.zip"}));
}

// A manifest.json of somebody else does not make it ours: every second web page has one.
TEST(MakeGallery, NeverTouchesAFolderWithAnotherManifest) {
  for (const char* manifest :
       {R"({"name": "an app", "icons": []})", "", "[]", "null", R"({"archives": {}})"}) {
    const test::Folder folder;
    folder.write("manifest.json", manifest);
    folder.write("data.zip", "measured for years");
    expect_bad_input(folder.path());
    EXPECT_EQ(test::read_file(folder.path() / "manifest.json"), manifest);
    EXPECT_EQ(test::read_file(folder.path() / "data.zip"), "measured for years") << manifest;
  }
}

// What was put beside an older gallery is not of it.
TEST(MakeGallery, LeavesAnArchiveThatIsNotOfItAlone) {
  const test::Folder folder;
  ASSERT_TRUE(made_in(folder.path()).has_value());
  folder.write("data.zip", "measured for years");
  const auto outside = folder.path().parent_path() / (folder.path().filename().string() + ".zip");
  std::ofstream(outside) << "outside";
  Json manifest = Json::parse(test::read_file(folder.path() / "manifest.json"));
  manifest["archives"][0]["file"] = "../" + outside.filename().string();
  manifest["archives"][1]["file"] = 7;
  folder.write("manifest.json", manifest.dump());
  EXPECT_TRUE(made_in(folder.path()).has_value());
  EXPECT_EQ(test::read_file(folder.path() / "data.zip"), "measured for years");
  EXPECT_TRUE(fs::remove(outside));
}

TEST(MakeGallery, AnUnknownReaderOrFaultIsBadInput) {
  const test::Folder folder;
  for (const ExamineOptions& options :
       {ExamineOptions{.readers = {"libzip", "libzap"}},
        ExamineOptions{.readers = {"libzip"}, .planted = "libzip:forgets"}}) {
    const auto made =
        make_gallery(folder.path() / "gallery", {}, options, [](const Examination&) {});
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code, ExitCode::kBadInput);
  }
}

TEST(MakeGallery, ThatIsInterruptedHasNoManifest) {
  const test::Folder folder;
  std::size_t seen = 0;
  const ExamineOptions options{.readers = {"libzip"}, .stop = [&] { return seen > 0; }};
  const auto made =
      make_gallery(folder.path() / "gallery", {}, options, [&](const Examination&) { ++seen; });
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, ExitCode::kMachine);
  EXPECT_TRUE(made.error().message.starts_with("interrupted after")) << made.error().message;
  EXPECT_FALSE(fs::exists(folder.path() / "gallery" / "manifest.json"));
}

TEST(MakeGallery, APlaceThatCannotBeAFolderIsBadInput) {
  const test::Folder folder;
  folder.write("file", "x");
  expect_bad_input(folder.path() / "file");
  expect_bad_input(folder.path() / "file" / "gallery");
  expect_bad_input("/proc/gallery");
  EXPECT_EQ(names_in(folder.path()), Names{"file"});
}

}  // namespace
}  // namespace storefuzz
