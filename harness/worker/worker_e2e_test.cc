// The program storefuzz-worker with the newest zarr, spoken to as the engine does.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "harness/process/ending.h"
#include "harness/testing/whole_runs.h"
#include "harness/wire/orders.h"
#include "harness/wire/zygote.h"

namespace storefuzz::program {
namespace {

using e2e::must;

constexpr Milliseconds kPatient{20'000};

Zygote& zygote() {
  static Zygote one = must(
      Zygote::start({.python = e2e::python(e2e::kNewest), .scratch = e2e::scratch().string()}));
  return one;
}

// A worker as a test talks to it; killed at the end.
class Talk {
 public:
  explicit Talk(bool loop = false) : Talk(must(zygote().bear(loop))) {}
  explicit Talk(Born born) : born_(std::move(born)) {}
  Talk(Talk&& other) noexcept : born_(std::move(other.born_)) { other.born_.pid = -1; }
  ~Talk() {
    if (born_.pid <= 0) return;
    ::kill(born_.pid, SIGKILL);
    ::waitpid(born_.pid, nullptr, 0);
  }

  bool send(const std::vector<Order>& orders, int descriptor = -1) {
    return born_.channel.send(encode(orders), descriptor);
  }
  std::vector<Reply> replies() {
    std::string frame;
    if (born_.channel.receive(frame, kPatient) != Got::kFrame) return {};
    return decode_replies(frame).value_or(std::vector<Reply>{});
  }
  std::vector<Reply> ask(const std::vector<Order>& orders, int descriptor = -1) {
    EXPECT_TRUE(send(orders, descriptor));
    auto all = replies();
    EXPECT_EQ(all.size(), orders.size()) << "the worker is gone";
    all.resize(orders.size());
    return all;
  }
  Reply ask(const Order& order, int descriptor = -1) {
    return ask(std::vector{order}, descriptor)[0];
  }
  std::string end() {
    int status = 0;
    std::string frame;
    EXPECT_EQ(born_.channel.receive(frame, kPatient), Got::kEnd);
    EXPECT_EQ(::waitpid(born_.pid, &status, 0), born_.pid);
    born_.pid = -1;
    if (WIFSIGNALED(status)) return name_of(Ending{.signal = WTERMSIG(status)});
    return name_of(Ending{.exit_code = WEXITSTATUS(status)});
  }
  pid_t pid() const { return born_.pid; }

 private:
  Born born_;
};

// A folder of a case, below scratch.
std::string new_folder() {
  static int number = 0;
  const auto folder = e2e::scratch() / ("case" + std::to_string(++number));
  std::filesystem::create_directory(folder);
  return folder.string();
}

Order begin(const std::string& folder) { return {.verb = Verb::kBegin, .text = folder}; }
Order make(Slot as, std::string kind, std::string text, std::string path = "") {
  return {.verb = Verb::kMake,
          .result = as,
          .text = std::move(text),
          .key = std::move(kind),
          .value = std::move(path)};
}
Order zip(Slot as, std::string mode, std::string path = "z.zip") {
  return make(as, "zip", "zarr.storage.ZipStore(path, mode=\"" + mode + "\")", std::move(path));
}
Order call(Op op, Slot on, std::string key = "", std::string value = "") {
  return {.op = op, .handle = on, .key = std::move(key), .value = std::move(value)};
}
Order by_sync(Order order) {
  order.by = By::kSync;
  return order;
}
const Order kOver{.verb = Verb::kEnd};

Answer bytes(std::string text) { return Shown{BytesValue{std::move(text)}}; }
const Answer kNone = Shown{None{}};

std::string told(const Answer& answer) {
  if (const Refusal* it = refused(answer)) return it->type + ": " + it->text + " " + it->frame;
  return "answer " + std::to_string(answer.index());
}

TEST(Worker, SaysWhoItIs) {
  const ReferenceInfo& info = zygote().subject();
  EXPECT_EQ(info.zarr, e2e::kNewest);
  EXPECT_TRUE(info.python.starts_with("3.")) << info.python;
  EXPECT_TRUE(info.containment.find(e2e::scratch().string()) != std::string::npos);
  EXPECT_TRUE(info.stores.contains("directory")) << "zarr 3 has no DirectoryStore";
  EXPECT_FALSE(info.stores.contains("zip"));
}

struct Store {
  const char *kind, *make, *path;
};
constexpr Store kStores[] = {
    {"zip", "zarr.storage.ZipStore(path, mode=\"a\")", "z.zip"},
    {"local", "zarr.storage.LocalStore(path)", "l"},
    {"memory", "zarr.storage.MemoryStore()", ""},
    {"fsspec local",
     "zarr.storage.FsspecStore.from_url(\"file://\" + os.path.abspath(path), "
     "storage_options={\"auto_mkdir\": True})",
     "f"},
    {"fsspec memory", "zarr.storage.FsspecStore.from_url(\"memory://store\")", ""},
    {"object memory", "zarr.storage.ObjectStore(obstore.store.MemoryStore())", ""},
};

TEST(Worker, StoresAnswerByHandAndBySync) {
  for (const bool loop : {false, true}) {
    Talk worker(loop);
    for (const auto& [kind, text, path] : kStores) {
      std::vector<Order> orders{begin(new_folder()),
                                make(1, kind, text, path),
                                call(Op::kSet, 1, "a", "a@1"),
                                call(Op::kGet, 1, "a"),
                                call(Op::kGet, 1, "missing"),
                                call(Op::kExists, 1, "a"),
                                call(Op::kList, 1),
                                call(Op::kListHalf, 1),
                                call(Op::kGetPartialValues, 1, "a"),
                                call(Op::kGetSize, 1, "a"),
                                call(Op::kClose, 1),
                                kOver};
      if (loop) std::ranges::transform(orders, orders.begin(), by_sync);
      const auto replies = worker.ask(orders);
      const Answer expected[] = {kNone,
                                 Answer(),
                                 kNone,
                                 bytes("a@1"),
                                 kNone,
                                 Shown{true},
                                 Shown{Names{{"a"}}},
                                 Shown{Names{{"a"}}},
                                 Shown{BytesList{{"a@1"}}},
                                 Shown{std::int64_t{3}},
                                 kNone,
                                 Shown{Names{}}};
      for (std::size_t i = 0; i < replies.size(); ++i) {
        if (i == 1)
          EXPECT_TRUE(shown(replies[1].answer)) << kind << " " << told(replies[1].answer);
        else
          EXPECT_EQ(replies[i].answer, expected[i])
              << kind << " " << i << (loop ? " sync " : " ") << told(replies[i].answer);
      }
    }
  }
}

TEST(Worker, ARefusalHasTypeTextAndFrame) {
  Talk worker;
  const std::string folder = new_folder();
  const auto replies =
      worker.ask({begin(folder), zip(1, "r", folder + "/no.zip"), call(Op::kGet, 1, "a"),
                  zip(2, "a"), call(Op::kSetBytes, 2, "a", "b"), kOver});
  const Refusal* missing = refused(replies[2].answer);
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->type, "FileNotFoundError");
  EXPECT_NE(missing->text.find("<case>/no.zip"), std::string::npos) << missing->text;
  EXPECT_TRUE(missing->frame.starts_with("zarr/storage/_zip.py:")) << missing->frame;
  const Refusal* misuse = refused(replies[4].answer);
  ASSERT_TRUE(misuse);
  EXPECT_EQ(misuse->type, "TypeError") << misuse->text;
}

TEST(Worker, StateIsEveryAttribute) {
  Talk worker;
  const std::string folder = new_folder();
  const auto replies =
      worker.ask({begin(folder),
                  zip(1, "w", folder + "/z.zip"),
                  call(Op::kState, 1),
                  {.verb = Verb::kMake,
                   .result = 2,
                   .other = 1,
                   .text = "zarr.storage.LoggingStore(inner, log_level=\"CRITICAL\")",
                   .key = "logging"},
                  call(Op::kState, 2),
                  kOver});
  const auto attributes = [&](const Answer& answer) {
    const Shown* it = shown(answer);
    return it && std::holds_alternative<Attributes>(*it)
               ? std::get<Attributes>(*it).values
               : std::vector<std::pair<std::string, std::string>>{};
  };
  const auto zip_state = attributes(replies[2].answer);
  EXPECT_EQ(std::ranges::count(zip_state, std::pair<std::string, std::string>("_zmode", "'w'")), 1)
      << told(replies[2].answer);
  EXPECT_TRUE(std::ranges::is_sorted(zip_state));
  bool path = false, inner = false;
  for (const auto& [name, text] : zip_state) path |= text.find("<case>/z.zip") != text.npos;
  for (const auto& [name, text] : attributes(replies[4].answer)) inner |= name == "_store._zmode";
  EXPECT_TRUE(path);
  EXPECT_TRUE(inner);
}

TEST(Worker, APickleTravelsToAnotherWorker) {
  Talk first, second;
  const std::string folder = new_folder();
  const auto sent = first.ask({begin(folder),
                               zip(1, "w", folder + "/z.zip"),
                               call(Op::kSet, 1, "a", "a@2"),
                               call(Op::kClose, 1),
                               {.verb = Verb::kPack, .handle = 1},
                               {.verb = Verb::kPack, .carrier = Carrier::kDask, .handle = 1},
                               {.verb = Verb::kPack, .cargo = Cargo::kTwoReferences, .handle = 1},
                               {.verb = Verb::kPack, .cargo = Cargo::kStorePath, .handle = 1}});
  EXPECT_EQ(sent[5].answer, Answer(Absent{})) << "Dask is not in that environment";
  EXPECT_TRUE(std::ranges::count(zygote().subject().carriers, "dask") == 1);
  for (const auto& [at, cargo] : {std::pair(4, Cargo::kStore), std::pair(6, Cargo::kTwoReferences),
                                  std::pair(7, Cargo::kStorePath)}) {
    const Shown* packed = shown(sent[static_cast<std::size_t>(at)].answer);
    ASSERT_TRUE(packed && std::holds_alternative<BytesValue>(*packed)) << at;
    const auto came = second.ask({begin(folder),
                                  {.verb = Verb::kUnpack,
                                   .cargo = cargo,
                                   .result = 7,
                                   .key = "zip",
                                   .value = std::get<BytesValue>(*packed).bytes},
                                  call(Op::kGet, 7, "a"),
                                  kOver});
    EXPECT_EQ(came[1].answer, Answer(Shown{NewHandle{"ZipStore"}})) << told(came[1].answer);
    EXPECT_EQ(came[2].answer, bytes("a@2")) << told(came[2].answer);
  }
}

TEST(Worker, CopiesAndArraysAreHandles) {
  Talk worker(true);
  const auto replies =
      worker.ask({begin(new_folder()),
                  make(1, "memory", "zarr.storage.MemoryStore()"),
                  {.op = Op::kCreateArray, .handle = 1, .result = 2, .key = "x"},
                  {.op = Op::kWriteBlock, .handle = 2, .start = 1, .end = 3, .value = "\x05"},
                  {.op = Op::kReadBlock, .handle = 2, .start = 0, .end = 4},
                  {.verb = Verb::kCopy, .carrier = Carrier::kDeepcopy, .handle = 1, .result = 3},
                  {.op = Op::kEqual, .handle = 1, .other = 3},
                  {.op = Op::kStorePath, .handle = 1, .result = 4, .key = "x"},
                  call(Op::kExists, 4, "zarr.json"),
                  {.verb = Verb::kDrop, .handle = 4},
                  {.verb = Verb::kDrop, .handle = 4},
                  kOver});
  EXPECT_EQ(replies[2].answer, Answer(Shown{NewHandle{"Array"}})) << told(replies[2].answer);
  EXPECT_EQ(replies[4].answer, Answer(Shown{Numbers{{0, 5, 5, 0}}})) << told(replies[4].answer);
  EXPECT_EQ(replies[5].answer, Answer(Shown{NewHandle{"MemoryStore"}})) << told(replies[5].answer);
  EXPECT_EQ(replies[6].answer, Answer(Shown{true})) << told(replies[6].answer);
  EXPECT_EQ(replies[8].answer, Answer(Shown{true})) << told(replies[8].answer);
  EXPECT_EQ(replies[9].answer, kNone);
  EXPECT_EQ(replies[10].answer, Answer(Absent{}));
}

TEST(Worker, AForkInheritsTheHandles) {
  for (const bool loop : {false, true}) {
    Talk parent(loop);
    auto ends = must(Channel::pair());
    const auto replies = parent.ask(
        {begin(new_folder()), zip(1, "w"), call(Op::kSet, 1, "a", "a@1"), {.verb = Verb::kFork}},
        ends.second.get());
    ends.second.close();
    const Shown* pid = shown(replies[3].answer);
    ASSERT_TRUE(pid && std::holds_alternative<std::int64_t>(*pid));
    const auto number = std::get<std::int64_t>(*pid);
    {
      Talk child(Born{.pid = -1, .channel = std::move(ends.first)});
      Order get = call(Op::kGet, 1, "a");
      EXPECT_EQ(child.ask(get).answer, bytes("a@1"));
      if (loop) EXPECT_EQ(child.ask(by_sync(get)).answer, bytes("a@1"));
      EXPECT_TRUE(child.send({{.verb = Verb::kQuit}}));
    }
    EXPECT_EQ(parent.ask({.verb = Verb::kWaitFor, .start = number}).answer,
              Answer(Shown{Text{"exit 0"}}));
    EXPECT_EQ(parent.ask(call(Op::kGet, 1, "a")).answer, bytes("a@1"));
  }
}

TEST(Worker, WhatAWorkerForkedOutlivesItButNotItsStarter) {
  auto ends = must(Channel::pair());
  pid_t number = -1;
  {
    Talk parent;
    const auto replies =
        parent.ask({begin(new_folder()), zip(1, "w"), {.verb = Verb::kFork}}, ends.second.get());
    ends.second.close();
    number = static_cast<pid_t>(std::get<std::int64_t>(*shown(replies[2].answer)));
  }
  Talk child(Born{.pid = number, .channel = std::move(ends.first)});
  EXPECT_EQ(child.ask(call(Op::kReadOnly, 1)).answer, Answer(Shown{false}));
  EXPECT_TRUE(child.send({{.verb = Verb::kQuit}}));
  EXPECT_EQ(child.end(), "exit 0") << "it is a child of ours now";
}

TEST(Worker, EndsAreSeen) {
  for (const auto& [verb, name] : {std::pair(Verb::kExit, "exit 0"), {Verb::kQuit, "exit 0"}}) {
    for (const bool loop : {false, true}) {
      Talk worker(loop);
      const std::string folder = new_folder();
      worker.ask({begin(folder), zip(1, "w"), call(Op::kSet, 1, "a", std::string(20'000, 'a'))});
      EXPECT_TRUE(worker.send({{.verb = verb}}));
      EXPECT_EQ(worker.end(), name);
    }
  }
  Talk killed;
  ::kill(killed.pid(), SIGKILL);
  EXPECT_EQ(killed.end(), "SIGKILL");
}

// Whether a Python expression holds in a worker, over `path`.
bool holds(Talk& worker, const std::string& expression, std::string path = "") {
  const Reply reply = worker.ask(make(
      9, "memory", "zarr.storage.MemoryStore() if " + expression + " else 0", std::move(path)));
  EXPECT_EQ(refused(reply.answer), nullptr) << told(reply.answer);
  return reply.answer == Answer(Shown{NewHandle{"MemoryStore"}});
}

// What an object leaves when it goes.
std::string last_words(const std::string& file) {
  return "type('Last', (), {'__del__': lambda _: os.mknod(path + '/" + file + "')})()";
}

// Whether a process that exits takes apart the zygote's modules as well.
bool exits_whole(Talk worker, const std::string& folder) {
  worker.ask(make(1, "memory", last_words("handle"), folder));
  EXPECT_TRUE(holds(worker, "not setattr(zarr, 'kept', " + last_words("module") + ")", folder));
  EXPECT_TRUE(
      holds(worker, "__import__('atexit').register(lambda: os.mknod(path + '/exit'))", folder));
  EXPECT_TRUE(worker.send({{.verb = Verb::kExit}}));
  EXPECT_EQ(worker.end(), "exit 0");
  EXPECT_TRUE(std::filesystem::exists(folder + "/handle"));
  EXPECT_TRUE(std::filesystem::exists(folder + "/exit"));
  return std::filesystem::exists(folder + "/module");
}

TEST(Worker, AnExitTakesApartWhatAWorkerMadeAndAllWhereItBroughtAModuleOrAThread) {
  const std::string starts_a_thread =
      "not (threading := __import__('threading')).Thread("
      "target=threading.Event().wait, daemon=True).start()";
  for (const bool early : {false, true})
    for (const std::string& brings :
         {std::string("True"), std::string("__import__('wave')"), starts_a_thread}) {
      Talk worker;
      worker.ask(begin(new_folder()));
      if (early) EXPECT_TRUE(holds(worker, brings));
      const std::string folder = new_folder();
      worker.ask({kOver, begin(folder)});
      if (!early) EXPECT_TRUE(holds(worker, brings));
      const bool whole = brings != "True" && !(early && brings == starts_a_thread);
      EXPECT_EQ(exits_whole(std::move(worker), folder), whole) << brings << early;
    }
}

std::size_t states(Talk& worker, const Store& store) {
  Order set = call(Op::kSet, 1, "a", std::string(9000, 'a')), close = call(Op::kClose, 1);
  set.watched = close.watched = true;
  const auto replies = worker.ask({begin(new_folder()), make(1, store.kind, store.make, store.path),
                                   set, close, call(Op::kGet, 1, "a"), kOver});
  EXPECT_EQ(replies[2].answer, kNone) << told(replies[2].answer);
  const auto& seen = replies[2].snapshots;
  for (std::size_t i = 1; i < seen.size(); ++i) EXPECT_NE(seen[i], seen[i - 1]);
  if (!seen.empty()) EXPECT_TRUE(seen.back().begin()->first.starts_with(store.path));
  std::size_t all = seen.size() + replies[3].snapshots.size();
  return all;
}

TEST(Worker, AWatchedCallShowsTheStatesOfTheDisk) {
  Talk worker;
  for (const Store& store : {kStores[0], kStores[1]}) {
    const std::size_t count = states(worker, store);
    EXPECT_GE(count, 2u) << store.kind;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(states(worker, store), count) << store.kind;
    Talk other;
    EXPECT_EQ(states(other, store), count) << store.kind;
  }
  Order get = call(Op::kGet, 1, "a");
  get.watched = true;
  const auto idle = worker.ask({begin(new_folder()), make(1, "memory", kStores[2].make), get});
  EXPECT_TRUE(idle[2].snapshots.empty());
}

// The same two calls, with the folder looked at before every line of Python: what facts are
// compared with. Slow, in Python, and without anything of the worker.
constexpr const char* kStatesByLine = R"(
import asyncio.events, os, sys
sys.path.insert(0, sys.argv[1])
import performing
import zarr.storage
from pathlib import Path
from zarr.core.buffer import cpu

folder = Path(sys.argv[2])
path = str(folder / sys.argv[4])
loop, states = performing.InlineLoop(), []

def look(*_):
    now = {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    if now != states[-1]:
        states.append(now)

def on_line(code, line):
    monitoring.set_events(tool, 0)  # what we run ourselves is not the subject's
    look()
    monitoring.set_events(tool, monitoring.events.LINE)

def drive(coroutine):
    asyncio.events._set_running_loop(loop)
    try:
        coroutine.send(None)
    except StopIteration:
        pass
    finally:
        asyncio.events._set_running_loop(None)

monitoring, tool = sys.monitoring, 3
monitoring.use_tool_id(tool, "states by line")
monitoring.register_callback(tool, monitoring.events.LINE, on_line)
store = eval(sys.argv[3])
states.append({})
look()
del states[1:]
for call in (lambda: drive(store.set("a", cpu.Buffer.from_bytes(b"a" * 9000))), store.close):
    monitoring.set_events(tool, monitoring.events.LINE)
    call()
    monitoring.set_events(tool, 0)
    look()
print(len(states) - 1)
)";

TEST(Worker, AWatchedCallShowsAsManyStatesAsLookingAtEveryLine) {
  Talk worker;
  for (const Store& store : {kStores[0], kStores[1]}) {
    const Finished told = must(run_to_end(
        {.arguments = {e2e::python(e2e::kNewest), "-W", "ignore", "-c", kStatesByLine,
                       reference_folder() + "/side", new_folder(), store.make, store.path}},
        e2e::kPatient));
    EXPECT_EQ(std::to_string(states(worker, store)) + "\n", told.output) << store.kind;
  }
}

TEST(Worker, HostileFramesAreAnswered) {
  Talk worker;
  ASSERT_TRUE(worker.send({}));
  EXPECT_TRUE(worker.replies().empty());
  Born born = must(zygote().bear());
  for (const std::string& frame :
       {std::string(), std::string("O\xff\xff"), std::string(500, 'x')}) {
    ASSERT_TRUE(born.channel.send(frame));
    std::string answer;
    ASSERT_EQ(born.channel.receive(answer, kPatient), Got::kFrame);
    const auto replies = decode_replies(answer);
    ASSERT_TRUE(replies && replies->size() == 1);
    EXPECT_TRUE(std::holds_alternative<Crashed>(replies->front().answer));
  }
  Talk still(std::move(born));
  EXPECT_EQ(still.ask(begin(new_folder())).answer, kNone);
}

TEST(Worker, OrdersThatNameNothingAreAbsent) {
  Talk worker;
  const auto replies = worker.ask({begin(new_folder()),
                                   call(Op::kGet, 9, "a"),
                                   {.verb = Verb::kPack, .handle = 9},
                                   {.verb = Verb::kCopy, .handle = 9, .result = 1},
                                   {.verb = Verb::kFork},
                                   {.verb = Verb::kMake, .other = 9, .text = "inner"},
                                   {.verb = Verb::kWaitFor, .start = 1}});
  for (std::size_t i = 1; i < 6; ++i) EXPECT_EQ(replies[i].answer, Answer(Absent{})) << i;
  EXPECT_EQ(replies[6].answer, Answer(Shown{Text{"lost"}}));
}

TEST(Worker, NothingIsLeftBehind) {
  Talk worker;
  const char* managed = "zarr.storage.ManagedMemoryStore(\"t\")";
  const auto first = worker.ask(
      {begin(new_folder()), make(1, "managed memory", managed), call(Op::kSet, 1, "a", "a@1"),
       zip(2, "w"), call(Op::kSet, 2, "a", "a@1"),
       make(3, "zip file", "zarr.storage.ZipStore(open(path, \"w+b\"), mode=\"w\")", "other.zip"),
       call(Op::kSet, 3, "b", "b@1"), kOver});
  EXPECT_EQ(first[7].answer, Answer(Shown{Names{}})) << "a file is still open";
  const auto second = worker.ask({begin(new_folder()), make(1, "managed memory", managed),
                                  call(Op::kList, 1), call(Op::kGet, 2, "a"), kOver});
  EXPECT_EQ(second[2].answer, Answer(Shown{Names{}}));
  EXPECT_EQ(second[3].answer, Answer(Absent{}));
}

// Python frees what holds itself only when it collects: an error of zarr's loop holds its store so.
TEST(Worker, WhatHoldsItselfIsCollectedBeforeItsFilesAreTold) {
  Talk worker;
  const char* ring = "(lambda it: it.append(it))([open(path, 'w')])";
  const auto replies = worker.ask({begin(new_folder()), make(1, "", ring, "ring"), kOver});
  EXPECT_EQ(replies[2].answer, Answer(Shown{Names{}})) << told(replies[1].answer);
}

// The thread of zarr's loop keeps what was refused on it, and with it the store, for a while.
TEST(Worker, WhatIsDroppedIsClosedThoughZarrsLoopWasUsed) {
  Talk worker;
  for (int i = 0; i < 20; ++i) {
    const auto replies = worker.ask({begin(new_folder()),
                                     zip(1, "a"),
                                     by_sync(call(Op::kSet, 1, "a/b", "a")),
                                     by_sync(call(Op::kDeleteDir, 1, "a")),
                                     {.verb = Verb::kDrop, .handle = 1},
                                     zip(2, "r"),
                                     call(Op::kGet, 2, "a/b"),
                                     kOver});
    ASSERT_TRUE(refused(replies[3].answer)) << told(replies[3].answer);
    ASSERT_EQ(replies[6].answer, bytes("a")) << "at the " << i << "th";
  }
}

// On a machine that is busy a thread of an event loop lets go late.
TEST(Worker, WhatAThreadHoldsForAWhileIsWaitedFor) {
  Talk worker;
  const char* held =
      "__import__('threading').Timer(0.05, lambda file: file.close(), [open(path, 'w')]).start()";
  const auto replies = worker.ask({begin(new_folder()), make(1, "", held, "held"), kOver});
  EXPECT_EQ(replies[2].answer, Answer(Shown{Names{}})) << told(replies[1].answer);
}

// Of what zarr writes at once, one is refused and answered; the others go on, in its loop.
TEST(Worker, WhatZarrsLoopHasBegunEndsBeforeTheCaseDoes) {
  Talk worker;
  const std::string folder = new_folder();
  const char* later =
      "(lambda asyncio, time, loop: (asyncio.run_coroutine_threadsafe(asyncio.to_thread("
      "lambda: (time.sleep(0.03), open(path, 'w').close())), loop), time.sleep(0.01)))("
      "__import__('asyncio'), __import__('time'),"
      " __import__('zarr.core.sync', fromlist=['sync'])._get_loop())";
  const auto replies = worker.ask({begin(folder), make(1, "", later, "late"), kOver});
  EXPECT_TRUE(std::filesystem::exists(folder + "/late")) << told(replies[1].answer);
}

// The same where the call itself is refused: the disk is looked at when it is answered.
TEST(Worker, WhatARefusedWriteHasBegunEndsWithIt) {
  Talk worker;
  const std::string folder = new_folder();
  const char* store =
      "type('Store', (zarr.storage.LocalStore,), {'set': lambda self, key, value, "
      "asyncio=__import__('asyncio'), time=__import__('time'): asyncio.gather("
      "asyncio.to_thread(lambda: (time.sleep(0.03), open('late', 'w').close())), "
      "asyncio.wait_for(asyncio.sleep(1), 0))})(path)";
  const auto replies = worker.ask(
      {begin(folder), make(1, "local", store, folder + "/d"), call(Op::kCreateArray, 1, "x")});
  EXPECT_TRUE(refused(replies[2].answer)) << told(replies[1].answer) << told(replies[2].answer);
  EXPECT_TRUE(std::filesystem::exists(folder + "/late")) << told(replies[2].answer);
}

TEST(Worker, AnOpenFileIsToldOnce) {
  Talk worker;
  const std::string folder = new_folder();
  const auto replies =
      worker.ask({begin(folder), make(1, "", "setattr(zarr, 'left_open', open(path, 'w'))", "left"),
                  kOver, begin(folder), kOver});
  EXPECT_EQ(replies[2].answer, Answer(Shown{Names{{"<case>/left"}}})) << told(replies[1].answer);
  EXPECT_EQ(replies[4].answer, Answer(Shown{Names{}}));
}

TEST(Worker, NothingIsWrittenOutsideScratch) {
  Talk worker;
  const test::Folder outside;
  const auto replies =
      worker.ask({begin(new_folder()), zip(1, "w", outside.path() / "z.zip"),
                  call(Op::kSet, 1, "a", "a"), make(2, "local", kStores[1].make, "l"),
                  call(Op::kSet, 2, "../../../../" + outside.path().filename().string(), "a")});
  const Refusal* refusal = refused(replies[2].answer);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->type, "PermissionError");
  EXPECT_TRUE(std::filesystem::is_empty(outside.path()));
}

std::size_t memory_of(pid_t process) {  // kibibytes
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  return 0;
}

TEST(Worker, ManyRoundTripsTakeNoMemory) {
  Talk worker;
  worker.ask({begin(new_folder()), zip(1, "a"), call(Op::kSet, 1, "a", std::string(1000, 'a'))});
  const auto round_trips = [&](int count) {
    for (int i = 0; i < count; ++i) worker.ask(call(Op::kGet, 1, "a"));
    return memory_of(worker.pid());
  };
  const std::size_t before = round_trips(1000);
  EXPECT_LE(round_trips(10'000), before + 1024);
}

TEST(Worker, LinesOfTheSubjectAreCounted) {
  const Descriptor counters = must(make_memory_file("counters", 1 << 16));
  Zygote counting = must(Zygote::start({.python = e2e::python(e2e::kNewest),
                                        .scratch = e2e::scratch().string(),
                                        .counters = counters.get()}));
  EXPECT_GT(counting.subject().lines, 500u);
  const auto counted = [&] {
    std::string bytes(1 << 16, '\0');
    EXPECT_EQ(::pread(counters.get(), bytes.data(), bytes.size(), 0), 1 << 16);
    return std::ranges::count(bytes, '\1');
  };
  Talk worker(must(counting.bear()));
  const auto idle = counted();
  const auto play = [](Talk& player) {
    player.ask({begin(new_folder()), zip(1, "w"), call(Op::kSet, 1, "a", "a"), kOver});
  };
  play(worker);
  const auto once = counted();
  EXPECT_GT(once, idle + 10);
  play(worker);
  EXPECT_EQ(counted(), once) << "a line is told once";
  ASSERT_EQ(::ftruncate(counters.get(), 0), 0);
  ASSERT_EQ(::ftruncate(counters.get(), 1 << 16), 0);
  Talk other(must(counting.bear()));
  play(other);
  EXPECT_GT(counted(), 10) << "each worker tells them";
}

TEST(Worker, LinesAreAskedOfTheSubjectAlone) {
  const Descriptor counters = must(make_memory_file("counters", 1 << 16));
  Zygote counting = must(Zygote::start({.python = e2e::python(e2e::kNewest),
                                        .scratch = e2e::scratch().string(),
                                        .counters = counters.get()}));
  Talk worker(must(counting.bear()));
  worker.ask(begin(new_folder()));
  EXPECT_TRUE(holds(worker, "__import__('sys').monitoring.get_events(1) == 0"));
  EXPECT_TRUE(holds(worker,
                    "__import__('sys').monitoring.get_local_events(1, "
                    "zarr.storage.ZipStore.get.__code__) != 0"));
  EXPECT_TRUE(holds(worker,
                    "__import__('sys').monitoring.get_local_events(1, "
                    "__import__('json').dumps.__code__) == 0"));
}

TEST(Worker, ANewWorkerImportsAndCompilesNothingForAnArchive) {
  Talk worker;
  const std::string ready =
      "(len(__import__('sys').modules), __import__('performing')._kept.cache_info().misses)";
  worker.ask(begin(new_folder()));
  EXPECT_TRUE(holds(worker, "not setattr(zarr, 'ready', " + ready + ")"));
  worker.ask({zip(1, "w"),
              call(Op::kSet, 1, "a", "a"),
              call(Op::kClose, 1),
              zip(2, "r"),
              call(Op::kGet, 2, "a"),
              call(Op::kList, 2),
              call(Op::kState, 2),
              make(3, "path", "zarr.storage.StorePath(zarr.storage.ZipStore(path))", "z.zip"),
              call(Op::kExists, 3, "a"),
              {.verb = Verb::kPack, .handle = 2}});
  EXPECT_TRUE(holds(worker, "zarr.ready == " + ready));
}

TEST(Worker, AHungWorkerTellsItsStacks) {
  StackFile stacks = must(StackFile::make());
  Zygote own = must(Zygote::start({.python = e2e::python(e2e::kNewest),
                                   .scratch = e2e::scratch().string(),
                                   .stacks = stacks.descriptor()}));
  Talk worker(must(own.bear()));
  ASSERT_TRUE(worker.send({begin(new_folder()), make(1, "zip", "__import__('time').sleep(60)")}));
  ::usleep(100'000);
  EXPECT_NE(stacks.ask(worker.pid()).find("<make>"), std::string::npos);
}

TEST(Worker, OldReleasesAnswer) {
  for (const char* release : {"2.18.7", "3.0.0"}) {
    Zygote old =
        must(Zygote::start({.python = e2e::python(release), .scratch = e2e::scratch().string()}));
    EXPECT_EQ(old.subject().zarr, release);
    Talk worker(must(old.bear()));
    const auto replies = worker.ask({begin(new_folder()), zip(1, "w"), call(Op::kOpen, 1),
                                     call(Op::kSet, 1, "a", "a@2"), call(Op::kGet, 1, "a"),
                                     call(Op::kList, 1), call(Op::kClose, 1), kOver});
    EXPECT_EQ(replies[4].answer, bytes("a@2")) << release << " " << told(replies[4].answer);
    EXPECT_EQ(replies[5].answer, Answer(Shown{Names{{"a"}}})) << release;
    EXPECT_EQ(replies[6].answer, kNone) << release << " " << told(replies[6].answer);
  }
}

TEST(Worker, APlantedLossIsThere) {
  Zygote planted = must(Zygote::start({.python = e2e::python(e2e::kNewest),
                                       .scratch = e2e::scratch().string(),
                                       .planted = "missing key raises IndexError"}));
  Talk worker(must(planted.bear()));
  const auto replies =
      worker.ask({begin(new_folder()), zip(1, "w"), call(Op::kExists, 1, "a"), kOver});
  const Refusal* refusal = refused(replies[2].answer);
  ASSERT_TRUE(refusal) << told(replies[2].answer);
  EXPECT_EQ(refusal->type, "IndexError");
}

TEST(Worker, AZygoteThatCannotStartSaysWhy) {
  const auto none =
      Zygote::start({.python = "/nowhere/python", .scratch = e2e::scratch().string()});
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("/nowhere/python"), std::string::npos)
      << none.error().message;
}

// --- what is printed and not judged, since a machine may be busy

std::vector<Order> ten_steps(const std::string& folder, const Store& store, const char* again) {
  std::vector<Order> orders{begin(folder), make(1, store.kind, store.make, store.path)};
  for (const char* key : {"a", "aa", "b", "a-b"}) orders.push_back(call(Op::kSet, 1, key, key));
  Order second = make(2, store.kind, again, store.path);
  second.other = 1;
  orders.insert(orders.end(), {call(Op::kClose, 1), second, call(Op::kList, 2)});
  for (const char* key : {"a", "aa", "b", "a-b"}) orders.push_back(call(Op::kGet, 2, key));
  orders.push_back(kOver);
  return orders;
}

// Microseconds of one of many.
double each(int count, const std::function<void()>& work) {
  const auto since = e2e::Clock::now();
  for (int i = 0; i < count; ++i) work();
  const std::chrono::duration<double, std::micro> took = e2e::Clock::now() - since;
  return took.count() / count;
}

TEST(Speed, ProgramsOfTenSteps) {
  Talk worker;
  const std::string folder = new_folder();
  const Store written{"zip", "zarr.storage.ZipStore(path, mode=\"w\")", "z.zip"};
  for (const auto& [store, again] : {std::pair(written, "zarr.storage.ZipStore(path, mode=\"r\")"),
                                     {kStores[1], kStores[1].make},
                                     {kStores[2], "inner"}}) {
    const auto orders = ten_steps(folder, store, again);
    std::vector<Reply> last;
    const double took = each(400, [&] { last = worker.ask(orders); });
    EXPECT_EQ(last[last.size() - 2].answer, bytes("a-b"));
    std::printf("%s: %.0f programs a second\n", store.kind, 1e6 / took);
  }
}

TEST(Speed, SetAndCloseWatched) {
  Talk worker;
  for (const Store& store : {kStores[0], kStores[1]}) {
    const std::string folder = new_folder();
    for (const bool watched : {false, true}) {
      Order set = call(Op::kSet, 1, "a", "a@1"), close = call(Op::kClose, 1);
      set.watched = close.watched = watched;
      const std::vector<Order> orders{begin(folder), make(1, store.kind, store.make, store.path),
                                      set, close, kOver};
      std::printf("%s, set and close%s: %.0f µs\n", store.kind, watched ? ", watched" : "",
                  each(100, [&] {
                    worker.ask(orders);
                    std::filesystem::remove_all(folder + "/" + store.path);
                  }));
    }
  }
}

TEST(Speed, BirthAndFork) {
  const std::string folder = new_folder();
  const std::vector<Order> orders{begin(folder), zip(1, "w"), call(Op::kSet, 1, "a", "a"), kOver};
  std::printf("a birth, a set, a kill: %.0f µs\n", each(40, [&] { Talk().ask(orders); }));
  Talk parent;
  parent.ask({begin(folder), zip(1, "w"), call(Op::kSet, 1, "a", "a")});
  std::printf("a fork, a get, _exit: %.0f µs\n", each(40, [&] {
                auto ends = must(Channel::pair());
                const Reply forked = parent.ask({.verb = Verb::kFork}, ends.second.get());
                ends.second.close();
                Talk child(Born{.pid = -1, .channel = std::move(ends.first)});
                child.ask(call(Op::kGet, 1, "a"));
                child.send({{.verb = Verb::kQuit}});
                parent.ask({.verb = Verb::kWaitFor,
                            .start = std::get<std::int64_t>(*shown(forked.answer))});
              }));
}

}  // namespace
}  // namespace storefuzz::program
