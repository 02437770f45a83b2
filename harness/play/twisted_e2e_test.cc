// Programs over archives that are wrong on purpose.
#include <gtest/gtest.h>

#include "harness/testing/program_runs.h"
#include "harness/wire/describe.h"
#include "harness/zip/twists.h"

namespace storefuzz::e2e {
namespace {

// A drawn program with this twist in each of its archives.
program::Case twisted(program::Case value, const TwistKind& kind, std::uint32_t amount) {
  for (const program::Step& step : value.steps)
    if (const auto* make = std::get_if<program::Make>(&step);
        make && make->around.empty() && make->kind->medium == Medium::kZip) {
      auto place = std::ranges::find(value.before, make->at, &program::Place::name);
      if (place == value.before.end())
        place = value.before.insert(place, program::Place{.name = make->at});
      if (place->entries.empty()) place->entries = {{"a", {"a@0"}}, {"a/b", {"a/b@0"}}};
      place->twists = {{.name = std::string(kind.name), .entry = amount, .amount = amount}};
    }
  program::fit(value);
  return value;
}

// Whatever is wrong with an archive: a store that reads it as it can, and writes it whole, is never
// told of.
TEST(TwistedPrograms, OverSoundStoresShowNothing) {
  const auto sound = session("sound archive,sound truncating");
  Draw draw(sound->stores());
  for (std::size_t left = number_from("STOREFUZZ_TEST_PROGRAMS", 1000); left > 0; --left) {
    const TwistKind& kind = all_twists()[left % all_twists().size()];
    if (kind.heavy) continue;
    const program::Case value =
        sound->fit(twisted(draw(), kind, static_cast<std::uint32_t>(left / all_twists().size())));
    const PlayedProgram played = play(*sound, value);
    ASSERT_TRUE(played.differences.empty())
        << text_of(program::to_json(value), 1) << played.differences.front().headline;
  }
}

// A program of the corpus: what zarr says of a wrong archive, and of a rare form.
TEST(TwistedPrograms, AreReadAsTheyCanBe) {
  const auto zarr = session("all");
  const auto played = [&](const std::string& name) {
    return play(*zarr, corpus_program(name + ".json"));
  };
  const PlayedProgram wrong = played("19a-an-archive-that-is-wrong-on-purpose");
  EXPECT_EQ(program::describe(wrong.seen.steps[3].answers[0]), "b\"a@0\"");
  for (const program::Answer& answer : wrong.seen.steps[4].answers) {
    ASSERT_TRUE(program::refused(answer));
    EXPECT_EQ(program::refused(answer)->type, "BadZipFile");
  }
  EXPECT_TRUE(wrong.differences.empty());
  const PlayedProgram rare = played("19b-an-archive-of-a-rare-form");
  EXPECT_EQ(program::describe(rare.seen.steps[4].answers[0]), R"(["a", "b", "c"])");
  EXPECT_TRUE(rare.differences.empty());
}

// Bytes of a rare form are ours, also where a store has appended to them: a reader that has its own
// way with such a form tells nothing of the store.
TEST(TwistedPrograms, OfARareFormAreNotReadByOthersOnceWritten) {
  const auto zarr = session("zip");
  const program::Case value = must(program::parse_case(
      R"({"format": 2, "before": {"z": {"entries": [{"key": "a", "value": "a@0"}],
          "twists": [{"name": "data descriptor", "entry": 0, "amount": 1}]}}, "program": [
          {"make": "zip", "at": "z", "mode": "a", "as": "s0"},
          {"call": "set", "on": "s0", "key": "b", "value": "b@1"},
          {"call": "close", "on": "s0"}]})"));
  const PlayedProgram played = must(zarr->play(value, Effort::kAll));
  EXPECT_TRUE(played.differences.empty()) << played.differences.front().headline;
}

}  // namespace
}  // namespace storefuzz::e2e
