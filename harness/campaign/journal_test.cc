// A journal grows by whole lines, and outlives the process that wrote it.
#include "harness/campaign/journal.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

// What `body` gives in a forked child whose files may grow to `bytes` and no further, which is how
// a full disk looks to a process: a write that comes out short, then an error.
int with_files_of_at_most(rlim_t bytes, const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
    ::_exit(::setrlimit(RLIMIT_FSIZE, &limit) == 0 ? body() : 100);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Journal, HasEachLineOfAKilledProcess) {
  const test::Folder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    auto journal = Journal::make(folder.path() / "seen");
    if (!journal || !journal->append("one") || !journal->append("two")) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(test::read_file(folder.path() / "seen"), "one\ntwo\n");
}

TEST(Journal, BeginsEmpty) {
  const test::Folder folder;
  folder.write("seen", "of an earlier run");
  ASSERT_TRUE(Journal::make(folder.path() / "seen").has_value());
  EXPECT_EQ(test::read_file(folder.path() / "seen"), "");
}

TEST(Journal, TakesBackALineThatDoesNotFit) {
  const test::Folder folder;
  const int code = with_files_of_at_most(16, [&] {
    auto journal = Journal::make(folder.path() / "seen");
    if (!journal || !journal->append("one")) return 1;
    const auto long_line = journal->append(std::string(20, 'x'));
    if (long_line || long_line.error().code != ExitCode::kMachine) return 2;
    return journal->append("two") && journal->sync() ? 0 : 3;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(test::read_file(folder.path() / "seen"), "one\ntwo\n");
}

TEST(Journal, ThatCannotBeMadeNamesItsFile) {
  const auto journal = Journal::make("/proc/seen");
  ASSERT_FALSE(journal.has_value());
  EXPECT_EQ(journal.error().code, ExitCode::kBadInput);
  EXPECT_NE(journal.error().message.find("/proc/seen"), std::string::npos);
}

}  // namespace
}  // namespace storefuzz
