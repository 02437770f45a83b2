// The steps: folder, archive, build, pack, visit, come back, look at home, leave, look at the disk.
#include "harness/journey/journey.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "harness/base/text.h"
#include "harness/case/construct.h"
#include "harness/journey/expectation.h"
#include "harness/journey/oracles/all.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds kChildStart{
    120'000};  // a fresh interpreter and `import zarr`, on a busy day
constexpr std::size_t kReadersOneIn = 8;  // of the archives that nobody wrote, in a thrifty loop

Result<void> write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return machine_failure("the scratch folder cannot be written: is the disk full?");
  return {};
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A folder of files; a normalised case has only plain keys there.
Result<void> write_tree(const Archive& archive, const fs::path& folder) {
  const fs::path root = folder / "store";
  std::error_code error;
  fs::create_directories(root, error);
  for (const Entry& entry : archive.entries) {
    const fs::path path = root / entry.key;
    fs::create_directories(path.parent_path(), error);
    if (auto written = write_file(path, entry.bytes()); !written) return written;
  }
  return {};
}

Json look_to_json(const Look& look) {
  return {{"do", look.name},           {"key", look.entry.key},
          {"value", look.entry.value}, {"repeat", look.entry.repeat},
          {"start", look.start},       {"end", look.end},
          {"family", name_of(look.group)}};
}

Json operation_to_request(const Operation& operation) {
  return {{"do", name_of(operation.what)},  {"key", operation.entry.key},
          {"value", operation.entry.value}, {"repeat", operation.entry.repeat},
          {"start", operation.start},       {"end", operation.end}};
}

Json plan_to_json(const std::vector<Look>& plan) {
  Json json = Json::array();
  for (const Look& look : plan) json.push_back(look_to_json(look));
  return json;
}

bool packs(const Case& value) {
  return value.carrier != Carrier::kMadeAnew && value.carrier != Carrier::kInherited;
}

bool looks_at_state(const Case& value) {
  return std::ranges::find(value.looks, LookGroup::kState) != value.looks.end();
}

// Files at the end that are neither the store nor part of it.
std::vector<std::string> strange_files(const Case& value, const Expectation& expected,
                                       const Mark& mark) {
  if (expected.gone) return {};
  // A store in one file of its own names its files as it likes.
  if (value.store->medium == Medium::kMemory && value.store->shared == Shared::kPlace) return {};
  const bool zip = value.store->medium == Medium::kZip;
  const auto local = [&](const std::string& name) {
    if (value.store->medium != Medium::kFolder || !name.starts_with("store/")) return false;
    // LocalStore writes to a file beside the key's, and must not leave it there.
    return !name.ends_with(".partial") || expected.content.contains(name.substr(6));
  };
  std::vector<std::string> strange;
  for (const auto& [name, content] : mark.files.items())
    if (zip ? name != "store.zip" : !local(name)) strange.push_back(name);
  return strange;
}

// A forked Python takes milliseconds to be unmapped once it is killed. It is reaped when the next
// one goes: until then there is one zombie, and no wait.
void let_go(Process child) {
  static std::optional<Process> dying;
  if (child.alive()) ::kill(child.pid(), SIGKILL);
  dying = std::move(child);
}

// What a forked child does with a question. That side.py fails is our own bug: never taken for a
// reply, and told in the log.
std::function<std::string(const std::string&)> answer_by(Interpreter& interpreter) {
  return [&](const std::string& question) {
    auto reply = interpreter.ask_text(question);
    if (reply) return *reply;
    fmt::print(stderr, "storefuzz: {}\n", reply.error().message);
    std::fflush(stderr);
    ::_exit(kSideFailed);
  };
}

}  // namespace

Journeys::Journeys(Interpreter& interpreter, Options options)
    : interpreter_(interpreter),
      options_(std::move(options)),
      stacks_(options_.stacks),
      // Nested, so that a key that climbs a little stays inside the run's scratch folder.
      case_folder_(options_.folder / "deep" / "er" / "case") {}

void Journeys::enter(Phase phase) {
  if (options_.clock) options_.clock->enter(phase);
}

// What a side says that it spent on looks and marks, wherever it ran.
void Journeys::take_times(const Json& reply) {
  auto took = reply.find("took");
  if (took == reply.end() || !options_.clock) return;
  for (const auto& [name, nanoseconds] : took->items())
    if (const auto phase = phase_named(name))
      options_.clock->give(*phase, nanoseconds.get<std::uint64_t>());
}

