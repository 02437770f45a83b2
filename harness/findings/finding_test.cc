// Findings: different fields stay apart, what one loss breaks is folded into that loss, and a
// fingerprint can be a file's name.
#include "harness/findings/finding.h"

#include <gtest/gtest.h>

#include "harness/base/text.h"
#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

using test::look_at;
using test::refusal;

constexpr const char* kRelease = "3.4.2";

Case spawned() {
  Case value = test::plain_case();
  value.transport = Transport::kSpawn;
  normalise(value);
  return value;
}

// The child's store arrives without that attribute.
void lose(Observations& seen, const std::string& name) {
  if (seen.child.state) seen.child.state->erase(name);
  std::erase(seen.child.arrived_with, name);
}

std::string all_of(const Judged& judged) {
  std::string text;
  for (const Finding& it : judged.findings) text += it.fingerprint + " (" + it.cause + ")\n";
  return text;
}

TEST(Judge, ASoundWorldHasNoFinding) {
  const Judged judged = judge(spawned(), test::sound_observations(spawned()), {}, kRelease);
  EXPECT_TRUE(judged.findings.empty()) << all_of(judged);
  EXPECT_TRUE(judged.arrived);
  EXPECT_TRUE(judged.quirks.empty());
}

TEST(Judge, AChildThatDiedHasNotArrived) {
  Observations seen = test::sound_observations(spawned());
  seen.child = {.died = Crashed{"SIGSEGV", ""}};
  const Judged judged = judge(spawned(), seen, {}, kRelease);
  EXPECT_FALSE(judged.arrived);
  ASSERT_EQ(judged.findings.size(), 1) << all_of(judged);
  EXPECT_EQ(judged.findings[0].fingerprint, "zip-survival-child-SIGSEGV");
}

// The defect that the project was born from: one loss, many faces.
TEST(Judge, EverythingALostAttributeBreaksIsOneFinding) {
  const Case value = spawned();
  Observations seen = test::sound_observations(value);
  lose(seen, "_read_only");
  const Refused lost = refusal("AttributeError", "_read_only");
  seen.child.state->at("read_only") = lost;
  for (const char* name : {"open_array", "try set", "try set_if_not_exists", "try delete",
                           "try clear", "pickle again"})
    seen.child.looks.at(static_cast<std::size_t>(look_at(seen, name))) = lost;
  const Judged judged = judge(value, seen, {}, kRelease);
  ASSERT_EQ(judged.findings.size(), 1) << all_of(judged);
  const Finding& found = judged.findings[0];
  EXPECT_EQ(found.fingerprint, "zip-attributes-_read_only-lost");
  EXPECT_EQ(found.cause, "_read_only lost");
  EXPECT_NE(found.told.headline.find("`_read_only` is lost"), std::string::npos);
  EXPECT_FALSE(found.symptoms.empty());
  EXPECT_LE(found.symptoms.size(), 8);
}

TEST(Judge, TwoLostAttributesAreTwoFindings) {
  Observations seen = test::sound_observations(spawned());
  seen.child.state->erase("_read_only");
  seen.child.state->erase("path");
  EXPECT_EQ(judge(spawned(), seen, {}, kRelease).findings.size(), 2);
}

TEST(Judge, WhatTheStoreNeverHadIsNotLostOnItsWay) {
  Observations seen = test::sound_observations(spawned());
  const Refused missing = refusal("AttributeError", "_zf");
  for (View* view : {&seen.child, &seen.parent})
    view->looks.at(static_cast<std::size_t>(look_at(seen, "list"))) = missing;
  const Judged judged = judge(spawned(), seen, {}, kRelease);
  ASSERT_EQ(judged.findings.size(), 1) << all_of(judged);
  EXPECT_EQ(judged.findings[0].cause, "_zf missing before opening");
}

TEST(Judge, AQuirkIsCountedAndNoFinding) {
  Observations seen = test::sound_observations(spawned());
  seen.child.state->erase("_lock");
  const std::vector<Quirk> quirks{{.id = "locks stay",
                                   .store = "zip",
                                   .oracle = "attributes",
                                   .field = "_lock",
                                   .wrong = "lost"}};
  const Judged judged = judge(spawned(), seen, quirks, kRelease);
  EXPECT_TRUE(judged.findings.empty()) << all_of(judged);
  EXPECT_EQ(judged.quirks.at("locks stay"), 1);
  EXPECT_EQ(judge(spawned(), seen, {}, kRelease).findings.size(), 1);
}

