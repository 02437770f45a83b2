// Stores that a program names by a text: a path, a URL, the path of an archive. zarr decides what
// store that is (zarr.storage._common.make_store_path, behind every function of its interface).
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/testing/program_runs.h"
#include "harness/wire/describe.h"

namespace storefuzz::e2e {
namespace {

// A program of the corpus, as it was played.
struct Played {
  program::Case value;
  PlayedProgram of;

  std::string answer(std::size_t step, std::size_t handle = 0) const {
    return program::describe(of.seen.steps.at(step).answers.at(handle));
  }
};

Played played(ProgramSession& zarr, const std::string& name) {
  Played it{.value = corpus_program(name + ".json")};
  it.of = play(zarr, it.value);
  return it;
}

TEST(NamedStores, AreWhatZarrMakesOfTheText) {
  const auto zarr = session("all");
  const Played path = played(*zarr, "22a-a-store-named-by-its-path");
  EXPECT_EQ(path.answer(0), "<LocalStore>");
  EXPECT_EQ(path.answer(3), "<LocalStore>");
  for (const std::size_t handle : {0U, 1U, 2U}) EXPECT_EQ(path.answer(4, handle), "b\"a@1\"");
  EXPECT_TRUE(path.of.differences.empty()) << path.of.differences.front().headline;
  const Played memory = played(*zarr, "22c-a-store-named-by-a-url-of-memory");
  EXPECT_EQ(memory.answer(0), "<FsspecStore>");
  EXPECT_EQ(memory.answer(3, 1), "b\"a@1\"") << "one dictionary in a process";
  const Played archive = played(*zarr, "22d-an-archive-named-by-its-path");
  EXPECT_EQ(archive.answer(4), "b\"a@1\"") << "by a URL of fsspec";
}

// A relative path in a URL is taken for a host, and what is left of it is the directory itself; of
// an archive's path a LocalStore is made. Neither shows anything of what lies there.
TEST(NamedStores, ThatShowNothingOfWhatLiesThereAreTold) {
  const auto zarr = session("all");
  const auto first = [](const Played& it) {
    const auto found = std::ranges::find_if(it.of.differences, &program::Difference::first);
    return found == it.of.differences.end() ? std::string() : found->headline;
  };
  EXPECT_EQ(first(played(*zarr, "22b-a-store-named-by-a-relative-url")),
            "`get` of \"a\" on s1 (named url) shows as missing what is there: None, where "
            "b\"a@1\" is right");
  EXPECT_EQ(first(played(*zarr, "22d-an-archive-named-by-its-path")),
            "`make` on s2 (named zip) shows a LocalStore, where a ZipStore is right");
}

}  // namespace
}  // namespace storefuzz::e2e
