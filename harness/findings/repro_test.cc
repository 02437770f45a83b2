// Whatever was found, its script is short Python that names nothing it has not defined. Whether a
// script confirms its finding is for the tests of whole runs.
#include "harness/findings/repro.h"

#include <gtest/gtest.h>

#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/campaign/subject.h"
#include "harness/process/process.h"
#include "harness/testing/scripts.h"
#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

using test::mishaps;
using test::refusal;
using test::three;
using test::write_many;
using test::Written;

constexpr std::size_t kMaxLines = 40;
constexpr std::size_t kMaxWidth = 120;

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

std::size_t width_of(std::string_view script) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < script.size();) {
    const std::size_t end = std::min(script.find('\n', at), script.size());
    width = std::max(width, end - at);
    at = end + 1;
  }
  return width;
}

// With every way to write it: this one also has what a hang needs of its process.
TEST(Repro, HasNoLongLineHoweverItIsWritten) {
  ReproOptions options = three();
  options.published = false;
  std::vector<Written> scripts;
  for (const bool used_before : {false, true})
    for (const bool thorough : {false, true}) {
      options.used_before = used_before;
      options.thorough = thorough;
      for (Written& it : write_many(400, options, 16)) scripts.push_back(std::move(it));
    }
  EXPECT_GT(scripts.size(), 600);
  EXPECT_EQ(complaints_of(scripts, kCompile), "");
  std::size_t too_wide = 0;
  const Written* worst = &scripts.front();
  for (const Written& written : scripts) {
    too_wide += width_of(written.script) > kMaxWidth;
    if (width_of(written.script) > width_of(worst->script)) worst = &written;
  }
  EXPECT_EQ(too_wide, 0U) << "of " << scripts.size() << ", e.g. " << worst->name << "\n"
                          << worst->script;
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
  for (const Written& written : write_many(500, options, 16)) {
    for (const char* module : {"zarr.core.buffer", "zarr.core.sync", "zarr.abc"})
      ASSERT_EQ(written.script.find(module), std::string::npos) << written.name << "\n"
                                                                << written.script;
    ASSERT_NE(written.script.find("\"zarr==2.18.7\", \"numcodecs<0.16\""), std::string::npos)
        << written.script;
  }
}

