// Each oracle has something that it alone tells, and what is told says so by name in a sentence.
#include "harness/oracles/oracle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "harness/generate/twins.h"
#include "harness/testing/sound_programs.h"
#include "harness/zip/values.h"

namespace storefuzz::program {
namespace {

Case parsed(const std::string& program) {
  const auto value =
      parse_case(R"({"format":2,"before":{"z":{"entries":[{"key":"a","value":"a@0"}]}},
    "program":[)" +
                 program + "]}");
  if (!value) ADD_FAILURE() << value.error().message;
  return value.value_or(Case{});
}

struct Planted {
  const char* oracle;
  Wrong wrong;
  std::string program;
  std::function<void(Observation&)> loss;
};

Answer& last(Observation& seen) { return seen.steps.back().answers.back(); }

constexpr const char* kLocal = R"({"make":"local","at":"z","as":"s0"},)";
constexpr const char* kReader = R"({"make":"local","at":"z","read_only":true,"as":"s0"},)";

const std::vector<Planted>& all_planted() {
  static const std::string local = kLocal, reader = kReader;
  static const std::vector<Planted> all{
      {"reads", Wrong::kAbsent, local + R"({"call":"get","key":"a","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{None{}}; }},
      {"reads", Wrong::kOtherValue, local + R"({"call":"getsize","key":"a","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{std::int64_t{2}}; }},
      {"listing", Wrong::kTwice, local + R"({"call":"list","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{Names{{"a", "a"}}}; }},
      {"writable", Wrong::kDone, reader + R"({"call":"set","key":"a","value":"a@1","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{None{}}; }},
      {"writable", Wrong::kState, reader + R"({"call":"read only","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{false}; }},
      {"on disk", Wrong::kLost, local + R"({"call":"list","on":"s0"})",
       [](Observation& seen) { seen.steps.back().disk["z"].content.clear(); }},
      {"on disk", Wrong::kUnreadable,
       R"({"make":"zip","at":"z","mode":"a","as":"s0"},
          {"call":"set","key":"b","value":"b@1","on":"s0"},
          {"call":"close","on":"s0","watched":true})",
       [](Observation& seen) {
         seen.steps.back().crash_states.front().disk = {.state = OnDisk::State::kUnreadable};
       }},
      {"refusal", Wrong::kRefused, local + R"({"call":"get","key":"a","on":"s0"})",
       [](Observation& seen) { last(seen) = Refusal{"OSError", "lost", ""}; }},
      {"refusal", Wrong::kUnfittingType,
       reader + R"({"call":"set","key":"a","value":"a@1","on":"s0"})",
       [](Observation& seen) { last(seen) = Refusal{"AttributeError", "_lock", ""}; }},
      {"equality", Wrong::kNotEqual, local + R"({"call":"equal","other":"s0","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{false}; }},
      {"attributes", Wrong::kState,
       local + R"({"carry":"pickle 5","from":"s0","as":"s1"},{"call":"state","on":["s0","s1"]})",
       [](Observation& seen) { last(seen) = Shown{Attributes{}}; }},
      {"deadline", Wrong::kHang, local + R"({"call":"get","key":"a","on":"s0"})",
       [](Observation& seen) { last(seen) = TimedOut{}; }},
      {"survival", Wrong::kDeath, local + R"({"call":"get","key":"a","on":"s0"})",
       [](Observation& seen) { last(seen) = Crashed{.signal = "SIGSEGV", .stacks = ""}; }},
      {"survival", Wrong::kDeath, local + R"({"do":"exit"})",
       [](Observation& seen) { seen.ends["p0"] = "exit 120"; }},
      {"survival", Wrong::kStray, local + R"({"call":"list","on":"s0"})",
       [](Observation& seen) { seen.stray = {"../x"}; }},
      {"survival", Wrong::kStray, local + R"({"call":"list","on":"s0"})",
       [](Observation& seen) { seen.open["p0"] = {"z/a"}; }},
      {"parent intact", Wrong::kState,
       local + R"({"call":"state","on":"s0"},{"carry":"pickle 5","from":"s0","as":"s1"},
                  {"call":"state","on":"s0"})",
       [](Observation& seen) {
         seen.steps[1].answers[0] = Shown{Attributes{{{"_is_open", "True"}}}};
         last(seen) = Shown{Attributes{{{"_is_open", "False"}}}};
       }},
      {"parent intact", Wrong::kOtherValue,
       local + R"({"call":"get range","key":"a","start":7,"end":9,"on":"s0"},
                  {"carry":"pickle 5","from":"s0","as":"s1"},
                  {"call":"get range","key":"a","start":7,"end":9,"on":"s0"})",
       [](Observation& seen) {
         seen.steps[1].answers[0] = Shown{BytesValue{""}};
         last(seen) = Shown{BytesValue{"0"}};
       }},
      {"stores agree", Wrong::kDisagree,
       R"({"make":"local","at":"f","as":"s0"},
          {"call":"set","key":"a","value":"a@1","on":"s0"},
          {"call":"get range","key":"a","start":7,"end":9,"on":"s0"})",
       [](Observation& seen) { last(seen) = Refusal{"ValueError", "", ""}; }},
      {"readers agree", Wrong::kAbsent,
       R"({"make":"zip","at":"z","mode":"a","as":"s0"},
          {"call":"set","key":"b","value":"b@1","on":"s0"},{"call":"close","on":"s0"})",
       [](Observation&) {}},
      {"agreement", Wrong::kOtherValue,
       R"({"make":"zip","at":"z","mode":"r","as":"s0"},{"call":"list","on":"s0"},
          {"do":"delete the file","at":"z"},{"call":"get","key":"a","on":"s0"},
          {"call":"get","key":"a","on":"s0"})",
       [](Observation& seen) { last(seen) = Shown{None{}}; }},
  };
  return all;
}

