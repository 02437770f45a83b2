// Programs played by real workers: those of the corpus, drawn ones over stores that keep every
// promise, twice the same, and over stores with planted losses.
//
// STOREFUZZ_TEST_PROGRAMS says how many programs are drawn (for measurements), STOREFUZZ_TEST_SEED
// which.
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <sstream>

#include "harness/oracles/oracle.h"
#include "harness/testing/falsify.h"
#include "harness/testing/program_runs.h"
#include "harness/wire/describe.h"

namespace storefuzz::e2e {
namespace {

using program::Difference;

std::string explain(const program::Case& value, const std::vector<Difference>& differences) {
  std::string text = text_of(program::to_json(value), 1) + "\n";
  for (const Difference& it : differences)
    text += fmt::format("step {} {}: {}\n", it.where.step, it.oracle, it.headline);
  return text;
}

// Those written by hand: the others are called by their hash, and may hang.
std::vector<fs::path> corpus() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(corpus_file()))
    if (entry.path().stem().string().contains('-')) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

// A program that must be sayable loses nothing when it is read, and every step of it is performed.
TEST(Programs, OfTheCorpusAreSaidAndPlayed) {
  const auto zarr = session("all");
  ASSERT_GE(corpus().size(), 20U);
  for (const fs::path& file : corpus()) {
    const Json json = read_json(file);
    const program::Case value = must(program::parse_case(json.dump()));
    EXPECT_EQ(program::to_json(value), json) << file;
    const PlayedProgram played = play(*zarr, value);
    // Nobody is there to be asked only where a carry was refused.
    bool refused = false;
    for (std::size_t step = 0; step < played.seen.steps.size(); ++step)
      for (const program::Answer& answer : played.seen.steps[step].answers) {
        EXPECT_TRUE(refused || !std::holds_alternative<program::Absent>(answer))
            << file << " step " << step << ": nobody to ask";
        refused = refused || program::refused(answer);
      }
    EXPECT_TRUE(play(*zarr, value).seen == played.seen) << file << ": not the same twice";
  }
}

// What a process holds: descriptors, and KiB of memory.
struct Holds {
  std::size_t descriptors = 0, memory = 0;
};
Holds holds_of(const std::string& process) {
  const fs::path folder = fs::path("/proc") / process;
  std::istringstream status(test::read_file(folder / "status"));
  Holds holds;
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:"))
      holds.memory = static_cast<std::size_t>(std::atoll(line.c_str() + 6));
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder / "fd"))
    ++holds.descriptors;
  return holds;
}

// The largest of our children; workers come and go.
Holds largest_child() {
  Holds largest;
  std::istringstream children(
      test::read_file(fmt::format("/proc/self/task/{}/children", ::gettid())));
  for (std::string child; children >> child;) {
    const Holds holds = holds_of(child);
    largest.descriptors = std::max(largest.descriptors, holds.descriptors);
    largest.memory = std::max(largest.memory, holds.memory);
  }
  return largest;
}

// Plays a program of the corpus.
PlayedProgram play_of_corpus(ProgramSession& session, std::string_view name) {
  for (const fs::path& file : corpus())
    if (file.stem() == name)
      return play(session, must(program::parse_case(read_json(file).dump())));
  ADD_FAILURE() << "no program " << name;
  return {};
}

const program::Answer& answer_of(const PlayedProgram& played, std::size_t step,
                                 std::size_t handle = 0) {
  return played.seen.steps.at(step).answers.at(handle);
}

bool shows(const program::Answer& answer, std::string_view bytes) {
  const auto* value = program::shown_as<program::BytesValue>(answer);
  return value && value->bytes == bytes;
}

bool names(const program::Answer& answer, const std::set<std::string>& all) {
  const auto* list = program::shown_as<program::Names>(answer);
  return list && std::set<std::string>(list->names.begin(), list->names.end()) == all;
}