TEST(Judge, AnOracleThatIsOffSaysNothing) {
  Observations seen = test::sound_observations(spawned());
  seen.child.state->erase("_lock");
  EXPECT_TRUE(judge(spawned(), seen, {}, kRelease, {"attributes"}).findings.empty());
}

TEST(Judge, AnEmptiedArchiveExplainsWhatIsReadFromIt) {
  const Case value = spawned();
  Observations seen = test::sound_observations(value);
  for (Mark* mark :
       {&seen.child.mark_after_receiving, &seen.child.mark_after_leaving, &seen.mark_end}) {
    mark->files["store.zip"] = {22, 0};
    mark->entries.emplace();
  }
  test::Content empty;
  seen.child.looks = test::sound_looks(test::kZip, seen.plan, empty);
  const Judged judged = judge(value, seen, {}, kRelease);
  ASSERT_EQ(judged.findings.size(), 1) << all_of(judged);
  EXPECT_EQ(judged.findings[0].told.wrong, "emptied");
  EXPECT_FALSE(judged.findings[0].symptoms.empty());
}

// --- what is folded into what

int index_of(const Observations& seen, const char* name, const char* key = "") {
  const int index = look_at(seen, name, key);
  EXPECT_GE(index, 0) << name << " is not asked";
  return index;
}

Answer& at(View& view, const Observations& seen, const char* name, const char* key = "") {
  return view.looks.at(static_cast<std::size_t>(index_of(seen, name, key)));
}

// A read-only store that took a write is another store afterwards.
TEST(Judge, AnAcceptedWriteExplainsWhatIsReadAfterwards) {
  Case value = spawned();
  value.twin = true;
  normalise(value);
  Observations seen = test::sound_observations(value);
  at(seen.child, seen, "try set") = Shown{nullptr};
  const Answer more = Shown{Json::array({"a", "b/c", "probe"})};
  at(seen.parent, seen, "list") = more;
  for (Mark* mark : {&seen.child.mark_after_leaving, &seen.mark_end})
    mark->files["store.zip"] = {170, 1};
  const Judged judged = judge(value, seen, {}, kRelease);
  ASSERT_EQ(judged.findings.size(), 1) << all_of(judged);
  EXPECT_EQ(judged.findings[0].told.oracle, "writable");
  EXPECT_EQ(judged.findings[0].told.wrong, "accepted");
  EXPECT_GE(judged.findings[0].symptoms.size(), 2);
}

// What was moved away is missing wherever one looks for it.
TEST(Judge, AnAcceptedMoveExplainsWhatIsRefusedAfterwards) {
  const Case value = test::plain_case();
  Observations seen = test::sound_observations(value);
  at(seen.child, seen, "try move") = Shown{nullptr};
  at(seen.parent, seen, "try set") = test::refusal("FileNotFoundError");
  at(seen.parent, seen, "get", "a") = test::refusal("FileNotFoundError");
  seen.strange_files = {"store.zip.moved"};
  const Judged judged = judge(value, seen, {}, kRelease);
  ASSERT_EQ(judged.findings.size(), 1) << all_of(judged);
  EXPECT_EQ(judged.findings[0].told.field, "try move");
  EXPECT_EQ(judged.findings[0].symptoms.size(), 3);
}

// Once its child has cleared it, even a store of mode r writes.
TEST(Judge, AnAcceptedClearExplainsTheWritesThatAreAcceptedAfterwards) {
  Case value = test::plain_case();
  value.constructor.read_only = false;
  Observations seen = test::sound_observations(value);
  at(seen.child, seen, "try clear") = at(seen.parent, seen, "try clear") = Shown{nullptr};
  at(seen.parent, seen, "try set") = Shown{nullptr};
  const Judged judged = judge(value, seen, {}, kRelease);
  ASSERT_EQ(judged.findings.size(), 1) << all_of(judged);
  EXPECT_EQ(judged.findings[0].told.field, "try clear");
}