// Nothing is lost by the others.
Beside beside_of(const Case& value, const char* stores = "memory,fsspec local") {
  Beside beside;
  for (Case& twin : twins_of(value, parse_stores(stores).value()))
    beside.twins.push_back({.value = twin, .seen = test::sound_observation(twin, 0)});
  return beside;
}

// Two readers that see "a", and of "b" say the same or that it is missing.
ReadArchive read_of_z(const std::string& of_b) {
  const auto reply = [&](bool right) {
    const auto sum = [](const char* bytes) {
      return Json{"value", sum_of(bytes).size, sum_of(bytes).crc};
    };
    const Json b = right ? sum("b@1") : Json{of_b};
    return ReaderReply{.reply = {{"opened", {"value"}},
                                 {"listed", {"a", "b"}},
                                 {"keys", {{"a", sum("a@0")}, {"b", b}}}},
                       .died = {}};
  };
  return {.place = "z",
          .readers = {{.name = "libzip", .version = "1", .views = {"keys"}},
                      {.name = "libarchive", .version = "3", .views = {"keys"}}},
          .replies = {reply(true), reply(of_b.empty())}};
}

TEST(Oracles, EachTellsSomethingThatItAloneTells) {
  std::set<std::string> tell;
  for (const Planted& it : all_planted()) {
    const Case value = parsed(it.program);
    Observation seen = test::sound_observation(value, 0);
    ASSERT_TRUE(judge(value, seen).empty()) << it.program << judge(value, seen)[0].headline;
    it.loss(seen);
    Beside beside;
    if (std::string_view(it.oracle) == "stores agree") beside = beside_of(value);
    if (std::string_view(it.oracle) == "readers agree") beside.archives = {read_of_z("missing")};
    const std::vector<Difference> told = judge(value, walk(value, seen, &beside), seen);
    ASSERT_EQ(told.size(), 1U) << it.oracle << " " << it.program;
    EXPECT_EQ(told.front().oracle, it.oracle) << told.front().headline;
    EXPECT_EQ(name_of(told.front().wrong), name_of(it.wrong)) << told.front().headline;
    EXPECT_EQ(told.front().first, !told.front().question) << told.front().headline;
    EXPECT_EQ(told.front().headline.find('{'), std::string::npos) << told.front().headline;
    tell.insert(it.oracle);
  }
  for (const Oracle& it : oracles()) EXPECT_TRUE(tell.contains(std::string(it.name))) << it.name;
}

