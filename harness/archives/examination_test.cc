// Files are put in their class, shown to real readers and judged: what is sound has no differences,
// what is planted comes out, and a file that cannot be looked at does not stop the others.
#include "harness/archives/examination.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <utility>

#include "harness/base/paths.h"
#include "harness/campaign/subject.h"
#include "harness/testing/large_archives.h"
#include "harness/testing/shared.h"
#include "harness/zip/archive.h"
#include "harness/zip/layout.h"
#include "harness/zip/twists.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

using Paths = std::vector<fs::path>;

// In the order of their directory and of their values, whoever extracts them.
std::vector<ArchiveEntry> three() {
  return {{.key = "zarr.json", .bytes = R"({"zarr_format":3,"node_type":"group"})"},
          {.key = "a/c/0", .bytes = test::noise(64)},
          {.key = "a/c/1", .bytes = std::string(100, '1')}};
}

std::string sound() { return make_archive(three(), Compression::kDeflated).value(); }

std::string twisted(std::string_view name, std::uint32_t entry = 1, std::uint32_t amount = 0) {
  const Twist twist{.name = std::string(name), .entry = entry, .amount = amount};
  return twist_archive(sound(), {&twist, 1}).value();
}

const ReaderQuirks& ours() {
  static const auto list = ReaderQuirks::load(source_folder() + "/reference/reader_quirks.json");
  if (!list) {
    ADD_FAILURE() << list.error().message;
    std::abort();
  }
  return *list;
}

ExamineOptions options(std::string planted = "") {
  return {.readers = {"libzip", "libarchive"}, .planted = std::move(planted)};
}

// The quirks outlive the examinations, which point at them.
std::vector<Examination> examined(const Paths& files, const ExamineOptions& how,
                                  const ReaderQuirks& quirks = ours()) {
  std::vector<Examination> all;
  const auto end = examine(files, quirks, how, [&](const Examination& it) { all.push_back(it); });
  EXPECT_TRUE(end.has_value()) << end.error().message;
  EXPECT_EQ(all.size(), files.size());
  all.resize(files.size());
  return all;
}

bool differs(const Examination& examination, std::string_view reader, Direction direction) {
  return std::ranges::any_of(examination.differences, [&](const Difference& difference) {
    return difference.reader == reader && difference.direction == direction;
  });
}

std::string told(const Examination& examination) { return text_of(to_json(examination), 1); }

// --- what is told of a file

TEST(Examine, ASoundFileHasNoDifferences) {
  const test::Folder folder;
  const Paths files{folder.write("deflated.zip", sound()),
                    folder.write("stored.zip", make_archive(three(), Compression::kStored).value()),
                    folder.write("empty.zip", make_archive({}, Compression::kStored).value()),
                    folder.write("comment", twisted("short comment"))};
  for (const Examination& examination : examined(files, options(), {})) {
    EXPECT_EQ(examination.refused, "");
    EXPECT_EQ(examination.kind.name, "sound");
    EXPECT_TRUE(examination.differences.empty() && examination.faults.empty() &&
                !examination.news())
        << told(examination);
    ASSERT_EQ(examination.readers.size(), 2);
    EXPECT_EQ(examination.readers[0].name, "libzip");
    EXPECT_EQ(examination.readers[1].name, "libarchive");
    ASSERT_EQ(examination.replies.size(), 2);
    const std::size_t keys = examination.file.filename() == "empty.zip" ? 0 : 3;
    EXPECT_EQ(examination.replies[0].reply["keys"].size(), keys) << examination.file;
  }
}

TEST(Examine, ADuplicateNameDiffersAndIsNamedByAQuirk) {
  const test::Folder folder;
  const Paths files{folder.write("twice.zip", twisted("same name after"))};
  const Examination examination = examined(files, options())[0];
  EXPECT_EQ(examination.kind.name, "B1");
  EXPECT_TRUE(differs(examination, "libarchive", Direction::kOtherData)) << told(examination);
  ASSERT_EQ(examination.quirks.size(), examination.differences.size());
  for (std::size_t i = 0; i < examination.quirks.size(); ++i) {
    ASSERT_NE(examination.quirks[i], nullptr) << told(examination);
    EXPECT_EQ(examination.quirks[i]->reader, examination.differences[i].reader);
    EXPECT_EQ(examination.quirks[i]->zip_class, "B1");
  }
  EXPECT_FALSE(examination.news());
}

