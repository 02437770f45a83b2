// See regressions.h.
#include "harness/campaign/regressions.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/campaign/releases.h"
#include "harness/findings/quirk_file.h"
#include "harness/play/against.h"
#include "harness/process/cores.h"
#include "harness/readers/libzip_reader.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

bool shows(const PlayedProgram& played, const Regression& it) {
  return shown_by(played, it) != nullptr;
}

// Of the Python that workers have in them too: "3.13.5".
const std::string& python_version() {
  static const std::string version = [] {
    const auto done = run_to_end(
        {.arguments = {tools_python(), "-c", "import platform; print(platform.python_version())"}},
        Milliseconds(10'000));
    return done ? done->output.substr(0, done->output.find('\n')) : "";
  }();
  return version;
}

// What was mended, and what is new, by one program; nothing where one of the two cannot play it.
void compare(Sides& sides, const Regression& it, Compared& compared, std::mutex& mutex) {
  ProgramSession& other = sides.against->session();
  if (sides.subject->fit(it.value) != it.value || other.fit(it.value) != it.value) return;
  auto subject = sides.subject->play(it.value, Effort::kAll);
  auto base = other.play(it.value, Effort::kAll);
  if (!subject || !base) return;
  const bool mended =
      shows(*base, it) && !shows(*subject, it) && !is_refused(it.value, subject->seen);
  Against::take_out(it.value, *subject, *base);
  const std::scoped_lock lock(mutex);
  const Json line{{"page", it.page}, {"headline", it.headline}};
  if (mended && std::ranges::find(compared.mended, line) == compared.mended.end())
    compared.mended.push_back(line);
  for (Finding& found : findings_of(it.value, subject->differences))
    compared.news.push_back({.finding = std::move(found), .count = 1});
}

}  // namespace

bool is_without(const std::vector<std::string>& first, const std::string& release) {
  const auto minor = [](const std::string& it) { return it.substr(0, it.rfind('.')); };
  return std::ranges::any_of(first, [&](const std::string& it) {
    return compare_releases(release, it) >= 0 &&
           (minor(release) == minor(it) || &it == &first.back());
  });
}

bool is_shown_here(const Json& row) {
  const Json without = row.value("not with", Json::object());
  const auto lacks = [&](const char* what, const std::string& release) {
    return is_without(without.value(what, std::vector<std::string>()), release);
  };
  return !lacks("python", python_version()) && !lacks("libzip", libzip_version());
}

const program::Difference* shown_by(const PlayedProgram& played, const Regression& it) {
  const auto shown =
      std::ranges::find_if(played.differences, [&](const program::Difference& other) {
        return (other.first || other.question) && other.oracle == it.oracle &&
               name_of(other.wrong) == it.wrong && other.where.operation == it.at;
      });
  return shown == played.differences.end() ? nullptr : &*shown;
}

std::string title_of_page(const std::string& page) {
  std::ifstream file(fs::path(source_folder()) / "reports" / "defects" / (page + ".md"));
  std::string line;
  if (!std::getline(file, line)) return page;
  return line.substr(std::min(line.find_first_not_of("# "), line.size()));
}

Result<std::vector<Regression>> load_regressions() {
  const fs::path root = source_folder();
  const Json table =
      parse_json(read_file_whole(root / "reports" / "defects" / "cases.json").value_or(""));
  std::vector<Regression> all;
  try {
    for (const char* part : {"pages", "mended"})
      for (const auto& [page, rows] : table.at(part).items())
        for (const Json& row : rows) {
          if (!row.contains("case")) continue;
          const std::string name = row.at("case");
          auto value = program::parse_case(
              read_file_whole(root / "corpus" / "regressions" / (name + ".json")).value_or(""));
          if (!value) return std::unexpected(value.error());
          all.push_back({.page = page,
                         .headline = title_of_page(page),
                         .oracle = row.at("oracle"),
                         .wrong = row.at("class"),
                         .at = row.value("at", ""),
                         .value = std::move(*value),
                         .name = name,
                         .bad = row.value("bad", std::vector<std::string>()),
                         .good = row.value("good", std::vector<std::string>()),
                         .row = row});
        }
  } catch (const Json::exception& error) {
    return bad_input(fmt::format("reports/defects/cases.json cannot be read: {}", error.what()));
  }
  return all;
}

Result<void> on_all_cores(const Settings& settings, std::size_t count,
                          const std::function<bool()>& stop,
                          const std::function<void(Sides&, std::size_t)>& work) {
  std::mutex mutex;
  std::optional<Error> failure;
  std::atomic<std::size_t> next = 0;
  const auto work_on = [&] {
    auto sides = Sides::start(settings);
    if (!sides) {
      const std::scoped_lock lock(mutex);
      failure = sides.error();
      return;
    }
    for (std::size_t i = next++; i < count && !(stop && stop()); i = next++) work(*sides, i);
  };
  {
    std::vector<std::jthread> workers;
    const std::size_t most = std::max<std::size_t>(1, own_cores().size());
    for (std::size_t i = 0; i < std::min(most, count); ++i) workers.emplace_back(work_on);
  }
  if (failure) return std::unexpected(*failure);
  return {};
}

Result<Compared> compare_regressions(const Settings& settings, const std::function<bool()>& stop) {
  auto all = load_regressions();
  if (!all) return std::unexpected(all.error());
  Compared compared{.news = {}, .mended = Json::array()};
  std::mutex mutex;
  auto done = on_all_cores(settings, all->size(), stop, [&](Sides& sides, std::size_t i) {
    compare(sides, (*all)[i], compared, mutex);
  });
  if (!done) return std::unexpected(done.error());
  return compared;
}

}  // namespace storefuzz