// Two handles of one kind on an archive that is wrong read it alike, whatever that is.
TEST(Oracles, HandlesOnATwistedArchiveAgree) {
  const auto value = parse_case(R"({"format":2,"before":{"z":{
      "entries":[{"key":"a","value":"a@0"},{"key":"b","value":"b@0"}],
      "twists":[{"name":"names swapped","entry":0,"amount":0}]}},"program":[
    {"make":"zip","at":"z","mode":"r","as":"s0"},{"make":"zip","at":"z","mode":"r","as":"s1"},
    {"call":"list","on":["s0","s1"]},{"call":"get","key":"a","on":["s0","s1"]}]})");
  ASSERT_TRUE(value.has_value()) << value.error().message;
  Observation seen = test::sound_observation(*value, 0);
  for (Answer& answer : seen.steps.back().answers) answer = Shown{BytesValue{"b@0"}};
  EXPECT_TRUE(judge(*value, seen).empty());
  last(seen) = Shown{BytesValue{"a@0"}};
  ASSERT_EQ(judge(*value, seen).size(), 1U);
  EXPECT_EQ(judge(*value, seen).front().oracle, "agreement");
}

// How a process of another release ends, and what it leaves, is that release's affair.
TEST(Oracles, TellNothingOfHowAnotherReleaseEnds) {
  for (const char* subject : {"", "3.0.8"}) {
    Case value = parsed(std::string(kLocal) + R"({"call":"get","key":"a","on":"s0"})");
    value.processes = {{.name = "p1", .subject = subject}};
    Observation seen = test::sound_observation(value, 0);
    seen.ends["p1"] = "SIGSEGV";
    seen.open["p1"] = {"z/a"};
    seen.stray = {"../x"};
    EXPECT_EQ(judge(value, seen).size(), *subject ? 0U : 3U);
  }
}

TEST(Oracles, SayWhereByName) {
  const Case value = parsed(std::string(kLocal) + R"({"call":"get","key":"a","on":"s0"})");
  Observation seen = test::sound_observation(value, 0);
  last(seen) = Shown{BytesValue{"nobody's"}};
  const Difference told = judge(value, seen).at(0);
  EXPECT_EQ(told.headline,
            "`get` of \"a\" on s0 (local) shows b\"nobody's\" where b\"a@0\" is right");
  EXPECT_EQ(told.where.place, "z");
  EXPECT_EQ(told.where.step, 1U);
}

TEST(Oracles, TellTheFirstOfEachPlace) {
  const Case value = parsed(std::string(kLocal) + R"({"call":"get","key":"a","on":"s0"},
    {"call":"list","on":"s0"},{"make":"memory","as":"s1"},{"call":"list","on":"s1"})");
  Observation seen = test::sound_observation(value, 0);
  seen.steps[1].answers[0] = Shown{BytesValue{"nobody's"}};
  seen.steps[2].answers[0] = Shown{Names{{"a", "ghost"}}};
  seen.steps[4].answers[0] = Shown{Names{{"ghost"}}};
  std::vector<bool> first;
  for (const Difference& it : judge(value, seen))
    if (it.oracle != "on disk") first.push_back(it.first);
  EXPECT_EQ(first, (std::vector{true, false, true}));
}

// Who hangs after another one hung is a symptom.
TEST(Survival, LeavesHangsOfCallsToTheDeadline) {
  const Case value = parsed(std::string(kLocal) + R"({"call":"get","key":"a","on":"s0"})");
  Observation seen = test::sound_observation(value, 0);
  seen.steps[1].answers[0] = TimedOut{};
  seen.ends = {{"p0", "hang"}, {"p1", "hang"}};
  const std::vector<Difference> told = judge(value, seen);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].oracle, "deadline");
}

