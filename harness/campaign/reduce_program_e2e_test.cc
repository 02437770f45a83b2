// Programs reduced with real zarr: the journey goes where it is not needed, and stays where it is.
#include <gtest/gtest.h>

#include "harness/campaign/reduce_program.h"
#include "harness/testing/whole_runs.h"

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
  EXPECT_EQ(small.cause.key, "listing / twice / list on zip");
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
