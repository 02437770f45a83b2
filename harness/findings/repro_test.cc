// Whatever was found, its script is short Python that names nothing it has not defined. Whether a
// script confirms its finding is for the tests of whole runs.
#include "harness/findings/repro.h"

#include <gtest/gtest.h>

#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/campaign/subject.h"
#include "harness/process/process.h"
#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

using test::look_at;
using test::refusal;

constexpr std::size_t kMaxLines = 40;

// The stacks of a side that hangs while it receives the store, or in one of its looks.
std::string hang_in(const Observations& it, std::mt19937& random) {
  const std::size_t index = random() % (it.plan.size() + 1);
  const std::string frame = index == it.plan.size()
                                ? "File \"side.py\", line 1 in receive"
                                : "File \"<look " + it.plan[index].name + ">\", line 1 in <lambda>";
  return "Current thread 0x1 (most recent call first):\n  File \"zarr/core/sync.py\", line 9 in "
         "f\n  " +
         frame + "\n";
}

// One way in which a journey goes wrong, put into what a sound world shows.
const std::vector<std::function<void(Observations&, std::mt19937&)>>& mishaps() {
  static const std::vector<std::function<void(Observations&, std::mt19937&)>> list{
      [](Observations& it, std::mt19937&) {
        if (it.child.state) it.child.state->erase(it.child.state->begin());
      },
      [](Observations& it, std::mt19937&) {
        if (!it.child.state) return;
        for (auto& [name, answer] : *it.child.state)
          if (name.ends_with("path") || name.ends_with("root"))
            answer = Shown{{{"path", "<case>/other"}}};
      },
      [](Observations& it, std::mt19937&) {
        if (!it.state_packed.empty()) it.state_packed.erase(std::prev(it.state_packed.end()));
      },
      [](Observations& it, std::mt19937&) {
        for (auto& [question, answer] : it.child.equality) answer = Shown{7};
      },
      [](Observations& it, std::mt19937&) { it.packed = refusal("AttributeError", "_lock"); },
      [](Observations& it, std::mt19937&) { it.packed = refusal("TypeError"); },
      [](Observations& it, std::mt19937&) {
        if (shown(it.child.same_object)) it.child.same_object = Shown{false};
      },
      [](Observations& it, std::mt19937&) {
        if (!it.returned.looks.empty()) it.returned = {.died = Crashed{"SIGSEGV", ""}};
      },
      [](Observations& it, std::mt19937& random) {
        if (it.twin.looks.empty()) return;
        for (int i = 0; i < 4; ++i)
          it.twin.looks[random() % it.twin.looks.size()] = refusal("ValueError");
      },
      [](Observations& it, std::mt19937&) {
        for (Reading& reading : it.readings) reading.reply["keys"] = Json::object();
        for (Reading& reading : it.readings) reading.reply["opened"] = {"refused", "X", "x"};
      },
      [](Observations& it, std::mt19937&) { it.child.received = refusal("FileExistsError"); },
      [](Observations& it, std::mt19937&) {
        it.child.sent_back = refusal("AttributeError", "_zf");
      },
      [](Observations& it, std::mt19937&) { it.child.left = refusal("AttributeError", "_lock"); },
      [](Observations& it, std::mt19937&) { it.parent.left = refusal("IndexError"); },
      [](Observations& it, std::mt19937&) { it.child = {.died = Crashed{"SIGSEGV", ""}}; },
      [](Observations& it, std::mt19937& random) {
        it.child = {.died = TimedOut{hang_in(it, random)}};
      },
      [](Observations& it, std::mt19937& random) {
        it.parent.died = TimedOut{hang_in(it, random)};
      },
      [](Observations& it, std::mt19937&) { it.strange_files = {"store.zip.partial"}; },
      [](Observations& it, std::mt19937&) { it.parent.descriptors = {"<case>/store.zip"}; },
      [](Observations& it, std::mt19937&) { it.child.descriptors = {"<case>/store.zip"}; },
      [](Observations& it, std::mt19937&) { it.archive_end.clear(); },
      [](Observations& it, std::mt19937&) { it.mark_packed.files["store.zip"] = {22, 1}; },
      [](Observations& it, std::mt19937&) {
        it.child.mark_after_receiving.files["store.zip"] = {22, 1};
        it.child.mark_after_receiving.entries.emplace();
      },
      [](Observations& it, std::mt19937&) {
        it.child.mark_after_leaving.files["store.zip"] = {22, 1};
      },
      [](Observations& it, std::mt19937&) {
        if (shown(it.returned.array)) it.returned.array = refusal("ValueError");
      },
      [](Observations& it, std::mt19937&) {
        if (it.returned.state) it.returned.state->clear();
      },
      [](Observations& it, std::mt19937& random) {
        if (!it.operations.empty())
          it.operations[random() % it.operations.size()] = refusal("IndexError");
      },
      [](Observations& it, std::mt19937& random) {
        for (View* view : {&it.child, &it.returned, &it.parent})
          if (!view->looks.empty() && random() % 2 == 0)
            view->looks[random() % view->looks.size()] = refusal("IndexError");
      },
      [](Observations& it, std::mt19937& random) {
        if (it.child.looks.empty()) return;
        const std::size_t index = random() % it.child.looks.size();
        Shown* answer = std::get_if<Shown>(&it.child.looks[index]);
        if (answer && answer->value.is_array())
          answer->value.push_back("a"), answer->value.push_back("a");
        else if (it.plan[index].name.starts_with("get"))
          it.child.looks[index] = Shown{Json{{"bytes", "\u00e9'\"\\\n"}}};
      },
      [](Observations& it, std::mt19937&) {
        for (std::size_t i = 0; i < it.child.looks.size(); ++i)
          if (it.plan[i].name == "try set") it.child.looks[i] = Shown{nullptr};
      },
      [](Observations& it, std::mt19937&) {
        for (View* view : {&it.child, &it.parent})
          for (std::size_t i = 0; i < view->looks.size(); ++i)
            if (it.plan[i].name == "get")
              view->looks[i] = Shown{shown_bytes(std::string(100, 'y'))};
      },
  };
  return list;
}

