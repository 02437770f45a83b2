// Marks: every file, nothing but files, and no change unseen.
#include "harness/journey/marks.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>

#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::pair<std::uint64_t, std::uint32_t>> marked(const fs::path& folder) {
  std::map<std::string, std::pair<std::uint64_t, std::uint32_t>> sums;
  for (const FileSum& it : files_below(folder.string())) sums[it.name] = {it.size, it.crc};
  return sums;
}

TEST(Marks, HaveEveryFileWithItsSizeAndChecksum) {
  const test::Folder folder;
  fs::create_directories(folder.path() / "store/c/empty");
  folder.write("store.zip", "123456789");
  folder.write("store/c/0", "");
  folder.write("store/large", std::string(100'000, 'x'));
  const auto sums = marked(folder.path());
  ASSERT_EQ(sums.size(), 3U);
  EXPECT_EQ(sums.at("store.zip"), std::pair(std::uint64_t{9}, 0xCBF43926U));
  EXPECT_EQ(sums.at("store/c/0"), std::pair(std::uint64_t{0}, 0U));
  EXPECT_EQ(sums.at("store/large").first, 100'000U);
}

TEST(Marks, SeeAChangeThatKeepsSizeAndTime) {
  const test::Folder folder;
  const auto file = folder.write("a", "before");
  const auto time = fs::last_write_time(file);
  const auto before = marked(folder.path());
  folder.write("a", "after!");
  fs::last_write_time(file, time);
  EXPECT_NE(marked(folder.path()), before);
}

TEST(Marks, FollowNoLinkToAFolderAndWaitForNoPipe) {
  const test::Folder folder, elsewhere;
  elsewhere.write("secret", "x");
  fs::create_directory_symlink(elsewhere.path(), folder.path() / "folder");
  fs::create_symlink(elsewhere.path() / "secret", folder.path() / "file");
  fs::create_symlink(elsewhere.path() / "missing", folder.path() / "nothing");
  ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  const auto sums = marked(folder.path());
  EXPECT_EQ(sums.size(), 3U);
  EXPECT_EQ(sums.at("file").first, 1U);
  EXPECT_EQ(sums.at("nothing").first, 0U);
  EXPECT_EQ(sums.at("pipe").first, 0U);
}

TEST(Marks, OfNothingAreNone) { EXPECT_TRUE(files_below("/nowhere/at/all").empty()); }

}  // namespace
}  // namespace storefuzz
