// See program_subject.h.
#include "harness/command/program_subject.h"

#include <utility>

namespace storefuzz {

std::set<std::string> releases_of(const program::Case& value) {
  std::set<std::string> releases;
  for (const program::Process& process : value.processes)
    if (!process.subject.empty()) releases.insert(process.subject);
  return releases;
}

Result<ProgramSubject> start_program_subject(const SubjectOptions& options,
                                             const std::set<std::string>& releases) {
  auto subject = prepare_subject(options);
  if (!subject) return std::unexpected(subject.error());
  Json others = Json::object();  // release → interpreter
  for (const std::string& release : releases) {
    auto other = find_subject({.zarr = release});
    if (!other) return std::unexpected(other.error());
    others[release] = other->python;
  }
  auto scratch = Scratch::make();
  if (!scratch) return std::unexpected(scratch.error());
  Settings settings;
  settings.python = subject->python;
  settings.scratch = scratch->path();
  settings.planted = options.planted;
  settings.subjects = text_of(others);
  settings.adapters = text_of(added_adapters());
  auto session = ProgramSession::start(settings);
  if (!session) return std::unexpected(session.error());
  return ProgramSubject{std::move(*subject), std::move(*scratch), std::move(*session)};
}

}  // namespace storefuzz
