// What a control file of libFuzzer says, also where it was cut off; and which cases are chosen.
#include "harness/campaign/merge.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace storefuzz {
namespace {

const std::string kNames = "3\n0\ncases/a\ncases/b\ncases/c\n";
const std::string kFirst = "STARTED 0 12\nFT 0 16 8 24\nCOV 0\n";

TEST(ControlFile, SaysWhatEachCaseReaches) {
  const ControlFile file = read_control_file(kNames + kFirst + "STARTED 1 7\nFT 1\nCOV 1\n");
  EXPECT_EQ(file.names, (std::vector<std::string>{"cases/a", "cases/b", "cases/c"}));
  ASSERT_EQ(file.measured.size(), 2U);
  EXPECT_EQ(file.measured[0].name, "cases/a");
  EXPECT_EQ(file.measured[0].features, (std::vector<std::uint32_t>{8, 16, 24}));
  EXPECT_TRUE(file.measured[1].features.empty());
  EXPECT_EQ(file.last, "");
}

// libFuzzer takes half a line of features for a whole one, and a case that was begun for one that
// ended its process.
TEST(ControlFile, KeepsWholeRecordsAlone) {
  const std::string whole = kNames + kFirst;
  const std::string more = "STARTED 1 7\nFT 1 8 1600\nCOV 1\n";
  for (std::size_t size = 0; size < more.size(); ++size) {
    const ControlFile file = read_control_file(whole + more.substr(0, size));
    EXPECT_EQ(file.whole, whole.size()) << size;
    EXPECT_EQ(file.measured.size(), 1U) << size;
  }
  EXPECT_EQ(read_control_file(whole + "STARTED 1 7\nFT 1 8").last, "cases/b");
  EXPECT_EQ(read_control_file(whole + "STARTED 1 7\nSTARTED 2 9\n").last, "cases/c");
  for (std::size_t size = 0; size < kNames.size(); ++size)
    EXPECT_TRUE(read_control_file(kNames.substr(0, size)).names.empty()) << size;
  EXPECT_EQ(read_control_file(whole + "STARTED 9 1\nFT 9 1\nCOV 9\n").measured.size(), 1U);
}

std::vector<std::string> chosen(std::vector<Measured> all, const std::vector<std::uint32_t>& had,
                                std::size_t most = 100) {
  std::vector<std::size_t> sizes;
  for (const Measured& it : all) sizes.push_back(it.name == "large" ? 9 : 5);
  std::vector<std::string> names;
  for (const std::size_t i : choose(all, sizes, had, most)) names.push_back(all[i].name);
  return names;
}

using Names = std::vector<std::string>;

TEST(Choosing, TakesWhatReachesMostAndThenTheSmallerWhateverTheOrder) {
  std::vector<Measured> all{{"large", {1, 2}}, {"b", {1, 2}}, {"a", {3}},     {"c", {3}},
                            {"d", {1, 2, 3}},  {"e", {4, 5}}, {"nothing", {}}};
  std::ranges::sort(all, {}, &Measured::name);
  do {
    EXPECT_EQ(chosen(all, {}), (Names{"d", "e"}));
    EXPECT_EQ(chosen(all, {3}), (Names{"b", "e"}));
    EXPECT_EQ(chosen(all, {1, 2}), (Names{"e", "a"}));
    EXPECT_EQ(chosen(all, {}, 1), (Names{"d"}));
    EXPECT_EQ(chosen(all, {1, 2, 3, 4, 5}), Names{});
  } while (std::ranges::next_permutation(all, {}, &Measured::name).found);
}

}  // namespace
}  // namespace storefuzz
