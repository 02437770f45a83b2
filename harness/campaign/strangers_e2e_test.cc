// Stores of a stranger (reference/planted/strangers/), by their adapters: what is right is never
// told of, and what is wrong in one way is told, as one cause.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "harness/campaign/dossier.h"
#include "harness/campaign/reduce_program.h"
#include "harness/campaign/subject.h"
#include "harness/testing/program_runs.h"

namespace storefuzz::e2e {
namespace {

// The adapters of a file, which join this process once.
const Json& adapters_of(const std::string& file) {
  static std::map<std::string, Json> known;
  const auto [at, is_new] = known.try_emplace(file);
  if (is_new) {
    at->second = must(
        read_adapter(reference_folder() + "/planted/strangers/" + file, python(kNewest), kPatient));
    must(add_adapters(at->second));
  }
  return at->second;
}

std::unique_ptr<ProgramSession> session_with(const std::string& file, const std::string& store) {
  Settings settings;
  settings.python = python(kNewest);
  settings.scratch = scratch() / "strangers";
  fs::create_directories(settings.scratch);
  settings.adapters = text_of(adapters_of(file));
  settings.stores = store;
  settings.deadline = "250";
  return must(ProgramSession::start(settings));
}

struct Right {
  const char* file;
  const char* store;
};

class RightStrangers : public testing::TestWithParam<Right> {};

TEST_P(RightStrangers, AreNeverToldOf) {
  const auto session = session_with(GetParam().file, GetParam().store);
  Draw draw(session->stores());
  std::size_t values = 0;
  for (std::size_t left = number_from("STOREFUZZ_TEST_PROGRAMS", 300); left > 0; --left) {
    const program::Case value = session->fit(draw());
    const PlayedProgram played = play(*session, value);
    ASSERT_TRUE(played.differences.empty())
        << text_of(program::to_json(value), 1) << played.differences.front().headline;
    for (const program::SeenStep& step : played.seen.steps)
      for (const program::Answer& answer : step.answers)
        values += program::shown_as<program::BytesValue>(answer) != nullptr;
  }
  EXPECT_GT(values, 20U) << "nothing is kept there";
}

INSTANTIATE_TEST_SUITE_P(Stores, RightStrangers,
                         testing::Values(Right{"dictionary_stores.py", "dictionary"},
                                         Right{"sqlite_store.py", "sqlite"}),
                         [](const auto& it) { return test_name(it.param.store); });

// Two programs that show the same, by other ways and with more than it takes.
struct Wrong {
  const char* store;
  const char* cause;  // what it begins with
  const char* one;    // steps after the store was made as s0, and has "a"
  const char* other;
};

program::Case made(const Wrong& wrong, const std::string& steps) {
  return must(program::parse_case(
      R"({"format": 2, "processes": {"p1": "spawn", "p2": "fork"}, "program": [{"make": ")" +
      std::string(wrong.store) + R"(", "as": "s0"},
      {"call": "set", "on": "s0", "key": "a", "value": {"word": "a@1", "size": 40}},)" +
      steps + "]}"));
}

class WrongStrangers : public testing::TestWithParam<Wrong> {};

TEST_P(WrongStrangers, AreToldAsOneCause) {
  const auto session = session_with("dictionary_stores.py", GetParam().store);
  std::set<std::string> causes;
  for (const char* steps : {GetParam().one, GetParam().other})
    causes.insert(
        must(reduce_program(*session, made(GetParam(), steps), {.budget = kPatient})).cause.key);
  ASSERT_EQ(causes.size(), 1U) << testing::PrintToString(causes);
  EXPECT_TRUE(causes.begin()->starts_with(GetParam().cause)) << *causes.begin();
}

