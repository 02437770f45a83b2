// A program is read as it is written, and what is wrong with one is told in one sentence that names
// the field.
#include "harness/case/program.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace storefuzz::program {
namespace {

// The example of the design, but for what no step can say yet.
constexpr std::string_view kExample =
    R"({"format":2,)"
    R"("before":{"z":{"entries":[{"key":"a","value":"a@0"}]}},)"
    R"("processes":{"p1":"spawn","p2":"fork"},)"
    R"("program":[)"
    R"({"make":"zip","at":"z","mode":"a","as":"s0"},)"
    R"({"carry":"pickle 5","from":"s0","to":"p1","as":"s1"},)"
    R"({"call":"get","key":"a","on":["s0","s1"]},)"
    R"({"fork":"p2"},)"
    R"({"call":"set","key":"b","value":"b@4","on":"s0","watched":true},)"
    R"({"call":"get","key":"a","on":"s0","in":"p2"},)"
    R"({"do":"drop","handle":"s0"}]})";

Case accepted(std::string_view text) {
  auto parsed = parse_case(text);
  EXPECT_TRUE(parsed.has_value()) << text << ": " << parsed.error().message;
  return parsed.value_or(Case{});
}

std::string refusal(std::string_view text) {
  auto parsed = parse_case(text);
  EXPECT_FALSE(parsed.has_value()) << text;
  return parsed ? "" : parsed.error().message;
}

// The refusal of a program that has this step.
std::string refusal_of_step(std::string_view step) {
  return refusal(std::string(R"({"format":2,"program":[)") + std::string(step) + "]}");
}

// --- the JSON form

TEST(Program, TheExampleIsReadAndWrittenAlike) {
  const Case value = accepted(kExample);
  EXPECT_EQ(to_text(value), kExample);
  EXPECT_EQ(to_json(value), Json::parse(kExample));
  ASSERT_EQ(value.steps.size(), 7);
  const auto* set = std::get_if<Call>(&value.steps[4]);
  ASSERT_TRUE(set);
  EXPECT_EQ(
      *set,
      (Call{.op = Op::kSet, .on = {"s0"}, .key = "b", .value = {.word = "b@4"}, .watched = true}));
  EXPECT_EQ(value.processes, (std::vector<Process>{{"p1"}, {"p2", Began::kFork}}));
}

// Every member that a step can have, away from its default.
TEST(Program, EveryMemberIsReadAndWrittenAlike) {
  constexpr std::string_view text =
      R"({"format":2,)"
      R"("before":{"f":{"entries":[{"key":"a/b","value":{"word":"a/b@0","size":9000}}]},)"
      R"("z":{"entries":[],"twists":[{"name":"wrong crc","entry":1,"amount":2}]}},)"
      R"("processes":{"p1":{"began":"spawn","subject":"3.0.8"},"p2":"fork"},)"
      R"("program":[)"
      R"({"make":"zip","at":"z","mode":"w","read_only":false,"deflated":true,"relative":true,"in":"p1","as":"s0"},)"
      R"({"make":"local","at":"f","read_only":true,"as":"s1"},)"
      R"({"make":"logging","around":"s0","in":"p1","as":"s2"},)"
      R"({"fork":"p2","in":"p1"},)"
      R"({"call":"get range","key":"a","start":-1,"end":5,"on":"s0","in":"p2","by":"sync"},)"
      R"({"call":"equal","other":"s2","on":["s0"]},)"
      R"({"call":"with read only","flag":true,"on":"s1","as":"s3"},)"
      R"({"call":"create array","key":"x","on":"s2","as":"a"},)"
      R"({"call":"write block","value":"n@8","start":0,"end":4,"on":"a","watched":true},)"
      R"({"carry":"cloudpickle","cargo":"two references","from":"s0","in":"p2","as":"s4"},)"
      R"({"do":"change directory","in":"p1"},)"
      R"({"do":"delete the file","at":"z"},)"
      R"({"do":"exit","in":"p1"},)"
      R"({"do":"_exit","in":"p2"},)"
      R"({"do":"die"}]})";
  std::string expected(text);
  const auto list = expected.find(R"(["s0"])");
  expected.replace(list, 6, R"("s0")");  // one handle is no list
  EXPECT_EQ(to_text(accepted(text)), expected);
}

TEST(Program, KeysAreAnyText) {
  Case value;
  value.steps = {Make{.at = "z", .as = "s"}};
  for (const std::string& key : {std::string("a\0b", 3), std::string("\"\\\n"),
                                 std::string("é\u4e2d"), std::string("../x"), std::string()})
    value.steps.push_back(Call{.on = {"s"}, .key = key});
  EXPECT_EQ(accepted(to_text(value)), value);
}

TEST(Program, AWordThatIsNoneIsRefusedByItsField) {
  EXPECT_EQ(refusal("[]"), "the case must be an object");
  EXPECT_EQ(refusal("{"), "the case is not JSON");
  EXPECT_EQ(refusal("{}"), "the case needs 2 as \"format\"");
  EXPECT_EQ(refusal(R"({"format":1})"), "the case needs a whole number from 2 to 2 as \"format\"");
  EXPECT_EQ(refusal(R"({"format":2,"steps":[]})"), "the case has an unknown \"steps\"");
  EXPECT_EQ(refusal(R"({"format":2,"program":{}})"), "the case needs a list as \"program\"");
  EXPECT_EQ(refusal(R"({"format":2,"before":[1,2]})"), "\"before\" must be an object");
  EXPECT_EQ(refusal(R"({"format":2,"before":{"z":{"entries":[{"key":1}]}}})"),
            "the place \"z\", an entry, needs a text as \"key\"");
  EXPECT_EQ(refusal(R"({"format":2,"before":{"z":{"twist":1}}})"),
            "the place \"z\" has an unknown \"twist\"");
  EXPECT_EQ(refusal(R"({"format":2,"before":{"z":{"twists":[{"name":"eaten"}]}}})"),
            "the place \"z\", a twist, has a \"name\" that no twist has");
  EXPECT_EQ(refusal(R"({"format":2,"processes":{"p1":"thread"}})"),
            "\"processes\" has no \"p1\" like that; it is one of: spawn, fork");
  EXPECT_EQ(refusal(R"({"format":2,"processes":{"p1":{"release":"3.0.8"}}})"),
            "the process \"p1\" has an unknown \"release\"");
  EXPECT_EQ(refusal_of_step("1"), "step 0 must be an object");
  EXPECT_EQ(refusal_of_step("{}"),
            "step 0 is none: it has no \"make\", \"call\", \"carry\", \"fork\" or \"do\"");
  EXPECT_TRUE(refusal_of_step(R"({"make":"floppy"})")
                  .starts_with("step 0 names no store: there is no store \"floppy\""));
  EXPECT_TRUE(
      refusal_of_step(R"({"call":"fly"})")
          .starts_with(
              "step 0 has no \"call\" like that; it is one of: get, get range, get offset, "));
  EXPECT_EQ(refusal_of_step(R"({"call":"get","key":"a","value":"b","on":"s"})"),
            "step 0 has an unknown \"value\"");
  EXPECT_EQ(refusal_of_step(R"({"call":"set","value":{"word":"b","size":-1},"on":"s"})"),
            "step 0, its value, needs a whole number from 0 to 65536 as \"size\"");
  EXPECT_EQ(refusal_of_step(R"({"call":"get","on":["s",1]})"),
            "step 0 needs names of handles, of 24 bytes, as \"on\"");
  EXPECT_EQ(refusal_of_step(R"({"carry":"inherited","from":"s","as":"t"})"),
            "step 0 carries by what is a step of its own: \"make\", \"fork\"");
  EXPECT_EQ(refusal_of_step(R"({"fork":"p","at":"z"})"), "step 0 has an unknown \"at\"");
  EXPECT_EQ(
      refusal_of_step(R"({"do":"sing"})"),
      "step 0 has no \"do\" like that; it is one of: change directory, drop, delete the file, "
      "exit, _exit, die");
}

TEST(Program, BoundsAreRefused) {
  const auto many = [](std::size_t n, std::string_view one) {
    std::string list;
    for (std::size_t i = 0; i < n; ++i) list += (i ? "," : "") + std::string(one);
    return list;
  };
  EXPECT_EQ(refusal(std::string(kMaxCaseText + 1, ' ')),
            "a case has at most 65536 bytes of JSON, this one has 65537");
  EXPECT_EQ(refusal_of_step(many(kMaxSteps + 1, R"({"fork":"p"})")),
            "the case has above 48 \"program\"");
  EXPECT_EQ(refusal_of_step(R"({"call":"get","on":[)" + many(5, "\"s\"") + "]}"),
            "step 0 has above 4 \"on\"");
  EXPECT_EQ(refusal_of_step(R"({"call":"get","key":")" + std::string(257, 'k') + "\"}"),
            "step 0 has a \"key\" above 256 bytes");
  EXPECT_EQ(refusal_of_step(R"({"fork":")" + std::string(25, 'p') + "\"}"),
            "step 0 has a \"fork\" above 24 bytes");
  EXPECT_EQ(refusal(R"({"format":2,"before":{"z":{"entries":[)" + many(17, "{}") + "]}}}"),
            "the place \"z\" has above 16 \"entries\"");
  std::string places, processes;
  for (char name = 'a'; name < 'f'; ++name) {
    places += std::string(name > 'a' ? "," : "") + '"' + name + R"(":{})";
    processes += std::string(name > 'a' ? "," : "") + '"' + name + R"(":"fork")";
  }
  EXPECT_EQ(refusal(R"({"format":2,"before":{)" + places + "}}"), "\"before\" has above 4 places");
  EXPECT_EQ(refusal(R"({"format":2,"processes":{)" + processes + "}}"),
            "\"processes\" has above 4");
}

