// The table and its Python lines belong together: a word without a line, or a line without a row,
// is an operation that is drawn and never asked, or asked and never drawn.
#include "harness/case/operations.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "harness/base/json.h"
#include "harness/base/paths.h"

namespace storefuzz::program {
namespace {

Json lines() {
  std::ifstream file(reference_folder() + "/operations.json");
  return Json::parse(file);
}

std::set<std::string> words_of(const Json& interface) {
  std::set<std::string> words;
  for (const auto& [word, line] : interface.items()) words.insert(word);
  return words;
}

std::set<std::string> words_on(Subject subject) {
  std::set<std::string> words;
  for (const Operation& row : operations())
    if (row.on(subject)) words.emplace(row.word);
  return words;
}

TEST(Operations, EachIsFoundByItsWordAndByItsPlace) {
  std::set<std::string_view> words;
  for (const Operation& row : operations()) {
    EXPECT_TRUE(words.insert(row.word).second) << row.word;
    EXPECT_EQ(&operation(row.op), &row);
    EXPECT_EQ(find_operation(row.word), row.op);
    EXPECT_EQ(name_of(row.op), row.word);
  }
  EXPECT_EQ(find_operation("fly"), std::nullopt);
}

TEST(Operations, EveryInterfaceSaysWhatTheTableHas) {
  const Json all = lines();
  EXPECT_EQ(words_of(all["zarr 3"]), words_on(Subject::kStore));
  EXPECT_EQ(words_of(all["zarr 3 path"]), words_on(Subject::kPath));
  EXPECT_EQ(words_of(all["array"]), words_on(Subject::kArray));
  EXPECT_EQ(words_of(all["group"]), words_on(Subject::kGroup));
  EXPECT_EQ(words_of(all).size(), 7) << "an interface that no test knows";
  for (const auto& word : words_of(all["zarr 2"]))
    EXPECT_TRUE(words_on(Subject::kStore).contains(word)) << word;
  std::set<std::string> may_lack;
  for (const Operation& row : operations())
    if (row.may_lack) may_lack.emplace(row.word);
  EXPECT_EQ(words_of(all["requires"]), may_lack);
}

// An argument that the row takes and the line does not is drawn in vain.
TEST(Operations, ALineUsesWhatItsRowTakes) {
  const Json all = lines();
  for (const Operation& row : operations())
    for (const char* interface : {"zarr 3", "zarr 3 path", "array", "group"}) {
      if (!all[interface].contains(std::string(row.word))) continue;
      const auto line = all[interface][std::string(row.word)].get<std::string>();
      const auto uses = [&](const char* name) {
        const std::string text = " " + line + " ";
        for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
          const char before = text[at - 1];
          const char after = text[at + std::string_view(name).size()];
          const auto joins = [](char c) { return isalnum(c) || c == '_' || c == '.' || c == '"'; };
          if (!joins(before) && (!joins(after) || after == '.') && after != '=') return true;
        }
        return false;
      };
      EXPECT_TRUE(uses("handle")) << line;
      EXPECT_EQ(uses("key"), row.takes.text()) << line;
      EXPECT_EQ(uses("value"), row.takes.value) << line;
      EXPECT_EQ(uses("start"), row.takes.start) << line;
      EXPECT_EQ(uses("end"), row.takes.end) << line;
      EXPECT_EQ(uses("other"), row.takes.other) << line;
      EXPECT_EQ(uses("flag"), row.takes.flag) << line;
    }
}

TEST(Operations, ThePlainestHasNoPlainer) {
  for (const Operation& row : operations()) {
    const Operation& plainer = operation(row.plainer);
    EXPECT_EQ(plainer.plainer, row.plainer) << row.word;
    EXPECT_EQ(row.subjects & ~plainer.subjects & ~operation(Op::kList).subjects &
                  ~operation(Op::kGet).subjects,
              0)
        << row.word;
    EXPECT_TRUE(!plainer.takes.value || row.takes.value) << row.word;
  }
}

TEST(Operations, OnlyWhatWritesChangesContent) {
  for (const Operation& row : operations()) {
    EXPECT_EQ(row.writes(), row.on_handle == OnHandle::kWrites) << row.word;
    EXPECT_TRUE(row.gives == Gives::kHandle || row.binds == Subject::kStore) << row.word;
  }
}

}  // namespace
}  // namespace storefuzz::program