// A file system of fsspec and what it opened name each other: only a collection ends them.
TEST(Programs, LeaveNothingOpenThatPythonCollects) {
  const auto zarr = session("all");
  const PlayedProgram played = play(*zarr, must(program::parse_case(R"({"format": 2,
    "before": {"z": {"entries": [{"key": "a", "value": "a@0"}]}}, "program": [
    {"make": "fsspec zip", "at": "z", "as": "s0"}, {"call": "get", "key": "a", "on": "s0"}]})")));
  EXPECT_TRUE(shows(answer_of(played, 1), "a@0"));
  EXPECT_TRUE(played.differences.empty()) << played.differences.front().headline;
}

// The loop of zarr closes the iterator that `is empty` left, and with it the store, when it comes
// to it.
TEST(Programs, LeaveNothingOpenThatALoopWillClose) {
  const auto zarr = session("all");
  const program::Case value = must(program::parse_case(R"({"format": 2, "program": [
    {"make": "zip", "at": "z", "mode": "w", "as": "s0"},
    {"call": "set", "key": "a", "value": "a@1", "on": "s0", "by": "sync"},
    {"call": "is empty", "key": "", "on": "s0", "by": "sync"},
    {"do": "drop", "handle": "s0"}]})"));
  for (int times = 0; times < 50; ++times) {
    const PlayedProgram played = play(*zarr, value);
    ASSERT_TRUE(played.differences.empty()) << played.differences.front().headline;
  }
}

// What the loop's thread has in its hands when a process forks, nobody in the child lets go of.
TEST(Programs, LeaveNothingOpenInAForkOfWhoJustAskedTheLoop) {
  const auto zarr = session("all");
  const program::Case value = must(program::parse_case(R"({"format": 2,
    "before": {"z": {"entries": [{"key": "a", "value": "a@0"}]}},
    "processes": {"p1": "fork", "p2": "fork", "p3": "fork"}, "program": [
    {"make": "zip", "at": "z", "mode": "r", "as": "s0"},
    {"call": "delete listed", "on": "s0", "by": "sync"}, {"fork": "p1"},
    {"call": "list", "on": "s0", "by": "sync"}, {"fork": "p2"},
    {"call": "get", "key": "a", "on": "s0", "by": "sync"}, {"fork": "p3"}]})"));
  for (int times = 0; times < 50; ++times) {
    const PlayedProgram played = play(*zarr, value);
    ASSERT_TRUE(played.differences.empty()) << played.differences.front().headline;
  }
}

TEST(Programs, ReadByHttpWhatAServerGives) {
  const auto zarr = session("all");
  const PlayedProgram loop = play_of_corpus(*zarr, "18a-by-http-in-the-loop-then-by-the-caller");
  EXPECT_TRUE(shows(answer_of(loop, 1), "a@0"));
  EXPECT_TRUE(names(answer_of(loop, 2), {"a", "b/c"}));
  EXPECT_TRUE(shows(answer_of(loop, 3), "a@0") || program::refused(answer_of(loop, 3)));
  EXPECT_TRUE(shows(answer_of(loop, 7), "a@6")) << "what another store wrote there";
  EXPECT_TRUE(loop.differences.empty());
  const PlayedProgram fork = play_of_corpus(*zarr, "18b-by-http-inherited-by-a-fork");
  EXPECT_TRUE(shows(answer_of(fork, 3), "b/c@0") || program::refused(answer_of(fork, 3)));
  EXPECT_TRUE(shows(answer_of(fork, 4), "a@0"));
  const PlayedProgram two = play_of_corpus(*zarr, "18c-by-http-read-by-two-processes");
  for (const std::size_t handle : {0, 1}) {
    EXPECT_TRUE(shows(answer_of(two, 2, handle), "a@0"));
    EXPECT_TRUE(shows(answer_of(two, 4, handle), "@0"));
  }
  // The server takes nothing, and where it listens is no part of an answer.
  const program::Refusal* refusal = program::refused(answer_of(two, 5));
  ASSERT_TRUE(refusal);
  EXPECT_NE(refusal->text.find("<server>/ranges/d/a"), std::string::npos) << refusal->text;
  // A server may answer with the whole file, which the reader must then cut: zarr 3.4.2 does not.
  const PlayedProgram whole = play_of_corpus(*zarr, "18d-by-http-without-ranges");
  EXPECT_TRUE(shows(answer_of(whole, 1), "a@0"));
  EXPECT_TRUE(shows(answer_of(whole, 2), "@") != (whole.differences.size() == 1));
}

