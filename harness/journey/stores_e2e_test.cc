// Every store × carrier × transport that is possible arrives; every one that is not is tried once,
// and how it is refused is asserted. And a stranger's store, from a file of its own.
#include <fmt/format.h>

#include "harness/journey/generate.h"
#include "harness/testing/whole_runs.h"

namespace storefuzz {
namespace {

StoreKind store(std::string_view words) { return e2e::must(find_store(words)); }

// A store that was written and is open, where it can be written; carried as asked.
Case journey(StoreKind kind, Carrier carrier, Transport transport) {
  Case value;
  value.store = kind;
  value.archive = Archive{.entries = {{.key = "a", .value = "hello"}}};
  value.lifecycle = Lifecycle::kOpen;
  value.looks = {LookGroup::kState, LookGroup::kReads};
  value.carrier = carrier;
  value.transport = transport;
  normalise(value);
  return value;
}

// What is documented to stand in the way: a word of observations.json, or "hangs".
struct Limit {
  std::string_view store;
  bool (*applies)(const Case&);
  std::string_view shows;
};

bool packs_bytes_or_copies(const Case& value) {
  return serialises(value.carrier) || value.carrier == Carrier::kCopy ||
         value.carrier == Carrier::kDeepcopy;
}
bool packs_bytes(const Case& value) { return serialises(value.carrier); }
bool copies_deeply(const Case& value) { return value.carrier == Carrier::kDeepcopy; }
bool leaves_its_process(const Case& value) {
  return serialises(value.carrier) && !in_this_process(value.transport);
}
bool is_old_pickle(const Case& value) {
  return value.carrier == Carrier::kPickle0 || value.carrier == Carrier::kPickle1;
}
// Native threads do not survive a fork: whatever uses them there waits for ever.
bool is_forked(const Case& value) { return value.transport == Transport::kFork; }

const std::vector<Limit>& limits() {
  static const std::vector<Limit> list{
      {"zip file", packs_bytes_or_copies, R"("packed":{"answer":"refused")"},
      {"object memory", packs_bytes_or_copies, R"("packed":{"answer":"refused")"},
      {"managed memory", leaves_its_process, "cannot be shared across processes"},
      {"managed memory path", leaves_its_process, "cannot be shared across processes"},
      {"logging handler over local", packs_bytes, R"("packed":{"answer":"refused")"},
      {"logging handler over local", copies_deeply, R"("packed":{"answer":"refused")"},
      {"cache over local", is_old_pickle, "cannot be pickled"},
      {"cache bounded over local", is_old_pickle, "cannot be pickled"},
      {"icechunk", packs_bytes_or_copies, R"("packed":{"answer":"refused")"},
      {"manifest",
       [](const Case& it) {
         return it.carrier == Carrier::kPickle0 || it.carrier == Carrier::kPickle1;
       },
       "TypeError"},
      {"object local", is_forked, "hangs"},
      {"object memory", is_forked, "hangs"},
      {"icechunk", is_forked, "hangs"},
      {"icechunk fork", is_forked, "hangs"},
  };
  return list;
}

const Limit* limit_of(const Case& value) {
  for (const Limit& limit : limits())
    if (limit.store == value.store->kind && limit.applies(value)) return &limit;
  return nullptr;
}

std::vector<std::string> stores_of_zarr_3() {
  std::vector<std::string> words;
  for (const StoreKind kind : all_stores())
    if (kind->listed && !kind->served && !kind->keeps && kind->kind != "directory")
      words.push_back(kind->kind + (kind->wraps ? " over local" : ""));
  return words;
}

class Arrival : public testing::TestWithParam<std::string> {};

TEST_P(Arrival, OfTheStoreOnEveryCarrierAndTransportThatIsPossible) {
  Player& player = e2e::full_player();
  const StoreKind kind = store(GetParam());
  int arrived = 0;
  for (const Carrier carrier : all_of<Carrier>()) {
    for (const Transport transport : all_of<Transport>()) {
      const Case value = journey(kind, carrier, transport);
      // A pair that normalise turns into another one is impossible by nature: see its test.
      if (value.carrier != carrier || value.transport != transport || limit_of(value)) continue;
      const PlayedCase played = e2e::play(player, value);
      EXPECT_TRUE(played.arrived) << describe_journey(value) << "\n"
                                  << played.observations.dump(1).substr(0, 2000);
      ++arrived;
    }
  }
  EXPECT_GE(arrived, 6);
}

TEST_P(Arrival, IsRefusedWhereItIsImpossible) {
  Player& player = e2e::full_player(Milliseconds(1500));
  const StoreKind kind = store(GetParam());
  for (const Limit& limit : limits()) {
    if (limit.store != kind->kind) continue;
    bool tried = false;
    for (const Carrier carrier : all_of<Carrier>()) {
      for (const Transport transport : all_of<Transport>()) {
        const Case value = journey(kind, carrier, transport);
        const bool same = value.carrier == carrier && value.transport == transport;
        if (!same || limit_of(value) != &limit) continue;
        if (tried && limit.shows == "hangs") continue;  // once: each costs a deadline
        const PlayedCase played = e2e::play(player, value);
        const std::string seen = played.observations.dump();
        if (limit.shows == "hangs")
          EXPECT_NE(seen.find("timed out"), std::string::npos) << describe_journey(value);
        else
          EXPECT_NE(seen.find(limit.shows), std::string::npos) << describe_journey(value) << "\n"
                                                               << seen.substr(0, 2000);
        EXPECT_FALSE(played.arrived) << describe_journey(value);
        tried = true;
      }
    }
    EXPECT_TRUE(tried) << limit.shows << " has no case any more";
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, Arrival, testing::ValuesIn(stores_of_zarr_3()),
                         [](const auto& info) { return e2e::test_name(info.param); });

TEST(Arrival2, OfTheStoresOfZarr2) {
  Player& player = e2e::shared_player("2.18.7");
  for (const char* words : {"zip", "directory"}) {
    for (const Carrier carrier : all_of<Carrier>()) {
      if (carrier == Carrier::kDask) continue;  // Dask is not in that environment
      for (const Transport transport : all_of<Transport>()) {
        Case value = journey(store(words), carrier, transport);
        if (value.carrier != carrier || value.transport != transport) continue;
        EXPECT_TRUE(e2e::play(player, value).arrived) << words << " " << describe_journey(value);
      }
    }
  }
}

TEST(Pools, CarryAStoreAsTheirUsersDo) {
  Player& player = e2e::full_player();
  for (const Pool pool : all_of<Pool>()) {
    for (const Transport transport :
         {Transport::kSpawn, Transport::kForkserver, Transport::kFork}) {
      Case value = journey(store("local"), Carrier::kPickle5, transport);
      value.pool = pool;
      normalise(value);
      const PlayedCase played = e2e::play(player, value);
      EXPECT_TRUE(played.arrived) << describe_journey(value) << "\n"
                                  << played.observations.dump(1).substr(0, 1500);
      EXPECT_TRUE(played.findings.empty()) << e2e::fingerprints(played.findings);
    }
  }
}

// --- third parties

TEST(ThirdParty, ReleasesOfItAreATable) {
  test::Folder folder;
  folder.write("case.json", R"({"store":"icechunk","looks":["state"],"carrier":"copy"})");
  e2e::Running run("storefuzz", {"releases", (folder.path() / "case.json").string(), "--package",
                                 "icechunk", "2.3.0", "--zarr", e2e::kNewest});
  EXPECT_EQ(run.wait(), "exit 0") << run.complained();
  EXPECT_NE(run.said().find("  2.3.0    good"), std::string::npos) << run.said();
}

TEST(ThirdParty, WordsThatNameNothingAreOneSentenceAndExit2) {
  for (const auto& [option, word, told] :
       {std::tuple{"--with", "no-such-package-of-zarr", "no-such-package-of-zarr"},
        std::tuple{"--stores", "zip,nothing", "there is no store \"nothing\""},
        std::tuple{"--carriers", "pigeon", "there is no carrier \"pigeon\""}}) {
    e2e::Running run("storefuzz", {"run", option, word});
    EXPECT_EQ(run.wait(), "exit 2") << word;
    EXPECT_NE(run.complained().find(told), std::string::npos) << run.complained();
  }
}

// --- a stranger's store

constexpr const char* kForgetful = R"py(import zarr.storage


class ForgetfulStore(zarr.storage.LocalStore):
    """Comes out of a pickle writable, whatever it was."""

    def __setstate__(self, state):
        self.__dict__ = state | {"_read_only": False}


STORE = {
    "kind": "forgetful",
    "type": "ForgetfulStore",
    "make": "ForgetfulStore({path}{arguments})",
    "imports": ["from forgetful import ForgetfulStore"],
    "arguments": ["read_only"],
    "files": True,
}
)py";

TEST(Adapter, OfAStrangerIsFuzzedAndItsScriptRuns) {
  test::Folder folder;
  folder.write("forgetful.py", kForgetful);
  const auto file = (folder.path() / "forgetful.py").string();
  e2e::Running run("storefuzz", {"run", "--adapter", file, "--stores", "forgetful", "--time", "8s",
                                 "--no-releases", "--seed", "3", "--out", "run"});
  EXPECT_EQ(run.wait(), "exit 1") << run.complained();
  bool found = false;
  for (const Json& line : e2e::read_lines(run.folder() / "run/findings.jsonl")) {
    if (!line.value("fingerprint", "").starts_with("forgetful-attributes-_read_only-changed"))
      continue;
    found = true;
    const auto script =
        run.folder() / "run/findings" / line["fingerprint"].get<std::string>() / "repro.py";
    const auto done = e2e::must(run_to_end(
        {.arguments = {e2e::python(e2e::kNewest), script.string()}}, Milliseconds(60'000)));
    EXPECT_EQ(done.exit_code, 1) << done.output;
  }
  EXPECT_TRUE(found) << run.said();
}

TEST(Adapter, ThatIsNoneIsOneSentenceAndExit2) {
  test::Folder folder;
  folder.write("empty.py", "x = 1\n");
  folder.write("odd.py", "STORE = {'kind': 'odd', 'type': 'Odd', 'make': 'Odd()', 'color': 1}\n");
  folder.write("raises.py", "STORE = {'kind': 'odd', 'type': 'Odd', 'make': 'len(str(1 / 0))'}\n");
  folder.write("typo.py", "STORE = {'kind': 'odd', 'type': 'Odd', 'make': 'dict({argumnts})'}\n");
  folder.write("taken.py", "STORE = {'kind': 'zip', 'type': 'Odd', 'make': 'Odd()'}\n");
  for (const auto& [name, told] :
       {std::pair{"empty.py", "gives no STORE"}, std::pair{"odd.py", "unknown member \"color\""},
        std::pair{"taken.py", "there is a store \"zip\" already"},
        std::pair{"nothing.py", "there is no adapter at"}}) {
    e2e::Running run("storefuzz", {"run", "--adapter", (folder.path() / name).string(), "--stores",
                                   "odd", "--time", "2s", "--no-releases"});
    EXPECT_EQ(run.wait(), "exit 2") << name;
    EXPECT_NE(run.complained().find(told), std::string::npos) << run.complained();
  }
}

}  // namespace
}  // namespace storefuzz