// --- words and bytes

TEST(Program, EveryWordIsItsOwn) {
  const auto differ = []<class Enum>(const std::vector<Enum>& all) {
    std::set<std::string_view> words;
    for (const Enum value : all) words.insert(name_of(value));
    return words.size() == all.size();
  };
  EXPECT_TRUE(differ(all_of<Began>()));
  EXPECT_TRUE(differ(all_of<By>()));
  EXPECT_TRUE(differ(all_of<What>()));
  EXPECT_EQ(all_of<What>().size(), 6);
}

TEST(Value, ItsBytesAreTheWordAgainAndAgain) {
  EXPECT_EQ((Value{"b@5"}.bytes()), "b@5");
  EXPECT_EQ((Value{"b@5", 11}.bytes()), "b@5;b@5;b@5");
  EXPECT_EQ((Value{"b@5", 2}.bytes()), "b@");
  EXPECT_EQ((Value{"b@5", 4}.bytes()), "b@5;");
  EXPECT_EQ((Value{"", 0}.bytes()), "");
  EXPECT_EQ((Value{"b@5", kMaxSize}.bytes().size()), kMaxSize);
}

TEST(Program, AForkHasTheZarrOfItsParent) {
  Case value;
  value.processes = {{.name = "p1", .subject = "3.0.8"}, {.name = "p2", .began = Began::kFork}};
  value.steps = {Fork{.process = "p2", .in = "p1"}};
  EXPECT_EQ(of_other_releases(value), (std::set<std::string, std::less<>>{"p1", "p2"}));
  value.steps = {Fork{.process = "p2"}};
  EXPECT_EQ(of_other_releases(value), (std::set<std::string, std::less<>>{"p1"}));
}

