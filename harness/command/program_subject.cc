// See program_subject.h.
#include "harness/command/program_subject.h"

#include <utility>

namespace storefuzz {

Result<ProgramSubject> start_program_subject(const SubjectOptions& options,
                                             const std::set<std::string>& releases) {
  auto subject = prepare_subject(options);
  if (!subject) return std::unexpected(subject.error());
  auto others = interpreters_of(releases);
  if (!others) return std::unexpected(others.error());
  auto scratch = Scratch::make();
  if (!scratch) return std::unexpected(scratch.error());
  Settings settings;
  settings.python = subject->python;
  settings.scratch = scratch->path();
  settings.planted = options.planted;
  settings.subjects = *others;
  settings.adapters = text_of(added_adapters());
  auto session = ProgramSession::start(settings);
  if (!session) return std::unexpected(session.error());
  return ProgramSubject{std::move(*subject), std::move(*scratch), std::move(*session)};
}

}  // namespace storefuzz
