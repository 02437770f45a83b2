// Scripts that are run leave nothing in the temporary folder, whichever way they end.
#include "harness/findings/repro.h"

#include "harness/testing/scripts.h"
#include "harness/testing/whole_runs.h"

namespace storefuzz {
namespace {

using test::Written;

// Runs scripts in forks of an interpreter that has imported zarr, which saves its start, each with
// a temporary folder of its own; tells how each ended and what it left there.
constexpr const char* kRunEach = R"py(
import json, os, pathlib, runpy, sys, tempfile
import zarr, zarr.storage
for file in sorted(pathlib.Path("scripts").glob("*.py")):
    place = pathlib.Path("places", file.stem).absolute()
    place.mkdir(parents=True)
    if not (child := os.fork()):
        os.environ["TMPDIR"] = str(place)
        sys.argv[:] = [str(file)]
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        runpy.run_path(str(file), run_name="__main__")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps([file.stem, code, os.listdir(place)]), flush=True)
)py";

// One script for each thing that can go wrong in a journey.
std::vector<Written> sample() {
  ReproOptions options = test::three();
  options.seconds = 0.5;
  std::vector<Written> list;
  std::set<std::string> oracles;
  for (Written& written : test::write_many(400, options, 2, true)) {
    const Case value = parse_case(written.name.substr(written.name.find('{'))).value();
    const std::string kind =
        written.name.substr(0, written.name.find('-', written.name.find('-') + 1)) +
        std::string(name_of(value.transport));
    const bool ours = value.store == test::kZip || value.store == test::kLocal;
    if (ours && oracles.insert(kind).second) list.push_back(std::move(written));
  }
  return list;
}

TEST(Repro, LeavesNothingInTheTemporaryFolder) {
  const auto scripts = sample();
  EXPECT_GT(scripts.size(), 15U);
  const test::Folder folder;
  e2e::fs::create_directory(folder.path() / "scripts");
  for (std::size_t i = 0; i < scripts.size(); ++i)
    folder.write("scripts/" + std::to_string(i) + ".py", scripts[i].script);
  const auto done = e2e::must(run_to_end({.arguments = {e2e::python(e2e::kNewest), "-W", "ignore",
                                                        "-c", kRunEach},
                                          .directory = folder.path().string()},
                                         Milliseconds(150'000)));
  ASSERT_EQ(done.exit_code, 0) << done.output;
  std::istringstream lines(done.output);
  std::size_t told = 0;
  std::size_t of_use = 0;
  for (std::string line; std::getline(lines, line); ++told) {
    const Json end = Json::parse(line);
    const Written& written = scripts.at(std::stoul(end.at(0).get<std::string>()));
    EXPECT_TRUE(end.at(2).empty()) << line << "\n" << written.name << "\n" << written.script;
    of_use += end.at(1) == 0 || end.at(1) == 1;
  }
  EXPECT_EQ(told, scripts.size()) << done.output;
  EXPECT_GE(of_use, told * 3 / 4) << done.output;
}

// A hang of the script's own process, of its child, and a death: no `finally` runs where they are.
TEST(Repro, LeavesNothingWhereItsProcessHangsOrDies) {
  struct Ending {
    const char* planted;
    Transport transport;
    Disagreement told;
  };
  for (const Ending& ending :
       {Ending{"arrival never ends", Transport::kSameProcess,
               {.oracle = "deadline", .child = TimedOut{}, .side = "parent"}},
        Ending{"arrival never ends", Transport::kFork,
               {.oracle = "deadline", .child = TimedOut{}, .side = "child"}},
        Ending{"arrival kills the parent", Transport::kSameProcess,
               {.oracle = "survival", .child = Crashed{.signal = "SIGABRT"}, .side = "parent"}}}) {
    Case value = test::plain_case();
    value.transport = ending.transport;
    value.looks = {LookGroup::kState};
    normalise(value);
    ReproOptions options = test::three();
    options.seconds = 3;
    const test::Folder folder;
    e2e::fs::create_directory(folder.path() / "tmp");
    const Finding found{.told = ending.told};
    const auto file = folder.write("repro.py", write_repro(value, found, Json(), options).value());
    const auto done = e2e::must(run_to_end(
        {.arguments = {e2e::python(e2e::kNewest), file.string()},
         .environment = {{"TMPDIR", (folder.path() / "tmp").string()},
                         {"PYTHONPATH", source_folder() + "/reference/planted/site"},
                         {"STOREFUZZ_PLANTED", ending.planted}}},
        Milliseconds(60'000)));
    EXPECT_EQ(done.exit_code, 1) << done.output << test::read_file(file);
    EXPECT_TRUE(e2e::fs::is_empty(folder.path() / "tmp")) << test::read_file(file);
  }
}

}  // namespace
}  // namespace storefuzz