TEST(Repro, OfAShrunkCaseHasAtMostFortyLines) {
  std::size_t longest = 0;
  std::size_t too_long = 0;
  Written worst;
  ReproOptions options = three();
  options.packages = {{"fsspec", "2026.9.0"}, {"obstore", "0.12.1"}, {"virtualizarr", "2.8.0"}};
  const auto scripts = write_many(2000, options, 1, true);
  for (const Written& written : scripts) {
    const std::size_t lines = lines_of(written.script);
    too_long += lines > kMaxLines;
    if (lines > longest) worst = written;
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

// The script of a finding of this store: its pickle is refused.
std::string script_of(StoreKind store, const ReproOptions& options) {
  Case value{.store = store, .looks = {LookGroup::kState}};
  normalise(value);
  Observations seen = test::sound_observations(value);
  seen.packed = refusal("TypeError");
  const auto findings = judge(value, seen, {}, "3.4.2").findings;
  return findings.empty() ? "" : write_repro(value, findings[0], to_json(seen), options).value();
}

std::string header_of(const std::string& script) {
  return script.substr(0, script.find("# ///\n", 6));
}

// `uv run` installs what stands in the header, and no more. What obspec_utils is comes with
// virtualizarr, which needs it.
TEST(Repro, NamesEveryPackageThatItsStoreNeedsWithItsVersion) {
  ReproOptions options = three();
  options.packages = {{"fsspec", "2026.9.0"},
                      {"obstore", "0.12.1"},
                      {"icechunk", "2.3.0"},
                      {"virtualizarr", "2.8.0"},
                      {"cloudpickle", "3.1.2"},
                      {"mine", "1.0"}};
  const std::pair<const char*, std::vector<const char*>> all[] = {
      {"local", {}},
      {"fsspec memory", {"fsspec==2026.9.0"}},
      {"logging over fsspec local", {"fsspec==2026.9.0"}},
      {"object local", {"obstore==0.12.1"}},
      {"icechunk", {"icechunk==2.3.0"}},
      {"manifest", {"obstore==0.12.1", "virtualizarr==2.8.0"}},
  };
  for (const auto& [word, packages] : all) {
    const std::string header = header_of(script_of(test::store(word), options));
    for (const char* package : packages)
      EXPECT_NE(header.find("\"" + std::string(package) + "\""), header.npos) << header;
    EXPECT_EQ(std::ranges::count(header, '"'), 4 + 2 * static_cast<long>(packages.size()))
        << header;
  }
}

// What the file of an adapter imports, its user named with --with.
TEST(Repro, OfAnAdapterInAFileNamesWhatItsUserNamed) {
  ReproOptions options = three();
  options.packages = {{"fsspec", "2026.9.0"}, {"mine", "1.0"}};
  ASSERT_TRUE(add_adapters(Json::array({{{"kind", "in a file"},
                                         {"type", "Mine"},
                                         {"make", "Mine({path})"},
                                         {"file", "/adapters/mine.py"},
                                         {"listed", false}}})));
  const std::string header = header_of(script_of(test::store("in a file"), options));
  EXPECT_NE(header.find("[\"zarr==3.4.2\", \"mine==1.0\"]"), header.npos) << header;
}

// The release of that number would be tested instead.
TEST(Repro, OfACheckoutPinsNoZarrAndSaysHowToRunIt) {
  ReproOptions options = three();
  options.published = false;
  options.release = "3.4.3.dev7+g1234567\nimport os";
  const std::string script = script_of(test::store("local"), options);
  EXPECT_NE(script.find("# dependencies = []\n# ///\n# Seen with zarr 3.4.3.dev7+g1234567"),
            script.npos)
      << script;
  EXPECT_NE(script.find("uv run --with PATH repro.py\n"), script.npos) << script;
  EXPECT_EQ(script.find("\nimport os\n"), script.npos) << script;
  EXPECT_EQ(script.find("zarr=="), script.npos) << script;
}

// Before anything leaves the process, and of a store that arrived there.
TEST(Repro, ThatNeedsAnEarlierUseUsesSuchAStoreFirst) {
  Case value = test::plain_case();
  value.transport = Transport::kFork;
  value.looks = {LookGroup::kReads};
  normalise(value);
  Observations seen = test::sound_observations(value);
  seen.child = {.died = TimedOut{"Current thread 0x1 (most recent call first):\n"
                                 "  File \"zarr/core/sync.py\", line 9 in f\n"
                                 "  File \"<look getsize>\", line 1 in <lambda>\n"}};
  const auto findings = judge(value, seen, {}, "3.4.2").findings;
  ASSERT_EQ(findings.size(), 1U);
  ReproOptions options = three();
  options.used_before = true;
  const std::string script = write_repro(value, findings[0], to_json(seen), options).value();
  const std::size_t made = script.find("used = pickle.loads(pickle.dumps(store))");
  const std::size_t used = script.find("used.getsize(");
  ASSERT_NE(made, script.npos) << script;
  ASSERT_NE(used, script.npos) << script;
  EXPECT_LT(made, used) << script;
  EXPECT_LT(used, script.find("pool.submit(")) << script;
  EXPECT_EQ(script.find("used.get("), script.npos) << script;
}

TEST(Repro, SaysItsSentenceNamesItsReleaseAndNothingOfOurs) {
  for (const Written& written : write_many(300, three(), 1)) {
    EXPECT_TRUE(written.script.starts_with("# /// script\n")) << written.script;
    EXPECT_NE(written.script.find("zarr==3.4.2"), std::string::npos);
    EXPECT_NE(written.script.find("DEFECT:"), std::string::npos);
    EXPECT_NE(written.script.find("gone"), std::string::npos);
    EXPECT_EQ(written.script.find("storefuzz"), std::string::npos) << written.script;
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
