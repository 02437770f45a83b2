// Contained, a process changes nothing outside its scratch folder, however it tries. Every attempt
// runs in a child of its own, because nobody can lift a containment; the same attempts, made
// without containment, must succeed, or their failing would prove nothing.
#include "harness/process/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

constexpr int kBroken = 200;  // above every errno: containment itself failed in the child
constexpr int kAnyAbi = std::numeric_limits<int>::max();

// An attempt answers 0 or an errno.
using Attempt = std::function<int()>;

int errno_of(long result) { return result < 0 ? errno : 0; }

// Runs `attempt` in a child and gives its answer, or minus the signal that killed the child.
int in_child(const Attempt& attempt) {
  const pid_t child = fork();
  if (child == 0) _exit(attempt());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return kBroken;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int open_and_write(const fs::path& path, int flags) {
  const int file = open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (file < 0) return errno;
  const int error = errno_of(write(file, "x", 1));
  close(file);
  return error;
}

int bind_socket(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int end = socket(AF_UNIX, SOCK_STREAM, 0);
  const int error = errno_of(bind(end, reinterpret_cast<sockaddr*>(&address), sizeof address));
  close(end);
  return error;
}

int run_shell(const std::string& line) {
  execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
  return kBroken;
}

std::string content(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// base/victim/{file,folder/deep} is to survive, base/run/scratch/{file,folder} is free for all.
class Sandbox : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "sandbox_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    base = name;
    scratch = base / "run" / "scratch";
    victim = base / "victim";
    for (const fs::path& place : {victim, scratch}) {
      fs::create_directories(place / "folder");
      std::ofstream(place / "file") << "precious";
      std::ofstream(place / "folder" / "deep") << "precious";
    }
  }

  void TearDown() override { fs::remove_all(base); }

  // The answer of `attempt`, made by a contained child.
  int contained(const Attempt& attempt, const std::vector<fs::path>& also_writable = {},
                int most_abi = kAnyAbi) const {
    return in_child([&] {
      const auto contained = internal::forbid_writes_outside(scratch, also_writable, most_abi);
      if (!contained) std::fprintf(stderr, "%s\n", contained.error().message.c_str());
      return contained ? attempt() : kBroken;
    });
  }

  void expect_victim_unharmed() const {
    EXPECT_EQ(content(victim / "file"), "precious");
    EXPECT_EQ(content(victim / "folder" / "deep"), "precious");
    EXPECT_EQ(std::distance(fs::directory_iterator(victim), {}), 2);
  }

  fs::path base, scratch, victim;
};