TEST(Program, AnArchiveIsAmbiguousUnlessItsFormIsRareAndLegal) {
  Place place{.name = "z", .entries = {{"a", {"a@0"}}}};
  EXPECT_FALSE(is_ambiguous(place));
  place.twists = {{.name = "zip64 records"}};
  EXPECT_FALSE(is_ambiguous(place));
  EXPECT_NE(archive_of(place).value(), archive_of({.name = "z", .entries = place.entries}).value());
  place.twists.push_back({.name = "wrong crc"});
  EXPECT_TRUE(is_ambiguous(place));
}

// --- handles

TEST(Handles, AreWhereTheStepsLeftThem) {
  Handles handles;
  const auto at = [&](std::string_view name, std::string_view in = {}) {
    const std::string* process = handles.process_of(name, in);
    return process ? *process : "-";
  };
  EXPECT_EQ(at("s0"), "-");
  EXPECT_EQ(handles.subject_of("s0"), std::nullopt);
  handles.take(Make{.at = "z", .as = "s0"});
  handles.take(Carry{.from = "s0", .to = "p1", .as = "s1"});
  handles.take(Call{.op = Op::kStorePath, .on = {"s1"}, .as = "path"});
  handles.take(Call{.op = Op::kGet, .on = {"s1"}});
  EXPECT_EQ(at("s0"), "p0");
  EXPECT_EQ(at("s1"), "p1");
  EXPECT_EQ(at("s1", "p0"), "-");
  EXPECT_EQ(at("path"), "p1");
  EXPECT_EQ(handles.subject_of("path"), Subject::kPath);
  handles.take(Fork{.process = "p2", .in = "p1"});
  EXPECT_EQ(at("path"), "p1");
  EXPECT_EQ(at("path", "p2"), "p2");
  EXPECT_EQ(at("s0", "p2"), "-");
  EXPECT_EQ(handles.living().size(), 5);
  // What a parent forgets, its child still has.
  handles.take(Deed{.what = What::kDrop, .in = "p1", .handle = "s1"});
  EXPECT_EQ(at("s1"), "-");
  EXPECT_EQ(at("s1", "p2"), "p2");
  handles.take(Deed{.what = What::kDie, .in = "p2"});
  EXPECT_EQ(at("path", "p2"), "-");
  handles.take(Carry{.from = "path", .as = "back"});
  EXPECT_EQ(handles.subject_of("back"), Subject::kPath);
  handles.take(Make{.kind = find_store("path over zip").value(), .at = "z", .as = "p"});
  EXPECT_EQ(handles.subject_of("p"), Subject::kPath);
  using Living = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(handles.living(), (Living{{"p0", "s0"}, {"p1", "path"}, {"p0", "back"}, {"p0", "p"}}));
}

