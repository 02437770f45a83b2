// See recorded.h.
#include "harness/campaign/recorded.h"

#include <algorithm>
#include <mutex>

#include "harness/campaign/news.h"
#include "harness/campaign/reduce_program.h"
#include "harness/campaign/regressions.h"
#include "harness/findings/cause.h"

namespace storefuzz {
namespace {

constexpr int kTries = 3;  // of a program that shows nothing

// One program to be played, under the name of what it shows.
struct Row {
  std::string name;
  std::function<Standing(ProgramSession&)> play;
};

// What was mended and shows again is looked at twice: a lost attribute, say, is of the same oracle,
// class and operation, whichever attribute it is.
bool is_of_page(ProgramSession& session, const Regression& it, const program::Difference& shown,
                const std::vector<Known>& known) {
  const auto small =
      reduce_program(session, it.value, {.of_class = program::class_of(it.value, shown)});
  return small && page_of_cause(known, small->cause.key) == it.page;
}

Standing stand_of_page(ProgramSession& session, const Regression& it, bool open,
                       const std::vector<Known>& known) {
  return stand(session, {.value = it.value, .shown = [&](const PlayedProgram& played) {
                           const auto* shown = shown_by(played, it);
                           return shown && (open || is_of_page(session, it, *shown, known));
                         }});
}

// One program that shows it is enough; one that could be played is enough to say that it is not
// there.
void add(Standings& all, const std::string& name, Standing standing) {
  if (standing != Standing::kBad && standing != Standing::kGood) return;
  const auto [at, is_new] = all.emplace(name, standing);
  if (!is_new && standing == Standing::kBad) at->second = standing;
}

}  // namespace

std::string page_of_cause(const std::vector<Known>& known, const std::string& cause) {
  const auto found = std::ranges::find_if(
      known, [&](const Known& it) { return it.by == "page" && it.cause == cause; });
  if (found == known.end()) return "";
  if (!found->page.empty()) return found->page;
  std::string name = found->reason;  // its name, with spaces
  std::ranges::replace(name, ' ', '_');
  return name;
}

Result<Standings> play_recorded(const State& state, const Settings& settings,
                                const std::vector<Known>& known,
                                const std::function<bool()>& stop) {
  auto pages = load_regressions();
  if (!pages) return std::unexpected(pages.error());
  std::vector<Row> rows;
  for (const auto& [name, it] : state.causes) {
    if (it.is_page()) continue;
    auto value = program::parse_case(text_of(it.program));
    if (!value) continue;  // of an older storefuzz, with words that are gone
    rows.push_back({name, [asked = Asked{.value = *value, .of_class = it.of_class}](
                              ProgramSession& session) { return stand(session, asked); }});
  }
  for (const Regression& it : *pages) {
    const auto recorded = state.causes.find(page_name(it.page));
    // Asked for the first time, a page is taken by its word; what has no page is mended.
    const bool open = recorded == state.causes.end() ? it.headline != it.page
                                                     : recorded->second.status == Status::kOpen;
    rows.push_back({page_name(it.page), [&it, open, &known](ProgramSession& session) {
                      return stand_of_page(session, it, open, known);
                    }});
  }
  Standings all;
  std::mutex mutex;
  auto done = on_all_cores(settings, rows.size(), stop, [&](Sides& sides, std::size_t i) {
    // As a script begins: with nothing that an earlier program has left.
    sides.subject->use_workers_once();
    Standing standing = Standing::kGood;
    for (int tries = 0; tries < kTries && standing == Standing::kGood && !(stop && stop()); ++tries)
      standing = rows[i].play(*sides.subject);
    const std::scoped_lock lock(mutex);
    if (!(stop && stop())) add(all, rows[i].name, standing);
  });
  if (!done) return std::unexpected(done.error());
  return all;
}

}  // namespace storefuzz
