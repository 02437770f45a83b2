// Scripts of a handful of programs, word by word, and what no script can say.
#include "harness/findings/script.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

#include "harness/base/paths.h"
#include "harness/findings/script_helpers.h"

namespace storefuzz::program {
namespace {

Case parsed(const std::string& text) { return parse_case(text).value(); }

ScriptOptions options(const std::string& release = "3.4.2") {
  return {.release = release, .reference = reference_folder()};
}

// All that a sound store answers, with other answers where a test says so.
Observation seen_of(const Case& value, const std::vector<Answer>& answers) {
  Observation seen;
  for (std::size_t i = 0; i < value.steps.size(); ++i) {
    SeenStep step;
    const auto* call = std::get_if<Call>(&value.steps[i]);
    step.answers.resize(call ? call->on.size() : 1, Shown{None{}});
    if (i < answers.size()) step.answers.back() = answers[i];
    seen.steps.push_back(std::move(step));
  }
  return seen;
}

Difference difference(Wrong wrong, std::size_t step, const std::string& handle, Answer was) {
  Difference it{.wrong = wrong, .was = std::move(was), .first = true, .headline = "it is wrong"};
  it.where.step = step;
  it.where.handle = handle;
  return it;
}

const Answer kHandle = Shown{NewHandle{"ZipStore"}};
const Answer kDone = Shown{None{}};

TEST(Scripts, SayAProgramStepByStep) {
  const Case value = parsed(R"({"format": 2,
    "before": {"z": {"entries": [{"key": "a", "value": "a@0"}]}}, "program": [
    {"make": "zip", "at": "z", "mode": "r", "as": "s0"},
    {"call": "get", "on": "s0", "key": "a"}]})");
  const Answer was = Shown{None{}};
  const auto script = write_script(value, difference(Wrong::kAbsent, 1, "s0", was),
                                   seen_of(value, {kHandle, was}), options());
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_EQ(*script, R"py(# /// script
# requires-python = ">=3.12"
# dependencies = ["zarr==3.4.2"]
# ///
import asyncio, os, sys, tempfile, zipfile
sys.excepthook = lambda *error: print(*error, flush=True) or os._exit(2)
import zarr.storage
from zarr.core.buffer import default_buffer_prototype

prototype = default_buffer_prototype()


def data(buffer):
    return None if buffer is None else buffer.to_bytes()


def main():
    with zipfile.ZipFile("z.zip", "w") as archive:
        archive.writestr("a", b"a@0")
    s0 = zarr.storage.ZipStore("z.zip", mode="r")
    seen = data(asyncio.run(s0.get("a", prototype)))
    defect = seen != b"a@0"
    print("seen:", seen)
    print("DEFECT: it is wrong" if defect else "gone")
    return defect


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.makedirs(f"{folder}/a/b/case")
        os.chdir(f"{folder}/a/b/case")
        sys.exit(main())
)py");
}

std::string without_frame(const std::string& script) {
  const std::size_t begin = script.find("\n# p1") + 1;
  return script.substr(begin, script.find("\nif __name__") - begin);
}

// A pool of one process keeps its module's names from call to call.
TEST(Scripts, SayAChildByARealPool) {
  const Case value = parsed(R"({"format": 2, "processes": {"p1": "spawn"}, "program": [
    {"make": "memory", "as": "s0"},
    {"carry": "pickle 4", "from": "s0", "to": "p1", "as": "s1"},
    {"call": "set", "on": "s1", "key": "a", "value": "a@2"},
    {"call": "set", "on": "s0", "key": "b", "value": "b@3"},
    {"call": "get", "on": "s1", "key": "a"}]})");
  const Answer was = Shown{None{}};
  const auto script =
      write_script(value, difference(Wrong::kAbsent, 4, "s1", was),
                   seen_of(value, {kHandle, kHandle, kDone, kDone, was}), options());
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_EQ(without_frame(*script), R"py(# p1, a spawned process
def in_p1(packed):
    global s1
    s1 = pickle.loads(packed)
    asyncio.run(s1.set("a", buffer(b"a@2")))
def in_p1_2():
    return data(asyncio.run(s1.get("a", prototype)))
def main():
    s0 = zarr.storage.MemoryStore()
    p1 = ProcessPoolExecutor(1, get_context("spawn"))
    p1.submit(in_p1, pickle.dumps(s0, protocol=4)).result()
    asyncio.run(s0.set("b", buffer(b"b@3")))
    seen = p1.submit(in_p1_2).result()
    defect = seen != b"a@2"
    print("seen:", seen)
    print("DEFECT: it is wrong" if defect else "gone")
    return defect)py");
}

