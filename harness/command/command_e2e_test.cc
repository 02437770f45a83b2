// The storefuzz command at a terminal: what was typed wrong is a sentence of ours, what strangers
// wrote is not obeyed, what cannot be said is no success, and a command that is told to end ends.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/campaign/confirm.h"
#include "harness/campaign/run_directory.h"
#include "harness/testing/whole_runs.h"

namespace storefuzz {
namespace {

using e2e::Running;
namespace fs = e2e::fs;

// --- what was typed wrong

struct Typed {
  std::vector<std::string> words;
  const char* told;
};

TEST(Words, TypedWrongAreToldInOneSentence) {
  for (const Typed& typed :
       {Typed{{}, "a command is missing; storefuzz --help"},
        Typed{{"--cupboard"}, "a command is missing; storefuzz --help"},
        Typed{{"cupboard"}, "there is no command cupboard; storefuzz --help"},
        Typed{{"run", "--cupboard", "--shelf"},
              "run does not know --cupboard --shelf; storefuzz run --help"},
        Typed{{"shrink"}, "shrink lacks its argument \"case\"; storefuzz shrink --help"},
        Typed{{"run", "--time"}, "--time needs a value; storefuzz run --help"},
        Typed{{"run", "--time", "1s", "--time", "2s"}, "--time may be named only once"},
        Typed{{"run", "--seed", "soon"}, "this is no number: --seed = soon;"},
        Typed{{"run", "--tim", "5s"}, "run does not know --tim; storefuzz run --help"},
        // --with takes one word: what comes next is a target, and here none.
        Typed{{"run", "--with", "dask", "cupboard"}, "targets: cupboard not in {"}}) {
    Running command("storefuzz", typed.words);
    EXPECT_EQ(command.wait(), "exit 2");
    EXPECT_EQ(command.said(), "");
    EXPECT_TRUE(command.complained().starts_with(fmt::format("storefuzz: {}", typed.told)))
        << command.complained();
    EXPECT_TRUE(command.complained().ends_with("--help shows what there is\n"));
    EXPECT_EQ(std::ranges::count(command.complained(), '\n'), 1) << command.complained();
  }
}

// --- what cannot be said

TEST(Output, ThatIsLostIsNoSuccess) {
  for (const char* words : {"list stores", "list targets", "--help", "run --help", "--version"}) {
    const auto done = e2e::must(
        run_to_end({.arguments = {"/bin/sh", "-c",
                                  fmt::format("{} {} > /dev/full",
                                              built_program("storefuzz").string(), words)}},
                   Milliseconds(60'000)));
    EXPECT_EQ(done.end, "exit 3") << words;
    EXPECT_EQ(done.output,
              "storefuzz: standard output could not be written: not everything was said\n");
  }
}

// --- programs

TEST(Shrink, OfAProgramShowsItsCauseAndAProgramThatReplays) {
  const test::Folder folder;
  const auto file = folder.write("program.json", R"({"format": 2, "processes": {"p1": "spawn"},
    "program": [{"make": "zip", "at": "z", "mode": "r", "as": "s0"},
                {"call": "state", "on": "s0"},
                {"carry": "pickle 4", "from": "s0", "to": "p1", "as": "s1"},
                {"call": "read only", "on": "s1"}],
    "before": {"z": {"entries": [{"key": "a", "value": "a@0"}]}}})");
  const std::string script = (folder.path() / "repro.py").string();
  Running shrunk("storefuzz", {"shrink", file.string(), "--zarr", "3.0.1", "--script", script});
  EXPECT_EQ(shrunk.wait(), "exit 1") << shrunk.complained();
  const std::string headline = shrunk.complained().substr(0, shrunk.complained().find('\n'));
  const auto confirmed = e2e::must(
      confirm(script, headline, {.python = e2e::python("3.0.1"), .scratch = e2e::scratch()}));
  EXPECT_TRUE(confirmed.confirmed) << confirmed.why << confirmed.output;
  EXPECT_NE(shrunk.complained().find("severity 5"), std::string::npos) << shrunk.complained();
  EXPECT_NE(shrunk.complained().find("needs a journey: yes"), std::string::npos);
  const auto small = folder.write("small.json", shrunk.said());
  EXPECT_EQ(parse_json(shrunk.said())["program"].size(), 3U) << shrunk.said();
  Running again("storefuzz", {"replay", small.string(), "--zarr", "3.0.1"});
  EXPECT_EQ(again.wait(), "exit 1") << again.said();
  Running gone("storefuzz", {"shrink", small.string(), "--zarr", e2e::kNewest});
  EXPECT_EQ(gone.wait(), "exit 0") << gone.said();
}

// --- what strangers wrote

// U+009B, a bell, an escape sequence, a line break, and what turns the direction of writing.
constexpr const char* kEvil = "\u009b1m\x07\x1b]0;x\n\u202e";

bool obeyed(const std::string& text) {
  return std::ranges::any_of(text, [](char c) { return c != '\n' && std::iscntrl(c) != 0; }) ||
         text.find("\u009b") != text.npos || text.find("\u202e") != text.npos;
}

TEST(Terminal, ObeysNoWordOfAStranger) {
  const test::Folder folder;
  const auto named = [&](const std::string& name) { return (folder.path() / name).string(); };
  folder.write("store.json",
               text_of(Json{{"format", 2}, {"program", {{{"make", kEvil}, {"as", "s0"}}}}}));
  folder.write("member.json", text_of(Json{{"format", 2}, {"program", Json::array()}, {kEvil, 1}}));
  folder.write(std::string("odd") + kEvil + ".py", "raise ValueError('a\\x1b]0;b')");
  folder.write("kind.py", text_of(Json{{"kind", kEvil}}).insert(0, "STORE = "));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {kEvil},
           {"run", kEvil},
           {"run", std::string("--") + kEvil},
           {"run", "--zarr", kEvil, "--out", "out"},
           {"run", "--with", kEvil, "--out", "out"},
           {"run", "--python", kEvil, "--out", "out"},
           {"run", "--stores", kEvil, "--out", "out"},
           {"run", "--adapter", named(kEvil), "--out", "out"},
           {"run", "--adapter", named(std::string("odd") + kEvil + ".py"), "--out", "out"},
           {"run", "--adapter", named("kind.py"), "--out", "out"},
           {"replay", named(kEvil)},
           {"replay", named("store.json")},
           {"replay", named("member.json")},
           {"report", kEvil}}) {
    Running command("storefuzz", words);
    EXPECT_EQ(command.wait(), "exit 2") << command.complained();
    EXPECT_FALSE(obeyed(command.complained())) << command.complained();
    EXPECT_NE(command.complained().find("]0;x"), std::string::npos) << command.complained();
  }
}

// The message of a stranger may be as long as a file.
TEST(Terminal, IsNotFilledByAStranger) {
  const test::Folder folder;
  const auto file = folder.write("long.py", "raise ValueError('x' * 1000000)");
  Running command("storefuzz", {"run", "--adapter", file.string(), "--out", "out"});
  EXPECT_EQ(command.wait(), "exit 2");
  EXPECT_LT(command.complained().size(), 1000U);
  Running other("storefuzz", {"report", std::string(100'000, 'x')});
  EXPECT_EQ(other.wait(), "exit 2");
  EXPECT_LT(other.complained().size(), 2200U);
}

// --- releases and commits

TEST(Releases, OfAPageStandAsItSays) {
  Running command("storefuzz", {"releases", "--page", "zip-nul-in-key", "--zarr", "3.4.2"});
  EXPECT_EQ(command.wait(), "exit 0") << command.complained();
  EXPECT_NE(command.said().find("× 1 releases: all stand as their pages say\n"), std::string::npos)
      << command.said();
  Running nothing("storefuzz", {"releases", "--page", "nothing"});
  EXPECT_EQ(nothing.wait(), "exit 2");
}

// A checkout in which one of the commits loses an attribute.
class Checkout {
 public:
  Checkout() {
    git({"init", "-q", "-b", "main"});
    const fs::path zarr = fs::path(e2e::python(e2e::kNewest)).parent_path().parent_path() / "lib";
    for (const auto& entry : fs::directory_iterator(zarr))
      if (fs::exists(entry.path() / "site-packages" / "zarr"))
        fs::copy(entry.path() / "site-packages" / "zarr", path() / "zarr",
                 fs::copy_options::recursive);
    e2e::must(write_file_whole(path() / ".gitignore", "__pycache__/\n"));
    commit("as released");
  }
  fs::path path() const { return folder_.path(); }
  void change(const std::string& file, const std::string& from, const std::string& to) {
    std::string text = e2e::must(read_file_whole(path() / "zarr" / file));
    const std::size_t at = text.find(from);
    ASSERT_NE(at, text.npos) << file;
    e2e::must(write_file_whole(path() / "zarr" / file, text.replace(at, from.size(), to)));
    commit("change " + file);
  }

 private:
  void commit(const std::string& subject) {
    git({"add", "-A"});
    git({"-c", "user.name=storefuzz", "-c", "user.email=storefuzz@example.org", "commit", "-q",
         "-m", subject});
  }
  void git(std::vector<std::string> words) {
    words.insert(words.begin(), {"git", "-C", path().string()});
    const auto done = e2e::must(
        run_to_end({.arguments = std::move(words), .frames = false}, Milliseconds(60'000)));
    ASSERT_EQ(done.end, "exit 0") << done.output;
  }
  test::Folder folder_;
};

TEST(Releases, OfACheckoutTellTheCommitThatBrokeACase) {
  Checkout checkout;
  checkout.change("__init__.py", "import ", "\nimport ");
  checkout.change("storage/_zip.py", R"(["_zf", "_lock"])", R"(["_zf", "_lock", "compression"])");
  checkout.change("__init__.py", "import ", "\nimport ");
  const test::Folder folder;
  const auto file = folder.write("case.json", R"({"format": 2, "program": [
      {"make": "zip", "at": "z", "mode": "w", "as": "s0"},
      {"carry": "pickle 5", "from": "s0", "as": "s1"}, {"call": "state", "on": ["s0", "s1"]}]})");
  const auto bisect = [&](const std::string& range) {
    return std::vector<std::string>{"releases",  file.string(), "--zarr", checkout.path().string(),
                                    "--commits", range};
  };
  Running command("storefuzz", bisect("HEAD~3..main"));
  EXPECT_EQ(command.wait(Milliseconds(300'000)), "exit 1") << command.complained();
  EXPECT_TRUE(command.said().ends_with("change storage/_zip.py\n")) << command.said();
  Running same("storefuzz", bisect("HEAD~3..HEAD~2"));
  EXPECT_EQ(same.wait(Milliseconds(300'000)), "exit 2") << same.said();
  EXPECT_NE(same.complained().find("should be one that shows it"), std::string::npos);
}

// --- a command that is told to end

// A signal as soon as `ready`; the command must end in time, say so, and leave nothing.
void expect_to_end(Running& command, int signal, const std::function<bool()>& ready) {
  ASSERT_TRUE(e2e::within(Milliseconds(60'000), ready)) << command.complained();
  command.signal(signal);
  EXPECT_EQ(command.wait(Milliseconds(20'000)), "exit 3") << command.complained();
  EXPECT_NE(command.complained().find("storefuzz: interrupted"), std::string::npos)
      << command.complained();
  EXPECT_TRUE(e2e::within(Milliseconds(1000), [&] {
    return e2e::processes_of_run(command.pid()).empty();
  })) << "processes remain";
  EXPECT_EQ(e2e::scratch_of_run(command.pid()), std::vector<std::string>());
  EXPECT_TRUE(e2e::fs::is_empty(command.temporary()));
}

std::string regression() { return source_folder() + "/corpus/regressions/zip_read_only_lost.json"; }

TEST(Interrupted, ReplayOfManyCasesEnds) {
  std::vector<std::string> words{"replay", "--zarr", e2e::kNewest};
  words.insert(words.end(), 3000, regression());
  Running command("storefuzz", words);
  expect_to_end(command, SIGTERM, [&] { return !command.said().empty(); });
  EXPECT_NE(command.complained().find(" of 3000 cases"), std::string::npos);
}

// Whether it has begun to play: it has started a worker.
bool plays(const Running& command) {
  return std::ranges::any_of(e2e::processes_with("storefuzz-worker"), [&](pid_t pid) {
    const std::string status = test::read_file(fmt::format("/proc/{}/status", pid));
    return status.find(fmt::format("PPid:\t{}\n", command.pid())) != status.npos;
  });
}

TEST(Interrupted, ShrinkEndsWithTheSmallestCaseSoFar) {
  // Each smaller program is waited for until it is sure that it hangs.
  const std::string hang = source_folder() + "/corpus/regressions/zip_hangs_in_forked_child.json";
  Running command("storefuzz", {"shrink", "--zarr", "3.0.1", hang});
  expect_to_end(command, SIGINT, [&] { return plays(command); });
  EXPECT_TRUE(program::parse_case(command.said())) << command.said();
  EXPECT_NE(command.complained().find("there may be a smaller case"), std::string::npos);
}

TEST(Interrupted, ReleasesEnd) {
  std::vector<std::string> words{"releases", "--zarr", "2.18.7,3.0.1,3.0.2,3.0.3,3.4.1,3.4.2"};
  words.insert(words.end(), 2000, regression());
  Running command("storefuzz", words);
  expect_to_end(command, SIGTERM, [&] { return plays(command); });
}

TEST(Interrupted, EnvironmentThatIsBeingMadeIsNotLeftHalfMade) {
  const test::Folder cache;
  const auto half_made = [&] {
    for (const auto& it : e2e::fs::recursive_directory_iterator(cache.path()))
      if (it.path().filename().string().find(".making-") != std::string::npos) return true;
    return false;
  };
  Running command("storefuzz", {"replay", "--zarr", e2e::kNewest, regression()},
                  {{"STOREFUZZ_CACHE", cache.path().string()}});
  expect_to_end(command, SIGINT, half_made);
  EXPECT_FALSE(half_made());
  // Who was killed is still there until the kernel has ended it.
  EXPECT_TRUE(e2e::within(Milliseconds(1000),
                          [&] { return e2e::processes_with(cache.path().string()).empty(); }));
}

TEST(Interrupted, DrawingEnds) {
  auto drawn = render("no matter which", false, [] { return true; });
  ASSERT_FALSE(drawn);
  EXPECT_EQ(drawn.error().code, ExitCode::kMachine);
  EXPECT_TRUE(drawn.error().message.starts_with("interrupted")) << drawn.error().message;
}

}  // namespace
}  // namespace storefuzz