// The tests of what Landlock forbids, where there is Landlock.
class Contained : public Sandbox {
 protected:
  void SetUp() override {
    abi = static_cast<int>(
        syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
    if (abi < 1) GTEST_SKIP() << "This kernel has no Landlock.";
    Sandbox::SetUp();
  }

  int abi = 0;
};

struct Try {
  const char* what;
  std::function<int(const fs::path&)> in;  // in a folder that has `file` and `folder/deep`
};

// Every way to change something in a folder.
const std::array kTries = {
    Try{"create", [](const fs::path& p) { return open_and_write(p / "new", O_CREAT | O_WRONLY); }},
    Try{"write", [](const fs::path& p) { return open_and_write(p / "file", O_WRONLY); }},
    Try{"append", [](const fs::path& p) { return open_and_write(p / "file", O_APPEND | O_RDWR); }},
    Try{"delete", [](const fs::path& p) { return errno_of(unlink((p / "file").c_str())); }},
    Try{"rename",
        [](const fs::path& p) {
          return errno_of(rename((p / "file").c_str(), (p / "other").c_str()));
        }},
    Try{"link",
        [](const fs::path& p) {
          return errno_of(link((p / "file").c_str(), (p / "other").c_str()));
        }},
    Try{"symlink",
        [](const fs::path& p) { return errno_of(symlink("file", (p / "new").c_str())); }},
    Try{"mkdir", [](const fs::path& p) { return errno_of(mkdir((p / "new").c_str(), 0700)); }},
    Try{"rmdir",
        [](const fs::path& p) {
          unlink((p / "folder" / "deep").c_str());
          return errno_of(rmdir((p / "folder").c_str()));
        }},
    Try{"fifo", [](const fs::path& p) { return errno_of(mkfifo((p / "new").c_str(), 0600)); }},
    Try{"socket", [](const fs::path& p) { return bind_socket(p / "new"); }},
};

TEST_F(Contained, NothingChangesOutside) {
  for (const Try& attempt : kTries)
    EXPECT_EQ(contained([&] { return attempt.in(victim); }), EACCES) << attempt.what;
  expect_victim_unharmed();
}

TEST_F(Contained, TheSameInsideIsFree) {
  for (const Try& attempt : kTries) {
    EXPECT_EQ(contained([&] { return attempt.in(scratch); }), 0) << attempt.what;
    TearDown();
    SetUp();
  }
}

// Without containment the attempts succeed outside too: it is Landlock that stops them.
TEST_F(Sandbox, UncontainedEveryAttemptSucceeds) {
  for (const Try& attempt : kTries) {
    EXPECT_EQ(in_child([&] { return attempt.in(victim); }), 0) << attempt.what;
    TearDown();
    SetUp();
  }
}

TEST_F(Contained, NothingIsTruncatedOutside) {
  if (abi < 3) GTEST_SKIP() << "Landlock forbids to truncate from version 3 on.";
  const auto truncate_in = [](const fs::path& p) {
    return errno_of(truncate((p / "file").c_str(), 0));
  };
  const auto open_truncating_in = [](const fs::path& p) {
    return errno_of(open((p / "file").c_str(), O_RDONLY | O_TRUNC | O_CLOEXEC));
  };
  EXPECT_EQ(contained([&] { return truncate_in(victim); }), EACCES);
  EXPECT_EQ(contained([&] { return open_truncating_in(victim); }), EACCES);
  EXPECT_EQ(contained([&] { return truncate_in(scratch); }), 0);
  EXPECT_EQ(contained([&] { return open_truncating_in(scratch); }), 0);
  expect_victim_unharmed();
}

// Only root could make them at all, and Landlock answers before the kernel asks who makes them.
TEST_F(Contained, NoDevicesAreMadeOutside) {
  for (const mode_t kind : {S_IFCHR, S_IFBLK}) {
    const auto make_in = [&](const fs::path& p) {
      return errno_of(mknod((p / "new").c_str(), kind | 0600, 0));
    };
    EXPECT_EQ(contained([&] { return make_in(victim); }), EACCES);
    EXPECT_NE(contained([&] { return make_in(scratch); }), EACCES);
    fs::remove(scratch / "new");
  }
}

TEST_F(Contained, NothingCrossesTheBorder) {
  const auto cross = [&](auto call, const fs::path& from, const fs::path& to) {
    return contained([&] { return errno_of(call(from.c_str(), to.c_str())); });
  };
  EXPECT_EQ(cross(rename, scratch / "file", victim / "new"), EACCES);
  EXPECT_EQ(cross(rename, victim / "file", scratch / "new"), EACCES);
  EXPECT_EQ(cross(rename, victim / "folder", scratch / "new"), EACCES);
  EXPECT_EQ(cross(link, scratch / "file", victim / "new"), EACCES);
  EXPECT_NE(cross(link, victim / "file", scratch / "new"), 0);
  expect_victim_unharmed();
}

TEST_F(Contained, RenamingBetweenFoldersInsideIsFree) {
  if (abi < 2) GTEST_SKIP() << "Landlock version 1 forbids it everywhere.";
  EXPECT_EQ(contained([&] {
              return errno_of(rename((scratch / "file").c_str(), (scratch / "folder/x").c_str()));
            }),
            0);
}

TEST_F(Contained, ATreeThatAPathLeadsToSurvivesRemoveAll) {
  const int answer = contained([&] {
    std::error_code error;
    fs::remove_all(scratch / ".." / ".." / "victim", error);
    return error.value();
  });
  EXPECT_EQ(answer, EACCES);
  expect_victim_unharmed();
}

TEST_F(Contained, ASymbolicLinkLeadsNowhere) {
  fs::create_directory_symlink(victim, scratch / "exit");
  EXPECT_EQ(contained([&] { return open_and_write(scratch / "exit" / "file", O_WRONLY); }), EACCES);
  expect_victim_unharmed();
}

TEST_F(Contained, AShellIsContainedToo) {
  const fs::path outside = victim / "new", inside = scratch / "new";
  EXPECT_NE(
      contained([&] { return run_shell("exec 2>/dev/null; echo x > '" + outside.string() + "'"); }),
      0);
  EXPECT_EQ(contained([&] { return run_shell("echo x > '" + inside.string() + "'"); }), 0);
  EXPECT_EQ(content(inside), "x\n");
  expect_victim_unharmed();
}

TEST_F(Contained, AGrandchildIsContainedToo) {
  const auto grandchild = [&] {
    return in_child([&] { return open_and_write(victim / "file", O_WRONLY); });
  };
  EXPECT_EQ(contained(grandchild), EACCES);
  expect_victim_unharmed();
}

TEST_F(Contained, AThreadStartedLaterIsContainedToo) {
  EXPECT_EQ(contained([&] {
              int answer = 0;
              std::thread([&] { answer = open_and_write(victim / "file", O_WRONLY); }).join();
              return answer;
            }),
            EACCES);
  expect_victim_unharmed();
}

TEST_F(Contained, ReadingAndExecutingStayFree) {
  EXPECT_EQ(contained([&] { return content(victim / "file") == "precious" ? 0 : EINVAL; }), 0);
  EXPECT_EQ(contained([&] { return run_shell("ls '" + victim.string() + "' | grep -q file"); }), 0);
}

TEST_F(Contained, DevicesWithoutDataStayWritable) {
  EXPECT_EQ(contained([] { return open_and_write("/dev/null", O_WRONLY); }), 0);
  EXPECT_EQ(contained([] { return open_and_write("/dev/null", O_CREAT | O_TRUNC | O_RDWR); }), 0);
  EXPECT_EQ(contained([] { return open_and_write("/dev/zero", O_WRONLY); }), 0);
  EXPECT_EQ(contained([] { return run_shell("echo x > /dev/null"); }), 0);
}

TEST_F(Contained, OpenDescriptorsKeepWorking) {
  const int file = open((victim / "file").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  EXPECT_EQ(contained([&] { return errno_of(write(file, " still", 6)); }), 0);
  close(file);
  EXPECT_EQ(content(victim / "file"), "precious still");
}

TEST_F(Contained, AlsoWritableIsWritableAndNothingBesideIt) {
  const std::vector<fs::path> folder = {victim / "folder"}, file = {victim / "file"};
  const auto write_to = [&](const fs::path& path, const std::vector<fs::path>& allowed) {
    return contained([&] { return open_and_write(path, O_WRONLY); }, allowed);
  };
  EXPECT_EQ(write_to(victim / "folder" / "deep", folder), 0);
  EXPECT_EQ(write_to(victim / "file", folder), EACCES);
  EXPECT_EQ(write_to(victim / "file", file), 0);
  EXPECT_EQ(write_to(victim / "folder" / "deep", file), EACCES);
}

TEST_F(Contained, AContainmentInsideAnotherOnlyNarrows) {
  const auto again = [&](const fs::path& place) {
    return [&, place] {
      if (!forbid_writes_outside(scratch / "folder")) return kBroken;
      return open_and_write(place, O_WRONLY);
    };
  };
  EXPECT_EQ(contained(again(scratch / "folder" / "deep")), 0);
  EXPECT_EQ(contained(again(scratch / "file")), EACCES);
}

TEST_F(Contained, ASeventeenthLayerIsAnError) {
  const int refused_at = in_child([&] {
    for (int layer = 1; layer < 100; ++layer)
      if (const auto contained = forbid_writes_outside(scratch); !contained)
        return contained.error().code == ExitCode::kMachine ? layer : kBroken;
    return 0;
  });
  EXPECT_EQ(refused_at, 17);
}

TEST_F(Contained, OlderVersionsForbidWhatTheyCan) {
  for (int old = 1; old <= std::min(abi, 3); ++old) {
    for (const Try& attempt : kTries)
      EXPECT_EQ(contained([&] { return attempt.in(victim); }, {}, old), EACCES)
          << attempt.what << " with version " << old;
    EXPECT_EQ(contained([&] { return open_and_write(scratch / "file", O_WRONLY); }, {}, old), 0);
  }
  expect_victim_unharmed();
}

TEST_F(Contained, TheSentenceNamesScratchAndTheGap) {
  const auto sentence_has = [&](int most_abi, std::string_view part) {
    return in_child([&] {
      const auto contained = internal::forbid_writes_outside(scratch, {}, most_abi);
      return contained && contained->landlock_abi == std::min(abi, most_abi) &&
             contained->sentence.contains(scratch.string()) && contained->sentence.contains(part);
    });
  };
  EXPECT_TRUE(sentence_has(1, "rename or link between folders"));
  EXPECT_TRUE(sentence_has(1, "truncating"));
  EXPECT_FALSE(abi >= 2 && sentence_has(2, "rename or link"));
  EXPECT_FALSE(abi >= 3 && sentence_has(kAnyAbi, "truncating"));
}

TEST(Rights, GrowWithTheVersion) {
  const auto added = [](int abi) {
    return internal::rights_that_write(abi) & ~internal::rights_that_write(abi - 1);
  };
  EXPECT_EQ(added(2), 1ULL << 13);  // REFER
  EXPECT_EQ(added(3), 1ULL << 14);  // TRUNCATE
  for (int abi : {4, 5, 6, 7, 8}) EXPECT_EQ(added(abi), 0) << abi;
  const std::uint64_t reading =
      LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
  EXPECT_EQ(internal::rights_that_write(7) & reading, 0);
}

TEST_F(Sandbox, MoreThanOneThreadIsRefused) {
  const int answer = in_child([&] {
    std::jthread second([](const std::stop_token& stop) {
      while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    const auto contained = forbid_writes_outside(scratch);
    return contained ? 0 : static_cast<int>(contained.error().code);
  });
  EXPECT_EQ(answer, static_cast<int>(ExitCode::kMachine));
}

TEST_F(Sandbox, MissingPathsAreBadInputAndForbidNothing) {
  const auto misled = [&](const fs::path& place, const std::vector<fs::path>& also_writable) {
    return in_child([&] {
      const auto contained = forbid_writes_outside(place, also_writable);
      if (contained || contained.error().code != ExitCode::kBadInput) return kBroken;
      return open_and_write(victim / "file", O_WRONLY | O_APPEND);
    });
  };
  EXPECT_EQ(misled(scratch / "missing", {}), 0);
  EXPECT_EQ(misled(scratch / "file", {}), 0);
  EXPECT_EQ(misled(scratch, {victim / "missing"}), 0);
}

// Makes landlock_create_ruleset fail in this process, as on a kernel without Landlock.
bool hide_landlock(int error) {
  std::array program = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST_F(Sandbox, WithoutLandlockNothingIsForbiddenAndASentenceSaysSo) {
  for (const int error : {ENOSYS, EOPNOTSUPP, EPERM}) {
    const int answer = in_child([&] {
      if (!hide_landlock(error)) return kBroken;
      const auto contained = forbid_writes_outside(scratch);
      if (!contained || contained->landlock_abi != 0) return kBroken;
      if (!contained->sentence.contains("no Landlock")) return kBroken;
      return open_and_write(victim / "file", O_WRONLY);
    });
    EXPECT_EQ(answer, 0) << std::strerror(error);
  }
}

}  // namespace
}  // namespace storefuzz
