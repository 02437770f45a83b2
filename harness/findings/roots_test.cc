// Roots that show in many ways are one cause each, and no other root is taken for them.
#include "harness/findings/roots.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/findings/cause.h"

namespace storefuzz::program {
namespace {

Difference at(std::size_t step, Wrong wrong, Answer was = Shown{None{}}) {
  Difference it{.wrong = wrong, .was = std::move(was), .first = true, .oracle = "reads"};
  it.where.step = step;
  it.where.handle = "s0";
  return it;
}

Difference on_disk(std::size_t step, Wrong wrong, bool within = false) {
  Difference it = at(step, wrong);
  it.oracle = kOnDisk;
  it.within = within;
  return it;
}

std::string key_of(const std::string& steps, const Difference& it) {
  return cause_of(parse_case(R"({"format": 2, "processes": {"p1": "spawn"}, "program": [)" + steps +
                             "]}")
                      .value(),
                  it)
      .key;
}

// Of a text zarr makes a store of a class that is not the one that can read what lies there.
TEST(Roots, OfAClassThatZarrChoosesAreOfTheMake) {
  const auto value = parse_case(R"({"format": 2, "before": {"z": {"entries": [
      {"key": "a", "value": "a@0"}]}}, "program": [{"make": "zip", "at": "z", "as": "s1"},
      {"make": "named zip", "at": "z", "read_only": true, "as": "s0"}]})");
  Difference chosen = at(1, Wrong::kState);
  chosen.oracle = "attributes";
  EXPECT_EQ(cause_of(value.value(), chosen).key, "attributes / state / make on named zip");
  EXPECT_EQ(class_of(value.value(), chosen), "attributes / state / make / ");
  Difference refusal = at(1, Wrong::kRefused, Refusal{"FileExistsError", "no", "_local.py:open"});
  refusal.oracle = "refusal";
  EXPECT_EQ(cause_of(value.value(), refusal).key,
            "refusal / refused / make on named zip / FileExistsError in _local.py:open");
}

// A store that begins its archive anew and may only read spoils it for others, who are refused.
TEST(Roots, OfAReaderThatTruncatesAreOneForWhomItIsRefused) {
  const auto key_of = [](const std::string& type) {
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "zip", "at": "z", "mode": "w", "read_only": true, "as": "s1"},
        {"make": "zip", "at": "z", "mode": "r", "as": "s2"},
        {"call": "get", "on": "s1", "key": "b"}, {"call": "get", "on": "s2", "key": "a"}]})")
                        .value(),
                    at(3, Wrong::kRefused, Refusal{type, "no", "_zip.py:_get"}))
        .key;
  };
  EXPECT_EQ(key_of("BadZipFile"), "ZipStore / refused / read_only given / mode w");
  EXPECT_NE(key_of("ValueError"), "ZipStore / ValueError / read_only given / mode w");
  const auto alone = parse_case(R"({"format": 2, "program": [
      {"make": "zip", "at": "z", "mode": "w", "read_only": true, "as": "s0"},
      {"call": "get", "on": "s0", "key": "b"}]})");
  EXPECT_NE(
      cause_of(alone.value(), at(1, Wrong::kRefused, Refusal{"OSError", "no", "_zip.py:_get"})).key,
      "ZipStore / refused / read_only given / mode w")
      << "nobody else had it truncated";
}

// Where a path means another place, what is asked of it says nothing of the root.
TEST(Roots, OfAPathThatMeansAnotherPlaceAreOne) {
  const auto key_of = [](const std::string& call, Wrong wrong) {
    return cause_of(parse_case(R"({"format": 2, "program": [
        {"make": "local", "at": "f", "relative": true, "as": "s0"}, {"do": "change directory"}, )" +
                               call + "]}")
                        .value(),
                    at(2, wrong))
        .key;
  };
  const std::string get = R"({"call": "get", "on": "s0", "key": "a"})";
  EXPECT_EQ(key_of(get, Wrong::kAbsent), "local / by a relative path / with change directory");
  EXPECT_EQ(key_of(get, Wrong::kAbsent),
            key_of(R"({"call": "set", "on": "s0", "key": "a", "value": "a@2"})", Wrong::kLost));
  EXPECT_EQ(cause_of(parse_case(R"({"format": 2, "program": [
                {"make": "local", "at": "f", "as": "s0"},
                {"make": "named url", "at": "f", "relative": true, "as": "s1"}, )" +
                                get + "]}")
                         .value(),
                     at(2, Wrong::kAbsent))
                .key,
            "named url / by a relative path")
      << "at once, whoever else sees it";
  EXPECT_EQ(cause_of(parse_case(R"({"format": 2, "program": [
                {"make": "wrapper over zip", "at": "z", "relative": true, "as": "s0"},
                {"do": "change directory"}, )" +
                                get + "]}")
                         .value(),
                     at(2, Wrong::kAbsent))
                .key,
            "zip / by a relative path / with change directory")
      << "whatever is around the store";
}

// What a process has for itself is other content in another one, by whatever way and question.
TEST(Roots, OfContentThatIsBoundToAProcessAreOne) {
  const auto key_of = [](const std::string& kind, const std::string& way, Wrong wrong) {
    return cause_of(parse_case(R"({"format": 2, "processes": {"p1": "spawn", "p2": "fork"},
        "program": [{"make": ")" +
                               kind + R"(", "as": "s0"}, )" + way +
                               R"(, {"call": "get", "key": "a", "on": "s1"}]})")
                        .value(),
                    at(2, wrong))
        .key;
  };
  const std::string there = R"({"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s1"})";
  const std::string copied = R"({"carry": "deepcopy", "from": "s0", "as": "s1"})";
  const std::string cause = key_of("fsspec memory", there, Wrong::kAbsent);
  EXPECT_EQ(cause, "fsspec memory / other content in another process");
  EXPECT_EQ(cause, key_of("fsspec memory", there, Wrong::kGhost));
  EXPECT_NE(cause, key_of("fsspec memory", copied, Wrong::kAbsent)) << "within the process";
  EXPECT_NE(cause, key_of("fsspec memory", there, Wrong::kRefused));
  EXPECT_NE(key_of("memory", there, Wrong::kAbsent).find("get"), std::string::npos)
      << "it takes its content along";
}

