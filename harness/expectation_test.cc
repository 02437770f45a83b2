// The model follows what the case says and what was acknowledged, and says when it does not know.
#include "harness/expectation.h"

#include <gtest/gtest.h>

#include "harness/testing.h"

namespace storefuzz {
namespace {

const Answer kDone = Shown{nullptr};
const Answer kNo = test::refusal("ValueError");

Case zip(Mode mode, std::vector<Operation> operations, bool with_archive = true) {
  Case value;
  if (with_archive) value.archive = Archive{.entries = {{.key = "a", .value = "old"}}};
  value.constructor.mode = mode;
  value.operations = std::move(operations);
  value.lifecycle = Lifecycle::kClosed;
  normalise(value);
  return value;
}

Operation set(std::string key, std::string bytes) {
  return {.what = What::kSet, .entry = {std::move(key), std::move(bytes)}};
}
Operation erase(std::string key) {
  return {.what = What::kDelete, .entry = {.key = std::move(key)}};
}

// As if every operation was acknowledged, but those whose index is named.
Expectation expect_but(const Case& value, const std::set<std::size_t>& refusals = {}) {
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < operations_of(value).size(); ++i)
    answers.push_back(refusals.contains(i) ? kNo : kDone);
  return expect(value, answers);
}

using test::Content;

TEST(Expectation, ReadingAnArchiveLeavesItsContent) {
  const Expectation it = expect_but(zip(Mode::kRead, {{.what = What::kList}}));
  EXPECT_TRUE(it.certain);
  EXPECT_TRUE(it.read_only);
  EXPECT_FALSE(it.can_write);
  EXPECT_EQ(it.content, (Content{{"a", "old"}}));
}

TEST(Expectation, ARefusedSetChangesNothing) {
  const Expectation it = expect_but(zip(Mode::kAppend, {set("a", "new"), set("b", "x")}), {0});
  EXPECT_EQ(it.content, (Content{{"a", "old"}, {"b", "x"}}));
}

TEST(Expectation, AnAcknowledgedSetReplaces) {
  const Expectation it = expect_but(zip(Mode::kAppend, {set("a", "new")}));
  EXPECT_EQ(it.content, (Content{{"a", "new"}}));
  EXPECT_TRUE(it.certain);
  EXPECT_FALSE(it.pending);
}

TEST(Expectation, SetIfNotExistsKeepsWhatIsThere) {
  Operation first = set("a", "new");
  Operation second = set("b", "new");
  first.what = second.what = What::kSetIfNotExists;
  EXPECT_EQ(expect_but(zip(Mode::kAppend, {first, second})).content,
            (Content{{"a", "old"}, {"b", "new"}}));
}

TEST(Expectation, AnAcknowledgedDeleteRemovesAndARefusedOneDoesNot) {
  EXPECT_EQ(expect_but(zip(Mode::kAppend, {erase("a")})).content, Content{});
  EXPECT_EQ(expect_but(zip(Mode::kAppend, {erase("a")}), {0}).content, (Content{{"a", "old"}}));
}

TEST(Expectation, ModeWEmptiesAtItsFirstUse) {
  EXPECT_EQ(expect_but(zip(Mode::kWrite, {set("b", "x")})).content, (Content{{"b", "x"}}));
}

TEST(Expectation, ReopenedAWStoreKeepsWhatItAcknowledged) {
  const Expectation it = expect_but(
      zip(Mode::kWrite, {set("b", "x"), {.what = What::kClose}, {.what = What::kReopen}}));
  EXPECT_EQ(it.content, (Content{{"b", "x"}}));
  EXPECT_FALSE(it.unclaimed);
}

TEST(Expectation, AnUnopenedWStoreIsUnclaimed) {
  Case value = zip(Mode::kWrite, {});
  value.lifecycle = Lifecycle::kNew;
  const Expectation it = expect(value, {});
  EXPECT_TRUE(it.unclaimed);
  EXPECT_EQ(it.content, Content{});
}

TEST(Expectation, ModeXIsRefusedWhereTheFileIs) {
  Case value = zip(Mode::kExclusive, {});
  value.lifecycle = Lifecycle::kNew;
  EXPECT_TRUE(expect(value, {}).exists_already);
  value.archive.reset();
  EXPECT_FALSE(expect(value, {}).exists_already);
  EXPECT_TRUE(expect(value, {}).unclaimed);
}

TEST(Expectation, ModeXWritesWhereNothingIs) {
  const Expectation it = expect_but(zip(Mode::kExclusive, {set("b", "x")}, false));
  EXPECT_EQ(it.content, (Content{{"b", "x"}}));
  EXPECT_FALSE(it.exists_already);
  EXPECT_TRUE(it.certain);
}

TEST(Expectation, ModeRMissesAFileThatIsNotThere) {
  Case value = zip(Mode::kRead, {}, false);
  value.lifecycle = Lifecycle::kNew;
  EXPECT_TRUE(expect(value, {}).missing);
}

TEST(Expectation, AnOpenArchiveWithNewEntriesIsPending) {
  Case value = zip(Mode::kAppend, {set("b", "x")});
  value.lifecycle = Lifecycle::kOpen;
  EXPECT_TRUE(expect_but(value).pending);
  value.lifecycle = Lifecycle::kClosed;
  EXPECT_FALSE(expect_but(value).pending);
}

TEST(Expectation, AnOpenArchiveThatWasOnlyReadIsNotPending) {
  Case value = zip(Mode::kAppend, {{.what = What::kGet, .entry = {.key = "a"}}});
  value.lifecycle = Lifecycle::kOpen;
  EXPECT_FALSE(expect_but(value).pending);
}

TEST(Expectation, ACloseThatIsRefusedWithEntriesUnsavedLeavesDoubt) {
  const Case value = zip(Mode::kAppend, {set("b", "x")});
  EXPECT_FALSE(expect_but(value, {1}).certain);
}

TEST(Expectation, AnArgumentOutranksTheMode) {
  Case value = zip(Mode::kAppend, {});
  value.constructor.read_only = true;
  EXPECT_TRUE(expect_but(value).read_only);
  EXPECT_FALSE(expect_but(value).can_write);
}

TEST(Expectation, ALocalStoreWritesWithoutClosing) {
  Case value = zip(Mode::kAppend, {set("b/c", "x"), erase("b")});
  value.store = StoreKind::kLocal;
  normalise(value);
  const Expectation it = expect_but(value);
  EXPECT_FALSE(it.pending);
  EXPECT_EQ(it.content, (Content{{"a", "old"}}));  // a folder is deleted by its name
}

TEST(Expectation, OddKeysOfALocalStoreLeaveDoubt) {
  Case value = zip(Mode::kAppend, {set("a//b", "x")});
  value.store = StoreKind::kLocal;
  normalise(value);
  EXPECT_FALSE(expect_but(value).certain);
}

TEST(Expectation, FewerAnswersThanOperationsAreNoTrouble) {
  EXPECT_EQ(expect(zip(Mode::kAppend, {set("b", "x")}), {}).content, (Content{{"a", "old"}}));
}

TEST(Operations, OfACaseLeadToItsLifecycleState) {
  Case value = zip(Mode::kRead, {{.what = What::kList}});
  EXPECT_EQ(operations_of(value).back().what, What::kClose);
  value.lifecycle = Lifecycle::kOpen;
  EXPECT_EQ(operations_of(value).back().what, What::kOpen);
  value.lifecycle = Lifecycle::kNew;
  normalise(value);
  EXPECT_TRUE(operations_of(value).empty());
  value.lifecycle = Lifecycle::kClosed;
  EXPECT_EQ(operations_of(value).size(), 2) << "nothing closes that was never open";
}

// --- the plan
// -------------------------------------------------------------------------------------

TEST(Plan, AsksOnlyWhatTheCaseLooksAt) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    const Case value = test::random_case(seed);
    for (const Look& look : test::sound_observations(value).plan)
      ASSERT_NE(std::ranges::find(value.looks, look.group), value.looks.end()) << to_text(value);
  }
}