// What the child itself reads wrongly no write of its own explains: writes come last.
TEST(Judge, AnAcceptedWriteDoesNotExplainWhatTheChildReadBefore) {
  Observations seen = test::sound_observations(spawned());
  at(seen.child, seen, "try set") = Shown{nullptr};
  for (View* view : {&seen.child, &seen.parent})
    at(*view, seen, "get", "a") = Shown{{{"bytes", "wrong"}}};
  const Judged judged = judge(spawned(), seen, {}, kRelease);
  EXPECT_EQ(judged.findings.size(), 2) << all_of(judged);
}

TEST(Judge, WhatOneLookShowsFirstTheLooksAfterItShowAgain) {
  Observations seen = test::sound_observations(spawned());
  for (const char* name : {"get", "getsize"})
    for (View* view : {&seen.child, &seen.parent, &seen.returned})
      if (!view->looks.empty()) at(*view, seen, name, "a") = Shown{7};
  const Judged judged = judge(spawned(), seen, {}, kRelease);
  const auto told = std::ranges::count_if(
      judged.findings, [](const Finding& it) { return it.told.side == "child"; });
  EXPECT_EQ(told, 1) << all_of(judged);
  EXPECT_FALSE(judged.findings[0].symptoms.empty());
}

// One stale read after `set_sync`, another after a key was written over: two ways to be wrong.
TEST(Judge, WhatAnOddQuestionShowsIsNotFoldedIntoAnotherOne) {
  Case value = spawned();
  value.store = test::kLocal;
  value.looks = {LookGroup::kDeletes};
  normalise(value);
  Observations seen = test::sound_observations(value);
  std::set<std::string> odd;
  for (std::size_t i = 0; i < seen.plan.size(); ++i) {
    const std::string& about = seen.plan[i].about;
    if (seen.plan[i].name != "get") continue;
    if (!about.ends_with("set_sync") && !about.ends_with("written over")) continue;
    odd.insert(field_of(seen.plan[i]));
    seen.child.looks[i] = Shown{shown_bytes("stale")};
  }
  ASSERT_EQ(odd.size(), 2);
  std::set<std::string> told;
  for (const Finding& found : judge(value, seen, {}, kRelease).findings)
    told.insert(found.told.field);
  EXPECT_EQ(told, odd);
}

TEST(Judge, WhatAStoreGetsWrongByItselfItGetsWrongBesideAnotherAsWell) {
  Case value = spawned();
  value.twin = true;
  normalise(value);
  Observations seen = test::sound_observations(value);
  for (View* view : {&seen.child, &seen.parent}) at(*view, seen, "getsize", "a") = Shown{7};
  Judged judged = judge(value, seen, {}, kRelease);
  for (const Finding& it : judged.findings) EXPECT_NE(it.told.oracle, "stores agree");
  EXPECT_FALSE(judged.findings.empty());
  // Alone, a disagreement of stores is a finding.
  judged = judge(value, seen, {}, kRelease, {"expectation"});
  ASSERT_EQ(judged.findings.size(), 1) << all_of(judged);
  EXPECT_EQ(judged.findings[0].told.oracle, "stores agree");
  EXPECT_EQ(judged.findings[0].cause, "stores disagree about getsize");
}

// One object on both sides loses nothing on a way it did not go.
TEST(Judge, WhatWasInheritedOrHandedOverLostNothingOnItsWay) {
  for (const Carrier carrier : {Carrier::kInherited, Carrier::kHandedOver}) {
    Case value = test::plain_case();
    value.carrier = carrier;
    value.transport = carrier == Carrier::kInherited ? Transport::kFork : Transport::kThread;
    normalise(value);
    Observations seen = test::sound_observations(value);
    at(seen.child, seen, "list") = refusal("AttributeError", "_read_only");
    const Judged judged = judge(value, seen, {}, kRelease);
    ASSERT_FALSE(judged.findings.empty());
    EXPECT_EQ(judged.findings[0].cause, "_read_only missing before opening") << all_of(judged);
  }
}

