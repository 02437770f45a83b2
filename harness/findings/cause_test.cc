// Severity by the table, and causes that neither slide nor depend on what does not matter.
#include "harness/findings/cause.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

namespace storefuzz::program {
namespace {

constexpr const char* kProgram = R"({"format": 2, "processes": {"p1": "spawn"}, "program": [
  {"make": "zip", "at": "z", "mode": "a", "as": "s0"},
  {"carry": "pickle 3", "from": "s0", "to": "p1", "as": "s1"},
  {"call": "get range", "on": "s1", "key": "a", "start": 1, "end": 2},
  {"call": "set bytes", "on": "s1", "key": "a", "value": "a@3"}]})";

Difference at(std::size_t step, Wrong wrong, Answer was = Shown{None{}}) {
  Difference it{.wrong = wrong, .was = std::move(was), .first = true, .oracle = "reads"};
  it.where.step = step;
  return it;
}

const Case& value() {
  static const Case parsed = parse_case(kProgram).value();
  return parsed;
}

TEST(Severity, FollowsTheTable) {
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kLost)), 1);
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kAbsent)), 2);
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kStray)), 3);
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kHang)), 4);
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kState)), 5);
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kRefused)), 6);
}

TEST(Severity, OfARefusedCarryIsHigherAndOfMisuseLower) {
  EXPECT_EQ(severity_of(value(), at(1, Wrong::kRefused)), 5);
  EXPECT_EQ(severity_of(value(), at(3, Wrong::kOtherValue)), 6);
  EXPECT_EQ(severity_of(value(), at(3, Wrong::kLost)), 1) << "lost data are lost, whoever asked";
  Difference question = at(2, Wrong::kOtherValue);
  question.question = true;
  EXPECT_EQ(severity_of(value(), question), kMildest);
  EXPECT_EQ(severity_of(value(), at(2, Wrong::kDisagree)), kMildest);
}

// A read-only store that says it may write is written to.
TEST(Severity, OfAModeThatIsForgottenIsThatOfAWriteThatIsDone) {
  const Case asked = parse_case(R"({"format": 2, "program": [
      {"make": "local", "at": "f", "read_only": true, "as": "s0"},
      {"call": "read only", "on": "s0"}]})")
                         .value();
  Difference it = at(1, Wrong::kState, Shown{false});
  it.oracle = kWritable;
  it.should_be = say(Shown{true});
  EXPECT_EQ(severity_of(asked, it), 2);
  it.should_be = say(Shown{false});
  EXPECT_EQ(severity_of(asked, it), 5) << "who may write and says otherwise loses nothing";
}

TEST(Severity, OfStateThatIsNotToldIsThatOfStateLost) {
  const Case asked = parse_case(R"({"format": 2, "program": [{"make": "memory", "as": "s0"},
                                    {"call": "read only", "on": "s0"}]})")
                         .value();
  EXPECT_EQ(severity_of(asked, at(1, Wrong::kUnfittingType)), 5);
}

TEST(ClassOfDifference, IsThatOfThePlainestOperationAndAnyCarrier) {
  EXPECT_EQ(class_of(value(), at(2, Wrong::kAbsent)), "reads / absent / get / ");
  EXPECT_EQ(class_of(value(), at(1, Wrong::kRefused, Refusal{"TypeError", "", ""})),
            "reads / refused / carry / TypeError");
}

TEST(ClassOfDifference, OfAQuestionKeepsTheOperation) {
  Difference question = at(2, Wrong::kDisagree);
  question.question = true;
  EXPECT_EQ(class_of(value(), question), "reads / stores disagree / get range");
}

TEST(CauseOf, AQuestionIsItsOperationAndClassOfArgument) {
  Difference it = at(2, Wrong::kDisagree, Refusal{"ValueError", "no", "zarr/storage/_zip.py:get"});
  it.oracle = "stores agree";
  it.question = true;
  it.where.argument = "edge";
  const Cause cause = cause_of(value(), it);
  EXPECT_EQ(cause.key, "stores agree / stores disagree / get range / edge argument");
  EXPECT_FALSE(cause.journey);
}

TEST(CauseOf, AQuestionAboutWhatIsNotThereIsThatItIsNotThere) {
  const Refusal lock{"AttributeError", "'ZipStore' object has no attribute '_lock'", "_zip.py:get"};
  Difference it = at(2, Wrong::kUnfittingType, lock);
  const Cause cause = cause_of(value(), it);
  it.question = true;
  EXPECT_EQ(cause_of(value(), it).key, cause.key);
  EXPECT_EQ(cause_of(value(), it).severity, kMildest);
}

// Each way to be wrong is a root of its own.
TEST(Causes, OfAWrongArchiveNameItsClass) {
  Difference one = at(2, Wrong::kAbsent), other = one;
  one.where.zip_class = "C2";
  other.where.zip_class = "C3";
  EXPECT_NE(cause_of(value(), one).key.find("an archive of class C2"), std::string::npos);
  EXPECT_NE(cause_of(value(), one).key, cause_of(value(), other).key);
  EXPECT_NE(class_of(value(), one), class_of(value(), other));
}