INSTANTIATE_TEST_SUITE_P(
    Stores, WrongStrangers,
    testing::Values(Wrong{"forgetful", "'Forgetful' object has no attribute 'label'",
                          R"({"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s1"},
                 {"call": "state", "on": ["s0", "s1"]})",
                          R"({"call": "list", "on": "s0"},
                 {"carry": "pickle 2", "from": "s0", "as": "s1"},
                 {"call": "state", "on": ["s0", "s1"]}, {"call": "close", "on": "s1"})"},
                    Wrong{"heedless", "writable / done / delete on",
                          R"({"call": "with read only", "on": "s0", "flag": true, "as": "s1"},
                 {"call": "delete", "on": "s1", "key": "a"})",
                          R"({"call": "with read only", "on": "s0", "flag": true, "as": "s1"},
                 {"carry": "pickle 5", "from": "s1", "to": "p1", "as": "s2"},
                 {"call": "delete listed", "on": "s2"}, {"call": "list", "on": "s2"})"},
                    Wrong{"short", "reads / other value / get range on",
                          R"({"call": "get range", "on": "s0", "key": "a", "start": 2, "end": 9})",
                          R"({"call": "store path", "on": "s0", "key": "", "as": "s1"},
                 {"call": "exists", "on": "s0", "key": "a"},
                 {"call": "get range", "on": "s0", "key": "a", "start": 0, "end": 20})"},
                    Wrong{"threaded", "deadline / hang / get on",
                          R"({"call": "get", "on": "s0", "key": "a"}, {"fork": "p2"},
                 {"call": "get", "on": "s0", "in": "p2", "key": "a"})",
                          R"({"call": "get", "on": "s0", "key": "b"}, {"call": "list", "on": "s0"},
                 {"fork": "p2"}, {"carry": "pickle 5", "cargo": "array", "from": "s0", "in": "p2",
                  "to": "p2", "as": "s1"})"},
                    Wrong{"pooled", "deadline / hang / get on",
                          R"({"call": "get", "on": "s0", "key": "a"}, {"fork": "p2"},
                 {"call": "get", "on": "s0", "in": "p2", "key": "a"})",
                          R"({"call": "get", "on": "s0", "key": "b"}, {"fork": "p2"},
                 {"call": "getsize", "on": "s0", "in": "p2", "key": "a"})"}),
    [](const auto& it) { return test_name(it.param.store); });

// What takes memory without end is refused more, and nothing else is taken from the machine.
TEST(Strangers, ThatTakeAllMemoryAreToldOf) {
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "address sanitizer takes more than is bounded";
#endif
  const auto session = session_with("dictionary_stores.py", "hungry");
  const PlayedProgram played = play(*session, must(program::parse_case(R"({"format": 2, "program": [
      {"make": "hungry", "as": "s0"}, {"call": "get", "on": "s0", "key": "a"}]})")));
  const program::Refusal* refusal = program::refused(played.seen.steps[1].answers[0]);
  ASSERT_NE(refusal, nullptr);
  EXPECT_EQ(refusal->type, "MemoryError");
  EXPECT_LT(std::stoi(refusal->text), 4096) << refusal->text;
  EXPECT_FALSE(played.differences.empty());
}

// A worker plays many programs: the thread may be left from an earlier one, and the program that
// hangs need not begin it.
TEST(Strangers, HangByWhatAnEarlierProgramLeft) {
  const auto session = session_with("dictionary_stores.py", "pooled");
  const Finding found{.of_class = "deadline / hang / a call",
                      .oracle = "deadline",
                      .value = must(program::parse_case(R"({"format": 2,
                          "processes": {"p2": "fork"}, "program": [{"make": "pooled", "as": "s0"},
                          {"fork": "p2"}, {"call": "get", "on": "s0", "in": "p2", "key": "a"}]})"))};
  const Dossier dossier = must(reduce_finding(*session, found, {.budget = kPatient}));
  ASSERT_TRUE(dossier.reduced) << dossier.why;
  EXPECT_TRUE(dossier.cause.key.starts_with("deadline / hang / get on")) << dossier.cause.key;
}

}  // namespace
}  // namespace storefuzz::e2e
