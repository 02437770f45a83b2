// See state.h.
#include "harness/campaign/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/base/files.h"
#include "harness/campaign/run_directory.h"

namespace storefuzz {
namespace fs = std::filesystem;

// How the parts are written down: each member by its name.
NLOHMANN_JSON_SERIALIZE_ENUM(Status, {{Status::kOpen, "open"},
                                      {Status::kGone, "gone"},
                                      {Status::kMended, "mended"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Moment, night, date, subject)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Change, at, what)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Recorded, page, sentence, cause, of_class, oracle, wrong, at,
                                   severity, question, security, releases, program, status,
                                   mended_in, first, last, changes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Night, night, date, subject, targets, seconds,
                                   executions_per_second, executions, lines, lines_of, news,
                                   reopened, back, gone, mended, still, still_pages, questions,
                                   unconfirmed, planted, found, why)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Reached, subject, numbers, missed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(State, format, begun, nights, reached, causes)

namespace {

constexpr const char* kFile = "state.json";
// What bounds the folder, however many nights there are.
constexpr std::size_t kMostNights = 1000, kMostCauses = 2000, kMostChanges = 100;

template <class List>
void keep_last(List& list, std::size_t most) {
  if (list.size() > most) list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(most));
}

// Those that were not seen for longest go first; pages stay.
void drop_old_causes(std::map<std::string, Recorded>& causes) {
  std::vector<std::pair<int, std::string>> by_age;
  for (const auto& [name, it] : causes)
    if (!it.is_page()) by_age.emplace_back(it.last.night, name);
  std::ranges::sort(by_age);
  for (const auto& [night, name] : by_age) {
    if (causes.size() <= kMostCauses) return;
    causes.erase(name);
  }
}

Result<State> read_state(const fs::path& file) {
  auto text = read_file_whole(file);
  if (!text) return std::unexpected(text.error());
  auto state = state_from_json(parse_json(*text));
  if (!state) return bad_input(fmt::format("{} {}", file.string(), state.error().message));
  return state;
}

}  // namespace

Json to_json(const State& state) { return state; }

Result<State> state_from_json(const Json& json) {
  if (!json.is_object()) return bad_input("is no state of nights");
  try {
    if (const int format = json.at("format"); format != kStateFormat)
      return bad_input(
          fmt::format("has format {}, and this storefuzz reads format {}", format, kStateFormat));
    return json.get<State>();
  } catch (const Json::exception& error) {
    return bad_input(fmt::format("is broken: {}", error.what()));
  }
}

Result<StateFolder> StateFolder::open(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_directory(folder, error))
    return bad_input(fmt::format("{} is no folder", folder.string()));
  const bool made = fs::create_directories(folder, error);
  if (error) return std::unexpected(cannot_write(folder, error.value()));
  Descriptor lock = lock_folder(folder);
  if (lock.get() < 0)
    return bad_input(fmt::format("another night is at work on {}", folder.string()));
  StateFolder opened(folder, std::move(lock));
  opened.made_ = made;
  if (!fs::exists(folder / kFile, error)) {
    // state.json.new is of a first night that was killed while it wrote.
    fs::remove(folder / (std::string(kFile) + ".new"), error);
    if (!fs::is_empty(folder, error))
      return bad_input(
          fmt::format("{} holds other files and no {}; name a new folder", folder.string(), kFile));
    return opened;
  }
  auto state = read_state(folder / kFile);
  if (!state) return std::unexpected(state.error());
  opened.state = std::move(*state);
  return opened;
}

Result<void> StateFolder::commit() {
  keep_last(state.nights, kMostNights);
  drop_old_causes(state.causes);
  for (auto& [name, it] : state.causes) keep_last(it.changes, kMostChanges);
  return write_file_whole(path_ / kFile, text_of(to_json(state), 1) + "\n", Durable::kYes);
}

void StateFolder::prune() const {
  std::error_code error;
  const int newest = state.nights.empty() ? 0 : state.nights.back().night;
  for (const auto& entry : fs::directory_iterator(path_ / "nights", error))
    if (std::atoi(entry.path().filename().c_str()) <= newest - kNightsKept)
      fs::remove_all(entry.path(), error);
  for (const auto& entry : fs::directory_iterator(path_ / "causes", error))
    if (!state.causes.contains(entry.path().filename().string()))
      fs::remove_all(entry.path(), error);
}

void StateFolder::drop_if_new() const {
  std::error_code error;
  if (made_) fs::remove(path_, error);  // only what is empty
}

}  // namespace storefuzz