// A smaller program that loses what it sets shows nothing of one that loses what it does not.
TEST(ClassOfDifference, SaysWhetherAWriteTakesAnotherKey) {
  const Case set = parse_case(R"({"format": 2, "program": [{"make": "local", "at": "f", "as": "s0"},
      {"call": "set", "on": "s0", "key": "a", "value": "a@1"}]})")
                       .value();
  Difference it = at(1, Wrong::kLost);
  it.where.key = "a";
  EXPECT_EQ(class_of(set, it), "reads / lost / set / ");
  it.where.key = "a/b";
  EXPECT_EQ(class_of(set, it), "reads / lost / set of another key / ");
  EXPECT_EQ(seen_as(set, it), "reads / lost / set of another key / ") << "the loop follows both";
}

// One root each, whichever operation meets it: of 14 causes of 3.0.1 one.
TEST(ClassOfDifference, HasNoOperationWhereSomethingElseTellsTheRoot) {
  const Refusal lock{"AttributeError", "'ZipStore' object has no attribute '_lock'", "_zip.py:get"};
  EXPECT_EQ(class_of(value(), at(2, Wrong::kRefused, lock)),
            class_of(value(), at(3, Wrong::kUnfittingType, lock)));
  EXPECT_EQ(cause_of(value(), at(2, Wrong::kRefused, lock)).key,
            "'ZipStore' object has no attribute 'lock' / after pickle 3 to another process");
  Refusal none = lock;
  none.text = "'NoneType' object has no attribute 'read'";
  EXPECT_NE(class_of(value(), at(2, Wrong::kRefused, none)),
            class_of(value(), at(3, Wrong::kRefused, none)))
      << "many a call meets a None";
  Difference before = at(2, Wrong::kState), after = at(3, Wrong::kState);
  before.where.key = "_store._read_only";
  after.where.key = "read_only";
  EXPECT_EQ(class_of(value(), before), class_of(value(), after));
  after.where.key = "mode";
  EXPECT_NE(class_of(value(), before), class_of(value(), after));
}

TEST(Finding, SaysTheOperationAndTheFrameInAnyCase) {
  const Refusal lock{"AttributeError", "'ZipStore' object has no attribute '_lock'", "_zip.py:get"};
  EXPECT_NE(seen_as(value(), at(2, Wrong::kRefused, lock)),
            seen_as(value(), at(3, Wrong::kRefused, lock)));
}

// What the difference needs is of its root: a loss by a relative path is none by a torn write.
TEST(Causes, NameWhatTheProgramNeeds) {
  const auto key_of = [](const std::string& steps, bool within) {
    Difference it = at(1, Wrong::kLost);
    it.within = within;
    return cause_of(parse_case(R"({"format": 2, "program": [)" + steps + "]}").value(), it).key;
  };
  const std::string set = R"({"call": "set", "on": "s0", "key": "a", "value": "a@1"})";
  const std::string plain = R"({"make": "local", "at": "f", "as": "s0"}, )" + set;
  const std::set<std::string> keys{
      key_of(plain, false),
      key_of(plain, true),
      key_of(R"({"make": "local", "at": "f", "relative": true, "as": "s0"}, )" + set, false),
      key_of(R"({"make": "local", "at": "f", "read_only": true, "as": "s0"}, )" + set, false),
      key_of(R"({"make": "local", "at": "f", "as": "s0"}, {"do": "change directory"}, )" + set,
             false),
      key_of(plain + R"(, {"make": "local", "at": "f", "as": "s1"}, {"call": "set", "on": "s1",
             "key": "a", "value": "a@3"})",
             false)};
  EXPECT_EQ(keys.size(), 6U);
}

// Where a stranger's store waits, it waits whoever called it.
TEST(Causes, OfAHangAreInTheSubjectOrInTheStore) {
  const Json list = Json::array({{{"kind", "sleepy"},
                                  {"type", "Sleepy"},
                                  {"make", "Sleepy({path})"},
                                  {"file", "/home/sleepy.py"}}});
  ASSERT_TRUE(add_adapters(list).has_value());
  const auto frame = [](const std::string& stack) {
    return frame_of_hang(at(2, Wrong::kHang, TimedOut{"Current thread 0x1:\n" + stack}));
  };
  const std::string own = "  File \"/home/sleepy.py\", line 148 in get\n";
  const std::string zarr = "  File \"/lib/zarr/storage/_common.py\", line 161 in get\n";
  EXPECT_EQ(frame(zarr), "zarr/storage/_common.py:get");
  EXPECT_EQ(frame(zarr + own), "zarr/storage/_common.py:get");
  EXPECT_EQ(frame(own + zarr), "");
  const std::string loop = "  File \"/lib/asyncio/events.py\", line 89 in _run\n";
  EXPECT_EQ(frame(zarr + "\nThread 0x2:\n" + own + zarr + loop), "");
  EXPECT_EQ(frame(zarr + "\nThread 0x2:\n" + own), "zarr/storage/_common.py:get")
      << "a thread of its own, which may have nothing to do";
}

