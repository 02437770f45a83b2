// Sound stores are never told of, and what is falsified is: the two sides of a model. A model
// without opinions passes every test of false alarms, so the score of falsified answers has a
// floor.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

#include "harness/generate/generate.h"
#include "harness/oracles/oracle.h"
#include "harness/testing/falsify.h"
#include "harness/testing/sound_programs.h"

namespace storefuzz::program {
namespace {

struct Lane {
  const char* name;
  double exact;  // percent of calls of which the model has an exact opinion, at least
  std::vector<std::string> stores;
};
const std::vector<Lane>& lanes() {
  static const std::vector<Lane> all{
      {"live", 85.5, {"local", "object local", "fsspec local", "logging over local"}},
      {"copied", 90, {"memory", "object memory", "wrapper over memory"}},
      {"bound", 90.5, {"managed memory", "managed memory path", "fsspec memory"}},
      {"archive", 66.5, {"zip", "logging over zip", "zip file"}},
      {"cached", 77.4, {"cache over memory", "cache over zip", "cache over local", "local", "zip"}},
      {"mixed", 80, {"zip", "local", "memory", "managed memory", "cache over local", "zip"}},
  };
  return all;
}

std::string told(const Case& value, const Difference& it) {
  return fmt::format("{} at step {} ({} {} {} {}): should be {}, was {} {}\n{}", it.headline,
                     it.where.step, it.where.handle, it.where.operation, it.where.key,
                     it.where.place, it.should_be, say(it.was), it.seen, to_text(value));
}

unsigned programs() {
  const char* many = std::getenv("STOREFUZZ_PROGRAMS");
  return many ? static_cast<unsigned>(std::atoi(many)) : 20'000;
}

// Half of the programs are drawn blindly, half by what is at stake.
Case program_of(unsigned seed, const Lane& lane) {
  if (seed % 2) return test::random_program(seed, lane.stores);
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(300);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  Stores stores;
  for (const std::string& word : lane.stores) stores.push_back(find_store(word).value());
  return generate_program(bytes, stores);
}

class SoundPrograms : public testing::TestWithParam<Lane> {};

TEST_P(SoundPrograms, StoresAreNeverToldOf) {
  std::map<std::string, std::size_t> reasons;
  std::size_t calls = 0, exact = 0;
  int alarms = 0;
  for (unsigned seed = 0; seed < programs() && alarms < 5; ++seed) {
    const Case value = program_of(seed, GetParam());
    const Observation seen = test::sound_observation(value, seed);
    const Judged judged = walk(value, seen);
    for (const JudgedAnswer& it : judged.answers) {
      if (!std::holds_alternative<Call>(value.steps[it.step]) ||
          it.allowed.reason == Reason::kAbsent)
        continue;
      ++calls;
      exact += it.allowed.exact;
      if (!it.allowed.exact) ++reasons[std::string(name_of(it.allowed.reason))];
    }
    for (const Difference& it : judge(value, judged, seen))
      if (!it.question && alarms++ < 5) ADD_FAILURE() << seed << ": " << told(value, it);
  }
  fmt::print("{:8} {} calls, exact {:.1f} %\n", GetParam().name, calls,
             100.0 * static_cast<double>(exact) / static_cast<double>(calls));
  for (const auto& [reason, count] : reasons) fmt::print("    {:6} {}\n", count, reason);
  EXPECT_GE(100.0 * static_cast<double>(exact), GetParam().exact * static_cast<double>(calls));
}

INSTANTIATE_TEST_SUITE_P(Lanes, SoundPrograms, testing::ValuesIn(lanes()),
                         [](const auto& lane) { return std::string(lane.param.name); });

// --- what is falsified is told

TEST(SoundPrograms, WhatIsFalsifiedIsTold) {
  test::CorruptionScore score;
  for (const Lane& lane : lanes())
    for (unsigned seed = 1'000'000; seed < 1'000'000 + programs() / 10; ++seed) {
      const Case value = program_of(seed, lane);
      score.add(value, test::sound_observation(value, seed), seed, lane.name);
    }
  score.print();
  EXPECT_GE(score.exact().percent(), 99.0) << score.missed();
  EXPECT_GE(score.reads().percent(), 90.0);
  EXPECT_GE(score.disk().percent(), 80.0);
}

}  // namespace
}  // namespace storefuzz::program
