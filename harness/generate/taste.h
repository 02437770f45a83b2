// What one program is about: its stores, its keys, and which rarer features it has. Drawn once a
// program, so that what is in it meets itself again.
//
//     Taste taste = draw_taste(choices, stores);
//     if (taste.forks) …
#pragma once

#include <string>
#include <vector>

#include "harness/case/choices.h"
#include "harness/case/program.h"
#include "harness/case/store.h"

namespace storefuzz::program {

struct Taste {
  Stores kinds;                   // one or two; a wrapper has something to wrap
  std::vector<std::string> keys;  // some that can be confused with each other
  bool sync = false;              // coroutines also by zarr's own loop
  bool misuse = false;            // what no user should do
  bool edges = false;             // ranges that end beyond the value, and the like
  bool odd_keys = false;          // "", "..", "a/"
  bool forks = false;
  bool ends = false;         // processes end, orderly or not
  bool directories = false;  // relative paths, and other directories
  bool outsider = false;     // somebody deletes a file
  bool arrays = false;
  std::vector<std::string> releases;  // others than the one under test, for processes
};

Taste draw_taste(Choices& choices, const Stores& stores,
                 const std::vector<std::string>& releases = {});

// A wrongness of an archive; none that costs every reader milliseconds.
Twist draw_twist(Choices& choices);

// The zarr of a new process: "" the one under test, or another release where the taste has some.
std::string draw_subject(const Taste& taste, Choices& choices);

// A key of the program's own, rarely one that no store likes.
std::string draw_key(const Taste& taste, Choices& choices);

// What lies at the usual places before, and which processes there are.
Case draw_frame(const Taste& taste, Choices& choices);

// Of `stores`, those in one dictionary of a process with this kind: what one does there shows in
// the other.
Stores sharing(StoreKind kind, const Stores& stores);

// A name for a place where such a store can be made; `second`: another one.
std::string place_name(StoreKind kind, bool second);

// Whether an operation is of arrays and groups, or makes one.
bool is_about_nodes(const Operation& row);

// Gives each value a word of its own: its key and its step, "b@5", or "a@0" for what lay there
// before.
void name_values(Case& value);

}  // namespace storefuzz::program