TEST(Program, AHashIsOfAllThatItSays) {
  const Json text =
      Json::parse(R"({"format":2,"before":{"z":{"entries":[{"key":"a","value":"a@0"}]}},
    "processes":{"p1":"spawn"},"program":[{"make":"zip","at":"z","mode":"a","as":"s0"},
    {"call":"set","key":"b","value":"b@1","on":"s0"},{"call":"get range","key":"b","start":1,"end":2,
     "on":"s0"},{"carry":"pickle 5","from":"s0","to":"p1","as":"s1"},{"do":"drop","handle":"s0"}]})");
  const auto hash = [](const Json& json) { return hash_of(accepted(json.dump())); };
  EXPECT_EQ(hash(text), hash(text));
  std::set<std::uint64_t> all{hash(text)};
  const std::pair<const char*, Json> changes[] = {
      {"/before/z/entries/0/key", "b"}, {"/before/z/entries/0/value", "b@0"},
      {"/processes/p1", "fork"},        {"/program/0/mode", "w"},
      {"/program/0/make", "zip file"},  {"/program/1/key", "c"},
      {"/program/1/value", "b@2"},      {"/program/1/call", "set if not exists"},
      {"/program/2/start", 0},          {"/program/2/end", 3},
      {"/program/3/carry", "pickle 4"}, {"/program/3/to", "p0"},
      {"/program/4/do", "exit"}};
  for (const auto& [where, value] : changes) {
    Json other = text;
    other[Json::json_pointer(where)] = value;
    EXPECT_TRUE(all.insert(hash(other)).second) << where;
  }
}

TEST(Handles, HaveTheKindOfTheirMake) {
  const Case value = accepted(R"({"format":2,"program":[
    {"make":"zip","at":"z","as":"s0"},{"make":"logging","around":"s0","as":"s1"},
    {"carry":"pickle 5","from":"s1","as":"s2"},
    {"call":"store path","key":"a","on":"s2","as":"s3"}]})");
  EXPECT_EQ(kind_of(value, "s0").value()->kind, "zip");
  for (const char* handle : {"s1", "s2", "s3"})
    EXPECT_EQ(kind_of(value, handle).value()->kind, "logging over zip") << handle;
  EXPECT_FALSE(kind_of(value, "s4"));
}

}  // namespace
}  // namespace storefuzz::program
