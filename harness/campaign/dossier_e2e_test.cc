// Dossiers of real findings: reduced, confirmed by their scripts; and hangs, which are told whether
// a script shows them or not.
#include <fmt/format.h>

#include "harness/campaign/dossier.h"
#include "harness/testing/program_runs.h"

namespace storefuzz {
namespace {

DossierOptions options() {
  return {.python = e2e::python("3.0.1"),
          .release = "3.0.1",
          .scratch = e2e::scratch(),
          .hang_seconds = 3};
}

std::unique_ptr<ProgramSession> session_of(const std::string& release) {
  Settings settings;
  settings.python = e2e::python(release);
  settings.scratch = e2e::scratch() / "dossiers";
  settings.stores = "zip";
  e2e::fs::create_directories(settings.scratch);
  return e2e::must(ProgramSession::start(settings));
}

constexpr const char* kCarried =
    R"({"format":2,"before":{"z":{"entries":[{"key":"a","value":"a@0"},{"key":"b","value":"b@0"}]}},)"
    R"("processes":{"p1":"spawn"},"program":[{"make":"zip","at":"z","mode":"r","as":"s0"},)"
    R"({"make":"zip","at":"y","as":"s2"},{"carry":"pickle 2","from":"s0","to":"p1","as":"s1"},)"
    R"({"call":"state","on":["s0","s1"]}]})";

const program::Case& carried() {
  static const program::Case value = e2e::must(program::parse_case(kCarried));
  return value;
}

Finding finding_of(ProgramSession& session, const program::Case& value) {
  for (const Finding& found : findings_of(value, e2e::play(session, value).differences))
    if (found.oracle == "attributes") return found;
  ADD_FAILURE() << "no attribute differs";
  return {.value = value};
}

TEST(Dossier, OfTheLossIsReducedAndConfirmedAndToldInWholeWords) {
  const auto session = session_of("3.0.1");
  const Finding found = finding_of(*session, carried());
  Dossier dossier = e2e::must(reduce_finding(*session, found, options()));
  ASSERT_TRUE(dossier.reduced) << dossier.why;
  e2e::must(confirm_dossier(*session, dossier, options()));
  EXPECT_TRUE(dossier.confirmed) << dossier.why << "\n" << dossier.script << dossier.said;
  EXPECT_LT(dossier.value.steps.size(), carried().steps.size());
  const Json line = to_json(dossier, "3.0.1");
  EXPECT_EQ(line.at("severity"), 5) << line;
  EXPECT_EQ(line.at("journey"), true);
  EXPECT_NE(line.at("headline").get<std::string>().find("\"_read_only\""), std::string::npos)
      << line;
  EXPECT_EQ(line.at("rows").at(0), (Json{"should be", "True"})) << line;
  EXPECT_LE(std::ranges::count(dossier.script, '\n'), 40) << dossier.script;
}

TEST(Dossier, OfWhatDoesNotHappenAgainSaysSo) {
  Finding found = finding_of(*session_of("3.0.1"), carried());
  DossierOptions how = options();
  how.python = e2e::python(e2e::kNewest);
  const Dossier dossier = e2e::must(reduce_finding(*session_of(e2e::kNewest), found, how));
  EXPECT_FALSE(dossier.reduced);
  EXPECT_EQ(dossier.why, "it did not happen again when its program was played once more");
  EXPECT_EQ(to_json(dossier, e2e::kNewest).at("headline"), found.headline);
}

// A page takes each fingerprint once.
TEST(Dossier, OfAnotherKeyHasAnotherFingerprint) {
  std::set<std::string> names;
  const std::string end(200, 'x');
  for (const char* key : {"reads / get on a-b", "reads / get on a/b", "reads / get / on a b"})
    for (const std::string& tail : {std::string(), end, end + "y"})
      names.insert(not_followed({.key = key + tail}, "").fingerprint());
  EXPECT_EQ(names.size(), 9U);
  for (const std::string& name : names) EXPECT_LE(name.size(), 200U);
}

// --- hangs of a stranger's store

// A LocalStore with `before` at the top of its module, and in `get` the lines of `get`.
std::string adapter_of(const std::string& name, const std::string& before, const std::string& get) {
  return fmt::format(R"py({before}

class Strange(zarr.storage.LocalStore):
    async def get(self, key, prototype=None, byte_range=None):
{get}
        return await super().get(key, prototype, byte_range)


STORE = {{
    "kind": "{name}",
    "type": "Strange",
    "make": "Strange({{path}}{{arguments}})",
    "imports": ["from {name} import Strange"],
    "arguments": ["read_only"],
    "files": True,
}}
)py",
                     fmt::arg("name", name), fmt::arg("before", before), fmt::arg("get", get));
}

// The work of this store is done by a thread of its module, which starts at the first use. A forked
// child inherits the queue and not the thread, so it waits for ever.
std::string threaded_store() {
  return adapter_of("threaded", R"py(import queue
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
  return adapter_of("waiting", R"py(import sys
import time

import zarr.storage
)py",
                    R"py(        if "performing" in sys.modules:
            time.sleep(600))py");
}

// A run of a store in a file of its own, begun with programs in which it hangs.
struct StoreRun {
  StoreRun(const std::string& store, const std::string& code, const char* time) {
    files.write(store + ".py", code);
    e2e::fs::create_directory(files.path() / "cases");
    for (const char* key : {"a", "b", "c"})
      files.write(std::string("cases/") + key + ".json",
                  fmt::format(R"({{"format":2,"before":{{"d":{{"entries":[{{"key":"{0}","value":)"
                              R"("{0}@0"}}]}}}},"processes":{{"p1":"fork"}},"program":[)"
                              R"({{"make":"{1}","at":"d","as":"s0"}},)"
                              R"({{"call":"get","key":"{0}","on":"s0"}},{{"fork":"p1"}},)"
                              R"({{"call":"get","key":"{0}","on":"s0","in":"p1"}}]}})",
                              key, store));
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
  const StoreRun store_run("threaded", threaded_store(), "8s");
  EXPECT_EQ(store_run.end, "exit 1") << store_run.run->said() << store_run.run->complained();
  const auto found = store_run.lines("findings.jsonl");
  EXPECT_TRUE(std::ranges::any_of(found, [](const Json& line) {
    return line.at("oracle") == "deadline" && line.at("severity") == 4;
  })) << store_run.run->said();
}

TEST(Hangs, ThatNoScriptShowsAreToldAndTheRunIsNotGreen) {
  const StoreRun store_run("waiting", waiting_store(), "24s");
  EXPECT_EQ(store_run.end, "exit 3") << store_run.run->said() << store_run.run->complained();
  EXPECT_NE(store_run.run->said().find("times, not shown by a script"), std::string::npos)
      << store_run.run->said();
  EXPECT_NE(store_run.run->complained().find("no script shows it"), std::string::npos)
      << store_run.run->complained();
  EXPECT_FALSE(store_run.lines("unconfirmed.jsonl").empty());
}

}  // namespace
}  // namespace storefuzz
