// A folder of cases is read within bounds, and a case is told by what it says.
#include "harness/campaign/corpus_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

constexpr const char* kCase =
    R"({"format": 2, "program": [{"make": "zip", "at": "z", "mode": "w", "as": "s0"}]})";

TEST(CorpusFolder, TellsACaseByWhatItSays) {
  const test::Folder folder;
  folder.write("hand-written.json", kCase);
  folder.write("laid out", Json::parse(kCase).dump(4));
  folder.write("bytes", "\x01\x02");
  auto corpus = read_corpus(folder.path());
  ASSERT_TRUE(corpus) << corpus.error().message;
  ASSERT_EQ(corpus->cases.size(), 2U);
  EXPECT_EQ(corpus->others, 1U);
  EXPECT_EQ(corpus->skipped, 0U);
}

TEST(CorpusFolder, PassesOverWhatIsNoFileOrTooLarge) {
  const test::Folder folder;
  folder.write("case", kCase);
  folder.write("large", std::string(kMaxCaseText + 1, ' '));
  std::filesystem::create_directory(folder.path() / "folder");
  std::filesystem::create_symlink("case", folder.path() / "link");
  ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  auto corpus = read_corpus(folder.path());
  ASSERT_TRUE(corpus) << corpus.error().message;
  EXPECT_EQ(corpus->cases.size(), 1U);
  EXPECT_EQ(corpus->skipped, 4U);
}

TEST(CorpusFolder, OfARunDirectoryAreTheCasesOfItsFindingsAndWhatIsMarkedStaysMarked) {
  const test::Folder folder;
  const Json line{{"case", Json::parse(kCase)}, {"security", nullptr}};
  Json marked = line;
  marked["security"] = "the process dies";
  Json other = line;
  other["case"]["program"][0]["mode"] = "a";
  folder.write("findings.jsonl", line.dump() + "\n" + marked.dump() + "\n" + other.dump() + "\n");
  auto corpus = read_corpus(folder.path());
  ASSERT_TRUE(corpus) << corpus.error().message;
  ASSERT_EQ(corpus->cases.size(), 2U);
  EXPECT_NE(corpus->cases[0].secret, corpus->cases[1].secret);
}

TEST(CorpusFolder, ThatIsNoneIsSaid) {
  const test::Folder folder;
  auto corpus = read_corpus(folder.write("file", ""));
  ASSERT_FALSE(corpus);
  EXPECT_NE(corpus.error().message.find("is no folder"), std::string::npos);
}

}  // namespace
}  // namespace storefuzz
