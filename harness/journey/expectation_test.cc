// The model follows what the case says and what was acknowledged, and says when it does not know.
#include "harness/journey/expectation.h"

#include <gtest/gtest.h>

#include "harness/testing/sound_world.h"

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

Expectation expect_new(const Case& value) { return expect(value, std::vector<Answer>{}); }

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
  const Expectation it = expect_new(value);
  EXPECT_TRUE(it.unclaimed);
  EXPECT_EQ(it.content, Content{});
}

TEST(Expectation, ModeXIsRefusedWhereTheFileIs) {
  Case value = zip(Mode::kExclusive, {});
  value.lifecycle = Lifecycle::kNew;
  EXPECT_TRUE(expect_new(value).exists_already);
  value.archive.reset();
  EXPECT_FALSE(expect_new(value).exists_already);
  EXPECT_TRUE(expect_new(value).unclaimed);
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
  EXPECT_TRUE(expect_new(value).missing);
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
  Case value = zip(Mode::kAppend, {set("b/c", "x"), erase("a")});
  value.store = test::kLocal;
  normalise(value);
  const Expectation it = expect_but(value);
  EXPECT_FALSE(it.pending);
  EXPECT_TRUE(it.certain);
  EXPECT_EQ(it.content, (Content{{"b/c", "x"}}));
}

// A whole folder may go by its name, or stay: both are documented somewhere.
TEST(Expectation, DeletingAFolderByItsNameLeavesDoubtInAStoreOfFiles) {
  for (const char* word : {"local", "fsspec memory", "logging over local"}) {
    Case value = zip(Mode::kAppend, {set("b/c", "x"), erase("b")});
    value.store = test::store(word);
    normalise(value);
    EXPECT_FALSE(expect_but(value).certain) << word;
  }
  Case value = zip(Mode::kAppend, {set("b/c", "x"), erase("b")});
  value.store = test::store("memory");
  normalise(value);
  EXPECT_TRUE(expect_but(value).certain);
  EXPECT_TRUE(expect_but(value).content.contains("b/c"));
}

TEST(Expectation, OddKeysOfALocalStoreLeaveDoubt) {
  Case value = zip(Mode::kAppend, {set("a//b", "x")});
  value.store = test::kLocal;
  normalise(value);
  EXPECT_FALSE(expect_but(value).certain);
}

TEST(Expectation, FewerAnswersThanOperationsAreNoTrouble) {
  EXPECT_EQ(expect_new(zip(Mode::kAppend, {set("b", "x")})).content, (Content{{"a", "old"}}));
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
  const auto names = [&](Lifecycle lifecycle, std::vector<Operation> operations) {
    Case it = zip(Mode::kRead, std::move(operations));
    it.lifecycle = lifecycle;
    std::string text;
    for (const Operation& operation : operations_of(it))
      text += std::string(name_of(operation.what)) + " ";
    return text;
  };
  const std::vector<Operation> listed{{.what = What::kList}};
  EXPECT_EQ(names(Lifecycle::kReopened, listed), "list close reopen ");
  EXPECT_EQ(names(Lifecycle::kReopened, {}), "open close reopen ");
  EXPECT_EQ(names(Lifecycle::kUsedAfterClose, {}), "open close list ");
  EXPECT_EQ(names(Lifecycle::kInsideWith, listed), "list enter open ");
}

// --- what a child sees

struct Away {
  const char* store;
  Carrier carrier;
  Transport transport;
  bool same;         // the child sees the parent's content
  bool one_content;  // what the child writes, the parent sees
};

Case travelling(const char* word, Carrier carrier, Transport transport) {
  Case value = zip(Mode::kAppend, {set("b", "x")});
  value.store = test::store(word);
  value.lifecycle = Lifecycle::kClosed;
  value.carrier = carrier;
  value.transport = transport;
  normalise(value);
  return value;
}

