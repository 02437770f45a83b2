// The steps: folder, archive, build, pack, visit, come back, look at home, leave, look at the disk.
#include "harness/journey.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "harness/expectation.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds kChildStart{
    120'000};  // a fresh interpreter and `import zarr`, on a busy day

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

Result<void> write_archive(const Archive& archive, const fs::path& folder) {
  std::vector<ArchiveEntry> entries;
  for (const Entry& entry : archive.entries) entries.push_back({entry.key, entry.bytes()});
  auto bytes = make_archive(entries, archive.compression);
  if (!bytes) return std::unexpected(bytes.error());
  return write_file(folder / "store.zip", *bytes);
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
          {"start", look.start},       {"end", look.end}};
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

Answer answer_at(const Json& json, const char* key) {
  auto found = json.find(key);
  return found == json.end() ? Answer{} : answer_from_json(*found);
}

bool looks_at_state(const Case& value) {
  return std::ranges::find(value.looks, LookGroup::kState) != value.looks.end();
}

// Files at the end that are neither the store nor part of it.
std::vector<std::string> strange_files(const Case& value, const Expectation& expected,
                                       const Mark& mark) {
  const auto local = [&](const std::string& name) {
    if (!name.starts_with("store/")) return false;
    // LocalStore writes to a file beside the key's, and must not leave it there.
    return !name.ends_with(".partial") || expected.content.contains(name.substr(6));
  };
  std::vector<std::string> strange;
  for (const auto& [name, content] : mark.files.items()) {
    const bool own = value.store == StoreKind::kZip ? name == "store.zip" : local(name);
    if (!own) strange.push_back(name);
  }
  return strange;
}

}  // namespace

Journeys::Journeys(Interpreter& interpreter, Options options)
    : interpreter_(interpreter),
      options_(std::move(options)),
      stacks_(options_.stacks),
      // Nested, so that a key that climbs a little stays inside the run's scratch folder.
      case_folder_(options_.folder / "deep" / "er" / "case") {
  if (!options_.enter) options_.enter = [](const char*) {};
}

Result<Json> Journeys::step(const char* name, Json request) {
  options_.enter(name);
  request["step"] = name;
  return interpreter_.ask(request);
}

Result<void> Journeys::prepare() {
  if (spawned_ && spawned_->alive()) return {};
  Command command = options_.child;
  command.environment["STOREFUZZ_STACKS"] = std::to_string(stacks_.descriptor());
  command.descriptors.push_back(stacks_.descriptor());
  auto child = Process::start(command);
  if (!child) return std::unexpected(child.error());
  Reply hello = interpreter_.without_lock(
      [&] { return child->ask(R"({"step":"hello"})", kChildStart, &stacks_); });
  if (!std::holds_alternative<std::string>(hello))
    return machine_failure(fmt::format("a spawned child does not start: {}", to_shell(command)));
  spawned_ = std::move(*child);
  return {};
}

Result<void> Journeys::make_folder(const Case& value) {
  options_.enter("folder");
  std::error_code error;
  fs::current_path(options_.folder, error);
  fs::remove_all(case_folder_, error);
  fs::create_directories(case_folder_, error);
  if (error) return machine_failure("the scratch folder cannot be made: " + error.message());
  if (!value.archive) return {};
  return value.store == StoreKind::kZip ? write_archive(*value.archive, case_folder_)
                                        : write_tree(*value.archive, case_folder_);
}

