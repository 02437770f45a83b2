// Every page of reports/defects/ owns the programs that show its defect, or says why none can: the
// table reports/defects/cases.json is played with real zarr. Two pages never have the same cause.
#include <gtest/gtest.h>

#include <map>

#include "harness/base/files.h"
#include "harness/campaign/reduce_program.h"
#include "harness/campaign/regressions.h"
#include "harness/findings/known.h"
#include "harness/findings/quirk_file.h"
#include "harness/testing/program_runs.h"

namespace storefuzz::e2e {
namespace {

using program::Difference;

// A row of the table: one program and what it shows, or why no program shows it, and what the loop
// sees of it all the same.
struct Row {
  std::string defect;  // a page, or what was mended before there were pages
  Json said;

  bool is_case() const { return said.contains("case"); }
  std::string text(const char* member) const { return said.value(member, ""); }
  std::vector<std::string> list(const char* member) const {
    return said.value(member, std::vector<std::string>{});
  }
  std::string name() const { return is_case() ? text("case") : defect; }
};

const Json& table() {
  static const Json read =
      read_json(fs::path(source_folder()) / "reports" / "defects" / "cases.json");
  return read;
}

std::vector<Row> rows_of(const char* part) {
  std::vector<Row> rows;
  for (const auto& [defect, said] : table().at(part).items())
    for (const Json& row : said) rows.push_back({defect, row});
  return rows;
}

std::vector<Row> all_cases() {
  std::vector<Row> rows = rows_of("pages");
  std::ranges::move(rows_of("mended"), std::back_inserter(rows));
  std::erase_if(rows, [](const Row& it) { return !it.is_case(); });
  return rows;
}

std::set<std::string> names_in(const fs::path& folder, std::string_view extension) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == extension) names.insert(entry.path().stem());
  return names;
}

fs::path folder_of_cases() { return fs::path(source_folder()) / "corpus" / "regressions"; }

program::Case case_of_row(const Row& row) {
  return must(
      program::parse_case(test::read_file(folder_of_cases() / (row.text("case") + ".json"))));
}

// A session for each environment: to start one costs a second or two.
ProgramSession& session_of(const std::string& release, const Row& row) {
  static std::map<std::string, std::unique_ptr<ProgramSession>> sessions;
  const std::string& interpreter = row.list("with").empty() ? python(release) : full_python();
  std::unique_ptr<ProgramSession>& held = sessions[interpreter];
  if (!held) {
    Settings settings;
    settings.python = interpreter;
    settings.scratch = scratch() / "defects";
    fs::create_directories(settings.scratch);
    settings.deadline = "1000";  // what hangs on purpose, hangs as long
    settings.subjects = text_of(Json{{kOther, python(kOther)}});
    held = must(ProgramSession::start(settings));
  }
  return *held;
}

// What the row says that its program shows: the first difference of a place, or a question.
const Difference* find(const Row& row, const PlayedProgram& played) {
  return shown_by(played,
                  {.oracle = row.text("oracle"), .wrong = row.text("class"), .at = row.text("at")});
}

std::string explain(const PlayedProgram& played) {
  std::string text;
  for (const Difference& it : played.differences)
    text +=
        fmt::format("{} step {}: {} / {} / {}: {}\n", it.first ? "first" : "later", it.where.step,
                    it.oracle, name_of(it.wrong), it.where.operation, it.headline);
  return text;
}

PlayedProgram play_on(const std::string& release, const Row& row) {
  return must(session_of(release, row).play(case_of_row(row), Effort::kAll));
}

TEST(Defects, HaveAPageEachAndEachPageSaysWhatShowsIt) {
  std::set<std::string> pages = names_in(fs::path(source_folder()) / "reports" / "defects", ".md");
  pages.erase("README");
  std::set<std::string> told, files;
  for (const auto& [page, rows] : table().at("pages").items()) {
    told.insert(page);
    EXPECT_FALSE(rows.empty()) << page;
  }
  EXPECT_EQ(told, pages);
  for (const Row& row : rows_of("pages"))
    if (!row.is_case()) EXPECT_TRUE(row.text("no program").ends_with('.')) << row.defect;
  for (const Row& row : all_cases()) {
    EXPECT_TRUE(files.insert(row.text("case")).second) << row.text("case") << " twice";
    EXPECT_FALSE(row.list("bad").empty()) << row.text("case");
    for (const auto& [what, first] : row.said.value("not with", Json::object()).items()) {
      EXPECT_TRUE(what == "python" || what == "libzip") << row.text("case");
      const std::vector<std::string> releases = first;
      EXPECT_TRUE(std::ranges::is_sorted(releases, [](const auto& it, const auto& other) {
        return compare_releases(it, other) < 0;
      })) << row.text("case");
    }
  }
  EXPECT_EQ(files, names_in(folder_of_cases(), ".json"));
}

class Defect : public testing::TestWithParam<Row> {};