TEST(Away, DependsOnWhereTheContentLiesAndOnWhatIsCarried) {
  using C = Carrier;
  using T = Transport;
  const Away all[] = {
      // A place: everybody who is told its name.
      {"zip", C::kPickle5, T::kSpawn, true, true},
      {"local", C::kMadeAnew, T::kForkserver, true, true},
      {"fsspec local", C::kDask, T::kFork, true, true},
      {"logging over local", C::kDeepcopy, T::kThread, true, true},
      // An object: what is pickled takes a copy along.
      {"memory", C::kPickle5, T::kSameProcess, true, false},
      {"memory", C::kCloudpickle, T::kSpawn, true, false},
      {"memory", C::kCopy, T::kThread, true, true},
      {"memory", C::kDeepcopy, T::kThread, true, false},
      {"memory", C::kHandedOver, T::kThread, true, true},
      {"memory", C::kInherited, T::kFork, true, false},
      {"memory", C::kMadeAnew, T::kSameProcess, false, false},
      {"object memory", C::kMadeAnew, T::kSpawn, false, false},
      {"cache over memory", C::kPickle0, T::kFork, true, false},
      // A name in a process: every store of that name there, and what a fork inherits.
      {"managed memory", C::kPickle5, T::kSameProcess, true, true},
      {"managed memory", C::kMadeAnew, T::kThread, true, true},
      {"managed memory", C::kPickle5, T::kFork, true, false},
      {"managed memory", C::kPickle5, T::kSpawn, false, false},
      {"fsspec memory", C::kMadeAnew, T::kForkserver, false, false},
      {"fsspec memory", C::kInherited, T::kFork, true, false},
  };
  for (const Away& it : all) {
    const Case value = travelling(it.store, it.carrier, it.transport);
    const Expectation expected = expect_but(value);
    const std::string who = std::string(it.store) + ", " + describe_journey(value);
    const Content content{{"a", "old"}, {"b", "x"}};
    EXPECT_EQ(expected.content, content) << who;
    EXPECT_TRUE(expected.certain && expected.away_certain) << who;
    EXPECT_EQ(expected.away, it.same ? content : Content{}) << who;
    EXPECT_EQ(expected.one_content, it.one_content) << who;
  }
}

TEST(Away, OfASessionTheModelHasNoOpinion) {
  for (const char* word : {"icechunk", "icechunk fork", "manifest", "logging over icechunk"})
    for (const Carrier carrier : all_of<Carrier>()) {
      const Expectation it = expect_but(travelling(word, carrier, Transport::kFork));
      EXPECT_FALSE(it.certain) << word << ", " << name_of(carrier);
      EXPECT_FALSE(it.away_certain) << word << ", " << name_of(carrier);
    }
}

TEST(Away, WhatOnlyTheParentsHandleHoldsIsNotSeenFromElsewhere) {
  for (const char* word : {"zip", "zip file", "logging over zip"}) {
    Case value = travelling(word, Carrier::kPickle5, Transport::kSpawn);
    value.lifecycle = Lifecycle::kOpen;
    EXPECT_TRUE(expect_but(value).pending) << word;
    EXPECT_TRUE(expect_but(value).certain) << word;
    EXPECT_FALSE(expect_but(value).away_certain) << word;
    value.carrier = Carrier::kHandedOver;
    normalise(value);
    EXPECT_TRUE(expect_but(value).away_certain) << word;
  }
}

// --- what the parent did meanwhile

Expectation expect_after(Case value, Meanwhile what, const Answer& answer = Shown{nullptr}) {
  value.meanwhile = what;
  normalise(value);
  EXPECT_EQ(value.meanwhile, what);
  Observations seen;
  seen.operations.assign(operations_of(value).size(), kDone);
  seen.meanwhile = answer;
  return expect(value, seen);
}

const Content kBefore{{"a", "old"}, {"b", "x"}};
const Content kLater{{"a", "old"}, {"b", "x"}, {"later", "written meanwhile"}};

TEST(Meanwhile, WhatWasRefusedChangesNothing) {
  for (const Meanwhile what : {Meanwhile::kWritesOn, Meanwhile::kDeletesTheFile}) {
    const Case value = travelling("local", Carrier::kPickle5, Transport::kSpawn);
    const Expectation it = expect_after(value, what, kNo);
    EXPECT_EQ(it.content, kBefore);
    EXPECT_EQ(it.away, kBefore);
    EXPECT_FALSE(it.gone);
    EXPECT_TRUE(it.certain && it.away_certain);
  }
}

