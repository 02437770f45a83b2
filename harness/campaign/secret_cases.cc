// See secret_cases.h.
#include "harness/campaign/secret_cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "harness/findings/security.h"
#include "harness/play/program_session.h"
#include "harness/process/cores.h"
#include "harness/process/interruption.h"

namespace storefuzz {
namespace {

Result<bool> is_secret(ProgramSession& session, const CorpusCase& it) {
  if (it.secret || !it.program) return it.secret;
  auto value = program::parse_case(it.text);
  if (!value) return std::unexpected(value.error());
  auto played = session.play(session.fit(std::move(*value)));
  if (!played) return std::unexpected(played.error());
  return std::ranges::any_of(played->differences, [](const program::Difference& difference) {
    return !program::security_of(difference.wrong).empty();
  });
}

}  // namespace

Result<std::vector<bool>> find_secret(const Settings& settings,
                                      const std::vector<CorpusCase>& cases,
                                      const std::function<void(std::string_view)>& progress) {
  std::vector<char> secret(cases.size());  // whose members several threads may write
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::optional<Error> failure;
  const auto work = [&] {
    auto session = ProgramSession::start(settings);
    std::optional<Error> failed = session ? std::optional<Error>() : session.error();
    for (std::size_t i = next++; i < cases.size() && !failed && !interrupted(); i = next++) {
      auto found = is_secret(**session, cases[i]);
      if (found)
        secret[i] = *found;
      else
        failed = found.error();
      const std::scoped_lock lock(mutex);
      if (progress) progress(fmt::format("playing {} of {} cases", i + 1, cases.size()));
    }
    const std::scoped_lock lock(mutex);
    if (failed && !failure) failure = failed;
    if (failed) next = cases.size();
  };
  {
    std::vector<std::jthread> workers;
    const std::size_t most = std::max<std::size_t>(1, own_cores().size());
    for (std::size_t i = 0; i < std::min(most, cases.size()); ++i) workers.emplace_back(work);
  }
  if (failure) return std::unexpected(*failure);
  if (interrupted()) return machine_failure("interrupted before all cases were played");
  return std::vector<bool>(secret.begin(), secret.end());
}

}  // namespace storefuzz