TEST(Examine, WithoutQuirksTheSameIsNews) {
  const test::Folder folder;
  const Paths files{folder.write("twice.zip", twisted("same name after"))};
  const Examination examination = examined(files, options(), ReaderQuirks())[0];
  ASSERT_FALSE(examination.differences.empty());
  for (const ReaderQuirk* quirk : examination.quirks) EXPECT_EQ(quirk, nullptr);
  EXPECT_TRUE(examination.news());
}

// Keys with values that its maker named are right, whatever two readers say.
TEST(Examine, WhatItsMakerPutThereIsRight) {
  const test::Folder folder;
  const Paths files{folder.write("a.zip", sound()), folder.write("b.zip", sound())};
  ExamineOptions how = options();
  how.made[files[0]]["a/c/0"] = sum_of("something else");
  const auto all = examined(files, how);
  EXPECT_TRUE(differs(all[0], "libzip", Direction::kOtherData)) << told(all[0]);
  EXPECT_TRUE(differs(all[0], "libarchive", Direction::kOtherData)) << told(all[0]);
  EXPECT_TRUE(all[1].differences.empty()) << told(all[1]);
}

// The bytes of strangers; none of them ends the run, and all of them have a line.
TEST(Examine, AnyBytesAreExamined) {
  const test::Folder folder;
  Paths files;
  for (const TwistKind& kind : all_twists())
    if (!kind.heavy)
      files.push_back(folder.write(fmt::format("{}.zip", files.size()), twisted(kind.name)));
  files.push_back(folder.write("nothing.zip", ""));
  files.push_back(folder.write("noise.zip", test::noise(5000)));
  const auto all = examined(files, options());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].file, files[i]);
    EXPECT_EQ(all[i].refused, "");
    EXPECT_FALSE(all[i].kind.name.empty());
    EXPECT_FALSE(differs(all[i], "libzip", Direction::kInventedData)) << told(all[i]);
    EXPECT_FALSE(differs(all[i], "libzip", Direction::kDies)) << told(all[i]);
  }
}

TEST(Examine, StopsWhereItIsAskedTo) {
  const test::Folder folder;
  const Paths files(5, folder.write("a.zip", sound()));
  ExamineOptions how = options();
  int asked = 0;
  how.stop = [&] { return ++asked > 2; };
  std::size_t done = 0;
  EXPECT_TRUE(examine(files, ours(), how, [&](const Examination&) { ++done; }).has_value());
  EXPECT_EQ(done, 2);
}

// --- what is read in part

bool says(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::any_of(list, [&](const std::string& it) { return it.starts_with(text); });
}

TEST(Examine, WhatIsNotAskedIsSaidAndNotReadAlike) {
  const test::Folder folder;
  const auto all = examined({folder.write("all.zip", test::many_entries(64, "x", true)),
                             folder.write("part.zip", test::many_entries(65, "x", true)),
                             folder.write("listing.zip", test::many_entries(5000, "x", true))},
                            options());
  EXPECT_EQ(all[0].outcome(), "read alike") << told(all[0]);
  EXPECT_EQ(all[0].unread, std::vector<std::string>());
  EXPECT_EQ(all[1].outcome(), "in part");
  EXPECT_EQ(all[1].unread, std::vector<std::string>{"64 of 65 entries asked"});
  EXPECT_EQ(all[1].kind.name, "sound");
  EXPECT_TRUE(says(all[2].unread, "64 of 5000 entries asked")) << told(all[2]);
  EXPECT_TRUE(says(all[2].unread, "listings not compared")) << told(all[2]);
  EXPECT_TRUE(says(all[2].unread, "the values of the file are not known")) << told(all[2]);
  for (const Examination& examination : all) {
    EXPECT_TRUE(examination.differences.empty()) << told(examination);
    EXPECT_EQ(to_json(examination)["unread"], Json(examination.unread));
    EXPECT_EQ(to_json(examination)["outcome"], examination.outcome());
  }
}