TEST(Meanwhile, WhatIsWrittenToAPlaceIsSeenByAll) {
  for (const char* word : {"local", "fsspec local", "wrapper over local"}) {
    const Expectation it =
        expect_after(travelling(word, Carrier::kPickle5, Transport::kSpawn), Meanwhile::kWritesOn);
    EXPECT_EQ(it.content, kLater) << word;
    EXPECT_EQ(it.away, kLater) << word;
    EXPECT_TRUE(it.certain && it.away_certain) << word;
  }
}

TEST(Meanwhile, WhatIsWrittenToAnArchiveIsPending) {
  const Expectation it =
      expect_after(travelling("zip", Carrier::kPickle5, Transport::kSpawn), Meanwhile::kWritesOn);
  EXPECT_EQ(it.content, kLater);
  EXPECT_TRUE(it.pending && it.certain);
  EXPECT_FALSE(it.away_certain);
}

TEST(Meanwhile, WhatIsWrittenToAnObjectIsSeenByWhoeverHasThatContent) {
  const auto after = [](Carrier carrier, Transport transport) {
    return expect_after(travelling("memory", carrier, transport), Meanwhile::kWritesOn);
  };
  EXPECT_EQ(after(Carrier::kPickle5, Transport::kSpawn).away, kBefore);
  EXPECT_EQ(after(Carrier::kCopy, Transport::kThread).away, kLater);
  EXPECT_EQ(after(Carrier::kDeepcopy, Transport::kThread).away, kBefore);
  EXPECT_EQ(after(Carrier::kPickle5, Transport::kSpawn).content, kLater);
  // A fork begins after the parent has written; what was pickled before may go either way.
  EXPECT_FALSE(after(Carrier::kPickle5, Transport::kFork).away_certain);
  EXPECT_TRUE(after(Carrier::kPickle5, Transport::kSpawn).away_certain);
}

TEST(Meanwhile, AClosedArchiveIsNoLongerPending) {
  Case value = travelling("zip", Carrier::kPickle5, Transport::kSpawn);
  value.lifecycle = Lifecycle::kOpen;
  EXPECT_TRUE(expect_but(value).pending);
  const Expectation it = expect_after(value, Meanwhile::kCloses);
  EXPECT_FALSE(it.pending);
  EXPECT_TRUE(it.certain && it.away_certain);
  EXPECT_EQ(it.away, kBefore);
}

TEST(Meanwhile, WhatIsDeletedIsGoneWhereThereIsAFile) {
  for (const char* word : {"zip", "local", "fsspec zip", "logging over local"}) {
    const Expectation it = expect_after(travelling(word, Carrier::kPickle5, Transport::kSpawn),
                                        Meanwhile::kDeletesTheFile);
    EXPECT_TRUE(it.gone) << word;
    EXPECT_FALSE(it.certain || it.away_certain) << word;
  }
  const Expectation it = expect_after(travelling("memory", Carrier::kPickle5, Transport::kSpawn),
                                      Meanwhile::kDeletesTheFile);
  EXPECT_FALSE(it.gone);
  EXPECT_TRUE(it.certain && it.away_certain);
}

TEST(Meanwhile, AForgottenStoreTakesItsNameOrItsHandleAlong) {
  const auto sure = [](const Case& value) {
    const Expectation it = expect_after(value, Meanwhile::kForgetsTheStore);
    EXPECT_EQ(it.certain, it.away_certain);
    return it.certain;
  };
  Case open = travelling("zip", Carrier::kPickle5, Transport::kSpawn);
  EXPECT_TRUE(sure(open));
  open.lifecycle = Lifecycle::kOpen;
  EXPECT_FALSE(sure(open));
  EXPECT_FALSE(sure(travelling("managed memory", Carrier::kPickle5, Transport::kFork)));
  EXPECT_TRUE(sure(travelling("memory", Carrier::kPickle5, Transport::kSpawn)));
  EXPECT_TRUE(sure(travelling("local", Carrier::kPickle5, Transport::kSpawn)));
}