// A key that is not there in its own process does not refuse what lies below it.
TEST(Roots, OfAKeyBelowOneThatIsBoundToAProcessAreOfItsContent) {
  const auto key_of_process = [](const std::string& to, Wrong wrong = Wrong::kRefused,
                                 const std::string& process = "p1") {
    Difference it = at(5, wrong, Refusal{"FileExistsError", "a", ""});
    it.where.process = process;
    return key_of(R"({"make": "fsspec memory", "as": "s1", "in": "p1"},
        {"call": "set", "on": "s1", "key": "a", "value": "a@1"},
        {"make": "fsspec memory", "as": "s2"},
        {"call": "store path", "on": "s2", "key": "a", "as": "s3"},
        {"carry": "pickle 5", "from": "s3", "as": "s0")" +
                      to + R"(}, {"call": "set", "on": "s0", "key": "b", "value": "b@5"})",
                  it);
  };
  const std::string cause = "fsspec memory / other content in another process";
  EXPECT_EQ(key_of_process(R"(, "to": "p1")"), cause);
  EXPECT_NE(key_of_process(""), cause);
  EXPECT_NE(key_of_process(R"(, "to": "p1")", Wrong::kUnfittingType), cause);
  EXPECT_NE(key_of_process(R"(, "to": "p1")", Wrong::kRefused, "p0"), cause)
      << "nobody wrote it there";
}

// Of two who write one zip file, one loses. Where it shows, and who closed how, is not the root.
TEST(Roots, OfSeveralWritersOfAnArchiveAreOne) {
  const auto key_of = [](const std::string& second, const std::string& last, Wrong wrong,
                         const Answer& was = Shown(), std::string_view oracle = "reads") {
    Difference it = at(4, wrong, was);
    it.oracle = oracle;
    return cause_of(
               parse_case(R"({"format": 2, "program": [
        {"make": "zip", "at": "z", "mode": "a", "as": "s0"}, )" +
                          second + R"(, {"call": "set", "on": "s0", "key": "a", "value": "a@1"},
        {"call": "set", "on": "s1", "key": "a", "value": "a@2"}, )" +
                          last + "]}")
                   .value(),
               it)
        .key;
  };
  const std::string made = R"({"make": "zip", "at": "z", "mode": "a", "as": "s1"})";
  const std::string carried = R"({"carry": "pickle 5", "from": "s0", "as": "s1"})";
  const std::string close = R"({"call": "close", "on": "s1"})";
  const std::string get = R"({"call": "get", "on": "s0", "key": "a"})";
  EXPECT_EQ(key_of(made, close, Wrong::kLost), "ZipStore / several writers");
  EXPECT_EQ(key_of(carried, R"({"do": "drop", "handle": "s1"})", Wrong::kUnreadable),
            "ZipStore / several writers");
  EXPECT_EQ(key_of(made, get, Wrong::kGhost), "ZipStore / several writers");
  EXPECT_EQ(key_of(made, close, Wrong::kAbsent, Shown(), kReadersAgree),
            "ZipStore / several writers")
      << "what readers make of a spoilt archive depends on their release";
  const auto copy = parse_case(R"({"format": 2, "program": [
      {"make": "zip", "at": "z", "mode": "w", "as": "s0"},
      {"carry": "pickle 5", "from": "s0", "as": "s1"},
      {"call": "set", "on": "s1", "key": "a", "value": "a@2"},
      {"call": "close", "on": "s1"}, {"call": "close", "on": "s0"}]})");
  Difference read = at(4, Wrong::kAbsent);
  read.oracle = kReadersAgree;
  EXPECT_EQ(cause_of(copy.value(), read).key, "ZipStore / several writers");
  EXPECT_NE(cause_of(copy.value(), at(4, Wrong::kAbsent)).key, "ZipStore / several writers");
  EXPECT_EQ(key_of(made, get, Wrong::kRefused, Refusal{"BadZipFile", "no", "zipfile:open"}),
            "ZipStore / refused / several writers");
  EXPECT_NE(key_of(made, R"({"call": "list", "on": "s0"})", Wrong::kTwice),
            "ZipStore / several writers")
      << "a key that is listed twice is so in one store as well";
  EXPECT_NE(key_of(R"({"make": "local", "at": "f", "as": "s1"})", get, Wrong::kAbsent),
            "ZipStore / several writers")
      << "a folder has room for several";
}