// More than readers read of one request, and more than is decompressed to check it: seen by nobody.
TEST(Examine, LargeValuesAreReadUpToABoundThatIsSaid) {
  const test::Folder folder;
  const std::string bytes = test::many_entries(6, std::string(50 << 20, '\0'), true);
  const Examination examination = examined({folder.write("large.zip", bytes)}, options())[0];
  EXPECT_EQ(examination.kind.name, "bomb")  // fifty megabytes in fifty kilobytes
      << told(examination);
  EXPECT_TRUE(says(examination.unread, "6 of 6 values not checked against their CRC"))
      << told(examination);
  EXPECT_TRUE(says(examination.unread, "1 of 6 values not read by libzip")) << told(examination);
  EXPECT_TRUE(says(examination.unread, "1 of 6 values not read by libarchive"))
      << told(examination);
  EXPECT_EQ(examination.outcome(), "in part") << told(examination);
}

TEST(Examine, ALargeFileHasMoreTime) {
  EXPECT_EQ(extra_time(0, 0), Milliseconds(0));
  EXPECT_GE(extra_time(100 << 20, 1'000'000), std::chrono::seconds(20));
  EXPECT_LE(extra_time(kLargestArchive, kLargestArchive / 46), std::chrono::seconds(150));
}

// --- files that are in the way

// What was said of two states of a file would be said of none.
TEST(Examine, AFileThatChangesMeanwhileIsNotLookedAt) {
  const test::Folder folder;
  const fs::path file = folder.write("grows.zip", sound());
  ExamineOptions how = options();
  bool first = true;
  how.stop = [&] {  // asked before each file, so that the first is under way
    if (!std::exchange(first, false)) std::ofstream(file, std::ios::app) << "x";
    return false;
  };
  const auto all = examined({file, folder.write("a.zip", sound())}, how);
  EXPECT_EQ(all[0].refused, "it was changed while it was read");
  EXPECT_EQ(all[0].outcome(), "not looked at");
  EXPECT_EQ(all[1].outcome(), "read alike");
}

// A descriptor means another file in each process, so readers get the path behind it.
TEST(Examine, ADescriptorOfOursIsReadAsTheFileThatItIs) {
  const test::Folder folder;
  const Descriptor file(::open(folder.write("a.zip", sound()).c_str(), O_RDONLY));
  const Examination examination = examined({fmt::format("/dev/fd/{}", file.get())}, options())[0];
  EXPECT_EQ(examination.outcome(), "read alike") << told(examination);
  EXPECT_EQ(examination.replies[0].reply["keys"].size(), 3U) << told(examination);
}

// Its first page is not mapped: a read fails, as that of a bad disk.
TEST(Examine, AFileThatCannotBeReadDoesNotStopTheOthers) {
  const test::Folder folder;
  const auto all = examined({"/proc/self/mem", folder.write("a.zip", sound())}, options());
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0].refused, "it cannot be read");
  EXPECT_EQ(all[1].kind.name, "sound");
}

TEST(Examine, NoFilesAreNoWork) { EXPECT_TRUE(examined({}, options()).empty()); }

// More of them than are under way at once.
TEST(Examine, ManyFilesComeInTheirOrder) {
  const test::Folder folder;
  Paths files;
  for (int i = 0; i < 50; ++i)
    files.push_back(folder.write(fmt::format("{}.zip", 49 - i), sound()));
  const auto all = examined(files, options());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].file, files[i]);
}

TEST(Examine, ReadersLeaveTheFilesAsTheyAre) {
  const test::Folder folder;
  const Paths files{folder.write("a.zip", twisted("same name after"))};
  const Examination examination = examined(files, options())[0];
  EXPECT_TRUE(examination.faults.empty()) << told(examination);
  EXPECT_EQ(test::read_file(files[0]), twisted("same name after"));
}

// --- planted faults

class EveryPlantedFault : public testing::TestWithParam<std::string_view> {};

