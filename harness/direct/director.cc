// Which programs are parked, and in which folders.
#include "harness/direct/director.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "harness/direct/performance.h"

namespace storefuzz::program {

Director::Director(Workers& workers, Options options)
    : workers_(workers), options_(std::move(options)) {}
Director::~Director() = default;
Director::Director(Director&&) noexcept = default;

std::unique_ptr<Performance> Director::perform(const Case& value, bool careful, bool parks) {
  return std::make_unique<Performance>(
      workers_,
      Performance::Options{
          .folder = options_.folder.string() + (folders_ > 0 ? fmt::format("-{}", folders_) : ""),
          .patience = options_.patience,
          .careful = careful,
          .parks = parks},
      value);
}

Result<Observation> Director::play(const Case& value) {
  auto seen = played(value, false);
  if (!seen) return std::unexpected(seen.error());
  return std::move(**seen);
}

Result<std::optional<Observation>> Director::start(const Case& value) {
  return played(value, parked_.size() < kMostParked);
}

Result<std::optional<Observation>> Director::played(const Case& value, bool parks) {
  auto performance = perform(value, false, parks);
  auto seen = performance->play();
  if (seen && performance->broken()) {
    performance = perform(value, true, parks);
    seen = performance->play();
  }
  if (!seen) return std::unexpected(seen.error());
  if (!performance->late()) return std::move(*seen);
  parked_.push_back(std::move(performance));
  ++folders_;
  return std::nullopt;
}

std::vector<std::pair<Case, Observation>> Director::take_decided(bool wait) {
  std::vector<std::pair<Case, Observation>> decided;
  do {
    for (auto it = parked_.begin(); it != parked_.end();) {
      const Performance::Fate fate = (*it)->decide();
      if (fate == Performance::Fate::kOpen) {
        ++it;
        continue;
      }
      if (fate == Performance::Fate::kDecided) decided.emplace_back((*it)->played(), (*it)->seen());
      std::error_code error;
      std::filesystem::remove_all((*it)->folder(), error);
      it = parked_.erase(it);
    }
    if (wait && !parked_.empty()) std::this_thread::sleep_for(Milliseconds(20));
  } while (wait && !parked_.empty());
  return decided;
}

}  // namespace storefuzz::program
