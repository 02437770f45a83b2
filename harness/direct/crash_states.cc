// One frame a snapshot: begin, make, list, each get, close, end.
#include "harness/direct/crash_states.h"

#include <set>
#include <utility>

#include "harness/case/make_text.h"
#include "harness/direct/disk.h"

namespace storefuzz::program {
namespace {

constexpr Slot kHandle = 1;
constexpr std::size_t kBeforeList = 2;  // begin, make

std::vector<Order> orders_for(const Make& make, const std::filesystem::path& folder,
                              const std::vector<std::string>& keys) {
  std::vector<Order> orders;
  orders.push_back({.verb = Verb::kBegin, .text = folder.string()});
  orders.push_back({.verb = Verb::kMake,
                    .result = kHandle,
                    .text = make_text(make),
                    .key = make.kind->kind,
                    .value = (folder / file_name(make)).string()});
  const auto call = [&](Op op, const std::string& key) {
    orders.push_back({.verb = Verb::kCall, .op = op, .handle = kHandle, .key = key});
  };
  call(Op::kList, "");
  for (const std::string& key : keys) call(Op::kGet, key);
  call(Op::kClose, "");
  orders.push_back({.verb = Verb::kEnd});
  return orders;
}

}  // namespace

std::vector<std::string> written_keys(const Case& value) {
  std::set<std::string> keys;
  for (const Place& place : value.before)
    for (const Entry& entry : place.entries) keys.insert(entry.key);
  for (const Step& step : value.steps)
    if (const Call* call = std::get_if<Call>(&step); call && operation(call->op).takes.value)
      keys.insert(call->key);
  return {keys.begin(), keys.end()};
}

CrashReader::CrashReader(Workers& workers, std::filesystem::path folder, Patience patience,
                         bool loop)
    : workers_(workers), folder_(std::move(folder)), patience_(patience), loop_(loop) {}

CrashReader::~CrashReader() {
  if (worker_ && worker_->alive()) workers_.give_back(std::move(*worker_));
}

Result<CrashState> CrashReader::read(const Make& written, const Snapshot& snapshot,
                                     const std::vector<std::string>& keys) {
  if (!worker_ || !worker_->alive()) {
    auto worker = workers_.lease(loop_);
    if (!worker) return std::unexpected(worker.error());
    worker_ = std::move(*worker);
  }
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (!empty(folder_)) return machine_failure("the folder of crash states cannot be emptied");
  if (auto done = restore(snapshot, folder_); !done) return std::unexpected(done.error());
  Make make = written;
  make.mode = Mode::kRead;
  make.read_only.reset();
  make.relative = false;
  CrashState state{.disk = look_at(snapshot, file_name(make), make.kind->medium)};
  Asked asked = worker_->ask(orders_for(make, folder_, keys), patience_);
  if (const auto* crash = std::get_if<Crashed>(&asked)) state.made = *crash;
  if (const auto* hang = std::get_if<TimedOut>(&asked)) state.made = *hang;
  auto* replies = std::get_if<std::vector<Reply>>(&asked);
  if (!replies) return state;
  state.made = std::move((*replies)[kBeforeList - 1].answer);
  state.listed = std::move((*replies)[kBeforeList].answer);
  for (std::size_t at = 0; at < keys.size(); ++at)
    state.read.emplace_back(keys[at], std::move((*replies)[kBeforeList + 1 + at].answer));
  return state;
}

}  // namespace storefuzz::program
