// A finding that needs what earlier cases left in its process: it is confirmed all the same, and a
// hang that no script shows is told.
#include "harness/campaign/dossier.h"

#include "harness/testing/whole_runs.h"

namespace storefuzz {
namespace {

// The module of an adapter: what its class needs, the class over LocalStore, what storefuzz reads.
std::string adapter_of(const std::string& name, const std::string& type, const std::string& before,
                       const std::string& get) {
  return fmt::format(R"py({before}

class {type}(zarr.storage.LocalStore):
    async def get(self, key, prototype=None, byte_range=None):
{get}
        return await super().get(key, prototype, byte_range)


STORE = {{
    "kind": "{name}",
    "type": "{type}",
    "make": "{type}({{path}}{{arguments}})",
    "imports": ["from {name} import {type}"],
    "arguments": ["read_only"],
    "files": True,
}}
)py",
                     fmt::arg("name", name), fmt::arg("type", type), fmt::arg("before", before),
                     fmt::arg("get", get));
}

// The work of this store is done by a thread of its module, which starts at the first use. A forked
// child inherits the queue and not the thread, so it waits for ever.
std::string threaded_store() {
  return adapter_of("threaded", "ThreadedStore", R"py(import queue
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
)py",
                    R"py(        path = self.root / key
        if not ask(path.is_file):
            return None)py");
}

// This one hangs beside the harness and nowhere else, so that no script can show it.
std::string waiting_store() {
  return adapter_of("waiting", "WaitingStore", R"py(import os
import sys
import time

import zarr.storage

HOME = os.getpid()
)py",
                    R"py(        if os.getpid() != HOME and "side" in sys.modules:
            time.sleep(600))py");
}

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
    const auto file = folder.write("threaded.py", threaded_store());
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
  StoreRun(const std::string& store, const std::string& code, const char* time) {
    files.write(store + ".py", code);
    e2e::fs::create_directory(files.path() / "cases");
    for (const char* value : {"x", "y", "z"})
      files.write(std::string("cases/") + value + ".json", forking_case(store, value));
    run.emplace("storefuzz", std::vector<std::string>{
                                 "run", "--adapter", (files.path() / (store + ".py")).string(),
                                 "--stores", store, "--corpus", (files.path() / "cases").string(),
                                 "--time", time, "--no-releases", "--seed", "7", "--oracles-off",
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
  const StoreRun store_run("threaded", threaded_store(), "4s");
  EXPECT_EQ(store_run.end, "exit 1") << store_run.run->said() << store_run.run->complained();
  const auto found = store_run.lines("findings.jsonl");
  EXPECT_TRUE(std::ranges::any_of(found, [](const Json& line) {
    return line.at("oracle") == "deadline" && line.at("transport") == "fork";
  })) << store_run.run->said();
}

TEST(Hangs, ThatNoScriptShowsAreToldAndTheRunIsNotGreen) {
  // Long enough for a second hang: after the first, three of four such cases are passed over.
  const StoreRun store_run("waiting", waiting_store(), "12s");
  EXPECT_EQ(store_run.end, "exit 3") << store_run.run->said() << store_run.run->complained();
  EXPECT_NE(store_run.run->said().find("times, not shown by a script"), std::string::npos)
      << store_run.run->said();
  EXPECT_NE(store_run.run->complained().find("no script shows it"), std::string::npos)
      << store_run.run->complained();
  EXPECT_FALSE(store_run.lines("unconfirmed.jsonl").empty());
}

}  // namespace
}  // namespace storefuzz
