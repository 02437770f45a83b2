// Scripts for findings of all kinds: what a sound store would show, with one thing wrong, judged,
// and written down. For tests only.
//
//     for (const Written& it : write_many(500, three(), 1)) run(it.script);
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "harness/base/paths.h"
#include "harness/findings/repro.h"
#include "harness/testing/sound_world.h"

namespace storefuzz::test {

// The stacks of a side that hangs while it receives the store, or in one of its looks.
inline std::string hang_in(const Observations& it, std::mt19937& random) {
  const std::size_t index = random() % (it.plan.size() + 1);
  const std::string frame = index == it.plan.size()
                                ? "File \"side.py\", line 1 in receive"
                                : "File \"<look " + it.plan[index].name + ">\", line 1 in <lambda>";
  return "Current thread 0x1 (most recent call first):\n  File \"zarr/core/sync.py\", line 9 in "
         "f\n  " +
         frame + "\n";
}

// One way in which a journey goes wrong, put into what a sound world shows.
inline const std::vector<std::function<void(Observations&, std::mt19937&)>>& mishaps() {
  static const std::vector<std::function<void(Observations&, std::mt19937&)>> list{
      [](Observations& it, std::mt19937&) {
        if (it.child.state) it.child.state->erase(it.child.state->begin());
      },
      [](Observations& it, std::mt19937&) {
        if (!it.child.state) return;
        for (auto& [name, answer] : *it.child.state)
          if (name.ends_with("path") || name.ends_with("root"))
            answer = Shown{{{"path", "<case>/other"}}};
      },
      [](Observations& it, std::mt19937&) {
        if (!it.state_packed.empty()) it.state_packed.erase(std::prev(it.state_packed.end()));
      },
      [](Observations& it, std::mt19937&) {
        for (auto& [question, answer] : it.child.equality) answer = Shown{7};
      },
      [](Observations& it, std::mt19937&) { it.packed = refusal("AttributeError", "_lock"); },
      [](Observations& it, std::mt19937&) { it.packed = refusal("TypeError"); },
      [](Observations& it, std::mt19937&) {
        if (shown(it.child.same_object)) it.child.same_object = Shown{false};
      },
      [](Observations& it, std::mt19937&) {
        if (!it.returned.looks.empty()) it.returned = {.died = Crashed{"SIGSEGV", ""}};
      },
      [](Observations& it, std::mt19937& random) {
        if (it.twin.looks.empty()) return;
        for (int i = 0; i < 4; ++i)
          it.twin.looks[random() % it.twin.looks.size()] = refusal("ValueError");
      },
      [](Observations& it, std::mt19937&) {
        for (Reading& reading : it.readings) reading.reply["keys"] = Json::object();
        for (Reading& reading : it.readings) reading.reply["opened"] = {"refused", "X", "x"};
      },
      [](Observations& it, std::mt19937&) { it.child.received = refusal("FileExistsError"); },
      [](Observations& it, std::mt19937&) {
        it.child.sent_back = refusal("AttributeError", "_zf");
      },
      [](Observations& it, std::mt19937&) { it.child.left = refusal("AttributeError", "_lock"); },
      [](Observations& it, std::mt19937&) { it.parent.left = refusal("IndexError"); },
      [](Observations& it, std::mt19937&) { it.child = {.died = Crashed{"SIGSEGV", ""}}; },
      [](Observations& it, std::mt19937& random) {
        it.child = {.died = TimedOut{hang_in(it, random)}};
      },
      [](Observations& it, std::mt19937& random) {
        it.parent.died = TimedOut{hang_in(it, random)};
      },
      [](Observations& it, std::mt19937&) { it.strange_files = {"store.zip.partial"}; },
      [](Observations& it, std::mt19937&) { it.parent.descriptors = {"<case>/store.zip"}; },
      [](Observations& it, std::mt19937&) { it.child.descriptors = {"<case>/store.zip"}; },
      [](Observations& it, std::mt19937&) { it.archive_end.clear(); },
      [](Observations& it, std::mt19937&) { it.mark_packed.files["store.zip"] = {22, 1}; },
      [](Observations& it, std::mt19937&) {
        it.child.mark_after_receiving.files["store.zip"] = {22, 1};
        it.child.mark_after_receiving.entries.emplace();
      },
      [](Observations& it, std::mt19937&) {
        it.child.mark_after_leaving.files["store.zip"] = {22, 1};
      },
      [](Observations& it, std::mt19937&) {
        if (shown(it.returned.array)) it.returned.array = refusal("ValueError");
      },
      [](Observations& it, std::mt19937&) {
        if (it.returned.state) it.returned.state->clear();
      },
      [](Observations& it, std::mt19937& random) {
        if (!it.operations.empty())
          it.operations[random() % it.operations.size()] = refusal("IndexError");
      },
      [](Observations& it, std::mt19937& random) {
        for (View* view : {&it.child, &it.returned, &it.parent})
          if (!view->looks.empty() && random() % 2 == 0)
            view->looks[random() % view->looks.size()] = refusal("IndexError");
      },
      [](Observations& it, std::mt19937& random) {
        if (it.child.looks.empty()) return;
        const std::size_t index = random() % it.child.looks.size();
        Shown* answer = std::get_if<Shown>(&it.child.looks[index]);
        if (answer && answer->value.is_array())
          answer->value.push_back("a"), answer->value.push_back("a");
        else if (it.plan[index].name.starts_with("get"))
          it.child.looks[index] = Shown{Json{{"bytes", "\u00e9'\"\\\n"}}};
      },
      [](Observations& it, std::mt19937&) {
        for (std::size_t i = 0; i < it.child.looks.size(); ++i)
          if (it.plan[i].name == "try set") it.child.looks[i] = Shown{nullptr};
      },
      [](Observations& it, std::mt19937&) {
        for (View* view : {&it.child, &it.parent})
          for (std::size_t i = 0; i < view->looks.size(); ++i)
            if (it.plan[i].name == "get")
              view->looks[i] = Shown{shown_bytes(std::string(100, 'y'))};
      },
  };
  return list;
}

inline void keep_one(Case& value, std::mt19937& random) {
  const auto kept = random() % 6;
  if (kept != 0) value.twice = false;
  if (kept != 1) value.cargo = Cargo::kStore;
  if (kept != 2) value.meanwhile = Meanwhile::kIdle;
  if (kept != 3) value.surroundings = Surroundings::kSame;
  if (kept != 4) value.comes_back = ComesBack::kNothing;
  if (kept != 5) value.twin = false;
  if (value.looks.size() > 2) value.looks.resize(2);
}

struct Written {
  std::string name;  // the fingerprint and the case it is about
  std::string script;
};

// Scripts for many findings of many cases, each finding as the line would tell it.
// `shrunk`: what a finding that was shrunk has left, one thing around its journey at most.
inline std::vector<Written> write_many(unsigned seeds, const ReproOptions& options,
                                       std::size_t operations, bool shrunk = false) {
  std::vector<Written> all;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    std::mt19937 random(seed);
    static const Stores of_zarr_2 = parse_stores("zip,directory").value();
    const bool old = options.release.starts_with("2.");
    Case value = random_case(seed, old ? of_zarr_2 : every_store());
    if (shrunk) keep_one(value, random);
    if (old) value.twin = false;  // side.py asks no twin of zarr 2
    // A shrunk case has no more than this.
    if (value.operations.size() > operations) value.operations.resize(operations);
    if (value.archive && value.archive->entries.size() > 2) value.archive->entries.resize(2);
    normalise(value);
    Observations seen = sound_observations(value);
    mishaps()[seed % mishaps().size()](seen, random);
    for (const Finding& found : judge(value, seen, {}, options.release).findings) {
      const auto script = write_repro(value, found, to_json(seen), options);
      if (!script) {
        ADD_FAILURE() << script.error().message;
        continue;
      }
      all.push_back({found.fingerprint + " of " + to_text(value), *script});
    }
  }
  return all;
}

inline const ReproOptions& three() {
  static const ReproOptions options{.release = "3.4.2",
                                    .seconds = 5,
                                    .vocabulary = source_folder() + "/reference/vocabulary.json"};
  return options;
}

}  // namespace storefuzz::test
