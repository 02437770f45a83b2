// An answer: what one question to the subject gave.
//
// Shown (a value), refused (an exception of the subject), crashed (a signal), timed out (with
// Python stacks), or absent (the side could not be asked). A child's death is an answer, never an error.
//
//     const Answer& answer = seen.child.looks[0];
//     if (const Refused* refusal = refused(answer)) report(refusal->type);
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/json.h"
#include "harness/process/ending.h"

namespace storefuzz {

struct Absent {
  bool operator==(const Absent&) const = default;
};
struct Shown {
  Json value;
  bool operator==(const Shown&) const = default;
};
struct Refused {
  std::string type;                // class of the exception, without its module
  std::string text;                // at most 300 characters, paths taken out
  std::string frame;               // "zarr/storage/_zip.py:get", the last one in the subject; or ""
  std::string lost;                // the attribute an AttributeError missed on a zarr object; or ""
  std::vector<std::string> kinds;  // the classes of the exception, from its own to Exception
  bool operator==(const Refused&) const = default;
};

using Answer = std::variant<Absent, Shown, Refused, Crashed, TimedOut>;
using State = std::map<std::string, Answer>;  // attribute or property → answer

inline const Shown* shown(const Answer& answer) { return std::get_if<Shown>(&answer); }
inline const Refused* refused(const Answer& answer) { return std::get_if<Refused>(&answer); }

Answer answer_from_json(const Json& json);
Json to_json(const Answer& answer);
State state_from_json(const Json& json);

// "shown 3", "refused AttributeError: …", "timed out": one line, at most 160 characters.
std::string describe(const Answer& answer);

}  // namespace storefuzz
