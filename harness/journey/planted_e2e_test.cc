// What we would see if it were there: planted losses against oracles, the fuzzing loop, the canary.
#include <fmt/format.h>

#include <random>
#include <set>

#include "harness/base/paths.h"
#include "harness/journey/oracle.h"
#include "harness/testing/whole_runs.h"

namespace storefuzz {
namespace {

using e2e::fs::path;

const Json& table() {
  static const Json losses =
      e2e::read_json(source_folder() + "/reference/planted/planted_losses.json");
  return losses.at("losses");
}

std::vector<std::string> planted() {
  std::vector<std::string> names;
  for (const auto& [name, row] : table().items()) names.push_back(name);
  return names;
}

// --- planted loss × oracle

class PlantedLoss : public testing::TestWithParam<std::string> {};

TEST_P(PlantedLoss, IsCaughtByTheOraclesOfItsRowAndMissedByTheOthers) {
  const Json& row = table().at(GetParam());
  // A hang is waited for in full; nothing else comes near its deadline.
  const bool hangs = row.at("caught_by") == Json{"deadline"};
  Player player =
      e2e::player(e2e::kNewest, {.planted = GetParam(),
                                 .deadline = hangs ? Milliseconds(1000) : e2e::kPatient});
  const auto play_without = [&](const std::string& oracles_off) {
    player.leave_out(oracles_off);
    return e2e::play(player, e2e::case_of(row.at("case")));
  };
  const PlayedCase all = play_without("");
  EXPECT_TRUE(find(all.findings, row.at("fingerprint").get<std::string>()))
      << e2e::fingerprints(all.findings);
  std::string off;
  for (const std::string oracle : row.at("caught_by")) {
    EXPECT_FALSE(play_without(e2e::oracles_but({oracle})).findings.empty())
        << oracle << " misses it";
    off += (off.empty() ? "" : ",") + oracle;
  }
  const PlayedCase missed = play_without(off);
  EXPECT_TRUE(missed.findings.empty()) << "seen without " << off << " as well:\n"
                                       << e2e::fingerprints(missed.findings);
}

INSTANTIATE_TEST_SUITE_P(Table, PlantedLoss, testing::ValuesIn(planted()),
                         [](const auto& info) { return e2e::test_name(info.param); });

TEST(PlantedLosses, AreThoseOfPlantedPy) {
  const Finished listed = e2e::must(run_to_end(
      {.arguments = {e2e::python(e2e::kNewest), source_folder() + "/reference/planted/planted.py"}},
      Milliseconds(60'000)));
  std::set<std::string> names;
  std::istringstream lines(listed.output);
  for (std::string line; std::getline(lines, line);) names.insert(line);
  const auto rows = planted();
  EXPECT_EQ(names, std::set<std::string>(rows.begin(), rows.end()));
}

// A loss that one oracle alone catches is missed when that one is switched off.
TEST(PlantedLosses, GiveEachOracleOneOfItsOwnAndNoTwoTheSameRow) {
  std::set<std::set<std::string>> rows;
  for (const Oracle& oracle : oracles()) {
    std::set<std::string> row;
    bool own = false;
    for (const auto& [name, loss] : table().items()) {
      const auto caught = loss.at("caught_by").get<std::set<std::string>>();
      if (caught.contains(std::string(oracle.name))) row.insert(name);
      own = own || caught == std::set{std::string(oracle.name)};
    }
    EXPECT_TRUE(own) << oracle.name << " catches no loss that all others miss";
    EXPECT_TRUE(rows.insert(row).second) << oracle.name << " catches what another oracle catches";
  }
}

TEST(PlantedLosses, ShowNothingWhereNothingIsPlanted) {
  Player player = e2e::player(e2e::kNewest);
  for (const auto& [name, row] : table().items()) {
    const PlayedCase played = e2e::play(player, e2e::case_of(row.at("case")));
    EXPECT_TRUE(played.findings.empty()) << name << "\n" << e2e::fingerprints(played.findings);
  }
}

// --- found by the loop

// STOREFUZZ_TEST_SEED repeats a draw.
TEST(FuzzingLoop, FindsAPlantedLossDrawnAtRandom) {
  const char* said = std::getenv("STOREFUZZ_TEST_SEED");
  const unsigned seed = said ? std::atoi(said) : std::random_device{}() % 1'000'000 + 1;
  const std::vector<std::string> names = planted();
  const std::string name = names[seed % names.size()];
  fmt::print("STOREFUZZ_TEST_SEED={} plants \"{}\"\n", seed, name);
  std::fflush(stdout);
  // What other oracles know of the subject itself would have to be shrunk and confirmed as well.
  const std::string off =
      e2e::oracles_but(table().at(name).at("caught_by").get<std::set<std::string>>());
  e2e::Running run("storefuzz",
                   {"run", table().at(name).value("target", "store_journey"), "--planted", name,
                    "--time", "25s", "--no-releases", "--stores", "zip,local", "--seed",
                    std::to_string(seed), "--oracles-off", off, "--out", "out"});
  // The loop stops after 25 s; shrinking and confirming what it found takes as long again.
  ASSERT_EQ(run.wait(), "exit 0") << run.said() << run.complained();
  const std::string wanted = table().at(name).at("fingerprint");
  bool found = false;
  for (const Json& line : e2e::read_lines(run.folder() / "out" / "planted.jsonl"))
    found = found || line.at("fingerprint").get<std::string>().starts_with(wanted);
  EXPECT_TRUE(found) << "findings, but none of " << wanted << ":\n" << run.said();
  EXPECT_EQ(e2e::fs::file_size(run.folder() / "out" / "findings.jsonl"), 0);
}

// --- the canary

std::vector<std::string> canary_arguments(int runs) {
  return {fmt::format("-runs={}", runs), "-seed=1", "-detect_leaks=0", "-artifact_prefix=./"};
}

TEST(Canary, FailsWithTheKeyOfItsLoss) {
  e2e::Running canary("canary", canary_arguments(3000),
                      {{"STOREFUZZ_PYTHON", e2e::python(e2e::kNewest)},
                       {"STOREFUZZ_SCRATCH", e2e::scratch().string()}});
  EXPECT_NE(canary.wait(), "exit 0");
  EXPECT_NE(canary.complained().find("Assertion failure: zip-attributes-_read_only-lost"),
            std::string::npos)
      << canary.complained();
}

TEST(Canary, LivesWhenNobodyLooks) {
  e2e::Running canary("canary", canary_arguments(200),
                      {{"STOREFUZZ_PYTHON", e2e::python(e2e::kNewest)},
                       {"STOREFUZZ_ORACLES_OFF", e2e::oracles_but({})},
                       {"STOREFUZZ_SCRATCH", e2e::scratch().string()}});
  EXPECT_EQ(canary.wait(), "exit 0") << canary.complained();
  EXPECT_EQ(canary.complained().find("Assertion failure: "), std::string::npos);
}

}  // namespace
}  // namespace storefuzz