// A thread of obstore's or icechunk's may read a file when its process forks: nobody closes it in
// the fork.
TEST(Survival, LeavesFilesThatALibrarysThreadsHadOpenAtAFork) {
  const auto told = [](const std::string& kind, const std::string& process) {
    const Case value = parse_case(R"({"format": 2, "processes": {"p1": "fork"}, "program": [
        {"make": ")" + kind + R"(", "at": "f", "as": "s0"}, {"fork": "p1"},
        {"call": "get", "key": "b", "on": "s0"}]})")
                           .value();
    Observation seen = test::sound_observation(value, 0);
    seen.open = {{process, {"f/b"}}};
    return !judge(value, seen).empty();
  };
  EXPECT_FALSE(told("icechunk", "p1"));
  EXPECT_TRUE(told("icechunk", "p0")) << "its own threads could have closed it";
  EXPECT_TRUE(told("local", "p1"));
}

// Sending what a store holds opens the store, be it refused afterwards.
TEST(Attributes, MayChangeWhereANodeWasToBeSent) {
  const Case value = parsed(R"({"make":"zip","at":"z","mode":"a","as":"s0"},
    {"call":"state","on":"s0"},{"carry":"pickle 5","cargo":"group","from":"s0","as":"s1"},
    {"call":"state","on":"s0"})");
  Observation seen = test::sound_observation(value, 0);
  seen.steps[1].answers[0] = Shown{Attributes{{{"_content", "None"}}}};
  seen.steps[2].answers[0] = Refusal{"FileNotFoundError", "", ""};
  last(seen) = Shown{Attributes{{{"_content", "<dict>"}}}};
  EXPECT_TRUE(judge(value, seen).empty());
}

// What the `state` calls of a program tell, told one after the other.
std::vector<std::string> lost_of(const std::string& program,
                                 const std::vector<Attributes>& states) {
  const Case value = parsed(program);
  Observation seen = test::sound_observation(value, 0);
  std::size_t next = 0;
  for (std::size_t step = 0; step < value.steps.size(); ++step) {
    const auto* call = std::get_if<Call>(&value.steps[step]);
    if (!call || call->op != Op::kState) continue;
    for (Answer& answer : seen.steps[step].answers) answer = Shown{states.at(next++)};
  }
  std::vector<std::string> told;
  for (const Difference& it : judge(value, seen)) told.push_back(it.oracle + " " + it.where.key);
  return told;
}

using Told = std::vector<std::string>;
const Told kNone;

// The object of a copy is another one, with content of its own.
TEST(Attributes, OfACopyHaveTheSameValues) {
  const std::string copied = R"({"make":"memory","as":"s0"},
    {"call":"set","key":"a","value":"a@1","on":"s0"},
    {"carry":"pickle 5","from":"s0","as":"s1"},)";
  const std::string both = R"({"call":"state","on":["s0","s1"]})";
  const std::vector<Attributes> flags{{{{"_is_open", "True"}, {"flag", "True"}}},
                                      {{{"_is_open", "False"}, {"flag", "False"}}}};
  EXPECT_EQ(lost_of(copied + both, flags), Told{"attributes flag"});
  EXPECT_EQ(lost_of(copied + both, {{{{"_was_opened", "True"}}}, {{{"_was_opened", "False"}}}}),
            kNone)
      << "that tells of use as well";
  const std::string unused = R"({"make":"memory","as":"s0"},
    {"carry":"pickle 5","from":"s0","as":"s1"},)";
  EXPECT_EQ(lost_of(unused + both, {{{{"_is_open", "False"}}}, {{{"_is_open", "True"}}}}),
            Told{"attributes _is_open"})
      << "nobody has opened it";
  EXPECT_EQ(lost_of(R"({"make":"zip","at":"z","mode":"r","as":"s0"},
                       {"carry":"pickle 5","from":"s0","as":"s1"},)" +
                        both,
                    {{{{"_is_open", "False"}}}, {{{"_is_open", "True"}}}}),
            kNone)
      << "an archive may be opened by its unpickling";
  EXPECT_EQ(lost_of(copied + R"({"call":"clear","on":"s1"},)" + both, flags), kNone)
      << "it may count its content";
}

