// The generator is total, bounded and repeatable, and everything that a program can say turns up.
#include "harness/generate/generate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "harness/case/keys.h"
#include "harness/model/model.h"
#include "harness/testing/shared.h"

namespace storefuzz::program {
namespace {

using test::random_bytes;

// The seldomest thing, some operation of an array, is seen within this many programs.
constexpr unsigned kArrival = 6'000;

Case drawn(unsigned seed, const Stores& stores = test::kListed) {
  return generate_program(random_bytes(seed, 40 + seed % 300), stores);
}

std::set<std::string> repeated_values(const Case& value) {
  std::set<std::string> seen, twice;
  const auto note = [&](const Value& it) {
    if (!seen.insert(it.bytes()).second) twice.insert(it.word);
  };
  for (const Place& place : value.before)
    for (const Entry& entry : place.entries) note(entry.value);
  for (const Step& step : value.steps)
    if (const auto* call = std::get_if<Call>(&step); call && operation(call->op).takes.value)
      note(call->value);
  return twice;
}

bool fits(const Case& value) {
  Case again = value;
  fit(again);
  return again == value;
}

TEST(GeneratedPrograms, AnyBytesAreAProgramThatFitsAndReadsBack) {
  for (unsigned seed = 0; seed < 10'000; ++seed) {
    const Case value = generate_program(random_bytes(seed, seed % 300), test::kListed);
    ASSERT_TRUE(fits(value)) << to_text(value);
    ASSERT_FALSE(value.steps.empty());
    ASSERT_EQ(repeated_values(value), std::set<std::string>{}) << to_text(value);
    const std::string text = to_text(value);
    ASSERT_LE(text.size(), kMaxCaseText);
    const auto back = parse_case(text);
    ASSERT_TRUE(back.has_value()) << back.error().message << text;
    ASSERT_EQ(*back, value) << text;
  }
}

// What zarr's users do most: an array is made, written, and read again by somebody else.
TEST(GeneratedPrograms, ThatMakeAnArrayMostlyReadItAndTheModelKnowsWhatItHolds) {
  int made = 0, read = 0;
  for (unsigned seed = 0; seed < 10'000; ++seed) {
    const Case value = drawn(seed, {find_store("local").value()});
    Model model(value);
    bool makes = false, reads = false;
    for (const Step& step : value.steps) {
      const auto* call = std::get_if<Call>(&step);
      makes = makes || (call && call->op == Op::kCreateArray);
      reads = reads || (call && call->op == Op::kReadBlock && model.allowed(step, 0).opinion);
      model.assume(step);
    }
    made += makes;
    read += reads;
  }
  EXPECT_GT(made, 150);
  EXPECT_GT(2 * read, made) << "of " << made;
}

TEST(GeneratedPrograms, APrefixOfAProgramKeepsAllItsSteps) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    const Case value = drawn(seed);
    for (std::size_t size = 0; size < value.steps.size(); ++size) {
      Case prefix = value;
      prefix.steps.resize(size);
      const auto steps = prefix.steps;
      fit(prefix);
      ASSERT_EQ(prefix.steps, steps) << to_text(value);
      ASSERT_TRUE(fits(prefix));
    }
  }
}

TEST(GeneratedPrograms, BytesThatAreAllAlikeAreAProgram) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::vector<std::byte> bytes(4096, static_cast<std::byte>(byte));
    EXPECT_TRUE(fits(generate_program(bytes, test::kListed))) << byte;
  }
}

TEST(GeneratedPrograms, NoBytesAreThePlainestProgram) {
  EXPECT_EQ(to_text(generate_program({}, {test::kZip})),
            R"({"format":2,"program":[)"
            R"({"make":"zip","at":"z","mode":"a","as":"s0"},)"
            R"({"call":"set","key":"a","value":"a@1","on":"s0"},)"
            R"({"call":"set","key":"a","value":"a@2","on":"s0"},)"
            R"({"call":"close","on":"s0"},)"
            R"({"make":"zip","at":"z","mode":"r","as":"s1"},)"
            R"({"call":"list","on":"s1"},)"
            R"({"call":"get","key":"a","on":"s1"}]})");
}