void keep_one(Case& value, std::mt19937& random) {
  const auto kept = random() % 6;
  if (kept != 0) value.twice = false;
  if (kept != 1) value.cargo = Cargo::kStore;
  if (kept != 2) value.meanwhile = Meanwhile::kIdle;
  if (kept != 3) value.surroundings = Surroundings::kSame;
  if (kept != 4) value.comes_back = ComesBack::kNothing;
  if (kept != 5) value.twin = false;
  if (value.looks.size() > 2) value.looks.resize(2);
}

struct Written {
  std::string name;  // the fingerprint and the case it is about
  std::string script;
};

// Scripts for many findings of many cases, each finding as the line would tell it.
// `shrunk`: what a finding that was shrunk has left, one thing around its journey at most.
std::vector<Written> write_many(unsigned seeds, const ReproOptions& options, std::size_t operations,
                                bool shrunk = false) {
  std::vector<Written> all;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    std::mt19937 random(seed);
    static const Stores of_zarr_2 = parse_stores("zip,directory").value();
    const bool old = options.release.starts_with("2.");
    Case value = test::random_case(seed, old ? of_zarr_2 : test::every_store());
    if (shrunk) keep_one(value, random);
    if (old) value.twin = false;  // side.py asks no twin of zarr 2
    // A shrunk case has no more than this.
    if (value.operations.size() > operations) value.operations.resize(operations);
    if (value.archive && value.archive->entries.size() > 2) value.archive->entries.resize(2);
    normalise(value);
    Observations seen = test::sound_observations(value);
    mishaps()[seed % mishaps().size()](seen, random);
    for (const Finding& found : judge(value, seen, {}, options.release).findings) {
      const auto script = write_repro(value, found, to_json(seen), options);
      if (!script) {
        ADD_FAILURE() << script.error().message;
        continue;
      }
      all.push_back({found.fingerprint + " of " + to_text(value), *script});
    }
  }
  return all;
}

