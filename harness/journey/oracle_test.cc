// Each oracle agrees with a sound world, disagrees with one lie that is its own, and has no opinion
// where it can have none. And all of them agree with a sound world whatever the case: a false alarm
// costs a maintainer's evening.
#include "harness/journey/oracle.h"

#include <gtest/gtest.h>

#include <functional>

#include "harness/journey/oracles/all.h"
#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

using test::look_at;
using test::refusal;

Verdict judge_by(std::string_view name, const Case& value, const Observations& seen) {
  for (const Oracle& oracle : oracles())
    if (oracle.name == name) return oracle.judge(value, expect(value, seen), seen);
  ADD_FAILURE() << "there is no oracle " << name;
  return {};
}

std::string all_told(const Verdict& verdict) {
  std::string text;
  for (const Disagreement& found : verdict.found)
    text += found.field + " | " + found.wrong + " | " + found.side + " | " + found.headline + "\n";
  return text + verdict.why;
}

// --- the list

TEST(Oracles, HaveANameAndAQuestionEach) {
  std::set<std::string_view> names;
  for (const Oracle& oracle : oracles()) {
    EXPECT_TRUE(names.insert(oracle.name).second) << oracle.name;
    EXPECT_TRUE(oracle.asks.ends_with("?")) << oracle.asks;
  }
  EXPECT_EQ(names.size(), 13);
}

// --- no false alarm

// False where an oracle disagrees with a sound world.
testing::AssertionResult agree_with_a_sound_world(const Case& value) {
  const Observations seen = test::sound_observations(value);
  const Expectation expected = expect(value, seen);
  // A key that libzip makes no entry of.
  for (const auto& [key, bytes] : expected.content)
    if (value.store->medium == Medium::kZip && (key.empty() || key.find('\0') != key.npos))
      return testing::AssertionSuccess();
  for (const Oracle& oracle : oracles()) {
    const Verdict verdict = oracle.judge(value, expected, seen);
    if (verdict.kind == Verdict::Kind::kDisagree)
      return testing::AssertionFailure()
             << oracle.name << ": " << all_told(verdict) << to_text(value);
  }
  return testing::AssertionSuccess();
}

TEST(Oracles, AgreeWithASoundWorldWhateverTheCase) {
  int failed = 0;
  for (unsigned seed = 0; seed < 8000 && failed < 5; ++seed) {
    const auto silent = agree_with_a_sound_world(test::random_case(seed, test::every_store()));
    failed += !silent;
    EXPECT_TRUE(silent);
  }
}

TEST(Oracles, AgreeWithASoundWorldWhateverTheWildCase) {
  int failed = 0;
  for (unsigned seed = 0; seed < 8000 && failed < 5; ++seed) {
    Case value = test::wild_case(seed);
    normalise(value);
    const auto silent = agree_with_a_sound_world(value);
    failed += !silent;
    EXPECT_TRUE(silent);
  }
}

