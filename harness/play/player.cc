// The command's side of fuzz/player.cc.
#include "harness/play/player.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "harness/base/paths.h"
#include "harness/play/settings.h"

namespace storefuzz {
namespace {

constexpr Milliseconds kStart{180'000};     // two interpreters, two imports of zarr, a busy machine
constexpr Milliseconds kParentGrace{4000};  // beyond its child's deadline, before a parent "hangs"

}  // namespace

Result<Player> Player::start(Options options) {
  auto stacks = StackFile::make();
  if (!stacks) return std::unexpected(stacks.error());
  Player player(std::move(options), std::move(*stacks));
  if (auto launched = player.launch(); !launched) return std::unexpected(launched.error());
  return player;
}

Result<void> Player::launch() {
  static std::atomic<int> number = 0;
  const std::filesystem::path folder =
      options_.scratch / fmt::format("player-{}", number.fetch_add(1));
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  Settings settings{.python = options_.python,
                    .scratch = folder.string(),
                    .deadline = std::to_string(options_.deadline.count()),
                    .planted = options_.planted,
                    .pools = "1",
                    .stacks = std::to_string(stacks_.descriptor())};
  settings.adapters = text_of(added_adapters());
  auto environment = to_environment(settings);
  environment["TMPDIR"] = folder.string();
  Command command{.arguments = {built_program("storefuzz-player").string()},
                  .environment = std::move(environment),
                  .descriptors = {stacks_.descriptor()}};
  // zarr and its dependencies print warnings: these go to a log. A failed start is told by a frame.
  const Descriptor log(::open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  command.output = log.get();
  auto process = Process::start(command);
  if (!process) return std::unexpected(process.error());
  const auto until = std::chrono::steady_clock::now() + kStart;
  while (!process->has_reply(Milliseconds(50)) && std::chrono::steady_clock::now() < until)
    if (options_.stop && options_.stop())
      return machine_failure("interrupted while zarr was being started");
  const Reply hello = process->wait(Milliseconds(1000), &stacks_);  // the rest of the frame
  const std::string* text = std::get_if<std::string>(&hello);
  if (!text) return machine_failure(fmt::format("a player does not start: {}", to_shell(command)));
  const Json json = Json::parse(*text, nullptr, false);
  if (json.contains("error"))
    return std::unexpected(Error{.code = static_cast<ExitCode>(json.value("code", 3)),
                                 .message = json.value("error", "")});
  release_ = json.value("release", "");
  python_version_ = json.value("python", "");
  containment_ = json.value("containment", "");
  process_ = std::move(*process);
  return {};
}

PlayedCase Player::died(const Case& value, const Reply& reply) {
  PlayedCase played;
  process_.reset();
  if (const auto* hang = std::get_if<TimedOut>(&reply))
    played.findings.push_back(parent_hang(value, hang->stacks));
  if (const auto* crash = std::get_if<Crashed>(&reply))
    played.findings.push_back(parent_crash(value, crash->signal, crash->stacks));
  return played;
}

Result<PlayedCase> Player::play(const Case& value) {
  if (!process_)
    if (auto launched = launch(); !launched) return std::unexpected(launched.error());
  const Json request{{"case", to_json(value)}, {"oracles off", options_.oracles_off}};
  const Reply reply =
      process_->ask(text_of(request), options_.deadline * 2 + kParentGrace, &stacks_);
  const std::string* text = std::get_if<std::string>(&reply);
  if (!text) return died(value, reply);
  const Json json = Json::parse(*text, nullptr, false);
  if (json.contains("error"))
    return std::unexpected(Error{.code = static_cast<ExitCode>(json.value("code", 3)),
                                 .message = json.value("error", "")});
  PlayedCase played{.quirks = json.value("quirks", std::map<std::string, int>()),
                    .observations = json.value("observations", Json()),
                    .constructed = answer_from_json(json.value("constructed", Json::object())),
                    .arrived = json.value("arrived", false)};
  for (const Json& entry : json.value("findings", Json::array())) {
    auto found = finding_from_json(entry);
    if (!found) return std::unexpected(found.error());
    played.findings.push_back(std::move(*found));
  }
  if (json.value("spoiled", false)) process_.reset();
  return played;
}

const Finding* find(const std::vector<Finding>& findings, std::string_view fingerprint) {
  auto found = std::ranges::find(findings, fingerprint, &Finding::fingerprint);
  return found == findings.end() ? nullptr : &*found;
}

}  // namespace storefuzz
