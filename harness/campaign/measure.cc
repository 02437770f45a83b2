// See measure.h.
#include "harness/campaign/measure.h"

#include <fmt/format.h>

#include <memory>

#include "harness/base/text.h"
#include "harness/play/program_session.h"

namespace storefuzz {

Measure::Measure(const MeasureOptions& options)
    : options_(options), until_(comma_separated(options.until)) {}

bool Measure::asked() const { return !until_.empty() || options_.until_new || options_.keys; }

std::function<bool(const Finding&, double)> Measure::enough(const std::string& python,
                                                            const std::filesystem::path& scratch,
                                                            const std::vector<Known>& known,
                                                            const std::string& release) {
  if (!options_.until_new) return {};
  Settings settings;
  settings.python = python;
  settings.scratch = scratch.string();
  auto started = ProgramSession::start(settings);
  if (!started) return {};
  std::shared_ptr<ProgramSession> unplanted = std::move(*started);
  return [this, unplanted, known, release](const Finding& found, double seconds) {
    // A race that is known does not happen again without the planted loss either.
    if (found.question || find_known(known, found, release)) return false;
    auto played = unplanted->play(found.value);
    if (!played) return false;
    for (const Finding& other : findings_of(found.value, played->differences))
      if (other.of_class == found.of_class) return false;
    news_ = fmt::format("new {} {:.1f}", found.key, seconds);
    return true;
  };
}

ExitCode Measure::tell(const Fuzzed& fuzzed,
                       const std::function<void(const std::string&)>& say) const {
  ExitCode code = ExitCode::kNothingNew;
  for (const std::string& what : until_) {
    const auto seconds = first_seen(fuzzed, what);
    if (!seconds) code = ExitCode::kFinding;
    say(seconds ? fmt::format("found after {:.1f} s: {}", *seconds, what)
                : fmt::format("not found: {}", what));
  }
  if (options_.keys)
    for (const auto& [key, raw] : fuzzed.raw)
      say(fmt::format("{:.3f} {} {}", raw.seconds, raw.executions, key));
  if (options_.until_new) say(news_.empty() ? "nothing new" : news_);
  return code;
}

}  // namespace storefuzz