// Every pair of words, for every store: what a random case seldom is.
TEST(Oracles, AgreeWithASoundWorldOnEveryJourneyOfEveryStore) {
  int judged = 0;
  int failed = 0;
  const auto judge = [&](Case value) {
    if (failed >= 5) return;
    value.looks = all_of<LookGroup>();
    normalise(value);
    const auto silent = agree_with_a_sound_world(value);
    failed += !silent;
    ++judged;
    EXPECT_TRUE(silent);
  };
  unsigned seed = 0;
  for (const StoreKind kind : test::every_store()) {
    for (const Carrier carrier : all_of<Carrier>())
      for (const Transport transport : all_of<Transport>())
        for (const Lifecycle lifecycle : all_of<Lifecycle>()) {
          Case value = test::random_case(++seed, {kind});
          value.carrier = carrier;
          value.transport = transport;
          value.lifecycle = lifecycle;
          judge(value);
        }
    for (const Meanwhile meanwhile : all_of<Meanwhile>())
      for (const Surroundings surroundings : all_of<Surroundings>())
        for (const ComesBack comes_back : all_of<ComesBack>())
          for (const Transport transport : all_of<Transport>()) {
            Case value = test::random_case(++seed, {kind});
            value.meanwhile = meanwhile;
            value.surroundings = surroundings;
            value.comes_back = comes_back;
            value.transport = transport;
            value.twin = true;
            judge(value);
          }
  }
  EXPECT_GT(judged, 10'000);
}

// A child that died, a store that was never made, a plan that nobody answered: still an answer.
TEST(Oracles, AnswerWhateverIsMissing) {
  const auto expect_no_crash = [](const Case& value, const Observations& seen) {
    for (const Oracle& oracle : oracles()) {
      const Verdict verdict = oracle.judge(value, expect(value, seen), seen);
      EXPECT_EQ(verdict.kind == Verdict::Kind::kDisagree, !verdict.found.empty()) << oracle.name;
      EXPECT_EQ(verdict.kind == Verdict::Kind::kNotComparable, !verdict.why.empty()) << oracle.name;
      for (const Disagreement& found : verdict.found) {
        EXPECT_EQ(found.oracle, oracle.name);
        EXPECT_FALSE(found.field.empty() || found.wrong.empty() || found.side.empty());
        EXPECT_FALSE(found.headline.empty()) << oracle.name;
        EXPECT_EQ(found.headline.find('\n'), std::string::npos) << found.headline;
        EXPECT_LT(found.look, static_cast<int>(seen.plan.size()));
      }
    }
  };
  for (unsigned seed = 0; seed < 1000; ++seed) {
    const Case value = test::random_case(seed);
    std::mt19937 random(seed);
    expect_no_crash(value, {});
    Observations seen = test::sound_observations(value);
    const std::function<Answer()> any = [&]() -> Answer {
      switch (random() % 6) {
        case 0:
          return {};
        case 1:
          return Shown{Json(static_cast<int>(random() % 3))};
        case 2:
          return refusal("KeyError");
        case 3:
          return refusal("AttributeError", "_read_only");
        case 4:
          return Crashed{"SIGSEGV", ""};
        default:
          return TimedOut{""};
      }
    };
    for (int lies = 0; lies < 6; ++lies) {
      switch (random() % 10) {
        case 0:
          seen.child.looks.clear();
          break;
        case 1:
          seen.parent.looks.clear();
          break;
        case 2:
          seen.child.received = any();
          break;
        case 3:
          seen.returned.received = any();
          break;
        case 4:
          seen.child.died = Crashed{"SIGABRT", ""};
          break;
        case 5:
          seen.state_packed.clear();
          break;
        case 6:
          seen.child.state.reset();
          break;
        case 7:
          seen.archive_end.clear();
          break;
        case 8:
          seen.child.mark_after_receiving = {};
          break;
        default:
          // Not a listing: side.py shows one as a list of names, always.
          for (std::size_t i = 0; i < seen.child.looks.size(); ++i)
            if (!seen.plan[i].name.starts_with("list") && random() % 3 == 0)
              seen.child.looks[i] = any();
      }
    }
    expect_no_crash(value, seen);
  }
}

// --- one lie each

struct Lie {
  std::string name;  // as a word
  std::string oracle;
  std::function<void(Case&)> set_up;
  std::function<void(Observations&)> tell;
  std::string field, wrong, side;
};

void PrintTo(const Lie& lie, std::ostream* out) { *out << lie.name; }

void nothing(Case&) {}

void writes_in_child(Case& value) {
  value.constructor.mode = Mode::kAppend;
  value.lifecycle = Lifecycle::kClosed;
}

// Nothing is wrong with it that any reader minds.
void wrong_archive(Case& value) {
  value.archive->twists = {{.name = "short comment"}};
  value.looks = {LookGroup::kReads};
}

void twinned(Case& value) { value.twin = true; }

void deletes_in_child(Case& value) {
  value.store = test::kLocal;
  value.constructor.read_only = false;
  value.transport = Transport::kSpawn;
}

void writes_meanwhile(Case& value) {
  deletes_in_child(value);
  value.meanwhile = Meanwhile::kWritesOn;
}

// The last answer of the child to such a look.
Answer& last(Observations& seen, std::string_view name, std::string_view key) {
  for (std::size_t i = seen.plan.size(); i-- > 0;)
    if (seen.plan[i].name == name && seen.plan[i].entry.key == key) return seen.child.looks.at(i);
  ADD_FAILURE() << name << " is not asked";
  return seen.child.looks.at(0);
}

// The child's answer to what is special in that way.
Answer& about(Observations& seen, std::string_view special) {
  const auto it = std::ranges::find(seen.plan, special, &Look::about);
  if (it != seen.plan.end()) return seen.child.looks.at(it - seen.plan.begin());
  ADD_FAILURE() << special << " is not asked";
  return seen.child.looks.at(0);
}

void told_to_be_writable(Case& value) { value.constructor.read_only = false; }

void sets_a_key_that_climbs(Case& value) {
  deletes_in_child(value);
  value.lifecycle = Lifecycle::kOpen;
  value.operations = {{.what = What::kSet, .entry = {.key = "../a"}}};
}

std::vector<Lie> lies() {
  const auto at = [](Observations& seen, View Observations::* side, const char* name,
                     const char* key = "") -> Answer& {
    return (seen.*side).looks.at(static_cast<std::size_t>(look_at(seen, name, key)));
  };
  const auto child = &Observations::child;
  const auto parent = &Observations::parent;
  const auto both = [=](Observations& seen, const char* name, const char* key, const Answer& lie) {
    at(seen, child, name, key) = at(seen, parent, name, key) = lie;
  };
  return {
      {"AttributeGone", "attributes", nothing,
       [](Observations& it) { it.child.state->erase("_read_only"); }, "_read_only", "lost",
       "child"},
      {"AttributeRaisesAttributeError", "attributes", nothing,
       [](Observations& it) {
         it.child.state->at("read_only") = refusal("AttributeError", "_read_only");
       },
       "read_only", "lost", "child"},
      {"AttributeChanged", "attributes", nothing,
       [](Observations& it) { it.child.state->at("read_only") = Shown{false}; }, "read_only",
       "changed", "child"},
      {"AttributeRaises", "attributes", nothing,
       [](Observations& it) { it.child.state->at("path") = refusal("OSError"); }, "path",
       "refused OSError", "child"},
      {"AttributeLostOnTheWayBack", "attributes",
       [](Case& it) {
         it.transport = Transport::kSpawn;
         it.comes_back = ComesBack::kStore;
       },
       [](Observations& it) { it.returned.state->erase("path"); }, "path", "lost", "returned"},
      {"CopyIsNotEqual", "equality", nothing,
       [](Observations& it) { it.child.equality["copy == store"] = Shown{false}; }, "copy == store",
       "not equal", "child"},
      {"CopyIsEqualAndUnequal", "equality", nothing,
       [](Observations& it) { it.child.equality["copy != store"] = Shown{true}; }, "copy != store",
       "not equal", "child"},
      {"EqualityRaises", "equality", nothing,
       [](Observations& it) { it.child.equality["store == copy"] = refusal("TypeError"); },
       "store == copy", "refused TypeError", "child"},
      {"TwoReferencesBecomeTwoObjects", "equality",
       [](Case& it) {
         it.transport = Transport::kSpawn;
         it.cargo = Cargo::kTwoReferences;
       },
       [](Observations& it) { it.child.same_object = Shown{false}; }, "two references",
       "two objects", "child"},
      {"WhatComesBackIsNotEqual", "equality",
       [](Case& it) {
         it.transport = Transport::kSpawn;
         it.comes_back = ComesBack::kStore;
       },
       [](Observations& it) { it.returned.equality["copy == store"] = Shown{false}; },
       "copy == store", "not equal", "returned"},
      {"AGrandchildReadsOtherBytes", "reads",
       [](Case& it) {
         it.transport = Transport::kFork;
         it.comes_back = ComesBack::kGrandchild;
       },
       [=](Observations& it) {
         at(it, &Observations::returned, "get", "a") = Shown{{{"bytes", "hellO"}}};
       },
       "get", "other value", "returned"},
      {"PackingIsRefused", "refusal", nothing,
       [](Observations& it) { it.packed = refusal("TypeError"); }, "packing", "raises TypeError",
       "parent"},
      {"AGrandchildDies", "survival",
       [](Case& it) {
         it.transport = Transport::kSpawn;
         it.comes_back = ComesBack::kGrandchild;
       },
       [](Observations& it) { it.returned.died = Crashed{"SIGSEGV", ""}; }, "grandchild", "SIGSEGV",
       "returned"},
      {"AGrandchildHangs", "deadline",
       [](Case& it) {
         it.transport = Transport::kSpawn;
         it.comes_back = ComesBack::kGrandchild;
       },
       [](Observations& it) { it.returned.died = TimedOut{""}; }, "unknown place", "hangs",
       "returned"},
      {"AMemoryStoreAnswersOtherwise", "stores agree", twinned,
       [=](Observations& it) { at(it, parent, "list_dir") = Shown{Json::array({"a"})}; },
       "list_dir", "other value", "parent"},
      {"ARangeIsRefusedWhereAMemoryStoreAnswers", "stores agree", twinned,
       [=](Observations& it) { at(it, parent, "get range") = refusal("OSError"); }, "get range",
       "raises OSError where a MemoryStore answers", "parent"},
      {"AMissingKeyIsRefusedOtherwise", "stores agree", twinned,
       [=](Observations& it) { at(it, parent, "getsize", "missing") = refusal("KeyError"); },
       "getsize of a missing key", "raises KeyError where a MemoryStore raises FileNotFoundError",
       "parent"},
      {"AMissingKeyHasASize", "stores agree", twinned,
       [=](Observations& it) { at(it, parent, "getsize", "missing") = Shown{0}; },
       "getsize of a missing key", "answers where a MemoryStore raises FileNotFoundError",
       "parent"},
      {"ADeletedKeyIsStillThere", "expectation", deletes_in_child,
       [=](Observations& it) { last(it, "exists", "fresh/probe") = Shown{true}; }, "exists",
       "other value", "child"},
      {"SetIfNotExistsWritesOver", "expectation", deletes_in_child,
       [=](Observations& it) { last(it, "get", "probe") = Shown{{{"bytes", "written over it"}}}; },
       "get", "other value", "child"},
      {"DeleteIsRefused", "writable", deletes_in_child,
       [=](Observations& it) { at(it, child, "delete_dir") = refusal("ValueError"); }, "delete_dir",
       "refused ValueError", "child"},
      {"ANeighbourIsDeletedWithAPattern", "expectation", deletes_in_child,
       [](Observations& it) { about(it, "a neighbour of what was deleted") = Shown{nullptr}; },
       "get of a neighbour of what was deleted", "other value", "child"},
      {"AClearedStoreStillReads", "expectation", deletes_in_child,
       [](Observations& it) { about(it, "a key after clear") = Shown{{{"bytes", "hello"}}}; },
       "get of a key after clear", "other value", "child"},
      {"ALongNameIsRefused", "writable", deletes_in_child,
       [](Observations& it) { about(it, "a long name") = refusal("OSError"); },
       "set of a long name", "refused OSError", "child"},
      {"ModeRTakesAClear", "writable", told_to_be_writable,
       [=](Observations& it) { at(it, child, "try clear") = Shown{nullptr}; }, "try clear",
       "accepted in mode r", "child"},
      {"RangesComeInAnotherOrder", "expectation", nothing,
       [=](Observations& it) {
         Answer& answer = at(it, child, "get_ranges", "a");
         std::swap(std::get<Shown>(answer).value[0][1], std::get<Shown>(answer).value[2][1]);
       },
       "get_ranges", "other value", "child"},
      {"PartialValuesOfRangesAreShort", "expectation", nothing,
       [=](Observations& it) {
         std::get<Shown>(at(it, child, "get_partial_values by ranges", "a")).value.erase(0);
       },
       "get_partial_values by ranges", "other value", "child"},
      {"WithGivesAnotherStore", "stores agree", twinned,
       [=](Observations& it) { at(it, parent, "enter") = Shown{false}; }, "enter", "other value",
       "parent"},
      {"AKeyLeavesTheRoot", "survival", sets_a_key_that_climbs,
       [](Observations& it) { it.strange_files = {"a"}; }, "files", "leaves the root", "parent"},
      {"AWriteMeanwhileIsNotSeen", "expectation", writes_meanwhile,
       [=](Observations& it) { at(it, child, "list") = Shown{Json::array({"a", "b/c"})}; }, "list",
       "other value", "child"},
      {"ChildReadsOtherBytes", "reads", nothing,
       [=](Observations& it) { at(it, child, "get", "a") = Shown{{{"bytes", "hellO"}}}; }, "get",
       "other value", "child"},
      {"ChildFindsNothing", "reads", nothing,
       [=](Observations& it) { at(it, child, "get", "a") = Shown{nullptr}; }, "get", "other value",
       "child"},
      {"ChildRefusesARange", "reads", nothing,
       [=](Observations& it) { at(it, child, "get suffix") = refusal("ValueError"); }, "get suffix",
       "refused ValueError", "child"},
      {"ParentRefusesAfterwards", "reads", nothing,
       [=](Observations& it) { at(it, parent, "get", "a") = refusal("ValueError"); }, "get",
       "refused by the parent: ValueError", "parent"},
      {"ListsOtherKeys", "reads", nothing,
       [=](Observations& it) { at(it, child, "list") = Shown{Json::array({"a"})}; }, "list",
       "other value", "child"},
      {"ReturnedArrayReadsOtherValues", "reads",
       [](Case& it) {
         it.transport = Transport::kSpawn;
         it.comes_back = ComesBack::kArray;
       },
       [](Observations& it) { it.returned.array = Shown{Json{0, 0, 0, 0}}; }, "returned array",
       "other value", "returned"},
      {"ReturnedArrayRaises", "reads",
       [](Case& it) {
         it.transport = Transport::kSpawn;
         it.comes_back = ComesBack::kArray;
       },
       [](Observations& it) { it.returned.array = refusal("ValueError"); }, "returned array",
       "refused ValueError", "returned"},
      {"ListNamesTwice", "listing", nothing,
       [=](Observations& it) { both(it, "list", "", Shown{Json::array({"a", "a", "b/c"})}); },
       "list", "twice", "child"},
      {"ListDirMisses", "listing", nothing,
       [=](Observations& it) { at(it, child, "list_dir") = Shown{Json::array({"a"})}; }, "list_dir",
       "misses a key", "child"},
      {"ListDirNamesAStranger", "listing", nothing,
       [=](Observations& it) { at(it, child, "list_dir") = Shown{Json::array({"a", "b", "z"})}; },
       "list_dir", "names what list does not", "child"},
      {"ListPrefixMisses", "listing", nothing,
       [=](Observations& it) { at(it, parent, "list_prefix") = Shown{Json::array({"a"})}; },
       "list_prefix", "misses a key", "parent"},
      {"IsEmptyContradicts", "listing", nothing,
       [=](Observations& it) { at(it, child, "is_empty") = Shown{true}; }, "is_empty",
       "contradicts list", "child"},
      {"ExistsContradicts", "listing", nothing,
       [=](Observations& it) { at(it, child, "exists", "a") = Shown{false}; }, "exists",
       "contradicts list", "child"},
      {"ReadOnlyAccepts", "writable", nothing,
       [=](Observations& it) { at(it, child, "try set") = Shown{nullptr}; }, "try set", "accepted",
       "child"},
      {"ReadOnlyAcceptsInTheParent", "writable", nothing,
       [=](Observations& it) { at(it, parent, "try clear") = Shown{nullptr}; }, "try clear",
       "accepted", "parent"},
      {"WritableRefuses", "writable", writes_in_child,
       [=](Observations& it) { at(it, child, "set") = refusal("ValueError"); }, "set",
       "refused ValueError", "child"},
      {"UnpicklingEmpties", "on disk", nothing,
       [](Observations& it) {
         it.child.mark_after_receiving.files["store.zip"] = {22, 7};
         it.child.mark_after_receiving.entries.emplace();
       },
       "receiving", "emptied", "child"},
      {"PicklingChanges", "on disk", nothing,
       [](Observations& it) {
         for (Mark* mark : {&it.mark_packed, &it.child.mark_after_receiving,
                            &it.child.mark_after_leaving, &it.mark_end})
           mark->files["store.zip"] = {121, 7};
       },
       "packing", "changed", "child"},
      {"ReadingChanges", "on disk", nothing,
       [](Observations& it) { it.child.mark_after_leaving.files["store.zip"] = {121, 7}; },
       "looking", "changed", "child"},
      {"AnAcknowledgedWriteIsLost", "on disk", writes_in_child,
       [](Observations& it) {
         it.archive_end = *make_archive(std::vector<ArchiveEntry>{{"a", "hello"}, {"b/c", "xy"}},
                                        Compression::kStored);
       },
       "child's use", "write lost", "child"},
      {"ParentLosesAnAttribute", "parent intact", nothing,
       [](Observations& it) { it.state_packed.erase("path"); }, "path", "lost", "parent"},
      {"ParentHasAnotherValue", "parent intact", nothing,
       [](Observations& it) { it.state_packed["read_only"] = Shown{false}; }, "read_only",
       "changed", "parent"},
      {"ALookRaisesIndexError", "refusal", nothing,
       [=](Observations& it) { both(it, "exists", "missing", refusal("IndexError")); }, "exists",
       "raises IndexError", "child"},
      {"PackingRaisesAttributeError", "refusal", nothing,
       [](Observations& it) { it.packed = refusal("AttributeError", "_lock"); }, "packing",
       "raises AttributeError", "parent"},
      {"ReceivingIsRefused", "refusal", nothing,
       [](Observations& it) { it.child.received = refusal("FileExistsError"); }, "receiving",
       "raises FileExistsError", "child"},
      {"SidesRaiseDifferentErrors", "refusal", nothing,
       [=](Observations& it) { at(it, child, "try set") = refusal("OSError"); }, "try set",
       "OSError instead of ValueError", "child"},
      {"AnOperationRaisesRecursionError", "refusal",
       [](Case& it) {
         it.lifecycle = Lifecycle::kOpen;
         it.operations = {{.what = What::kList}};
       },
       [](Observations& it) { it.operations.at(0) = refusal("RecursionError"); }, "list",
       "raises RecursionError", "parent"},
      {"ChildHangs", "deadline", [](Case& it) { it.transport = Transport::kFork; },
       [](Observations& it) {
         it.child = {.died = TimedOut{"Thread 0x1 (most recent call first):\n"
                                      "  File \"/env/zarr/core/sync.py\", line 1 in sync\n"
                                      "  File \"/repo/reference/side.py\", line 1 in answer\n"}};
       },
       "zarr/core/sync.py:sync", "hangs", "child"},
      {"ParentHangs", "deadline", nothing, [](Observations& it) { it.parent.died = TimedOut{""}; },
       "unknown place", "hangs", "parent"},
      {"ChildDies", "survival", [](Case& it) { it.transport = Transport::kSpawn; },
       [](Observations& it) { it.child = {.died = Crashed{"SIGSEGV", ""}}; }, "child", "SIGSEGV",
       "child"},
      {"ChildLeavesAFileOpen", "survival", [](Case& it) { it.transport = Transport::kSpawn; },
       [](Observations& it) { it.child.descriptors = {"<case>/store.zip"}; }, "descriptors",
       "left open", "child"},
      {"ParentLeavesAFileOpen", "survival", nothing,
       [](Observations& it) { it.parent.descriptors = {"<case>/store.zip"}; }, "descriptors",
       "left open in the parent", "parent"},
      {"AStrangeFileStays", "survival", nothing,
       [](Observations& it) { it.strange_files = {"store.zip.partial"}; }, "files", "left behind",
       "child"},
      {"BothReadWhatNobodyWrote", "expectation", nothing,
       [=](Observations& it) { both(it, "get", "a", Shown{{{"bytes", "hell"}}}); }, "get",
       "other value", "child"},
      {"BothListWhatNobodyWrote", "expectation", nothing,
       [=](Observations& it) { both(it, "list", "", Shown{Json::array({"a"})}); }, "list",
       "other value", "parent"},
      {"ASizeIsWrong", "expectation", nothing,
       [=](Observations& it) { both(it, "getsize", "b/c", Shown{3}); }, "getsize", "other value",
       "child"},
      {"ASuffixIsAPrefix", "expectation", nothing,
       [=](Observations& it) { both(it, "get suffix", "a", Shown{{{"bytes", "he"}}}); },
       "get suffix", "other value", "child"},
      {"ZarrAloneGivesWhatOthersRefuse", "readers agree", wrong_archive,
       [=](Observations& it) {
         both(it, "get", "a", Shown{{{"bytes", "hello"}}});
         for (Reading& reading : it.readings)
           reading.reply["keys"]["a"] = {"refused", "CRC", "it is wrong"};
       },
       "sound", "reads alone", "child"},
      {"ZarrFindsNothing", "readers agree", wrong_archive,
       [=](Observations& it) { both(it, "get", "a", Shown{nullptr}); }, "sound", "misses", "child"},
      {"ZarrGivesAnotherEntrysData", "readers agree", wrong_archive,
       [=](Observations& it) { both(it, "get", "a", Shown{{{"bytes", "xy"}}}); }, "sound",
       "other data", "child"},
      {"ZarrGivesWhatIsNotThere", "readers agree", wrong_archive,
       [=](Observations& it) { both(it, "get", "a", Shown{{{"bytes", "hullo"}}}); }, "sound",
       "invented data", "child"},
      {"AnotherReaderSeesNotWhatWasWritten", "readers agree", nothing,
       [](Observations& it) { it.readings.at(1).reply["keys"]["a"] = {"missing"}; },
       "what it wrote", "misses", "child"},
      {"TheMissingExists", "expectation", nothing,
       [=](Observations& it) { both(it, "exists", "missing", Shown{true}); }, "exists",
       "other value", "child"},
  };
}

class EachLie : public testing::TestWithParam<Lie> {};

INSTANTIATE_TEST_SUITE_P(Oracles, EachLie, testing::ValuesIn(lies()),
                         [](const auto& info) { return info.param.name; });

TEST_P(EachLie, IsSeenByItsOracleAndOnlyWithTheLie) {
  const Lie& lie = GetParam();
  Case value = test::plain_case();
  lie.set_up(value);
  normalise(value);
  Observations seen = test::sound_observations(value);
  const Verdict before = judge_by(lie.oracle, value, seen);
  EXPECT_NE(before.kind, Verdict::Kind::kDisagree) << all_told(before);
  lie.tell(seen);
  const Verdict after = judge_by(lie.oracle, value, seen);
  EXPECT_EQ(after.kind, Verdict::Kind::kDisagree) << after.why;
  const bool told = std::ranges::any_of(after.found, [&](const Disagreement& it) {
    return it.field == lie.field && it.wrong == lie.wrong && it.side == lie.side;
  });
  EXPECT_TRUE(told) << all_told(after);
}

TEST(Oracles, EveryOneIsToldALie) {
  std::set<std::string> told;
  for (const Lie& lie : lies()) told.insert(lie.oracle);
  for (const Oracle& oracle : oracles()) EXPECT_TRUE(told.contains(std::string(oracle.name)));
}

// open_group reads, and reading flushes what zipfile had buffered.
TEST(OnDisk, MakingAGroupMayFlushWhatIsPending) {
  Case value = test::plain_case();
  writes_in_child(value);
  value.lifecycle = Lifecycle::kOpen;
  value.operations = {{.what = What::kSet, .entry = {.key = "c", .value = "x"}}};
  value.cargo = Cargo::kGroup;
  Observations seen = test::sound_observations(value);
  seen.mark_packed.files["store.zip"] = {1000, 7};
  EXPECT_NE(judge_by("on disk", value, seen).kind, Verdict::Kind::kDisagree);
  value.cargo = Cargo::kStore;
  EXPECT_EQ(judge_by("on disk", value, seen).kind, Verdict::Kind::kDisagree);
}

// --- no opinion

void expect_no_opinion(std::string_view oracle, const Case& value, const Observations& seen) {
  const Verdict verdict = judge_by(oracle, value, seen);
  EXPECT_EQ(verdict.kind, Verdict::Kind::kNotComparable) << oracle << ": " << all_told(verdict);
  EXPECT_FALSE(verdict.why.empty());
}

TEST(NoOpinion, WithoutAChildThatLooked) {
  const Case value = test::plain_case();
  Observations seen = test::sound_observations(value);
  seen.child = {.died = TimedOut{""}};
  for (const char* oracle : {"attributes", "reads", "equality"})
    expect_no_opinion(oracle, value, seen);
}

TEST(NoOpinion, OnEqualityBetweenProcessesOrOfAStoreMadeAnew) {
  Case value = test::plain_case();
  value.transport = Transport::kSpawn;
  expect_no_opinion("equality", value, test::sound_observations(value));
  value.transport = Transport::kSameProcess;
  Observations seen = test::sound_observations(value);
  value.carrier = Carrier::kMadeAnew;
  expect_no_opinion("equality", value, seen);
}

TEST(NoOpinion, OnADiskThatNoStoreWasMadeFor) {
  Observations seen;
  seen.constructed = refusal("ValueError");
  expect_no_opinion("on disk", test::plain_case(), seen);
}

TEST(NoOpinion, OnAParentThatPackedNothing) {
  expect_no_opinion("parent intact", test::plain_case(), {});
}

TEST(NoOpinion, OnWritingToAStoreThatIsRightlyRefused) {
  Case value = test::plain_case();
  value.archive.reset();
  normalise(value);
  expect_no_opinion("writable", value, test::sound_observations(value));
}

TEST(NoOpinion, OnContentTheModelDoesNotKnow) {
  Case value = test::plain_case();
  value.store = test::kLocal;
  value.lifecycle = Lifecycle::kOpen;
  value.operations = {{.what = What::kSet, .entry = {"a//b", "x"}}};
  normalise(value);
  expect_no_opinion("expectation", value, test::sound_observations(value));
}

TEST(NoOpinion, OnEqualityAfterTheParentWentOnOrTheChildWroteToACopy) {
  Case value = test::plain_case();
  value.meanwhile = Meanwhile::kCloses;
  expect_no_opinion("equality", value, test::sound_observations(value));
  value = test::plain_case();
  value.store = test::store("memory");
  normalise(value);
  Observations seen = test::sound_observations(value);
  ASSERT_TRUE(child_writes(seen.plan));
  expect_no_opinion("equality", value, seen);
  value.carrier = Carrier::kCopy;  // of the same dictionary
  EXPECT_EQ(judge_by("equality", value, test::sound_observations(value)).kind,
            Verdict::Kind::kAgree);
}

TEST(NoOpinion, OnAttributesOfTheVeryStoreTheParentUsedMeanwhile) {
  Case value = test::plain_case();
  value.carrier = Carrier::kHandedOver;
  value.meanwhile = Meanwhile::kCloses;
  expect_no_opinion("attributes", value, test::sound_observations(value));
  value.carrier = Carrier::kPickle5;
  EXPECT_EQ(judge_by("attributes", value, test::sound_observations(value)).kind,
            Verdict::Kind::kAgree);
}

TEST(NoOpinion, OnWhatIsGone) {
  Case value = test::plain_case();
  value.meanwhile = Meanwhile::kDeletesTheFile;
  const Observations seen = test::sound_observations(value);
  for (const char* oracle : {"reads", "expectation", "on disk", "writable"})
    expect_no_opinion(oracle, value, seen);
}

TEST(NoOpinion, OnADiskThatNothingLiesOn) {
  Case value{.store = test::store("wrapper over memory")};
  normalise(value);
  expect_no_opinion("on disk", value, test::sound_observations(value));
}

TEST(NoOpinion, OnReadsOfAnotherContent) {
  for (const auto& [word, carrier, transport] :
       {std::tuple{"memory", Carrier::kMadeAnew, Transport::kSpawn},
        {"managed memory", Carrier::kPickle5, Transport::kSpawn},
        {"icechunk", Carrier::kMadeAnew, Transport::kFork}}) {
    Case value = test::plain_case();
    value.store = test::store(word);
    value.carrier = carrier;
    value.transport = transport;
    value.looks = {LookGroup::kReads};
    normalise(value);
    expect_no_opinion("reads", value, test::sound_observations(value));
  }
}

TEST(NoOpinion, OnStoresThatWereNotAskedOrMayRefuse) {
  Case value = test::plain_case();
  expect_no_opinion("stores agree", value, test::sound_observations(value));
  value.twin = true;
  EXPECT_EQ(judge_by("stores agree", value, test::sound_observations(value)).kind,
            Verdict::Kind::kAgree);
  value.lifecycle = Lifecycle::kClosed;
  expect_no_opinion("stores agree", value, test::sound_observations(value));
}

// Whom to ask is decided before, by the rule that the oracle has.
TEST(NoOpinion, OnReadersExactlyWhereTheyHaveNoSay) {
  int silent = 0, asked = 0;
  for (unsigned seed = 0; seed < 600; ++seed) {
    const Case value = test::random_case(seed, {test::kZip});
    const Observations seen = test::sound_observations(value);
    if (seen.readings.empty()) continue;
    const Expectation expected = expect(value, seen);
    const bool no_say = !why_readers_have_no_say(value, expected, seen).empty();
    (no_say ? silent : asked) += 1;
    EXPECT_EQ(judge_readers_agree(value, expected, seen).kind == Verdict::Kind::kNotComparable,
              no_say)
        << to_text(value);
  }
  EXPECT_GT(silent, 0);
  EXPECT_GT(asked, 0);
}

TEST(NoOpinion, OnWhatATwinIsNotAsked) {
  int left_out = 0;
  for (unsigned seed = 0; seed < 600; ++seed) {
    Case value = test::random_case(seed);
    value.twin = true;
    normalise(value);
    Observations seen = test::sound_observations(value);
    const Expectation expected = expect(value, seen);
    const auto before = judge_stores_agree(value, expected, seen);
    for (std::size_t i = 0; i < seen.twin.looks.size(); ++i) {
      if (twin_is_compared(seen.plan[i])) continue;
      seen.twin.looks[i] = Refused{.type = "RuntimeError"};
      ++left_out;
    }
    EXPECT_EQ(judge_stores_agree(value, expected, seen).kind, before.kind) << to_text(value);
  }
  EXPECT_GT(left_out, 0);
}

TEST(NoOpinion, OnReadsWhileTheParentHoldsUnsavedEntries) {
  Case value = test::plain_case();
  value.constructor.mode = Mode::kAppend;
  value.lifecycle = Lifecycle::kOpen;
  value.operations = {{.what = What::kSet, .entry = {"k", "x"}}};
  normalise(value);
  expect_no_opinion("reads", value, test::sound_observations(value));
}

// --- what is no lie

TEST(Fair, GainingAnAttributeIsNoLoss) {
  const Case value = test::plain_case();
  Observations seen = test::sound_observations(value);
  (*seen.child.state)["_zf"] = Shown{{{"object", "ZipFile"}}};
  EXPECT_EQ(judge_by("attributes", value, seen).kind, Verdict::Kind::kAgree);
}

TEST(Fair, TheOrderOfAListingIsNoMatter) {
  const Case value = test::plain_case();
  Observations seen = test::sound_observations(value);
  seen.child.looks[static_cast<std::size_t>(look_at(seen, "list"))] =
      Shown{Json::array({"b/c", "a"})};
  for (const char* oracle : {"reads", "listing", "expectation"}) {
    const Verdict verdict = judge_by(oracle, value, seen);
    EXPECT_EQ(verdict.kind, Verdict::Kind::kAgree) << oracle << all_told(verdict);
  }
}

TEST(Fair, TheSameRefusalOnBothSidesIsNoDifference) {
  const Case value = test::plain_case();
  Observations seen = test::sound_observations(value);
  const auto index = static_cast<std::size_t>(look_at(seen, "get range"));
  seen.child.looks[index] = seen.parent.looks[index] = refusal("ValueError");
  for (const Oracle& oracle : oracles())
    EXPECT_NE(judge_by(oracle.name, value, seen).kind, Verdict::Kind::kDisagree) << oracle.name;
}

// Their representations differ, and what one says it cannot do is no disagreement.
TEST(Fair, TwoStoresDifferInWhatIsTheirOwn) {
  Case value = test::plain_case();
  value.twin = true;
  Observations seen = test::sound_observations(value);
  const auto lie = [&](const char* name, const Answer& answer) {
    seen.parent.looks.at(static_cast<std::size_t>(look_at(seen, name))) = answer;
  };
  lie("repr", Shown{"another"});
  lie("get_sync", Shown{7});
  lie("with_read_only", Shown{false});
  lie("pickle again", refusal("TypeError"));
  lie("open_array", Shown{7});
  lie("getsize_prefix", refusal("NotImplementedError"));
  lie("list", Answer{});  // nobody could ask
  EXPECT_EQ(judge_by("stores agree", value, seen).kind, Verdict::Kind::kAgree)
      << all_told(judge_by("stores agree", value, seen));
}

// No plan asks it of them, but a corpus may: a dictionary that plays a file system.
TEST(Fair, AKeyBelowAnotherKeyIsForARealFileSystemToJudge) {
  Case value{.store = test::store("fsspec memory"),
             .operations = {{.what = What::kSet, .entry = {"a", "1"}},
                            {.what = What::kSet, .entry = {"a/b", "2"}}},
             .lifecycle = Lifecycle::kOpen,
             .looks = {LookGroup::kListing}};
  normalise(value);
  Observations seen = test::sound_observations(value);
  seen.child.looks.at(static_cast<std::size_t>(look_at(seen, "list_dir"))) =
      Shown{Json::array({"a", "z"})};
  expect_no_opinion("listing", value, seen);
}

TEST(Say, IsWhatAUserWouldType) {
  EXPECT_EQ(say({.name = "get", .entry = {.key = "a"}}), "get(\"a\")");
  EXPECT_EQ(say({.name = "get range", .entry = {.key = "a"}, .start = 1, .end = 3}),
            "get(\"a\", RangeByteRequest(1, 3))");
  EXPECT_EQ(say({.name = "try clear"}), "clear()");
  EXPECT_EQ(say({.name = "open_array"}), "zarr.open_array(store)");
}

TEST(Unfitting, KnowsABrokenStoreFromAnAnswer) {
  EXPECT_TRUE(unfitting(refusal("AttributeError")));
  EXPECT_TRUE(unfitting({.type = "MyError", .kinds = {"MyError", "IndexError", "Exception"}}));
  EXPECT_FALSE(unfitting(refusal("KeyError")));
  EXPECT_FALSE(unfitting(refusal("FileNotFoundError")));
}

}  // namespace
}  // namespace storefuzz
