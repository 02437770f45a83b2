// A quirk takes out exactly the differences it names; a broken or vague list is refused.
#include "harness/findings/program_quirks.h"

#include <gtest/gtest.h>

#include "harness/base/paths.h"
#include "harness/testing/shared.h"

namespace storefuzz::program {
namespace {

const Json kQuirk{{"id", "files stay home"},
                  {"stores", {"zip file", "object memory"}},
                  {"operations", {"pickle 5", "copy"}},
                  {"argument", "plain"},
                  {"oracle", "refusal"},
                  {"class", "refused"},
                  {"error", "TypeError"},
                  {"first", "3.0.3"},
                  {"last", "3.4.1"},
                  {"reason", "files cannot travel"},
                  {"link", "https://example.org"},
                  {"example", "x.json"}};

Json changed(const char* member, const Json& value) {
  Json quirk = kQuirk;
  quirk[member] = value;
  return quirk;
}

Result<std::vector<Quirk>> load(const Json& quirk) {
  const test::Folder folder;
  return load_quirks(folder.write("quirks.json", Json{{"quirks", {quirk}}}.dump()));
}

Case case_of(const std::string& store) {
  return parse_case(R"({"format":2,"program":[{"make":")" + store +
                    R"(","at":"z","as":"s0"},{"carry":"pickle 5","from":"s0","as":"s1"}]})")
      .value();
}

Difference found() {
  Difference it{.wrong = Wrong::kRefused, .was = Refusal{"TypeError", "", ""}, .first = true};
  it.where = {.step = 1, .handle = "s0", .operation = "pickle 5", .place = "z"};
  it.where.argument = "plain";
  it.oracle = "refusal";
  return it;
}

bool takes(const Json& quirk, const Difference& difference, const std::string& store = "zip file",
           const std::string& release = "3.4.1") {
  const auto quirks = load(quirk);
  if (!quirks) ADD_FAILURE() << quirks.error().message;
  std::vector<Difference> differences{difference};
  const auto taken = take_out(quirks.value(), case_of(store), release, differences);
  EXPECT_EQ(taken.size(), 1 - differences.size());
  return differences.empty();
}

TEST(ProgramQuirks, TakeOutExactlyWhatTheyName) {
  EXPECT_TRUE(takes(kQuirk, found()));
  EXPECT_TRUE(takes(kQuirk, found(), "logging over zip file"));
  EXPECT_FALSE(takes(kQuirk, found(), "zip"));
  EXPECT_FALSE(takes(kQuirk, found(), "zip file", "3.0.2"));
  EXPECT_FALSE(takes(kQuirk, found(), "zip file", "3.4.2"));
  const std::pair<const char*, std::function<void(Difference&)>> others[] = {
      {"operation", [](Difference& it) { it.where.operation = "pickle 4"; }},
      {"argument", [](Difference& it) { it.where.argument = "edge"; }},
      {"oracle", [](Difference& it) { it.oracle = "reads"; }},
      {"class", [](Difference& it) { it.wrong = Wrong::kUnfittingType; }},
      {"error", [](Difference& it) { it.was = Refusal{"OSError", "", ""}; }},
      {"no refusal", [](Difference& it) { it.was = Shown{None{}}; }},
      {"no handle", [](Difference& it) { it.where.handle = ""; }},
  };
  for (const auto& [what, change] : others) {
    Difference other = found();
    change(other);
    EXPECT_FALSE(takes(kQuirk, other)) << what;
  }
}

// What is right hides nothing that is wrong.
TEST(ProgramQuirks, LeaveTheNextOfTheirPlaceAsTheFirst) {
  const auto quirks = load(kQuirk).value();
  Difference elsewhere = found(), next = found();
  elsewhere.where.operation = next.where.operation = "get";
  elsewhere.where.place = "y";
  elsewhere.first = next.first = false;
  std::vector<Difference> differences{found(), elsewhere, next};
  EXPECT_EQ(take_out(quirks, case_of("zip file"), "3.4.1", differences),
            std::vector<std::string>{"files stay home"});
  ASSERT_EQ(differences.size(), 2U);
  EXPECT_FALSE(differences[0].first);
  EXPECT_TRUE(differences[1].first);
}

TEST(ProgramQuirks, AWordThatNamesNothingIsRefused) {
  ASSERT_TRUE(load(kQuirk).has_value());
  for (const char* member : {"argument", "oracle", "class"})
    for (const char* word : {"*", "", "x"})
      EXPECT_FALSE(load(changed(member, word)).has_value()) << member << word;
  for (const char* member : {"stores", "operations"})
    for (const Json& words : {Json::array(), Json{"*"}, Json{"zip", "zipp"}, Json("zip")})
      EXPECT_FALSE(load(changed(member, words)).has_value()) << member << words;
  EXPECT_FALSE(load(changed("lsat", "3.0.1")).has_value()) << "a member nobody asked for";
  for (const auto& [member, value] : kQuirk.items()) {
    Json quirk = kQuirk;
    quirk.erase(member);
    const bool optional = member == "first" || member == "last" || member == "error";
    const auto list = load(quirk);
    EXPECT_EQ(list.has_value(), optional) << member;
    if (!list) {
      EXPECT_EQ(list.error().code, ExitCode::kBadInput);
      EXPECT_NE(list.error().message.find(member), std::string::npos);
    }
  }
}

TEST(ProgramQuirks, OursHaveExamplesAndLinks) {
  const auto quirks = load_quirks(source_folder() + "/reference/program_quirks.json");
  ASSERT_TRUE(quirks.has_value()) << quirks.error().message;
  for (const Quirk& quirk : *quirks) {
    EXPECT_TRUE(quirk.link.starts_with("https://")) << quirk.id;
    EXPECT_TRUE(std::filesystem::exists(source_folder() + "/corpus/program/" + quirk.example))
        << quirk.id;
  }
}

}  // namespace
}  // namespace storefuzz::program
