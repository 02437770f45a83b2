// A difference: an answer, or a state of the disk, that was not allowed.
//
//     if (const auto wrong = model.take(step, 0, answer)) std::puts(wrong->should_be.c_str());
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/wire/observation.h"

namespace storefuzz::program {

// By what a difference means, and not by the operation that showed it; the strongest first.
enum class Wrong : std::uint8_t {
  kLost,        // a published value is gone from the disk, or is another there
  kMade,        // something lies where nothing was written
  kUnreadable,  // independent eyes cannot read what was published
  kStray,       // something outside every place, or a file that is still open
  kDeath,
  kHang,
  kOtherValue,
  kAbsent,  // shown as missing
  kGhost,   // shown, and not there
  kTwice,   // named twice in one listing
  kDone,    // where a refusal is due
  kNotEqual,
  kState,  // attributes were lost, or changed
  kRefused,
  kUnfittingType,  // refused by an error that no caller expects
  kDisagree,       // kinds of store answer otherwise: a question, and nobody is wrong for sure
};
std::string_view name_of(Wrong wrong);

// An answer in words, for people: "b\"a@0\"", "KeyError".
std::string say(const Answer& answer);

// Words of what lies on the disk: who looked, and what should be of a place as a whole.
inline constexpr const char* kOnDisk = "on disk";
inline constexpr const char* kThere = "there";
inline constexpr const char* kReadable = "readable";

// By name, never by position: a reduction moves steps. `step` is for whoever has the same case.
struct Where {
  std::size_t step = 0;
  std::size_t call = 0;  // which of several mirrored handles
  std::string handle, process, operation, key;
  std::string place;           // "z", "object of p0/s0", "dictionary of p1"; "" none
  std::string argument = "";   // what sort of argument a call had: "plain", "edge", "misuse"
  std::string zip_class = "";  // of an archive that is wrong on purpose, where readers disagree
  bool operator==(const Where&) const = default;
};

struct Difference {
  Wrong wrong = Wrong::kOtherValue;
  Where where;
  std::string should_be;  // in words or as values: "b\"a@0\"", "a refusal"
  Answer was;             // what was answered; Absent where the disk tells
  std::string seen;       // in words, where no answer says it
  bool question = false;  // stores disagree there: never the first of its place
  bool first = false;     // of its place; what differs there later is a symptom
  bool within = false;    // on the disk, at a moment within the call: if everything stops there
  std::string oracle;     // which asked
  std::string headline;   // a plain sentence
  // Of a question: kind of store → what it answered, in words.
  std::vector<std::pair<std::string, std::string>> stores = {};
};

}  // namespace storefuzz::program
