// See program_session.h.
#include "harness/play/program_session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/direct/disk.h"
#include "harness/findings/reader_quirks.h"
#include "harness/generate/twins.h"
#include "harness/oracles/oracle.h"
#include "harness/process/scratch.h"
#include "harness/readers/install.h"
#include "harness/zip/classes.h"

namespace storefuzz {

using program::Workers;

namespace {

int nowhere() {
  static const Descriptor null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  return null.get();
}

program::ZygoteOptions zygote_options(const Settings& settings, int counters) {
  program::ZygoteOptions options{.python = settings.python,
                                 .reference = reference_folder(),
                                 .scratch = settings.scratch,
                                 .adapters = parse_json(settings.adapters),
                                 .planted = settings.planted,
                                 .counters = counters,
                                 .output = settings.prints ? -1 : nowhere()};
  for (const Json& adapter : options.adapters)
    options.folders.push_back(
        std::filesystem::path(adapter.value("file", "")).parent_path().string());
  return options;
}

Result<program::Interpreters> interpreters_from(const std::string& subjects) {
  try {
    return parse_json(subjects).get<program::Interpreters>();
  } catch (const Json::exception&) {
    return bad_input("STOREFUZZ_SUBJECTS is no JSON object of releases and interpreters");
  }
}

}  // namespace

ProgramSession::ProgramSession(Workers workers) : workers_(std::move(workers)) {}
ProgramSession::~ProgramSession() = default;

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
  auto carriers = parse_carriers(settings.carriers);
  if (!carriers) return std::unexpected(carriers.error());
  auto others = interpreters_from(settings.subjects);
  if (!others) return std::unexpected(others.error());
  auto workers = Workers::start(zygote_options(settings, counters), std::move(*others));
  if (!workers) return std::unexpected(workers.error());
  std::unique_ptr<ProgramSession> self(new ProgramSession(std::move(*workers)));
  self->scratch_ = settings.scratch;
  for (const auto& [release, python] : self->workers_.others()) self->releases_.push_back(release);
  auto quirks = program::load_quirks(reference_folder() + "/program_quirks.json");
  if (!quirks) return std::unexpected(quirks.error());
  self->quirks_ = std::move(*quirks);
  auto ways = ReaderQuirks::load(reference_folder() + "/reader_quirks.json");
  if (!ways) return std::unexpected(ways.error());
  self->reader_quirks_ = std::make_unique<const ReaderQuirks>(std::move(*ways));
  self->oracles_off_ = comma_separated(settings.oracles_off);
  self->carriers_ = std::move(*carriers);
  for (const StoreKind kind : *stores)
    if (!self->lacks(kind)) self->stores_.push_back(kind);
  static std::atomic<int> sessions = 0;  // several of a process may share a scratch folder
  program::Director::Options options{
      .folder = self->scratch_ / fmt::format("program-{}-{}", ::getpid(), sessions++)};
  options.patience.asleep = Milliseconds(std::max(1, std::atoi(settings.deadline.c_str())));
  options.python = settings.python;
  self->director_ = std::make_unique<program::Director>(self->workers_, options);
  Stores strangers;  // that these workers know
  for (const Json& adapter : parse_json(settings.adapters))
    for (const StoreKind kind : *stores)
      if (adapter.value("kind", "") == kind->kind) strangers.push_back(kind);
  if (auto tried = self->try_strangers(strangers); !tried) return std::unexpected(tried.error());
  if (self->stores_.empty()) return bad_input(self->why_none(*stores));
  return self;
}

namespace {

// Why a store cannot be made, as what was seen of a program that makes one tells it.
std::string why_not_made(const program::Observation& seen) {
  for (const program::SeenStep& step : seen.steps)
    for (const program::Answer& answer : step.answers) {
      if (const program::Refusal* refusal = program::refused(answer))
        return fmt::format("{}: {}", refusal->type,
                           refusal->text.substr(0, refusal->text.find('\n')));
      if (const auto* crash = std::get_if<Crashed>(&answer))
        return fmt::format("its constructor ends the process ({})", crash->signal);
      if (std::holds_alternative<TimedOut>(answer)) return "its constructor does not end";
    }
  return {};
}

}  // namespace

Result<void> ProgramSession::try_strangers(const Stores& strangers) {
  for (const StoreKind kind : strangers) {
    if (kind->wraps || kind->inner) continue;
    const auto lacks = workers_.subject().stores.find(kind->kind);
    std::string why = lacks == workers_.subject().stores.end() ? "" : lacks->second;
    if (why.empty()) {
      program::Case value{
          .steps = {program::Make{.kind = kind, .at = "z", .mode = Mode::kWrite, .as = "s0"}}};
      program::fit(value);
      auto seen = director_->play(value);
      if (!seen) return std::unexpected(seen.error());
      why = why_not_made(*seen);
    }
    if (!why.empty())
      return bad_input(fmt::format("the store \"{}\" of {} cannot be made: {}", kind->kind,
                                   std::filesystem::path(kind->file).filename().string(), why));
  }
  return {};
}