TEST(Meanwhile, TheRestChangesNoContent) {
  for (const Meanwhile what :
       {Meanwhile::kChangesDirectory, Meanwhile::kHoldsItsLock, Meanwhile::kHoldsZarrsLock}) {
    const Expectation it =
        expect_after(travelling("local", Carrier::kPickle5, Transport::kSpawn), what);
    EXPECT_EQ(it.content, kBefore);
    EXPECT_EQ(it.away, kBefore);
    EXPECT_TRUE(it.certain && it.away_certain && !it.pending && !it.gone);
  }
}

TEST(Expectation, AnArchiveThatIsNotThereIsMadeByTheFirstUse) {
  Case value = zip(Mode::kAppend, {}, false);
  value.lifecycle = Lifecycle::kNew;
  EXPECT_TRUE(expect_new(value).made_by_use);
  value.lifecycle = Lifecycle::kOpen;
  EXPECT_FALSE(expect_but(value).made_by_use);
  EXPECT_FALSE(expect_new(zip(Mode::kAppend, {})).made_by_use);
  value = {.store = test::kLocal};
  EXPECT_FALSE(expect_new(value).made_by_use);
}

// list() of a folder that is not there is answered, and makes no folder.
TEST(Expectation, AFolderThatIsOnlyReadStaysMissing) {
  Case value{.store = test::kLocal, .operations = {{.what = What::kList}}};
  value.lifecycle = Lifecycle::kUsedAfterClose;
  value.constructor.read_only = true;
  normalise(value);
  EXPECT_TRUE(expect_but(value).missing);
  value.constructor.read_only = false;
  EXPECT_FALSE(expect_but(value).missing);
}

TEST(Expectation, WhatCannotWriteNeedNotBeReadOnly) {
  Case value{.store = test::store("fsspec zip"), .archive = Archive{}};
  normalise(value);
  EXPECT_FALSE(expect_new(value).read_only);
  EXPECT_FALSE(expect_new(value).can_write);
  value.store = test::kLocal;
  normalise(value);
  EXPECT_TRUE(expect_new(value).can_write);
}

TEST(ApplyLook, DoesWhatTheLookDid) {
  Content content{{"a", "1"}, {"f/x", "2"}, {"f/y/z", "3"}, {"fg", "4"}};
  const auto apply = [&](const char* name, std::string key, std::string bytes = "") {
    apply_look(test::store("memory"),
               {.name = name, .entry = {.key = std::move(key), .value = std::move(bytes)}},
               content);
  };
  apply("get", "a");
  apply("try clear", "");
  apply("try set", "a", "no");
  apply("set_if_not_exists", "a", "no");
  EXPECT_EQ(content.at("a"), "1");
  apply("delete_dir", "f");
  EXPECT_EQ(content, (Content{{"a", "1"}, {"fg", "4"}}));
  apply("set", "a", "5");
  apply("set_sync", "b", "6");
  apply("set_if_not_exists", "c", "7");
  EXPECT_EQ(content, (Content{{"a", "5"}, {"b", "6"}, {"c", "7"}, {"fg", "4"}}));
  apply("delete", "a");
  apply("delete_sync", "b");
  EXPECT_EQ(content, (Content{{"c", "7"}, {"fg", "4"}}));
  apply("clear", "");
  EXPECT_EQ(content, Content{});
}

// LocalStore documents that the name of a folder deletes the folder.
TEST(ApplyLook, DeletesAFolderByItsNameOnlyWhereTheStoreSaysSo) {
  for (const auto& [word, left] :
       {std::pair{"local", 1U}, {"logging over local", 1U}, {"memory", 2U}, {"fsspec local", 2U}}) {
    Content content{{"f/x", "1"}, {"g", "2"}};
    apply_look(test::store(word), {.name = "delete", .entry = {.key = "f"}}, content);
    EXPECT_EQ(content.size(), left) << word;
  }
}

TEST(AfterLooks, CountsWhatWasAcknowledged) {
  const std::vector<Look> plan{{.name = "set", .entry = {.key = "a", .value = "1"}},
                               {.name = "set", .entry = {.key = "b", .value = "2"}},
                               {.name = "clear"}};
  const Content had{{"c", "3"}};
  EXPECT_EQ(after_looks(test::kLocal, had, plan, {Shown{}, test::refusal("ValueError")}),
            (Content{{"a", "1"}, {"c", "3"}}));
  EXPECT_EQ(after_looks(test::kLocal, had, plan, {Shown{}, Shown{}, Shown{}}), Content{});
}

