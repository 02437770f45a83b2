// See unsupervised.h.
#include "harness/campaign/unsupervised.h"

#include <fmt/format.h>

#include <cstdint>

#include "harness/base/text.h"

namespace storefuzz {
namespace {

// What a service gives to one input (`timeout` of a target's .options) must be more.
constexpr Milliseconds kBudget{60'000};

// 1, 10, 100, …
bool is_power_of_ten(std::uint64_t number) {
  while (number % 10 == 0 && number > 0) number /= 10;
  return number == 1;
}

// FNV-1a: the same in every build, as services keep what they were told.
std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211U;
  return hash;
}

}  // namespace

Result<std::unique_ptr<Unsupervised>> Unsupervised::start(const Settings& settings,
                                                          const std::string& release) {
  auto known = load_known(settings.known);
  if (!known) return std::unexpected(known.error());
  DossierOptions options{.python = settings.python,
                         .release = release,
                         .scratch = settings.scratch,
                         .planted = settings.planted,
                         .budget = kBudget,
                         .known = std::move(*known)};
  return std::unique_ptr<Unsupervised>(new Unsupervised(settings, std::move(options)));
}

Result<std::optional<Dossier>> Unsupervised::look_at(const Finding& found) {
  if (!is_power_of_ten(++seen_[found.key])) return std::nullopt;
  if (!sides_) {
    auto sides = Sides::start(settings_);
    if (!sides) return std::unexpected(sides.error());
    sides_.emplace(std::move(*sides));
    sides_->subject->use_workers_once();
    if (sides_->against) sides_->against->session().use_workers_once();
  }
  auto dossier = reduce_finding(*sides_->subject, found, options_, sides_->against.get());
  // A fault of ours costs its finding, as it does in a run.
  if (!dossier || !dossier->reduced) return std::nullopt;
  if (find_known(options_.known, dossier->cause, options_.release)) return std::nullopt;
  // What is half reduced has not its cause yet, and may be known.
  if (!dossier->whole) return std::nullopt;
  if (auto done = confirm_dossier(*sides_->subject, *dossier, options_); !done)
    return std::unexpected(done.error());
  if (!dossier->confirmed) return std::nullopt;
  return std::move(*dossier);
}

std::string assertion_line(const std::string& cause) {
  return fmt::format("Assertion failure: FuzzerHash={:016x} {}", stable_hash(cause),
                     printable(cause));
}

}  // namespace storefuzz
