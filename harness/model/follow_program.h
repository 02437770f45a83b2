// A program and the model that follows it, for the tests of this folder.
//
//     Follow it(LOCAL GET("a", "s0") END);
//     expect_wrong(it.sound({store()}).take(none()), Wrong::kAbsent);
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/model/model.h"

namespace storefuzz::program {

inline Answer bytes(std::string_view text) { return Shown{BytesValue{Bytes(text)}}; }
inline Answer none() { return Shown{None{}}; }
inline Answer refusal(std::string_view type) { return Refusal{std::string(type), "refused", ""}; }
inline Answer store() { return Shown{NewHandle{"Store"}}; }
inline Answer names(std::vector<std::string> list) { return Shown{Names{std::move(list)}}; }

inline OnDisk holds(std::map<std::string, Bytes> content) {
  return {.state = OnDisk::State::kContent, .content = std::move(content)};
}
inline const OnDisk kMissing{};
inline const OnDisk kUnreadable{.state = OnDisk::State::kUnreadable};

inline constexpr std::string_view kBefore =
    R"("before":{"z":{"entries":[{"key":"a","value":"a@0"}]}},)";

// A program and the model that follows it, step by step.
class Follow {
 public:
  explicit Follow(std::string_view program, std::string_view rest = kBefore)
      : case_(parse(program, rest)), model_(case_) {}

  Allowed allowed(std::size_t handle = 0) const { return model_.allowed(step(), handle); }
  // Takes an answer for each handle of the next step; the first difference.
  std::optional<Difference> take(const std::vector<Answer>& answers) {
    std::optional<Difference> wrong;
    before_ = model_;
    for (std::size_t i = 0; i < answers.size(); ++i)
      if (auto it = model_.take(step(), i, answers[i], at_); it && !wrong) wrong = it;
    ++at_;
    return wrong;
  }
  std::optional<Difference> take(const Answer& answer) { return take(std::vector{answer}); }
  // Takes as many steps as answers, none of which may differ.
  Follow& sound(const std::vector<Answer>& answers) {
    for (const Answer& it : answers)
      if (const auto wrong = take(it))
        ADD_FAILURE() << "step " << at_ - 1 << ": " << name_of(wrong->wrong) << ", should be "
                      << wrong->should_be;
    return *this;
  }
  void begin(const OnDisk& seen) { model_.begin("z", seen); }
  std::optional<Difference> disk(const OnDisk& seen) { return model_.take_disk("z", seen, at_); }
  std::vector<Difference> crash(const OnDisk& seen,
                                std::vector<std::pair<std::string, Answer>> read = {}) const {
    CrashState state{.disk = seen, .made = Absent{}, .listed = Absent{}, .read = std::move(read)};
    return model_.judge_crash(*before_, case_.steps[at_ - 1], 0, {state});
  }
  std::string signature(std::size_t handle) const { return model_.signature(step(), handle); }
  std::vector<HandleFacts> facts() const { return model_.facts(); }

 private:
  static Case parse(std::string_view program, std::string_view rest) {
    if (program.ends_with(',')) program.remove_suffix(1);
    const std::string text =
        "{\"format\":2," + std::string(rest) + "\"program\":[" + std::string(program) + "]}";
    const auto parsed = parse_case(text);
    if (!parsed) ADD_FAILURE() << parsed.error().message << ": " << text;
    return parsed.value_or(Case{});
  }
  const Step& step() const { return case_.steps.at(at_); }

  Case case_;
  Model model_;
  std::optional<Model> before_;
  std::size_t at_ = 0;
};

inline void expect_wrong(const std::optional<Difference>& it, Wrong wrong) {
  ASSERT_TRUE(it.has_value());
  EXPECT_EQ(name_of(it->wrong), name_of(wrong)) << it->should_be;
}

#define LOCAL R"({"make":"local","at":"z","as":"s0"},)"
#define ZIP(mode) R"({"make":"zip","at":"z","mode":")" mode R"(","as":"s0"},)"
#define GET(key, on) R"({"call":"get","key":")" key R"(","on":")" on R"("},)"
#define SET(key, value, on) \
  R"({"call":"set","key":")" key R"(","value":")" value R"(","on":")" on R"("},)"
#define CLOSE(on) R"({"call":"close","on":")" on R"("},)"
#define CARRY(to) R"({"carry":"pickle 5","from":"s0","to":")" to R"(","as":"s1"},)"
#define END R"({"call":"list","on":"s0"})"

}  // namespace storefuzz::program