// What a fork inherits are names of the module.
TEST(Scripts, SayAForkAndADeathInIt) {
  const Case value = parsed(R"({"format": 2, "processes": {"p1": "fork"}, "program": [
    {"make": "memory", "as": "s0"},
    {"fork": "p1"},
    {"call": "exists", "on": "s0", "in": "p1", "key": "a"}]})");
  Difference wrong = difference(Wrong::kDeath, 2, "s0", Crashed{"SIGSEGV", ""});
  wrong.where.process = "p1";
  const auto script = write_script(
      value, wrong, seen_of(value, {kHandle, kDone, Crashed{"SIGSEGV", ""}}), options());
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_EQ(without_frame(*script), R"py(# p1, a forked process
def in_p1():
    asyncio.run(s0.exists("a"))


def main():
    global s0
    s0 = zarr.storage.MemoryStore()
    p1 = ProcessPoolExecutor(1, get_context("fork"))
    p1.submit(os.getpid).result()  # forked here
    seen = answer(lambda: p1.submit(in_p1).result())
    defect = "BrokenProcessPool" in str(seen)
    print("seen:", seen)
    print("DEFECT: it is wrong" if defect else "gone")
    return defect

)py");
}

// A process of a pool that was forked ends by os._exit, whatever it is told.
TEST(Scripts, SayAForkThatExitsByHand) {
  const Case value = parsed(R"({"format": 2, "processes": {"p1": "fork"},
    "before": {"z": {"entries": [{"key": "a", "value": "a@0"}]}}, "program": [
    {"make": "zip", "at": "z", "mode": "a", "as": "s0"},
    {"fork": "p1"},
    {"call": "set", "on": "s0", "in": "p1", "key": "b", "value": "b@2"},
    {"do": "exit", "in": "p1"},
    {"call": "get", "on": "s0", "key": "a"}]})");
  const Answer was = Shown{None{}};
  const auto script =
      write_script(value, difference(Wrong::kAbsent, 4, "s0", was),
                   seen_of(value, {kHandle, kDone, kDone, Shown{Text{"exit 0"}}, was}), options());
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_NE(script->find(R"py(
    if not (p1 := os.fork()):
        asyncio.run(s0.set("b", buffer(b"b@2")))
        sys.exit()
    os.waitpid(p1, 0)
)py"),
            std::string::npos)
      << *script;
}

std::string condition(const std::string& script) {
  const std::size_t begin = script.find("defect = ") + 9;
  return script.substr(begin, script.find('\n', begin) - begin);
}

TEST(Scripts, CompareARefusalByItsType) {
  const Case value = parsed(R"({"format": 2, "program": [
    {"make": "memory", "as": "s0"},
    {"call": "get", "on": "s0", "key": "a"}]})");
  const Answer was = Refusal{"KeyError", "'a'", ""};
  const auto script = write_script(value, difference(Wrong::kUnfittingType, 1, "s0", was),
                                   seen_of(value, {kHandle, was}), options());
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_EQ(condition(*script), "str(seen).startswith(\"raised KeyError:\")");
  EXPECT_NE(script->find("seen = answer(lambda: data("), std::string::npos) << *script;
}

