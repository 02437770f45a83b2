// The panel: replies in order from real readers, and from one that is played: it hangs, dies, talks
// rubbish, eats memory and writes where it must not, by the name of the file it is asked about.
#include "harness/readers/panel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <thread>

#include "harness/base/paths.h"
#include "harness/campaign/subject.h"
#include "harness/readers/names.h"
#include "harness/testing/shared.h"
#include "harness/zip/archive.h"

namespace storefuzz {
namespace {

using std::chrono::steady_clock;

constexpr Milliseconds kShort{1000};  // of a reader that never answers

// What this reader lists is the name of the file; what it says of a key is how long that name is.
constexpr const char* kPlayed = R"(
import json, os, struct, sys, time
def send(data):
    os.write(3, struct.pack("=I", len(data)) + data)
def answer(request):
    name = os.path.basename(request["file"])
    keys = request["keys"]
    if name == "hang":
        time.sleep(1000)
    if name == "hang in the middle":
        os.write(3, b"\5\0\0\0ab")
        time.sleep(1000)
    if name == "slow":
        time.sleep(0.5)
    if name == "exit":
        sys.exit(7)
    if name == "abort":
        print("last words", file=sys.stderr, flush=True)
        os.abort()
    if name == "no JSON":
        send(b"{]")
        return None
    if name == "no object":
        return ["value"]
    if name == "no UTF-8":
        send(b'"\xff"')
        return None
    if name == "no opening":
        return {}
    if name == "other keys":
        keys = ["another" for key in keys]
    if name == "more keys":
        keys = [*keys, "another"]
    if name == "no frame":
        os.write(3, b"\xff\xff\xff\xffjunk")
        os._exit(5)
    if name == "print":
        print("printed " * 20000, flush=True)
        print("printed " * 20000, file=sys.stderr, flush=True)
    if name == "eat":
        eaten = b"x" * (256 << 20)
    if name == "write":
        for key in keys:
            open(key, "w").close()
    if name == "tell":
        keys = []
        name = json.dumps([os.getpid(), os.environ["TMPDIR"], os.environ["STOREFUZZ_UNIT"],
                           len(os.listdir("/proc/self/fd"))])
    if "pickle" in request:
        name += " from " + request["pickle"]
    return {"opened": ["value"], "listed": [name], "arrays": {},
            "keys": {key: ["value", len(name), 1] for key in keys}}
def pack(name):
    if name == "not packed":
        return ["refused", "TypeError", "no"]
    if name == "dies while packing":
        sys.exit(9)
    return name.encode().hex()
if os.environ.get("STOREFUZZ_ONCE"):
    os.mkdir(os.environ["STOREFUZZ_ONCE"])
while len(head := sys.stdin.buffer.read(4)) == 4:
    request = json.loads(sys.stdin.buffer.read(*struct.unpack("=I", head)))
    try:
        if "hello" in request:
            reply = {"reader": "played", "version": "1.2", "views": ["keys"]}
        elif "pack" in request:
            reply = {"packed": pack(os.path.basename(request["file"]))}
        else:
            reply = answer(request)
    except (OSError, MemoryError) as error:
        refused = ["refused", type(error).__name__, ""]
        reply = {"opened": refused, "listed": None, "keys": {}, "arrays": {}}
    if reply is not None:
        send(json.dumps(reply).encode())
    if request.get("file") == "twice":
        send(json.dumps(reply).encode())
)";

ReaderCommand real(const std::string& name) {
  return {.name = name, .arguments = {built_program("storefuzz-reader").string(), name}};
}

ReaderCommand played(const std::string& name = "played") {
  return {.name = name,
          .arguments = {tools_python(), "-ISB", "-c", kPlayed},
          .environment = {{"STOREFUZZ_UNIT", "theirs"}}};
}

ReaderCommand packing() {
  ReaderCommand command = played("zarr");
  command.packs = true;
  return command;
}

Panel started(std::vector<ReaderCommand> commands, Panel::Options options = {}) {
  auto panel = Panel::start(std::move(commands), std::move(options));
  if (!panel) {
    ADD_FAILURE() << panel.error().message;
    std::abort();
  }
  return std::move(*panel);
}

// An archive in a folder that holds `value` under "a".
std::string archive(const test::Folder& folder, const std::string& name, const std::string& value) {
  const std::vector<ArchiveEntry> entries{{.key = "a", .bytes = value}};
  return folder.write(name, make_archive(entries, Compression::kDeflated).value_or(""));
}

Json value(std::string_view bytes) {
  Sum sum;
  sum.add(bytes.data(), bytes.size());
  return value_of(sum);
}

// "value", or how the reader ended.
std::string told(const ReaderReply& reply) {
  if (const auto* crash = std::get_if<Crashed>(&reply.died)) return crash->signal;
  if (std::holds_alternative<TimedOut>(reply.died)) return "timed out";
  const Json& opened = reply.reply["opened"];
  return opened[opened.size() > 1 ? 1 : 0];
}

std::string listed(const ReaderReply& reply) {
  return told(reply) == "value" ? reply.reply["listed"][0].get<std::string>() : told(reply);
}

// What the played reader tells of itself.
Json own_words(Panel& panel) { return Json::parse(listed(panel.ask({.file = "tell"})[0])); }

bool is_gone_soon(pid_t pid) {
  const std::filesystem::path place = "/proc/" + std::to_string(pid) + "/cmdline";
  for (int tries = 0; tries < 1000; ++tries) {
    if (test::read_file(place).empty()) return true;  // of a zombie too
    std::this_thread::sleep_for(Milliseconds(10));
  }
  return false;
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

// --- replies

TEST(Panel, ReadersSayWhoTheyAre) {
  const Panel panel = started({real("libzip"), real("libarchive-seeking"), played()});
  ASSERT_EQ(panel.readers().size(), 3U);
  EXPECT_EQ(panel.readers()[0].name, "libzip");
  EXPECT_EQ(panel.readers()[1].name, "libarchive-seeking");
  EXPECT_EQ(panel.readers()[2].name, "played");
  EXPECT_EQ(panel.readers()[2].version, "1.2");
  for (const ReaderInfo& reader : panel.readers()) {
    EXPECT_FALSE(reader.version.empty());
    EXPECT_EQ(reader.views, std::vector<std::string>{"keys"});
  }
}

TEST(Panel, RealReadersReadSoundAndBrokenArchives) {
  const test::Folder folder;
  const std::string sound = archive(folder, "sound.zip", "hello");
  const std::string broken = folder.write("broken.zip", std::string(100, 'x'));
  Panel panel = started(
      {real("libzip"), real("libzip-checked"), real("libarchive"), real("libarchive-seeking")});
  for (int i = 0; i < 2; ++i) {
    for (const ReaderReply& reply : panel.ask({.file = sound, .keys = {"a", "b"}})) {
      EXPECT_EQ(reply.reply["listed"], Json({"a"}));
      EXPECT_EQ(reply.reply["keys"], Json({{"a", value("hello")}, {"b", missing()}}));
      EXPECT_GT(reply.microseconds, 0U);
      EXPECT_EQ(reply.peak_kib, 0U) << "not measured";
    }
    for (const ReaderReply& reply : panel.ask({.file = broken, .keys = {"a"}})) {
      EXPECT_TRUE(std::holds_alternative<Absent>(reply.died));
      EXPECT_EQ(reply.reply["opened"][0], "refused");
    }
  }
}

TEST(Panel, ManyRequestsUnderWayAreCollectedInOrder) {
  const test::Folder folder;
  Panel panel = started({real("libzip"), played(), real("libarchive")});
  std::vector<std::string> files;
  for (int i = 0; i < 200; ++i) {
    files.push_back(archive(folder, std::to_string(i), std::to_string(i)));
    panel.send({.file = files.back(), .keys = {"a"}});
  }
  for (int i = 0; i < 200; ++i) {
    const std::vector<ReaderReply> replies = panel.collect();
    ASSERT_EQ(replies.size(), 3U);
    EXPECT_EQ(replies[0].reply["keys"]["a"], value(std::to_string(i)));
    EXPECT_EQ(listed(replies[1]), std::to_string(i));
    EXPECT_EQ(replies[2].reply["keys"]["a"], value(std::to_string(i)));
  }
}

TEST(Panel, NothingSentIsNothingCollected) {
  Panel panel = started({played()});
  EXPECT_TRUE(panel.collect().empty());
  EXPECT_EQ(listed(panel.ask({.file = "x"})[0]), "x");
  EXPECT_TRUE(panel.collect().empty());
  EXPECT_TRUE(started({}).ask({.file = "x"}).empty()) << "nobody sits there";
}

TEST(Panel, KeysMayBeOddAndBig) {
  Panel panel = started({played()});
  const std::vector<std::string> keys{"", std::string("n\0l\n", 4), "größe", "\"",
                                      std::string(1 << 20, 'x')};
  const std::vector<ReaderReply> replies = panel.ask({.file = "x", .keys = keys});
  ASSERT_EQ(told(replies[0]), "value");
  EXPECT_EQ(replies[0].reply["keys"].size(), keys.size());
}

TEST(Panel, ReadersHaveTheirEnvironmentAndTheFolder) {
  const test::Folder folder;
  Panel panel = started({played()}, {.contain = folder.path()});
  const Json words = own_words(panel);
  EXPECT_EQ(words[1], folder.path().string());
  EXPECT_EQ(words[2], "theirs");
}

TEST(Panel, ReadersHaveNoDescriptorsOfOtherReaders) {
  Panel alone = started({played()});
  const Json count = own_words(alone)[3];  // with what this test itself inherited
  Panel panel = started({played("one"), played("two")});
  panel.ask({.file = "exit"});  // those that come later as well
  for (const ReaderReply& reply : panel.ask({.file = "tell"}))
    EXPECT_EQ(Json::parse(listed(reply))[3], count);
}

TEST(Panel, OutlivesTheThreadThatStartedIt) {
  std::optional<Panel> panel;
  std::thread([&] { panel.emplace(started({played()})); }).join();
  const pid_t pid = own_words(*panel)[0];
  panel->ask({.file = "x"});
  EXPECT_EQ(own_words(*panel)[0], pid);
}

// --- readers that misbehave

struct Misbehaviour {
  std::string file;
  std::string told;
};

class Misbehaving : public testing::TestWithParam<Misbehaviour> {};

const std::string kRubbish = "a reply that is not of the protocol";

INSTANTIATE_TEST_SUITE_P(
    Panel, Misbehaving,
    testing::Values(Misbehaviour{"hang", "timed out"},
                    Misbehaviour{"hang in the middle", "timed out"}, Misbehaviour{"exit", "exit 7"},
                    Misbehaviour{"abort", "SIGABRT"}, Misbehaviour{"no JSON", kRubbish},
                    Misbehaviour{"no object", kRubbish}, Misbehaviour{"no UTF-8", kRubbish},
                    Misbehaviour{"no opening", kRubbish}, Misbehaviour{"other keys", kRubbish},
                    Misbehaviour{"more keys", kRubbish}, Misbehaviour{"no frame", "exit 5"}));

TEST_P(Misbehaving, IsTheAnswerAndTheNextOneIsRight) {
  const test::Folder folder;
  const std::string first = archive(folder, GetParam().file, "first");
  const std::string second = archive(folder, "second", "second");
  Panel panel = started({real("libzip"), played()}, {.deadline = kShort});
  for (int i = 0; i < 2; ++i) {
    // The next ones are under way already.
    for (const std::string& file : {first, second, second})
      panel.send({.file = file, .keys = {"a"}});
    std::vector<ReaderReply> replies = panel.collect();
    EXPECT_EQ(told(replies[1]), GetParam().told);
    EXPECT_TRUE(replies[1].reply.is_null());
    EXPECT_EQ(replies[0].reply["keys"]["a"], value("first"));
    for (int again = 0; again < 2; ++again) {
      replies = panel.collect();
      EXPECT_EQ(listed(replies[1]), "second");
      EXPECT_EQ(replies[0].reply["keys"]["a"], value("second"));
    }
  }
}

// What takes long because the file is large is no hang.
TEST(Panel, ARequestMayHaveExtraTime) {
  Panel panel = started({played()}, {.deadline = Milliseconds(100)});
  EXPECT_EQ(listed(panel.ask({.file = "slow", .extra_time = Milliseconds(60'000)})[0]), "slow");
  EXPECT_EQ(told(panel.ask({.file = "slow"})[0]), "timed out");
}

TEST(Panel, ADeathComesWithLastWords) {
  Panel panel = started({played()});
  const Answer died = panel.ask({.file = "abort"})[0].died;
  EXPECT_EQ(std::get<Crashed>(died).stacks, "last words\n");
  EXPECT_EQ(std::get<Crashed>(panel.ask({.file = "exit"})[0].died).stacks, "") << "not twice";
}

TEST(Panel, AReplyTooManyIsNoAnswerToTheNextRequest) {
  Panel panel = started({played()});
  EXPECT_EQ(listed(panel.ask({.file = "twice", .keys = {"a"}})[0]), "twice");
  EXPECT_EQ(told(panel.ask({.file = "x", .keys = {"b"}})[0]), kRubbish);
  EXPECT_EQ(listed(panel.ask({.file = "y", .keys = {"c"}})[0]), "y");
}

TEST(Panel, AReaderThatIsReplacedIsAnotherProcess) {
  Panel panel = started({played()}, {.deadline = kShort});
  const pid_t first = own_words(panel)[0];
  EXPECT_EQ(own_words(panel)[0], first);
  panel.ask({.file = "hang"});
  EXPECT_TRUE(is_gone_soon(first));
  EXPECT_NE(own_words(panel)[0], first);
}

TEST(Panel, AReaderThatDoesNotStartAgainIsAnAnswer) {
  const test::Folder folder;
  ReaderCommand once = played();
  once.environment["STOREFUZZ_ONCE"] = folder.path() / "once";
  Panel panel = started({once, played()}, {.contain = folder.path()});
  panel.ask({.file = "exit"});
  for (int i = 0; i < 5; ++i) {
    const std::vector<ReaderReply> replies = panel.ask({.file = "x"});
    EXPECT_EQ(told(replies[0]), "does not start again");
    EXPECT_EQ(listed(replies[1]), "x");
  }
}

TEST(Panel, WhatReadersPrintIsNotOurs) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Panel panel = started({played()});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(listed(panel.ask({.file = "print"})[0]), "print");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// --- bounds

TEST(Panel, MemoryIsBounded) {
  Panel panel = started({played()}, {.memory_bytes = 64 << 20});
  EXPECT_EQ(told(panel.ask({.file = "eat"})[0]), "MemoryError");
  EXPECT_EQ(listed(panel.ask({.file = "x"})[0]), "x");
  EXPECT_EQ(listed(started({played()}, {.memory_bytes = 0}).ask({.file = "eat"})[0]), "eat");
  EXPECT_EQ(listed(started({played()}).ask({.file = "eat"})[0]), "eat");
}

TEST(Panel, MemoryIsBoundedInAReaderThatWasReplaced) {
  Panel panel = started({played()}, {.memory_bytes = 64 << 20});
  panel.ask({.file = "exit"});
  EXPECT_EQ(told(panel.ask({.file = "eat"})[0]), "MemoryError");
}

TEST(Panel, RealReadersReadWithinTheBound) {
  const test::Folder folder;
  const std::string big(4 << 20, 'x');
  const std::string file = archive(folder, "big.zip", big);
  Panel panel = started({real("libzip"), real("libarchive")}, {.memory_bytes = 64 << 20});
  for (const ReaderReply& reply : panel.ask({.file = file, .keys = {"a"}}))
    EXPECT_EQ(reply.reply["keys"]["a"], value(big));
}

TEST(Panel, PeakMemoryIsOfOneRequest) {
  constexpr std::uint64_t kEaten = 256 << 10;  // KiB
  Panel panel = started({played()}, {.measure = true});
  const std::uint64_t before = panel.ask({.file = "x"})[0].peak_kib;
  const std::uint64_t eating = panel.ask({.file = "eat"})[0].peak_kib;
  const std::uint64_t after = panel.ask({.file = "x"})[0].peak_kib;
  EXPECT_GT(before, 0U);
  EXPECT_GT(eating, before + kEaten / 2);
  EXPECT_LT(after, before + kEaten / 2);
}

bool has_landlock() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

TEST(Panel, ReadersWriteNowhereElse) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock";
  const test::Folder folder;
  const test::Folder outside;
  const std::string inside_file = folder.path() / "inside";
  const std::string outside_file = outside.path() / "outside";
  Panel panel = started({played()}, {.contain = folder.path()});
  EXPECT_EQ(told(panel.ask({.file = "write", .keys = {outside_file}})[0]), "PermissionError");
  EXPECT_FALSE(std::filesystem::exists(outside_file));
  EXPECT_EQ(told(panel.ask({.file = "write", .keys = {inside_file}})[0]), "value");
  EXPECT_TRUE(std::filesystem::exists(inside_file));
  // Also the next process, and also where no folder is named.
  panel.ask({.file = "exit"});
  EXPECT_EQ(told(panel.ask({.file = "write", .keys = {outside_file}})[0]), "PermissionError");
  Panel none = started({played()});
  EXPECT_EQ(told(none.ask({.file = "write", .keys = {outside_file}})[0]), "PermissionError");
  EXPECT_FALSE(std::filesystem::exists(outside_file));
}

// --- a reader that packs

TEST(Packing, SitsThereTwice) {
  Panel panel = started({played("first"), packing(), played("last")});
  std::vector<std::string> names;
  for (const ReaderInfo& reader : panel.readers()) names.push_back(reader.name);
  EXPECT_EQ(names, (std::vector<std::string>{"first", "zarr", "zarr child", "last"}));
  for (int i = 0; i < 50; ++i) panel.send({.file = "f" + std::to_string(i), .keys = {"a"}});
  for (int i = 0; i < 50; ++i) {
    const std::vector<ReaderReply> replies = panel.collect();
    const std::string name = "f" + std::to_string(i);
    std::string digits;
    for (const char letter : name) digits += fmt::format("{:02x}", letter);
    EXPECT_EQ(listed(replies[0]), name);
    EXPECT_EQ(listed(replies[1]), name);
    EXPECT_EQ(listed(replies[2]), name + " from " + digits);
    EXPECT_EQ(replies[2].reply["keys"].size(), 1U);
    EXPECT_EQ(listed(replies[3]), name);
  }
}

TEST(Packing, ThatIsRefusedIsWhatTheChildSays) {
  Panel panel = started({packing()});
  const std::vector<ReaderReply> replies = panel.ask({.file = "not packed", .keys = {"a"}});
  EXPECT_EQ(listed(replies[0]), "not packed") << "read all the same";
  EXPECT_EQ(replies[1].reply, Json::parse(R"({"opened": ["refused", "TypeError", "no"],
                                              "listed": null, "keys": {}, "arrays": {}})"));
  EXPECT_EQ(listed(panel.ask({.file = "x"})[1]), "x from 78");
}

TEST(Packing, ThatKillsIsADeathOfTheParentAlone) {
  Panel panel = started({packing()});
  const std::vector<ReaderReply> replies = panel.ask({.file = "dies while packing"});
  EXPECT_EQ(told(replies[0]), "exit 9");
  EXPECT_EQ(told(replies[1]), "NotPacked");
  EXPECT_EQ(listed(panel.ask({.file = "x"})[0]), "x");
  EXPECT_EQ(listed(panel.ask({.file = "x"})[1]), "x from 78");
}

TEST(Packing, ChildAndParentHangEachForItself) {
  Panel panel = started({packing()}, {.deadline = kShort});
  const std::vector<ReaderReply> replies = panel.ask({.file = "hang"});
  EXPECT_EQ(told(replies[0]), "timed out");
  EXPECT_EQ(told(replies[1]), "timed out");
  EXPECT_EQ(listed(panel.ask({.file = "x"})[1]), "x from 78");
}

// --- beginning and end

std::string error_of(std::vector<ReaderCommand> commands, Panel::Options options = {}) {
  const auto panel = Panel::start(std::move(commands), std::move(options));
  if (panel) return "no error";
  EXPECT_EQ(panel.error().code, ExitCode::kMachine);
  return panel.error().message;
}

ReaderCommand shell(const std::string& line) {
  return {.name = "odd", .arguments = {"/bin/sh", "-c", line}};
}

TEST(Panel, AReaderThatDoesNotStartIsNamed) {
  EXPECT_EQ(error_of({played(), {.name = "odd", .arguments = {"/no/such/program"}}}),
            "The reader odd does not start: exit 127.");
  EXPECT_EQ(error_of({shell("echo first >&2; echo no module >&2; exit 3"), played()}),
            "The reader odd does not start: exit 3: no module.");
  EXPECT_EQ(error_of({shell(R"(printf '\2\0\0\0{}' >&3; read line)")}),
            "The reader odd does not start: a reply that is not of the protocol.");
  EXPECT_EQ(error_of({played()}, {.contain = "/no/such/folder"}),
            "There is no folder /no/such/folder for readers.");
}

TEST(Panel, EndsAtOnceThoughAReaderHangs) {
  pid_t pid = 0;
  const auto begin = steady_clock::now();
  {
    Panel panel = started({played(), packing()}, {.deadline = Milliseconds(100'000)});
    pid = own_words(panel)[0];
    for (int i = 0; i < 3; ++i) panel.send({.file = "hang"});
    std::this_thread::sleep_for(Milliseconds(50));
    Panel moved = std::move(panel);
  }
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(30));
  EXPECT_TRUE(is_gone_soon(pid));
}

TEST(Panel, LeavesNoDescriptorBehind) {
  const std::size_t before = open_descriptors();
  {
    Panel panel = started({played(), packing()});
    panel.ask({.file = "exit"});
    panel.ask({.file = "x"});
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Panel, ReadersDieWithUs) {
  const Process::ForkHooks no_hooks{[] {}, [] {}, [] {}};
  std::optional<Panel> panel;
  auto tester = Process::fork(no_hooks, [&](const std::string&) {
    panel.emplace(started({played()}));
    panel->ask({.file = "exit"});  // also one that was replaced
    return own_words(*panel).dump();
  });
  ASSERT_TRUE(tester);
  const Reply reply = tester->ask("", Milliseconds(60'000));
  ASSERT_TRUE(std::holds_alternative<std::string>(reply));
  const pid_t pid = Json::parse(std::get<std::string>(reply))[0];
  tester->kill_and_reap();
  EXPECT_TRUE(is_gone_soon(pid));
}

}  // namespace
}  // namespace storefuzz
