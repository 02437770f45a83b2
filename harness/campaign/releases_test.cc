// The sentence about a case and its releases: where it begins and where it ends.
#include "harness/campaign/releases.h"

#include <gtest/gtest.h>

namespace storefuzz {
namespace {

// "b" bad, "g" good, "n" not applicable, "?" unknown: releases 3.0.0, 3.0.1, …
ReleaseTable table_of(std::string_view standings) {
  ReleaseTable table;
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const char c = standings[i];
    table.rows.emplace_back("3.0." + std::to_string(i), c == 'b'   ? Standing::kBad
                                                        : c == 'g' ? Standing::kGood
                                                        : c == 'n' ? Standing::kNotApplicable
                                                                   : Standing::kUnknown);
  }
  return table;
}

struct Expected {
  const char* standings;
  const char* first_bad;
  const char* last_bad;
  const char* first_good;
  const char* sentence;
};

TEST(ReleaseTable, SaysWhereItBeginsAndEnds) {
  const Expected all[] = {
      {"b", "3.0.0", "3.0.0", "", "bad in 3.0.0; no other release was played"},
      {"ggg", "", "", "", "bad in none of the releases played"},
      {"bbg", "3.0.0", "3.0.1", "3.0.2", "bad in 3.0.0 – 3.0.1, good from 3.0.2"},
      {"gbg", "3.0.1", "3.0.1", "3.0.2", "bad in 3.0.1, good from 3.0.2"},
      {"gbb", "3.0.1", "3.0.2", "", "bad in 3.0.1 – 3.0.2, still bad in the newest one played"},
      {"bgb", "3.0.0", "3.0.2", "",
       "bad in 3.0.0 – 3.0.2 (with good ones between), still bad in the newest one played"},
      {"bgbg", "3.0.0", "3.0.2", "3.0.3",
       "bad in 3.0.0 – 3.0.2 (with good ones between), good from 3.0.3"},
      {"nbg", "3.0.1", "3.0.1", "3.0.2",
       "bad in 3.0.1 (1 release cannot show it), good from 3.0.2"},
      {"b?g", "3.0.0", "3.0.0", "3.0.2", "bad in 3.0.0, good from 3.0.2"},
      {"bnb", "3.0.0", "3.0.2", "",
       "bad in 3.0.0 – 3.0.2 (1 release cannot show it), still bad in the newest one played"},
      {"", "", "", "", "no release was played"},
  };
  for (const Expected& expected : all) {
    const ReleaseTable table = table_of(expected.standings);
    EXPECT_EQ(table.first_bad(), expected.first_bad) << expected.standings;
    EXPECT_EQ(table.last_bad(), expected.last_bad) << expected.standings;
    EXPECT_EQ(table.first_good(), expected.first_good) << expected.standings;
    EXPECT_EQ(table.sentence(), expected.sentence) << expected.standings;
  }
}

TEST(ReleaseTable, WhereNothingCouldBePlayedItSaysSo) {
  EXPECT_EQ(table_of("???").sentence(), "no release was played");
}

// The newest release plays, but cannot make this store: it is neither good nor still bad.
TEST(ReleaseTable, AStoreThatCannotBeMadeAnyMoreIsNotStillBad) {
  EXPECT_EQ(table_of("bbn").sentence().find("still bad"), std::string::npos)
      << table_of("bbn").sentence();
}

TEST(ReleaseTable, ItsJsonHasTheSameWords) {
  const Json json = to_json(table_of("gbg?"));
  EXPECT_EQ(json["first_bad"], "3.0.1");
  EXPECT_EQ(json["first_good"], "3.0.2");
  EXPECT_EQ(json["table"]["3.0.3"], "unknown");
  EXPECT_EQ(json["sentence"], table_of("gbg?").sentence());
}

TEST(Standing, HasAWordEach) {
  std::set<std::string_view> words;
  for (const Standing it :
       {Standing::kGood, Standing::kBad, Standing::kNotApplicable, Standing::kUnknown})
    words.insert(name_of(it));
  EXPECT_EQ(words.size(), 4);
}

}  // namespace
}  // namespace storefuzz
