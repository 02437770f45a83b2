// Scripts of programs that were reduced with real workers: each shows its difference in a fresh
// interpreter of the subject that has it, and says "gone" in one that has not.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "harness/base/python_text.h"
#include "harness/campaign/confirm.h"
#include "harness/campaign/reduce_program.h"
#include "harness/findings/script.h"
#include "harness/testing/program_runs.h"

namespace storefuzz::e2e {
namespace {

constexpr Milliseconds kReduces{8'000};  // one program; what is left then is small enough

std::string written(const ReducedProgram& small, const std::string& release) {
  return must(program::write_script(small.value, small.difference, small.seen,
                                    {.release = release, .reference = reference_folder()}));
}

// A script in a folder of its own, with the sound stores beside it.
class Script {
 public:
  explicit Script(const std::string& text) : text_(text) {
    fs::create_directories(folder_.path());
    folder_.write("repro.py", text);
    fs::copy_file(reference_folder() + "/planted/sound.py", folder_.path() / "sound.py");
  }

  Confirmed run(const std::string& python, const std::string& headline,
                const std::string& planted = "") const {
    return must(confirm(folder_.path() / "repro.py", headline,
                        {.python = python, .scratch = scratch(), .planted = planted}));
  }

  bool fits() const {
    std::istringstream lines(text_);
    std::size_t count = 0, longest = 0;
    for (std::string line; std::getline(lines, line); ++count)
      longest = std::max(longest, line.size());
    return count <= program::kMostScriptLines && longest <= program::kScriptWidth;
  }

 private:
  std::string text_;
  test::Folder folder_;
};

// The same script over sound stores, whose constructors are called alike.
std::string with_sound_stores(std::string text) {
  for (const auto& [from, to] :
       {std::pair<std::string, std::string>{"zarr.storage.ZipStore(", "sound.Archive("},
        {"zarr.storage.LocalStore(", "sound.Live("},
        {"zarr.storage.MemoryStore(", "sound.Copied("}})
    for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  const std::size_t at = text.find("import zarr.storage\n");
  return at == text.npos ? "import sound\n" + text : text.replace(at, 19, "import sound");
}

void expect_gone(const Confirmed& run, const std::string& text) {
  EXPECT_EQ(run.exit_code, 0) << text << run.output;
  EXPECT_NE(run.output.find("gone"), std::string::npos) << run.output;
}

// --- programs of the corpus

class CorpusScripts : public testing::TestWithParam<std::string> {};

TEST_P(CorpusScripts, ShowTheirDifferenceAndAreGoneWithASoundStore) {
  static const auto all = session("all");
  const auto small = reduce_program(*all, corpus_program(GetParam()), {.budget = kReduces});
  ASSERT_TRUE(small) << small.error().message;
  const std::string text = written(*small, kNewest);
  const Script script(text);
  EXPECT_TRUE(script.fits()) << text;
  const Confirmed bad = script.run(python(kNewest), small->difference.headline);
  EXPECT_TRUE(bad.confirmed) << text << bad.why << bad.output;
  const std::string sound = with_sound_stores(text);
  if (sound.find("zarr.storage.") == sound.npos)
    expect_gone(Script(sound).run(python(kNewest), small->difference.headline), sound);
}

INSTANTIATE_TEST_SUITE_P(Programs, CorpusScripts,
                         testing::Values("03-two-append-to-one-archive.json",
                                         "06b-crash-states-of-an-overwritten-file.json",
                                         "18d-by-http-without-ranges.json",
                                         "22b-a-store-named-by-a-relative-url.json",
                                         "22c-a-store-named-by-a-url-of-memory.json",
                                         "22d-an-archive-named-by-its-path.json"),
                         [](const auto& it) { return test_name(it.param); });

// --- questions, and what only readers tell

class PageScripts : public testing::TestWithParam<std::string> {};

TEST_P(PageScripts, ShowTheirDifference) {
  static const auto all = session("all");
  const fs::path file = fs::path(source_folder()) / "corpus" / "regressions" / GetParam();
  const auto value = must(program::parse_case(test::read_file(file)));
  const auto small = reduce_program(*all, value, {.questions = true, .budget = kReduces});
  ASSERT_TRUE(small) << small.error().message;
  const std::string text = written(*small, kNewest);
  const Script script(text);
  EXPECT_TRUE(script.fits()) << text;
  const Confirmed bad = script.run(python(kNewest), small->difference.headline);
  EXPECT_TRUE(bad.confirmed) << text << bad.why << bad.output;
}

INSTANTIATE_TEST_SUITE_P(Programs, PageScripts,
                         testing::Values("ranges-disagree-range.json", "set-of-no-buffer-set.json",
                                         "zip-empty-key-index-error.json",
                                         "objectstore-list-dir-twice.json",
                                         "logging-silent-elsewhere.json",
                                         "zip-end-record-in-comment.json",
                                         "zip-overwritten-key-read-differently.json"),
                         [](const auto& it) { return test_name(it.param); });

// At an earlier moment an older value is shown rightly: what was seen alone is the defect.
TEST(CrashScripts, LookForTheRefusalThatWasSeen) {
  const auto all = session("all");
  const program::Case value = must(program::parse_case(
      test::read_file(source_folder() + "/corpus/regressions/zip-killed-while-appending.json")));
  PlayedProgram played = play(*all, value);
  const auto within = std::ranges::find_if(played.differences, &program::Difference::within);
  ASSERT_NE(within, played.differences.end());
  // As where the value lies there for some readers, and is refused by zarr's.
  program::CrashState& state = played.seen.steps[within->where.step].crash_states.front();
  state.disk.content = {{"a", "a@0"}};
  state.read = {{"a", program::Refusal{"BadZipFile", "", ""}}};
  within->wrong = program::Wrong::kLost;
  within->where.key = "a";
  within->should_be = "b\"a@0\"";
  within->seen = "BadZipFile";
  const ReducedProgram whole{.value = value, .difference = *within, .seen = std::move(played.seen)};
  const std::string text = written(whole, kNewest);
  EXPECT_NE(text.find("defect = str(seen).startswith(\"raised BadZipFile:\")"), text.npos) << text;
}

// Stores that agree are no question.
TEST(QuestionScripts, AreGoneWhereStoresAgree) {
  const auto all = session("memory,object memory");
  const auto value = must(program::parse_case(R"({"format": 2, "program": [
      {"make": "memory", "as": "s0"},
      {"call": "get range", "on": "s0", "key": "a", "start": 0, "end": 0}]})"));
  const auto small = must(reduce_program(*all, value, {.questions = true, .budget = kReduces}));
  const std::string text = written(small, kNewest);
  const std::string other = "zarr.storage.ObjectStore(obstore.store.MemoryStore())";
  ASSERT_NE(text.find(other), std::string::npos) << text;
  EXPECT_TRUE(Script(text).run(python(kNewest), small.difference.headline).confirmed) << text;
  const std::string alike = fill(text, {{other, "zarr.storage.MemoryStore()"}});
  expect_gone(Script(alike).run(python(kNewest), small.difference.headline), alike);
}

// --- planted losses

bool makes_sound_ones(const program::Case& value) {
  return std::ranges::all_of(value.steps, [](const program::Step& step) {
    const auto* make = std::get_if<program::Make>(&step);
    return !make || innermost(make->kind)->kind.starts_with("sound ");
  });
}

// The first program that shows the loss, reduced: to a sound store, for zarr's may have such a
// loss as well.
std::optional<ReducedProgram> first_with(const std::string& loss, const Json& row) {
  const auto planted = session(row["store"], loss);
  Draw draw(planted->stores());
  for (int left = row.value("programs", 300); left > 0; --left) {
    const program::Case value = planted->fit(draw());
    if (std::ranges::any_of(play(*planted, value).differences, &program::Difference::first))
      if (auto small = reduce_program(*planted, value, {.budget = kReduces});
          small && makes_sound_ones(small->value))
        return std::move(*small);
  }
  return std::nullopt;
}

class PlantedScripts : public testing::TestWithParam<std::string> {};

TEST_P(PlantedScripts, ShowTheLossAndAreGoneWithoutIt) {
  const std::string loss = "sound: " + GetParam();
  const Json table = read_json(fs::path(reference_folder()) / "planted" / "sound_losses.json");
  const auto small = first_with(loss, table["losses"][loss]);
  ASSERT_TRUE(small) << loss;
  const std::string text = written(*small, kNewest);
  const Script script(text);
  EXPECT_TRUE(script.fits()) << text;
  const Confirmed bad = script.run(python(kNewest), small->difference.headline, loss);
  EXPECT_TRUE(bad.confirmed) << text << bad.why << bad.output;
  expect_gone(script.run(python(kNewest), small->difference.headline), text);
}

// Those that a script can show: not what only other stores or readers tell.
INSTANTIATE_TEST_SUITE_P(
    Losses, PlantedScripts,
    testing::Values("state drops read_only", "arrival adds an attribute", "a copy has another name",
                    "copies are not equal", "last byte is lost", "listing names twice",
                    "read-only is ignored", "missing key raises IndexError",
                    "presence is turned round", "present key is refused", "a close forgets",
                    "reading writes", "a file beside the place", "a file stays open",
                    "unpickling never ends", "unpickling kills", "packing closes the sender",
                    "a deleted archive is seen at times"),
    [](const auto& it) { return test_name(it.param); });

// Not reduced: of the one, what another program left in its worker would be enough; the other goes
// over to a store of zarr's that has the same loss.
struct Whole {
  const char* loss;
  const char* program;
};

class WholeScripts : public testing::TestWithParam<Whole> {};

TEST_P(WholeScripts, ShowTheLossAndAreGoneWithoutIt) {
  const std::string loss = GetParam().loss;
  const auto planted = session("sound live", loss);
  ReducedProgram whole{.value = must(program::parse_case(GetParam().program))};
  PlayedProgram played = play(*planted, whole.value);
  ASSERT_FALSE(played.differences.empty());
  whole.difference = played.differences.front();
  whole.seen = std::move(played.seen);
  const std::string text = written(whole, kNewest);
  const Script script(text);
  const Confirmed bad = script.run(python(kNewest), whole.difference.headline, loss);
  EXPECT_TRUE(bad.confirmed) << text << bad.why << bad.output;
  expect_gone(script.run(python(kNewest), whole.difference.headline), text);
}

INSTANTIATE_TEST_SUITE_P(
    Losses, WholeScripts,
    testing::Values(Whole{"sound: exit kills", R"({"format": 2, "program": [
                          {"make": "sound live", "at": "d", "as": "s0"},
                          {"do": "exit", "in": "p0"}]})"},
                    Whole{"sound: exit kills", R"({"format": 2, "processes": {"p1": "spawn"},
                          "program": [{"make": "sound live", "at": "d", "in": "p1", "as": "s0"},
                          {"call": "set", "on": "s0", "key": "a", "value": "a@1"},
                          {"do": "exit", "in": "p1"}]})"},
                    Whole{"sound: exit kills", R"({"format": 2, "processes": {"p1": "fork"},
                          "program": [{"fork": "p1"},
                          {"make": "sound live", "at": "d", "in": "p1", "as": "s0"},
                          {"call": "set", "on": "s0", "key": "a", "value": "a@1"},
                          {"do": "exit", "in": "p1"}]})"},
                    Whole{"sound: a write is torn",
                          R"({"format": 2,
                          "before": {"d": {"entries": [{"key": "a", "value": "a@0"}]}}, "program": [
                          {"make": "sound live", "at": "d", "as": "s0"},
                          {"call": "set", "on": "s0", "key": "a", "watched": true,
                           "value": {"word": "a@1", "size": 9000}}]})"},
                    Whole{"sound: a write is torn",
                          R"({"format": 2, "processes": {"p1": "spawn"},
                          "before": {"d": {"entries": [{"key": "a", "value": "a@0"}]}}, "program": [
                          {"make": "sound live", "at": "d", "as": "s0"},
                          {"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s1"},
                          {"call": "set", "on": "s1", "key": "a", "watched": true,
                           "value": {"word": "a@1", "size": 9000}}]})"}),
    [](const auto& it) { return test_name(it.param.loss) + "_" + std::to_string(it.index); });

