// See trouble.h.
#include "harness/campaign/trouble.h"

#include <fmt/format.h>

#include <cstdint>

#include "harness/base/text.h"

namespace storefuzz {
namespace {

constexpr std::size_t kLongestReason = 300;  // bytes; run.json has the whole reason

bool too_many(std::uint64_t lost, std::uint64_t all) {
  return static_cast<double>(lost) > kMostLost * static_cast<double>(all);
}

}  // namespace

std::vector<std::string> troubles(const Fuzzed& fuzzed, const Followed& followed) {
  std::vector<std::string> told;
  if (!fuzzed.faults.empty())
    told.push_back(fmt::format("{} of {} could not be played, by a fault of storefuzz: {}",
                               fuzzed.faults.size(), counted(fuzzed.executions, "case"),
                               shorten(fuzzed.faults.front(), kLongestReason)));
  if (!fuzzed.deaths.empty()) {
    std::string ends;
    for (const auto& [end, count] : fuzzed.deaths)
      ends += fmt::format("{}{} ({})", ends.empty() ? "" : ", ", end, count);
    const std::uint64_t deaths = lost_cases(fuzzed) - fuzzed.faults.size();
    told.push_back(fmt::format("the fuzz process died {} in {}, by no finding of its own: {}",
                               counted(deaths, "time"), counted(fuzzed.executions, "case"), ends));
  }
  if (!followed.unfollowed.empty())
    told.push_back(fmt::format("{} of {} could not be followed, by a fault of storefuzz: {}",
                               followed.unfollowed.size(), counted(followed.findings, "finding"),
                               shorten(followed.unfollowed.front(), kLongestReason)));
  return told;
}

std::optional<std::string> too_much_trouble(const Fuzzed& fuzzed, const Followed& followed) {
  if (too_many(lost_cases(fuzzed), fuzzed.executions))
    return fmt::format("more than {:.0f} % of its cases were lost, by no fault of the subject",
                       kMostLost * 100);
  if (too_many(followed.unfollowed.size(), followed.findings))
    return fmt::format("more than {:.0f} % of its findings could not be followed", kMostLost * 100);
  return std::nullopt;
}

}  // namespace storefuzz
