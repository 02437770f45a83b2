// Every release gets one session, which plays every case; releases are played side by side.
#include "harness/campaign/releases.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <thread>

#include "harness/base/text.h"
#include "harness/campaign/subject.h"
#include "harness/findings/cause.h"

namespace storefuzz {

bool is_refused(const program::Case& value, const program::Observation& seen) {
  for (std::size_t i = 0; i < value.steps.size() && i < seen.steps.size(); ++i)
    if (std::holds_alternative<program::Make>(value.steps[i]))
      for (const program::Answer& answer : seen.steps[i].answers)
        if (program::refused(answer)) return true;
  return false;
}

Standing stand(ProgramSession& session, const Asked& asked) {
  // Where a store or another release cannot be had, its defect has no chance to show.
  const program::Case value = session.fit(asked.value);
  if (value.steps.size() != asked.value.steps.size() || value.processes != asked.value.processes)
    return Standing::kNotApplicable;
  auto played = session.play(value, Effort::kAll);
  if (!played) return Standing::kUnknown;
  const auto of_class = [&](const program::Difference& it) {
    if (asked.of_class.empty()) return it.first;
    // A question is meant only where its class is named.
    return (it.first || it.question) && class_of(value, it) == asked.of_class;
  };
  const bool bad =
      asked.shown ? asked.shown(*played) : std::ranges::any_of(played->differences, of_class);
  if (bad) return Standing::kBad;
  return is_refused(value, played->seen) ? Standing::kNotApplicable : Standing::kGood;
}

std::string_view name_of(Standing standing) {
  switch (standing) {
    case Standing::kGood:
      return "good";
    case Standing::kBad:
      return "bad";
    case Standing::kNotApplicable:
      return "not applicable";
    case Standing::kUnknown:
      return "unknown";
  }
  std::abort();
}

std::string ReleaseTable::first_bad() const {
  for (const auto& [release, standing] : rows)
    if (standing == Standing::kBad) return release;
  return "";
}

std::string ReleaseTable::last_bad() const {
  for (auto row = rows.rbegin(); row != rows.rend(); ++row)
    if (row->second == Standing::kBad) return row->first;
  return "";
}

std::string ReleaseTable::first_good() const {
  bool after = false;
  for (const auto& [release, standing] : rows) {
    if (release == last_bad()) after = true;
    if (after && standing == Standing::kGood) return release;
  }
  return "";
}

std::string ReleaseTable::sentence() const {
  const auto unknown = [](const auto& row) { return row.second == Standing::kUnknown; };
  if (std::ranges::all_of(rows, unknown)) return "no release was played";
  const std::string from = first_bad();
  const bool cut_short = std::ranges::any_of(rows, unknown);
  if (from.empty())
    return cut_short ? "bad in none of the releases that could be played"
                     : "bad in none of the releases played";
  bool good_between = false;
  bool inside = false;
  int masked = 0;  // before the last bad one: they may be bad as well
  for (const auto& [release, standing] : rows) {
    if (release == from) inside = true;
    masked += standing == Standing::kNotApplicable;
    if (inside && standing == Standing::kGood) good_between = true;
    if (release == last_bad()) break;
  }
  const std::string span = from == last_bad() ? from : fmt::format("{} – {}", from, last_bad());
  if (rows.size() == 1) return fmt::format("bad in {}; no other release was played", from);
  std::vector<std::string> remarks;
  if (good_between) remarks.emplace_back("with good ones between");
  if (masked > 0)
    remarks.push_back(counted(static_cast<std::uint64_t>(masked), "release") + " cannot show it");
  const std::string hole = remarks.empty() ? "" : fmt::format(" ({})", fmt::join(remarks, "; "));
  const std::string good = first_good();
  if (!good.empty()) return fmt::format("bad in {}{}, good from {}", span, hole, good);
  const auto played = std::ranges::find_if_not(rows.rbegin(), rows.rend(), unknown);
  return played->second == Standing::kBad
             ? fmt::format("bad in {}{}, still bad in the newest one played", span, hole)
             : fmt::format("bad in {}{}; later releases cannot make this store", span, hole);
}

namespace {

// Which of `asked` are played in which release: both by their places in the lists.
using Wanting = std::map<std::size_t, std::vector<std::size_t>>;

// How each stands, by (asked, release). Releases are played side by side; one whose environment
// cannot be made is left out.
std::map<std::pair<std::size_t, std::size_t>, Standing> play(
    const Wanting& wanting, const std::vector<Asked>& asked,
    const std::vector<PlayedRelease>& releases, const ReleasesOptions& options) {
  std::map<std::pair<std::size_t, std::size_t>, Standing> standings;
  const std::vector<std::pair<std::size_t, std::vector<std::size_t>>> parts(wanting.begin(),
                                                                            wanting.end());
  const auto stopped = [&] { return options.stop && options.stop(); };
  std::set<std::string> others;
  for (const Asked& it : asked) others.merge(releases_of(it.value));
  const auto subjects = interpreters_of(others);
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < parts.size() && !stopped(); i = next++) {
      const auto& [release, cases] = parts[i];
      auto subject = find_subject(releases[release].wanted, true);
      if (!subject) continue;
      Settings settings;
      settings.python = subject->python;
      settings.scratch = options.scratch.string();
      settings.adapters = text_of(added_adapters());
      if (subjects) settings.subjects = *subjects;
      auto session = ProgramSession::start(settings);
      if (!session) continue;
      for (const std::size_t k : cases) {
        if (stopped()) return;
        const Standing standing = stand(**session, asked[k]);
        const std::scoped_lock lock(mutex);
        standings[{k, release}] = standing;
      }
      const std::scoped_lock lock(mutex);
      if (options.progress) options.progress(releases[release].name);
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < std::max(options.jobs, 1); ++i) workers.emplace_back(work);
  }
  return standings;
}

