// Processes below us: frames go and come, deadlines hold, every death has a name, nobody is left.
#include "harness/process/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "harness/process/cores.h"
#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

using std::chrono::steady_clock;

constexpr Milliseconds kLong{60'000};  // never reached, unless something is wrong
constexpr Milliseconds kShort{300};    // of a child that never answers

const Process::ForkHooks kNoHooks{[] {}, [] {}, [] {}};

Process started(const Command& command) {
  auto process = Process::start(command);
  if (!process) std::abort();
  return std::move(*process);
}

Process forked(const std::function<std::string(const std::string&)>& body) {
  auto process = Process::fork(kNoHooks, body);
  if (!process) std::abort();
  return std::move(*process);
}

// `cat` sends every frame back, byte by byte.
Command echo() { return {.arguments = {"/bin/sh", "-c", "exec cat >&3"}}; }
Command shell(const std::string& line) { return {.arguments = {"/bin/sh", "-c", line}}; }

std::string text_of(const Reply& reply) {
  const std::string* text = std::get_if<std::string>(&reply);
  return text ? *text : "no reply";
}

std::string death_of(const Reply& reply) {
  const Crashed* crash = std::get_if<Crashed>(&reply);
  return crash ? crash->signal : "no death";
}

// Gone, or a zombie that somebody else has to reap.
bool is_gone(pid_t pid) {
  const std::string stat = test::read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name = stat.rfind(") ");
  return name == stat.npos || stat[name + 2] == 'Z' || stat[name + 2] == 'X';
}

bool is_gone_soon(pid_t pid) {
  for (int tries = 0; tries < 500 && !is_gone(pid); ++tries)
    std::this_thread::sleep_for(Milliseconds(10));
  return is_gone(pid);
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

// --- frames

TEST(Frames, ComeBackFromAStartedProgram) {
  Process process = started(echo());
  for (const std::string& frame : {std::string("hello"), std::string(), std::string("\0\n\xff", 3)})
    EXPECT_EQ(text_of(process.ask(frame, kLong)), frame);
}

TEST(Frames, ComeBackFromAForkedChild) {
  Process process = forked([](const std::string& request) { return request + "!"; });
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(text_of(process.ask(std::to_string(i), kLong)), std::to_string(i) + "!");
}

TEST(Frames, MayBeBig) {
  Process process = forked([](const std::string& request) { return request + request; });
  const std::string big(5 << 20, 'x');
  EXPECT_EQ(text_of(process.ask(big, kLong)), big + big);
}

TEST(Frames, OfADishonestLengthAreADeathAndNoAllocation) {
  Process process = started(shell(R"(printf '\377\377\377\377junk' >&3; exec sleep 1000)"));
  const pid_t pid = process.pid();
  EXPECT_EQ(death_of(process.ask("x", kLong)), "closed its pipe");
  EXPECT_TRUE(is_gone(pid));
}

TEST(Frames, EndWithThePipe) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_TRUE(write_frame(ends[1], "one"));
  ASSERT_EQ(::write(ends[1], "\5\0\0\0cu", 6), 6);
  ::close(ends[1]);
  std::string frame;
  EXPECT_TRUE(read_frame(ends[0], frame));
  EXPECT_EQ(frame, "one");
  EXPECT_FALSE(read_frame(ends[0], frame)) << "cut in the middle";
  EXPECT_FALSE(read_frame(ends[0], frame));
  ::close(ends[0]);
}

// --- deadlines

TEST(Deadline, KillsAChildThatNeverAnswers) {
  Process process = started(shell("exec sleep 1000"));
  const pid_t pid = process.pid();
  const auto begin = steady_clock::now();
  EXPECT_TRUE(std::holds_alternative<TimedOut>(process.ask("x", kShort)));
  EXPECT_GE(steady_clock::now() - begin, kShort - Milliseconds(10));
  EXPECT_LT(steady_clock::now() - begin, Milliseconds(20'000));
  EXPECT_FALSE(process.alive());
  EXPECT_TRUE(is_gone(pid));
}

TEST(Deadline, KillsAChildThatStopsInTheMiddleOfItsAnswer) {
  Process process = started(shell(R"(printf '\5\0\0\0ab' >&3; exec sleep 1000)"));
  EXPECT_TRUE(std::holds_alternative<TimedOut>(process.ask("x", kShort)));
  EXPECT_FALSE(process.alive());
}

TEST(Deadline, HoldsForAChildThatIgnoresEverySignalItCan) {
  Process process =
      started(shell("trap '' HUP INT TERM USR1 USR2 PIPE; while :; do sleep 1; done"));
  EXPECT_TRUE(std::holds_alternative<TimedOut>(process.ask("x", kShort)));
  EXPECT_FALSE(process.alive());
}

// A request bigger than a pipe, to a child that does not read: sending is under the deadline too.
// In a child of its own, which is killed where it does not come back.
TEST(Deadline, HoldsWhileSendingToAChildThatDoesNotRead) {
  Process tester = forked([](const std::string&) {
    Process process = started(shell("exec sleep 1000"));
    const Reply reply = process.ask(std::string(1 << 20, 'x'), kShort);
    return std::holds_alternative<TimedOut>(reply) ? std::string("timed out") : "something else";
  });
  EXPECT_EQ(text_of(tester.ask("", Milliseconds(10'000))), "timed out");
}

TEST(Deadline, EndsEarlyForAChildThatSleepsWhereThatIsAsked) {
  const auto sleepy = [](const std::string&) {
    std::this_thread::sleep_for(std::chrono::seconds(3));
    return std::string("late");
  };
  Process child = forked(sleepy);
  EXPECT_TRUE(std::holds_alternative<TimedOut>(child.ask("x", kLong, nullptr, kShort)));
  EXPECT_FALSE(child.alive());
  Process patient = forked(sleepy);
  EXPECT_EQ(text_of(patient.ask("x", kLong)), "late");
}

TEST(Deadline, DoesNotEndEarlyForAChildThatWorks) {
  Process child = forked([](const std::string&) {
    for (const auto end = steady_clock::now() + 4 * kShort; steady_clock::now() < end;) {
    }
    return std::string("done");
  });
  EXPECT_EQ(text_of(child.ask("x", kLong, nullptr, kShort)), "done");
}

TEST(Deadline, AnsweredInTimeIsNoDeath) {
  Process process = started(echo());
  EXPECT_EQ(text_of(process.ask("x", kLong)), "x");
  EXPECT_TRUE(process.alive());
  EXPECT_EQ(process.wait_for_end(Milliseconds(1)), "") << "still there";
}

// --- deaths

TEST(Death, HasTheNameOfItsSignal) {
  for (const auto& [number, name] : {std::pair{SIGSEGV, "SIGSEGV"},
                                     {SIGABRT, "SIGABRT"},
                                     {SIGKILL, "SIGKILL"},
                                     {SIGFPE, "SIGFPE"},
                                     {SIGTERM, "SIGTERM"}}) {
    Process process = forked([number](const std::string&) {
      ::signal(number, SIG_DFL);
      ::raise(number);
      return std::string();
    });
    EXPECT_EQ(death_of(process.ask("x", kLong)), name);
    EXPECT_FALSE(process.alive());
    EXPECT_EQ(process.exit_code(), -1);
  }
}

TEST(Death, ByExitHasItsCode) {
  Process process = started(shell("read line; exit 7"));
  EXPECT_EQ(death_of(process.ask("x\n", kLong)), "exit 7");
  EXPECT_EQ(process.exit_code(), 7);
}

TEST(Death, OfAProgramThatIsNotThereIsExit127) {
  Process process = started({.arguments = {"/no/such/program"}});
  EXPECT_EQ(death_of(process.ask("x", kLong)), "exit 127");
}

TEST(Death, AskedAgainIsStillADeath) {
  Process process = started(shell("exit 3"));
  EXPECT_EQ(death_of(process.ask("x", kLong)), "exit 3");
  EXPECT_NE(death_of(process.ask("x", kLong)), "no death");
  EXPECT_FALSE(process.send("x"));
}

TEST(Death, OfAForkedChildRunsNoDestructorOfOurs) {
  const test::Folder folder;  // would be removed
  {
    Process process = forked([](const std::string&) { return std::string("x"); });
    EXPECT_EQ(text_of(process.ask("", kLong)), "x");
  }
  EXPECT_TRUE(std::filesystem::exists(folder.path()));
}

TEST(Process, IsGoneWhenItsObjectIs) {
  pid_t pid = 0;
  {
    Process process = started(shell("exec sleep 1000"));
    pid = process.pid();
    EXPECT_FALSE(is_gone(pid));
    Process moved = std::move(process);
    EXPECT_EQ(moved.pid(), pid);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(Process, LeavesNoDescriptorBehind) {
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    Process process = started(echo());
    EXPECT_EQ(text_of(process.ask("x", kLong)), "x");
    Process other = forked([](const std::string& it) { return it; });
    EXPECT_EQ(text_of(other.ask("x", kLong)), "x");
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Process, HasOnlyTheDescriptorsItWasGiven) {
  auto memory = make_memory_file("given", 16);
  ASSERT_TRUE(memory.has_value());
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int stray = ::fcntl(null, F_DUPFD_CLOEXEC, 700);
  ::close(null);
  Command command = shell("ls /proc/self/fd | tr '\\n' ' '");
  command.descriptors = {memory->get()};
  auto finished = run_to_end(command, kLong);
  ASSERT_TRUE(finished.has_value());
  EXPECT_NE(finished->output.find(std::to_string(memory->get()) + " "), std::string::npos)
      << finished->output;
  EXPECT_EQ(finished->output.find(" " + std::to_string(stray) + " "), std::string::npos)
      << finished->output;
  ::close(stray);
}

TEST(Process, HasDefaultSignalHandlersWhateverOursAre) {
  const auto before = ::signal(SIGTERM, SIG_IGN);
  Process process = started(shell("kill -TERM $$; sleep 1000"));
  EXPECT_EQ(process.wait_for_end(kLong), "SIGTERM");
  ::signal(SIGTERM, before);
}

TEST(Process, StartsWithItsOwnDirectoryAndEnvironment) {
  const test::Folder folder;
  ::setenv("STOREFUZZ_UNIT", "ours", 1);
  Command command = shell("pwd; echo $STOREFUZZ_UNIT; echo $PATH");
  command.directory = folder.path();
  command.environment = {{"STOREFUZZ_UNIT", "it's theirs"}};
  auto finished = run_to_end(command, kLong);
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->output, std::filesystem::canonical(folder.path()).string() +
                                  "\nit's theirs\n" + std::getenv("PATH") + "\n");
}

// Started with `<&-`, as a cron job may be: pipes then get the numbers 0 to 2.
TEST(Process, WorksWhereStandardInputAndOutputAreClosed) {
  Process tester = forked([](const std::string&) {
    for (const int number : {0, 1, 2}) ::close(number);
    Process process = started(echo());
    return text_of(process.ask("hello", Milliseconds(5000)));
  });
  EXPECT_EQ(text_of(tester.ask("", Milliseconds(20'000))), "hello");
}

// --- nobody outlives us

TEST(Orphans, AStartedChildDiesWithItsParent) {
  Process middle = forked([](const std::string&) {
    auto* child = new Process(started(shell("exec sleep 1000")));
    return std::to_string(child->pid());
  });
  const pid_t pid = std::stoi(text_of(middle.ask("", kLong)));
  EXPECT_FALSE(is_gone(pid));
  ::kill(middle.pid(), SIGKILL);
  EXPECT_EQ(middle.wait_for_end(kLong), "SIGKILL");
  EXPECT_TRUE(is_gone_soon(pid)) << (::kill(pid, SIGKILL), "killed now");
}

TEST(Orphans, AForkedChildDiesWithItsParentEvenInTheMiddleOfARequest) {
  Process middle = forked([](const std::string&) {
    auto* child = new Process(forked([](const std::string&) -> std::string {
      for (;;) ::pause();
    }));
    child->send("x");
    return std::to_string(child->pid());
  });
  const pid_t pid = std::stoi(text_of(middle.ask("", kLong)));
  ::kill(middle.pid(), SIGKILL);
  EXPECT_EQ(middle.wait_for_end(kLong), "SIGKILL");
  EXPECT_TRUE(is_gone_soon(pid)) << (::kill(pid, SIGKILL), "killed now");
}

// A script that is confirmed starts a pool of its own; when it is killed, its pool must go as well.
TEST(Orphans, WhatACommandStartedIsGoneWithItAtItsDeadline) {
  const test::Folder folder;
  const std::string file = folder.path() / "pid";
  auto finished = run_to_end(shell("sleep 1000 & echo $! > " + file + "; wait"), Milliseconds(500));
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->end, "timed out");
  const pid_t pid = std::stoi(test::read_file(file));
  EXPECT_TRUE(is_gone_soon(pid));
  ::kill(pid, SIGKILL);
}

// --- run_to_end

TEST(RunToEnd, GivesOutputAndEnd) {
  auto finished = run_to_end(shell("echo out; echo err >&2; exit 5"), kLong);
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->output, "out\nerr\n");
  EXPECT_EQ(finished->end, "exit 5");
  EXPECT_EQ(finished->exit_code, 5);
}

TEST(RunToEnd, GivesADeathItsName) {
  auto finished = run_to_end(shell("kill -SEGV $$"), kLong);
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->end, "SIGSEGV");
  EXPECT_EQ(finished->exit_code, -1);
}

TEST(RunToEnd, EndsAtItsDeadlineWithTheOutputSoFar) {
  auto finished = run_to_end(shell("echo first; exec sleep 1000"), Milliseconds(500));
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->end, "timed out");
  EXPECT_EQ(finished->output, "first\n");
}

TEST(RunToEnd, KeepsABoundedPartOfEndlessOutput) {
  auto finished = run_to_end(shell("exec head -c 20000000 /dev/zero"), kLong);
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->end, "exit 0");
  EXPECT_LT(finished->output.size(), 2 << 20);
  EXPECT_GE(finished->output.size(), 1 << 20);
}

TEST(RunToEnd, DoesNotWaitForThoseWhoMerelyHoldThePipe) {
  const auto begin = steady_clock::now();
  auto finished = run_to_end(shell("sleep 5 & echo done"), kLong);
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->end, "exit 0");
  EXPECT_LT(steady_clock::now() - begin, Milliseconds(4000));
}

TEST(RunToEnd, StopsWhenItIsToldAndLetsTheCommandTidyUp) {
  // A command that closed its output has nothing more to say: only its end is waited for.
  for (const std::string output : {"", "exec >&- 2>&-; "}) {
    const test::Folder folder;
    const std::string made = (folder.path() / "made").string();
    auto finished = run_to_end(shell(output + "trap 'rm " + made + "; exit 7' TERM; echo half > " +
                                     made + "; while :; do sleep 0.01; done"),
                               kLong, [&] { return std::filesystem::exists(made); });
    ASSERT_TRUE(finished);
    EXPECT_TRUE(finished->stopped);
    EXPECT_EQ(finished->end, "exit 7");
    EXPECT_FALSE(std::filesystem::exists(made));
  }
}

TEST(RunToEnd, StopsACommandThatIgnoresBeingTold) {
  const test::Folder folder;
  const std::string file = (folder.path() / "pid").string();
  auto finished =
      run_to_end(shell("trap '' TERM; echo $$ > " + file + "; while :; do sleep 0.01; done"), kLong,
                 [&] { return std::filesystem::exists(file); });
  ASSERT_TRUE(finished);
  EXPECT_TRUE(finished->stopped);
  EXPECT_EQ(finished->end, "timed out");
  EXPECT_TRUE(is_gone_soon(std::stoi(test::read_file(file))));
}

TEST(RunToEnd, ForbidsToWriteOutsideWhereItIsContained) {
  const test::Folder inside;
  const test::Folder outside;
  Command command = shell("echo x > " + (inside.path() / "in").string() + "; echo x > " +
                          (outside.path() / "out").string() + "; exit 0");
  command.contain = inside.path();
  auto finished = run_to_end(command, kLong);
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->end, "exit 0") << finished->output;
  EXPECT_TRUE(std::filesystem::exists(inside.path() / "in"));
  EXPECT_FALSE(std::filesystem::exists(outside.path() / "out"));
}

// --- processors

TEST(Cores, AreAsManyAsTheTimeOfACgroupIsFor) {
  const test::Folder folder;
  const auto of = [&](const std::string& quota) {
    folder.write("cpu.max", quota);
    return busy_cores(folder.path() / "cpu.max");
  };
  EXPECT_EQ(of("100000 100000\n"), 1);
  EXPECT_EQ(of("30000 100000\n"), 1);
  EXPECT_EQ(of("max 100000\n"), own_cores().size());
  EXPECT_EQ(of("9900000 100000\n"), std::min<std::size_t>(own_cores().size(), 99));
  EXPECT_EQ(busy_cores(folder.path() / "not there"), own_cores().size());
}

// --- stacks

TEST(StackFile, GivesWhatASignalHandlerWroteOnce) {
  auto stacks = StackFile::make();
  ASSERT_TRUE(stacks.has_value());
  EXPECT_EQ(stacks->take(), "");
  ASSERT_EQ(::write(stacks->descriptor(), "abc", 3), 3);
  ASSERT_EQ(::write(stacks->descriptor(), "def", 3), 3);
  EXPECT_EQ(stacks->take(), "abcdef");
  EXPECT_EQ(stacks->take(), "");
  ASSERT_EQ(::write(stacks->descriptor(), "x", 1), 1);
  EXPECT_EQ(stacks->take(), "x") << "no hole where the first text was";
}

// The stacks of a process that does nothing, and answers the two signals with these words.
std::string stacks_of_a_hang(const std::string& one, const std::string& all) {
  auto stacks = StackFile::make();
  const auto trap = [&](const std::string& words, const char* signal) {
    return "trap 'echo \"" + words + "\" >&" + std::to_string(stacks->descriptor()) + "' " +
           signal + "; ";
  };
  // Not sh: Debian's knows no descriptors above 9.
  Command command{
      .arguments = {"bash", "-c",
                    trap(one, "USR1") + trap(all, "USR2") + "while :; do sleep 0.05; done"}};
  command.descriptors = {stacks->descriptor()};
  Process process = started(command);
  const Reply reply = process.ask("x", kShort, &*stacks);
  return std::holds_alternative<TimedOut>(reply) ? std::get<TimedOut>(reply).stacks : "";
}

TEST(StackFile, ComesWithAHang) {
  EXPECT_EQ(stacks_of_a_hang("Stack (here)", "Current thread 0x1 (here)"),
            "Current thread 0x1 (here)\n");
}

TEST(StackFile, HasTheThreadThatWasAskedWhereTheOthersCannotBeTold) {
  EXPECT_EQ(stacks_of_a_hang("Stack (here)", "Fatal Python error: Segmentation fault"),
            "Current thread (here)\n");
}

TEST(MemoryFile, IsNoneOfTheNumbersThatFramesUse) {
  auto memory = make_memory_file("numbers", 4096);
  ASSERT_TRUE(memory.has_value());
  EXPECT_GT(memory->get(), 3);
  EXPECT_EQ(::lseek(memory->get(), 0, SEEK_END), 4096);
}

TEST(Descriptor, IsClosedOnceAndMovedWhole) {
  const int number = ::open("/dev/null", O_RDONLY);
  {
    Descriptor one(number);
    Descriptor two(std::move(one));
    EXPECT_EQ(two.get(), number);
    one = std::move(two);
    EXPECT_EQ(one.get(), number);
    EXPECT_NE(::fcntl(number, F_GETFD), -1);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

// --- to_shell

std::string said_by_shell(const Command& command) {
  auto finished = run_to_end(shell(to_shell(command)), kLong);
  return finished ? finished->output : "";
}

TEST(ToShell, PlainWordsStayPlain) {
  EXPECT_EQ(to_shell({.arguments = {"prog", "--time=60s", "a/b.json"}}),
            "prog --time=60s a/b.json");
}

// What is printed is pasted: the shell must give the program the very same words.
TEST(ToShell, PastedItSaysTheSameWords) {
  for (const std::string& word :
       {std::string("a b"), std::string("it's"), std::string("$HOME `x` \\"), std::string("\"q\""),
        std::string("*"), std::string("a;b|c&d>e"), std::string("two\nlines"), std::string("~"),
        std::string("#x")})
    EXPECT_EQ(said_by_shell({.arguments = {"printf", "%s", word}}), word);
}

TEST(ToShell, PastedAnEmptyWordIsStillThere) {
  EXPECT_EQ(said_by_shell({.arguments = {"printf", "<%s>", ""}}), "<>");
}

TEST(ToShell, PastedItHasItsEnvironment) {
  for (const char* value : {"x", "a b", "it's", ""}) {
    EXPECT_EQ(said_by_shell({.arguments = {"sh", "-c", "printf %s \"$STOREFUZZ_UNIT\""},
                             .environment = {{"STOREFUZZ_UNIT", value}}}),
              value);
  }
}

}  // namespace
}  // namespace storefuzz