TEST(Causes, OfWhatHadToBeRefusedNameTheStoreThatDidIt) {
  const auto key_of = [](Wrong wrong) {
    Difference it = at(2, wrong);
    it.where.handle = "s1";
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "named path", "at": "f", "as": "s0"},
        {"make": "local", "at": "f", "read_only": true, "as": "s1"},
        {"call": "clear", "on": "s1"}]})")
                        .value(),
                    it)
        .key;
  };
  EXPECT_EQ(key_of(Wrong::kDone), "reads / done / clear on local");
  EXPECT_EQ(key_of(Wrong::kAbsent),
            "reads / absent / clear on local, named path / read_only given");
}

// A store that does what it had to refuse is no second writer.
TEST(Causes, CountAsWritersThoseWhoMayWrite) {
  const auto key_of = [](const std::string& bind, Wrong wrong) {
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "local", "at": "f", "as": "s0"},
        {"call": "set", "on": "s0", "key": "a", "value": "a@1"}, )" +
                               bind + R"(, {"call": "delete", "on": "s1", "key": "a"}]})")
                        .value(),
                    at(3, wrong))
        .key;
  };
  const std::string view = R"({"call": "with read only", "on": "s0", "flag": true, "as": "s1"})";
  EXPECT_EQ(key_of(view, Wrong::kDone).find("several writers"), std::string::npos);
  EXPECT_EQ(key_of(view, Wrong::kLost), "writable / done / delete on local");
  const std::string other = R"({"make": "local", "at": "f", "as": "s1"})";
  EXPECT_NE(key_of(other, Wrong::kLost).find("several writers"), std::string::npos);
  const auto beside_a_writer = [](Wrong wrong) {
    Difference it = at(2, wrong);
    it.where.handle = "s1";
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "zip", "at": "z", "mode": "w", "as": "s0"},
        {"make": "zip", "at": "z", "mode": "w", "read_only": true, "as": "s1"},
        {"call": "set", "on": "s1", "key": "a", "value": "a@2"}]})")
                        .value(),
                    it)
        .key;
  };
  EXPECT_EQ(beside_a_writer(Wrong::kDone).find("several writers"), std::string::npos);
  EXPECT_NE(beside_a_writer(Wrong::kLost).find("several writers"), std::string::npos);
  const std::string path = R"({"call": "store path", "on": "s0", "key": "b", "as": "s1"})";
  EXPECT_EQ(key_of(path, Wrong::kLost).find("several writers"), std::string::npos)
      << "a path in a store writes by it";
}

// `FsspecStore` over an archive takes no mode, and cannot write: two of them have no writer.
TEST(Causes, CountNoStoreThatCannotWriteAsAWriter) {
  const auto key_of = [](const std::string& kind) {
    Difference it = at(2, Wrong::kNotEqual);
    it.where.handle = "s0";
    return cause_of(parse_case(R"({"format": 2, "program": [{"make": ")" + kind +
                               R"(", "at": "z", "as": "s0"}, {"make": ")" + kind +
                               R"(", "at": "z", "as": "s1"},
        {"call": "equal", "on": "s0", "other": "s1"}]})")
                        .value(),
                    it)
        .key;
  };
  EXPECT_EQ(key_of("fsspec zip"), "reads / not equal / equal on fsspec zip");
  EXPECT_EQ(key_of("zip"), "reads / not equal / equal on zip / several writers");
}

// In memory, what a write did shows when something is read: each write is a root of its own.
TEST(Causes, OfAReadNameTheWritesThatAreNeeded) {
  const auto key_of = [](const std::string& write, Wrong wrong = Wrong::kAbsent) {
    Difference it = at(write.empty() ? 2 : 3, wrong);
    it.where.handle = "s0";
    return cause_of(parse_case(R"({"format": 2, "program": [{"make": "memory", "as": "s0"},
        {"call": "set", "on": "s0", "key": "a", "value": "a@1"}, )" +
                               write + R"({"call": "get", "on": "s0", "key": "a"}]})")
                        .value(),
                    it)
        .key;
  };
  EXPECT_EQ(key_of(""), "reads / absent / get on memory");
  EXPECT_EQ(key_of(R"({"call": "set", "on": "s0", "key": "b", "value": "b@2"}, )"), key_of(""));
  EXPECT_EQ(key_of(R"({"call": "delete dir", "on": "s0", "key": "b"}, )"),
            "reads / absent / get on memory / with delete dir");
  EXPECT_EQ(key_of(R"({"call": "set if not exists", "on": "s0", "key": "a", "value": "a@2"}, )",
                   Wrong::kOtherValue),
            "reads / other value / get on memory / with set if not exists");
}

// What a clear leaves of keys in folders is another root than a clear that does nothing.
TEST(Causes, OfAClearSayWhetherKeysInFoldersAreNeeded) {
  const auto key_of = [](const char* kind, const char* key) {
    const bool memory = std::string_view(kind) == "memory";
    Difference it = at(memory ? 3 : 2, memory ? Wrong::kGhost : Wrong::kMade);
    it.where.handle = "s0";
    return cause_of(parse_case(fmt::format(R"({{"format": 2, "program": [
        {{"make": "{0}"{2}, "as": "s0"}}, {{"call": "set", "on": "s0", "key": "{1}", "value": "1"}},
        {{"call": "clear", "on": "s0"}}, {{"call": "get", "on": "s0", "key": "{1}"}}]}})",
                                           kind, key, memory ? "" : R"(, "at": "f")"))
                        .value(),
                    it)
        .key;
  };
  for (const char* kind : {"memory", "local"})
    EXPECT_EQ(key_of(kind, "a") + " / with keys in a folder", key_of(kind, "a/b"));
}

