// Files are written whole or not at all, and an error says whose fault it is.
#include "harness/base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "harness/testing/shared.h"

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

// A limit of this process stands for the disk: writing beyond it fails as on a disk that is full.
class NoSpace {
 public:
  NoSpace() {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~NoSpace() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  NoSpace(const NoSpace&) = delete;
  NoSpace& operator=(const NoSpace&) = delete;

 private:
  rlimit before_{};
};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  return names;
}

TEST(WriteFileWhole, OnAFullDiskIsAFaultOfTheMachineAndTheOldFileStays) {
  for (const Durable durable : {Durable::kNo, Durable::kYes}) {
    const test::Folder folder;
    const fs::path file = folder.write("x", "old");
    const auto written = [&] {
      const NoSpace limit;
      return write_file_whole(file, "new", durable);
    }();
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().code, ExitCode::kMachine);
    EXPECT_EQ(test::read_file(file), "old");
    EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"x"});
  }
}

// A writer that is killed at any moment leaves a whole file or none, and nothing beside it.
TEST(WriteFileWhole, LeavesNothingBehindWhereTheWriterIsKilled) {
  const test::Folder folder;
  const int unnamed = ::open(folder.path().c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
  if (unnamed < 0) GTEST_SKIP() << "the file system of the scratch folder has no unnamed files";
  ::close(unnamed);
  const std::string bytes(8 << 20, 'x');
  for (int i = 0; i < 20; ++i) {
    const pid_t writer = ::fork();
    if (writer == 0)
      for (int file = 0;; ++file)
        if (!write_file_whole(folder.path() / fmt::format("{}-{}", i, file), bytes)) ::_exit(1);
    ::usleep(static_cast<useconds_t>(1000 * i));
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
    for (const std::string& name : names_in(folder.path())) {
      EXPECT_FALSE(name.ends_with(".new")) << name;
      EXPECT_EQ(fs::file_size(folder.path() / name), bytes.size());
      fs::remove(folder.path() / name);
    }
  }
}

TEST(WriteFileWhole, ReplacesAndAsksForNoFolderInTheName) {
  const test::Folder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  for (const char* bytes : {"old", "new"}) {
    EXPECT_TRUE(write_file_whole("x", bytes).has_value());
    EXPECT_EQ(test::read_file("x"), bytes);
  }
  EXPECT_EQ(names_in("."), std::vector<std::string>{"x"});
  fs::current_path(before);
}

TEST(WriteFileWhole, CanAlsoBeMadeToOutliveAPowerCut) {
  const test::Folder folder;
  ASSERT_TRUE(write_file_whole(folder.path() / "x", "new", Durable::kYes).has_value());
  EXPECT_EQ(test::read_file(folder.path() / "x"), "new");
}

TEST(ReadFileWhole, GivesAllBytesOrSaysThatItCannot) {
  const test::Folder folder;
  const std::string bytes("a\0b\n", 4);
  EXPECT_EQ(read_file_whole(folder.write("x", bytes)).value_or(""), bytes);
  const auto missing = read_file_whole(folder.path() / "y");
  ASSERT_FALSE(missing.has_value());
  EXPECT_TRUE(missing.error().message.ends_with("y cannot be read"));
  EXPECT_FALSE(read_file_whole(folder.path()).has_value()) << "a folder is no file";
}

TEST(WriteAll, GivesTheErrorOfTheSystem) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(write_all(full, "x"), ENOSPC);
  EXPECT_EQ(write_all(full, ""), 0);
  ::close(full);
}

}  // namespace
}  // namespace storefuzz