// Of two libraries neither has a list that most have: that fault takes a third one to come out.
TEST_P(EveryPlantedFault, ComesOutAsNews) {
  const test::Folder folder;
  Paths files{folder.write("sound.zip", sound())};
  for (const char* name : {"trailing bytes", "long comment", "odd name"})
    files.push_back(folder.write(std::string(name) + ".zip", twisted(name, 0)));
  const bool comes_out = GetParam() != "lists otherwise";
  const auto before = examined(files, options());
  const auto after = examined(files, options(fmt::format("libzip:{}", GetParam())));
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto differs_so = [](const Difference& it) {
      return it.reader == "libzip" && name_of(it.direction) == GetParam();
    };
    EXPECT_TRUE(std::ranges::none_of(before[i].differences, differs_so)) << told(before[i]);
    EXPECT_EQ(before[i].replies[0].reply["opened"][0], "value") << told(before[i]);
    EXPECT_FALSE(before[i].news()) << told(before[i]);
    EXPECT_EQ(std::ranges::any_of(after[i].differences, differs_so), comes_out) << told(after[i]);
    EXPECT_EQ(after[i].news(), comes_out) << told(after[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Examine, EveryPlantedFault, testing::ValuesIn(planted_faults()),
                         [](const testing::TestParamInfo<std::string_view>& info) {
                           std::string name(info.param);
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

TEST(Examine, AFaultThatIsNoneIsBadInput) {
  const test::Folder folder;
  const Paths files{folder.write("a.zip", sound())};
  for (const char* planted : {"misses", "libzip", "libzip:", "libzip:forgets", ":misses",
                              "libzip:misses:", "libarchive-seeking:misses", "nobody:misses"}) {
    const auto end = examine(files, ours(), options(planted),
                             [](const Examination&) { ADD_FAILURE() << "something was examined"; });
    ASSERT_FALSE(end.has_value()) << planted;
    EXPECT_EQ(end.error().code, ExitCode::kBadInput) << planted;
    EXPECT_NE(end.error().message.find(planted), std::string::npos) << end.error().message;
  }
}

TEST(Examine, AnUnknownReaderIsBadInput) {
  for (const std::vector<std::string>& readers :
       {std::vector<std::string>{"libzip", "libzap"}, {"libzip", "libzip"}, {""}}) {
    ExamineOptions how = options();
    how.readers = readers;
    const auto end = examine({}, ours(), how, [](const Examination&) {});
    ASSERT_FALSE(end.has_value());
    EXPECT_EQ(end.error().code, ExitCode::kBadInput);
  }
}

// --- files that are not looked at

TEST(Examine, AFileThatCannotBeLookedAtIsRefusedAndTheOthersAreRead) {
  const test::Folder folder;
  const fs::path large = folder.write("large.zip", sound());
  fs::resize_file(large, kLargestArchive + 1);
  fs::create_directory(folder.path() / "folder.zip");
  fs::create_symlink("nowhere", folder.path() / "dangling.zip");
  Paths files{folder.write("first.zip", sound()), large,
              folder.path() / "none.zip",         folder.path() / "folder.zip",
              folder.path() / "dangling.zip",     folder.write("last.zip", sound())};
  if (::geteuid() != 0) {
    files.insert(files.begin() + 1, folder.write("locked.zip", sound()));
    fs::permissions(files[1], fs::perms::none);
  }
  const auto all = examined(files, options());
  for (std::size_t i = 1; i + 1 < all.size(); ++i) {
    EXPECT_FALSE(all[i].refused.empty()) << files[i];
    EXPECT_FALSE(all[i].news());
    const Json line = to_json(all[i]);
    EXPECT_EQ(line["file"], files[i].string());
    EXPECT_EQ(line["refused"], all[i].refused);
  }
  for (const Examination* examination : {&all.front(), &all.back()}) {
    EXPECT_EQ(examination->refused, "");
    EXPECT_EQ(examination->replies.size(), 2);
  }
}

// Readers are asked in JSON: they would not find the file, which would look like their refusal.
TEST(Examine, AFileWhoseNameIsNotUtf8IsRefused) {
  const test::Folder folder;
  const Paths files{folder.write("a\xff\xc3\x28.zip", sound()),
                    folder.write("\u00e9.zip", sound())};
  const auto all = examined(files, options());
  EXPECT_NE(all[0].refused.find("UTF-8"), std::string::npos);
  EXPECT_TRUE(to_json(all[0])["file"].get<std::string>().ends_with("a\\xff\\xc3(.zip"));
  EXPECT_EQ(all[1].refused, "");
  EXPECT_EQ(all[1].replies[0].reply["opened"][0], "value");
}

// --- as JSON

TEST(ToJson, HasEveryMember) {
  const test::Folder folder;
  const Paths files{folder.write("a.zip", sound()),
                    folder.write("b.zip", twisted("same name after")),
                    folder.write("c.zip", "no archive")};
  for (const Examination& examination : examined(files, options(), ReaderQuirks())) {
    const Json line = Json::parse(told(examination));
    for (const char* member : {"file", "class", "classes", "section", "why", "readers",
                               "differences", "faults", "unread", "outcome", "news"})
      EXPECT_TRUE(line.contains(member)) << member << " of " << examination.file;
    EXPECT_EQ(line.size(), 11) << line;
    EXPECT_EQ(line["class"], line["classes"][0]);
    EXPECT_EQ(line["news"], examination.news());
    EXPECT_EQ(line["section"], section_of(examination.kind.name));
    EXPECT_EQ(line["differences"].size(), examination.differences.size());
    for (const char* reader : {"libzip", "libarchive"}) {
      ASSERT_TRUE(line["readers"].contains(reader));
      EXPECT_FALSE(line["readers"][reader]["version"].get<std::string>().empty());
    }
    for (const Json& difference : line["differences"])
      for (const char* member : {"reader", "version", "direction", "silence", "about", "says",
                                 "others", "times", "news"})
        EXPECT_TRUE(difference.contains(member)) << member;
  }
}

TEST(ToJson, TellsTheWorstAnswerOfAReader) {
  const test::Folder folder;
  const Paths files{folder.write("a.zip", sound()), folder.write("b.zip", "no archive")};
  const auto plain = examined(files, options());
  EXPECT_EQ(to_json(plain[0])["readers"]["libzip"]["answer"], "value");
  EXPECT_EQ(to_json(plain[0])["readers"]["libzip"]["values"], 3);
  EXPECT_EQ(to_json(plain[1])["readers"]["libzip"]["answer"], "refusal");
  const auto planted = examined({files[0]}, options("libzip:misses"));
  EXPECT_EQ(to_json(planted[0])["readers"]["libzip"]["answer"], "silence");
  EXPECT_EQ(to_json(planted[0])["readers"]["libzip"]["silences"], 1);
}

// The names of entries and of the file itself are bytes.
TEST(ToJson, IsJsonWhateverNamesAre) {
  const test::Folder folder;
  const std::string hostile = "\xff\xc3\x28 \"</script>\n\x01";
  ZipLayout zip = parse_layout(twisted("same name after"));
  for (ZipPart& part : zip.parts) {
    const auto rename = [&](auto& header) {
      if (header.name != "a/c/0") return;
      header.name = hostile;
      header.name_length = static_cast<std::uint16_t>(hostile.size());
    };
    if (auto* local = std::get_if<LocalPart>(&part)) rename(*local);
    if (auto* central = std::get_if<CentralPart>(&part)) rename(*central);
  }
  repair(zip);
  const Paths files{folder.write("a\"\n.zip", render(zip)), folder.path() / "none\xff.zip"};
  const auto all = examined(files, options(), ReaderQuirks());
  EXPECT_FALSE(all[0].differences.empty()) << told(all[0]);
  // Newer libzip refuses a name that says UTF-8 and is not; libarchive never does.
  EXPECT_EQ(all[0].replies[1].reply["opened"][0], "value") << told(all[0]);
  for (const Examination& examination : all) {
    std::string text;
    ASSERT_NO_THROW(text = to_json(examination).dump()) << examination.file;
    EXPECT_TRUE(Json::parse(text)["file"].get<std::string>().ends_with(".zip"));
  }
}

// --- which files

class Below : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  Paths below(const std::vector<std::string>& names) const {
    std::vector<std::string> named;
    for (const std::string& name : names) named.push_back(path(name));
    const auto files = archives_below(named);
    EXPECT_TRUE(files.has_value()) << files.error().message;
    Paths relative;
    for (const fs::path& it : files.value_or(ArchivesFound()).files)
      relative.push_back(fs::relative(it, folder_.path()));
    return relative;
  }
  void expect_bad_input(const std::vector<std::string>& names, const std::string& named) const {
    std::vector<std::string> paths;
    for (const std::string& name : names) paths.push_back(path(name));
    const auto files = archives_below(paths);
    ASSERT_FALSE(files.has_value());
    EXPECT_EQ(files.error().code, ExitCode::kBadInput);
    EXPECT_NE(files.error().message.find(named), std::string::npos) << files.error().message;
  }
  void make(const std::string& name) const {
    fs::create_directories((folder_.path() / name).parent_path());
    folder_.write(name, "x");
  }
  const test::Folder folder_;
};

TEST_F(Below, AFileIsTakenWhateverItsName) {
  make("a.zip");
  make("b.txt");
  EXPECT_EQ(below({"b.txt", "a.zip"}), (Paths{"b.txt", "a.zip"}));
}

TEST_F(Below, OfAFolderAllThatEndInZipAreTakenInOrder) {
  for (const char* name : {"f/c.zip", "f/a.zip", "f/b/z.zip", "f/b/a/y.zip", "f/a.txt", "f/zip",
                           "f/a.zip.part", "g/d.zip"})
    make(name);
  fs::create_directory(path("f/folder.zip"));
  make("f/folder.zip/in.zip");
  EXPECT_EQ(below({"f"}),
            (Paths{"f/a.zip", "f/b/a/y.zip", "f/b/z.zip", "f/c.zip", "f/folder.zip/in.zip"}));
  EXPECT_EQ(below({"g", "f/c.zip"}), (Paths{"g/d.zip", "f/c.zip"}));
  EXPECT_EQ(below({}), Paths{});
}

TEST_F(Below, EveryCaseOfEveryEndingIsTaken) {
  for (const char* name : {"f/a.ZIP", "f/b.Zip", "f/c.ozx", "f/d.OZX", "f/.zip", "f/e.zipx"})
    make(name);
  EXPECT_EQ(below({"f"}), (Paths{"f/.zip", "f/a.ZIP", "f/b.Zip", "f/c.ozx", "f/d.OZX"}));
}

TEST_F(Below, LinksInAFolderAreNotFollowedAndCounted) {
  make("f/a.zip");
  make("g/b.zip");
  fs::create_symlink(path("g"), path("f/g"));
  fs::create_symlink(path("g/b.zip"), path("f/b.zip"));
  fs::create_symlink("..", path("f/round"));
  fs::create_symlink("nowhere", path("f/c.zip"));
  fs::create_symlink(path("f/a.zip"), path("f/latest"));  // leads to no folder, and is no archive
  EXPECT_EQ(below({"f"}), Paths{"f/a.zip"});
  const auto found = archives_below({path("f")});
  EXPECT_EQ(found->links, 4U);
  EXPECT_EQ(found->no_files, 0U);
}

TEST_F(Below, PipesAndSocketsInAFolderAreCounted) {
  make("f/a.zip");
  for (const char* name : {"f/b.zip", "f/c.OZX", "f/pipe"}) ::mkfifo(path(name).c_str(), 0600);
  const auto found = archives_below({path("f")});
  EXPECT_EQ(found->files.size(), 1U);
  EXPECT_EQ(found->no_files, 2U);
  expect_bad_input({"f/b.zip"}, "pipe");
  EXPECT_FALSE(archives_below({"/dev/null"}).has_value());
}

// Nobody knows what is in such a folder. Root may look into any, but none has so long a path.
TEST_F(Below, AFolderThatCannotBeReadIsAmongTheFiles) {
  make("f/a.zip");
  fs::path deep = path("f/deep");
  const fs::path before = fs::current_path();
  fs::create_directory(deep);
  fs::current_path(deep);
  const std::string part(250, 'd');
  for (int level = 0; level < 18; ++level) {
    fs::create_directory(part);
    fs::current_path(part);
  }
  fs::current_path(before);
  const auto found = archives_below({path("f")});
  ASSERT_EQ(found->files.size(), 2U);
  const auto all = examined(found->files, options());
  EXPECT_EQ(all[0].outcome() == "not looked at", found->files[0] != path("f/a.zip"));
  EXPECT_EQ(all[1].outcome() == "not looked at", found->files[1] != path("f/a.zip"));
  EXPECT_EQ(::system(fmt::format("rm -rf '{}'", path("f/deep")).c_str()), 0);
}

TEST_F(Below, WhatIsNotThereIsBadInput) {
  make("a.zip");
  expect_bad_input({"none.zip"}, "none.zip");
  expect_bad_input({"a.zip", "none"}, "none");
  fs::create_symlink("nowhere", path("dangling.zip"));
  expect_bad_input({"dangling.zip"}, "dangling.zip");
  EXPECT_FALSE(archives_below({""}).has_value());
}

TEST_F(Below, AFolderWithoutArchivesIsBadInput) {
  make("f/a.txt");
  make("g/b.zip");
  fs::create_symlink(path("g/b.zip"), path("f/b.zip"));
  expect_bad_input({"f"}, "f");
  expect_bad_input({"g", "f"}, "f");
}

}  // namespace
}  // namespace storefuzz