// What is taken for a key may be a folder, or nothing at all.
TEST(Causes, OfAGhostSayWhetherItIsAFolder) {
  const auto key_of = [](const std::string& steps, const std::string& call) {
    const Case value =
        parse_case(R"({"format": 2, "program": [
        {"make": "local", "at": "f", "as": "s0"}, )" +
                   steps + R"({"call": ")" + call + R"(", "on": "s0", "key": "a"}]})")
            .value();
    return cause_of(value, at(value.steps.size() - 1, Wrong::kGhost, Shown{std::int64_t(0)})).key;
  };
  const std::string set = R"({"call": "set", "on": "s0", "key": "a/b", "value": "1"}, )";
  const std::string get = R"({"call": "get", "on": "s0", "key": "a/b"}, )";
  for (const char* call : {"getsize", "exists", "get"}) {
    EXPECT_EQ(key_of("", call) + " / where a folder is", key_of(set, call));
    EXPECT_EQ(key_of("", call), key_of(get, call)) << "to ask for a key makes no folder";
  }
}

// zarr asks the store of a node, so what refuses there refuses the store's own calls as well.
TEST(Causes, OfANodeAreThoseOfTheCallOfItsStoreThatRefuses) {
  const auto key_of = [](const std::string& call, const std::string& frame) {
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "zip", "at": "z", "mode": "w", "as": "s0"}, )" +
                               call + "]}")
                        .value(),
                    at(1, Wrong::kRefused, Refusal{"ValueError", "closed", frame}))
        .key;
  };
  const std::string get = R"({"call": "get", "on": "s0", "key": "x"})";
  const std::string open = R"({"call": "open array", "on": "s0", "key": "x", "as": "x0"})";
  const std::string create = R"({"call": "create group", "on": "s0", "key": "x", "as": "x0"})";
  for (const std::string& node : {open, create}) {
    EXPECT_EQ(key_of(node, "zarr/storage/_zip.py:_get"), key_of(get, "zarr/storage/_zip.py:_get"));
    EXPECT_NE(key_of(node, "zarr/storage/_zip.py:_set"), key_of(get, "zarr/storage/_zip.py:_get"));
    EXPECT_NE(key_of(node, "zarr/core/group.py:get"), key_of(get, "zarr/core/group.py:get"));
    EXPECT_NE(key_of(node, "zarr/storage/_zip.py:_sync_open"),
              key_of(get, "zarr/storage/_zip.py:_sync_open"))
        << "no call of a store";
  }
  EXPECT_NE(key_of(R"({"call": "exists", "on": "s0", "key": "x"})", "zarr/storage/_zip.py:_get"),
            key_of(get, "zarr/storage/_zip.py:_get"))
      << "who is asked himself";
}

// That a copy says it may write is an attribute of another value, asked in another way.
TEST(Causes, OfACopyThatTellsReadOnlyOtherwiseAreThatOfTheAttribute) {
  const auto key_of = [](const std::string& steps, const Difference& it) {
    return cause_of(parse_case(R"({"format": 2, "processes": {"p1": "spawn"}, "program": [
        {"make": "local", "at": "f", "read_only": true, "as": "s0"}, )" +
                               steps + "]}")
                        .value(),
                    it)
        .key;
  };
  const std::string carry = R"({"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s1"}, )";
  Difference state = at(2, Wrong::kState), asked = at(2, Wrong::kState);
  state.oracle = "attributes";
  state.where.key = "_read_only";
  asked.oracle = kWritable;
  EXPECT_EQ(key_of(carry + R"({"call": "read only", "on": "s1"})", asked),
            key_of(carry + R"({"call": "state", "on": ["s0", "s1"]})", state));
  asked.where.step = state.where.step = 1;
  EXPECT_NE(key_of(R"({"call": "read only", "on": "s0"})", asked),
            key_of(R"({"call": "state", "on": "s0"})", state))
      << "without a journey it is no copy";
}