// Until a writer closes a zip file, others do not find what is in it: a copy that misses what
// nobody is writing to is another one.
TEST(Roots, OfAnArchiveThatIsAskedBesideAWriterAreOne) {
  const auto key_of = [](const std::string& second, const std::string& between, Wrong wrong,
                         const Answer& was = Shown()) {
    const Case value =
        parse_case(R"({"format": 2, "processes": {"p1": "fork"},
        "before": {"z": {"entries": [{"key": "b", "value": "b@0"}]}}, "program": [
        {"make": "zip", "at": "z", "mode": "a", "as": "s1"}, )" +
                   second + ", " + between + R"(, {"call": "get", "on": "s0", "key": "b"}]})")
            .value();
    return cause_of(value, at(value.steps.size() - 1, wrong, was)).key;
  };
  const std::string carried = R"({"carry": "pickle 5", "from": "s1", "as": "s0"})";
  const std::string made = R"({"make": "zip", "at": "z", "mode": "r", "as": "s0"})";
  const std::string set = R"({"call": "set", "on": "s1", "key": "a", "value": "a@2"})";
  const std::string close = R"({"call": "close", "on": "s1"})";
  const std::string cause = "ZipStore / beside a writer";
  EXPECT_EQ(key_of(made, set, Wrong::kAbsent), cause);
  EXPECT_EQ(key_of(carried, set, Wrong::kAbsent), cause + " / after pickle 5");
  EXPECT_EQ(key_of(carried, R"({"call": "list", "on": "s1"})", Wrong::kAbsent),
            "reads / absent / get on zip / after pickle 5")
      << "nobody writes";
  EXPECT_EQ(key_of(carried, set + ", " + close, Wrong::kAbsent),
            "reads / absent / get on zip / after pickle 5");
  EXPECT_EQ(
      key_of(carried, R"({"call": "set", "on": "s0", "key": "a", "value": "a@2"})", Wrong::kAbsent),
      "reads / absent / get on zip / after pickle 5")
      << "its own write";
  EXPECT_EQ(key_of(made + R"(, {"make": "zip", "at": "y", "mode": "a", "as": "s2"})",
                   R"({"call": "set", "on": "s2", "key": "a", "value": "a@2"})", Wrong::kAbsent)
                .find("beside"),
            std::string::npos)
      << "at another place";
  const std::string opened = R"({"call": "get", "on": "s0", "key": "b"})";
  EXPECT_EQ(key_of(made, opened + ", " + set + ", " + close, Wrong::kAbsent), cause)
      << "it goes on by the directory that it read";
  EXPECT_EQ(key_of(made, set + ", " + close + ", " + opened, Wrong::kAbsent),
            "reads / absent / get on zip");
  EXPECT_EQ(key_of(carried, set + ", " + opened + ", " + close, Wrong::kAbsent),
            "ZipStore / several writers")
      << "who appends to what is half written writes a directory as well";
  EXPECT_EQ(key_of(carried, opened + ", " + set + ", " + close, Wrong::kAbsent),
            "ZipStore / several writers")
      << "whoever opens it first";
  const Refusal refusal{"BadZipFile", "no", "_zip.py:_get"};
  EXPECT_EQ(
      key_of(R"({"make": "fsspec zip", "at": "z", "as": "s0"})", set, Wrong::kRefused, refusal),
      "ZipStore / refused / beside a writer");
  EXPECT_EQ(program::key_of(R"({"make": "zip", "at": "z", "mode": "w", "as": "s1"},
                {"make": "zip", "at": "z", "mode": "r", "as": "s0"}, {"call": "open", "on": "s1"},
                {"call": "get", "on": "s0", "key": "b"})",
                            at(3, Wrong::kRefused, refusal)),
            "ZipStore / refused / beside a writer")
      << "to open in mode w empties the file";
  EXPECT_EQ(program::key_of(R"({"make": "fsspec zip", "at": "z", "as": "s0"},
                {"make": "zip", "at": "z", "mode": "w", "as": "s1"}, {"call": "open", "on": "s1"},
                {"call": "close", "on": "s1"}, {"call": "get", "on": "s0", "key": "b"})",
                            at(4, Wrong::kRefused, refusal)),
            "ZipStore / refused / beside a writer")
      << "fsspec has read the directory when the store was made";
  const auto forked = parse_case(R"({"format": 2, "processes": {"p1": "fork"}, "program": [
      {"make": "zip", "at": "z", "as": "s0"}, {"call": "get", "on": "s0", "key": "b"},
      {"fork": "p1"}, {"call": "set", "on": "s0", "key": "a", "value": "a@3"},
      {"call": "get", "on": "s0", "in": "p1", "key": "b"}]})");
  EXPECT_EQ(cause_of(forked.value(), at(4, Wrong::kAbsent)).key, cause + " / after fork");
  EXPECT_EQ(cause_of(forked.value(), at(4, Wrong::kRefused, refusal)).key,
            "ZipStore / refused where a fork shares the file");
}

// Of two processes that have one store by a fork, the second to close it writes over the first.
TEST(Roots, OfAnArchiveThatForkedProcessesCloseAreThoseOfSeveralWriters) {
  const auto key_of = [](const std::string& theirs, const std::string& ours, Wrong wrong,
                         const Answer& was = Shown(), const std::string& kind = "zip",
                         std::size_t step = 4) {
    return cause_of(parse_case(
                        R"({"format": 2, "processes": {"p1": "fork"}, "program": [
        {"make": ")" + kind +
                        R"(", "at": "z", "mode": "w", "as": "s0"},
        {"call": "set", "on": "s0", "key": "a", "value": "a@1"}, {"fork": "p1"}, )" +
                        theirs + ", " + ours + "]}")
                        .value(),
                    at(step, wrong, was))
        .key;
  };
  const std::string closes = R"({"call": "close", "in": "p1", "on": "s0"})";
  const std::string forgets = R"({"do": "drop", "in": "p1", "handle": "s0"})";
  const std::string reads = R"({"call": "get", "in": "p1", "on": "s0", "key": "a"})";
  const std::string close = R"({"call": "close", "on": "s0"})";
  const std::string get = R"({"call": "get", "on": "s0", "key": "a"})";
  const std::string cause = "ZipStore / several writers";
  EXPECT_EQ(key_of(closes, close, Wrong::kLost), cause);
  EXPECT_EQ(key_of(forgets, close, Wrong::kUnreadable), cause);
  EXPECT_EQ(key_of(closes, R"({"do": "exit"})", Wrong::kUnreadable), cause)
      << "what is still open is closed at the end";
  EXPECT_NE(key_of(closes, get, Wrong::kAbsent), cause)
      << "who wrote before the fork, and reads since, is no second one";
  EXPECT_EQ(key_of(closes, close, Wrong::kRefused, Refusal{"BadZipFile", "no", "zipfile:open"}),
            "ZipStore / refused / several writers");
  EXPECT_EQ(
      key_of(R"({"carry": "handed over", "from": "s0", "as": "s1"},
                      {"call": "close", "on": "s1"})",
             R"({"call": "close", "in": "p1", "on": "s0"})", Wrong::kUnreadable, Shown(), "zip", 5),
      cause)
      << "who is handed a store has the same one";
  EXPECT_NE(key_of(reads, close, Wrong::kLost), cause) << "to read is not to write";
  EXPECT_NE(key_of(closes, close, Wrong::kLost, Shown(), "local"), cause)
      << "a folder has room for several";
}