TEST_P(Defect, IsShownByItsProgram) {
  const program::Case value = case_of_row(GetParam());
  EXPECT_EQ(program::to_json(value),
            read_json(folder_of_cases() / (GetParam().text("case") + ".json")))
      << "a part of it says nothing";
  // Releases between the first bad one and the last are those of the page: not all are played.
  const std::vector<std::string> bad = GetParam().list("bad");
  const PlayedProgram played = play_on(bad.back(), GetParam());
  EXPECT_EQ(find(GetParam(), played) != nullptr, is_shown_here(GetParam().said))
      << bad.back() << ":\n"
      << explain(played);
  for (const std::string& release : GetParam().list("good")) {
    const PlayedProgram sound = play_on(release, GetParam());
    EXPECT_FALSE(find(GetParam(), sound)) << release << ":\n" << explain(sound);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Defect, testing::ValuesIn(all_cases()),
                         [](const auto& info) { return test_name(info.param.name()); });

// A question has no smaller form: its program is the smallest already.
program::Cause cause_of_row(const Row& row) {
  const std::string release = row.list("bad").back();
  const PlayedProgram played = play_on(release, row);
  const Difference* shown = find(row, played);
  if (!shown) return {};
  if (shown->question) return cause_of(case_of_row(row), *shown);
  const ReducedProgram small =
      must(reduce_program(session_of(release, row), case_of_row(row),
                          {.of_class = class_of(case_of_row(row), *shown), .budget = kPatient}));
  return small.cause;
}

// The first release after the last bad one that is known to be good; or "".
std::string good_release(const Row& row) {
  std::string first;
  for (const std::string& release : row.list("good"))
    if (compare_releases(release, row.list("bad").back()) > 0 &&
        (first.empty() || compare_releases(release, first) < 0))
      first = release;
  return first;
}

bool has_page(const Row& row) {
  return fs::exists(fs::path(source_folder()) / "reports" / "defects" / (row.defect + ".md"));
}

std::string link_of(const Row& row) {
  return has_page(row) ? "reports/defects/" + row.defect + ".md"
                       : "corpus/regressions/" + row.defect + ".json";
}

// As a run knows it.
Known known_of(const Row& row, const program::Cause& cause) {
  std::string reason = row.defect;
  std::ranges::replace(reason, '_', ' ');
  return {.cause = cause.key,
          .link = link_of(row),
          .reason = has_page(row) ? title_of_page(row.defect) : reason,
          .by = "page",
          .page = has_page(row) ? row.defect : "",
          .severity = cause.severity,
          .good = good_release(row)};
}

// Keys of findings of processes that the threads of a store may kill, and their severities.
std::map<std::string, int> crashes_at_the_end() {
  std::map<std::string, int> severities;
  for (const StoreKind kind : all_stores())
    for (const char* signal : {"SIGABRT", "SIGSEGV"}) {
      const program::Case value{.steps = {program::Make{.kind = kind, .as = "s0"}}};
      Difference it{.wrong = program::Wrong::kDeath, .seen = signal, .oracle = "survival"};
      it.where.process = program::kHome;
      if (kind->threads) severities[program::seen_as(value, it)] = severity_of(value, it);
    }
  return severities;
}

// reports/defects/known.json is what `storefuzz run` knows. STOREFUZZ_WRITE_KNOWN=1 writes it anew.
TEST(Defects, OfTwoPagesNeverHaveTheSameCauseAndAllAreShippedAsKnown) {
  std::map<std::string, Known> all;
  std::set<std::string> hidden;  // links of what another machine shows
  for (const Row& row : all_cases()) {
    if (!is_shown_here(row.said)) {
      hidden.insert(link_of(row));
      continue;
    }
    const program::Cause cause = cause_of_row(row);
    EXPECT_FALSE(cause.key.empty()) << row.name() << " is not shown";
    if (cause.key.empty()) continue;
    const Known known = known_of(row, cause);
    const auto [owner, is_new] = all.emplace(cause.key, known);
    EXPECT_TRUE(is_new || owner->second.link == known.link)
        << row.name() << " and " << owner->second.link << ": " << cause.key;
    // Some faces of one cause are severer than others.
    owner->second.severity = std::min(owner->second.severity, known.severity);
  }
  for (const Row& row : rows_of("pages"))
    for (const std::string& key : row.list("seen as")) {
      EXPECT_EQ(crashes_at_the_end()[key], row.said.value("severity", 0)) << key;
      const Known known = known_of(row, {.key = key, .severity = row.said.value("severity", 0)});
      EXPECT_TRUE(all.emplace(key, known).second) << key << " twice";
    }
  const std::vector<Known> shipped = must(load_known("shipped"));
  for (const Known& it : shipped)
    if (hidden.contains(it.link)) all.emplace(it.cause, it);
  std::vector<Known> list;
  for (const auto& [cause, known] : all) list.push_back(known);
  if (std::getenv("STOREFUZZ_WRITE_KNOWN")) {
    must(write_file_whole(shipped_known(), to_text(list)));
    return;
  }
  for (const auto& [these, those] : {std::pair(list, shipped), std::pair(shipped, list)})
    for (const Known& known : these)
      EXPECT_TRUE(std::ranges::count(those, to_text({known}), [](const Known& it) {
        return to_text({it});
      })) << known.cause;
  EXPECT_TRUE(test::read_file(shipped_known()) == to_text(list))
      << "STOREFUZZ_WRITE_KNOWN=1 writes the list anew";
}

}  // namespace
}  // namespace storefuzz::e2e
