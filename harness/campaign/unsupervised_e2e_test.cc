// What a target does with a difference when no supervisor listens, with real zarr.
#include <gtest/gtest.h>

#include "harness/campaign/unsupervised.h"
#include "harness/testing/program_runs.h"

namespace storefuzz {
namespace {

Settings settings_with(const std::string& known, const std::string& planted = "") {
  Settings settings;
  settings.python = e2e::python(e2e::kNewest);
  settings.scratch = e2e::scratch().string();
  settings.stores = "zip";
  settings.planted = planted;
  settings.known = known;
  return settings;
}

// The first finding of a program, as the loop sees it.
Finding found_in(const Settings& settings, const std::string& text) {
  const auto session = e2e::must(ProgramSession::start(settings));
  const program::Case value = e2e::must(program::parse_case(text));
  std::vector<Finding> found = findings_of(value, e2e::play(*session, value).differences);
  if (found.empty()) std::abort();
  return std::move(found.front());
}

// reports/defects/zip-overwritten-key-listed-twice.md, with more around it.
constexpr const char* kListedTwice = R"({"format":2,"program":[
  {"make":"zip","at":"z","mode":"w","as":"s0"},
  {"call":"set","on":"s0","key":"b","value":"b@1"},
  {"call":"set","on":"s0","key":"a","value":"a@2"},
  {"call":"set","on":"s0","key":"a","value":"a@3"},
  {"call":"list","on":"s0"}]})";

TEST(Unsupervised, AKnownCauseEndsNoTarget) {
  const Settings settings = settings_with("shipped");
  const auto unsupervised = e2e::must(Unsupervised::start(settings, e2e::kNewest));
  EXPECT_FALSE(e2e::must(unsupervised->look_at(found_in(settings, kListedTwice))));
}

TEST(Unsupervised, AnUnknownOneIsReducedAndConfirmedAndLookedAtOnceAmongTen) {
  const Settings settings = settings_with("none");
  const auto unsupervised = e2e::must(Unsupervised::start(settings, e2e::kNewest));
  const Finding found = found_in(settings, kListedTwice);
  const auto fresh = e2e::must(unsupervised->look_at(found));
  ASSERT_TRUE(fresh);
  EXPECT_EQ(fresh->cause.key, "listing / twice / list on zip / a name written twice");
  EXPECT_NE(fresh->script.find("DEFECT: "), std::string::npos) << fresh->script;
  for (int time = 2; time < 10; ++time)
    EXPECT_FALSE(e2e::must(unsupervised->look_at(found))) << time;
  EXPECT_TRUE(e2e::must(unsupervised->look_at(found)));
}

TEST(Unsupervised, WhatIsPlantedIsNewBesideWhatIsKnown) {
  const Settings settings = settings_with("shipped", "state drops _read_only");
  const auto unsupervised = e2e::must(Unsupervised::start(settings, e2e::kNewest));
  const Finding found =
      found_in(settings, test::read_file(e2e::fs::path(source_folder()) / "corpus" / "regressions" /
                                         "zip_read_only_lost.json"));
  const auto fresh = e2e::must(unsupervised->look_at(found));
  ASSERT_TRUE(fresh);
  EXPECT_NE(fresh->cause.key.find("read_only"), std::string::npos) << fresh->cause.key;
}

TEST(Unsupervised, AListThatIsNotThereIsSaid) {
  const auto unsupervised = Unsupervised::start(settings_with("/no/such/list"), e2e::kNewest);
  ASSERT_FALSE(unsupervised);
  EXPECT_EQ(unsupervised.error().code, ExitCode::kBadInput);
}

TEST(Unsupervised, ServicesTellCausesApartByAHashWithinEightyCharacters) {
  const std::string line = assertion_line("reads / absent / get on zip");
  EXPECT_EQ(line, "Assertion failure: FuzzerHash=a0deb4061e9f34f5 reads / absent / get on zip");
  EXPECT_NE(line.substr(0, 60), assertion_line("reads / absent / get on zit").substr(0, 60));
}

}  // namespace
}  // namespace storefuzz