TEST(Causes, OfWhoWritesThoughReadOnlyAreOneOnDiskToo) {
  const auto key_of = [](const std::string& mode, Difference it) {
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "zip", "at": "z", "mode": ")" +
                               mode + R"(", "as": "s0"}, {"call": "clear", "on": "s0"}]})")
                        .value(),
                    it)
        .key;
  };
  Difference done = at(1, Wrong::kDone), made = at(1, Wrong::kMade);
  done.oracle = kWritable;
  made.oracle = kOnDisk;
  EXPECT_EQ(key_of("r", done), key_of("r", made));
  EXPECT_NE(key_of("a", done), key_of("a", made)) << "it may write";

  // What is wrong with an archive on purpose, and whether it is closed then, is not of the root.
  const auto twisted = parse_case(R"({"format": 2, "before": {"z": {"entries": [], "twists": [
      {"name": "trailing character", "entry": 0, "amount": 1}]}}, "program": [
      {"make": "zip", "at": "z", "mode": "r", "as": "s0"}, {"call": "clear", "on": "s0"},
      {"call": "close", "on": "s0"}]})");
  Difference lost = at(2, Wrong::kLost);
  lost.oracle = kOnDisk;
  EXPECT_EQ(cause_of(twisted.value(), lost).key, key_of("r", done));
  made.within = true;
  EXPECT_EQ(key_of("r", done), key_of("r", made)) << "before it comes to its end as well";
  // `ZipStore(path, mode="r", read_only=False)` says that it may write.
  made.within = false;
  const std::string told = R"(r", "read_only": false, "at": "z)";
  EXPECT_NE(key_of("r", done), key_of(told, done));
  EXPECT_EQ(key_of(told, done), key_of(told, made));

  // Somebody else may.
  const std::string beside = R"({"format": 2, "program": [
      {"make": "zip", "at": "z", "mode": "w", "as": "s0"},
      {"make": "zip", "at": "z", "mode": "r", "as": "s1"},
      {"call": "set", "on": "s0", "key": "a", "value": "a@2"}, {"call": "close", "on": "s0"},
      {"call": "clear", "on": )";
  Difference ruined = at(4, Wrong::kUnreadable);
  ruined.oracle = kOnDisk;
  EXPECT_EQ(cause_of(parse_case(beside + R"("s1"}]})").value(), ruined).key, key_of("r", done));
  EXPECT_NE(cause_of(parse_case(beside + R"("s0"}]})").value(), ruined).key, key_of("r", done));
}

// `clear` of a read-only store that clears takes away what another store may write.
TEST(Causes, OfWhoWritesThoughReadOnlyAreOneBesideAWriter) {
  const auto key_of = [](const std::string& given) {
    Difference it = at(3, Wrong::kLost);
    it.oracle = kOnDisk;
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "fsspec local", "at": "f", "as": "s0")" +
                               given + R"(}, {"make": "fsspec local", "at": "f", "as": "s1"},
        {"call": "set", "key": "a", "on": "s1", "value": "a@2"}, {"call": "clear", "on": "s0"}]})")
                        .value(),
                    it)
        .key;
  };
  EXPECT_EQ(key_of(R"(, "read_only": true)"), "writable / done / clear on fsspec local");
  EXPECT_NE(key_of(""), "writable / done / clear on fsspec local");
}

// Who may not write by his constructor may not by with_read_only either.
TEST(Causes, OfAForbiddenWriteDoNotSayHowItIsForbidden) {
  const auto key_of = [](const std::string& kind, const std::string& given) {
    return cause_of(
               parse_case(R"({"format": 2, "program": [{"make": ")" + kind + R"(", "at": "z", )" +
                          given + R"("as": "s0"}, {"call": "clear", "on": "s0"}]})")
                   .value(),
               at(1, Wrong::kDone))
        .key;
  };
  const std::string given = R"("read_only": true, )";
  EXPECT_EQ(key_of("local", given), key_of("local", ""));
  EXPECT_NE(key_of("zip", given), key_of("zip", "")) << "it has a mode as well";
}

// What a store that only reads shows does not depend on the store that wrote it.
TEST(Causes, OfAStoreThatOnlyReadsDoNotNameTheWriter) {
  const auto value = parse_case(R"({"format": 2, "program": [
      {"make": "fsspec local", "at": "f", "as": "s1"}, {"make": "fsspec http", "at": "f", "as": "s0"},
      {"call": "list", "on": "s0"}, {"call": "list", "on": "s1"}]})");
  Difference it = at(2, Wrong::kGhost);
  it.where.handle = "s0";
  EXPECT_EQ(cause_of(value.value(), it).key, "reads / ghost / list on fsspec http");
  it.where.handle = "s1";
  EXPECT_EQ(cause_of(value.value(), it).key, "reads / ghost / list on fsspec http, fsspec local");
}

TEST(Causes, OfAStoreThatCannotBeMadeDoNotNameTheWriter) {
  const Case asked = parse_case(R"({"format": 2, "program": [
      {"make": "zip", "at": "z", "as": "s1"},
      {"make": "zip file", "at": "z", "mode": "r", "as": "s0"}]})")
                         .value();
  const Refusal refusal{"AssertionError", "", "zarr/storage/_zip.py:__init__"};
  EXPECT_EQ(cause_of(asked, at(1, Wrong::kRefused, refusal)).key,
            "reads / refused / make on zip file / AssertionError in zarr/storage/_zip.py:__init__");
}

TEST(Causes, NameStoreOperationFrameAndJourney) {
  const Refusal refusal{"OSError", "no", "zarr/storage/_zip.py:get"};
  const Cause cause = cause_of(value(), at(2, Wrong::kRefused, refusal));
  EXPECT_EQ(cause.key,
            "reads / refused / get range on zip / OSError in zarr/storage/_zip.py:get / after "
            "pickle 3 to another process");
  EXPECT_TRUE(cause.journey);
  Case home = value();
  home.steps.erase(home.steps.begin() + 1, home.steps.end());
  home.processes.clear();
  EXPECT_FALSE(cause_of(home, at(0, Wrong::kRefused, refusal)).journey);
}