// Between a release that shows it and one that does not, there is one where that changes. The
// newest comes first: most is still there, and that is what a maintainer asks.
struct Edge {
  std::ptrdiff_t bad, other;  // places of releases; before the first and after the last: of none
  std::ptrdiff_t count;       // of the releases
  std::optional<std::size_t> next() const {
    if (std::abs(bad - other) <= 1) return std::nullopt;
    if (other == count) return static_cast<std::size_t>(count - 1);
    return static_cast<std::size_t>(std::midpoint(bad, other));
  }
};

}  // namespace

Result<std::vector<ReleaseTable>> play_releases(const std::vector<Asked>& asked,
                                                const std::vector<PlayedRelease>& releases,
                                                const ReleasesOptions& options) {
  Wanting all;
  for (std::size_t i = 0; i < releases.size(); ++i)
    for (std::size_t k = 0; k < asked.size(); ++k) all[i].push_back(k);
  const auto standings = play(all, asked, releases, options);
  std::vector<ReleaseTable> tables(asked.size());
  for (std::size_t k = 0; k < asked.size(); ++k)
    for (std::size_t i = 0; i < releases.size(); ++i) {
      const auto standing = standings.find({k, i});
      tables[k].rows.emplace_back(
          releases[i].name, standing == standings.end() ? Standing::kUnknown : standing->second);
    }
  return tables;
}

Result<std::vector<ReleaseTable>> bisect_releases(const std::vector<Asked>& asked,
                                                  const std::vector<PlayedRelease>& releases,
                                                  const std::string& subject,
                                                  const ReleasesOptions& options) {
  const auto count = static_cast<std::ptrdiff_t>(releases.size());
  const std::ptrdiff_t at =
      std::ranges::find(releases, subject, &PlayedRelease::name) - releases.begin();
  std::vector<std::map<std::size_t, Standing>> seen(asked.size());
  std::vector<std::array<Edge, 2>> edges(asked.size(), {{{at, -1, count}, {at, count, count}}});
  if (at < count)
    for (auto& table : seen) table[static_cast<std::size_t>(at)] = Standing::kBad;
  for (;;) {
    Wanting wanting;
    for (std::size_t k = 0; k < asked.size(); ++k)
      for (const Edge& edge : edges[k])
        if (const auto next = edge.next()) wanting[*next].push_back(k);
    if (wanting.empty()) break;
    const auto standings = play(wanting, asked, releases, options);
    for (std::size_t k = 0; k < asked.size(); ++k)
      for (Edge& edge : edges[k]) {
        const auto next = edge.next();
        if (!next) continue;
        const auto found = standings.find({k, *next});
        const Standing standing = found == standings.end() ? Standing::kUnknown : found->second;
        seen[k][*next] = standing;
        (standing == Standing::kBad ? edge.bad : edge.other) = static_cast<std::ptrdiff_t>(*next);
      }
    if (options.stop && options.stop()) break;
  }
  std::vector<ReleaseTable> tables(asked.size());
  for (std::size_t k = 0; k < asked.size(); ++k)
    for (const auto& [release, standing] : seen[k])
      tables[k].rows.emplace_back(releases[release].name, standing);
  return tables;
}

Json to_json(const ReleaseTable& table) {
  Json rows = Json::object();
  for (const auto& [release, standing] : table.rows) rows[release] = name_of(standing);
  return {{"first_bad", table.first_bad()},
          {"last_bad", table.last_bad()},
          {"first_good", table.first_good()},
          {"sentence", table.sentence()},
          {"table", std::move(rows)}};
}

}  // namespace storefuzz
