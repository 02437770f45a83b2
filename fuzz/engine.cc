// See engine.h. libFuzzer sees which lines of the subject ran in the workers. These start with the
// first input: a process of libFuzzer that only starts others (-fork, -merge, -jobs) plays none.
#include "fuzz/engine.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/campaign/unsupervised.h"
#include "harness/findings/finding.h"
#include "harness/generate/generate.h"
#include "harness/generate/mutate.h"
#include "harness/generate/taste.h"
#include "harness/play/against.h"
#include "harness/play/board.h"
#include "harness/play/program_session.h"
#include "harness/process/cores.h"
#include "harness/process/sandbox.h"
#include "harness/process/scratch.h"

// libFuzzer reads these besides its own counters; the board is mapped over them. Page-aligned and
// whole pages, so that the mapping replaces nothing else.
__attribute__((section("__libfuzzer_extra_counters"),
               aligned(4096))) std::byte storefuzz_counters[storefuzz::kLineCounters];

namespace storefuzz {
namespace {

constexpr std::size_t kSwarm = 256;     // random bytes a mutation may draw from
constexpr int kWhole = 6;               // times a difference is sent with its program, however long
constexpr int kCarriesEvery = 50;       // executions after which carries are sent
constexpr std::size_t kMostAsked = 32;  // ways in which one was asked, each sent with its program
constexpr int kOften = 100;  // times a difference was seen, after which it is seldom told

Special special;

// What the supervisor was told of a difference.
struct Told {
  std::size_t size = 0;  // bytes of the program's text
  std::uint64_t count = 0, untold = 0;
  std::set<std::string> asked;
};

struct Engine {
  Board board;
  std::unique_ptr<ProgramSession> session;
  std::unique_ptr<Against> against;            // or null
  int findings = -1;                           // where the supervisor reads; -1: there is none
  std::unique_ptr<Unsupervised> unsupervised;  // where there is no supervisor
  std::optional<Scratch> scratch;              // the same
  std::map<std::string, Told> told;
  std::set<std::string> avoided;                 // programs in which a process before us died
  std::map<std::string, std::uint64_t> carried;  // "pickle 5 / spawn" → carries, not sent yet
};
Engine* engine = nullptr;
bool merging = false;  // this process was started to measure what each input of a corpus reaches

[[noreturn]] void leave(const Error& error) {
  fmt::print(stderr, "storefuzz: {}\n", printable(error.message));
  std::fflush(stderr);
  ::_exit(static_cast<int>(error.code));
}

template <class T>
T needed(Result<T> result) {
  if (!result) leave(result.error());
  return std::move(*result);
}

void send(const Json& line) {
  if (write_all(engine->findings, text_of(line) + "\n") != 0) ::_exit(0);  // nobody listens
}

// Forbids this process, and all below it, to write outside the scratch folder.
std::string contain(const Settings& settings) {
  std::vector<std::filesystem::path> also;
  if (!settings.corpus.empty()) also.emplace_back(settings.corpus);
  return needed(forbid_writes_outside(settings.scratch, also)).sentence;
}

void tell_start(const std::string& containment) {
  const program::ReferenceInfo& subject = engine->session->workers().subject();
  send({{"started",
         {{"release", subject.zarr},
          {"python", subject.python},
          {"containment", containment},
          {"skipped", engine->session->skipped()}}}});
}

double seconds_of_fuzzing() {
  return static_cast<double>(now_nanoseconds() - engine->board.data().fuzzing_since) / 1e9;
}

// What is new and confirmed ends us, told so that a person can file it and a service can count it.
void look_at(const Finding& found) {
  const auto fresh = needed(engine->unsupervised->look_at(found));
  if (!fresh) return;
  fmt::print(stderr, "{}\n{}\n{}\n{}\n", assertion_line(fresh->cause.key),
             printable(fresh->difference.headline), printable_lines(fresh->script),
             printable_lines(text_of(program::to_json(fresh->value), 1)));
  engine->scratch.reset();
  std::abort();
}

void tell(const Finding& found) {
  Told& told = engine->told[found.key];
  ++told.count;
  ++told.untold;
  const std::size_t size = program::to_text(found.value).size();
  const bool smaller = told.size == 0 || size < told.size;
  const bool otherwise = told.asked.size() < kMostAsked && told.asked.insert(found.asked).second;
  if (!smaller && !otherwise && told.count > kOften && told.untold < kOften) return;
  Json line{{"key", found.key},
            {"count", std::exchange(told.untold, 0)},
            {"seconds", seconds_of_fuzzing()}};
  if (smaller) told.size = size;
  if (smaller || otherwise || told.count <= kWhole) line["finding"] = to_json(found);
  send(line);
}

// How many carries arrived, by carrier and by how the process began in which they did.
void count_carries(const program::Case& value, const program::Observation& seen) {
  for (std::size_t i = 0; i < std::min(value.steps.size(), seen.steps.size()); ++i) {
    const auto* carry = std::get_if<program::Carry>(&value.steps[i]);
    if (!carry || std::ranges::any_of(seen.steps[i].answers, [](const program::Answer& it) {
          return program::refused(it) != nullptr;
        }))
      continue;
    const auto process = std::ranges::find(value.processes, carry->to, &program::Process::name);
    ++engine->carried[fmt::format(
        "{} / {}", name_of(carry->carrier),
        process == value.processes.end() ? "here" : name_of(process->began))];
  }
  if (engine->findings < 0 || engine->board.data().executions % kCarriesEvery != 0) return;
  send({{"carried", std::exchange(engine->carried, {})}});
}

void tell_all(const program::Case& value, PlayedProgram& played) {
  if (engine->against) (void)needed(engine->against->take_out(value, played, Effort::kUsual));
  count_carries(value, played.seen);
  for (const Finding& found : findings_of(value, played.differences)) {
    if (engine->findings >= 0)
      tell(found);
    else if (!found.question)
      look_at(found);
  }
  if (engine->findings < 0 || played.quirks.empty()) return;
  std::map<std::string, int> quirks;
  for (const std::string& quirk : played.quirks) ++quirks[quirk];
  send({{"quirks", quirks}});
}

// Programs in which a process was late are decided later, the last ones when libFuzzer is through.
void tell_decided(bool wait) {
  for (auto& [value, played] : engine->session->take_decided(wait)) tell_all(value, played);
}

// Without a supervisor the workers are shut in, and we are not: libFuzzer writes where it was told.
void start_unsupervised(Settings& settings) {
  if (settings.python.empty()) settings.python = python_beside_us();
  if (!settings.scratch.empty()) return;
  engine->scratch.emplace(needed(Scratch::make()));
  settings.scratch = engine->scratch->path().string();
}

void end() {
  tell_decided(true);
  engine->scratch.reset();
}

void start() {
  Settings settings = settings_from_environment();
  if (special.settings) special.settings(settings);
  keep_to_core(settings.core);
  const int shared = descriptor_of(settings.board);
  engine = new Engine{.board = needed(shared >= 0 ? Board::open(shared) : Board::make())};
  engine->findings = descriptor_of(settings.findings);
  std::ifstream avoid(settings.avoid);
  for (std::string line; std::getline(avoid, line);) engine->avoided.insert(line);
  if (auto added = add_adapters(parse_json(settings.adapters)); !added) leave(added.error());
  std::string containment;
  if (engine->findings >= 0)
    containment = contain(settings);
  else
    start_unsupervised(settings);
  engine->session = needed(ProgramSession::start(settings, engine->board.descriptor()));
  const std::string& release = engine->session->workers().subject().zarr;
  engine->against = needed(Against::start(settings));
  if (merging) engine->session->use_workers_once();
  if (engine->findings < 0) engine->unsupervised = needed(Unsupervised::start(settings, release));
  BoardData& data = engine->board.data();
  data.lines_watched = engine->session->workers().subject().lines;
  void* place = ::mmap(storefuzz_counters, kLineCounters, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_FIXED, engine->board.descriptor(), 0);
  if (place == MAP_FAILED) leave({.message = "the counters cannot be shared"});
  if (data.fuzzing_since == 0) data.fuzzing_since = now_nanoseconds();
  engine->session->count_phases(data.phase_nanoseconds);
  if (engine->findings >= 0) tell_start(containment);
  std::atexit(end);
}

program::Case shaped(program::Case value) {
  if (special.shape) value = special.shape(std::move(value));
  return engine->session->fit(std::move(value));
}

program::Case decode(const std::uint8_t* data, std::size_t size) {
  engine->session->enter(Phase::kMutation);
  const char* text = reinterpret_cast<const char*>(data);
  if (size > 0 && text[0] == '{')
    if (auto parsed = program::parse_case({text, size})) return shaped(std::move(*parsed));
  return shaped(program::generate_program({reinterpret_cast<const std::byte*>(data), size},
                                          engine->session->stores(), engine->session->releases()));
}

// `size` bytes that a mutation may draw from.
std::vector<std::byte> random_bytes(std::uint_fast32_t seed, std::size_t size) {
  std::minstd_rand random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() >> 8);
  return bytes;
}

// The text in libFuzzer's memory, and its size; what is too long stays out: `size`.
std::size_t write_back(const program::Case& value, std::uint8_t* data, std::size_t size,
                       std::size_t limit) {
  const std::string text = program::to_text(value);
  if (text.size() > limit) return size;
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

// Without a supervisor a process that may hang is waited for: what ends us must be about the input
// that libFuzzer keeps then.
std::optional<PlayedProgram> play(const program::Case& value) {
  if (engine->unsupervised) return needed(engine->session->play(value));
  return needed(engine->session->start(value));
}

}  // namespace

bool make_special(const Special& it) {
  special = it;
  return true;
}

program::Case with_a_wrong_archive(program::Case value) {
  const auto is_zip = [](const program::Step& step) {
    const auto* make = std::get_if<program::Make>(&step);
    return make && !make->at.empty() && make->kind->medium == Medium::kZip;
  };
  const auto made = std::ranges::find_if(value.steps, is_zip);
  if (made == value.steps.end()) return value;
  const std::string name = std::get<program::Make>(*made).at;
  auto place = std::ranges::find(value.before, name, &program::Place::name);
  if (place == value.before.end())
    place = value.before.insert(place, {.name = name, .entries = {{"a", {"a@0"}}}});
  // A store that says it only reads, and truncates in mode w, leaves nothing to be read.
  for (program::Step& step : value.steps)
    if (is_zip(step)) std::get<program::Make>(step).read_only.reset();
  if (!place->twists.empty()) return value;
  const auto bytes = random_bytes(program::hash_of(value) % 2147483647, kSwarm);
  Choices choices(bytes);
  for (std::uint32_t count = 1 + choices.below(8) / 7; count > 0; --count)
    place->twists.push_back(program::draw_twist(choices));
  return value;
}

// In a merge the lines that ran must be the program's own. But a line is told once a process, and a
// program that is late goes on while others are played: each is played to its end, in fresh
// processes. Under a supervisor what differs is not told. Without one libFuzzer leaves out what
// ends us, as a service expects of its corpora.
int measure_program(const program::Case& value) {
  PlayedProgram played = needed(engine->session->play(value));
  if (engine->unsupervised) tell_all(value, played);
  ++engine->board.data().executions;
  return 0;
}

int fuzz_program(const std::uint8_t* data, std::size_t size) {
  if (!engine) start();
  const program::Case value = decode(data, size);
  if (merging) return measure_program(value);
  const std::string text = program::to_text(value);
  if (engine->avoided.contains(text)) return -1;
  engine->board.begin_case(text);
  auto played = play(value);
  if (played) tell_all(value, *played);
  engine->session->enter(Phase::kEngine);
  tell_decided(false);
  engine->board.end_case();
  engine->board.keep_lines();
  ++engine->board.data().executions;
  // What changes a program that is late is late as a rule, and each costs a part of a second.
  return played ? 0 : -1;
}

}  // namespace storefuzz

// A set-up that takes seconds waits for the first input (start()): a process that only has others
// play needs none.
extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  for (const std::string_view word : std::span(*arguments, static_cast<std::size_t>(*count)))
    for (const char* merge : {"-merge=1", "-set_cover_merge=1", "-merge_inner="})
      if (word.starts_with(merge)) storefuzz::merging = true;
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t limit, unsigned seed) {
  using namespace storefuzz;
  const program::Case next =
      shaped(program::mutate_program(decode(data, size), random_bytes(seed, kSwarm),
                                     engine->session->stores(), engine->session->releases()));
  return write_back(next, data, size, limit);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* left, std::size_t left_size,
                                                 const std::uint8_t* right, std::size_t right_size,
                                                 std::uint8_t* out, std::size_t limit,
                                                 unsigned seed) {
  using namespace storefuzz;
  const program::Case mixed = shaped(program::splice_programs(
      decode(left, left_size), decode(right, right_size), random_bytes(seed, kSwarm)));
  return write_back(mixed, out, 0, limit);
}