TEST(Programs, ShowMembersAsTheyWereConsolidatedOrAsTheyAre) {
  const auto zarr = session("all");
  const PlayedProgram played = play_of_corpus(*zarr, "11-consolidated-metadata-then-a-new-member");
  EXPECT_TRUE(names(answer_of(played, 8, 0), {"x", "y"}));
  for (const std::size_t handle : {1, 2, 3})
    EXPECT_TRUE(names(answer_of(played, 8, handle), {"x"})) << handle;
  EXPECT_TRUE(played.differences.empty());
}

TEST(Programs, FindACacheOnDiskThatIsMadeAnew) {
  const auto zarr = session("all");
  const PlayedProgram played = play_of_corpus(*zarr, "19-a-cache-on-disk-made-anew");
  EXPECT_TRUE(shows(answer_of(played, 1), "a@0"));
  EXPECT_TRUE(shows(answer_of(played, 6), "a@0")) << "as the cache keeps it";
  EXPECT_TRUE(shows(answer_of(played, 9), "a@8"));
  EXPECT_TRUE(played.differences.empty()) << "and its folder is no stray";
}

// Neither is anything told, nor does anything grow. A measurement plays more of them: 200,000.
TEST(Programs, OverSoundStoresShowNothing) {
  const auto sound = session(kSoundStores);
  Draw draw(sound->stores());
  const std::size_t count = number_from("STOREFUZZ_TEST_PROGRAMS", 1500);
  Holds ours, theirs;
  for (std::size_t at = 0; at < count; ++at) {
    if (at == count / 10) ours = holds_of("self"), theirs = largest_child();
    const program::Case value = sound->fit(draw());
    const PlayedProgram played = play(*sound, value);
    EXPECT_TRUE(played.differences.empty()) << explain(value, played.differences);
  }
  const Holds ours_now = holds_of("self"), theirs_now = largest_child();
  std::printf("engine: %zu KiB, then %zu; %zu descriptors, then %zu\n", ours.memory,
              ours_now.memory, ours.descriptors, ours_now.descriptors);
  std::printf("largest worker: %zu KiB, then %zu; %zu descriptors, then %zu\n", theirs.memory,
              theirs_now.memory, theirs.descriptors, theirs_now.descriptors);
  // Each idle worker is a socket of ours; more than a few of anything is a leak.
  EXPECT_LE(ours_now.descriptors, ours.descriptors + 6);
  EXPECT_LE(theirs_now.descriptors, theirs.descriptors + 2);
  EXPECT_LE(ours_now.memory, ours.memory + ours.memory / 5);
  EXPECT_LE(theirs_now.memory, theirs.memory + theirs.memory / 5);
}

// What real sound stores showed, with one answer falsified, is told: each observation five times.
// The floors may only rise.
TEST(Programs, OfSoundStoresWithAFalsifiedAnswerAreTold) {
  const auto sound = session("sound live,sound archive,sound truncating,sound copied,sound bound");
  Draw draw(sound->stores());
  program::test::CorruptionScore score;
  unsigned seed = static_cast<unsigned>(number_from("STOREFUZZ_TEST_SEED", 0)) << 20;
  for (std::size_t left = number_from("STOREFUZZ_TEST_PROGRAMS", 2400); left > 0; --left) {
    const program::Case value = sound->fit(draw());
    const PlayedProgram played = play(*sound, value);
    for (int times = 0; times < 5; ++times) score.add(value, played.seen, seed++, "");
  }
  score.print();
  EXPECT_GE(score.exact().percent(), 99.5) << score.missed();
  EXPECT_GE(score.reads().percent(), 94.0);
  EXPECT_GE(score.disk().percent(), 95.0);
}

// Stacks of a hang name threads by numbers, and show lines that are passed by chance.
program::Observation without_stacks(program::Observation seen) {
  for (program::SeenStep& step : seen.steps)
    for (program::Answer& answer : step.answers)
      if (auto* hang = std::get_if<TimedOut>(&answer)) hang->stacks.clear();
  return seen;
}