Result<void> Journeys::build(const Case& value, Observations& seen) {
  Json operations = Json::array();
  for (const Operation& operation : operations_of(value))
    operations.push_back(operation_to_request(operation));
  auto reply = step("build", {{"case", to_json(value)},
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

Result<Observations> Journeys::play(const Case& value) {
  if (value.transport == Transport::kSpawn)
    if (auto ready = prepare(); !ready) return std::unexpected(ready.error());
  Observations seen;
  if (auto made = make_folder(value); !made) return std::unexpected(made.error());
  if (auto built = build(value, seen); !built) return std::unexpected(built.error());
  if (!shown(seen.constructed)) return seen;
  seen.plan = make_plan(value, expect(value, seen.operations));
  Json request{{"case", to_json(value)},
               {"folder", case_folder_.string()},
               {"carrier", name_of(value.carrier)},
               {"comes back", name_of(value.comes_back)},
               {"driver", name_of(value.driver)},
               {"look at state", looks_at_state(value)},
               {"plan", plan_to_json(seen.plan)},
               {"mark", {{"files", seen.mark_built.files}}},
               {"deadline", static_cast<double>(options_.deadline.count()) / 1000.0}};
  if (value.carrier != Carrier::kMadeAnew) {
    auto packed = step("pack", {{"carrier", name_of(value.carrier)}});
    if (!packed) return std::unexpected(packed.error());
    seen.packed = answer_at(*packed, "packed");
    seen.state_packed = state_from_json((*packed)["state"]);
    seen.mark_packed = mark_from_json((*packed)["mark"]);
    if (auto pickle = packed->find("pickle"); pickle != packed->end()) request["pickle"] = *pickle;
  }
  if (value.carrier == Carrier::kMadeAnew || shown(seen.packed))
    if (auto visited = visit(value, seen, request); !visited)
      return std::unexpected(visited.error());
  if (spoiled_) return seen;
  if (auto looked = look_at_returned(value, seen, request); !looked)
    return std::unexpected(looked.error());
  if (auto finished = finish(value, seen, request); !finished)
    return std::unexpected(finished.error());
  return seen;
}

Result<void> Journeys::visit(const Case& value, Observations& seen, Json request) {
  returned_pickle_.clear();
  const bool here =
      value.transport == Transport::kSameProcess || value.transport == Transport::kThread;
  request["same process"] = here;
  request["forked"] = value.transport == Transport::kFork;
  if (!here) return visit_elsewhere(value, seen, request);
  auto reply = step(value.transport == Transport::kThread ? "visit in thread" : "visit", request);
  if (!reply) return std::unexpected(reply.error());
  if (auto hang = reply->find("timed out"); hang != reply->end()) {
    seen.child.died = TimedOut{hang->get<std::string>()};
    spoiled_ = true;
    return {};
  }
  read_view(*reply, seen.child);
  if (auto pickle = reply->find("pickle"); pickle != reply->end())
    returned_pickle_ = pickle->get<std::string>();
  return {};
}

Result<Reply> Journeys::ask_child(const Case& value, const std::string& request) {
  stacks_.take();
  if (value.transport == Transport::kSpawn) {
    options_.enter("spawn");
    return interpreter_.without_lock(
        [&] { return spawned_->ask(request, options_.deadline, &stacks_); });
  }
  options_.enter("fork");
  auto child = Process::fork(interpreter_.fork_hooks(stacks_.descriptor()),
                             [&](const std::string& question) {
                               auto reply = interpreter_.ask_text(question);
                               if (!reply) ::_exit(70);  // our own bug: never taken for a reply
                               return *reply;
                             });
  if (!child) return std::unexpected(child.error());
  return interpreter_.without_lock(
      [&] { return child->ask(request, options_.deadline, &stacks_); });
}

Result<void> Journeys::visit_elsewhere(const Case& value, Observations& seen, const Json& request) {
  Json question = request;
  question["step"] = "visit";
  auto answer = ask_child(value, question.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!answer) return std::unexpected(answer.error());
  if (auto* crash = std::get_if<Crashed>(&*answer)) {
    if (crash->signal == "exit 70") return machine_failure("side.py failed in a child");
    seen.child.died = *crash;
  }
  if (auto* hang = std::get_if<TimedOut>(&*answer)) seen.child.died = *hang;
  if (auto* text = std::get_if<std::string>(&*answer)) {
    const Json reply = Json::parse(*text, nullptr, false);
    read_view(reply, seen.child);
    if (auto pickle = reply.find("pickle"); pickle != reply.end())
      returned_pickle_ = pickle->get<std::string>();
  }
  return {};
}

Result<void> Journeys::look_at_returned(const Case& value, Observations& seen,
                                        const Json& request) {
  if (returned_pickle_.empty() || !shown(seen.child.sent_back)) return {};
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
  const Expectation expected = expect(value, seen.operations);
  // Looking would open a store that empties its file at its first use.
  if (!expected.unclaimed) {
    Json question = request;
    question["plan"] = plan_to_json(without_writes(seen.plan));
    auto reply = step("look", question);
    if (!reply) return std::unexpected(reply.error());
    read_view(*reply, seen.parent);
  }
  auto reply = step("leave", Json::object());
  if (!reply) return std::unexpected(reply.error());
  seen.parent.left = answer_at(*reply, "closed");
  if (auto found = reply->find("descriptors"); found != reply->end())
    seen.parent.descriptors = found->get<std::vector<std::string>>();
  seen.mark_end = mark_from_json((*reply)["mark"]);
  seen.strange_files = strange_files(value, expected, seen.mark_end);
  if (value.store == StoreKind::kZip) seen.archive_end = read_file(case_folder_ / "store.zip");
  return {};
}

void run_child(const Interpreter::Options& options) {
  auto interpreter = Interpreter::start(options);
  if (!interpreter) {
    fmt::print(stderr, "storefuzz child: {}\n", interpreter.error().message);
    ::_exit(71);
  }
  std::string request;
  while ((*interpreter)->without_lock([&] { return read_frame(0, request); })) {
    auto reply = (*interpreter)->ask_text(request);
    if (!reply) {
      fmt::print(stderr, "storefuzz child: {}\n", reply.error().message);
      ::_exit(70);
    }
    if (!write_frame(3, *reply)) break;
  }
  ::_exit(0);
}

}  // namespace storefuzz