TEST(Judge, AGrandchildThatDiesIsAFindingOfItsOwn) {
  Case value = spawned();
  value.comes_back = ComesBack::kGrandchild;
  normalise(value);
  Observations seen = test::sound_observations(value);
  seen.returned = {.died = Crashed{"SIGSEGV", ""}};
  const Judged judged = judge(value, seen, {}, kRelease);
  ASSERT_EQ(judged.findings.size(), 1) << all_of(judged);
  EXPECT_EQ(judged.findings[0].fingerprint, "zip-survival-grandchild-SIGSEGV");
  EXPECT_TRUE(judged.arrived) << "the child itself came to look";
}

TEST(Judge, TheStoreThatWrapsStandsInTheFingerprint) {
  Case value = spawned();
  value.store = test::store("logging over zip");
  Observations seen = test::sound_observations(value);
  lose(seen, "_store._read_only");
  const Judged judged = judge(value, seen, {}, kRelease);
  ASSERT_EQ(judged.findings.size(), 1) << all_of(judged);
  EXPECT_TRUE(judged.findings[0].fingerprint.starts_with("logging-over-zip-attributes-"));
}

TEST(Judge, AQuirkOfAStoreIsOneOfWhatWrapsIt) {
  Case value = spawned();
  const std::vector<Quirk> quirks{{.id = "locks stay",
                                   .store = "zip",
                                   .oracle = "attributes",
                                   .field = "_lock",
                                   .wrong = "lost"}};
  for (const auto& [word, inner] : {std::pair{"zip", ""},
                                    {"logging over zip", "_store."},
                                    {"cache over wrapper over zip", "_store._store."}}) {
    value.store = test::store(word);
    Observations seen = test::sound_observations(value);
    lose(seen, inner + std::string("_lock"));
    const Judged judged = judge(value, seen, quirks, kRelease);
    EXPECT_TRUE(judged.findings.empty()) << word << ": " << all_of(judged);
    EXPECT_EQ(judged.quirks.at("locks stay"), 1) << word;
  }
}

TEST(Judge, TheVerdictsAreAFeatureThatRepeatsAndTellsCasesApart) {
  const Case value = spawned();
  const Observations seen = test::sound_observations(value);
  Observations other = seen;
  other.child.state->erase("path");
  EXPECT_EQ(judge(value, seen, {}, kRelease).verdicts, judge(value, seen, {}, kRelease).verdicts);
  EXPECT_NE(judge(value, seen, {}, kRelease).verdicts, judge(value, other, {}, kRelease).verdicts);
}

// --- fingerprints

std::string fingerprint_of(const Case& value, const Observations& seen, std::string_view field) {
  for (const Finding& it : judge(value, seen, {}, kRelease).findings)
    if (it.told.field == field) return it.fingerprint;
  ADD_FAILURE() << "no finding about " << field;
  return "";
}

// Three stores that cannot be packed, each for a reason of its own.
TEST(Cause, OfARefusalToBePackedIsWhatItSays) {
  const Case value = test::plain_case();
  std::set<std::string> causes;
  for (const char* text : {"cannot pickle a lock", "cannot pickle a file", "has no state"}) {
    Observations seen = test::sound_observations(value);
    Refused refusal = test::refusal("TypeError");
    refusal.text = text;
    refusal.frame.clear();
    seen.packed = refusal;
    for (const Finding& found : judge(value, seen, {}, kRelease).findings)
      if (found.told.step == "packing") causes.insert(found.cause);
  }
  EXPECT_EQ(causes.size(), 3);
}

TEST(Fingerprint, OfDifferentFieldsDiffer) {
  std::set<std::string> fingerprints;
  for (const char* field : {"_read_only", "read_only", "path", "_lock"}) {
    Observations seen = test::sound_observations(spawned());
    seen.child.state->at(field) = refusal("OSError");
    fingerprints.insert(fingerprint_of(spawned(), seen, field));
  }
  EXPECT_EQ(fingerprints.size(), 4);
}

TEST(Fingerprint, OfDifferentQuestionsOfEqualityDiffer) {
  std::set<std::string> fingerprints;
  for (const char* question : {"copy == store", "store == copy", "copy != store"}) {
    Observations seen = test::sound_observations(test::plain_case());
    seen.child.equality.at(question) = Shown{std::string_view(question) == "copy != store"};
    fingerprints.insert(fingerprint_of(test::plain_case(), seen, question));
  }
  EXPECT_EQ(fingerprints.size(), 3) << *fingerprints.begin();
}

