// Nobody dies, also at its exit, and nobody leaves a file behind or open. What a process of another
// release than the one under test does there is that release's own affair.
#include <algorithm>

#include "harness/oracles/oracle.h"

namespace storefuzz::program {
namespace {

// How a process ends that a step let end, or that was there to the last.
std::string_view right_end(const Case& value, const std::string& process) {
  for (const Step& step : value.steps)
    if (const auto* deed = std::get_if<Deed>(&step))
      if (deed->in == process && deed->what == What::kDie) return "SIGKILL";
  return "exit 0";
}

// Whether a process was forked where a store's library has threads of its own: what one of them has
// open at that moment, the forked process keeps open, and nobody is there to close it.
bool inherits_from_threads(const Case& value, const std::string& process) {
  bool threads = false;
  for (const Step& step : value.steps) {
    if (const auto* make = std::get_if<Make>(&step))
      threads = threads || innermost(make->kind)->threads;
    if (const auto* fork = std::get_if<Fork>(&step))
      if (fork->process == process) return threads;
  }
  return false;
}

Difference left_over(Wrong wrong, const Case& value, std::string_view what, std::string seen) {
  Difference it{.wrong = wrong, .should_be = std::string(what), .seen = std::move(seen)};
  it.where.step = value.steps.empty() ? 0 : value.steps.size() - 1;
  return it;
}

}  // namespace

std::vector<Difference> judge_survival(const Case& value, const Judged& judged,
                                       const Observation& seen) {
  std::vector<Difference> found = differences(
      value, judged, [](const Operation*, Wrong wrong) { return wrong == Wrong::kDeath; });
  const auto told = [&](const std::string& process) {
    return std::ranges::any_of(judged.answers, [&](const JudgedAnswer& it) {
      return it.difference && it.difference->where.process == process &&
             (it.difference->wrong == Wrong::kDeath || it.difference->wrong == Wrong::kHang);
    });
  };
  const auto others = of_other_releases(value);
  // Where some call hangs, that is told, and others may wait for the same.
  const bool hangs = std::ranges::any_of(judged.answers, [](const JudgedAnswer& it) {
    return std::holds_alternative<TimedOut>(*it.answer);
  });
  for (const auto& [process, ending] : seen.ends) {
    const std::string_view right = right_end(value, process);
    if (ending == right || told(process) || others.contains(process) || (hangs && ending == "hang"))
      continue;
    Difference it = left_over(Wrong::kDeath, value, right, ending);
    it.where.operation = "exit";
    it.where.process = process;
    it.first = true;
    found.push_back(std::move(it));
  }
  for (const std::string& path : seen.stray) {
    if (!others.empty()) break;  // nobody knows whose it is
    Difference it = left_over(Wrong::kStray, value, "nothing", path);
    it.first = &path == &seen.stray.front();
    found.push_back(std::move(it));
  }
  for (const auto& [process, files] : seen.open) {
    if (files.empty() || others.contains(process) || inherits_from_threads(value, process))
      continue;
    Difference it = left_over(Wrong::kStray, value, "closed", files.front() + " is still open");
    it.where.process = process;
    it.first = true;
    found.push_back(std::move(it));
  }
  return found;
}

}  // namespace storefuzz::program