// Who opens a store that begins its archive anew writes there, and a copy that he makes of it does.
TEST(Roots, OfAnArchiveThatAForkedProcessBeginsAnewAreThoseOfSeveralWriters) {
  const auto key_of = [](const std::string& theirs, const std::string& before = "") {
    const auto value = parse_case(R"({"format": 2, "processes": {"p1": "fork"}, "program": [
        {"make": "zip", "at": "z", "mode": "w", "as": "s0"}, )" +
                                  before + R"({"fork": "p1"},
        {"call": "set", "on": "s0", "key": "a", "value": "a@2"}, )" +
                                  theirs + R"(, {"call": "close", "on": "s0"},
        {"make": "zip", "at": "z", "mode": "r", "as": "s3"},
        {"call": "get", "on": "s3", "key": "a"}]})")
                           .value();
    const Refusal refusal{"BadZipFile", "no", "_zip.py:_get"};
    return cause_of(value, at(value.steps.size() - 1, Wrong::kRefused, refusal)).key;
  };
  const std::string cause = "ZipStore / refused / several writers";
  EXPECT_EQ(key_of(R"({"call": "list", "in": "p1", "on": "s0"})"), cause);
  EXPECT_EQ(key_of(R"({"carry": "pickle 5", "from": "s0", "in": "p1", "as": "s1"},
                      {"call": "list", "on": "s1"})"),
            cause);
  EXPECT_NE(
      key_of(R"({"call": "list", "in": "p1", "on": "s0"})", R"({"call": "list", "on": "s0"}, )"),
      cause)
      << "it was open before the fork";
  EXPECT_EQ(key_of(R"({"call": "list", "in": "p1", "on": "s0"})",
                   R"({"call": "read only", "on": "s0"}, )"),
            cause)
      << "to ask for the mode opens nothing";
}

// How an archive is opened once more decides what is left of it; where that shows does not matter.
TEST(Roots, OfAnArchiveThatIsOpenedAgainAreOne) {
  const std::string written = R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"},
      {"call": "set", "on": "s0", "key": "a", "value": "a@1"}, )";
  const std::string close = R"({"call": "close", "on": "s0"})";
  const std::string closed = written + close + ", ";
  const std::string get = R"({"call": "get", "on": "s0", "key": "a"})";
  const std::string set = R"({"call": "set", "on": "s0", "key": "b", "value": "b@3"})";
  const std::string cause = "ZipStore / opened again";
  const std::string copied = cause + " / mode w / after pickle 5";
  EXPECT_EQ(key_of(closed + set + ", " + close, on_disk(4, Wrong::kLost)), cause);
  EXPECT_EQ(key_of(closed + get, on_disk(3, Wrong::kUnreadable)), cause);
  const Refusal refusal{"BadZipFile", "no", "zarr/storage/_zip.py:_get"};
  EXPECT_EQ(key_of(closed + get, at(3, Wrong::kRefused, refusal)),
            "ZipStore / refused / opened again");
  const std::string carried = R"({"carry": "pickle 5", "from": "s0", "as": "s1"})";
  const std::string unopened =
      R"({"make": "zip", "at": "z", "mode": "w", "as": "s0"}, )" + carried + ", ";
  EXPECT_EQ(key_of(unopened + get, on_disk(2, Wrong::kLost)), copied);
  EXPECT_EQ(key_of(unopened + R"({"do": "drop", "handle": "s0"},
                   {"call": "get", "on": "s1", "key": "a"})",
                   on_disk(3, Wrong::kUnreadable)),
            copied);
  EXPECT_EQ(key_of(written + carried + ", " + get, on_disk(3, Wrong::kLost)),
            "ZipStore / opened again / a copy of what was opened / mode w / after pickle 5")
      << "it has taken its mode w";
  const std::string appending = R"({"make": "zip", "at": "z", "mode": "a", "as": "s0"}, )";
  EXPECT_EQ(key_of(appending + carried + R"(, {"call": "get", "on": "s1", "key": "a"})",
                   on_disk(2, Wrong::kLost)),
            "ZipStore / opened again / after pickle 5")
      << "a copy of a store that never was in mode w has to leave the archive as it is";

  EXPECT_EQ(key_of(closed + get + R"(, {"do": "exit"})", on_disk(4, Wrong::kLost)), cause)
      << "its process ends instead";
  EXPECT_NE(key_of(written + R"({"do": "exit"})", on_disk(2, Wrong::kLost)), cause);

  EXPECT_NE(key_of(written + close, on_disk(2, Wrong::kLost)), cause)
      << "closed for the first time";
  EXPECT_NE(key_of(closed + get, on_disk(3, Wrong::kMade)), cause);
  EXPECT_NE(key_of(closed + get, at(3, Wrong::kAbsent)), cause) << "it is on the disk";
  EXPECT_NE(key_of(written + carried, on_disk(2, Wrong::kLost)), copied)
      << "not opened, and not called";
  EXPECT_NE(
      key_of(R"({"make": "local", "at": "f", "as": "s0"}, {"call": "close", "on": "s0"}, )" + get,
             on_disk(2, Wrong::kLost)),
      cause);
}

// What is read at a place that another process moved is refused in one way or another.
TEST(Roots, OfAFileThatAForkSharesAreOne) {
  const auto key_of = [](const std::string& kind, const std::string& type,
                         const std::string& call) {
    return cause_of(parse_case(R"({"format": 2, "processes": {"p1": "fork"}, "program": [
                       {"make": ")" +
                               kind + R"(", "at": "z", "as": "s0"},
                       {"call": "get", "on": "s0", "key": "b"}, {"fork": "p1"},
                       {"call": "get", "on": "s0", "in": "p1", "key": "b"},
                       {"call": ")" +
                               call + R"(", "on": "s0", "key": "a"}]})")
                        .value(),
                    at(4, Wrong::kRefused, Refusal{type, "no", "zarr/storage/_zip.py:_get"}))
        .key;
  };
  const std::string cause = "ZipStore / refused where a fork shares the file";
  EXPECT_EQ(key_of("zip", "BadZipFile", "get"), cause);
  EXPECT_EQ(key_of("zip", "EOFError", "exists"), cause);
  EXPECT_EQ(key_of("fsspec zip", "BadZipFile", "get"),
            "FsspecStore / refused where a fork shares the file");
  EXPECT_NE(key_of("zip", "KeyError", "get"), cause);
  const auto carried = [](const std::string& before, const std::string& to,
                          const std::string& after) {
    const auto value = parse_case(
        R"({"format": 2, "processes": {"p1": "fork", "p2": "spawn"}, "program": [
        {"make": "zip", "at": "z", "as": "s1"}, )" +
        before + R"({"carry": "pickle 5", "from": "s1", "as": "s0")" + to + "}, " + after +
        R"({"call": "get", "on": "s0", "in": "p1", "key": "b"},
            {"call": "get", "on": "s0", "key": "a"}]})");
    return cause_of(value.value(), at(4, Wrong::kRefused, Refusal{"BadZipFile", "no", ""})).key;
  };
  const std::string fork = R"({"fork": "p1"}, )";
  EXPECT_EQ(carried("", "", fork), cause);
  EXPECT_NE(carried(fork, "", ""), cause) << "it has a file of its own";
  EXPECT_NE(carried("", R"(, "to": "p2")", fork), cause) << "another process was forked";
  const auto afterwards = parse_case(R"({"format": 2, "processes": {"p1": "fork"}, "program": [
      {"make": "zip", "at": "z", "as": "s1"}, {"call": "get", "on": "s1", "key": "b"},
      {"fork": "p1"}, {"make": "zip", "at": "z", "as": "s0"},
      {"call": "get", "on": "s0", "key": "a"}]})");
  EXPECT_NE(
      cause_of(afterwards.value(), at(4, Wrong::kRefused, Refusal{"BadZipFile", "no", ""})).key,
      cause);
  const auto alone = parse_case(R"({"format": 2, "processes": {"p1": "fork"}, "program": [
      {"make": "zip", "at": "z", "as": "s0"}, {"call": "get", "on": "s0", "key": "b"},
      {"fork": "p1"}, {"call": "get", "on": "s0", "in": "p1", "key": "a"}]})");
  EXPECT_NE(cause_of(alone.value(), at(3, Wrong::kRefused, Refusal{"RuntimeError", "no", ""})).key,
            cause)
      << "nobody else moved it";
  EXPECT_EQ(key_of("local", "OSError", "get").find("shares"), std::string::npos);
}

