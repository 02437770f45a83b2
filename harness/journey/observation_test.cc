// Answers survive their JSON form, and a description is one short line.
#include "harness/journey/observation.h"

#include <gtest/gtest.h>

#include "harness/base/text.h"
#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

TEST(Answer, EveryKindComesBackFromJson) {
  for (const Answer& answer :
       {Answer{}, Answer{Shown{Json{{"bytes", "x"}}}}, Answer{Shown{nullptr}},
        Answer{test::refusal("AttributeError", "_lock")}, Answer{Crashed{"SIGSEGV", "stacks"}},
        Answer{TimedOut{"stacks"}}})
    EXPECT_EQ(answer_from_json(to_json(answer)), answer) << to_json(answer);
}

TEST(Answer, WhatIsNoAnswerIsAbsent) {
  for (const char* text :
       {"null", "[]", "7", "\"shown\"", "{}", R"({"answer": 7})", R"({"answer": "maybe"})"})
    EXPECT_EQ(answer_from_json(Json::parse(text)), Answer{}) << text;
}

TEST(Answer, ADescriptionIsShort) {
  EXPECT_EQ(describe(Shown{3}), "shown 3");
  EXPECT_EQ(describe(Crashed{"SIGSEGV", ""}), "crashed: SIGSEGV");
  EXPECT_EQ(describe(test::refusal("KeyError")), "refused KeyError: no");
  for (const Answer& answer :
       {Answer{Shown{std::string(1000, 'x')}}, Answer{Shown{std::string("\xff")}},
        Answer{Refused{.type = "E", .text = std::string(1000, 'x')}}})
    EXPECT_LE(describe(answer).size(), 160);
}

// Cut in the middle of a character, it could not be shown.
TEST(Answer, ADescriptionIsValidUtf8) {
  for (std::size_t before = 0; before < 4; ++before) {
    std::string text(before, 'x');
    for (int i = 0; i < 100; ++i) text += "\u20ac";
    EXPECT_NO_THROW(std::ignore = Json(describe(Shown{text})).dump()) << before;
  }
}

TEST(Observations, OfEveryCaseCanBeWritten) {
  for (unsigned seed = 0; seed < 300; ++seed)
    EXPECT_FALSE(to_json(test::sound_observations(test::random_case(seed))).dump().empty());
  EXPECT_FALSE(to_json(Observations{}).dump().empty());
}

TEST(View, WhatSideWritesIsRead) {
  View view;
  read_view(Json::parse(R"({"received": {"answer": "shown", "value": null},
      "state": {"read_only": {"answer": "shown", "value": true}},
      "looks": [{"answer": "refused", "type": "KeyError", "text": "a", "kinds": ["KeyError"]}],
      "equality": {"copy == store": {"answer": "shown", "value": true}},
      "left": {"answer": "absent"}, "descriptors": ["x"],
      "mark after receiving": {"files": {"store.zip": [22, 0]}, "entries": []}})"),
            view);
  EXPECT_NE(shown(view.received), nullptr);
  EXPECT_EQ(view.state->at("read_only"), Answer{Shown{true}});
  ASSERT_EQ(view.looks.size(), 1);
  EXPECT_EQ(refused(view.looks[0])->type, "KeyError");
  EXPECT_EQ(view.equality.size(), 1);
  EXPECT_EQ(view.descriptors->size(), 1);
  ASSERT_TRUE(view.mark_after_receiving.entries.has_value());
  EXPECT_TRUE(view.mark_after_receiving.entries->empty());
  EXPECT_FALSE(view.mark_after_leaving.entries.has_value());
}

TEST(ShownBytes, ShortOnesAreTextAndLongOnesAreToldApart) {
  EXPECT_EQ(shown_bytes("ab"), (Json{{"bytes", "ab"}}));
  EXPECT_EQ(shown_bytes("\xe9"), (Json{{"bytes", "\u00e9"}}));
  EXPECT_EQ(shown_bytes(std::string(64, 'x')), (Json{{"bytes", std::string(64, 'x')}}));
  std::string one(65, 'x');
  std::string other = one;
  other.back() = 'y';
  EXPECT_NE(shown_bytes(one), shown_bytes(other));
  EXPECT_EQ(shown_bytes(one)["size"], 65);
  for (int byte = 0; byte < 256; ++byte)
    EXPECT_NO_THROW(std::ignore = shown_bytes(std::string(1, static_cast<char>(byte))).dump());
}

}  // namespace
}  // namespace storefuzz
