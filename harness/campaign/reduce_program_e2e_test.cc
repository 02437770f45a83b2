// Programs reduced with real zarr: the journey goes where it is not needed, and stays where it is.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "harness/campaign/reduce_program.h"
#include "harness/findings/finding.h"
#include "harness/testing/program_runs.h"

namespace storefuzz::e2e {
namespace {

ReducedProgram reduced(const std::string& release, const std::string& program) {
  Settings settings;
  settings.python = python(release);
  settings.scratch = scratch() / "reduced";
  fs::create_directories(settings.scratch);
  const auto session = must(ProgramSession::start(settings));
  return must(reduce_program(*session, must(program::parse_case(program)), {.budget = kPatient}));
}

// zarr names an entry of an archive twice, in any process: the child and its pickle are not needed.
TEST(ReducedPrograms, HaveNoJourneyWhereNoneIsNeeded) {
  const ReducedProgram small = reduced(kNewest, R"({"format": 2,
    "processes": {"p1": "spawn", "p2": "fork"}, "program": [
    {"make": "logging over zip", "at": "z", "mode": "a", "as": "s0"},
    {"call": "set", "on": "s0", "key": "c/c/0", "value": "c/c/0@1"},
    {"call": "set", "on": "s0", "key": "c/c/0", "value": {"word": "c/c/0@2", "size": 9000}},
    {"call": "close", "on": "s0"},
    {"fork": "p2"},
    {"carry": "pickle 2", "from": "s0", "to": "p1", "as": "s1"},
    {"call": "state", "on": "s1"},
    {"call": "list", "on": "s1"}]})");
  EXPECT_EQ(small.cause.key, "listing / twice / list on zip / a name written twice");
  EXPECT_EQ(small.cause.severity, 2);
  EXPECT_FALSE(small.cause.journey);
  EXPECT_TRUE(small.value.processes.empty()) << program::to_text(small.value);
  EXPECT_LE(small.value.steps.size(), 5U) << program::to_text(small.value);
}

// The defect this project was born from: `_read_only` is gone after any pickle.
TEST(ReducedPrograms, KeepTheJourneyThatLosesReadOnly) {
  const ReducedProgram small = reduced("3.0.1", R"({"format": 2, "processes": {"p1": "spawn"},
    "before": {"z": {"entries": [{"key": "a", "value": "a@0"}, {"key": "b", "value": "b@0"}]}},
    "program": [
    {"make": "zip", "at": "z", "mode": "r", "as": "s0"},
    {"call": "state", "on": "s0"},
    {"carry": "pickle 4", "from": "s0", "to": "p1", "as": "s1"},
    {"call": "read only", "on": ["s0", "s1"]}]})");
  EXPECT_TRUE(small.cause.journey) << small.cause.key;
  EXPECT_EQ(small.cause.severity, 5) << small.cause.key;
  EXPECT_LE(small.value.steps.size(), 3U) << program::to_text(small.value);
}

// What findings of drawn programs come to, where a loss is planted: one root.
std::set<std::string> causes_of_loss(const std::string& loss, const Json& row) {
  constexpr std::size_t kMostFindings = 12;
  const auto planted = session(row["store"], loss);
  Draw draw(planted->stores());
  std::set<std::string> seen, causes;
  for (int left = row.value("programs", 300); left > 0 && seen.size() < kMostFindings; --left) {
    const program::Case value = planted->fit(draw());
    for (const Finding& found : findings_of(value, must(planted->play(value)).differences)) {
      if (found.question || !seen.insert(found.key).second) continue;
      const auto small = reduce_program(*planted, value, {.of_class = found.of_class});
      if (small) causes.insert(small->cause.key);
    }
  }
  return causes;
}

TEST(ReducedPrograms, OfOneRootHaveFewCausesAndNoneOfTwoRoots) {
  const Json table = read_json(fs::path(reference_folder()) / "planted" / "sound_losses.json");
  std::map<std::string, std::string> roots;
  std::vector<std::size_t> counts;
  for (const std::string name :
       {"listing names twice", "missing key raises IndexError", "a write is torn",
        "read-only is ignored", "present key is refused", "presence is turned round",
        "a close forgets"}) {
    const std::string loss = "sound: " + name;
    const std::set<std::string> causes = causes_of_loss(loss, table["losses"][loss]);
    EXPECT_FALSE(causes.empty()) << loss;
    counts.push_back(causes.size());
    EXPECT_LE(causes.size(), 3U) << loss << ":\n" << fmt::format("{}", fmt::join(causes, "\n"));
    for (const std::string& cause : causes)
      EXPECT_TRUE(roots.emplace(cause, loss).second) << loss << " and " << roots[cause] << cause;
  }
  std::ranges::sort(counts);
  EXPECT_EQ(counts[counts.size() / 2], 1U) << fmt::format("{}", fmt::join(counts, ", "));
}

// 14 methods of 3.0.1 ask for a lock that is made when the store is opened.
TEST(ReducedPrograms, OfAMissingAttributeComeToOneCause) {
  const char* kOperations[] = {R"({"call": "get", "on": "s0", "key": "a"})",
                               R"({"call": "set", "on": "s0", "key": "b", "value": "b@2"})",
                               R"({"call": "list", "on": "s0"})",
                               R"({"call": "delete", "on": "s0", "key": "a"})"};
  for (const char* operation : kOperations) {
    const std::string make = R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"}, )";
    EXPECT_EQ(reduced("3.0.1", R"({"format": 2, "program": [)" + make + operation + "]}").cause.key,
              "'ZipStore' object has no attribute 'lock'");
  }
}

// A fork waits for a thread that it has not, whichever store and operation asks for it.
TEST(ReducedPrograms, OfAHangInAForkComeToOneCause) {
  const std::string begin = R"({"format": 2, "processes": {"p1": "fork"}, "program": [)";
  const auto key_of = [&](const std::string& steps) {
    return reduced("3.0.1", begin + steps + "]}").cause.key;
  };
  const std::string one = key_of(R"({"make": "local", "at": "f", "as": "s0"}, {"fork": "p1"},
      {"call": "delete", "key": "a", "on": "s0", "in": "p1", "by": "sync"})");
  EXPECT_EQ(one, key_of(R"({"make": "memory", "as": "s0"}, {"fork": "p1"},
      {"call": "create array", "key": "a", "on": "s0", "in": "p1"})"));
  EXPECT_NE(one.find("in zarr/core/sync.py:sync"), std::string::npos) << one;
}

TEST(ReducedPrograms, AreRefusedWhereNothingDiffers) {
  Settings settings;
  settings.python = python(kNewest);
  settings.scratch = scratch() / "reduced";
  fs::create_directories(settings.scratch);
  const auto session = must(ProgramSession::start(settings));
  const auto small = reduce_program(
      *session, must(program::parse_case(R"({"format": 2, "program": [{"make": "memory",
                                             "as": "s0"}]})")),
      {.budget = kPatient});
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().code, ExitCode::kBadInput);
}

}  // namespace
}  // namespace storefuzz::e2e