const ReproOptions& three() {
  static const ReproOptions options{.release = "3.4.2",
                                    .seconds = 5,
                                    .vocabulary = source_folder() + "/reference/vocabulary.json"};
  return options;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

// The number of scripts is no small matter: Python and ruff look at all of them in one go.
std::string complaints_of(const std::vector<Written>& scripts,
                          const std::vector<std::string>& tool) {
  const test::Folder folder;
  for (std::size_t i = 0; i < scripts.size(); ++i)
    folder.write(std::to_string(i) + ".py", scripts[i].script);
  Command command{.arguments = tool, .directory = folder.path()};
  command.arguments.insert(command.arguments.begin(), tools_python());
  auto finished = run_to_end(command, Milliseconds(120'000));
  if (!finished) return finished.error().message;
  if (finished->exit_code == 0) return "";
  std::string told = finished->output.substr(0, 2000);
  const std::size_t number = static_cast<std::size_t>(std::atoi(told.c_str()));
  if (number < scripts.size()) told += "\n" + scripts[number].name + "\n" + scripts[number].script;
  return told;
}

const std::vector<std::string> kCompile{
    "-W", "error", "-c",
    "import pathlib, sys\n"
    "for file in sorted(pathlib.Path('.').glob('*.py'), key=lambda it: int(it.stem)):\n"
    "    try:\n"
    "        compile(file.read_bytes(), str(file), 'exec')\n"
    "    except SyntaxError as error:\n"
    "        sys.exit(f'{file.stem}: {error}')\n"};

TEST(Repro, EveryKindOfFindingHasAScript) {
  std::set<std::string> oracles_told;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    const Case value = test::random_case(seed);
    Observations seen = test::sound_observations(value);
    mishaps()[seed % mishaps().size()](seen, random);
    for (const Finding& found : judge(value, seen, {}, "3.4.2").findings)
      oracles_told.insert(found.told.oracle);
  }
  for (const Oracle& oracle : oracles())
    EXPECT_TRUE(oracles_told.contains(std::string(oracle.name)))
        << "these tests do not reach the oracle " << oracle.name;
}

TEST(Repro, IsPython) {
  const auto scripts = write_many(2000, three(), 16);
  EXPECT_GT(scripts.size(), 800);
  EXPECT_EQ(complaints_of(scripts, kCompile), "");
}

TEST(Repro, IsPythonForZarr2) {
  ReproOptions options = three();
  options.release = "2.18.7";
  EXPECT_EQ(complaints_of(write_many(1000, options, 16), kCompile), "");
}

TEST(Repro, IsPythonWhenItIsThorough) {
  ReproOptions options = three();
  options.thorough = true;
  EXPECT_EQ(complaints_of(write_many(1000, options, 16), kCompile), "");
}

// A name that is misspelled or not imported would be exit code 2 where the finding should be told.
TEST(Repro, NamesNothingThatItDoesNotDefine) {
  EXPECT_EQ(complaints_of(write_many(2000, three(), 16),
                          {"-m", "ruff", "check", "--isolated", "--no-cache", "--select",
                           "F821,F811,E9", "--output-format", "concise", "."}),
            "");
}

TEST(Repro, ImportsNothingThatItDoesNotUse) {
  EXPECT_EQ(complaints_of(write_many(500, three(), 1),
                          {"-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F401",
                           "--output-format", "concise", "."}),
            "");
}

TEST(Repro, ImportsForZarr2OnlyWhatZarr2Has) {
  ReproOptions options = three();
  options.release = "2.18.7";
  for (const Written& it : write_many(500, options, 16))
    for (const char* module : {"zarr.core.buffer", "zarr.core.sync", "zarr.abc"})
      ASSERT_EQ(it.script.find(module), std::string::npos) << it.name << "\n" << it.script;
}

TEST(Repro, OfAShrunkCaseHasAtMostFortyLines) {
  std::size_t longest = 0;
  std::size_t too_long = 0;
  Written worst;
  const auto scripts = write_many(2000, three(), 1, true);
  for (const Written& it : scripts) {
    const std::size_t lines = lines_of(it.script);
    too_long += lines > kMaxLines;
    if (lines > longest) worst = it;
    longest = std::max(longest, lines);
  }
  EXPECT_LE(longest, kMaxLines) << too_long << " of " << scripts.size() << " are too long, e.g. "
                                << worst.name << "\n"
                                << worst.script;
}

// What a child read moves the file for its parent's later questions, not for each of them.
TEST(Repro, OfAnInheritedStoreAsksInTheEndWhatTheParentAskedBefore) {
  Case value = test::plain_case();
  value.carrier = Carrier::kInherited;
  value.transport = Transport::kFork;
  value.looks = {LookGroup::kReads};
  normalise(value);
  const Observations seen = test::sound_observations(value);
  const auto look = std::ranges::find(seen.plan, "getsize", &Look::name);
  ASSERT_NE(look, seen.plan.end());
  const Finding found{.told = {.oracle = "reads",
                               .field = "getsize",
                               .child = Refused{.type = "BadZipFile"},
                               .side = "parent",
                               .look = static_cast<int>(look - seen.plan.begin())}};
  ReproOptions options = three();
  for (const bool thorough : {false, true}) {
    options.thorough = thorough;
    const std::string script = write_repro(value, found, to_json(seen), options).value();
    const std::string afterwards = script.substr(script.find("pool.submit("));
    EXPECT_NE(afterwards.find("store.getsize("), std::string::npos) << script;
    EXPECT_EQ(afterwards.find("store.get(") != std::string::npos, thorough) << script;
  }
}

// A finding that came with a file may name a look that its case has not.
TEST(Repro, OfALookThatIsNotThereAsksSomethingElse) {
  const Case value = test::plain_case();
  const Json seen = to_json(test::sound_observations(value));
  for (const int look : {4096, 1 << 30}) {
    const Finding found{
        .told = {.oracle = "reads", .field = "path", .side = "child", .look = look}};
    EXPECT_NE(write_repro(value, found, seen, three())->find("store.path"), std::string::npos);
  }
}

// `uv run` installs what stands in the header, and no more.
TEST(Repro, NamesEveryPackageThatItsStoreNeeds) {
  const std::pair<const char*, std::vector<const char*>> all[] = {
      {"local", {}},
      {"fsspec memory", {"fsspec"}},
      {"logging over fsspec local", {"fsspec"}},
      {"object local", {"obstore"}},
      {"icechunk", {"icechunk"}},
      {"manifest", {"obstore", "obspec_utils", "virtualizarr"}},
  };
  for (const auto& [word, packages] : all) {
    Case value{.store = test::store(word), .looks = {LookGroup::kState}};
    normalise(value);
    Observations seen = test::sound_observations(value);
    seen.packed = refusal("TypeError");
    const auto findings = judge(value, seen, {}, "3.4.2").findings;
    ASSERT_FALSE(findings.empty()) << word;
    const std::string script = *write_repro(value, findings[0], to_json(seen), three());
    const std::string header = script.substr(0, script.find("# ///\n", 6));
    for (const char* package : packages)
      EXPECT_NE(header.find("\"" + std::string(package) + "\""), header.npos) << header;
    EXPECT_EQ(std::ranges::count(header, '"'), 4 + 2 * static_cast<long>(packages.size()))
        << header;
  }
}

TEST(Repro, SaysItsSentenceNamesItsReleaseAndNothingOfOurs) {
  for (const Written& it : write_many(300, three(), 1)) {
    EXPECT_TRUE(it.script.starts_with("# /// script\n")) << it.script;
    EXPECT_NE(it.script.find("zarr==3.4.2"), std::string::npos);
    EXPECT_NE(it.script.find("DEFECT:"), std::string::npos);
    EXPECT_NE(it.script.find("gone"), std::string::npos);
    EXPECT_EQ(it.script.find("storefuzz"), std::string::npos) << it.script;
  }
}

// What is missing is one finding wherever it shows; the script asks where it did show.
TEST(Repro, AsksTheStepThatFailedAndForWhatWasMissing) {
  const Case value = test::plain_case();
  Observations seen = test::sound_observations(value);
  seen.child.left = refusal("AttributeError", "_handle");
  const auto findings = judge(value, seen, {}, "3.4.2").findings;
  const auto found = std::ranges::find(findings, "zip-refusal-_handle-missing-before-opening",
                                       &Finding::fingerprint);
  ASSERT_NE(found, findings.end());
  // As it comes from a fuzz process: through JSON.
  const auto again = finding_from_json(to_json(*found));
  ASSERT_TRUE(again.has_value());
  const auto script = write_repro(value, *again, to_json(seen), three());
  ASSERT_TRUE(script.has_value());
  EXPECT_NE(script->find("answer(lambda: store.close())"), std::string::npos) << *script;
  EXPECT_NE(script->find("\"'_handle'\" in away"), std::string::npos) << *script;
}

TEST(Repro, AHostileKeyStaysText) {
  const std::string key =
      "a\"); import os; os.system(\"echo pwned\"); (\"\\\n'''\u2028{key}{value}%s";
  Case value = test::plain_case();
  value.archive->entries = {{.key = key, .value = key}};
  normalise(value);
  Observations seen = test::sound_observations(value);
  for (Answer& answer : seen.child.looks) answer = refusal("IndexError");
  std::vector<Written> scripts;
  for (const Finding& found : judge(value, seen, {}, "3.4.2").findings)
    scripts.push_back({found.fingerprint, *write_repro(value, found, to_json(seen), three())});
  ASSERT_FALSE(scripts.empty());
  // No call of os.system stands outside a string.
  EXPECT_EQ(complaints_of(scripts, {"-c",
                                    "import ast, pathlib, sys\n"
                                    "for file in pathlib.Path('.').glob('*.py'):\n"
                                    "    for node in ast.walk(ast.parse(file.read_text())):\n"
                                    "        if getattr(node, 'attr', '') == 'system':\n"
                                    "            sys.exit(f'{file.stem}: a key became code')\n"}),
            "");
}

TEST(Repro, WithoutItsVocabularyIsAFailureOfTheMachine) {
  ReproOptions options = three();
  options.vocabulary = "/no/such/file";
  const auto script = write_repro(test::plain_case(), {}, Json::object(), options);
  ASSERT_FALSE(script.has_value());
  EXPECT_EQ(script.error().code, ExitCode::kMachine);
}

}  // namespace
}  // namespace storefuzz
