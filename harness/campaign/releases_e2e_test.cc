// From which release on to which one a program shows its defect, with real releases.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/campaign/releases.h"
#include "harness/findings/cause.h"
#include "harness/testing/program_runs.h"

namespace storefuzz {
namespace {

TEST(BisectReleases, AskTheNewestFirstAndFindWhereItIsMended) {
  const std::string file = source_folder() + "/corpus/regressions/zip_read_only_lost.json";
  const Asked asked{.value = e2e::must(program::parse_case(test::read_file(file))),
                    .of_class = "",
                    .cause = "the loss of _read_only"};
  std::vector<PlayedRelease> releases;
  for (const char* release : {"3.0.1", "3.0.2", "3.0.3", "3.4.1", "3.4.2"})
    releases.push_back({release, {.zarr = release}});
  std::vector<std::string> played;
  const auto tables = e2e::must(bisect_releases(
      {asked}, releases, "3.0.1",
      {.scratch = e2e::scratch(), .jobs = 1, .progress = [&](std::string_view release) {
         played.emplace_back(release);
       }}));
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].last_bad(), "3.0.1");
  EXPECT_EQ(tables[0].first_good(), "3.0.2");
  ASSERT_FALSE(played.empty());
  EXPECT_EQ(played.front(), "3.4.2");
  EXPECT_LT(played.size(), releases.size()) << "not all of them";

  // A checkout may carry the number of a release, and is none: what it shows is not said of that.
  const auto of_a_checkout =
      e2e::must(bisect_releases({asked}, releases, "", {.scratch = e2e::scratch(), .jobs = 1}));
  EXPECT_EQ(of_a_checkout[0].rows.back(), std::pair(std::string("3.4.2"), Standing::kGood));
}

// A store of fsspec says of a key that it is a prefix; a MemoryStore does not.
TEST(Stand, OfAQuestionIsBadWhereItsClassIsNamed) {
  const std::string file =
      source_folder() + "/corpus/regressions/fsspec-key-is-a-prefix-is-empty.json";
  Asked asked{.value = e2e::must(program::parse_case(test::read_file(file)))};
  const auto zarr = e2e::session("all");
  EXPECT_EQ(stand(*zarr, asked), Standing::kGood);
  const PlayedProgram played = e2e::must(zarr->play(asked.value, Effort::kAll));
  const auto question = std::ranges::find_if(played.differences, &program::Difference::question);
  ASSERT_NE(question, played.differences.end());
  asked.of_class = program::class_of(asked.value, *question);
  EXPECT_EQ(stand(*zarr, asked), Standing::kBad);
}

}  // namespace
}  // namespace storefuzz