Result<Json> Journeys::step(const char* name, Json&& request) {
  return step(name, request);
}

Result<Json> Journeys::step(const char* name, Json& request) {
  request["step"] = name;
  auto reply = interpreter_.ask(request);
  if (reply) take_times(*reply);
  return reply;
}

Result<void> Journeys::prepare() {
  if (auto spawned = prepare_child(Transport::kSpawn); !spawned) return spawned;
  if (auto started = start_readers(); !started) return started;
  return prepare_child(Transport::kForkserver);
}

template <class Body>
auto Journeys::wait_for(const Body& body) {
  options_.waits(true);
  auto reply = interpreter_.without_lock(body);
  options_.waits(false);
  return reply;
}

Result<void> Journeys::prepare_child(Transport transport) {
  std::optional<Process>& place = children_[transport];
  if (place && place->alive()) return {};
  Command command = options_.child;
  if (transport == Transport::kForkserver) command.arguments.emplace_back("--forkserver");
  command.environment["STOREFUZZ_STACKS"] = std::to_string(stacks_.descriptor());
  command.descriptors.push_back(stacks_.descriptor());
  auto child = Process::start(command);
  if (!child) return std::unexpected(child.error());
  Reply hello =
      wait_for([&] { return child->ask(R"({"step":"hello"})", kChildStart, &stacks_); });
  if (!std::holds_alternative<std::string>(hello))
    return machine_failure(fmt::format("a spawned child does not start: {}", to_shell(command)));
  place = std::move(*child);
  return {};
}

Result<void> Journeys::make_folder(const Case& value) {
  enter(Phase::kFolder);
  std::error_code error;
  fs::current_path(options_.folder, error);
  fs::remove_all(case_folder_, error);
  fs::create_directories(case_folder_, error);
  if (error) return machine_failure("the scratch folder cannot be made: " + error.message());
  archive_begin_.clear();
  if (!value.archive) return {};
  if (value.store->medium != Medium::kZip) return write_tree(*value.archive, case_folder_);
  auto bytes = bytes_of(*value.archive);
  if (!bytes) return std::unexpected(bytes.error());
  archive_begin_ = std::move(*bytes);
  return write_file(case_folder_ / "store.zip", archive_begin_);
}

Result<void> Journeys::build(const Case& value, Observations& seen) {
  enter(Phase::kBuild);
  Json operations = Json::array();
  for (const Operation& operation : operations_of(value))
    operations.push_back(operation_to_request(operation));
  auto reply = step("build", {{"store", store_request(value)},
                              {"warm", value.parent == Warmth::kWarm},
                              {"folder", case_folder_.string()},
                              {"operations", std::move(operations)}});
  if (!reply) return std::unexpected(reply.error());
  seen.constructed = answer_at(*reply, "constructed");
  for (const Json& answer : (*reply)["operations"])
    seen.operations.push_back(answer_from_json(answer));
  if (!shown(seen.constructed)) return {};
  seen.state_before = state_from_json((*reply)["state"]);
  seen.mark_built = seen.mark_packed = mark_from_json((*reply)["mark"]);
  return {};
}

Result<Observations> Journeys::play(const Case& value, Milliseconds asleep) {
  // A child waits for its grandchild, asleep.
  asleep_ = value.comes_back == ComesBack::kGrandchild ? Milliseconds(0) : asleep;
  if (fresh_interpreter(value.transport))
    if (auto ready = prepare_child(value.transport); !ready) return std::unexpected(ready.error());
  Observations seen;
  if (auto made = make_folder(value); !made) return std::unexpected(made.error());
  if (auto built = build(value, seen); !built) return std::unexpected(built.error());
  if (!shown(seen.constructed)) return seen;
  seen.built = std::make_shared<const Expectation>(expect(value, seen.operations));
  seen.plan = make_plan(value, *seen.built);
  Json request{{"store", store_request(value)},
               {"folder", case_folder_.string()},
               {"carrier", name_of(value.carrier)},
               {"cargo", name_of(value.cargo)},
               {"twice", value.twice},
               {"pool", name_of(value.pool)},
               {"transport", name_of(value.transport)},
               {"surroundings", name_of(value.surroundings)},
               {"comes back", name_of(value.comes_back)},
               {"driver", name_of(value.driver)},
               {"look at state", looks_at_state(value)},
               {"mark", {{"files", seen.mark_built.files}}},
               {"thrifty", options_.thrifty},
               {"asleep", asleep_.count()},
               {"deadline", static_cast<double>(options_.deadline.count()) / 1000.0}};
  if (auto sent = send_off(value, seen, request); !sent) return std::unexpected(sent.error());
  request["plan"] = plan_to_json(seen.plan);
  const bool travels = !packs(value) || shown(seen.packed);
  if (travels)
    if (auto visited = visit(value, seen, request); !visited)
      return std::unexpected(visited.error());
  if (spoiled_) return seen;
  request.erase("plan");  // from here on the parent looks, by a plan of its own
  if (auto looked = look_at_returned(value, seen, request); !looked)
    return std::unexpected(looked.error());
  if (auto finished = finish(value, seen, request); !finished)
    return std::unexpected(finished.error());
  return seen;
}