// --- releases

struct Mended {
  const char* name;
  const char* bad;
  const char* good;
  const char* program;
};

class MendedScripts : public testing::TestWithParam<Mended> {};

TEST_P(MendedScripts, AreGoneInTheFirstGoodRelease) {
  const auto bad = session("zip,local,memory", "", GetParam().bad);
  const auto small =
      reduce_program(*bad, must(program::parse_case(GetParam().program)), {.budget = kReduces});
  ASSERT_TRUE(small) << small.error().message;
  const std::string text = written(*small, GetParam().bad);
  const Script script(text);
  EXPECT_TRUE(script.fits()) << text;
  const Confirmed shown = script.run(python(GetParam().bad), small->difference.headline);
  EXPECT_TRUE(shown.confirmed) << text << shown.why << shown.output;
  expect_gone(script.run(python(GetParam().good), small->difference.headline), text);
}

INSTANTIATE_TEST_SUITE_P(
    Releases, MendedScripts,
    testing::Values(Mended{"ReadOnlyIsLost", "3.0.1", "3.0.2",
                           R"({"format": 2, "processes": {"p1": "spawn"},
                   "before": {"z": {"entries": [{"key": "a", "value": "a@0"}]}}, "program": [
                   {"make": "zip", "at": "z", "mode": "r", "as": "s0"},
                   {"call": "state", "on": "s0"},
                   {"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s1"},
                   {"call": "read only", "on": ["s0", "s1"]}]})"},
                    Mended{"AForkHangs", "3.0.2", "3.0.3",
                           R"({"format": 2, "processes": {"p1": "fork"},
                   "before": {"d": {"entries": [{"key": "a", "value": "a@0"}]}}, "program": [
                   {"make": "local", "at": "d", "as": "s0"},
                   {"call": "get", "on": "s0", "key": "a", "by": "sync"},
                   {"fork": "p1"},
                   {"call": "get", "on": "s0", "in": "p1", "key": "a", "by": "sync"}]})"},
                    Mended{"ACopyEmptiesItsArchive", "3.4.1", "3.4.2",
                           R"({"format": 2, "processes": {"p1": "spawn"}, "program": [
                   {"make": "zip", "at": "z", "mode": "w", "as": "s0"},
                   {"call": "set", "on": "s0", "key": "a", "value": "a@1"},
                   {"call": "close", "on": "s0"},
                   {"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s1"},
                   {"call": "list", "on": "s1"}]})"}),
    [](const auto& it) { return it.param.name; });

}  // namespace
}  // namespace storefuzz::e2e