// Native threads of a store (obstore's, Icechunk's) are not there in a fork, and what they do when
// is chance; so is an adapter that must wake them.
bool has_native_threads(const Adapter* store) {
  for (; store; store = store->inner)
    if (!store->before.empty() || store->shared == Shared::kSession) return true;
  return false;
}

// By fresh workers: what one program leaves in a worker would show in the next one. Arrays write in
// several threads at once, in any order: of a short run two programs may differ.
TEST(Programs, AreTheSameTwice) {
  const auto first = session("all"), second = session("all");
  Stores stores = first->stores();
  std::erase_if(stores, [](StoreKind it) { return has_native_threads(it.operator->()); });
  Draw draw(stores);
  const std::size_t count = number_from("STOREFUZZ_TEST_PROGRAMS", 200);
  std::size_t same = 0;
  for (std::size_t left = count; left > 0; --left) {
    const program::Case value = first->fit(draw());
    const bool equal =
        without_stacks(play(*first, value).seen) == without_stacks(play(*second, value).seen);
    same += equal ? 1 : 0;
    if (!equal) std::printf("differs: %s\n", program::to_text(value).c_str());
  }
  EXPECT_LE(count - same, std::max<std::size_t>(2, count / 1000));
}

// A quirk that its example no longer shows is stale.
TEST(Programs, OfTheQuirksShowThem) {
  const auto zarr = session("all");
  const auto quirks = must(program::load_quirks(reference_folder() + "/program_quirks.json"));
  ASSERT_FALSE(quirks.empty());
  for (const program::Quirk& quirk : quirks) {
    const PlayedProgram played = play(*zarr, corpus_program(quirk.example));
    EXPECT_EQ(std::ranges::count(played.quirks, quirk.id), 1) << quirk.id;
    EXPECT_TRUE(played.differences.empty()) << quirk.id << ": " << played.differences[0].headline;
  }
}

// What differs is a question, with a table of what each kind of store answers.
TEST(Programs, OfQuestionsShowWhatEachStoreAnswers) {
  const auto zarr = session("local,memory,managed memory");
  const program::Case value = corpus_program("32-a-range-on-which-stores-disagree.json");
  const PlayedProgram played = must(zarr->play(value, Effort::kAll));
  ASSERT_EQ(played.differences.size(), 1U) << explain(value, played.differences);
  const Difference& question = played.differences[0];
  EXPECT_TRUE(question.question);
  EXPECT_EQ(question.where.operation, "get range");
  EXPECT_EQ(question.where.argument, "edge");
  EXPECT_EQ(
      question.stores,
      (std::vector<std::pair<std::string, std::string>>{
          {"local", "refused with ValueError"}, {"memory", "b\"\""}, {"managed memory", "b\"\""}}));
}

// Other readers believe other records than the subject does.
TEST(Programs, OfArchivesAreReadByOthers) {
  const auto sound = session("sound archive");
  const auto harmful = session("sound archive", "sound: a local header has another CRC");
  const program::Case value = must(program::parse_case(
      R"({"format":2,"program":[{"make":"sound archive","at":"z","mode":"a","as":"s0"},
          {"call":"set","key":"a","value":"a@1","on":"s0"},{"call":"close","on":"s0"}]})"));
  EXPECT_TRUE(must(sound->play(value, Effort::kAll)).differences.empty());
  const PlayedProgram played = must(harmful->play(value, Effort::kAll));
  ASSERT_EQ(played.differences.size(), 1U) << explain(value, played.differences);
  EXPECT_EQ(played.differences[0].oracle, "readers agree");
  EXPECT_EQ(played.differences[0].where.operation, "libarchive");
}

// Zarr makes a folder where a file was deleted; no reader of zip files can be asked of it.
TEST(Programs, WhereAFolderStandsInThePlaceOfAnArchiveArePlayed) {
  const auto zarr = session("zip,named zip");
  const program::Case value = must(program::parse_case(
      R"({"format":2,"before":{"z":{"entries":[{"key":"a","value":"a@0"}]}},"program":[
          {"make":"zip","at":"z","mode":"r","as":"s0"},{"call":"get","key":"a","on":"s0"},
          {"do":"delete the file","at":"z"},{"make":"named zip","at":"z","as":"s1"},
          {"call":"set","key":"a","value":"a@4","on":"s1"}]})"));
  EXPECT_EQ(must(zarr->play(value, Effort::kAll)).seen.steps.size(), value.steps.size());
}