// A copy that opens its archive when it arrives has more than a store that was made and never used:
// that one has lost nothing.
TEST(Attributes, OfAnUnusedArchiveAreAllThatItEverHad) {
  const std::string copied = R"({"make":"zip","at":"z","mode":"r","as":"s0"},
    {"carry":"pickle 5","from":"s0","as":"s1"},{"call":"state","on":"s1"},)";
  const std::vector<Attributes> lock{{{{"_lock", "<RLock>"}}}, {}};
  EXPECT_EQ(lost_of(copied + R"({"call":"state","on":"s0"})", lock), kNone);
  EXPECT_EQ(lost_of(copied + R"({"carry":"pickle 5","from":"s0","as":"s2"},
                                {"call":"state","on":"s2"})",
                    lock),
            Told{"attributes _lock"})
      << "a copy may have";
}

// A store may make a thread when it needs one. Who was never used has what its constructor made.
TEST(Attributes, OfAUsedStoreMayBeMadeWhenTheyAreNeeded) {
  const auto program = [](const char* use) {
    return R"({"make":"memory","as":"s0"},)" + std::string(use) +
           R"({"carry":"pickle 5","from":"s0","as":"s1"},{"call":"state","on":["s0","s1"]})";
  };
  const std::vector<Attributes> thread{{{{"_thread", "<Thread>"}}}, {{{"_thread", "None"}}}};
  EXPECT_EQ(lost_of(program(R"({"call":"get","key":"a","on":"s0"},)"), thread), kNone);
  EXPECT_EQ(lost_of(program(""), thread), Told{"attributes _thread"});
  const std::vector<Attributes> other{{{{"_fs", "<Fast>"}}}, {{{"_fs", "<Slow>"}}}};
  EXPECT_EQ(lost_of(program(R"({"call":"get","key":"a","on":"s0"},)"), other),
            Told{"attributes _fs"});
}

// Who used a store has opened it; what it was given stays what it was.
TEST(Attributes, OfTheCopyOfAUsedStoreAreWhatItWasGiven) {
  const auto program = [](const std::string& mode, const std::string& more = "") {
    return R"({"make":"zip","at":"z","mode":")" + mode + R"(",)" + more + R"("as":"s0"},
      {"call":"get","key":"a","on":"s0"},{"call":"state","on":"s0"},{"call":"close","on":"s0"},
      {"carry":"pickle 5","from":"s0","as":"s1"},{"call":"state","on":"s1"})";
  };
  const Attributes used{{{"_zf", "<ZipFile>"}, {"path", "/z.zip"}, {"opened", "1"}}};
  EXPECT_EQ(lost_of(program("a"), {used, {{{"path", "/y.zip"}, {"opened", "0"}}}}),
            Told{"attributes path"});
  EXPECT_EQ(lost_of(program("a"), {used, {{{"path", "/z.zip"}, {"opened", "0"}}}}), kNone);
  EXPECT_EQ(lost_of(program("w"), {{{{"mode", "'w'"}}}, {{{"mode", "'a'"}}}}), kNone)
      << "what was taken";
  EXPECT_EQ(lost_of(program("a", R"("relative":true,)"),
                    {{{{"path", "z.zip"}}}, {{{"path", "/here/z.zip"}}}}),
            kNone);
}

// What a read-only view deletes is gone for its store as well: that is no second difference.
TEST(Agreement, IsNotAskedAcrossAWriteThatHadToBeRefused) {
  const Case value = parsed(R"({"make":"memory","as":"s0"},
    {"call":"set","key":"a","value":"a@1","on":"s0"},{"call":"list","on":"s0"},
    {"call":"with read only","flag":true,"on":"s0","as":"s1"},
    {"call":"delete","key":"a","on":"s1"},{"call":"get","key":"a","on":"s0"})");
  Observation seen = test::sound_observation(value, 0);
  seen.steps[4].answers[0] = Shown{None{}};
  last(seen) = Shown{None{}};
  std::vector<std::string> oracles;
  for (const Difference& it : judge(value, seen)) oracles.push_back(it.oracle);
  EXPECT_EQ(oracles, std::vector<std::string>{"writable"});
}

// Another event loop asks another question: a store may be connected by one of them.
TEST(ParentIntact, ComparesWhatOneLoopWasTold) {
  const Case value = parsed(R"({"make":"local","at":"f","as":"s0"},
    {"call":"get range","key":"a","start":7,"end":9,"on":"s0"},
    {"carry":"pickle 5","from":"s0","as":"s1"},
    {"call":"get range","key":"a","start":7,"end":9,"by":"sync","on":"s0"})");
  Observation seen = test::sound_observation(value, 0);
  seen.steps[1].answers[0] = Shown{BytesValue{""}};
  last(seen) = Shown{BytesValue{"0"}};
  for (const Difference& it : judge(value, seen)) EXPECT_NE(it.oracle, "parent intact");
}

