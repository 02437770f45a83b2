// See program_session.h.
#include "harness/play/program_session.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "harness/base/paths.h"
#include "harness/oracles/oracle.h"
#include "harness/process/scratch.h"

namespace storefuzz {

using program::Workers;

namespace {

program::ZygoteOptions zygote_options(const Settings& settings, int counters) {
  program::ZygoteOptions options{.python = settings.python,
                                 .reference = reference_folder(),
                                 .scratch = settings.scratch,
                                 .adapters = parse_json(settings.adapters),
                                 .planted = settings.planted,
                                 .counters = counters,
                                 .stacks = descriptor_of(settings.stacks)};
  for (const Json& adapter : options.adapters)
    options.folders.push_back(
        std::filesystem::path(adapter.value("file", "")).parent_path().string());
  return options;
}

PlayedProgram judged(const program::Case& value, program::Observation seen) {
  PlayedProgram played{.seen = std::move(seen), .differences = {}};
  played.differences = program::judge(value, played.seen);
  return played;
}

Result<program::Interpreters> interpreters_from(const std::string& subjects) {
  try {
    return parse_json(subjects).get<program::Interpreters>();
  } catch (const Json::exception&) {
    return bad_input("STOREFUZZ_SUBJECTS is no JSON object of releases and interpreters");
  }
}

}  // namespace

Result<std::unique_ptr<ProgramSession>> ProgramSession::start(const Settings& settings,
                                                              int counters) {
  if (settings.python.empty())
    return machine_failure(
        "STOREFUZZ_PYTHON must name the interpreter of an environment with zarr");
  // Where no time zone is set, the C library looks at /etc/localtime again whenever a zip entry's
  // time is made or read, here and in the workers.
  ::setenv("TZ", "UTC0", 0);
  // Each case takes a little more than the one before it left, and gives it back: the kernel would
  // clear the same pages again and again.
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  auto stores = parse_stores(settings.stores);
  if (!stores) return std::unexpected(stores.error());
  auto others = interpreters_from(settings.subjects);
  if (!others) return std::unexpected(others.error());
  auto workers = Workers::start(zygote_options(settings, counters), std::move(*others));
  if (!workers) return std::unexpected(workers.error());
  std::unique_ptr<ProgramSession> self(new ProgramSession(std::move(*workers)));
  self->scratch_ = settings.scratch;
  for (const auto& [release, python] : self->workers_.others()) self->releases_.push_back(release);
  for (const StoreKind kind : *stores)
    if (!self->workers_.subject().stores.contains(kind->kind)) self->stores_.push_back(kind);
  if (self->stores_.empty())
    return bad_input(fmt::format("none of the stores can be had in zarr {}: {}",
                                 self->workers_.subject().zarr, settings.stores));
  program::Director::Options options{.folder =
                                         self->scratch_ / fmt::format("program-{}", ::getpid())};
  options.patience.asleep = Milliseconds(std::max(1, std::atoi(settings.deadline.c_str())));
  options.python = settings.python;
  self->director_ = std::make_unique<program::Director>(self->workers_, options);
  return self;
}

program::Case ProgramSession::fit(program::Case value) const {
  const auto& lacking = workers_.subject();
  std::erase_if(value.steps, [&](program::Step& step) {
    const auto* make = std::get_if<program::Make>(&step);
    return make && lacking.stores.contains(make->kind->kind);
  });
  for (program::Step& step : value.steps)
    if (auto* carry = std::get_if<program::Carry>(&step))
      if (std::ranges::count(lacking.carriers, name_of(carry->carrier)) > 0)
        carry->carrier = Carrier::kPickle5;
  for (program::Process& process : value.processes)
    if (!workers_.others().contains(process.subject)) process.subject.clear();
  program::fit(value);
  return value;
}

Result<PlayedProgram> ProgramSession::play(const program::Case& value) {
  if (auto room = check_room(scratch_); !room) return std::unexpected(room.error());
  auto seen = director_->play(value);
  if (!seen) return std::unexpected(seen.error());
  return judged(value, std::move(*seen));
}

Result<std::optional<PlayedProgram>> ProgramSession::start(const program::Case& value) {
  if (auto room = check_room(scratch_); !room) return std::unexpected(room.error());
  auto seen = director_->start(value);
  if (!seen) return std::unexpected(seen.error());
  if (!*seen) return std::nullopt;
  return judged(value, std::move(**seen));
}

std::vector<std::pair<program::Case, PlayedProgram>> ProgramSession::take_decided(bool wait) {
  std::vector<std::pair<program::Case, PlayedProgram>> all;
  for (auto& [value, seen] : director_->take_decided(wait)) {
    PlayedProgram played = judged(value, std::move(seen));
    all.emplace_back(std::move(value), std::move(played));
  }
  return all;
}

std::chrono::nanoseconds ProgramSession::processor_time() const {
  return storefuzz::processor_time(::getpid()) + workers_.processor_time();
}

}  // namespace storefuzz
