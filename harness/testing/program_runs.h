// What the tests that play programs share: sessions with real workers, stores that keep every
// promise, and drawn programs. For tests only.
//
//     const auto sound = e2e::session(e2e::kSoundStores);
//     PlayedProgram played = e2e::play(*sound, e2e::Draw(sound->stores())());
#pragma once

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "harness/generate/generate.h"
#include "harness/play/program_session.h"
#include "harness/testing/whole_runs.h"

namespace storefuzz::e2e {

// The other release that a process may have; programs of the corpus name it.
inline constexpr const char* kOther = "3.0.8";

inline constexpr const char* kSoundStores =
    "sound live,sound archive,sound truncating,sound copied,sound bound";

inline std::size_t number_from(const char* variable, std::size_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? static_cast<std::size_t>(std::atoll(text)) : otherwise;
}

// The sound stores join once a process, as the adapters of a stranger do.
inline const std::string& sound_stores() {
  static const std::string list = [] {
    const std::string file = reference_folder() + "/planted/sound.py";
    const Finished told =
        must(run_to_end({.arguments = {python(kNewest), "-W", "ignore", file}}, kPatient));
    Json adapters = parse_json(told.output);
    for (Json& adapter : adapters) adapter["file"] = file;
    must(add_adapters(adapters));
    return text_of(adapters);
  }();
  return list;
}

inline std::unique_ptr<ProgramSession> session(const std::string& stores,
                                               const std::string& planted = "",
                                               const std::string& release = kNewest) {
  Settings settings;
  settings.prints = true;
  settings.python = python(release);
  settings.scratch = scratch() / "programs";
  fs::create_directories(settings.scratch);
  settings.stores = stores;
  settings.adapters = sound_stores();
  settings.planted = planted;
  settings.deadline = "250";  // sound stores do not wait, and each hang costs it
  settings.subjects = text_of(Json{{kOther, python(kOther)}});
  return must(ProgramSession::start(settings));
}

// Programs a run would draw, the same for the same seed.
class Draw {
 public:
  explicit Draw(const Stores& stores, std::vector<std::string> releases = {})
      : stores_(stores), releases_(std::move(releases)) {}
  program::Case operator()() {
    std::vector<std::byte> bytes(64 + random_() % 448);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random_() >> 8);
    return program::generate_program(bytes, stores_, releases_);
  }

 private:
  Stores stores_;
  std::vector<std::string> releases_;
  std::minstd_rand random_{
      static_cast<std::uint_fast32_t>(1 + number_from("STOREFUZZ_TEST_SEED", 0))};
};

// A program of the corpus, by the name of its file.
inline fs::path corpus_file(const std::string& name = "") {
  return fs::path(source_folder()) / "corpus" / "program" / name;
}
inline program::Case corpus_program(const std::string& name) {
  return must(program::parse_case(test::read_file(corpus_file(name))));
}

inline PlayedProgram play(ProgramSession& session, const program::Case& value) {
  return must(session.play(value));
}

}  // namespace storefuzz::e2e