// A file that an outsider deleted is there for whoever has it open, until he closes it.
TEST(ParentIntact, ComparesNothingAcrossAClose) {
  const Case value = parsed(R"({"make":"zip","at":"z","mode":"w","as":"s0"},
    {"call":"set","key":"a","value":"a@1","on":"s0"},{"do":"delete the file","at":"z"},
    {"call":"get","key":"a","on":"s0"},{"carry":"pickle 5","from":"s0","as":"s1"},
    {"call":"close","on":"s0"},{"call":"get","key":"a","on":"s0"})");
  Observation seen = test::sound_observation(value, 0);
  seen.steps[3].answers[0] = Shown{BytesValue{"a@1"}};
  seen.steps[4].answers[0] = seen.steps[0].answers[0];
  seen.steps[5].disk = seen.steps[6].disk = seen.steps[3].disk;
  last(seen) = Shown{None{}};
  for (const Difference& it : judge(value, seen)) EXPECT_NE(it.oracle, "parent intact");
}

TEST(ReadersAgree, AreAskedOnlyOfWhatWasSurelyPublished) {
  const std::string set = R"({"make":"zip","at":"z","mode":"a","as":"s0"},
      {"call":"set","key":"b","value":"b@1","on":"s0"},)";
  const auto told = [](const std::string& program, const std::string& of_b) {
    const Case value = parsed(program);
    const Observation seen = test::sound_observation(value, 0);
    Beside beside;
    beside.archives = {read_of_z(of_b)};
    return judge(value, walk(value, seen, &beside), seen);
  };
  const std::string closed = set + R"({"call":"close","on":"s0"})";
  ASSERT_EQ(told(closed, "missing").size(), 1U);
  const Difference wrong = told(closed, "missing")[0];
  EXPECT_EQ(wrong.oracle, "readers agree");
  EXPECT_EQ(wrong.where.operation, "libarchive");
  EXPECT_EQ(wrong.where.key, "b");
  EXPECT_EQ(wrong.where.place, "z");
  EXPECT_TRUE(told(closed, "").empty());
  EXPECT_TRUE(told(set + R"({"call":"list","on":"s0"})", "missing").empty()) << "not published";
  EXPECT_TRUE(told(closed + R"(,{"call":"set","key":"a/","value":"a@9","on":"s0"},
                   {"call":"close","on":"s0"})",
                   "missing")
                  .empty())
      << "a name that is no path";
}

// What readers say of "a" in an archive that is wrong on purpose: one word or value each.
std::vector<Difference> of_wrong_archive(const Answer& get, const std::vector<std::string>& says,
                                         std::set<Wrong> known_ways = {}, bool relative = false) {
  Case value = parse_case(R"({"format":2,"before":{"z":{"entries":[{"key":"a","value":"a@0"}],
      "twists":[{"name":"empty archive in the comment","entry":0,"amount":0}]}},"program":[
    {"make":"zip","at":"z","mode":"r","as":"s0"},{"call":"get","key":"a","on":"s0"}]})")
                   .value();
  std::get<Make>(value.steps[0]).relative = relative;
  Observation seen = test::sound_observation(value, 0);
  last(seen) = get;
  ReadArchive archive{.place = "z", .zip_class = "C2", .known_ways = std::move(known_ways)};
  for (const std::string& it : says) {
    const bool word = it == "missing" || it == "refused";
    const Json answer = word ? Json{it} : Json{"value", sum_of(it).size, sum_of(it).crc};
    archive.readers.push_back({.name = "r", .version = "1", .views = {"keys"}});
    archive.replies.push_back({.reply = {{"opened", {"value"}}, {"keys", {{"a", answer}}}}});
  }
  Beside beside{.archives = {archive}};
  std::vector<Difference> told = judge(value, walk(value, seen, &beside), seen);
  std::erase_if(told, [](const Difference& it) { return it.oracle != "readers agree"; });
  return told;
}