TEST(Fingerprint, OfLongFieldsThatDifferAtTheirEndDiffer) {
  std::set<std::string> fingerprints;
  for (const char* end : {"one", "two"}) {
    const std::string field = std::string(130, 'x') + end;
    Observations seen = test::sound_observations(spawned());
    seen.state_before[field] = seen.state_packed[field] = Shown{1};
    fingerprints.insert(fingerprint_of(spawned(), seen, field));
  }
  EXPECT_EQ(fingerprints.size(), 2);
}

TEST(Fingerprint, IsTheSameForEveryCarrierTransportAndContent) {
  std::set<std::string> fingerprints;
  for (unsigned seed = 0; seed < 300; ++seed) {
    const Case value = test::random_case(seed, {test::kZip});
    Observations seen = test::sound_observations(value);
    if (value.carrier == Carrier::kMadeAnew || value.carrier == Carrier::kHandedOver ||
        value.carrier == Carrier::kInherited)
      continue;
    lose(seen, "_read_only");
    for (const Finding& it : judge(value, seen, {}, kRelease).findings)
      if (it.told.field == "_read_only") fingerprints.insert(it.fingerprint);
  }
  EXPECT_EQ(fingerprints.size(), 1);
}

TEST(ParentHang, IsNamedByItsPlace) {
  const Finding found = parent_hang(spawned(),
                                    "Thread 0x1 (most recent call first):\n"
                                    "  File \"/e/zarr/core/sync.py\", line 1 in sync\n"
                                    "  File \"/r/side.py\", line 1 in answer\n");
  EXPECT_EQ(found.fingerprint, "zip-deadline-zarr-core-sync.py-sync-hangs-the-parent");
  EXPECT_EQ(found.told.side, "parent");
  EXPECT_NE(parent_crash(spawned(), "SIGSEGV", "").fingerprint,
            parent_crash(spawned(), "SIGABRT", "").fingerprint);
}

// --- slugs

TEST(Slug, IsOnePathComponent) {
  EXPECT_EQ(slug("zip-attributes-_read_only-lost"), "zip-attributes-_read_only-lost");
  EXPECT_EQ(slug("zarr/core/sync.py:sync"), "zarr-core-sync.py-sync");
  EXPECT_EQ(slug("  a  --  b  "), "a-b");
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::string text;
    for (const std::byte byte : test::random_bytes(seed, seed % 200))
      text += static_cast<char>(byte);
    const std::string name = slug(text);
    EXPECT_LE(name.size(), 120);
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789_.-"),
              name.npos);
    EXPECT_EQ(name.find("--"), name.npos);
    EXPECT_FALSE(name.starts_with('-') || name.ends_with('-')) << name;
    EXPECT_EQ(slug(name), name);
  }
}

// "." and ".." would be folders that are there already.
TEST(Slug, IsNeverADotFolder) {
  for (const char* text : {".", "..", "../..", "/../", "..."}) {
    EXPECT_NE(slug(text), ".") << text;
    EXPECT_NE(slug(text), "..") << text;
  }
}

// --- JSON

TEST(Finding, ComesBackFromJson) {
  Observations seen = test::sound_observations(spawned());
  seen.child.state->erase("path");
  seen.child.looks.at(static_cast<std::size_t>(look_at(seen, "get", "a"))) = refusal("OSError");
  const Judged judged = judge(spawned(), seen, {}, kRelease);
  ASSERT_GE(judged.findings.size(), 2);
  for (const Finding& found : judged.findings) {
    const auto again = finding_from_json(to_json(found));
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(to_json(*again), to_json(found));
  }
}

TEST(Finding, BrokenJsonIsAnErrorAndNeverAnException) {
  for (const char* text : {"null", "[]", "7", R"({"look": "x"})", R"({"fingerprint": 7})",
                           R"({"symptoms": 7})", R"({"symptoms": [7]})", R"({"parent": 7})"})
    EXPECT_NO_THROW({
      const auto found = finding_from_json(Json::parse(text));
      EXPECT_FALSE(found.has_value()) << text;
    }) << text;
}

}  // namespace
}  // namespace storefuzz
