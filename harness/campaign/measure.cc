// See measure.h.
#include "harness/campaign/measure.h"

#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "harness/base/text.h"
#include "harness/play/player.h"

namespace storefuzz {

Measure::Measure(const MeasureOptions& options)
    : options_(options), until_(comma_separated(options.until)) {}

bool Measure::asked() const {
  return !until_.empty() || !options_.until_new.empty() || options_.fingerprints;
}

std::function<bool(const RawFinding&)> Measure::enough(const std::string& python,
                                                       const std::filesystem::path& scratch) {
  if (options_.until_new.empty()) return {};
  std::ifstream file(options_.until_new);
  for (std::string line; std::getline(file, line);)
    baseline_.insert(line.substr(0, line.find(' ')));
  auto started = Player::start({.python = python, .scratch = scratch});
  if (!started) return {};
  auto unplanted = std::make_shared<Player>(std::move(*started));
  return [this, unplanted](const RawFinding& raw) {
    if (baseline_.contains(raw.finding.fingerprint)) return false;
    auto played = unplanted->play(raw.value);
    if (!played || find(played->findings, raw.finding.fingerprint)) return false;
    news_ = fmt::format("new {} {:.1f}", raw.finding.fingerprint, raw.seconds);
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
  if (options_.fingerprints)
    for (const auto& [fingerprint, raw] : fuzzed.raw)
      say(fmt::format("{} {:.3f} {}", fingerprint, raw.seconds, raw.executions));
  if (!options_.until_new.empty()) say(news_.empty() ? "nothing new" : news_);
  return code;
}

}  // namespace storefuzz