// A key that was written twice is there twice: whoever wrote it, and whatever names it.
TEST(Roots, OfANameThatIsThereTwiceAreOne) {
  const auto twice = [](const std::string& before, const std::string& steps, std::size_t step) {
    Difference it = at(step, Wrong::kTwice);
    it.oracle = "listing";
    return cause_of(
               parse_case(R"({"format": 2, )" + before + R"("program": [)" + steps + "]}").value(),
               it)
        .key;
  };
  const std::string made = R"({"make": "zip", "at": "z", "mode": "a", "as": "s0"}, )";
  const std::string list = R"({"call": "list", "on": "s0"})";
  const std::string set = R"({"call": "set", "on": "s0", "key": "a", "value": "a@1"}, )";
  const std::string once = "listing / twice / list on zip",
                    cause = once + " / a name written twice";
  EXPECT_EQ(twice("", made + set + set + list, 3), cause);
  EXPECT_EQ(twice("", made + set + list, 2), once) << "one that is there once";
  EXPECT_EQ(twice("",
                  made + R"({"call": "create group", "on": "s0", "key": "a", "as": "s1"},
      {"call": "set attributes", "on": "s1", "key": "a", "value": "a@2"}, )" +
                      list,
                  3),
            cause)
      << "the document of a group";
  EXPECT_EQ(twice("", made + set + set + R"({"call": "list prefix", "on": "s0", "key": "a"})", 3),
            cause);
  EXPECT_NE(twice("", made + set + set + R"({"call": "list dir", "on": "s0", "key": ""})", 3),
            cause)
      << "a folder of two keys";
  const auto twisted = [](const std::string& name) {
    return R"("before": {"z": {"entries": [{"key": "a", "value": "a@0"}], "twists": [{"name": ")" +
           name + R"("}]}}, )";
  };
  EXPECT_EQ(twice(twisted("same name before"), made + list, 1), cause);
  EXPECT_EQ(twice(twisted("wrong crc"), made + list, 1), once);
  EXPECT_NE(twice(twisted("nul and ending"), made + list, 1), cause) << "two names are one";
  const std::string memory = R"({"make": "memory", "as": "s0"}, )";
  EXPECT_NE(twice("", memory + set + list, 2), cause);
}

// Between a write and the close an archive cannot be read, whatever stops there.
TEST(Roots, OfAStopBeforeAnArchiveIsClosedAreOne) {
  const std::string made = R"({"make": "zip", "at": "z", "mode": "a", "as": "s0"}, )";
  const std::string set = R"({"call": "set", "on": "s0", "key": "a", "value": "a@1"})";
  const std::string cause = "ZipStore / if all stops before it is closed";
  EXPECT_EQ(key_of(made + set, on_disk(1, Wrong::kUnreadable, true)), cause);
  EXPECT_EQ(key_of(made + set + R"(, {"do": "die"})", on_disk(2, Wrong::kUnreadable)), cause);
  EXPECT_NE(key_of(made + R"({"call": "clear", "on": "s0"})", on_disk(1, Wrong::kUnreadable, true)),
            cause)
      << "another way to write";
  EXPECT_NE(key_of(made + set, on_disk(1, Wrong::kUnreadable)), cause) << "nothing stops";
  const std::string get = R"({"call": "get", "on": "s0", "key": "b"})";
  EXPECT_EQ(key_of(made + set + ", " + get, on_disk(2, Wrong::kUnreadable, true)), cause);
  EXPECT_NE(key_of(made + get, on_disk(1, Wrong::kUnreadable, true)), cause)
      << "nothing is written";
  EXPECT_NE(key_of(made + set + R"(, {"call": "close", "on": "s0"}, )" + get,
                   on_disk(3, Wrong::kUnreadable, true)),
            cause)
      << "nothing is written since it was whole";
  EXPECT_NE(key_of(made + set, on_disk(1, Wrong::kLost, true)), cause);
}

// An operating system has no file below a file: any operation meets that.
TEST(Roots, OfAKeyBelowAKeyAreOne) {
  const auto below = [](const std::string& kind, const std::string& call) {
    Difference it = at(2, Wrong::kRefused, Refusal{"NotADirectoryError", "no", "zarr:" + call});
    it.oracle = "refusal";
    return key_of(R"({"make": ")" + kind + R"(", "at": "f", "as": "s0"},
        {"call": "set", "on": "s0", "key": "a", "value": "a@1"}, {"on": "s0", "call": )" +
                      call + "}",
                  it);
  };
  const std::string cause = below("local", R"("getsize", "key": "a/b")");
  EXPECT_EQ(cause, "refusal / refused / NotADirectoryError / a key below a key on local");
  EXPECT_EQ(below("local", R"("delete", "key": "a/b/c")"), cause);
  EXPECT_EQ(below("cache kept over local", R"("getsize", "key": "a/b")"), cause);
  for (const char* looks : {R"("get", "key": "a/b")", R"("exists", "key": "a/b")",
                            R"("list dir", "key": "a/b")", R"("list dir", "key": "a")"}) {
    EXPECT_NE(below("local", looks), cause) << "it is only missing";
    EXPECT_TRUE(below("local", looks).starts_with(cause)) << looks;
  }
  EXPECT_NE(below("local", R"("get", "key": "a")"), cause);
  EXPECT_NE(below("local", R"("get", "key": "ab")"), cause);
  EXPECT_NE(below("memory", R"("get", "key": "a/b")"), cause) << "there a key is no file";
}

