// Every program of the corpus that was written by hand is played to its end by the newest zarr. It
// is the part of the tests with workers that the sanitized build has as well.
#include "harness/testing/program_runs.h"

namespace storefuzz {
namespace {

TEST(Corpus, IsPlayedToItsEnd) {
  const auto session = e2e::session("all");
  std::size_t played = 0;
  for (const auto& entry : e2e::fs::directory_iterator(e2e::corpus_file())) {
    if (!entry.path().stem().string().contains('-')) continue;  // called by its hash
    const program::Case value = e2e::corpus_program(entry.path().filename());
    const auto seen = session->play(value);
    ASSERT_TRUE(seen) << entry.path() << ": " << seen.error().message;
    EXPECT_EQ(seen->seen.steps.size(), value.steps.size()) << entry.path();
    for (const program::Difference& it : seen->differences)
      EXPECT_NE(it.wrong, program::Wrong::kDeath) << entry.path() << ": " << it.headline;
    ++played;
  }
  EXPECT_GE(played, 40U);
}

}  // namespace
}  // namespace storefuzz
