// What cannot be is dropped, what says nothing is cleared: each rule of fit.cc, one by one.
#include "harness/case/fit.h"

#include <gtest/gtest.h>

#include <string>

namespace storefuzz::program {
namespace {

// The program whose first step makes a ZipStore s, around whatever steps are given.
Case with_steps(std::string_view steps) {
  const std::string text = R"({"format":2,"processes":{"p1":"spawn","p2":"fork"},"program":[)"
                           R"({"make":"zip","at":"z","mode":"a","as":"s"})" +
                           std::string(steps.empty() ? "" : ",") + std::string(steps) + "]}";
  auto parsed = parse_case(text);
  EXPECT_TRUE(parsed.has_value()) << text << ": " << parsed.error().message;
  return parsed.value_or(Case{});
}

struct Rule {
  const char* name;
  const char* before;  // steps
  const char* after;
};

constexpr Rule kRules[] = {
    {"who cannot read it cannot delete it",
     R"({"make":"icechunk","at":"i","as":"t"},{"do":"delete the file","at":"i"})",
     R"({"make":"icechunk","at":"i","as":"t"})"},
    {"nor look at it within a call",
     R"({"make":"icechunk","at":"i","as":"t"},
        {"call":"set","key":"a","value":"v","on":"t","watched":true})",
     R"({"make":"icechunk","at":"i","as":"t"},{"call":"set","key":"a","value":"v","on":"t"})"},
    {"an unknown handle", R"({"call":"list","on":"t"})", ""},
    {"one unknown handle of several", R"({"call":"list","on":["t","s"]})",
     R"({"call":"list","on":"s"})"},
    {"a handle is asked once", R"({"call":"list","on":["s","s"]})", R"({"call":"list","on":"s"})"},
    {"a name is bound once", R"({"make":"memory","as":"s"})", ""},
    {"also by a carry", R"({"carry":"copy","from":"s","as":"s"})", ""},
    {"and by a call", R"({"call":"store path","key":"a","on":"s","as":"s"})", ""},
    {"a dropped name stays bound", R"({"do":"drop","handle":"s"},{"make":"memory","as":"s"})",
     R"({"do":"drop","handle":"s"})"},
    {"a name is a word", R"({"make":"memory","as":"s-1"},{"make":"memory","as":""})", ""},
    {"a dropped handle is not asked", R"({"do":"drop","handle":"s"},{"call":"list","on":"s"})",
     R"({"do":"drop","handle":"s"})"},
    {"nor dropped again", R"({"do":"drop","handle":"s"},{"do":"drop","handle":"s"})",
     R"({"do":"drop","handle":"s"})"},
    {"a drop is where the handle lives",
     R"({"carry":"pickle 5","from":"s","to":"p1","as":"t"},{"do":"drop","handle":"t"})",
     R"({"carry":"pickle 5","from":"s","to":"p1","as":"t"},{"do":"drop","handle":"t","in":"p1"})"},
    {"an unknown process", R"({"make":"memory","in":"p9","as":"t"})", ""},
    {"a process that has not begun", R"({"make":"memory","in":"p2","as":"t"})", ""},
    {"a process that has ended", R"({"do":"die","in":"p1"},{"make":"memory","in":"p1","as":"t"})",
     R"({"do":"die","in":"p1"})"},
    {"a carry to nobody", R"({"carry":"pickle 5","from":"s","to":"p2","as":"t"})", ""},
    {"what ended with its process",
     R"({"make":"memory","in":"p1","as":"t"},{"do":"_exit","in":"p1"},{"call":"list","on":"t"})",
     R"({"make":"memory","in":"p1","as":"t"},{"do":"_exit","in":"p1"})"},
    {"a process ends once", R"({"do":"die","in":"p1"},{"do":"exit","in":"p1"})",
     R"({"do":"die","in":"p1"})"},
    {"home ends last", R"({"do":"exit"},{"call":"list","on":"s"})", R"({"call":"list","on":"s"})"},
    {"home ends", R"({"call":"list","on":"s"},{"do":"exit"},{"call":"list","on":"t"})",
     R"({"call":"list","on":"s"},{"do":"exit"})"},
    {"only a declared process begins", R"({"fork":"p9"})", ""},
    {"a spawned one is there already", R"({"fork":"p1"})", ""},
    {"a process begins once", R"({"fork":"p2"},{"fork":"p2"})", R"({"fork":"p2"})"},
    {"and from one that runs", R"({"do":"die","in":"p1"},{"fork":"p2","in":"p1"})",
     R"({"do":"die","in":"p1"})"},
    {"an inherited handle is addressed there",
     R"({"fork":"p2"},{"call":"list","on":"s","in":"p2"},{"call":"list","on":"s","in":"p0"})",
     R"({"fork":"p2"},{"call":"list","on":"s","in":"p2"},{"call":"list","on":"s"})"},
    {"what a fork did not inherit",
     R"({"fork":"p2"},{"make":"memory","as":"t"},)"
     R"({"call":"list","on":["t","s"],"in":"p2"})",
     R"({"fork":"p2"},{"make":"memory","as":"t"},{"call":"list","on":"s","in":"p2"})"},
    {"the child keeps what the parent forgot",
     R"({"fork":"p2"},{"do":"drop","handle":"s"},{"carry":"copy","from":"s","in":"p2","as":"t"})",
     R"({"fork":"p2"},{"do":"drop","handle":"s"},)"
     R"({"carry":"copy","from":"s","in":"p2","to":"p2","as":"t"})"},
    {"a copy stays in its process", R"({"carry":"copy","from":"s","to":"p1","as":"t"})",
     R"({"carry":"copy","from":"s","as":"t"})"},
    {"so does a deep one", R"({"carry":"deepcopy","cargo":"list","from":"s","to":"p1","as":"t"})",
     R"({"carry":"deepcopy","from":"s","as":"t"})"},
    {"and what is handed over", R"({"carry":"handed over","from":"s","to":"p1","as":"t"})",
     R"({"carry":"handed over","from":"s","as":"t"})"},
    {"only a store is put into a path",
     R"({"call":"store path","key":"a","on":"s","as":"t"},)"
     R"({"carry":"pickle 5","cargo":"store path","from":"t","as":"u"},)"
     R"({"carry":"pickle 5","cargo":"dict","from":"t","as":"v"})",
     R"({"call":"store path","key":"a","on":"s","as":"t"},)"
     R"({"carry":"pickle 5","from":"t","as":"u"},)"
     R"({"carry":"pickle 5","cargo":"dict","from":"t","as":"v"})"},
    {"a place has one medium", R"({"make":"local","at":"z","as":"t"})", ""},
    {"and one way in which keys lie there",
     R"({"make":"local","at":"f","as":"t"},{"make":"icechunk","at":"f","as":"u"})",
     R"({"make":"local","at":"f","as":"t"})"},
    {"a store on disk has a place",
     R"({"make":"local","as":"t"},{"make":"local","at":"/","as":"t"})", ""},
    {"memory has none", R"({"make":"memory","at":"m","relative":true,"mode":"w","as":"t"})",
     R"({"make":"memory","as":"t"})"},
    {"what a constructor does not take",
     R"({"make":"directory","at":"f","mode":"r","read_only":true,"as":"t"})",
     R"({"make":"directory","at":"f","as":"t"})"},
    {"a wrapper wraps", R"({"make":"logging","at":"z","as":"t"})", ""},
    {"nothing else does", R"({"make":"zip","around":"s","as":"t"})", ""},
    {"it wraps what is there", R"({"make":"logging","around":"t","as":"t"})", ""},
    {"in its process", R"({"make":"logging","around":"s","in":"p1","as":"t"})", ""},
    {"a store",
     R"({"call":"store path","key":"a","on":"s","as":"p"},)"
     R"({"make":"logging","around":"p","as":"t"})",
     R"({"call":"store path","key":"a","on":"s","as":"p"})"},
    {"as it is",
     R"({"make":"logging","around":"s","at":"f","mode":"r","read_only":true,)"
     R"("relative":true,"as":"t"})",
     R"({"make":"logging","around":"s","as":"t"})"},
    {"only what binds is bound", R"({"call":"get","key":"a","on":"s","as":"t"})",
     R"({"call":"get","key":"a","on":"s"})"},
    {"one result",
     R"({"make":"memory","as":"m"},)"
     R"({"call":"store path","key":"a","on":["s","m"],"as":"t"})",
     R"({"make":"memory","as":"m"},{"call":"store path","key":"a","on":"s","as":"t"})"},
    {"a store has no block", R"({"call":"read block","start":0,"end":1,"on":"s"})", ""},
    {"a path has no listing",
     R"({"call":"store path","key":"a","on":"s","as":"t"},{"call":"list","on":"t"})",
     R"({"call":"store path","key":"a","on":"s","as":"t"})"},
    {"an array has no keys",
     R"({"call":"open array","key":"a","on":"s","as":"t"},)"
     R"({"call":"get","key":"a","on":["t","s"]})",
     R"({"call":"open array","key":"a","on":"s","as":"t"},{"call":"get","key":"a","on":"s"})"},
    {"what is compared lives together",
     R"({"carry":"pickle 5","from":"s","to":"p1","as":"t"},{"call":"equal","other":"t","on":"s"})",
     R"({"carry":"pickle 5","from":"s","to":"p1","as":"t"})"},
    {"a plain call has no coroutine", R"({"call":"close","on":"s","by":"sync"})",
     R"({"call":"close","on":"s"})"},
    {"a question about the object changes no disk",
     R"({"call":"read only","on":"s","watched":true})", R"({"call":"read only","on":"s"})"},
    {"crash states are of one handle's place",
     R"({"make":"local","at":"f","as":"t"},{"call":"set","key":"a","value":"a","on":["s","t"],"watched":true})",
     R"({"make":"local","at":"f","as":"t"},{"call":"set","key":"a","value":"a","on":["s","t"]})"},
    {"memory has no crash states",
     R"({"make":"memory","as":"t"},{"call":"set","key":"a","value":"a","on":"t","watched":true})",
     R"({"make":"memory","as":"t"},{"call":"set","key":"a","value":"a","on":"t"})"},
    {"what a wrapper or a copy has on disk has them",
     R"({"make":"cache","around":"s","as":"t"},{"carry":"copy","from":"t","as":"u"},)"
     R"({"call":"close","on":"u","watched":true})",
     R"({"make":"cache","around":"s","as":"t"},{"carry":"copy","from":"t","as":"u"},)"
     R"({"call":"close","on":"u","watched":true})"},
    {"a word once has no size",
     R"({"call":"set","key":"a","value":{"word":"a@1","size":3},"on":"s"})",
     R"({"call":"set","key":"a","value":"a@1","on":"s"})"},
    {"a file of no place", R"({"do":"delete the file","at":"f"})", ""},
    {"an outsider is no process", R"({"do":"delete the file","at":"z","in":"p1"})",
     R"({"do":"delete the file","at":"z"})"},
};

TEST(Fit, EachRuleOfTheSteps) {
  for (const Rule& rule : kRules) {
    const std::string after = to_text(with_steps(rule.after));
    EXPECT_EQ(to_text(with_steps(rule.before)), after) << rule.name;
    // What is expected says what it means: nothing of it is dropped.
    EXPECT_NE(after.find(rule.after), after.npos) << rule.name << ": " << after;
  }
}

Case fitted(Case value) {
  fit(value);
  return value;
}

TEST(Fit, OnlyPlacesOfAStoreOnDiskHoldContent) {
  Case value = with_steps(R"({"make":"memory","as":"m"},{"make":"icechunk","at":"i","as":"t"})");
  const Entry entry{"a", {"a@0"}};
  value.before = {{"z", {entry}}, {"m", {entry}}, {"i", {entry}}, {"z", {}}, {"a/b", {entry}}};
  EXPECT_EQ(fitted(value).before, (std::vector<Place>{{"z", {entry}}}));
  value.before = {{"z", {}}};
  EXPECT_TRUE(fitted(value).before.empty());
}

TEST(Fit, APlaceHoldsWhatItsMediumCanHold) {
  Case value = with_steps(R"({"make":"local","at":"f","as":"t"})");
  std::vector<Entry> entries;
  for (const char* key : {"a", "a/b", "a", "", "../x", "c/d", "c", "/e"})
    entries.push_back({key, {std::string(key) + "@0"}});
  value.before = {{"z", entries}, {"f", entries}};
  const auto keys = [&](const Place& place) {
    std::string list;
    for (const Entry& entry : place.entries) list += entry.key + " ";
    return list;
  };
  const Case after = fitted(value);
  ASSERT_EQ(after.before.size(), 2);
  EXPECT_EQ(keys(after.before[0]), "a c/d ") << "a folder";
  EXPECT_EQ(keys(after.before[1]), "a a/b ../x c/d c /e ") << "an archive";
}

TEST(Fit, OnlyAnArchiveIsTwisted) {
  Case value = with_steps(R"({"make":"local","at":"f","as":"t"})");
  const std::vector<Twist> twists(kMaxTwists + 1, Twist{.name = "wrong crc"});
  value.before = {{.name = "f", .twists = twists}, {.name = "z", .twists = twists}};
  value.before.back().twists.front().name = "no twist";
  fit(value);
  ASSERT_EQ(value.before.size(), 1U) << "an empty folder need not be said";
  EXPECT_EQ(value.before.front().name, "z");
  EXPECT_EQ(value.before.front().twists.size(), kMaxTwists);
}

TEST(Fit, OnlyASpawnedProcessHasAnotherRelease) {
  Case value = with_steps(R"({"make":"memory","in":"p1","as":"t"},{"fork":"p2"})");
  for (Process& process : value.processes) process.subject = "3.0.8";
  fit(value);
  EXPECT_EQ(value.processes.front().subject, "3.0.8");
  EXPECT_EQ(value.processes.back().subject, "");
  value.processes.front().subject = "../3.0.8";
  fit(value);
  EXPECT_EQ(value.processes.front().subject, "") << "it names no release";
}

TEST(Fit, OnlyProcessesThatAStepNamesAreThere) {
  EXPECT_EQ(with_steps("").processes, std::vector<Process>{});
  EXPECT_EQ(with_steps(R"({"fork":"p2"})").processes, (std::vector<Process>{{"p2", Began::kFork}}));
  Case value;
  value.processes = {{"q"}, {"p0"}, {"p"}, {"q", Began::kFork}, {"a b"}};
  for (const char* name : {"p", "q", "p0"})
    value.steps.push_back(
        Make{.kind = find_store("memory").value(), .in = name, .as = std::string("s_") + name});
  EXPECT_EQ(fitted(value).processes, (std::vector<Process>{{"p"}, {"q"}}));
  EXPECT_EQ(fitted(value).steps.size(), 3);
}

TEST(Fit, BoundsAreKeptByLeavingOut) {
  Case value = with_steps("");
  for (std::size_t i = 0; i < 2 * kMaxHandles; ++i)
    value.steps.push_back(Carry{.from = "s", .as = "t" + std::to_string(i)});
  EXPECT_EQ(fitted(value).steps.size(), kMaxHandles);
  value.processes = {{"p2", Began::kFork}};
  value.steps.push_back(Fork{.process = "p2"});
  EXPECT_TRUE(fitted(value).processes.empty()) << "a fork doubles what lives";

  value = with_steps("");
  value.steps.insert(value.steps.end(), 2 * kMaxSteps, Call{.op = Op::kList, .on = {"s"}});
  EXPECT_EQ(fitted(value).steps.size(), kMaxSteps);

  value = with_steps("");
  for (const char* place : {"a", "b", "c", "d"})
    value.steps.push_back(Make{.at = place, .as = std::string("s_") + place});
  EXPECT_EQ(fitted(value).steps.size(), kMaxPlaces);

  value = with_steps("");
  value.steps.push_back(Call{.op = Op::kSet,
                             .on = {"s"},
                             .key = std::string(2 * kMaxKey, 'k'),
                             .value = {"v", 2 * kMaxSize}});
  value.steps.push_back(
      Call{.op = Op::kGetRange, .on = {"s"}, .start = INT64_MIN, .end = INT64_MAX});
  value.steps.push_back(Call{.on = {"s"}, .key = "a\xff"});
  value = fitted(value);
  const auto call = [&](std::size_t step) { return std::get<Call>(value.steps[step]); };
  EXPECT_EQ(call(1).key.size(), kMaxKey);
  EXPECT_EQ(call(1).value.size, kMaxSize);
  EXPECT_EQ(call(2).start, -kMaxNumber);
  EXPECT_EQ(call(2).end, kMaxNumber);
  EXPECT_EQ(call(3).key, "a\uFFFD");
}

TEST(Fit, WhatCouldBeWrittenCanBeRead) {
  Case value = with_steps("");
  const std::string dear(kMaxKey, '\x01');  // six bytes each, as JSON
  value.steps.insert(value.steps.end(), kMaxSteps,
                     Call{.op = Op::kSet, .on = {"s"}, .key = dear, .value = {dear}});
  value.before = {{.name = "z"}};
  for (std::size_t i = 0; i < kMaxEntries; ++i)
    value.before[0].entries.push_back({std::to_string(i) + dear, {dear}});
  const Case after = fitted(value);
  EXPECT_TRUE(after.before.empty());
  EXPECT_GT(after.steps.size(), 15);
  EXPECT_LT(after.steps.size(), 25);
  EXPECT_EQ(parse_case(to_text(after)).value_or(Case{}), after);
}

// Who builds a program step by step asks the same rules.
TEST(Fitter, TakesAStepOrNothing) {
  Fitter fitter({{"p1"}, {"p2", Began::kFork}});
  Step unknown = Call{.on = {"s"}};
  EXPECT_FALSE(fitter.take(unknown));
  Step make = Make{.at = "z", .in = "p1", .as = "s"};
  EXPECT_FALSE(fitter.named("p1"));
  EXPECT_TRUE(fitter.take(make));
  EXPECT_TRUE(fitter.named("p1"));
  EXPECT_TRUE(fitter.on_disk("s"));
  EXPECT_FALSE(fitter.runs("p2"));
  Step call = Call{.on = {"s"}, .in = "p1", .key = "a", .value = {"b"}};
  EXPECT_TRUE(fitter.take(call));
  EXPECT_EQ(call, (Step{Call{.on = {"s"}, .key = "a"}}));
  EXPECT_EQ(fitter.places().at("z"), (Layout{Medium::kZip}));
}

}  // namespace
}  // namespace storefuzz::program
