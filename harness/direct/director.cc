// Which programs are parked, and in which folders.
#include "harness/direct/director.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "harness/case/make_text.h"
#include "harness/direct/performance.h"

namespace storefuzz::program {

Director::Director(Workers& workers, Options options)
    : workers_(workers), options_(std::move(options)) {}
Director::~Director() = default;
Director::Director(Director&&) noexcept = default;

// The first that no parked program has: who is late may still write there. A server that gives it
// is an interpreter, so that names are used again.
std::filesystem::path Director::folder() const {
  for (std::size_t number = 0;; ++number) {
    std::filesystem::path name =
        options_.folder.string() + (number > 0 ? fmt::format("-{}", number) : "");
    if (std::ranges::none_of(parked_, [&](const auto& it) { return it->folder() == name; }))
      return name;
  }
}

// The address of a server that gives the case's folder; empty: no store of the case needs one.
Result<std::string> Director::server_for(const Case& value) {
  const bool needed = std::ranges::any_of(value.steps, [](const Step& step) {
    const Make* make = std::get_if<Make>(&step);
    return make && make->kind->served;
  });
  if (!needed || options_.python.empty()) return "";
  auto found = servers_.find(folder());
  if (found == servers_.end()) {
    const std::filesystem::path given = Performance::folder_of_case(folder());
    std::error_code error;
    std::filesystem::create_directories(given, error);
    auto started = FolderServer::start(options_.python, given);
    if (!started) return std::unexpected(started.error());
    found = servers_.emplace(folder(), std::move(*started)).first;
  }
  return found->second.address();
}

std::unique_ptr<Performance> Director::perform(const Case& value, const std::string& server,
                                               bool careful, bool parks) {
  return std::make_unique<Performance>(workers_,
                                       Performance::Options{.folder = folder(),
                                                            .patience = options_.patience,
                                                            .server = server,
                                                            .careful = careful,
                                                            .parks = parks},
                                       value);
}

std::filesystem::path Director::file_of(const std::string& place, Medium medium) const {
  return Performance::folder_of_case(folder()) / file_name(place, medium);
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
  const auto server = server_for(value);
  if (!server) return std::unexpected(server.error());
  auto performance = perform(value, *server, false, parks);
  auto seen = performance->play();
  if (seen && performance->broken()) {
    performance = perform(value, *server, true, parks);
    seen = performance->play();
  }
  if (!seen) return std::unexpected(seen.error());
  if (!performance->late()) return std::move(*seen);
  parked_.push_back(std::move(performance));
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
