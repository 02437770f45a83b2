// What lies in a case's folder and is nobody's.
#include "harness/direct/disk.h"

#include <gtest/gtest.h>

#include "harness/testing/shared.h"

namespace storefuzz::program {
namespace {

// A store of its own layout keeps files beside its path, as SQLite keeps a journal; of other places
// a name that only begins alike is a stray.
TEST(Disk, WhatIsNamedAfterAPlaceIsAStrayUnlessItsStoreAloneReadsIt) {
  const test::Folder folder;
  std::filesystem::create_directory(folder.path() / "f");
  for (const char* name : {"f/a", "f-wal", "i", "i-wal", "j"}) folder.write(name, "x");
  EXPECT_EQ(strays(folder.path(), {"f"}, {"i"}), (std::vector<std::string>{"f-wal", "j"}));
  EXPECT_EQ(strays(folder.path(), {"f", "i", "j"}), (std::vector<std::string>{"f-wal", "i-wal"}));
}

// A case may leave links, and what they lead to is not the case's.
TEST(Disk, AFolderIsEmptiedAndNoLinkIsFollowed) {
  const test::Folder folder, other;
  const auto victim = other.write("victim", "alive");
  std::filesystem::create_directories(folder.path() / "a/b");
  folder.write("a/b/c", "x");
  std::filesystem::create_directory_symlink(other.path(), folder.path() / "a/link");
  std::filesystem::create_symlink(victim, folder.path() / "file");
  EXPECT_TRUE(empty(folder.path()));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_EQ(test::read_file(victim), "alive");
  EXPECT_TRUE(empty(folder.path() / "not there"));
}

}  // namespace
}  // namespace storefuzz::program