// The key "a" of a path below the store is another one.
TEST(ReadersAgree, TellNothingOfAPathBelowTheStore) {
  const Case value = parse_case(R"({"format":2,"before":{"z":{"entries":[{"key":"a","value":"a@0"}],
      "twists":[{"name":"empty archive in the comment","entry":0,"amount":0}]}},"program":[
    {"make":"zip","at":"z","mode":"r","as":"s0"},
    {"call":"store path","key":"b","on":"s0","as":"s1"},{"call":"get","key":"a","on":"s1"}]})")
                         .value();
  Observation seen = test::sound_observation(value, 0);
  last(seen) = Shown{None{}};
  const Json found = {"value", sum_of("a@0").size, sum_of("a@0").crc};
  Beside beside{.archives = {{.place = "z",
                              .readers = {{.name = "r", .version = "1", .views = {"keys"}}},
                              .replies = {{.reply = {{"keys", {{"a", found}}}}}}}}};
  EXPECT_TRUE(judge(value, walk(value, seen, &beside), seen).empty());
}

TEST(ReadersAgree, TellWhatIsLostInSilenceInAWrongArchive) {
  const Answer missing = Shown{None{}}, other = Shown{BytesValue{"a@"}},
               right = Shown{BytesValue{"a@0"}}, refusal = Refusal{"BadZipFile", "", ""};
  const auto told = of_wrong_archive(missing, {"a@0", "refused"});
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].wrong, Wrong::kAbsent);
  EXPECT_EQ(told[0].where.operation, "get");
  EXPECT_EQ(told[0].where.zip_class, "C2");
  EXPECT_TRUE(told[0].first);
  ASSERT_EQ(of_wrong_archive(other, {"a@0", "a@"}).size(), 1U);
  EXPECT_EQ(of_wrong_archive(other, {"a@0"})[0].wrong, Wrong::kOtherValue);
  EXPECT_TRUE(of_wrong_archive(missing, {"a@0", "missing"}).empty()) << "another one says so too";
  EXPECT_TRUE(of_wrong_archive(missing, {"refused", "a@"}).empty()) << "nobody finds it";
  EXPECT_TRUE(of_wrong_archive(refusal, {"a@0", "a@0"}).empty()) << "a refusal is safe";
  EXPECT_TRUE(of_wrong_archive(right, {"a@", "missing"}).empty());
  EXPECT_TRUE(of_wrong_archive(missing, {"a@0"}, {Wrong::kAbsent}).empty()) << "a known way";
  EXPECT_TRUE(of_wrong_archive(missing, {"a@0"}, {}, true).empty()) << "another file, perhaps";
}

TEST(StoresAgree, AsksWithATableOfAllKinds) {
  const Case value = parsed(R"({"make":"local","at":"f","as":"s0"},
    {"call":"set","key":"a","value":"a@1","on":"s0"},
    {"call":"get range","key":"a","start":7,"end":9,"on":"s0"})");
  Observation seen = test::sound_observation(value, 0);
  seen.steps[2].answers[0] = Refusal{"ValueError", "", ""};
  const Beside beside = beside_of(value);
  const Difference told = judge(value, walk(value, seen, &beside), seen).at(0);
  EXPECT_TRUE(told.question);
  EXPECT_EQ(told.where.operation, "get range");
  EXPECT_EQ(told.where.argument, "edge");
  EXPECT_EQ(
      told.stores,
      (std::vector<std::pair<std::string, std::string>>{
          {"local", "refused with ValueError"}, {"memory", "b\"\""}, {"fsspec local", "b\"\""}}));
}

// What a folder's name deletes differs, as adapters say; whether it is refused is a question.
TEST(StoresAgree, AskWhetherADeleteIsRefused) {
  const Case value = parsed(R"({"make":"local","at":"f","as":"s0"},
    {"call":"set","key":"a/b","value":"a/b@1","on":"s0"},{"call":"delete","key":"a","on":"s0"})");
  Observation seen = test::sound_observation(value, 0);
  last(seen) = Refusal{"ValueError", "", ""};
  const Beside beside = beside_of(value);
  const std::vector<Difference> told = judge(value, walk(value, seen, &beside), seen);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].oracle, "stores agree");
}