// What a copy lacks it lacks whoever writes.
TEST(Cause, OfAnAttributeDoesNotCountWriters) {
  const auto key_of = [](const std::string& beside) {
    Difference it = at(3, Wrong::kState);
    it.where.key = "store.compression";
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "zip", "at": "z", "as": "s0"}, )" +
                               beside + R"(, {"carry": "pickle 5", "from": "s0", "as": "s1"},
        {"call": "state", "on": ["s0", "s1"]}]})")
                        .value(),
                    it)
        .key;
  };
  EXPECT_EQ(key_of(R"({"make": "zip", "at": "z", "as": "s2"})"),
            key_of(R"({"call": "list", "on": "s0"})"));
}

// A process of a fork may carry a store that is as it was at the fork; the loss is the carrier's.
TEST(Cause, OfAnAttributeIsThatOfWhoCarriesWhatWasInherited) {
  const auto key_of = [](const std::string& in) {
    const Case asked = parse_case(R"({"format": 2, "processes": {"p1": "fork", "p2": "spawn"},
        "program": [{"make": "zip", "at": "z", "mode": "w", "as": "s0"}, {"fork": "p1"},
        {"call": "list", "on": "s0", "in": "p1"},
        {"carry": "pickle 5", "from": "s0", )" +
                                  in + R"("to": "p2", "as": "s1"},
        {"call": "state", "on": "s1"}]})")
                           .value();
    Difference it = at(4, Wrong::kState);
    it.oracle = "attributes";
    it.where.key = "_zmode";
    return cause_of(asked, it).key;
  };
  EXPECT_EQ(key_of(R"("in": "p1", )"),
            "attributes / state / state on zip / zmode / mode w / after pickle 5");
  EXPECT_EQ(key_of(""),
            "attributes / state / state on zip / zmode / mode w / after fork, pickle 5 to another "
            "process");
}

// A key is set, or deleted, or it is not: what happens to folders and to other keys is another
// root.
TEST(Causes, OfKeysThatAreFoldersAndOfOtherKeysSaySo) {
  const auto key_of = [](const std::string& call, const std::string& lost) {
    Difference it = at(2, Wrong::kLost);
    it.oracle = kOnDisk;
    it.where.key = lost;
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "local", "at": "f", "as": "s0"},
        {"call": "set", "on": "s0", "key": "a/b", "value": "a/b@1"},
        {"on": "s0", "call": )" +
                               call + "}]}")
                        .value(),
                    it)
        .key;
  };
  const std::string set = R"("set if not exists", "value": "v@2", "key": )";
  EXPECT_EQ(key_of(set + R"("a")", "a"),
            "on disk / lost / set if not exists on local / where a folder is");
  EXPECT_EQ(key_of(set + R"("a/b/c")", "a/b/c"), key_of(set + R"("a")", "a"));
  EXPECT_EQ(key_of(set + R"("a/b")", "a/b"), "on disk / lost / set if not exists on local");
  EXPECT_EQ(key_of(set + R"("a")", "a/b"), key_of(set + R"("a")", "a") + " / another key")
      << "who makes room for a key takes none away";
  EXPECT_EQ(key_of(R"("set", "value": "a@2", "key": "a")", "a/b"),
            "on disk / lost / set on local / another key");
  const std::string cause = "on disk / lost / delete dir on local";
  EXPECT_EQ(key_of(R"("delete dir", "key": "a")", "a/b"), cause);
  EXPECT_EQ(key_of(R"("delete dir", "key": "a")", "a-b"), cause + " / another key");
  EXPECT_EQ(key_of(R"("delete dir", "key": "")", "a/b"), cause);
  EXPECT_EQ(key_of(R"("clear")", "a/b"), "on disk / lost / clear on local");
}

// `ZipStore(mode="w", read_only=True)` must not write, `ZipStore(mode="r", read_only=False)` may.
TEST(Causes, SayWhatReadOnlyWasGiven) {
  const auto key_of = [](const std::string& given) {
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "zip", "at": "z", "as": "s0", )" +
                               given + R"(}, {"call": "clear", "on": "s0"}]})")
                        .value(),
                    at(1, Wrong::kDone))
        .key;
  };
  EXPECT_NE(key_of(R"("mode": "w", "read_only": true)"),
            key_of(R"("mode": "r", "read_only": false)"));
}

TEST(Causes, CountWritersOfOnePlace) {
  const auto key_of = [](const std::string& second) {
    Difference it = at(4, Wrong::kLost);
    it.oracle = kOnDisk;
    return cause_of(
               parse_case(R"({"format": 2, "program": [
        {"make": "zip", "at": "z", "mode": "w", "as": "s0"}, )" +
                          second + R"(, {"call": "set", "on": "s0", "key": "a", "value": "a@2"},
        {"call": "set", "on": "s1", "key": "a", "value": "a@3"}, {"call": "close", "on": "s0"}]})")
                   .value(),
               it)
        .key;
  };
  const std::string several = "several writers";
  EXPECT_NE(key_of(R"({"make": "zip", "at": "z", "mode": "a", "as": "s1"})").find(several),
            std::string::npos);
  EXPECT_EQ(key_of(R"({"make": "zip", "at": "y", "mode": "a", "as": "s1"})").find(several),
            std::string::npos);
  EXPECT_NE(key_of(R"({"carry": "pickle 5", "from": "s0", "as": "s1"})").find(several),
            std::string::npos)
      << "a copy writes at the same place";
}