// Which oracles find a planted loss within so many programs over its store alone: 300; more where
// what shows it is seldom drawn, fewer where the model takes a wrong answer for one of several
// right ones, and another oracle tells what does not fit to that.
std::set<std::string> oracles_that_find(const std::string& loss, const Json& row) {
  const auto planted = session(row["store"], loss);
  Draw draw(planted->stores());
  std::set<std::string> oracles;
  for (int left = row.value("programs", 300); left > 0; --left) {
    const program::Case value = planted->fit(draw());
    for (const Difference& it : must(planted->play(value, Effort::kAll)).differences)
      if (it.first || it.question) oracles.insert(it.oracle);  // others are symptoms
  }
  return oracles;
}

// Each oracle finds a loss that is missed when it is switched off, and no two oracles have the same
// row.
TEST(Programs, OverSoundStoresWithALossAreToldByItsOracles) {
  const Json table = read_json(fs::path(reference_folder()) / "planted" / "sound_losses.json");
  std::map<std::string, std::set<std::string>> rows;
  for (const auto& [loss, row] : table["losses"].items()) {
    const std::set<std::string> expected = row["found_by"];
    EXPECT_EQ(oracles_that_find(loss, row), expected) << loss;
    for (const std::string& oracle : expected) rows[oracle].insert(loss);
  }
  std::set<std::set<std::string>> different;
  std::set<std::set<std::string>> alone;  // oracles that find some loss, all of them together
  for (const auto& [loss, row] : table["losses"].items()) alone.insert(row["found_by"]);
  for (const program::Oracle& oracle : program::oracles()) {
    EXPECT_TRUE(alone.contains({std::string(oracle.name)}))
        << oracle.name << " off: nothing missed";
    EXPECT_TRUE(different.insert(rows[std::string(oracle.name)]).second) << oracle.name;
  }
}

// What a user would write instead of the journey of peers, in one process and without this harness:
// one line of JSON an answer, in the order in which the program asks.
constexpr const char* kPlainJourney = R"(
import json, os, pickle, sys
from zarr.abc.store import RangeByteRequest
from zarr.core.buffer import cpu, default_buffer_prototype
from zarr.storage import ZipStore

plain, keys = default_buffer_prototype(), [f"a/c/{i}" for i in range(4)]

def done(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value

async def listed(store):
    return [key async for key in store.list()]

def text(buffer):
    return buffer.to_bytes().decode()

def ask(store):
    done(store._ensure_open())
    print(json.dumps(done(listed(store))))
    for key in keys:
        print(json.dumps(text(done(store.get(key, plain)))))
        print(json.dumps(text(done(store.get(key, plain, RangeByteRequest(1, 3))))))
        print(json.dumps(done(store.exists(key))))
        print(json.dumps(done(store.getsize(key))))
    store.close()

os.chdir(sys.argv[1])
writer = ZipStore("z.zip", mode="w")
writer._sync_open()
for i, key in enumerate(keys):
    value = (f"{key}@{i};" * 64).encode()[:64]
    done(writer.set(key, cpu.Buffer.from_bytes(value)))
writer.close()
store = ZipStore("z.zip", mode="r")
ask(store)
ask(pickle.loads(pickle.dumps(store)))
)";

Json as_json(const program::Answer& answer) {
  if (const auto* names = program::shown_as<program::Names>(answer)) return names->names;
  if (const auto* bytes = program::shown_as<program::BytesValue>(answer)) return bytes->bytes;
  if (const auto* truth = program::shown_as<bool>(answer)) return *truth;
  if (const auto* number = program::shown_as<std::int64_t>(answer)) return *number;
  return program::describe(answer);
}

