// Whole journeys through the programs of this build: one case per transport, equal answers for
// equal cases, a parent that hangs or dies, and a subject that leaves its folder.
//
// The suites named Journeys run in the sanitized build as well.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/files.h"
#include "harness/campaign/confirm.h"
#include "harness/testing/whole_runs.h"

namespace storefuzz {
namespace {

// --- every transport

struct Way {
  Transport transport;
  Carrier carrier;
};

class Journeys : public testing::TestWithParam<Way> {};

TEST_P(Journeys, ArriveAndAgreeOnTheNewestRelease) {
  Case value = test::plain_case();
  // That move() asks nobody is a defect of the store, on every journey.
  std::erase(value.looks, LookGroup::kMove);
  value.transport = GetParam().transport;
  value.carrier = GetParam().carrier;
  value.parent = Warmth::kWarm;
  value.comes_back = ComesBack::kStore;
  normalise(value);
  Player player = e2e::player(e2e::kNewest, {.deadline = Milliseconds(30'000)});
  for (int i = 0; i < 3; ++i) {
    const PlayedCase played = e2e::play(player, value);
    EXPECT_TRUE(played.arrived);
    EXPECT_TRUE(played.findings.empty()) << e2e::fingerprints(played.findings);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Journeys,
                         testing::Values(Way{Transport::kSameProcess, Carrier::kDeepcopy},
                                         Way{Transport::kThread, Carrier::kPickle5},
                                         Way{Transport::kSpawn, Carrier::kPickle0},
                                         Way{Transport::kFork, Carrier::kPickle5}),
                         [](const auto& info) {
                           return e2e::test_name(name_of(info.param.transport));
                         });

// CPython frees little at its end, which a leak checker takes amiss.
TEST(TargetJourneys, RunAsAFuzzingServiceRunsThem) {
  e2e::Running target("store_journey", {"--", "-seed=1337", "-runs=20", "-detect_leaks=0"},
                      {{"STOREFUZZ_PYTHON", e2e::python(e2e::kNewest)},
                       {"STOREFUZZ_ORACLES_OFF", e2e::oracles_but({})},
                       {"STOREFUZZ_DEADLINE", "30000"},
                       {"ASAN_OPTIONS", "detect_leaks=0"},
                       {"STOREFUZZ_SCRATCH", e2e::scratch().string()}});
  EXPECT_EQ(target.wait(), "exit 0") << target.complained();
  EXPECT_NE(target.complained().find("Done 20 runs"), std::string::npos) << target.complained();
}

// --- determinism

// zipfile dates each entry by the clock: the checksum of an archive that was written tells the
// time.
void forget_archive_checksums(Json& json) {
  if (json.is_object()) json.erase("stacks");  // threads have numbers there
  // Of several reads at a time, which one fails first is chance: types are compared, texts are not.
  if (json.is_object() && json.contains("look"))
    for (const char* several : {"get_partial_values", "get_ranges"})
      if (json["look"].get<std::string>().starts_with(several)) json["answer"].erase("text");
  if (json.is_object() && json.contains("store.zip") && json["store.zip"].is_array())
    json["store.zip"] = json["store.zip"][0];
  else if (json.is_structured())
    for (Json& inner : json) forget_archive_checksums(inner);
}

// Where two records differ: "child/looks/3/answer: 1 and 2", at most eight.
void differences(const Json& left, const Json& right, const std::string& where,
                 std::vector<std::string>& found) {
  if (left == right || found.size() >= 8) return;
  const bool inner =
      left.type() == right.type() && left.is_structured() && left.size() == right.size();
  if (!inner) {
    found.push_back(fmt::format("{}: {} and {}", where, left.dump().substr(0, 160),
                                right.dump().substr(0, 160)));
  } else if (left.is_array()) {
    for (std::size_t i = 0; i < left.size(); ++i)
      differences(left[i], right[i], fmt::format("{}/{}", where, i), found);
  } else {
    for (const auto& [key, value] : left.items())
      differences(value, right.value(key, Json("absent")), where + "/" + key, found);
  }
}

void expect_same(const Case& value, PlayedCase left, PlayedCase right, const char* who) {
  std::vector<std::string> found;
  forget_archive_checksums(left.observations);
  forget_archive_checksums(right.observations);
  differences(left.observations, right.observations, "", found);
  EXPECT_TRUE(found.empty()) << who << "\n"
                             << to_text(value) << "\n"
                             << fmt::format("{}", fmt::join(found, "\n"));
  EXPECT_EQ(e2e::fingerprints(left.findings), e2e::fingerprints(right.findings)) << to_text(value);
}

TEST(Determinism, SameCaseSameObservations) {
  constexpr unsigned kCases = 60;
  std::vector<Case> cases;
  for (unsigned seed = 1; seed <= kCases; ++seed) cases.push_back(test::random_case(1000 + seed));
  Player first = e2e::player(e2e::kNewest);
  std::vector<PlayedCase> once;
  for (const Case& value : cases) once.push_back(e2e::play(first, value));
  for (std::size_t i = 0; i < kCases; ++i)
    expect_same(cases[i], once[i], e2e::play(first, cases[i]), "twice in one player");
  // In another order, so that nothing a case leaves behind goes unseen.
  Player fresh = e2e::player(e2e::kNewest);
  for (std::size_t i = kCases; i-- > 0;)
    expect_same(cases[i], once[i], e2e::play(fresh, cases[i]), "in a fresh player, backwards");
}

// --- a parent that hangs or dies

// In the same process an arrival happens in the parent.
TEST(ParentTrouble, AHangIsAFindingAndTheNextCaseIsPlayed) {
  Player player =
      e2e::player(e2e::kNewest, {.planted = "arrival never ends", .deadline = Milliseconds(500)});
  Case value = test::plain_case();
  value.transport = Transport::kSameProcess;
  for (int i = 0; i < 2; ++i) {
    const PlayedCase played = e2e::play(player, value);
    ASSERT_EQ(played.findings.size(), 1U);
    const Disagreement& told = played.findings[0].told;
    EXPECT_EQ(told.oracle, "deadline");
    EXPECT_EQ(told.wrong, "hangs the parent");
    const TimedOut* hang = std::get_if<TimedOut>(&told.child);
    ASSERT_TRUE(hang);
    EXPECT_NE(hang->stacks.find("planted.py"), std::string::npos) << hang->stacks;
  }
  value.carrier = Carrier::kMadeAnew;
  EXPECT_TRUE(e2e::play(player, value).arrived);
}

TEST(ParentTrouble, ADeathIsAFindingAndTheNextCaseIsPlayed) {
  Player player = e2e::player(e2e::kNewest, {.planted = "arrival kills the parent"});
  Case value = test::plain_case();
  value.transport = Transport::kSameProcess;
  for (int i = 0; i < 2; ++i) {
    const PlayedCase played = e2e::play(player, value);
    ASSERT_EQ(played.findings.size(), 1U);
    EXPECT_EQ(played.findings[0].fingerprint, "zip-survival-parent-SIGABRT");
    EXPECT_TRUE(std::holds_alternative<Crashed>(played.findings[0].told.child));
  }
  value.carrier = Carrier::kMadeAnew;
  EXPECT_TRUE(e2e::play(player, value).arrived);
}

// --- containment

// A folder beside the scratch folder, as seen from where a case's store lies.
class Containment : public testing::Test {
 protected:
  // "../../…/<name>/victim" from the folder `below`.
  std::string way_out(const e2e::fs::path& below) const {
    return e2e::fs::relative(victim(), below).string();
  }
  e2e::fs::path victim() const { return outside_.path() / "victim"; }

  void SetUp() override {
    e2e::fs::create_directory(victim());
    outside_.write("victim/precious", "still here");
  }
  void expect_alive() const {
    EXPECT_EQ(test::read_file(victim() / "precious"), "still here");
    EXPECT_EQ(std::distance(e2e::fs::directory_iterator(victim()), {}), 1);
  }

 private:
  test::Folder outside_;
};

TEST_F(Containment, KeepsTheParentFromDeletingOutside) {
  Player player = e2e::player(e2e::kNewest);
  if (player.containment().find("has no Landlock") != std::string::npos) GTEST_SKIP();
  Case value = test::plain_case();
  value.store = test::kLocal;
  value.lifecycle = Lifecycle::kOpen;
  normalise(value);
  // player-N/deep/er/case/store; how deep is not promised, so every depth is tried.
  for (int up = 4; up < 14; ++up) {
    std::string key;
    for (int i = 0; i < up; ++i) key += "../";
    for (const What what : {What::kDelete, What::kSet}) {
      value.operations = {{.what = what, .entry = {.key = key + victim().string().substr(1)}}};
      e2e::play(player, value);
      value.operations[0].entry.key += "/precious";
      e2e::play(player, value);
    }
  }
  expect_alive();
}

TEST_F(Containment, KeepsEveryChildFromDeletingOutside) {
  Player player = e2e::player(e2e::kNewest, {.planted = "arrival deletes the victim"});
  if (player.containment().find("has no Landlock") != std::string::npos) GTEST_SKIP();
  Case value = test::plain_case();
  // The planted loss takes what to delete from an entry of the archive, and tells what came of it.
  value.archive->entries.push_back({.key = "victim", .value = victim().string()});
  for (const Transport transport : all_of<Transport>()) {
    value.transport = transport;
    const PlayedCase played = e2e::play(player, value);
    EXPECT_NE(played.observations.dump().find("PermissionError"), std::string::npos)
        << name_of(transport) << ": nobody tried\n"
        << played.observations.dump(1);
  }
  expect_alive();
}

TEST_F(Containment, KeepsAScriptFromDeletingOutside) {
  const e2e::fs::path script = e2e::scratch() / "delete.py";
  e2e::must(write_file_whole(script, fmt::format("import shutil, sys\n"
                                                 "try:\n"
                                                 "    shutil.rmtree({0:?})\n"
                                                 "except PermissionError:\n"
                                                 "    print('DEFECT: forbidden')\n"
                                                 "    sys.exit(1)\n",
                                                 victim().string())));
  const auto confirmed = e2e::must(confirm(
      script, "forbidden", {.python = e2e::python(e2e::kNewest), .scratch = e2e::scratch()}));
  EXPECT_TRUE(confirmed.confirmed) << confirmed.output;
  expect_alive();
}

}  // namespace
}  // namespace storefuzz