Result<void> Journeys::send_off(const Case& value, Observations& seen, Json& request) {
  if (packs(value) && value.pool == Pool::kNone) {
    enter(Phase::kPack);
    auto packed = step("pack", request);
    if (!packed) return std::unexpected(packed.error());
    seen.cargo = answer_at(*packed, "cargo");
    seen.packed = answer_at(*packed, "packed");
    if (auto state = packed->find("state before"); state != packed->end())
      seen.state_before = state_from_json(*state);
    if (auto state = packed->find("state"); state != packed->end())
      seen.state_packed = state_from_json(*state);
    if (auto mark = packed->find("mark"); mark != packed->end())
      seen.mark_packed = mark_from_json(*mark);
    if (auto pickle = packed->find("pickle"); pickle != packed->end()) request["pickle"] = *pickle;
    if (!shown(seen.packed)) return {};
  }
  // A pool packs by itself, and refuses by itself.
  if (value.pool != Pool::kNone) seen.packed = Shown{};
  seen.mark_sent = seen.mark_packed;
  if (value.meanwhile == Meanwhile::kIdle) return {};
  enter(Phase::kMeanwhile);
  auto done =
      step("meanwhile", {{"what", name_of(value.meanwhile)},
                         {"warm", value.parent == Warmth::kWarm},
                         {"place", value.store->medium == Medium::kZip ? "store.zip" : "store"}});
  if (!done) return std::unexpected(done.error());
  seen.meanwhile = answer_at(*done, "done");
  if (auto mark = done->find("mark"); mark != done->end()) {
    seen.mark_sent = mark_from_json(*mark);
    request["mark"] = {{"files", seen.mark_sent.files}};
  }
  return {};
}

Result<void> Journeys::visit(const Case& value, Observations& seen, Json& request) {
  enter(Phase::kVisit);
  returned_pickle_.clear();
  const bool pool = value.pool != Pool::kNone;
  const bool here = in_this_process(value.transport);
  request["same process"] = here;
  request["forked"] = value.transport == Transport::kFork && !pool;
  if (!here && !pool) return visit_elsewhere(value, seen, request);
  auto reply = step(pool                                    ? "visit in pool"
                    : value.transport == Transport::kThread ? "visit in thread"
                                                            : "visit",
                    request);
  if (!reply) return std::unexpected(reply.error());
  if (auto hang = reply->find("timed out"); hang != reply->end()) {
    seen.child.died = TimedOut{hang->get<std::string>()};
    if (options_.clock) options_.clock->was(Phase::kHangs);
    spoiled_ = here;
    return {};
  }
  take_reply(*reply, seen);
  return {};
}

void Journeys::take_reply(const Json& reply, Observations& seen) {
  read_view(reply, seen.child);
  if (auto refused = reply.find("pool refused"); refused != reply.end())
    seen.packed = answer_from_json(*refused);
  if (auto cargo = reply.find("cargo"); cargo != reply.end()) seen.cargo = answer_from_json(*cargo);
  if (auto died = reply.find("died"); died != reply.end())
    seen.child.died = answer_from_json(*died);
  if (auto pickle = reply.find("pickle"); pickle != reply.end())
    returned_pickle_ = pickle->get<std::string>();
  if (auto view = reply.find("grandchild"); view != reply.end()) {
    read_view(*view, seen.returned);
    if (auto died = view->find("died"); died != view->end())
      seen.returned.died = answer_from_json(*died);
  }
}