// Who cannot write one key may write all others: a store that fails for each key is another one.
TEST(Causes, NameTheKeysThatNoReductionCouldMakePlain) {
  const auto key_of = [](const std::string& key, const std::string& store_path = "") {
    Difference it = at(store_path.empty() ? 1 : 2, Wrong::kRefused,
                       Refusal{"OSError", "no", "zarr/storage/_local.py:_atomic_write"});
    it.oracle = "refusal";
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "local", "at": "f", "as": "s0"}, )" +
                               store_path + R"({"call": "set", "key": ")" + key + R"(", "on": ")" +
                               (store_path.empty() ? "s0" : "s1") + R"(", "value": "#0@1"}]})")
                        .value(),
                    it)
        .key;
  };
  const std::string plain = key_of("a");
  EXPECT_EQ(plain,
            "refusal / refused / set on local / OSError in zarr/storage/_local.py:_atomic_write");
  EXPECT_EQ(key_of("a/b-1.c"), plain);
  EXPECT_EQ(key_of(std::string(215, 'n')), plain + " / a long key");
  EXPECT_EQ(key_of(""), plain + " / an empty key");
  EXPECT_EQ(key_of(".."), plain + " / an odd key");
  EXPECT_EQ(key_of("\u00e9"), plain + " / a key that needs quoting");
  EXPECT_EQ(key_of("[a]"), plain + " / a key that needs quoting");
  EXPECT_EQ(key_of("", R"({"call": "store path", "key": "b", "on": "s0", "as": "s1"}, )"), plain)
      << "it is the path's own";
}

TEST(Causes, NameTheKeysThatLieThereAndLeaveTheRoot) {
  const auto listed = [](const std::string& key, const std::string& call) {
    return cause_of(parse_case(R"({"format": 2, "before": {"f": {"entries": [
        {"key": ")" + key + R"(", "value": "#0@0"}]}}, "program": [
        {"make": "fsspec http", "at": "f", "as": "s0"}, {"on": "s0", "call": )" +
                               call + "}]}")
                        .value(),
                    at(1, Wrong::kAbsent))
        .key;
  };
  EXPECT_EQ(listed("a", R"("list")"), "reads / absent / list on fsspec http");
  EXPECT_EQ(listed("[a]", R"("list")"),
            "reads / absent / list on fsspec http / a key that needs quoting");
  EXPECT_EQ(listed("a", R"("list prefix", "key": "")"),
            "reads / absent / list prefix on fsspec http")
      << "all that is there";
  EXPECT_EQ(listed("a", R"("open group", "key": "", "as": "s1")"),
            "reads / absent / open group on fsspec http")
      << "the group of the root";
}

// A key that an archive has once must not count for two, nor read otherwise elsewhere.
TEST(Causes, SayWhetherAnArchiveHasANameTwice) {
  const auto key_of = [](const std::string& kind, const std::string& first) {
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": ")" + kind + R"(", "at": "z", "as": "s0"},
        {"call": "set", "key": ")" +
                               first + R"(", "on": "s0", "value": "#0@1"},
        {"call": "set", "key": "a", "on": "s0", "value": "a@2"},
        {"call": "getsize prefix", "key": "", "on": "s0"}]})")
                        .value(),
                    at(3, Wrong::kGhost))
        .key;
  };
  const std::string cause = "reads / ghost / getsize prefix on zip";
  EXPECT_EQ(key_of("zip", "a"), cause + " / a name written twice");
  EXPECT_EQ(key_of("zip", "b"), cause);
  EXPECT_EQ(key_of("local", "a"), "reads / ghost / getsize prefix on local")
      << "a folder has a name once";
}

// A folder stays when its last key goes; what never was, nobody has to name.
TEST(Causes, SayWhetherAFolderThatIsNamedHadKeys) {
  const auto key_of = [](const std::string& call, Names names) {
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "local", "at": "f", "as": "s0"},
        {"call": "set", "key": "a/b", "on": "s0", "value": "a/b@1"},
        {"call": "delete", "key": "a/b", "on": "s0"}, {"on": "s0", "call": )" +
                               call + "}]}")
                        .value(),
                    at(3, Wrong::kGhost, Shown{std::move(names)}))
        .key;
  };
  const std::string cause = "reads / ghost / list dir on local";
  EXPECT_EQ(key_of(R"("list dir", "key": "")", {{"a"}}), cause + " / a folder that had keys");
  EXPECT_EQ(key_of(R"("list dir", "key": "")", {{"b"}}), cause);
  EXPECT_EQ(key_of(R"("list dir", "key": "a")", {{"a"}}), cause) << "it never was in itself";
  EXPECT_EQ(key_of(R"("list dir", "key": "a")", {{"b"}}), cause) << "a key, and no folder";
  EXPECT_EQ(key_of(R"("list")", {{"a"}}), "reads / ghost / list on local");
}