// --- the plan

bool wants_writes(const Case& value) {
  return std::ranges::any_of(value.looks, [](LookGroup it) {
    return it == LookGroup::kWrites || it == LookGroup::kDeletes || it == LookGroup::kMove ||
           it == LookGroup::kClear;
  });
}

TEST(Plan, AsksOnlyWhatTheCaseLooksAt) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    const Case value = test::random_case(seed);
    for (const Look& look : test::sound_observations(value).plan)
      ASSERT_TRUE(std::ranges::find(value.looks, look.group) != value.looks.end() ||
                  (look.group == LookGroup::kWrites && wants_writes(value)))
          << to_text(value);
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
  EXPECT_EQ(tries, 8);
}

TEST(Plan, AnOpenArchiveIsNotWrittenByItsChild) {
  Case value = zip(Mode::kAppend, {});
  value.looks = all_of<LookGroup>();
  EXPECT_TRUE(child_writes(test::sound_observations(value).plan));
  value.lifecycle = Lifecycle::kOpen;
  EXPECT_FALSE(child_writes(test::sound_observations(value).plan));
}

bool asks(const std::vector<Look>& plan, std::string_view name) {
  return std::ranges::any_of(plan, [&](const Look& look) { return look.name == name; });
}

std::vector<Look> plan_of(const char* word, const std::vector<LookGroup>& looks) {
  Case value = travelling(word, Carrier::kPickle5, Transport::kSpawn);
  value.looks = looks;
  return make_plan(value, expect_but(value));
}

TEST(Plan, DeletesAreAskedOfStoresThatDelete) {
  for (const char* word : {"local", "memory", "fsspec local", "logging over memory"}) {
    const std::vector<Look> plan = plan_of(word, {LookGroup::kDeletes});
    for (const char* name : {"set", "set_if_not_exists", "set_sync", "delete", "delete_sync",
                             "delete_dir", "list", "close"})
      EXPECT_TRUE(asks(plan, name)) << word << ": " << name;
  }
  for (const char* word : {"zip", "logging over zip"}) {
    const std::vector<Look> plan = plan_of(word, {LookGroup::kDeletes});
    EXPECT_TRUE(asks(plan, "set")) << word;
    EXPECT_FALSE(asks(plan, "delete") || asks(plan, "delete_dir")) << word;
  }
  EXPECT_FALSE(asks(plan_of("local", {LookGroup::kWrites}), "delete"));
}

// What the child's deletes leave behind is what it had, and the probe.
TEST(Plan, DeletesClearUpAfterThemselves) {
  Content content{{"a", "1"}, {"c/0", "2"}};
  for (const Look& look : plan_of("local", {LookGroup::kDeletes}))
    if (!look.name.starts_with("try ")) apply_look(test::kLocal, look, content);
  EXPECT_EQ(
      content,
      (Content{{"a", "1"}, {"c/0", "2"}, {std::string(kProbeKey), std::string(kProbeValue)}}));
}

TEST(Plan, NothingIsWrittenWhereTheStoreCannotOrTheParentGoesOn) {
  EXPECT_FALSE(child_writes(plan_of("fsspec zip", all_of<LookGroup>())));
  EXPECT_FALSE(child_writes(plan_of("manifest", all_of<LookGroup>())));
  const auto writes = [](const char* word, Meanwhile meanwhile, Carrier carrier) {
    Case value = travelling(word, carrier, Transport::kThread);
    value.looks = all_of<LookGroup>();
    value.meanwhile = meanwhile;
    return child_writes(make_plan(value, expect_but(value)));
  };
  EXPECT_TRUE(writes("zip", Meanwhile::kIdle, Carrier::kPickle5));
  EXPECT_FALSE(writes("zip", Meanwhile::kWritesOn, Carrier::kPickle5));
  EXPECT_TRUE(writes("local", Meanwhile::kWritesOn, Carrier::kPickle5));
  EXPECT_FALSE(writes("local", Meanwhile::kIdle, Carrier::kHandedOver));
}