// No disk takes a key that is a folder; in memory it may be both.
TEST(StoresAgree, WhetherAFolderMayBeAKeyIsAQuestionOfOneMediumAlone) {
  const auto questions = [](const char* twin) {
    const auto value = parse_case(R"({"format":2,"program":[{"make":"local","at":"f","as":"s0"},
        {"call":"set","key":"a/b","value":"a/b@1","on":"s0"},
        {"call":"set","key":"a","value":"a@2","on":"s0"}]})")
                           .value();
    Observation seen = test::sound_observation(value, 0);
    last(seen) = Refusal{"IsADirectoryError", "", ""};
    Beside beside = beside_of(value, twin);
    last(beside.twins.at(0).seen) = Shown{None{}};
    return std::ranges::count(judge(value, walk(value, seen, &beside), seen), "stores agree",
                              &Difference::oracle);
  };
  EXPECT_EQ(questions("fsspec local"), 1);
  EXPECT_EQ(questions("fsspec memory"), 0);
}

// Whether content that stays in its process came along is no question to a range.
TEST(StoresAgree, LeaveWhetherContentTravelledToOthers) {
  const auto value = parse_case(R"({"format":2,"processes":{"p1":"spawn"},"program":[
      {"make":"fsspec memory","as":"s0"},{"call":"set","key":"a","value":"a@1","on":"s0"},
      {"carry":"pickle 5","from":"s0","to":"p1","as":"s1"},
      {"call":"get suffix","key":"a","start":0,"on":"s1"}]})")
                         .value();
  Observation seen = test::sound_observation(value, 0);
  seen.steps[2].answers[0] = Shown{NewHandle{"FsspecStore"}};
  seen.steps[3].answers = {Shown{None{}}};
  const Beside beside = beside_of(value, "memory");
  ASSERT_FALSE(beside.twins.empty());
  EXPECT_TRUE(judge(value, walk(value, seen, &beside), seen).empty());
}

// By what a kind is, or by what became of it, answers may differ: that is no question.
TEST(StoresAgree, ComparesOnlyWhatBothSurelySee) {
  const std::pair<const char*, Answer> other[] = {
      // another content: in memory each has its own
      {R"({"make":"local","at":"f","as":"s0"},{"make":"local","at":"f","as":"s1"},
          {"call":"set","key":"a","value":"a@2","on":"s1"},
          {"call":"get range","key":"a","start":7,"end":9,"on":"s0"})",
       Refusal{"ValueError", "", ""}},
      // in memory no key is a folder
      {R"({"make":"local","at":"f","as":"s0"},{"call":"set","key":"a/b","value":"a/b@1","on":"s0"},
          {"call":"delete","key":"a","on":"s0"})",
       Refusal{"ValueError", "", ""}},
      // whether there is a method
      {R"({"make":"local","at":"f","as":"s0"},{"call":"set","key":"a","value":"a@1","on":"s0"},
          {"call":"get sync","key":"a","on":"s0"})",
       Refusal{"ValueError", "", ""}},
      // a name that no zip entry can have
      {R"({"make":"zip","at":"z","mode":"a","as":"s0"},{"call":"list","on":"s0"},
          {"call":"set","key":"a\u0000b","value":"a@1","on":"s0"})",
       Refusal{"ValueError", "", ""}},
      // what a store is, and not what it holds
      {R"({"make":"local","at":"f","as":"s0"},{"call":"state","on":"s0"})",
       Shown{Attributes{{{"root", "f"}}}}},
  };
  for (const auto& [program, answer] : other) {
    const auto value =
        parse_case(R"({"format":2,"program":[)" + std::string(program) + "]}").value();
    Observation seen = test::sound_observation(value, 0);
    last(seen) = answer;
    const Beside beside = beside_of(value, "memory");
    ASSERT_FALSE(beside.twins.empty()) << program;
    for (const Difference& it : judge(value, walk(value, seen, &beside), seen))
      EXPECT_NE(it.oracle, "stores agree") << program;
  }
}

}  // namespace
}  // namespace storefuzz::program