TEST(Roots, OfAThreadThatAForkLostAreOne) {
  const auto key_of = [](const std::string& fork, const std::string& call) {
    Difference it = at(2, Wrong::kHang,
                       TimedOut{.stacks = "Current thread 0x1 (most recent call first):\n  File "
                                          "\"/lib/zarr/core/sync.py\", line 135 in sync\n"});
    it.oracle = "deadline";
    return cause_of(parse_case(R"({"format": 2, "processes": {"p1": "fork"}, "program": [
        {"make": "memory", "as": "s0"}, )" +
                               fork + ", " + call + "]}")
                        .value(),
                    it)
        .key;
  };
  const std::string fork = R"({"fork": "p1"})";
  const std::string get = R"({"call": "get", "by": "sync", "in": "p1", "on": "s0", "key": "a"})";
  const std::string make = R"({"call": "create group", "in": "p1", "on": "s0", "key": "a",
      "as": "s1"})";
  EXPECT_EQ(key_of(fork, get),
            "deadline / hang / a call on memory / in zarr/core/sync.py:sync / after fork");
  EXPECT_EQ(key_of(fork, get), key_of(fork, make));
  EXPECT_NE(key_of(R"({"call": "list", "on": "s0"})", R"({"call": "get", "on": "s0", "key": "a"})"),
            key_of(fork, get))
      << "without a fork it waits for something else";
}

TEST(Roots, OfAParentThatItsForkedProcessLeavesWaitingAreOne) {
  const auto key_of = [](const std::string& kind, const std::string& in_the_fork,
                         const std::string& call, const std::string& process,
                         const std::string& stacks) {
    Difference it = at(3, Wrong::kHang, TimedOut{.stacks = stacks});
    it.oracle = "deadline";
    it.where.process = process;
    return cause_of(parse_case(R"({"format": 2, "processes": {"p1": "fork"}, "program": [
        {"make": ")" + kind + R"(", "at": "f", "as": "s0"}, {"fork": "p1"}, )" +
                               in_the_fork + R"(, {"call": ")" + call +
                               R"(", "on": "s0", "key": "a"}]})")
                        .value(),
                    it)
        .key;
  };
  const std::string stacks =
      "Current thread 0x1 (most recent call first):\n  File \"/lib/zarr/core/sync.py\", line 135 "
      "in sync\n";
  const std::string cause = "deadline / hang / a call on fsspec http / in a parent / after fork";
  const std::string drop = R"({"do": "drop", "handle": "s0", "in": "p1"})";
  EXPECT_EQ(key_of("fsspec http", drop, "get", "p0", ""), cause);
  EXPECT_EQ(key_of("fsspec http", drop, "exists", "p0", stacks), cause);
  EXPECT_NE(key_of("fsspec http", drop, "get", "p1", stacks), cause);
  EXPECT_EQ(
      key_of("local", drop, "get", "p0", stacks),
      "deadline / hang / get on local / in zarr/core/sync.py:sync / with drop / in a parent / "
      "after fork");
  const std::string list = R"({"call": "list", "on": "s0", "in": "p1"})";
  EXPECT_NE(key_of("fsspec http", list, "get", "p0", stacks), cause) << "it keeps the connection";
  const std::string close = R"({"call": "close", "on": "s0", "in": "p1"})";
  EXPECT_NE(key_of("fsspec http", close, "get", "p0", stacks), cause) << "this one keeps it too";
}

// What a caller does to his own buffer shows in all that use the class that kept it.
// Whoever asks for what a pickle dropped is refused, and the state of the copy lacks it.
TEST(Roots, OfAnAttributeThatIsLackingAreOne) {
  const std::string steps = R"({"make": "zip", "at": "z", "mode": "r", "as": "s0"},
      {"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s1"}, )";
  const auto of_state = [&](const char* name, const char* seen) {
    Difference it = at(2, Wrong::kState);
    it.where.key = name;
    it.seen = seen;
    return key_of(steps + R"({"call": "state", "on": ["s0", "s1"]})", it);
  };
  const auto of_call = [&](const char* name) {
    return key_of(steps + R"({"call": "list", "on": "s1"})",
                  at(2, Wrong::kUnfittingType,
                     Refusal{"AttributeError",
                             fmt::format("'ZipStore' object has no attribute '{}'", name), ""}));
  };
  EXPECT_EQ(of_call("_lock"),
            "'ZipStore' object has no attribute 'lock' / after pickle 5 to another process");
  EXPECT_EQ(of_call("_lock"), of_state("_lock", "nothing"));
  EXPECT_EQ(of_call("_read_only"), of_state("read_only", "AttributeError"));
  EXPECT_NE(of_call("_lock"), of_call("_read_only"));
  EXPECT_NE(of_call("_read_only"), of_state("read_only", "False")) << "it has another value";
  Difference original = at(2, Wrong::kState);
  original.where.key = "_lock";
  original.should_be = "nothing";
  original.seen = "<lock>";
  EXPECT_EQ(key_of(steps + R"({"call": "state", "on": ["s1", "s0"]})", original), of_call("_lock"))
      << "the copy was asked first";
}