Result<Reply> Journeys::ask_child(const Case& value, const std::string& request) {
  stacks_.take();
  if (fresh_interpreter(value.transport)) {
    // A fork server has the deadline of its own child in hand, and a moment more for itself.
    const Milliseconds more(value.transport == Transport::kForkserver ? 2000 : 0);
    std::optional<Process>& child = children_[value.transport];
    // A fork server sleeps while it waits, and looks after its child itself.
    const Milliseconds asleep = value.transport == Transport::kSpawn ? asleep_ : Milliseconds(0);
    return interpreter_.without_lock(
        [&] { return child->ask(request, options_.deadline + more, &stacks_, asleep); });
  }
  auto child =
      Process::fork(interpreter_.fork_hooks(stacks_.descriptor()), answer_by(interpreter_));
  if (!child) return std::unexpected(child.error());
  Reply reply = interpreter_.without_lock(
      [&] { return child->ask(request, options_.deadline, &stacks_, asleep_); });
  let_go(std::move(*child));
  return reply;
}

Result<void> Journeys::visit_elsewhere(const Case& value, Observations& seen, Json& request) {
  request["step"] = "visit";
  enter(Phase::kWaiting);
  auto answer = ask_child(value, text_of(request));
  if (!answer) return std::unexpected(answer.error());
  if (auto* crash = std::get_if<Crashed>(&*answer)) {
    if (crash->signal == name_of(Ending{.exit_code = kSideFailed}))
      return machine_failure("side.py failed in a child");
    seen.child.died = *crash;
  }
  if (auto* hang = std::get_if<TimedOut>(&*answer)) seen.child.died = *hang;
  if (auto* text = std::get_if<std::string>(&*answer)) {
    const Json reply = Json::parse(*text, nullptr, false);
    take_times(reply);
    take_reply(reply, seen);
  }
  // A fork server tells the hang of its own child in a reply.
  if (std::holds_alternative<TimedOut>(seen.child.died) && options_.clock)
    options_.clock->was(Phase::kHangs);
  return {};
}

Result<void> Journeys::look_at_returned(const Case& value, Observations& seen,
                                        const Json& request) {
  if (returned_pickle_.empty() || !shown(seen.child.sent_back)) return {};
  enter(Phase::kVisit);
  Json question = request;
  question["pickle"] = returned_pickle_;
  question["plan"] = plan_to_json(without_writes(seen.plan));
  auto reply = step("returned", question);
  if (!reply) return std::unexpected(reply.error());
  read_view(*reply, seen.returned);
  if (value.comes_back == ComesBack::kArray) seen.returned.state.reset();
  return {};
}

Result<void> Journeys::finish(const Case& value, Observations& seen, const Json& request) {
  enter(Phase::kVisit);
  seen.expected = std::make_shared<const Expectation>(expect(value, seen));
  const Expectation& expected = *seen.expected;
  Json question = request;
  question["plan"] = plan_to_json(without_writes(seen.plan));
  // Looking would open a store that empties its file at its first use.
  if (!expected.unclaimed) {
    auto reply = step("look", question);
    if (!reply) return std::unexpected(reply.error());
    read_view(*reply, seen.parent);
  }
  if (value.twin && expected.certain && !expected.unclaimed && !child_writes(seen.plan))
    if (auto asked = ask_twin(expected, seen, question); !asked) return asked;
  enter(Phase::kVisit);
  auto reply = step("leave", {{"thrifty", options_.thrifty}});
  if (!reply) return std::unexpected(reply.error());
  seen.parent.left = answer_at(*reply, "closed");
  if (auto found = reply->find("descriptors"); found != reply->end())
    seen.parent.descriptors = found->get<std::vector<std::string>>();
  seen.mark_end = mark_from_json((*reply)["mark"]);
  seen.strange_files = strange_files(value, expected, seen.mark_end);
  if (value.store->medium != Medium::kZip) return {};
  seen.archive_end = read_file(case_folder_ / "store.zip");
  return ask_readers(value, expected, seen);
}

Result<void> Journeys::start_readers() {
  if (panel_ || options_.readers.empty()) return {};
  auto started = Panel::start(options_.readers, {.contain = options_.folder.string()});
  if (!started) return std::unexpected(started.error());
  panel_ = std::move(*started);
  return {};
}

