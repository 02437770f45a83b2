// See against.h.
#include "harness/play/against.h"

#include <algorithm>

#include "harness/findings/cause.h"

namespace storefuzz {

using program::Difference;

Result<std::unique_ptr<Against>> Against::start(const Settings& settings) {
  if (settings.base.empty()) return nullptr;
  Settings other = settings;
  other.python = settings.base;
  other.planted.clear();
  auto session = ProgramSession::start(other);
  if (!session) return std::unexpected(session.error());
  return std::unique_ptr<Against>(new Against(std::move(*session)));
}

Result<std::size_t> Against::take_out(const program::Case& value, PlayedProgram& played,
                                      Effort effort) {
  const auto told = [](const Difference& it) { return it.first || it.question; };
  if (std::ranges::none_of(played.differences, told)) return 0;
  if (session_->fit(value) != value) return 0;
  auto base = session_->play(value, effort);
  if (!base) return std::unexpected(base.error());
  return take_out(value, played, *base);
}

std::size_t Against::take_out(const program::Case& value, PlayedProgram& played,
                              const PlayedProgram& base) {
  return std::erase_if(played.differences, [&](const Difference& it) {
    return std::ranges::any_of(base.differences, [&](const Difference& other) {
      return it.where == other.where && class_of(value, it) == class_of(value, other);
    });
  });
}

Result<Sides> Sides::start(const Settings& settings) {
  auto subject = ProgramSession::start(settings);
  if (!subject) return std::unexpected(subject.error());
  auto against = Against::start(settings);
  if (!against) return std::unexpected(against.error());
  return Sides{.subject = std::move(*subject), .against = std::move(*against)};
}

}  // namespace storefuzz