// A store that pickling leaves with bytes for what it holds is refused by each method.
TEST(Roots, OfAPartThatAJourneySpoilsAreOne) {
  const auto key_of_call = [](const std::string& call, const char* text) {
    return key_of(R"({"make": "object local", "at": "f", "as": "s0"},
                     {"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s1"},)" +
                      call,
                  at(2, Wrong::kRefused, Refusal{"ValueError", text, "_obstore.py:get"}));
  };
  const std::string get = R"({"call": "get", "on": "s0", "key": "a"})";
  const std::string list = R"({"call": "list", "on": "s0"})";
  EXPECT_EQ(key_of_call(get, "Expected an object store instance, got b'x'"),
            "reads / refused / a call on object local / ValueError: Expected an object store "
            "instance / after pickle 5 to another process");
  EXPECT_EQ(key_of_call(get, "Expected an object store instance, got b'x'"),
            key_of_call(list, "Expected an object store instance, got b'y'"));
  EXPECT_NE(key_of_call(get, "store is closed"), key_of_call(list, "store is closed"));
  EXPECT_NE(key_of_call(get, "Expected a path, got b'x'"),
            key_of_call(get, "Expected an object store instance, got b'x'"));
  const auto alone = [](const std::string& call) {
    return key_of(R"({"make": "object local", "at": "f", "as": "s0"},)" + call,
                  at(1, Wrong::kRefused, Refusal{"ValueError", "Expected a store, got b'x'", ""}));
  };
  EXPECT_NE(alone(get), alone(list)) << "without a journey";
}

// Every write asks first whether the store may write.
TEST(Roots, OfACopyThatOnlyReadsAreOne) {
  const auto key_of_call = [](const std::string& call, const char* frame, bool carried = true) {
    const std::string carry = R"({"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s1"},)";
    return key_of(R"({"make": "local", "at": "f", "as": "s0"},)" + (carried ? carry : "") + call,
                  at(carried ? 2 : 1, Wrong::kRefused, Refusal{"ValueError", "read-only", frame}));
  };
  const std::string set = R"({"call": "set", "on": "s1", "key": "a", "value": "a@2"})";
  const std::string clear = R"({"call": "clear", "on": "s1"})";
  const char* check = "zarr/abc/store.py:_check_writable";
  EXPECT_EQ(key_of_call(set, check), "reads / refused / a write on local / ValueError in " +
                                         std::string(check) +
                                         " / after pickle 5 to another process");
  EXPECT_EQ(key_of_call(set, check), key_of_call(clear, check));
  EXPECT_NE(key_of_call(set, "zarr/storage/_local.py:_put"),
            key_of_call(clear, "zarr/storage/_local.py:_put"));
  EXPECT_NE(key_of_call(R"({"call": "get", "on": "s1", "key": "a"})", check),
            key_of_call(set, check))
      << "who reads need not ask";
  EXPECT_NE(key_of_call(R"({"call": "set", "on": "s0", "key": "a", "value": "a@2"})", check, false),
            key_of_call(R"({"call": "clear", "on": "s0"})", check, false));
}

// What an object of zarr keeps though its write was refused does not depend on the store.
TEST(Roots, OfAnAttributeThatWasRefusedAreOne) {
  const auto key_of_store = [](const std::string& reader, const std::string& node,
                               const std::string& on = "n0") {
    return key_of(reader + R"({"call": "open )" + node + R"(", "key": "x", "on": "s1", "as": "n0"},
        {"call": "set attributes", "key": "a", "value": "a@2", "on": ")" +
                      on + R"("}, {"call": "get attributes", "on": "n0"})",
                  [] {
                    Difference it = at(3, Wrong::kOtherValue, Shown{Attributes{{{"a", "a@2"}}}});
                    it.where.handle = "n0";
                    return it;
                  }());
  };
  const std::string local = R"({"make": "local", "at": "f", "read_only": true, "as": "s1"}, )";
  const std::string zip = R"({"make": "zip", "at": "z", "mode": "r", "as": "s1"}, )";
  const std::string writes = R"({"make": "local", "at": "f", "as": "s1"}, )";
  EXPECT_EQ(key_of_store(local, "array"), "reads / other value / an attribute that was refused");
  EXPECT_EQ(key_of_store(local, "array"), key_of_store(zip, "group"));
  EXPECT_NE(key_of_store(local, "array"), key_of_store(writes, "array"));
  EXPECT_NE(key_of_store(local, "array"), key_of_store(local, "array", "s1")) << "another object";
}

TEST(Roots, OfABufferThatIsSharedAreOne) {
  const auto shared = [](const std::string& kind, const std::string& call) {
    return key_of(R"({"make": ")" + kind + R"(", "at": "f", "as": "s0"},
        {"on": "s0", "key": "a", "call": )" +
                      call + R"(}, {"call": "get", "on": "s0", "key": "a"})",
                  at(2, Wrong::kOtherValue));
  };
  const std::string set = R"("set and overwrite", "value": "a@1")";
  const std::string cause = shared("memory", set);
  EXPECT_EQ(cause, "reads / other value / after set and overwrite on memory");
  EXPECT_EQ(shared("managed memory", set), cause);
  EXPECT_EQ(shared("cache over local", set), cause) << "a cache keeps a memory";
  EXPECT_EQ(key_of(R"({"make": "local", "at": "f", "as": "s1"},
      {"make": "cache over local", "at": "f", "as": "s0"},
      {"on": "s0", "key": "a", "call": )" +
                       set + R"(}, {"call": "get", "on": "s0", "key": "a"})",
                   at(3, Wrong::kOtherValue)),
            cause)
      << "whoever else is there";
  EXPECT_NE(shared("object memory", set), cause);
  EXPECT_NE(shared("memory", R"("get and overwrite")"), cause)
      << "what it gave, not what it was given";
  EXPECT_NE(shared("memory", R"("set", "value": "a@1")"), cause);
}

// A cache that shows what was there once does so whatever it was put over.
TEST(Roots, OfACacheThatIsStaleAreOne) {
  const auto shown = [](const std::string& kind, Wrong wrong, const std::string& value) {
    return key_of(R"({"make": ")" + kind + R"(", "at": "f", "as": "s0"},
        {"call": "clear", "on": "s0"}, {"call": "get", "on": "s0", "key": "a"})",
                  at(2, wrong, Shown{BytesValue{value}}));
  };
  const std::string cause = shown("cache over local", Wrong::kGhost, "a@1");
  EXPECT_EQ(cause, "reads / stale / get on CacheStore");
  EXPECT_EQ(shown("cache over memory", Wrong::kOtherValue, "a@1"), cause);
  EXPECT_NE(shown("cache over local", Wrong::kOtherValue, "b@1"), cause) << "of another key";
  EXPECT_NE(shown("local", Wrong::kGhost, "a@1"), cause);
}

