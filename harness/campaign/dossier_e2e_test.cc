// A finding that needs what earlier cases left in its process: it is confirmed all the same, and a
// hang that no script shows is told.
#include "harness/campaign/dossier.h"

#include "harness/testing/whole_runs.h"

namespace storefuzz {
namespace {

// The work of this store is done by a thread of its module, which starts at the first use. A forked
// child inherits the queue and not the thread, so it waits for ever.
constexpr const char* kThreaded = R"py(import queue
import threading

import zarr.storage

jobs = queue.Queue()
workers = []


def work():
    while True:
        function, done = jobs.get()
        done.put(function())


def ask(function):
    if not workers:
        workers.append(threading.Thread(target=work, daemon=True))
        workers[0].start()
    done = queue.Queue()
    jobs.put((function, done))
    return done.get()


class ThreadedStore(zarr.storage.LocalStore):
    async def get(self, key, prototype=None, byte_range=None):
        path = self.root / key
        if not ask(path.is_file):
            return None
        return await super().get(key, prototype, byte_range)


STORE = {
    "kind": "threaded",
    "type": "ThreadedStore",
    "make": "ThreadedStore({path}{arguments})",
    "imports": ["from threaded import ThreadedStore"],
    "arguments": ["read_only"],
    "files": True,
}
)py";

// This one hangs beside the harness and nowhere else, so that no script can show it.
constexpr const char* kWaiting = R"py(import os
import sys
import time

import zarr.storage

HOME = os.getpid()


class WaitingStore(zarr.storage.LocalStore):
    async def get(self, key, prototype=None, byte_range=None):
        if os.getpid() != HOME and "side" in sys.modules:
            time.sleep(600)
        return await super().get(key, prototype, byte_range)


STORE = {
    "kind": "waiting",
    "type": "WaitingStore",
    "make": "WaitingStore({path}{arguments})",
    "imports": ["from waiting import WaitingStore"],
    "arguments": ["read_only"],
    "files": True,
}
)py";

// A cold parent that never used its store forks.
std::string forking_case(const std::string& store, const std::string& value) {
  return Json{{"store", store},
              {"archive", {{"entries", {{{"key", "a"}, {"value", value}}}}}},
              {"looks", {"reads"}},
              {"carrier", "pickle 5"},
              {"transport", "fork"}}
      .dump();
}

const Finding* hang_of(const PlayedCase& played) {
  const auto found = std::ranges::find_if(played.findings, [](const Finding& it) {
    return it.told.oracle == "deadline" && it.told.side == "child";
  });
  return found == played.findings.end() ? nullptr : &*found;
}

// This process knows the store from now on, so its file stays as long.
void know_threaded_store() {
  static const test::Folder folder;
  static const bool known = [] {
    const auto file = folder.write("threaded.py", kThreaded);
    e2e::must(use_adapter(file, e2e::python(e2e::kNewest)));
    return true;
  }();
  ASSERT_TRUE(known);
}

TEST(Dossier, OfAHangThatNeedsAnEarlierUseSaysSoAndItsScriptShowsIt) {
  know_threaded_store();
  const Case value = e2e::must(parse_case(forking_case("threaded", "x")));
  const Milliseconds deadline(1000);
  Player first = e2e::player(e2e::kNewest, {.deadline = deadline});
  ASSERT_FALSE(hang_of(e2e::play(first, value))) << "nothing has started the thread yet";
  const PlayedCase again = e2e::play(first, value);
  const Finding* hang = hang_of(again);
  ASSERT_TRUE(hang) << e2e::fingerprints(again.findings);

  Player fresh = e2e::player(e2e::kNewest, {.deadline = deadline});
  const Dossier dossier = e2e::must(make_dossier(fresh, value, *hang,
                                                 {.python = e2e::python(e2e::kNewest),
                                                  .release = e2e::kNewest,
                                                  .scratch = e2e::scratch(),
                                                  .hang_seconds = 3}));
  EXPECT_TRUE(dossier.confirmed) << dossier.why << "\n" << dossier.script << dossier.said;
  EXPECT_NE(dossier.finding.told.headline.find("in which such a store was used before"),
            std::string::npos)
      << dossier.finding.told.headline;
  EXPECT_NE(dossier.script.find("used = pickle.loads("), std::string::npos) << dossier.script;
}

