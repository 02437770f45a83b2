// The model: a small picture of places and of what each handle may see of them, kept outside store
// and pickle. Its rules stand where they are carried out; no store is named: families and columns
// come from the adapter.
//
// Asked step by step while a program is generated, so that it goes where contents are at stake:
//
//     Model model(unfinished);                     // `before` and `processes`; no steps are read
//     for (const HandleFacts& it : model.facts()) …
//     model.assume(step);                          // as a sound store would answer
//
// And afterwards, with the answers, in order:
//
//     const Allowed allowed = model.allowed(step, 0);
//     if (const auto wrong = model.take(step, 0, seen.steps[i].answers[0])) report(*wrong);
//     if (const auto wrong = model.take_disk("z", seen.steps[i].disk.at("z"))) report(*wrong);
//
// `take` judges, narrows, carries out the effect, and after a difference adopts what was answered.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/case/program.h"
#include "harness/model/allowed.h"
#include "harness/model/difference.h"
#include "harness/wire/observation.h"

namespace storefuzz::program {

// What a generator needs to know of a living handle, as if every answer had been sound.
struct HandleFacts {
  std::string process, name;
  StoreKind kind;
  Subject subject = Subject::kStore;
  std::string place;     // where its content lies: handles of one place see each other's
  std::string prefix;    // of a StorePath, an array, a group
  bool archive = false;  // writes are published by its close
  bool on_disk = false;
  bool pending = false;    // it holds writes that are not published
  bool claim = false;      // mode w or x, not yet opened
  bool opened = false;     // of an archive; others always are
  bool stale = false;      // others published since it opened
  bool read_only = false;  // it may not write
  bool relative = false;   // made with a relative path
  bool elsewhere = false;  // and its process is in another directory now
  bool wrapper = false;    // some handle below it, or a wrapper's kind
  bool cached = false;
  bool broken = false;            // no opinion until its close
  std::vector<std::string> keys;  // that it may see, without its prefix
};

// How a handle was used, in the signature of its attributes: not at all. An archive's copy may be
// of one that was used before.
inline constexpr std::string_view kUnused = "unused", kUnusedArchive = "unused archive";

class Model {
 public:
  // Reads `before` and `processes` of the case; keeps nothing of it.
  explicit Model(const Case& value);
  Model(const Model&);
  Model& operator=(const Model&);
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  // Where each place on disk stands before the first step, as it was seen. Not judged.
  void begin(std::string_view place, const OnDisk& seen);

  // What the answer of the `handle`-th handle of a step may be. Changes nothing.
  Allowed allowed(const Step& step, std::size_t handle = 0) const;

  // Takes that answer. `index` numbers the step in what is told.
  std::optional<Difference> take(const Step& step, std::size_t handle, const Answer& answer,
                                 std::size_t index = 0);

  // What lies at a place on disk after a step. Unknown places are not judged.
  std::optional<Difference> take_disk(std::string_view place, const OnDisk& seen,
                                      std::size_t index = 0);

  // What a crash within a watched call would have left, at the place of its first handle. `before`
  // is the model as it was before the call was taken; this one has taken it.
  std::vector<Difference> judge_crash(const Model& before, const Step& step, std::size_t handle,
                                      const std::vector<CrashState>& states,
                                      std::size_t index = 0) const;

  // Takes the step as a sound store would answer; returns what that is, one for each handle.
  std::vector<Answer> assume(const Step& step);

  // The living handles, in the order in which they were made.
  std::vector<HandleFacts> facts() const;

  // For layers that need no opinion (oracles/): what two answers must have in common to agree.
  // `effects` counts what may have changed anything, in any place.
  std::string signature(const Step& step, std::size_t handle) const;  // "" where nothing mirrors
  std::size_t effects() const;
  // What a place on disk surely holds for everybody: key → bytes. nullopt: not exactly known, or
  // somebody writes.
  std::optional<std::map<std::string, std::string>> published(std::string_view place) const;
  // Whether a place on disk is an archive that is wrong on purpose, of which nothing was told and
  // where nobody may have written: its bytes are those of `before`.
  bool wrong_as_made(std::string_view place) const;
  // All that the handle of a call surely sees, and whether it may write, as text: equal for two
  // programs where both are the same. "": not exactly known, or something else may decide the
  // answer.
  std::string surely_seen(const Step& step, std::size_t handle) const;

  struct World;  // of the sources of this folder

 private:
  std::unique_ptr<World> world_;
};

}  // namespace storefuzz::program