// What a cache does itself it has to know.
TEST(Roots, OfACacheThatForgetsWhatItWasGivenAreNotOfWhatItsSourceDoesAlone) {
  const auto shown = [](const std::string& between) {
    return key_of(R"({"make": "cache over local", "at": "f", "as": "s0"},
        {"call": "set", "on": "s0", "key": "a", "value": "a@1"}, )" +
                      between + R"(, {"call": "get", "on": "s0", "key": "a"})",
                  at(3, Wrong::kOtherValue, Shown{BytesValue{"a@1"}}));
  };
  const std::string cause = "reads / stale / get on CacheStore";
  EXPECT_EQ(shown(R"({"call": "delete dir", "on": "s0", "key": ""})"), cause);
  EXPECT_EQ(shown(R"({"call": "set sync", "on": "s0", "key": "a", "value": "a@2"})"), cause);
  EXPECT_EQ(shown(R"({"call": "set if not exists", "on": "s0", "key": "a", "value": "a@2"})"),
            cause);
  EXPECT_NE(shown(R"({"call": "set", "on": "s0", "key": "a", "value": "a@2"})"), cause);
  EXPECT_NE(shown(R"({"call": "delete", "on": "s0", "key": "a"})"), cause);
}

// What it was given may be nothing.
TEST(Roots, OfAStaleCacheAreOfAnyEarlierValue) {
  const auto shown = [](const std::string& value) {
    return key_of(R"({"make": "cache over memory", "as": "s0"},
        {"call": "set", "on": "s0", "key": "a", "value": ")" +
                      value + R"("},
        {"call": "set sync", "on": "s0", "key": "a", "value": "a@7"},
        {"call": "get", "on": "s0", "key": "a"})",
                  at(3, Wrong::kOtherValue, Shown{BytesValue{""}}));
  };
  const std::string stale = "reads / stale / get on CacheStore";
  EXPECT_EQ(shown(""), stale);
  EXPECT_NE(shown("a@1"), stale);
  EXPECT_NE(key_of(R"({"make": "memory", "as": "s1"}, {"make": "cache over memory", "as": "s0"},
                {"call": "set", "on": "s1", "key": "a", "value": ""},
                {"call": "get", "on": "s0", "key": "a"})",
                   at(3, Wrong::kOtherValue, Shown{BytesValue{""}})),
            stale)
      << "another store had it";
  EXPECT_NE(key_of(R"({"make": "cache over memory", "as": "s0"},
                {"call": "get", "on": "s0", "key": "a"},
                {"call": "set", "on": "s0", "key": "a", "value": ""})",
                   at(1, Wrong::kOtherValue, Shown{BytesValue{""}})),
            stale)
      << "it had that afterwards";
}

// Whether a thread of the store still waits when the process ends, no call decides. The loop sees
// the cause itself: a race may not happen again.
TEST(Roots, OfAProcessThatThreadsKillAtItsEndAreOneAndSeenSo) {
  Difference it = at(2, Wrong::kDeath);
  it.oracle = kSurvival;
  it.where = {.step = 2, .process = "p1", .operation = "exit"};
  it.seen = "SIGABRT";
  std::string as_seen;
  const auto cause = [&](const std::string& make, const std::string& more = "") {
    const auto value = parse_case(R"({"format": 2, "processes": {"p1": "spawn"}, "program": [
        {"make": "local", "at": "f", "in": "p1", "relative": true, "as": "s1"},
        {"make": )" + make + R"(, "as": "s0"}, {"call": "list", "on": "s0"})" +
                                  more + "]}")
                           .value();
    as_seen = seen_as(value, it);
    return cause_of(value, it).key;
  };
  const std::string of_obstore = "survival / death / end by SIGABRT / ObjectStore";
  const std::string here = R"(, "in": "p1")";
  EXPECT_EQ(cause(R"("object memory")" + here), of_obstore);
  EXPECT_EQ(as_seen, of_obstore);
  EXPECT_EQ(cause(R"("logging over object memory")" + here), of_obstore);
  EXPECT_EQ(cause(R"("object memory")",
                  R"(, {"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s2"})"),
            of_obstore);
  EXPECT_NE(cause(R"("object memory")"), of_obstore) << "in another process";
  EXPECT_NE(as_seen, of_obstore);
  EXPECT_NE(cause(R"("memory")" + here), of_obstore);
  EXPECT_EQ(cause(R"("object memory")" + here,
                  R"(, {"make": "icechunk", "at": "i", "in": "p1", "as": "s3"})"),
            "survival / death / end by SIGABRT / IcechunkStore, ObjectStore")
      << "nobody can tell which one it was";
  EXPECT_NE(cause(R"("object memory")" + here, R"(, {"do": "_exit", "in": "p1"})"), of_obstore)
      << "Python does not end";
  it.seen = "SIGSEGV";
  EXPECT_EQ(cause(R"("icechunk", "at": "i")" + here),
            "survival / death / end by SIGSEGV / IcechunkStore");
  for (const char* otherwise :
       {"exit 1", "SIGKILL", "SIGSEGV when its stores are dropped", "SIGSEGV between its steps"}) {
    it.seen = otherwise;
    EXPECT_NE(cause(R"("object memory")" + here),
              fmt::format("survival / death / end by {} / ObjectStore", otherwise));
  }
}

// What a process was asked before its end makes the end no milder, and no other one.
TEST(Roots, OfAnEndDoNotDependOnTheLastStep) {
  Difference it = at(1, Wrong::kDeath);
  it.oracle = kSurvival;
  it.seen = "exit 1";
  const auto cause = [&](const std::string& call) {
    return cause_of(
        parse_case(R"({"format": 2, "program": [{"make": "memory", "as": "s0"}, {"on": "s0", )" +
                   call + "}]}")
            .value(),
        it);
  };
  const Cause plain = cause(R"("call": "list")");
  EXPECT_EQ(plain.key, "survival / death / end by exit 1 on memory");
  const Cause misuse =
      cause(R"("call": "set bytes", "key": "a/../b", "value": "a@1", "by": "sync")");
  EXPECT_EQ(misuse.key, plain.key);
  EXPECT_EQ(misuse.severity, plain.severity);
}

}  // namespace
}  // namespace storefuzz::program
