// What a printed script is answered is what our workers were answered: by the real
// ProcessPoolExecutor, however its processes begin, and by the http server that a script has.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "harness/base/python_text.h"
#include "harness/campaign/confirm.h"
#include "harness/findings/script.h"
#include "harness/findings/script_question.h"
#include "harness/findings/script_words.h"
#include "harness/testing/program_runs.h"

namespace storefuzz::e2e {
namespace {

using program::Call;
using program::Carry;
using program::Step;

// The program up to the first call of what was carried to another process by a pickle, if nothing
// else happens between processes.
std::optional<program::Case> one_journey(const program::Case& drawn) {
  program::Case value = drawn;
  const Carry* carry = nullptr;
  for (std::size_t i = 0; i < value.steps.size(); ++i) {
    const Step& step = value.steps[i];
    const auto* make = std::get_if<program::Make>(&step);
    const auto* call = std::get_if<Call>(&step);
    // A stranger's store is imported from a file beside the script.
    if (make && (make->in != program::kHome || make->kind->served || !make->kind->file.empty()))
      return std::nullopt;
    if (const auto* it = std::get_if<Carry>(&step)) {
      const bool leaves = it->to != program::kHome && it->carrier <= Carrier::kCloudpickle;
      if (carry || !leaves) return std::nullopt;
      carry = it;
    } else if (call && carry && call->on == std::vector{carry->as}) {
      if (call->op == program::Op::kState || !call->as.empty()) return std::nullopt;
      value.steps.resize(i + 1);
      const std::string to = carry->to;
      std::erase_if(value.processes, [&](const program::Process& it) { return it.name != to; });
      const bool plain = value.processes.size() == 1 &&
                         value.processes[0].began == program::Began::kSpawn &&
                         value.processes[0].subject.empty();
      return plain ? std::optional(value) : std::nullopt;
    } else if (!make && !call) {
      return std::nullopt;  // a fork, or a deed
    }
  }
  return std::nullopt;
}

// Python that says whether `seen` is what our worker answered. nullopt: it has no such form.
std::optional<std::string> as_answered(const program::Answer& answer, const program::Case& value) {
  if (const program::Refusal* refusal = program::refused(answer))
    return program::raised(refusal->type);
  const program::Shown* shown = program::shown(answer);
  const auto text = shown ? program::literal_of(*shown, value) : std::nullopt;
  return text ? std::optional("seen == " + *text) : std::nullopt;
}

// The script that asks the last step. It prints "as told: True" where the answer is ours.
std::optional<std::string> script_of(const program::Case& value, const PlayedProgram& played) {
  const program::Answer& answer = played.seen.steps.back().answers.back();
  const auto told = as_answered(answer, value);
  if (!told) return std::nullopt;
  program::Difference last{.wrong = program::Wrong::kOtherValue, .was = answer, .headline = "told"};
  last.where.step = value.steps.size() - 1;
  auto script = program::write_script(value, last, played.seen,
                                      {.release = kNewest, .reference = reference_folder()});
  if (!script) return std::nullopt;
  const std::string asked = "print(\"seen:\", seen)";
  if (script->find(asked) == script->npos) return std::nullopt;
  return fill(*script, {{asked, fmt::format("print(\"seen:\", seen, \"as told:\", {})", *told)}});
}

// Whether the script's last answer is ours.
void expect_as_told(const std::string& script) {
  test::Folder folder;
  folder.write("repro.py", script);
  const Confirmed run = must(confirm(folder.path() / "repro.py", "told",
                                     {.python = python(kNewest), .scratch = scratch()}));
  EXPECT_NE(run.output.find("as told: True"), std::string::npos) << script << run.output;
}

// A store with threads of its own hangs in a pool that forks (reports/defects/
// objectstore-hangs-after-fork.md), and is right in a worker that was spawned; and what is bound to
// a process is in its forks, and not in those that are spawned.
bool differs_in_a_fork(const program::Case& value) {
  return std::ranges::any_of(value.steps, [](const Step& step) {
    const auto* make = std::get_if<program::Make>(&step);
    return make &&
           (!make->kind->before.empty() || innermost(make->kind)->shared == Shared::kProcess);
  });
}

TEST(RealPools, AnswerAsOurWorkersDo) {
  const auto all = session("all");
  Draw draw(all->stores());
  std::size_t left = number_from("STOREFUZZ_TEST_PROGRAMS", 4);
  for (int drawn = 0; left > 0 && drawn < 200'000; ++drawn) {
    const auto value = one_journey(all->fit(draw()));
    if (!value) continue;
    const auto script = script_of(*value, play(*all, *value));
    if (!script) continue;
    --left;
    for (const std::string began : {"spawn", "fork", "forkserver"})
      if (began != "fork" || !differs_in_a_fork(*value))
        expect_as_told(
            fill(*script, {{"get_context(\"spawn\")", fmt::format("get_context(\"{}\")", began)}}));
  }
  EXPECT_EQ(left, 0U) << "too few programs of one journey were drawn";
}

TEST(ServersOfScripts, GivePartsAsOursDoes) {
  const auto all = session("all");
  for (const char* call :
       {R"("get range", "key": "a", "start": 1, "end": 3)",
        R"("get offset", "key": "a", "start": 2)", R"("get suffix", "key": "a", "start": 2)",
        R"("get offset", "key": "a", "start": 9)", R"("get", "key": "b")", R"("list")"}) {
    const program::Case value = must(program::parse_case(fmt::format(
        R"({{"format": 2, "before": {{"f": {{"entries": [{{"key": "a", "value": "a@0"}}]}}}},
             "program": [{{"make": "fsspec http", "at": "f", "as": "s0"}},
                         {{"call": {}, "on": "s0"}}]}})",
        call)));
    const auto script = script_of(value, play(*all, value));
    ASSERT_TRUE(script) << call;
    EXPECT_NE(script->find("class Ranges"), std::string::npos) << *script;
    expect_as_told(*script);
  }
}

}  // namespace
}  // namespace storefuzz::e2e
