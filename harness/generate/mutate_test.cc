// A mutation is a typed step: it never leaves the programs that fit, and steps lead everywhere.
#include "harness/generate/mutate.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "harness/generate/generate.h"
#include "harness/testing/shared.h"

namespace storefuzz::program {
namespace {

using test::random_bytes;

bool fits(const Case& value) {
  Case again = value;
  fit(again);
  return again == value;
}

bool values_differ(const Case& value) {
  std::set<std::string> seen;
  for (const Place& place : value.before)
    for (const Entry& entry : place.entries)
      if (!seen.insert(entry.value.bytes()).second) return false;
  for (const Step& step : value.steps)
    if (const auto* call = std::get_if<Call>(&step); call && operation(call->op).takes.value)
      if (!seen.insert(call->value.bytes()).second) return false;
  return true;
}

TEST(MutatedPrograms, TheResultAlwaysFitsAndReadsBack) {
  Case value = generate_program({}, test::kListed);
  for (unsigned seed = 0; seed < 10'000; ++seed) {
    value = mutate_program(value, random_bytes(seed, seed % 200), test::kListed);
    ASSERT_TRUE(fits(value)) << "seed " << seed << ": " << to_text(value);
    ASSERT_TRUE(values_differ(value)) << "seed " << seed << ": " << to_text(value);
    ASSERT_EQ(parse_case(to_text(value)).value_or(Case{}), value) << to_text(value);
  }
}

TEST(MutatedPrograms, TheSameBytesGiveTheSameProgram) {
  const Case value = generate_program(random_bytes(1, 200), test::kListed);
  for (unsigned seed = 0; seed < 500; ++seed) {
    const auto bytes = random_bytes(seed, 100);
    ASSERT_EQ(mutate_program(value, bytes, test::kListed),
              mutate_program(value, bytes, test::kListed));
  }
}

TEST(MutatedPrograms, MostMutationsChangeSomethingAndManyKeepTheRest) {
  const Case value = generate_program(random_bytes(3, 300), {test::kZip});
  int changed = 0;
  int alike = 0;  // the first half of the steps is as it was
  for (unsigned seed = 0; seed < 1'000; ++seed) {
    const Case next = mutate_program(value, random_bytes(seed, 100), {test::kZip});
    changed += next != value;
    const std::size_t half = value.steps.size() / 2;
    alike += next.steps.size() >= half &&
             std::equal(value.steps.begin(), value.steps.begin() + half, next.steps.begin());
  }
  EXPECT_GT(changed, 800);
  EXPECT_GT(alike, 250);
}

TEST(MutatedPrograms, AProgramThatIsFullStaysWithinItsBounds) {
  Case full = generate_program(random_bytes(5, 300), test::kListed);
  ASSERT_TRUE(std::holds_alternative<Make>(full.steps.front()));
  const std::string handle = std::get<Make>(full.steps.front()).as;
  while (full.steps.size() < kMaxSteps)
    full.steps.push_back(Call{.op = Op::kReadOnly, .on = {handle}});
  fit(full);
  for (unsigned seed = 0; seed < 1'000; ++seed) {
    const Case next = mutate_program(full, random_bytes(seed, 100), test::kListed);
    ASSERT_LE(next.steps.size(), kMaxSteps);
    ASSERT_TRUE(fits(next));
  }
}

// From the plainest program, changes alone lead to every kind of step and every operation.
TEST(MutatedPrograms, FromThePlainestProgramEveryStepIsReached) {
  std::set<std::string> seen;
  Case value = generate_program({}, test::kListed);
  for (unsigned seed = 0; seed < 12'000; ++seed) {
    auto bytes = random_bytes(seed, 120);
    bytes[0] = std::byte{0};  // a change, no fresh draw
    value = mutate_program(value, bytes, test::kListed);
    if (value.steps.empty()) value = generate_program({}, test::kListed);
    for (const Place& place : value.before)
      if (!place.twists.empty()) seen.insert("twisted");
    for (const Step& step : value.steps)
      std::visit(Each{[&](const Make& it) { seen.insert(it.around.empty() ? "make" : "around"); },
                      [&](const Call& it) { seen.emplace(name_of(it.op)); },
                      [&](const Carry& it) { seen.emplace(name_of(it.carrier)); },
                      [&](const Fork&) { seen.insert("fork"); },
                      [&](const Deed& it) { seen.emplace(name_of(it.what)); }},
                 step);
  }
  for (const char* word : {"make", "around", "fork", "twisted"})
    EXPECT_TRUE(seen.contains(word)) << word;
  for (const Operation& row : operations())
    EXPECT_TRUE(seen.contains(std::string(row.word))) << row.word;
  for (const What what : all_of<What>())
    EXPECT_TRUE(seen.contains(std::string(name_of(what)))) << name_of(what);
  for (const Carrier carrier : all_of<Carrier>())
    EXPECT_EQ(seen.contains(std::string(name_of(carrier))),
              carrier != Carrier::kInherited && carrier != Carrier::kMadeAnew)
        << name_of(carrier);
}

TEST(SplicedPrograms, IsABeginningAndAnEnd) {
  int longer = 0;
  int both = 0;
  for (unsigned seed = 0; seed < 2'000; ++seed) {
    const Case left = generate_program(random_bytes(seed, 200), {test::kZip});
    const Case right =
        generate_program(random_bytes(seed + 9'000, 200), {test::kZip, test::kLocal});
    const Case mixed = splice_programs(left, right, random_bytes(seed + 70'000, 100));
    ASSERT_TRUE(fits(mixed)) << to_text(mixed);
    ASSERT_TRUE(values_differ(mixed)) << to_text(mixed);
    longer += mixed.steps.size() > left.steps.size();
    std::size_t alike = 0;
    while (alike < std::min(mixed.steps.size(), left.steps.size()) &&
           mixed.steps[alike].index() == left.steps[alike].index())
      ++alike;
    both += alike > 0 && alike < mixed.steps.size();
  }
  EXPECT_GT(longer, 200);
  EXPECT_GT(both, 700);
}

}  // namespace
}  // namespace storefuzz::program