TEST(Plan, WritesComeLastAndWithoutThemNothingElseIsMissing) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    const Case value = test::random_case(seed);
    const std::vector<Look> plan = test::sound_observations(value).plan;
    const auto writes = [](const Look& look) { return look.group == LookGroup::kWrites; };
    const auto first = std::ranges::find_if(plan, writes);
    ASSERT_TRUE(std::all_of(first, plan.end(), writes));
    const std::vector<Look> rest = without_writes(plan);
    ASSERT_FALSE(child_writes(rest));
    for (std::size_t i = 0; i < rest.size(); ++i) ASSERT_EQ(rest[i].name, plan[i].name);
    if (child_writes(plan)) {
      ASSERT_EQ(static_cast<std::ptrdiff_t>(rest.size()), first - plan.begin());
    }
  }
}

TEST(Plan, AReadOnlyStoreIsTriedAndNeverWritten) {
  const std::vector<Look> plan = test::sound_observations(test::plain_case()).plan;
  EXPECT_FALSE(child_writes(plan));
  int tries = 0;
  for (const Look& look : plan) tries += look.name.starts_with("try ");
  EXPECT_EQ(tries, 5);
}

TEST(Plan, AnOpenArchiveIsNotWrittenByItsChild) {
  Case value = zip(Mode::kAppend, {});
  value.looks = all_of<LookGroup>();
  EXPECT_TRUE(child_writes(test::sound_observations(value).plan));
  value.lifecycle = Lifecycle::kOpen;
  EXPECT_FALSE(child_writes(test::sound_observations(value).plan));
}

TEST(Plan, IsOfBoundedLength) {
  for (unsigned seed = 0; seed < 1000; ++seed)
    ASSERT_LE(test::sound_observations(test::random_case(seed)).plan.size(), 48);
}

}  // namespace
}  // namespace storefuzz
