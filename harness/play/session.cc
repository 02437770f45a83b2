// Setting up a parent process, in the one right order: sandbox first, then threads and Python.
#include "harness/play/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <system_error>

#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/case/construct.h"
#include "harness/findings/reader_quirks.h"
#include "harness/play/settings.h"
#include "harness/process/sandbox.h"
#include "harness/process/scratch.h"
#include "harness/readers/install.h"

namespace storefuzz {
namespace {

constexpr Milliseconds kChildStarts{60'000};  // one interpreter, one import of zarr, a busy machine

const Settings& settings() {
  static const Settings all = settings_from_environment();
  return all;
}

// The adapters of strangers, as the supervisor read them.
Result<void> take_adapters() { return add_adapters(parse_json(settings().adapters)); }

// Where their modules are found.
std::vector<std::string> adapter_folders() {
  std::vector<std::string> folders;
  const Json list = parse_json(settings().adapters);
  for (const Json& entry : list)
    folders.push_back(std::filesystem::path(entry.value("file", "")).parent_path().string());
  return folders;
}

// This program as a spawned child (become_child_if_asked).
Command child_command() {
  Command child{.arguments = {"/proc/self/exe", "--child"}};
  for (const std::string& shared : {settings().board, settings().stacks})
    if (descriptor_of(shared) >= 0) child.descriptors.push_back(descriptor_of(shared));
  return child;
}

std::unexpected<Error> unusable(StoreKind kind, const std::string& what, const std::string& why) {
  return bad_input(fmt::format("the store \"{}\" of {} cannot be {}: {}", kind->kind,
                               std::filesystem::path(kind->file).filename().string(), what, why));
}

// Imports what a stranger's store needs, then makes one, in `child`. Each has a deadline, in
// deadlines of a visit.
Result<void> try_stranger(Process& child, StoreKind kind, const std::string& folder) {
  struct Attempt {
    const char* done;
    const char* by;
    bool make;
    int visits;
  };
  static constexpr Attempt kAttempts[] = {{"imported", "its import", false, 30},
                                          {"made", "its constructor", true, 10}};
  Case value;
  value.store = kind;
  value.constructor.mode = Mode::kWrite;
  normalise(value);
  for (const auto& [done, by, make, visits] : kAttempts) {
    if (make && kind->wraps) continue;  // a wrapper is made around another store
    const Milliseconds deadline(visits * std::atoi(settings().deadline.c_str()));
    const Json request{
        {"step", "try store"}, {"store", store_request(value)}, {"make", make}, {"folder", folder}};
    const Reply reply = child.ask(text_of(request), deadline);
    if (std::holds_alternative<TimedOut>(reply))
      return unusable(kind, done,
                      fmt::format("{} does not end within {} s", by, deadline.count() / 1000.0));
    if (const auto* crash = std::get_if<Crashed>(&reply))
      return unusable(kind, done, fmt::format("{} ends the process ({})", by, crash->signal));
    const Answer tried = answer_from_json(parse_json(std::get<std::string>(reply))["tried"]);
    if (const Refused* refusal = refused(tried))
      return unusable(
          kind, done,
          fmt::format("{}: {}", refusal->type, refusal->text.substr(0, refusal->text.find('\n'))));
  }
  return {};
}

Interpreter::Options interpreter_options(const Board* board, int stacks) {
  Interpreter::Options options{.python = settings().python,
                               .reference = reference_folder(),
                               .folders = adapter_folders(),
                               .planted = settings().planted,
                               .stacks = stacks};
  if (board && !settings().board.empty()) {
    options.lines = std::span(board->data().lines).first(kLineCounters - kVerdictCounters);
    options.ever = std::span(board->data().ever).first(kLineCounters - kVerdictCounters);
  }
  return options;
}

// Whether a store found the disk full. Such a store refuses alike on both sides, which is no
// agreement: the case was not played.
bool found_no_room(const Observations& seen) {
  static const std::string reasons[] = {std::generic_category().message(ENOSPC),
                                        std::generic_category().message(EDQUOT)};
  const auto no_room = [](const Answer& answer) {
    const Refused* refusal = refused(answer);
    return refusal && std::ranges::any_of(reasons, [&](const std::string& reason) {
             return refusal->text.find(reason) != std::string::npos;
           });
  };
  if (no_room(seen.constructed) || no_room(seen.meanwhile)) return true;
  if (std::ranges::any_of(seen.operations, no_room)) return true;
  return std::ranges::any_of(
      std::initializer_list<const View*>{&seen.child, &seen.returned, &seen.parent},
      [&](const View* view) {
        return no_room(view->received) || no_room(view->left) ||
               std::ranges::any_of(view->looks, no_room);
      });
}

}  // namespace

Result<std::unique_ptr<Session>> Session::start(const Options& wanted) {
  if (settings().python.empty())
    return machine_failure(
        "STOREFUZZ_PYTHON must name the interpreter of an environment with zarr");
  auto given = given_or_new_scratch(settings().scratch);
  if (!given) return std::unexpected(given.error());
  const std::string scratch = *given;
  const int shared = descriptor_of(settings().board);
  auto board = shared >= 0 ? Board::open(shared) : Board::make();
  if (!board) return std::unexpected(board.error());
  std::unique_ptr<Session> self(new Session(std::move(*board)));
  std::vector<std::filesystem::path> also;
  if (!settings().pools.empty()) also.emplace_back("/dev/shm");
  if (!settings().corpus.empty()) also.emplace_back(settings().corpus);
  self->scratch_ = scratch;
  auto contained = forbid_writes_outside(scratch, also);
  if (!contained) return std::unexpected(contained.error());
  self->containment_ = contained->sentence;
  self->oracles_off_ = comma_separated(settings().oracles_off);
  int stacks = descriptor_of(settings().stacks);
  if (stacks < 0) {
    static auto own = StackFile::make();  // open as long as the process lives
    if (!own) return std::unexpected(own.error());
    stacks = own->descriptor();
  }
  if (auto added = take_adapters(); !added) return std::unexpected(added.error());
  Interpreter::Options options = interpreter_options(&self->board_, stacks);
  options.fatal_stacks = wanted.fatal_stacks;
  auto quirks = load_quirks(options.reference + "/quirks.json");
  if (!quirks) return std::unexpected(quirks.error());
  self->quirks_ = std::move(*quirks);
  if (auto added = self->add_reader_quirks(options.reference); !added)
    return std::unexpected(added.error());
  auto interpreter = Interpreter::start(options);
  if (!interpreter) return std::unexpected(interpreter.error());
  self->interpreter_ = *interpreter;
  auto hello = self->interpreter_->ask({{"step", "hello"}});
  if (!hello) return std::unexpected(hello.error());
  self->release_ = hello->value("zarr", "");
  self->python_version_ = hello->value("python", "");
  if (auto found = self->find_stores(); !found) return std::unexpected(found.error());
  self->journeys_ = std::make_unique<Journeys>(
      *self->interpreter_,
      Journeys::Options{
          .folder = scratch,
          .child = child_command(),
          .deadline = Milliseconds(std::atoi(settings().deadline.c_str())),
          .stacks = stacks,
          .clock = &self->clock_,
          .waits = [board = &self->board_](
                       bool begins) { begins ? board->pause_watch() : board->watch_again(); },
          .readers = readers_beside_us(),
          .thrifty = wanted.thrifty});
  return self;
}

// What is zarr's way with a class of archives, as the quirks of its journeys.
Result<void> Session::add_reader_quirks(const std::string& folder) {
  auto readers = ReaderQuirks::load(folder + "/reader_quirks.json");
  if (!readers) return std::unexpected(readers.error());
  for (const ReaderQuirk& quirk : readers->all())
    if (quirk.reader == "zarr")
      quirks_.push_back(
          {.id = fmt::format("zarr {} archives of class {}", quirk.direction, quirk.zip_class),
           .store = "zip",
           .oracle = "readers agree",
           .field = quirk.zip_class,
           .wrong = quirk.direction,
           .first = quirk.first,
           .last = quirk.last,
           .reason = quirk.reason,
           .link = quirk.link,
           .example = {}});
  return {};
}

// Named or all: those that this subject has, and that this environment has the packages for.
Result<void> Session::find_stores() {
  auto carriers = parse_carriers(settings().carriers);
  if (!carriers) return std::unexpected(carriers.error());
  carriers_ = std::move(*carriers);
  auto stores = parse_stores(settings().stores);
  if (!stores) return std::unexpected(stores.error());
  // Only the director of programs has a server, and knows a cache beside the place.
  std::erase_if(*stores, [](StoreKind it) { return it->served || it->keeps; });
  if (stores->empty()) return bad_input("journeys cannot make such a store; programs can");
  if (auto tried = try_strangers(*stores); !tried) return tried;
  Json asked = Json::array();
  for (const StoreKind kind : *stores)
    asked.push_back({{"kind", kind->kind},
                     {"make", kind->make},
                     {"imports", kind->imports},
                     {"needs", kind->needs}});
  auto lacks = interpreter_->ask({{"step", "lacking"}, {"stores", asked}});
  if (!lacks) return std::unexpected(lacks.error());
  skipped_ = (*lacks)["stores"];
  lacking_carriers_ = (*lacks)["carriers"].get<std::vector<std::string>>();
  for (const StoreKind kind : *stores) {
    if (!skipped_.contains(kind->kind))
      stores_.push_back(kind);
    else if (!kind->file.empty())  // the user asked for the store by name
      return unusable(kind, "made", skipped_[kind->kind].get<std::string>());
  }
  if (stores_.empty())
    return bad_input(fmt::format("none of the stores can be had here: {}",
                                 skipped_.begin().value().get<std::string>()));
  return {};
}

// A store of a stranger that cannot be made would agree with everything. Its module may hang when
// it is imported, its constructor as well, and both may end the process: a child of ours tries them
// first, so that the user gets a sentence. The child is spawned and not forked, because a fork has
// none of the threads that a module started.
Result<void> Session::try_strangers(const Stores& stores) const {
  if (std::ranges::all_of(stores, [](StoreKind it) { return it->file.empty(); })) return {};
  auto child = Process::start(child_command());
  if (!child) return std::unexpected(child.error());
  const Reply hello = child->ask(text_of({{"step", "hello"}}), kChildStarts);
  if (!std::holds_alternative<std::string>(hello))
    return machine_failure("the child that tries a stranger's store does not start");
  const auto folder = std::filesystem::path(scratch_) / "try";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (const StoreKind kind : stores) {
    if (kind->file.empty()) continue;
    if (auto tried = try_stranger(*child, kind, folder.string()); !tried) return tried;
  }
  return {};
}

Case Session::fit(Case value) const {
  const auto lacks = [&](std::string_view carrier) {
    return std::ranges::find(lacking_carriers_, carrier) != lacking_carriers_.end();
  };
  if (lacks(name_of(value.carrier))) value.carrier = Carrier::kPickle5;
  if (!carriers_.empty() && std::ranges::find(carriers_, value.carrier) == carriers_.end())
    value.carrier = carriers_[std::hash<std::string>{}(to_text(value)) % carriers_.size()];
  if (value.pool == Pool::kDask && lacks("dask")) value.pool = Pool::kNone;
  normalise(value);
  return value;
}

void Session::leave_out(const std::string& oracles) { oracles_off_ = comma_separated(oracles); }

Result<void> Session::prepare() { return journeys_->prepare(); }

Result<Played> Session::play(const Case& value, Milliseconds asleep) {
  if (fit(value) != value)  // neither good nor bad
    return Played{.seen = {.constructed = Refused{.type = "ImportError"}}, .judged = {}};
  board_.begin_case(to_text(value));
  const std::int64_t begin = now_nanoseconds();
  auto seen = journeys_->play(value, asleep);
  const auto transport = static_cast<std::size_t>(value.transport);
  board_.data().transport_cases[transport] += 1;
  board_.data().transport_nanoseconds[transport] +=
      static_cast<std::uint64_t>(now_nanoseconds() - begin);
  board_.data().executions += 1;
  board_.end_case();
  clock_.enter(Phase::kJudging);
  if (!seen) return std::unexpected(seen.error());
  if (found_no_room(*seen)) return machine_failure("no space left in the scratch folder");
  Judged judged = judge(value, *seen, quirks_, release_, oracles_off_);
  if (judged.arrived) board_.data().arrived += 1;
  clock_.enter(Phase::kEngine);
  return Played{.seen = std::move(*seen), .judged = std::move(judged)};
}

void become_child_if_asked(int count, char** arguments) {
  if (count < 2 || std::string_view(arguments[1]) != "--child") return;
  std::optional<Board> board;
  if (const int shared = descriptor_of(settings().board); shared >= 0)
    if (auto opened = Board::open(shared)) board = std::move(*opened);
  Interpreter::Options options =
      interpreter_options(board ? &*board : nullptr, descriptor_of(settings().stacks));
  options.fatal_stacks = true;
  run_child(options, count > 2 && std::string_view(arguments[2]) == "--forkserver");
}

}  // namespace storefuzz