// A `clear` that raises where no folder is, and a `get_partial_values` of a missing key, are not
// those that raise for what is there; and no reduction may take away what is there.
TEST(Causes, SayWhetherWhatIsMissedIsThere) {
  const auto told = [](const std::string& steps, const std::string& call,
                       const std::string& type = "FileNotFoundError") {
    const Case value = parse_case(R"({"format": 2, "before": {"f": {"entries": [
        {"key": "a/b", "value": "a/b@0"}]}}, "program": [
        {"make": "local", "at": "f", "as": "s0"}, )" +
                                  steps + R"({"on": "s0", "call": )" + call + "}]}")
                           .value();
    const Difference it = at(value.steps.size() - 1, Wrong::kRefused,
                             Refusal{type, "no", "zarr/storage/_local.py:_get"});
    const std::string there = " though it is there", key = cause_of(value, it).key;
    EXPECT_EQ(key.ends_with(" /" + there), class_of(value, it).ends_with(there)) << key;
    return key.ends_with(there);
  };
  const std::string get = R"("get partial values", "key": )";
  EXPECT_TRUE(told("", get + R"("a/b")"));
  EXPECT_FALSE(told("", get + R"("a")"));
  EXPECT_TRUE(told("", R"("clear")"));
  EXPECT_TRUE(told("", R"("list dir", "key": "a")"));
  EXPECT_FALSE(told("", R"("list dir", "key": "b")"));
  EXPECT_FALSE(told("", R"("close")"));
  EXPECT_FALSE(told("", R"("set", "key": "a/b", "value": "a/b@1")")) << "it is about a new value";
  EXPECT_FALSE(told("", get + R"("a/b")", "ValueError")) << "it is not missed";
  const std::string set = R"({"call": "set", "key": "c", "on": "s0", "value": "c@1"}, )";
  EXPECT_TRUE(told(set, get + R"("c")"));
  EXPECT_FALSE(told(set + R"({"call": "delete", "key": "c", "on": "s0"}, )", get + R"("c")"));
  EXPECT_FALSE(told(R"({"call": "clear", "on": "s0"}, )", R"("clear")"));
  EXPECT_FALSE(told(R"({"do": "delete the file", "at": "f"}, )", R"("clear")"));
  EXPECT_FALSE(told(R"({"make": "local", "at": "f", "read_only": true, "as": "s1"},
      {"call": "set", "key": "c", "on": "s1", "value": "c@2"}, )",
                    get + R"("c")"))
      << "it had to be refused";
  EXPECT_FALSE(told(R"({"call": "move read only", "on": "s0"}, )", get + R"("a/b")"));
  EXPECT_FALSE(
      told(R"({"call": "set sync", "key": "c", "on": "s0", "value": "c@1"}, )", get + R"("c")"))
      << "the store may have no such method";
}

TEST(Causes, OfARefusedOpeningDoNotDependOnTheKey) {
  const auto key_of = [](const std::string& key, const std::string& frame) {
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "zip", "at": "z", "mode": "x", "as": "s0"},
        {"call": "get", "on": "s0", "key": ")" +
                               key + R"("}]})")
                        .value(),
                    at(1, Wrong::kRefused, Refusal{"FileExistsError", "no", frame}))
        .key;
  };
  const std::string opening = "zarr/storage/_zip.py:_sync_open", get = "zarr/storage/_zip.py:_get";
  EXPECT_EQ(key_of("", opening), key_of("a", opening));
  EXPECT_NE(key_of("", get), key_of("a", get));
}

// Who is forgotten closes what it has open: an odd key is then one of the root.
TEST(Cause, OfAnOddKeyIsTheSameWhoeverClosesTheArchive) {
  const auto key_of = [](const std::string& ends) {
    const Case asked = parse_case(R"({"format": 2, "program": [
        {"make": "zip", "at": "z", "mode": "a", "as": "s0"},
        {"call": "set", "on": "s0", "key": "a\u0000b", "value": "#0@1"}, )" +
                                  ends + "]}")
                           .value();
    Difference it = at(2, Wrong::kMade);
    it.oracle = kOnDisk;
    return cause_of(asked, it).key;
  };
  const std::string cause = key_of(R"({"call": "close", "on": "s0"})");
  EXPECT_EQ(cause, "on disk / made / close on zip / a key with a NUL");
  EXPECT_EQ(key_of(R"({"do": "drop", "handle": "s0"})"), cause);
  EXPECT_EQ(key_of(R"({"do": "exit"})"), cause);
}

// What is left beside the stores is looked for at the end.
TEST(Class, OfWhatIsLeftBehindSaysNothingOfTheLastStep) {
  Difference it = at(1, Wrong::kStray);
  it.oracle = kSurvival;
  EXPECT_EQ(class_of(value(), it), "survival / stray / left behind");
  it.where.process = "p0";
  EXPECT_EQ(class_of(value(), it), "survival / stray / still open");
}

}  // namespace
}  // namespace storefuzz::program
