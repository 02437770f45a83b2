// Files are written whole or not at all, and an error says whose fault it is.
#include "harness/base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

TEST(CannotWrite, TellsAFullDiskFromAWrongName) {
  for (const int machine : {ENOSPC, EDQUOT, EIO, EFBIG})
    EXPECT_EQ(cannot_write("x", machine).code, ExitCode::kMachine) << machine;
  for (const int named : {EACCES, ENOENT, ENOTDIR, EROFS, ENAMETOOLONG})
    EXPECT_EQ(cannot_write("x", named).code, ExitCode::kBadInput) << named;
  EXPECT_EQ(cannot_write("a/x", ENOSPC).message, "a/x cannot be written: no space left on device");
}

// The file beside its place leads to a disk that is always full.
TEST(WriteFileWhole, OnAFullDiskIsAFaultOfTheMachineAndTheOldFileStays) {
  for (const Durable durable : {Durable::kNo, Durable::kYes}) {
    const test::Folder folder;
    const fs::path file = folder.write("x", "old");
    fs::create_symlink("/dev/full", folder.path() / "x.new");
    const auto written = write_file_whole(file, "new", durable);
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().code, ExitCode::kMachine);
    EXPECT_NE(written.error().message.find("no space left"), std::string::npos);
    EXPECT_EQ(test::read_file(file), "old");
    EXPECT_FALSE(fs::exists(fs::symlink_status(folder.path() / "x.new")));
  }
}

TEST(WriteFileWhole, CanAlsoBeMadeToOutliveAPowerCut) {
  const test::Folder folder;
  ASSERT_TRUE(write_file_whole(folder.path() / "x", "new", Durable::kYes).has_value());
  EXPECT_EQ(test::read_file(folder.path() / "x"), "new");
}

TEST(WriteAll, GivesTheErrorOfTheSystem) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(write_all(full, "x"), ENOSPC);
  EXPECT_EQ(write_all(full, ""), 0);
  ::close(full);
}

}  // namespace
}  // namespace storefuzz