// Reduction takes away the parent's own use, since its player has used such a store by then.
TEST(Dossier, OfAHangWhoseLargerCaseIsEnoughIsOfThatCase) {
  know_threaded_store();
  Case value = e2e::must(parse_case(forking_case("threaded", "x")));
  value.lifecycle = Lifecycle::kOpen;
  value.operations = {{.what = What::kGet, .entry = {.key = "a"}}};
  normalise(value);
  ASSERT_EQ(value.operations.size(), 1U);
  Player player = e2e::player(e2e::kNewest, {.deadline = Milliseconds(1000)});
  const PlayedCase played = e2e::play(player, value);
  const Finding* hang = hang_of(played);
  ASSERT_TRUE(hang) << e2e::fingerprints(played.findings);
  const Dossier dossier = e2e::must(make_dossier(player, value, *hang,
                                                 {.python = e2e::python(e2e::kNewest),
                                                  .release = e2e::kNewest,
                                                  .scratch = e2e::scratch(),
                                                  .hang_seconds = 3}));
  EXPECT_TRUE(dossier.confirmed) << dossier.why << "\n" << dossier.script << dossier.said;
  EXPECT_EQ(dossier.value.operations.size(), 1U) << to_text(dossier.value);
  EXPECT_EQ(dossier.finding.told.headline.find("used before"), std::string::npos);
}

// A run of a store in a file of its own, begun with three cases in which it hangs.
struct StoreRun {
  StoreRun(const std::string& store, const char* code) {
    files.write(store + ".py", code);
    e2e::fs::create_directory(files.path() / "cases");
    for (const char* value : {"x", "y", "z"})
      files.write(std::string("cases/") + value + ".json", forking_case(store, value));
    run.emplace("storefuzz", std::vector<std::string>{
                                 "run", "--adapter", (files.path() / (store + ".py")).string(),
                                 "--stores", store, "--corpus", (files.path() / "cases").string(),
                                 "--time", "4s", "--no-releases", "--seed", "7", "--oracles-off",
                                 e2e::oracles_but({"deadline", "attributes"}), "--carriers",
                                 "pickle 5", "--out", "out"});
    end = run->wait();
  }
  std::vector<Json> lines(const char* name) const {
    return e2e::read_lines(run->folder() / "out" / name);
  }

  test::Folder files;
  std::optional<e2e::Running> run;
  std::string end;
};

TEST(Hangs, OfAStoreWhoseThreadLivesInItsModuleAreFoundAndConfirmed) {
  const StoreRun it("threaded", kThreaded);
  EXPECT_EQ(it.end, "exit 1") << it.run->said() << it.run->complained();
  const auto found = it.lines("findings.jsonl");
  EXPECT_TRUE(std::ranges::any_of(found, [](const Json& line) {
    return line.at("oracle") == "deadline" && line.at("transport") == "fork";
  })) << it.run->said();
}

TEST(Hangs, ThatNoScriptShowsAreToldAndTheRunIsNotGreen) {
  const StoreRun it("waiting", kWaiting);
  EXPECT_EQ(it.end, "exit 3") << it.run->said() << it.run->complained();
  EXPECT_NE(it.run->said().find("times, not shown by a script"), std::string::npos)
      << it.run->said();
  EXPECT_NE(it.run->complained().find("no script shows it"), std::string::npos)
      << it.run->complained();
  EXPECT_FALSE(it.lines("unconfirmed.jsonl").empty());
}

}  // namespace
}  // namespace storefuzz