TEST(Programs, TheJourneyOfPeersSeesWhatAPlainScriptSees) {
  const fs::path folder = scratch() / "plain-journey";
  fs::create_directories(folder);
  const Finished told = must(run_to_end(
      {.arguments = {python(kNewest), "-W", "ignore", "-c", kPlainJourney, folder.string()}},
      kPatient));
  std::vector<Json> plain;
  std::istringstream lines(told.output);
  for (std::string line; std::getline(lines, line);) plain.push_back(Json::parse(line));
  ASSERT_EQ(plain.size(), 34U) << told.output;

  const program::Case value = corpus_program("24-the-journey-of-peers.json");
  const PlayedProgram played = play(*session("zip"), value);
  std::vector<Json> ours;
  for (std::size_t step = 0; step < value.steps.size(); ++step) {
    const auto* call = std::get_if<program::Call>(&value.steps[step]);
    if (!call || call->op == program::Op::kState || call->op == program::Op::kOpen ||
        call->op == program::Op::kClose || program::operation(call->op).takes.value)
      continue;
    ours.push_back(as_json(played.seen.steps[step].answers.at(0)));
  }
  EXPECT_EQ(ours, plain);
}

// zarr 3.0.1 hangs in a fork of a process whose event loop runs.
constexpr const char* kHangsInAFork = R"({"format": 2, "processes": {"p1": "fork"}, "program": [
  {"make": "local", "at": "f", "as": "s0"},
  {"call": "set", "on": "s0", "key": "a", "value": "a@1", "by": "sync"},
  {"fork": "p1"},
  {"call": "get", "on": "s0", "key": "a", "in": "p1", "by": "sync"},
  {"call": "get", "on": "s0", "key": "a"}]})";

TEST(Programs, InWhichAProcessHangsAreParkedAndToldLater) {
  const auto old = session("local", "", "3.0.1");
  const program::Case hangs = must(program::parse_case(kHangsInAFork));
  const program::Case sound = must(program::parse_case(
      R"({"format": 2, "program": [{"make": "local", "at": "f", "as": "s0"},
          {"call": "set", "on": "s0", "key": "a", "value": "a@1"}]})"));
  Clock::time_point parked;
  for (int i = 0; i < 6; ++i) {  // more than may be parked at once
    if (i == 4) parked = Clock::now();
    const auto played = must(old->start(hangs));
    EXPECT_EQ(played.has_value(), i >= 4) << i;
    const auto meanwhile = must(old->start(sound));
    ASSERT_TRUE(meanwhile);
    EXPECT_TRUE(meanwhile->differences.empty());
  }
  const auto decided = old->take_decided(true);
  EXPECT_EQ(decided.size(), 4U);
  // Who sleeps need not be waited for until the deadline of four seconds.
  EXPECT_LT(Clock::now() - parked, std::chrono::seconds(3));
  for (const auto& [value, played] : decided) {
    EXPECT_EQ(value, hangs);
    ASSERT_EQ(played.differences.size(), 1U) << explain(value, played.differences);
    EXPECT_EQ(played.differences[0].oracle, "deadline");
    EXPECT_EQ(played.differences[0].where.step, 3U);
    EXPECT_EQ(played.seen.steps.size(), 4U);
  }
  EXPECT_TRUE(old->take_decided(true).empty());
}

// The http servers among our children.
std::set<std::string> servers() {
  std::set<std::string> found;
  std::istringstream children(
      test::read_file(fmt::format("/proc/self/task/{}/children", ::gettid())));
  for (std::string child; children >> child;)
    if (test::read_file(fs::path("/proc") / child / "cmdline").find("folder_server") !=
        std::string::npos)
      found.insert(child);
  return found;
}

TEST(Programs, AreServedByOneServerAlsoAfterOneWasParked) {
  const auto old = session("local,fsspec http", "", "3.0.1");
  const program::Case served = must(program::parse_case(
      R"({"format": 2, "program": [{"make": "fsspec http", "at": "f", "as": "s0"},
          {"call": "get", "on": "s0", "key": "a"}]})"));
  ASSERT_TRUE(must(old->start(served)));
  const auto before = servers();
  EXPECT_EQ(before.size(), 1U);
  EXPECT_FALSE(must(old->start(must(program::parse_case(kHangsInAFork)))));
  EXPECT_EQ(old->take_decided(true).size(), 1U);
  ASSERT_TRUE(must(old->start(served)));
  EXPECT_EQ(servers(), before);
}

