// What a night says of each cause, held against the nights before.
#include "harness/campaign/news.h"

#include <gtest/gtest.h>

namespace storefuzz {
namespace {

using Names = std::vector<std::string>;

Json line(const std::string& fingerprint, int severity = 2) {
  return {{"fingerprint", fingerprint},
          {"headline", fingerprint + " is lost"},
          {"cause", "cause of " + fingerprint},
          {"oracle", "reads"},
          {"class", "absent"},
          {"at", "get"},
          {"of_class", "reads / absent"},
          {"severity", severity},
          {"question", false},
          {"security", nullptr},
          {"releases", nullptr},
          {"case", Json::object()},
          {"known", nullptr}};
}

Json known_line(const std::string& fingerprint, const std::string& by = "file") {
  Json it = line(fingerprint);
  it["known"] = {{"by", by}, {"reason", "told"}, {"page", ""}, {"link", ""}};
  return it;
}

// Some nights, each with its subject and what it saw.
class Nights : public testing::Test {
 protected:
  template <class Act>
  Night night(const std::string& subject, Act act) {
    Night it{.night = ++number_, .subject = subject};
    News news(state_, it, {number_, "day", subject});
    act(news);
    news.settle();
    red_ = news.red();
    return it;
  }
  static void nothing(News&) {}

  State state_;
  bool red_ = false;

 private:
  int number_ = 0;
};

TEST_F(Nights, ACauseIsNewOnceThenStillThere) {
  const Night first = night("3.4.2", [](News& news) { EXPECT_TRUE(news.found(line("x"), "")); });
  EXPECT_EQ(first.news, Names{"x"});
  EXPECT_TRUE(red_);
  const Night second = night("3.4.2", [](News& news) {
    news.seen("x");
    EXPECT_FALSE(news.found(known_line("x"), ""));
  });
  EXPECT_EQ(second.news, Names());
  EXPECT_EQ(second.still, 1U);
  EXPECT_FALSE(red_);
  EXPECT_EQ(state_.causes.at("x").first.night, 1);
  EXPECT_EQ(state_.causes.at("x").last.night, 2);
}

TEST_F(Nights, WhatIsTakenOutIsMendedAndWhatComesAgainThenIsReopened) {
  night("a", [](News& news) { news.found(line("x"), ""); });
  const Night third = night("b", [](News& news) { news.silent("x"); });
  EXPECT_EQ(third.mended, Names{"x"});
  EXPECT_EQ(state_.causes.at("x").mended_in, "b");
  EXPECT_FALSE(red_);
  EXPECT_EQ(night("b", [](News& news) { news.silent("x"); }).mended, Names());
  const Night fifth = night("c", [](News& news) {
    news.seen("x");
    EXPECT_FALSE(news.found(line("x"), ""));  // it was told
  });
  EXPECT_EQ(fifth.reopened, Names{"x"});
  EXPECT_EQ(fifth.news, Names());
  EXPECT_TRUE(red_);
  EXPECT_EQ(state_.causes.at("x").mended_in, "");
}

TEST_F(Nights, WhatComesAndGoesOnOneSubjectIsNoNews) {
  night("a", [](News& news) { news.found(line("x"), ""); });
  EXPECT_EQ(night("a", [](News& news) { news.silent("x"); }).gone, Names{"x"});
  EXPECT_EQ(night("a", [](News& news) { news.silent("x"); }).gone, Names());
  EXPECT_EQ(night("a", [](News& news) { news.found(line("x"), ""); }).back, Names{"x"});
  EXPECT_FALSE(red_);
}

TEST_F(Nights, WhatItsProgramDoesNotShowMayBeFoundInAnotherWay) {
  night("a", [](News& news) { news.found(line("x"), ""); });
  const Night second = night("b", [](News& news) {
    news.silent("x");
    news.found(known_line("x"), "");
  });
  EXPECT_EQ(second.mended, Names());
  EXPECT_EQ(second.still, 1U);
}

TEST_F(Nights, WhatWasNotPlayedStaysAsItWas) {
  night("a", [](News& news) { news.found(line("x"), ""); });
  night("b", nothing);
  EXPECT_EQ(state_.causes.at("x").status, Status::kOpen);
}

TEST_F(Nights, ASeverityThatRisesIsNews) {
  night("a", [](News& news) { news.found(line("x", 5), ""); });
  EXPECT_EQ(night("a", [](News& news) { EXPECT_TRUE(news.found(line("x", 1), "")); }).news,
            Names{"x"});
}

TEST_F(Nights, APageIsNoNewsUntilItIsMendedAndShowsAgain) {
  const Night first = night("a", [](News& news) {
    news.first_asked("p", "a page", true);
    news.first_asked("q", "another page", false);
  });
  EXPECT_EQ(first.still_pages, 1U);
  EXPECT_FALSE(red_);
  EXPECT_EQ(night("b", [](News& news) { news.silent(page_name("p")); }).mended, Names{"page p"});
  // Its cause is found as well: it is told once.
  const Night third = night("c", [](News& news) {
    news.seen(page_name("q"));
    news.found(line("x"), "q");
  });
  EXPECT_EQ(third.reopened, Names{"page q"});
  EXPECT_EQ(third.news, Names());
}

TEST_F(Nights, WhatARunKnowsByAPageIsSeenOfThatPage) {
  night("a", [](News& news) { news.first_asked("p", "a page", true); });
  const Night second = night("b", [](News& news) {
    news.silent(page_name("p"));
    news.found(known_line("x", "page"), "p");
  });
  EXPECT_EQ(second.mended, Names());
  EXPECT_FALSE(state_.causes.contains("x"));
}

TEST_F(Nights, AQuestionIsNeverRed) {
  Json question = line("x", 7);
  question["question"] = true;
  EXPECT_EQ(night("a", [&](News& news) { news.found(question, ""); }).questions, 1U);
  EXPECT_FALSE(red_);
  EXPECT_EQ(night("b", [](News& news) { news.silent("x"); }).mended, Names());
  EXPECT_EQ(state_.causes.at("x").status, Status::kMended);
}

}  // namespace
}  // namespace storefuzz