std::string ProgramSession::why_none(const Stores& stores) const {
  std::vector<std::string> reasons;
  for (const auto& [kind, why] : workers_.subject().stores)
    if (std::ranges::any_of(stores, [&](StoreKind it) { return is_or_wraps(it->kind, kind); }))
      reasons.push_back(fmt::format("{} ({})", kind, why));
  return fmt::format("none of the stores can be had in zarr {}: {}", workers_.subject().zarr,
                     fmt::join(reasons, ", "));
}

// A wrapper lacks as well where the store below it does.
bool ProgramSession::lacks(StoreKind kind) const {
  return std::ranges::any_of(workers_.subject().stores, [&](const auto& lacking) {
    return is_or_wraps(kind->kind, lacking.first);
  });
}

bool ProgramSession::makes_what_lacks(const program::Step& step) const {
  const auto* make = std::get_if<program::Make>(&step);
  return make && lacks(make->kind);
}

program::Case ProgramSession::fit(program::Case value) const {
  const auto& lacking = workers_.subject();
  std::erase_if(value.steps, [&](const program::Step& step) { return makes_what_lacks(step); });
  for (program::Step& step : value.steps)
    if (auto* carry = std::get_if<program::Carry>(&step)) {
      if (!carriers_.empty() && std::ranges::count(carriers_, carry->carrier) == 0)
        carry->carrier = carriers_.front();
      if (std::ranges::count(lacking.carriers, name_of(carry->carrier)) > 0)
        carry->carrier = Carrier::kPickle5;
    }
  for (program::Process& process : value.processes)
    if (!workers_.others().contains(process.subject)) process.subject.clear();
  program::fit(value);
  return value;
}

namespace {

// A twin costs as much as its program; where nothing is asked that stores answer in their own way,
// it tells little.
constexpr std::size_t kTwinsOneIn = 32, kTwinsOfQuestionsOneIn = 4;

bool asks_a_question(const program::Case& value, const program::Judged& judged) {
  return std::ranges::any_of(judged.answers, [&](const program::JudgedAnswer& it) {
    const auto* call = std::get_if<program::Call>(&value.steps[it.step]);
    return call && argument_of(*call, it) != program::Argument::kPlain;
  });
}

// Two more processes have to wake for every question.
constexpr std::size_t kReadersOneIn = 4;

// Of an archive that is wrong on purpose, what was put into it and is read; of one that was
// written, what surely lies there. Empty: not known, or nothing that the subject had a part in: the
// bytes of a rare form, which a reader may have its own way with, are ours.
std::vector<std::string> keys_to_ask(const program::Case& value, const program::Judged& judged,
                                     const std::string& place, bool written) {
  std::vector<std::string> keys;
  const bool twisted = std::ranges::any_of(value.before, [&](const program::Place& it) {
    return it.name == place && !it.twists.empty();
  });
  if (judged.after->wrong_as_made(place)) {
    for (const program::JudgedAnswer& it : judged.answers) {
      const auto* call = std::get_if<program::Call>(&value.steps[it.step]);
      const bool reads = call && call->op == program::Op::kGet && it.allowed.place == place;
      if (reads && std::ranges::count(keys, call->key) == 0) keys.push_back(call->key);
    }
  } else if (const auto content = judged.after->published(place); content && written && !twisted) {
    for (const auto& [key, bytes] : *content) keys.push_back(key);
  }
  return keys;
}

bool ended_badly(const program::Observation& seen) {
  return std::ranges::any_of(seen.steps, [](const program::SeenStep& step) {
    return std::ranges::any_of(step.answers, [](const program::Answer& it) {
      return std::holds_alternative<Crashed>(it) || std::holds_alternative<TimedOut>(it);
    });
  });
}

}  // namespace

std::set<program::Wrong> ProgramSession::known_ways(const std::vector<std::string>& classes) const {
  std::set<program::Wrong> ways;
  const auto add = [&](Direction direction, program::Wrong wrong) {
    const Difference way{
        .reader = "zarr", .version = workers_.subject().zarr, .direction = direction};
    if (reader_quirks_->match(classes, way)) ways.insert(wrong);
  };
  add(Direction::kMisses, program::Wrong::kAbsent);
  add(Direction::kOtherData, program::Wrong::kOtherValue);
  return ways;
}