// Our children that ended and were not waited for.
std::size_t zombies() {
  std::size_t count = 0;
  std::istringstream children(
      test::read_file(fmt::format("/proc/self/task/{}/children", ::gettid())));
  for (std::string child; children >> child;)
    count += test::read_file(fs::path("/proc") / child / "stat").find(") Z ") != std::string::npos;
  return count;
}

TEST(Programs, InWhichAForkHangsLeaveNoZombie) {
  const std::size_t before = zombies();
  {
    const auto old = session("local", "", "3.0.1");
    for (int i = 0; i < 2; ++i) (void)must(old->start(must(program::parse_case(kHangsInAFork))));
    EXPECT_EQ(old->take_decided(true).size(), 2U);
  }
  EXPECT_EQ(zombies(), before);
}

TEST(Programs, InWhichAProcessIsOnlySlowAreForgotten) {
  const auto slow = session("sound live", "sound: get takes half a second");
  const program::Case value = must(program::parse_case(
      R"({"format": 2, "program": [{"make": "sound live", "at": "f", "as": "s0"},
          {"call": "set", "on": "s0", "key": "a", "value": "a@1"},
          {"call": "get", "on": "s0", "key": "a"}]})"));
  EXPECT_FALSE(must(slow->start(value)));
  EXPECT_TRUE(slow->take_decided(true).empty());
}

bool ends_anybody(const program::Case& value) {
  return std::ranges::any_of(value.steps, [](const program::Step& step) {
    const auto* deed = std::get_if<program::Deed>(&step);
    return deed && program::ends_its_process(deed->what);
  });
}

// One worker in a hundred leaves as Python leaves; who ends so is a matter of the case.
TEST(Programs, SomeWorkersLeaveInAnOrderlyWayAndTheirEndIsJudged) {
  const auto sound = session("sound live"), deadly = session("sound live", "sound: exit kills");
  Draw draw(sound->stores());
  std::size_t ended = 0, told = 0, left = 600;
  for (; left > 0; --left) {
    const program::Case value = sound->fit(draw());
    if (ends_anybody(value)) continue;
    const PlayedProgram right = play(*sound, value), wrong = play(*deadly, value);
    for (const auto& [process, ending] : right.seen.ends) EXPECT_EQ(ending, "exit 0") << process;
    EXPECT_EQ(right.seen.ends.size(), wrong.seen.ends.size());
    ended += right.seen.ends.size();
    told += std::ranges::count(wrong.differences, "survival", &Difference::oracle);
  }
  EXPECT_GE(ended, 2U);
  EXPECT_LE(ended, 40U);
  EXPECT_GE(told, 2U);
}

TEST(Programs, ThatDeleteAboveTheirFolderLeaveTheVictimAlive) {
  const fs::path victim = scratch() / "victim";
  fs::create_directories(victim / "below");
  const auto harmful = session("zip", "arrival deletes the victim");
  program::Case value = must(program::parse_case(text_of(
      {{"format", 2},
       {"before", {{"z", {{"entries", {{{"key", "victim"}, {"value", victim.string()}}}}}}}},
       {"program",
        {{{"make", "zip"}, {"at", "z"}, {"mode", "r"}, {"as", "s0"}},
         {{"carry", "pickle 5"}, {"from", "s0"}, {"to", "p0"}, {"as", "s1"}}}}})));
  const PlayedProgram played = play(*harmful, value);
  const program::Refusal* refusal = program::refused(played.seen.steps[1].answers[0]);
  ASSERT_TRUE(refusal) << program::describe(played.seen.steps[1].answers[0]);
  EXPECT_EQ(refusal->type, "PermissionError");
  EXPECT_TRUE(fs::exists(victim / "below"));
}

TEST(Programs, OfTheNewLineOnlyTheWorkerLoadsPython) {
  const auto loads = [](const char* name) {
    return test::read_file(built_program(name)).find("libpython3") != std::string::npos;
  };
  EXPECT_TRUE(loads("storefuzz-worker"));
  EXPECT_FALSE(loads("program"));
  EXPECT_FALSE(loads("storefuzz"));
}

}  // namespace
}  // namespace storefuzz::e2e
