// reduce.h with real workers.
#include "harness/campaign/reduce_program.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "harness/case/reduce.h"
#include "harness/findings/plainer.h"

namespace storefuzz {

using program::Difference;

std::optional<Difference> severest(const program::Case& value,
                                   const std::vector<Difference>& differences,
                                   const std::string& of_class) {
  const Difference* found = nullptr;
  for (const Difference& it : differences) {
    const bool meant = of_class.empty() ? it.first : class_of(value, it) == of_class;
    if (!meant || !(it.first || it.question)) continue;
    if (!found || severity_of(value, it) < severity_of(value, *found)) found = &it;
  }
  if (!found) return std::nullopt;
  return *found;
}

Result<ReducedProgram> reduce_program(ProgramSession& session, const program::Case& value,
                                      const ReduceOptions& options) {
  const auto until = std::chrono::steady_clock::now() + options.budget;
  const auto play = [&](const program::Case& it, Effort effort) -> Result<PlayedProgram> {
    auto played = session.play(it, effort);
    if (!played || !options.against) return played;
    auto old = options.against->take_out(it, *played, effort);
    if (!old) return std::unexpected(old.error());
    return played;
  };
  auto played = play(value, Effort::kUsual);
  if (!played) return std::unexpected(played.error());
  auto shown = severest(value, played->differences, options.of_class);
  // Readers and other kinds of store are asked of some programs only: here, of all that are tried.
  Effort effort = Effort::kUsual;
  if (!shown || shown->question || shown->oracle == program::kReadersAgree) {
    effort = Effort::kAll;
    played = play(value, effort);
    if (!played) return std::unexpected(played.error());
    shown = severest(value, played->differences, options.of_class);
  }
  const auto question = std::ranges::find(played->differences, true, &Difference::question);
  if (!shown && options.questions && question != played->differences.end()) shown = *question;
  if (!shown) return bad_input(kShowsNoDifference);
  std::string wanted = class_of(value, *shown);
  program::Observation seen = std::move(played->seen);
  const auto shows = [&](const program::Case& candidate) {
    // A plainer store may not be there.
    if (session.fit(candidate) != candidate) return false;
    // By a fault of ours a candidate may not be playable: then it is not the smaller one.
    auto again = play(candidate, effort);
    if (!again) return false;
    auto found = severest(candidate, again->differences, wanted);
    if (!found) return false;
    shown = std::move(found);
    seen = std::move(again->seen);
    return true;
  };
  const auto enough = [&] {
    return std::chrono::steady_clock::now() > until || (options.stop && options.stop());
  };
  program::Reduced small = program::reduce(value, shows, enough);
  // Whether a plainer way shows it.
  const auto means_the_same = [&](const program::Plainer& way) {
    if (session.fit(way.value) != way.value) return false;
    auto again = play(way.value, effort);
    const Difference* same = again ? way.shown_by(again->differences) : nullptr;
    if (!same) return false;
    if (way.unless) {
      const auto alone = play(*way.unless, effort);
      if (!alone || way.shown_by(alone->differences)) return false;
    }
    shown = *same;
    seen = std::move(again->seen);
    wanted = class_of(way.value, *shown);
    return true;
  };
  for (bool plainer = true; plainer && !enough();) {
    const std::vector<program::Plainer> ways = program::plainer_ways(small.value, *shown);
    const auto way = std::ranges::find_if(ways, [&](const program::Plainer& it) {
      ++small.tried;
      return !enough() && means_the_same(it);
    });
    plainer = way != ways.end();
    if (!plainer) break;
    const std::size_t tried = small.tried;
    small = program::reduce(way->value, shows, enough);
    small.tried += tried;
  }
  program::Cause cause = cause_of(small.value, *shown);
  return ReducedProgram{.value = std::move(small.value),
                        .difference = std::move(*shown),
                        .seen = std::move(seen),
                        .cause = std::move(cause),
                        .tried = small.tried + 1,
                        .whole = !enough()};
}

}  // namespace storefuzz