TEST(Scripts, CompareTheDiskWithTheValuesOfTheProgram) {
  const Case value = parsed(R"({"format": 2, "program": [
    {"make": "local", "at": "d", "as": "s0"},
    {"call": "set", "on": "s0", "key": "a", "value": {"word": "a@1", "size": 9000}}]})");
  Difference wrong = difference(Wrong::kLost, 1, "", Absent{});
  wrong.where.place = "d";
  wrong.where.key = "a";
  wrong.seen = "None";
  wrong.should_be = say(Shown{BytesValue{Value{.word = "a@1", .size = 9000}.bytes()}});
  const auto script = write_script(value, wrong, seen_of(value, {kHandle, kDone}), options());
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_EQ(condition(*script), "seen != (b\"a@1;\" * 2250)[:9000]");
  EXPECT_NE(script->find("seen = answer(lambda: files(\"d\").get(\"a\"))\n"), std::string::npos)
      << *script;
}

// After `chdir` a relative path means another place, and the question is about the first one.
TEST(Scripts, LookAtTheFolderOfTheCaseFromWhereverTheyAre) {
  const Case value = parsed(R"({"format": 2, "program": [
    {"make": "local", "at": "d", "as": "s0"}, {"do": "change directory"},
    {"call": "set", "on": "s0", "key": "a", "value": "a@2"}]})");
  Difference wrong = difference(Wrong::kLost, 2, "", Absent{});
  wrong.where.place = "d";
  wrong.where.key = "a";
  wrong.seen = "None";
  wrong.should_be = say(Shown{BytesValue{"a@2"}});
  const auto script =
      write_script(value, wrong, seen_of(value, {kHandle, kDone, kDone}), options());
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_NE(script->find("files(\"../case/d\")"), std::string::npos) << *script;
}

// A connection belongs to its loop; a forked process that asks something itself needs another one.
TEST(Scripts, AskWhatConnectsInOneLoopUnlessAForkAsksToo) {
  const auto text_of = [](const std::string& in_p1) {
    const Case value = parsed(R"({"format": 2, "processes": {"p1": "fork"}, "program": [
        {"make": "fsspec http", "at": "d", "as": "s0"}, {"call": "get", "on": "s0", "key": "b"},
        {"fork": "p1"}, )" + in_p1 +
                              R"(, {"call": "get", "on": "s0", "key": "a"}]})");
    const Answer was = Shown{BytesValue{"a"}};
    const auto script =
        write_script(value, difference(Wrong::kOtherValue, 4, "s0", was),
                     seen_of(value, {kHandle, kDone, kDone, kDone, was}), options());
    return script.value_or("");
  };
  EXPECT_NE(text_of(R"({"do": "drop", "handle": "s0", "in": "p1"})").find(" run(s0.get(\"b\""),
            std::string::npos);
  EXPECT_NE(text_of(R"({"call": "get", "on": "s0", "key": "c", "in": "p1"})")
                .find("asyncio.run(s0.get(\"b\""),
            std::string::npos);
}

// Beside what was published a key may be no file: who refuses such a write has lost nothing.
TEST(Scripts, CountAWriteOnlyWhereItWasNotRefused) {
  const Case value = parsed(R"({"format": 2, "program": [
    {"make": "local", "at": "d", "as": "s0"},
    {"call": "set", "on": "s0", "key": "a/a", "value": "a/a@1"},
    {"call": "set if not exists", "on": "s0", "key": "a", "value": "a@2"}]})");
  Difference wrong = difference(Wrong::kLost, 2, "", Absent{});
  wrong.where.place = "d";
  wrong.where.key = "a";
  wrong.seen = "None";
  wrong.should_be = "b\"a@2\"";
  const auto script =
      write_script(value, wrong, seen_of(value, {kHandle, kDone, kDone}), options());
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_NE(script->find("    refused = answer(lambda: asyncio.run(s0.set_if_not_exists("),
            std::string::npos)
      << *script;
  EXPECT_EQ(condition(*script), "not refused and seen != b\"a@2\"");
}