// Two more processes have to wake for every question. That libzip and libarchive read alike what
// libzip itself made for the case, and nobody changed, is seldom news.
bool Journeys::may_be_news(const Case& value, const Observations& seen) const {
  if (!options_.thrifty || wrong_on_purpose(value)) return true;
  const bool written = seen.archive_end != archive_begin_;
  return written || std::hash<std::string>{}(to_text(value)) % kReadersOneIn == 0;
}

// What somebody else sees in the archive that the store was, or that it left.
Result<void> Journeys::ask_readers(const Case& value, const Expectation& expected,
                                   Observations& seen) {
  if (options_.readers.empty() || seen.archive_end.empty()) return {};
  enter(Phase::kReaders);
  if (!why_readers_have_no_say(value, expected, seen).empty() || !may_be_news(value, seen))
    return {};
  if (auto started = start_readers(); !started) return started;
  ReaderRequest request{.file = (case_folder_ / "store.zip").string()};
  for (const Look& look : seen.plan)
    if (look.name == "get" && std::ranges::find(request.keys, look.entry.key) == request.keys.end())
      request.keys.push_back(look.entry.key);
  std::vector<ReaderReply> replies = wait_for([&] { return panel_->ask(request); });
  for (std::size_t i = 0; i < replies.size(); ++i)
    seen.readings.push_back({.reader = panel_->readers()[i].name,
                             .version = panel_->readers()[i].version,
                             .reply = std::move(replies[i].reply),
                             .died = std::move(replies[i].died)});
  return {};
}

Result<void> Journeys::ask_twin(const Expectation& expected, Observations& seen, Json question) {
  question["content"] = Json::array();
  for (const auto& [key, bytes] : expected.content)
    question["content"].push_back({key, base64(bytes)});
  question["read only"] = expected.read_only;
  // Opening an array costs as much as twenty other looks. What is not compared keeps its place, and
  // is asked for by no word of the vocabulary: its answer is absent.
  for (std::size_t i = 0; i < seen.plan.size() && i < question["plan"].size(); ++i)
    if (!twin_is_compared(seen.plan[i])) question["plan"][i]["do"] = "";
  auto reply = step("twin", std::move(question));
  if (!reply) return std::unexpected(reply.error());
  read_view(*reply, seen.twin);
  return {};
}

namespace {

// A fork server's answer: that of a child of its own, or how that one ended.
std::string ask_fork(Interpreter& interpreter, const std::string& request, StackFile& stacks) {
  const Json question = Json::parse(request, nullptr, false);
  const Milliseconds deadline(static_cast<int>(question.value("deadline", 1.0) * 1000));
  const Milliseconds asleep(question.value("asleep", 0));
  auto child = Process::fork(interpreter.fork_hooks(stacks.descriptor()), answer_by(interpreter));
  if (!child) ::_exit(kNoSide);
  const Reply reply =
      interpreter.without_lock([&] { return child->ask(request, deadline, &stacks, asleep); });
  let_go(std::move(*child));
  if (const auto* text = std::get_if<std::string>(&reply)) return *text;
  if (const auto* crash = std::get_if<Crashed>(&reply))
    return text_of({{"died", to_json(Answer(*crash))}});
  return text_of({{"died", to_json(Answer(std::get<TimedOut>(reply)))}});
}

}  // namespace

void run_child(const Interpreter::Options& options, bool forkserver) {
  auto interpreter = Interpreter::start(options);
  if (!interpreter) {
    fmt::print(stderr, "storefuzz child: {}\n", interpreter.error().message);
    ::_exit(kNoSide);
  }
  StackFile stacks(options.stacks);
  bool greeted = false;
  std::string request;
  while ((*interpreter)->without_lock([&] { return read_frame(0, request); })) {
    // The server itself only says hello: it stays as fresh as it was.
    auto reply = forkserver && greeted ? ask_fork(**interpreter, request, stacks)
                                       : (*interpreter)->ask_text(request);
    greeted = true;
    if (!reply) {
      fmt::print(stderr, "storefuzz child: {}\n", reply.error().message);
      ::_exit(kSideFailed);
    }
    if (!write_frame(3, *reply)) break;
  }
  ::_exit(0);
}

}  // namespace storefuzz
