// See secret_cases.h.
#include "harness/campaign/secret_cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "harness/campaign/regressions.h"
#include "harness/findings/security.h"
#include "harness/play/program_session.h"
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
  std::vector<bool> secret(cases.size());
  std::mutex mutex;
  std::optional<Error> failure;
  const auto stop = [&] {
    const std::scoped_lock lock(mutex);
    return failure || interrupted();
  };
  auto done = on_all_cores(settings, cases.size(), stop, [&](Sides& sides, std::size_t i) {
    auto found = is_secret(*sides.subject, cases[i]);
    const std::scoped_lock lock(mutex);
    if (found)
      secret[i] = *found;
    else
      failure = found.error();
    if (progress) progress(fmt::format("playing {} of {} cases", i + 1, cases.size()));
  });
  if (!done) return std::unexpected(done.error());
  if (failure) return std::unexpected(*failure);
  if (interrupted()) return machine_failure("interrupted before all cases were played");
  return secret;
}

}  // namespace storefuzz