TEST(Plan, AFolderIsAskedForAsIfItWereAKey) {
  Case value{.store = test::kLocal,
             .archive = Archive{.entries = {{.key = "g/a", .value = "x"}}},
             .looks = {LookGroup::kReads}};
  normalise(value);
  const std::vector<Look> plan = make_plan(value, expect_new(value));
  EXPECT_TRUE(std::ranges::any_of(
      plan, [](const Look& look) { return look.name == "get" && look.entry.key == "g"; }));
  value.archive->entries = {{.key = "a", .value = "x"}};
  EXPECT_EQ(make_plan(value, expect_new(value)).size() + 4, plan.size());
}

// --- Python and C++ speak of the same things

TEST(Vocabulary, HasEveryLookOfEveryPlan) {
  std::set<std::string> asked;
  for (const StoreKind kind : test::every_store())
    for (unsigned seed = 0; seed < 60; ++seed) {
      Case value = test::random_case(seed, {kind});
      value.looks = all_of<LookGroup>();
      for (const Look& look : test::sound_observations(value).plan) asked.insert(look.name);
    }
  const Json& looks = test::vocabulary()["zarr 3"]["looks"];
  for (const std::string& name : asked)
    EXPECT_TRUE(looks.contains(name)) << name << " is asked, and has no line";
  for (const auto& [name, line] : looks.items())
    EXPECT_TRUE(asked.contains(name)) << name << " has a line, and is never asked";
}

TEST(Vocabulary, OfEveryInterfaceNamesOnlyWhatThereIs) {
  const Json& usual = test::vocabulary()["zarr 3"];
  for (const char* interface : {"zarr 3 path", "zarr 2"}) {
    const Json& words = test::vocabulary()[interface];
    for (const char* table : {"cargo", "meanwhile", "surroundings", "operations", "looks"})
      for (const auto& [name, line] : words[table].items())
        EXPECT_TRUE(usual[table].contains(name)) << interface << ", " << table << ": " << name;
    for (const What what : all_of<What>())
      EXPECT_TRUE(words["operations"].contains(name_of(what))) << interface << name_of(what);
  }
  for (const StoreKind kind : all_stores())
    EXPECT_TRUE(kind->interface.empty() || test::vocabulary().contains(kind->interface))
        << kind->kind;
}

template <class Enum>
void expect_lines(const Json& table, std::set<std::string> without) {
  for (const Enum it : all_of<Enum>()) {
    const std::string name(name_of(it));
    EXPECT_NE(table.contains(name), without.contains(name)) << name;
  }
  EXPECT_EQ(table.size() + without.size(), all_of<Enum>().size());
}

TEST(Vocabulary, HasEveryWordOfACase) {
  const Json& words = test::vocabulary()["zarr 3"];
  expect_lines<Carrier>(test::vocabulary()["carriers"], {"inherited", "made anew"});
  expect_lines<Cargo>(words["cargo"], {});
  expect_lines<Meanwhile>(words["meanwhile"], {"idle"});
  expect_lines<Surroundings>(words["surroundings"], {});
  expect_lines<What>(words["operations"], {});
  for (const auto& [name, line] : test::vocabulary()["carriers"].items())
    EXPECT_TRUE(line.contains("pack") && line.contains("receive")) << name;
  for (const auto& [name, line] : words["cargo"].items())
    EXPECT_TRUE(line.contains("put") && line.contains("take")) << name;
}

// What the model says the parent wrote is what its line writes.
TEST(Vocabulary, WritesMeanwhileWhatTheModelExpects) {
  for (const char* interface : {"zarr 3", "zarr 3 path", "zarr 2"}) {
    const std::string line = test::vocabulary()[interface]["meanwhile"]["writes on"];
    EXPECT_NE(line.find("\"" + std::string(kLaterKey) + "\""), line.npos) << line;
    EXPECT_NE(line.find("b\"" + std::string(kLaterValue) + "\""), line.npos) << line;
  }
}

TEST(Plan, IsOfBoundedLength) {
  for (unsigned seed = 0; seed < 1000; ++seed)
    ASSERT_LE(test::sound_observations(test::random_case(seed)).plan.size(), 112);
}

}  // namespace
}  // namespace storefuzz