Result<std::vector<program::ReadArchive>> ProgramSession::ask_readers(
    const program::Case& value, const program::Observation& seen, const program::Judged& judged,
    std::size_t drawn) {
  std::vector<program::ReadArchive> asked;
  if (drawn % kReadersOneIn != 0) return asked;
  for (const auto& [place, first] : seen.before) {
    const std::filesystem::path file = director_->file_of(place, Medium::kZip);
    // Its file may be gone, or a folder by now: there is nothing to ask.
    const std::string bytes = read_file_whole(file).value_or("");
    if (bytes.empty() || seen.steps.empty()) continue;
    // What was done after the last step (stores are dropped) is no longer what was judged.
    const auto last = seen.steps.back().disk.find(place);
    if (last == seen.steps.back().disk.end() ||
        program::look_at(file, Medium::kZip) != last->second)
      continue;
    ReaderRequest request{.file = file.string(),
                          .keys = keys_to_ask(value, judged, place, first != last->second)};
    if (request.keys.empty()) continue;
    if (!panel_) {
      auto commands = readers_beside_us();
      if (commands.empty()) return asked;
      auto started = Panel::start(std::move(commands), {.contain = scratch_.string()});
      if (!started) return std::unexpected(started.error());
      panel_ = std::move(*started);
    }
    const Classified kind = classify(bytes);
    asked.push_back({.place = place,
                     .readers = panel_->readers(),
                     .replies = panel_->ask(request),
                     .zip_class = kind.name,
                     .known_ways = known_ways(kind.all)});
  }
  return asked;
}

Result<std::vector<program::Twin>> ProgramSession::play_twins(const program::Case& value,
                                                              const program::Judged& judged,
                                                              std::size_t drawn, Effort effort) {
  std::vector<program::Twin> played;
  const std::size_t one_in = asks_a_question(value, judged) ? kTwinsOfQuestionsOneIn : kTwinsOneIn;
  if (stores_.size() < 2 || drawn % one_in != 0) return played;
  std::vector<program::Case> twins = program::twins_of(value, stores_);
  if (effort == Effort::kUsual && twins.size() > 1)
    twins = {std::move(twins[drawn / one_in % twins.size()])};
  for (program::Case& twin : twins) {
    auto seen = director_->start(twin);
    if (!seen) return std::unexpected(seen.error());
    // One that may hang is decided later, as a program of its own.
    if (*seen) played.push_back({.value = std::move(twin), .seen = std::move(**seen)});
  }
  return played;
}

Result<PlayedProgram> ProgramSession::judge(const program::Case& value, program::Observation seen,
                                            Effort effort) {
  enter(Phase::kJudging);
  PlayedProgram played{.seen = std::move(seen), .differences = {}};
  program::Judged judged = program::walk(value, played.seen);
  program::Beside known;
  // What is looked at is drawn by the program: so it is the same again. 0: everything.
  const std::size_t drawn = effort == Effort::kAll ? 0 : hash_of(value);
  enter(Phase::kReaders);
  auto archives = ask_readers(value, played.seen, judged, drawn);
  if (!archives) return std::unexpected(archives.error());
  known.archives = std::move(*archives);
  if (!ended_badly(played.seen)) {
    enter(Phase::kTwins);
    auto twins = play_twins(value, judged, drawn, effort);
    if (!twins) return std::unexpected(twins.error());
    known.twins = std::move(*twins);
  }
  enter(Phase::kJudging);
  judged.beside = &known;
  if (!known.twins.empty()) judged = program::walk(value, played.seen, &known);
  tell(value, judged, played);
  return played;
}

void ProgramSession::tell(const program::Case& value, const program::Judged& judged,
                          PlayedProgram& played) const {
  played.differences = program::judge(value, judged, played.seen);
  program::remove(played.differences, [&](const program::Difference& it) {
    // A program of another release may make what this one never had.
    return std::ranges::count(oracles_off_, it.oracle) > 0 ||
           (it.where.step < value.steps.size() && makes_what_lacks(value.steps[it.where.step]));
  });
  played.quirks = program::take_out(quirks_, value, workers_.subject().zarr, played.differences);
}

Result<PlayedProgram> ProgramSession::play(const program::Case& value, Effort effort) {
  if (auto room = check_room(scratch_); !room) return std::unexpected(room.error());
  enter(Phase::kPlaying);
  auto seen = director_->play(value);
  if (!seen) return std::unexpected(seen.error());
  return judge(value, std::move(*seen), effort);
}

Result<std::optional<PlayedProgram>> ProgramSession::start(const program::Case& value) {
  if (auto room = check_room(scratch_); !room) return std::unexpected(room.error());
  enter(Phase::kPlaying);
  auto seen = director_->start(value);
  if (!seen) return std::unexpected(seen.error());
  if (!*seen) return std::nullopt;
  auto played = judge(value, std::move(**seen), Effort::kUsual);
  if (!played) return std::unexpected(played.error());
  return std::move(*played);
}

// A process of theirs ended badly: nothing else is looked at.
std::vector<std::pair<program::Case, PlayedProgram>> ProgramSession::take_decided(bool wait) {
  std::vector<std::pair<program::Case, PlayedProgram>> all;
  for (auto& [value, seen] : director_->take_decided(wait)) {
    PlayedProgram played{.seen = std::move(seen), .differences = {}};
    tell(value, program::walk(value, played.seen), played);
    all.emplace_back(std::move(value), std::move(played));
  }
  return all;
}

Json ProgramSession::skipped() const { return workers_.subject().stores; }

std::chrono::nanoseconds ProgramSession::processor_time() const {
  return storefuzz::processor_time(::getpid()) + workers_.processor_time();
}

}  // namespace storefuzz
