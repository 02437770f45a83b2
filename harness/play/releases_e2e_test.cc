// Programs in which a process has another release of zarr than the one under test.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/testing/program_runs.h"
#include "harness/wire/describe.h"

namespace storefuzz::e2e {
namespace {

// A get before the store was opened is refused by a mistake of 3.0.8 that 3.4.2 has not.
TEST(ProgramsOfTwoReleases, EachProcessHasItsOwn) {
  const auto zarr = session("all");
  const program::Case value = must(program::parse_case(
      text_of({{"format", 2},
               {"processes", {{"p1", {{"began", "spawn"}, {"subject", kOther}}}, {"p2", "fork"}}},
               {"program",
                {{{"make", "zip"}, {"at", "z"}, {"mode", "w"}, {"as", "s0"}},
                 {{"call", "get"}, {"key", "a"}, {"on", "s0"}},
                 {{"make", "zip"}, {"at", "y"}, {"mode", "w"}, {"in", "p1"}, {"as", "s1"}},
                 {{"fork", "p2"}, {"in", "p1"}},
                 {{"call", "get"}, {"key", "a"}, {"on", "s1"}},
                 {{"call", "get"}, {"key", "a"}, {"on", "s1"}, {"in", "p2"}}}}})));
  const PlayedProgram played = must(zarr->play(value));
  const auto type = [&](std::size_t step) {
    const program::Refusal* it = program::refused(played.seen.steps[step].answers[0]);
    return it ? it->type : program::describe(played.seen.steps[step].answers[0]);
  };
  EXPECT_EQ(type(1), "None");
  EXPECT_EQ(type(4), "AttributeError");
  EXPECT_EQ(type(5), "AttributeError");
  EXPECT_TRUE(played.differences.empty()) << played.differences.front().headline;
}

// What a release never had it did not lose.
TEST(ProgramsOfTwoReleases, AStoreThatTheReleaseLacksIsNoDifference) {
  const program::Case value = must(program::parse_case(
      R"({"format": 2, "program": [{"make": "cache over memory", "as": "s0"},
          {"call": "set", "key": "a", "value": "a@1", "on": "s0"}]})"));
  const auto zarr = session("memory", "", "3.0.1");
  const PlayedProgram played = must(zarr->play(value));
  EXPECT_TRUE(program::refused(played.seen.steps[0].answers[0]));
  EXPECT_TRUE(played.differences.empty()) << played.differences.front().headline;
  EXPECT_TRUE(zarr->fit(value).steps.empty());
}

TEST(ProgramsOfTwoReleases, AReleaseThatIsNotHereIsNamed) {
  Settings settings;
  settings.python = python(kNewest);
  settings.scratch = scratch();
  const auto alone = must(ProgramSession::start(settings));
  program::Case value;
  value.processes = {{.name = "p1", .subject = kOther}};
  value.steps = {program::Make{.kind = must(find_store("memory")), .in = "p1", .as = "s0"}};
  const auto played = alone->play(value);
  ASSERT_FALSE(played);
  EXPECT_EQ(played.error().code, ExitCode::kBadInput);
  EXPECT_EQ(played.error().message, "a process of the program has zarr 3.0.8, which is not here");
  // A fuzz target plays its corpus all the same.
  EXPECT_EQ(alone->fit(value).processes.front().subject, "");
  EXPECT_EQ(session("all")->fit(value).processes.front().subject, kOther);
}

// An archive that 3.0.8 wrote and closed is emptied where its pickle is used here: the state keeps
// the mode "w".
TEST(ProgramsOfTwoReleases, WhatIsLostBetweenThemIsTold) {
  const auto zarr = session("all");
  const PlayedProgram played =
      play(*zarr, corpus_program("17b-made-by-another-release-received-by-this-one.json"));
  const auto first = std::ranges::find_if(played.differences, &program::Difference::first);
  ASSERT_NE(first, played.differences.end());
  EXPECT_EQ(first->wrong, program::Wrong::kAbsent) << first->headline;
  EXPECT_EQ(first->where.handle, "s3");
}

TEST(ProgramsOfTwoReleases, OverSoundStoresShowNothing) {
  const auto sound = session(kSoundStores);
  Draw draw(sound->stores(), sound->releases());
  std::size_t crossed = 0;
  for (std::size_t left = number_from("STOREFUZZ_TEST_PROGRAMS", 800); left > 0; --left) {
    const program::Case value = sound->fit(draw());
    const PlayedProgram played = play(*sound, value);
    ASSERT_TRUE(played.differences.empty())
        << text_of(program::to_json(value), 1) << played.differences.front().headline;
    crossed += program::of_other_releases(value).empty() ? 0 : 1;
  }
  EXPECT_GT(crossed, 200U);
}

}  // namespace
}  // namespace storefuzz::e2e
