// The target: programs, in which stores are made, called, carried and forked by several processes,
// and held against a model. Its workers load Python; the target itself does not.
//
// By hand it ends with "Assertion failure: …" at the first difference, as fuzzing services expect.
// With STOREFUZZ_DIFFERENCES it appends a line of JSON to that file for each new difference, and
// goes on.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "fuzz/hooks.h"
#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/generate/generate.h"
#include "harness/generate/mutate.h"
#include "harness/play/board.h"
#include "harness/play/program_session.h"
#include "harness/process/sandbox.h"
#include "harness/process/scratch.h"

// libFuzzer reads these besides its own counters; the board is mapped over them. Page-aligned and
// whole pages, so that the mapping replaces nothing else.
__attribute__((section("__libfuzzer_extra_counters"),
               aligned(4096))) std::byte storefuzz_counters[storefuzz::kLineCounters];

namespace storefuzz {
namespace {

constexpr std::size_t kSwarm = 256;  // random bytes a mutation may draw from

struct Engine {
  Board board;
  std::unique_ptr<ProgramSession> session;
  int differences = -1;  // file for new differences; -1: the first one ends the process
  std::set<std::string> told;
};
Engine* engine = nullptr;

template <class T>
T needed(Result<T> result) {
  if (!result) leave(result.error());
  return std::move(*result);
}

// Forbids this process, and all below it, to write outside the scratch folder.
void contain(Settings& settings) {
  settings.scratch = needed(given_or_new_scratch(settings.scratch));
  std::vector<std::filesystem::path> also;
  if (!settings.corpus.empty()) also.emplace_back(settings.corpus);
  needed(forbid_writes_outside(settings.scratch, also));
}

// What makes two differences one in the eyes of a reader of the list; causes are another matter.
std::string key_of(const program::Difference& difference) {
  const std::string key = fmt::format("{} / {} / {}", difference.oracle, name_of(difference.wrong),
                                      difference.where.operation);
  return difference.question ? key + " / " + difference.where.argument : key;
}

// A question on which stores disagree goes into the list, and ends nothing.
bool is_told(const program::Difference& difference) {
  return difference.first || (difference.question && engine->differences >= 0);
}

void tell(const program::Case& value, const program::Difference& difference) {
  const std::string key = key_of(difference);
  if (engine->differences < 0) {
    fmt::print(stderr, "storefuzz: {}\n{}\nAssertion failure: {}\n", printable(difference.headline),
               printable_lines(text_of(program::to_json(value), 1)), key);
    std::abort();
  }
  if (!engine->told.insert(key).second) return;
  const Json line{{"key", key},
                  {"headline", difference.headline},
                  {"step", difference.where.step},
                  {"case", program::to_json(value)}};
  if (write_all(engine->differences, text_of(line) + "\n") != 0)
    leave({.message = "the file of differences cannot be written"});
}

void tell_all(const program::Case& value, const PlayedProgram& played) {
  for (const program::Difference& difference : played.differences)
    if (is_told(difference)) tell(value, difference);
}

// Programs in which a process was late are decided later, the last ones when libFuzzer is through.
void tell_decided(bool wait) {
  for (const auto& [value, played] : engine->session->take_decided(wait)) tell_all(value, played);
}

void start() {
  Settings settings = settings_from_environment();
  const int shared = descriptor_of(settings.board);
  engine = new Engine{.board = needed(shared >= 0 ? Board::open(shared) : Board::make())};
  if (!settings.differences.empty()) {
    // Opened before this process shuts itself in.
    engine->differences =
        ::open(settings.differences.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (engine->differences < 0)
      leave({.code = ExitCode::kBadInput,
             .message = fmt::format("{} cannot be written", settings.differences)});
  }
  if (auto added = add_adapters(parse_json(settings.adapters)); !added) leave(added.error());
  contain(settings);
  engine->session = needed(ProgramSession::start(settings, engine->board.descriptor()));
  map_counters(storefuzz_counters, engine->board);
  std::atexit([] { tell_decided(true); });
}

program::Case decode(const std::uint8_t* data, std::size_t size) {
  const char* text = reinterpret_cast<const char*>(data);
  if (size > 0 && text[0] == '{')
    if (auto parsed = program::parse_case({text, size})) return engine->session->fit(*parsed);
  return engine->session->fit(
      program::generate_program({reinterpret_cast<const std::byte*>(data), size},
                                engine->session->stores(), engine->session->releases()));
}

}  // namespace
}  // namespace storefuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  storefuzz::start();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace storefuzz;
  const program::Case value = decode(data, size);
  if (const auto played = needed(engine->session->start(value))) tell_all(value, *played);
  tell_decided(false);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t limit, unsigned seed) {
  using namespace storefuzz;
  const auto& stores = engine->session->stores();
  const program::Case next = engine->session->fit(program::mutate_program(
      decode(data, size), random_bytes(seed, kSwarm), stores, engine->session->releases()));
  return write_back(program::to_text(next), data, size, limit);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* left, std::size_t left_size,
                                                 const std::uint8_t* right, std::size_t right_size,
                                                 std::uint8_t* out, std::size_t limit,
                                                 unsigned seed) {
  using namespace storefuzz;
  const program::Case mixed = engine->session->fit(program::splice_programs(
      decode(left, left_size), decode(right, right_size), random_bytes(seed, kSwarm)));
  return write_back(program::to_text(mixed), out, 0, limit);
}