TEST(GeneratedPrograms, TheSameBytesAreTheSameProgram) {
  for (unsigned seed = 0; seed < 500; ++seed) ASSERT_EQ(drawn(seed), drawn(seed));
}

// Other releases are processes of usual programs: they change nothing where there are none.
TEST(GeneratedPrograms, AProcessHasAnotherReleaseOnlyWhereThereAreSome) {
  std::set<std::string> subjects;
  for (unsigned seed = 0; seed < 200; ++seed) {
    for (const Process& it : drawn(seed).processes) EXPECT_EQ(it.subject, "");
    const auto bytes = random_bytes(seed, 300);
    for (const Process& it : generate_program(bytes, test::kListed, {"3.0.8", "3.1.6"}).processes)
      subjects.insert(it.subject);
  }
  EXPECT_EQ(subjects, (std::set<std::string>{"", "3.0.8", "3.1.6"}));
}

TEST(GeneratedPrograms, HalfOfAllProgramsHaveEightToTwelveSteps) {
  std::vector<std::size_t> sizes;
  for (unsigned seed = 0; seed < 2'000; ++seed) sizes.push_back(drawn(seed).steps.size());
  std::ranges::sort(sizes);
  EXPECT_GE(sizes[1'000], 8);
  EXPECT_LE(sizes[1'000], 12);
  EXPECT_GT(sizes.back(), 14);
}

// What one store does in a dictionary shows in another one of it: by chance alone they would meet
// in one program of two thousand.
TEST(GeneratedPrograms, StoresOfOneDictionaryMeet) {
  int met = 0;
  for (unsigned seed = 0; seed < 2'000; ++seed) {
    std::set<std::string> whole, part;  // processes
    for (const Step& step : drawn(seed).steps)
      if (const auto* make = std::get_if<Make>(&step)) {
        if (make->kind->kind == "managed memory") whole.insert(make->in);
        if (make->kind->kind == "managed memory path") part.insert(make->in);
      }
    met += std::ranges::any_of(whole, [&](const std::string& it) { return part.contains(it); });
  }
  EXPECT_GT(met, 10);
}

TEST(GeneratedPrograms, OnlyTheStoresAskedForAreMade) {
  for (unsigned seed = 0; seed < 500; ++seed)
    for (const Step& step : drawn(seed, {test::kLocal}).steps)
      if (const auto* make = std::get_if<Make>(&step)) ASSERT_EQ(make->kind, test::kLocal);
}

// No key of ours climbs above the case's folder, whatever the subject makes of it.
TEST(GeneratedPrograms, NoKeyClimbsAboveTheCase) {
  for (unsigned seed = 0; seed < 5'000; ++seed)
    for (const Step& step : drawn(seed).steps)
      if (const auto* call = std::get_if<Call>(&step)) {
        ASSERT_EQ(call->key.find("../.."), call->key.npos);
        ASSERT_EQ(call->key.find("/../"), call->key.npos);
      }
}

// --- arrival

// What a program shows, as "what: word".
void note(const Case& value, std::map<std::string, unsigned>& seen) {
  std::set<std::string> words;
  const auto add = [&](std::string_view what, std::string_view word) {
    words.insert(std::string(what) + ": " + std::string(word));
  };
  for (const Process& process : value.processes) add("process", name_of(process.began));
  if (!value.before.empty()) add("before", "something");
  std::size_t number = 0;
  for (const Step& step : value.steps) {
    ++number;
    std::visit(
        Each{[&](const Make& make) {
               add("make", make.kind->kind.substr(0, make.kind->kind.find(" over ")));
               if (make.kind->takes("mode")) add("mode", name_of(make.mode));
               add("make", make.around.empty() ? "alone" : "around");
               if (make.relative) add("make", "relative");
               if (make.read_only) add("read_only", *make.read_only ? "true" : "false");
               if (make.in != kHome) add("make", "elsewhere");
             },
             [&](const Call& call) {
               add("call", name_of(call.op));
               if (call.by == By::kSync) add("call", "by sync");
               if (call.watched) add("call", "watched");
               if (call.on.size() > 1) add("call", "mirrored");
               if (!call.in.empty()) add("call", "inherited");
               if (call.value.size > 8'192) add("value", "above a buffer");
               if (call.op == Op::kSet && call.value == Value{}) add("value", "empty");
               if (operation(call.op).misuse || call.start < 0) add("misuse", "");
               if (operation(call.op).takes.key && !plain_key(call.key)) add("key", "odd");
               if (call.key.size() > 200) add("key", "long");
               if (call.start == 20'000 || call.end == 20'000) add("range", "edge");
             },
             [&](const Carry& carry) {
               add("carry", name_of(carry.carrier));
               add("cargo", name_of(carry.cargo));
               if (carry.to != kHome) add("carry", "abroad");
               if (!carry.in.empty()) add("carry", "inherited");
             },
             [&](const Fork& fork) { add("fork", fork.in == kHome ? "of home" : "of another"); },
             [&](const Deed& deed) {
               add("do", name_of(deed.what));
               if (deed.in == kHome && ends_its_process(deed.what)) {
                 add("do", "end of home");
                 EXPECT_EQ(number, value.steps.size());
               }
             }},
        step);
  }
  for (const std::string& word : words) ++seen[word];
}

TEST(GeneratedPrograms, EverythingArrivesAsOftenAsItShould) {
  std::map<std::string, unsigned> seen;
  for (unsigned seed = 0; seed < kArrival; ++seed) note(drawn(seed), seen);
  const auto must = [&](std::string_view what, std::string_view word) {
    const std::string name = std::string(what) + ": " + std::string(word);
    EXPECT_GT(seen[name], 0) << name;
  };
  for (const Operation& row : operations()) must("call", row.word);
  for (const Carrier carrier : all_of<Carrier>())
    if (carrier != Carrier::kInherited && carrier != Carrier::kMadeAnew)
      must("carry", name_of(carrier));
  for (const Cargo cargo : all_of<Cargo>()) must("cargo", name_of(cargo));
  for (const What what : all_of<What>()) must("do", name_of(what));
  for (const Mode mode : all_of<Mode>()) must("mode", name_of(mode));
  for (const Began began : all_of<Began>()) must("process", name_of(began));
  for (const StoreKind kind : test::kListed) must("make", kind->kind);
  for (const char* word : {"alone", "around", "relative", "elsewhere"}) must("make", word);
  for (const char* word : {"true", "false"}) must("read_only", word);
  for (const char* word : {"by sync", "watched", "mirrored", "inherited"}) must("call", word);
  for (const char* word : {"abroad", "inherited"}) must("carry", word);
  for (const char* word : {"above a buffer", "empty"}) must("value", word);
  for (const char* word : {"of home", "of another"}) must("fork", word);
  must("do", "end of home");
  must("before", "something");
  must("key", "odd");
  must("key", "long");
  must("range", "edge");
  must("misuse", "");
  // A fork and zarr's own loop cost, and misuse hides what matters: so each is in few programs.
  const auto share = [&](const char* name) { return 1.0 * seen[name] / kArrival; };
  EXPECT_NEAR(share("process: fork"), 0.08, 0.04);
  EXPECT_NEAR(share("call: by sync"), 0.10, 0.05);
  EXPECT_LT(share("misuse: "), 0.10);
  EXPECT_LT(share("key: odd"), 0.08);
  EXPECT_GT(share("carry: abroad"), 0.25);
  EXPECT_GT(share("call: watched"), 0.2);
}

// Where contents are at stake: what a step meets, as the model sees it before that step.
void note_stakes(const Case& value, std::map<std::string, unsigned>& seen) {
  std::set<std::string> words;
  Model model(value);
  for (const Step& step : value.steps) {
    const std::vector<HandleFacts> facts = model.facts();
    const auto stands = [&](const std::string& name, auto member, const char* what) {
      for (const HandleFacts& it : facts)
        if (it.name == name && it.*member) words.insert(what);
    };
    if (const auto* carry = std::get_if<Carry>(&step)) {
      stands(carry->from, &HandleFacts::pending, "carried with what is not published");
      stands(carry->from, &HandleFacts::claim, "carried with a claim");
      stands(carry->from, &HandleFacts::elsewhere, "carried from another directory");
    }
    if (const auto* call = std::get_if<Call>(&step)) {
      for (const std::string& name : call->on) {
        stands(name, &HandleFacts::stale, "asked of what was");
        stands(name, &HandleFacts::elsewhere, "asked in another directory");
        stands(name, &HandleFacts::cached, "asked of a cache");
        if (call->op == Op::kClose) stands(name, &HandleFacts::pending, "closed and published");
      }
    }
    if (std::holds_alternative<Fork>(step))
      for (const HandleFacts& it : facts)
        if (it.pending) words.insert("forked with what is not published");
    for (const HandleFacts& one : facts)
      for (const HandleFacts& other : facts)
        if (&one < &other && one.archive && one.pending && other.pending &&
            one.place == other.place && one.name != other.name)
          words.insert("two writers of one archive");
    model.assume(step);
  }
  for (const std::string& word : words) ++seen[word];
}

TEST(GeneratedPrograms, GoWhereContentsAreAtStake) {
  std::map<std::string, unsigned> seen;
  constexpr unsigned kPrograms = 3'000;
  for (unsigned seed = 0; seed < kPrograms; ++seed)
    note_stakes(drawn(seed, {test::kZip, test::kLocal, test::store("cache over zip")}), seen);
  const auto share = [&](const char* name) { return 1.0 * seen[name] / kPrograms; };
  EXPECT_GT(share("closed and published"), 0.25);
  EXPECT_GT(share("carried with what is not published"), 0.15);
  EXPECT_GT(share("carried with a claim"), 0.025);
  EXPECT_GT(share("asked of what was"), 0.15);
  EXPECT_GT(share("asked of a cache"), 0.2);
  EXPECT_GT(share("two writers of one archive"), 0.05);
  EXPECT_GT(share("forked with what is not published"), 0.01);
  EXPECT_GT(share("asked in another directory"), 0.015);
  EXPECT_GT(share("carried from another directory"), 0.005);
}

// Each method has to refuse by itself: of a store without modes, who may not write is asked to
// delete and to write what is there.
TEST(GeneratedPrograms, WhoMayNotWriteIsAskedTo) {
  std::map<Family, unsigned> asked;
  constexpr unsigned kPrograms = 3'000;
  for (unsigned seed = 0; seed < kPrograms; ++seed) {
    const Case value = drawn(seed, {test::store("memory")});
    Model model(value);
    std::set<Family> here;
    for (const Step& step : value.steps) {
      const auto* call = std::get_if<Call>(&step);
      for (const HandleFacts& it : model.facts())
        if (call && operation(call->op).writes() && call->on.front() == it.name && it.read_only &&
            (operation(call->op).takes.key ? std::ranges::count(it.keys, call->key) > 0
                                           : !it.keys.empty()))
          here.insert(operation(call->op).family);
      model.assume(step);
    }
    for (const Family family : here) ++asked[family];
  }
  EXPECT_GT(asked[Family::kDelete], kPrograms / 100);
  EXPECT_GT(asked[Family::kWrite], kPrograms / 100);
}

}  // namespace
}  // namespace storefuzz::program
