// An answer of a reader of zip files: shown (a value), refused (an exception), crashed (a signal),
// timed out, or absent (it could not be asked). A reader's death is an answer, never an error.
//
//     if (const Refused* refusal = refused(reply.listed)) report(refusal->type);
#pragma once

#include <string>
#include <variant>

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
  std::string type;  // class of the exception, without its module
  std::string text;  // at most 300 characters, paths taken out
  bool operator==(const Refused&) const = default;
};

using Answer = std::variant<Absent, Shown, Refused, Crashed, TimedOut>;

inline const Shown* shown(const Answer& answer) { return std::get_if<Shown>(&answer); }
inline const Refused* refused(const Answer& answer) { return std::get_if<Refused>(&answer); }

Answer answer_from_json(const Json& json);
Json to_json(const Answer& answer);

// "shown 3", "refused AttributeError: …", "timed out": one line, at most 160 characters.
std::string describe(const Answer& answer);

}  // namespace storefuzz