// Keys may hold what the lines of the table name, or what ends a literal.
TEST(Scripts, KeepEveryKeyAsItIs) {
  const Case value = parsed(R"({"format": 2, "program": [
    {"make": "memory", "as": "value"},
    {"call": "set", "on": "value", "key": "key\" + handle\\", "value": "value"},
    {"call": "exists", "on": "value", "key": "key\" + handle\\"}]})");
  const Answer was = Shown{false};
  const auto script = write_script(value, difference(Wrong::kAbsent, 2, "value", was),
                                   seen_of(value, {kHandle, kDone, was}), options());
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_NE(script->find(R"(asyncio.run(value_.set("key\" + handle\\", buffer(b"value"))))"),
            std::string::npos)
      << *script;
}

// What an operation needs beside one expression a script has as well.
TEST(Scripts, DefineWhatTheirOperationsCall) {
  const auto helpers = read_helpers(reference_folder());
  ASSERT_TRUE(helpers) << helpers.error().message;
  std::set<std::string> called;
  for (const Operation& row : operations()) {
    Case value = parsed(R"({"format": 2, "program": [{"make": "local", "at": "d", "as": "s0"}]})");
    value.steps.push_back(
        Call{.op = row.op, .on = {"s0"}, .key = "a", .value = {"a@1"}, .other = "s0"});
    const Answer was = Refusal{"NameError", "", ""};
    const auto script = write_script(value, difference(Wrong::kRefused, 1, "s0", was),
                                     seen_of(value, {kHandle, was}), options());
    if (!script) continue;  // not of this store
    for (const Helper& it : *helpers) {
      if (script->find(" " + it.used) == script->npos &&
          script->find("(" + it.used) == script->npos)
        continue;
      called.insert(it.used);
      EXPECT_NE(script->find(it.code.substr(0, it.code.find(':'))), script->npos) << *script;
    }
  }
  for (const char* name : {"set_and_overwrite(", "get_ranges_sync(", "parts(", "delete_listed("})
    EXPECT_TRUE(called.contains(name)) << name;
}

// Many steps go on fewer lines, and none is left out.
TEST(Scripts, FitIntoFortyLines) {
  std::string steps;
  for (int i = 0; i < 40; ++i)
    steps += fmt::format(R"({{"call": "set", "on": "s0", "key": "k{0}", "value": "k{0}@1"}},)", i);
  const Case value = parsed(R"({"format": 2, "program": [{"make": "memory", "as": "s0"},)" + steps +
                            R"({"call": "get", "on": "s0", "key": "k7"}]})");
  const Answer was = Shown{None{}};
  const auto script = write_script(value, difference(Wrong::kAbsent, 41, "s0", was),
                                   seen_of(value, std::vector<Answer>(42, was)), options());
  ASSERT_TRUE(script) << script.error().message;
  std::istringstream lines(*script);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    EXPECT_LE(line.size(), kScriptWidth) << line;
  EXPECT_LE(count, kMostScriptLines) << *script;
  for (int i = 0; i < 40; ++i)
    EXPECT_NE(script->find(fmt::format("\"k{}\"", i)), std::string::npos) << i;
}

TEST(Scripts, SayWhatTheyCannot) {
  const Case value = parsed(R"({"format": 2,
    "processes": {"p1": {"began": "spawn", "subject": "3.0.8"}}, "program": [
    {"make": "memory", "in": "p1", "as": "s0"},
    {"call": "get", "on": "s0", "key": "a"}]})");
  const Answer was = Shown{BytesValue{"b"}};
  const auto script = write_script(value, difference(Wrong::kGhost, 1, "s0", was),
                                   seen_of(value, {kHandle, was}), options());
  ASSERT_FALSE(script);
  EXPECT_EQ(script.error().code, ExitCode::kBadInput);
  const auto lost =
      write_script(value, difference(Wrong::kGhost, 1, "s0", was), seen_of(value, {kHandle, was}),
                   {.release = "3.4.2", .reference = "/nowhere"});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ExitCode::kMachine);
}

}  // namespace
}  // namespace storefuzz::program
