// What was seen while a program ran: all answers, and what lay on the disk. Nothing is judged.
//
//     const Answer& answer = seen.steps[3].answers[0];
//     if (const Refusal* refusal = refused(answer)) report(refusal->type);
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "harness/process/ending.h"

namespace storefuzz::program {

using Bytes = std::string;
struct None {  // Python's None
  bool operator==(const None&) const = default;
};
struct BytesValue {  // what a Buffer or bytes held
  Bytes bytes;
  bool operator==(const BytesValue&) const = default;
};
struct Names {  // of a listing, in the order in which they came
  std::vector<std::string> names;
  bool operator==(const Names&) const = default;
};
struct BytesList {  // of get_partial_values
  std::vector<std::optional<Bytes>> values;
  bool operator==(const BytesList&) const = default;
};
struct Text {  // repr or str of what has no form of its own here
  std::string text;
  bool operator==(const Text&) const = default;
};
struct Numbers {  // elements of an array, in C order
  std::vector<std::int64_t> numbers;
  bool operator==(const Numbers&) const = default;
};
struct Attributes {  // of a store or an array: name → text of the value, sorted by name
  std::vector<std::pair<std::string, std::string>> values;
  bool operator==(const Attributes&) const = default;
};
struct NewHandle {   // the result was bound
  std::string type;  // class of the object
  bool operator==(const NewHandle&) const = default;
};
using Shown = std::variant<None, bool, std::int64_t, BytesValue, Names, BytesList, Text, Numbers,
                           Attributes, NewHandle>;

struct Refusal {
  std::string type;   // class of the exception, without its module
  std::string text;   // at most 300 bytes; paths, addresses, process numbers taken out
  std::string frame;  // "zarr/storage/_zip.py:get", the innermost of the subject; or ""
  bool operator==(const Refusal&) const = default;
};

// The handle, or its process, was not there to be asked.
struct Absent {
  bool operator==(const Absent&) const = default;
};

using Answer = std::variant<Absent, Shown, Refusal, Crashed, TimedOut>;
inline const Shown* shown(const Answer& answer) { return std::get_if<Shown>(&answer); }
inline const Refusal* refused(const Answer& answer) { return std::get_if<Refusal>(&answer); }

// A shown value of that type; nullptr where the answer is anything else.
template <class T>
const T* shown_as(const Answer& answer) {
  const Shown* value = shown(answer);
  return value ? std::get_if<T>(value) : nullptr;
}

// What independent eyes (libzip, the file system) see at a place on disk.
struct OnDisk {
  enum class State { kMissing, kUnreadable, kContent } state = State::kMissing;
  std::map<std::string, Bytes> content;  // key → bytes
  bool operator==(const OnDisk&) const = default;
};

// The disk at some moment within a watched call, as a fresh handle finds it afterwards.
struct CrashState {
  OnDisk disk;
  Answer made, listed;                               // a fresh handle: its making, its list
  std::vector<std::pair<std::string, Answer>> read;  // key → get, for each key that was ever there
  bool operator==(const CrashState&) const = default;
};

struct SeenStep {
  std::vector<Answer> answers;         // one for each handle that a call names, else one
  std::map<std::string, OnDisk> disk;  // place → what lies there after the step; those on disk only
  std::vector<CrashState> crash_states;
  bool operator==(const SeenStep&) const = default;
};

// How a process ended that a step let end, or that ended by itself.
struct Observation {
  std::vector<SeenStep> steps;              // as many as the case has
  std::map<std::string, OnDisk> before;     // place → what lay there before the first step
  std::map<std::string, std::string> ends;  // process → "exit 0", "SIGSEGV"; those that ended
  std::vector<std::string> stray;           // files that lie outside every place, at the end
  std::map<std::string, std::vector<std::string>> open;  // process → files it still holds open
  bool operator==(const Observation&) const = default;
};

}  // namespace storefuzz::program
