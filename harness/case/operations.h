// The operations that a program can call: the one table.
//
// A row (operations.def) says what the harness knows of an operation; how it is said in Python, an
// interface a line, stands in reference/operations.json under the row's word. A new operation
// touches its row, its line and its test. One that answers like no other has its own answer for the
// model (model/reads.cc) and for sound stores (testing/sound_programs.cc) as well.
//
//     const Operation& row = operation(Op::kGet);
//     if (row.on_handle == OnHandle::kWrites) …
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace storefuzz::program {

enum class Op : std::uint8_t {
#define OPERATION(op, ...) op,
#include "harness/case/operations.def"
#undef OPERATION
};

enum class Family {
  kRead,
  kRange,
  kSize,
  kListing,
  kWrite,
  kDelete,
  kLifecycle,
  kState,
  kBind,
  kArray
};
enum class Subject { kStore, kPath, kArray, kGroup };  // what kind of handle it is called on

// How the Python line is run: its value is the answer; a coroutine is driven to its end; an
// asynchronous iterator is collected into a list, or left after its first item.
enum class Said { kPlain, kCoroutine, kIterator, kHalfIterator };

// What a shown answer holds.
enum class Gives { kNothing, kFlag, kCount, kBytes, kBytesList, kNames, kState, kHandle, kNumbers };

// What it does to the handle, and to the content of its place.
enum class OnHandle { kNone, kOpens, kWrites, kEnds };
enum class OnContent { kNone, kSet, kSetIfAbsent, kDelete, kDeleteBelow, kClear, kUnknown };

// What else is right of an operation.
enum class Rule {
  kNone,
  kListed,    // it writes the keys that the store lists, and asks for no other
  kMoves,     // it takes the content away: what only reads refuses it, and others may
  kOwnAnswer  // each store may answer in its own way, or refuse: other kinds are asked the same
};

// What sort of argument an operation was given: one that every store takes alike, one at the edge
// of what stores promise, or one that no user should give.
enum class Argument { kPlain, kEdge, kMisuse };
std::string_view name_of(Argument argument);

// Which fields of a call it takes; the others have no meaning. A key and a prefix both stand in
// `Call::key`.
struct Arguments {
  bool key = false, prefix = false, value = false, start = false, end = false, other = false,
       flag = false;

  bool text() const { return key || prefix; }
  bool operator==(const Arguments&) const = default;
};

struct Operation {
  Op op;
  std::string_view word;  // in JSON and on pages
  Family family;
  std::uint8_t subjects;  // bits 1 << Subject
  Arguments takes;
  Said said;
  Gives gives;
  OnHandle on_handle;
  OnContent on_content;
  Op plainer;  // the plainest operation of its family that asks the same; itself where it is that
  Subject binds = Subject::kStore;  // what kind of handle it gives, where it gives one
  bool misuse = false;              // what no user should do: a refusal is as right as an answer
  bool may_lack = false;            // a release, or a store, may have no such method
  Rule rule = Rule::kNone;
  // The operation whose answer this one gives, asked in another way; `plainer` may ask less.
  std::optional<Op> like = std::nullopt;

  bool writes() const { return on_content != OnContent::kNone; }
  bool sets() const {
    return on_content == OnContent::kSet || on_content == OnContent::kSetIfAbsent;
  }
  bool deletes() const {
    return on_content == OnContent::kDelete || on_content == OnContent::kDeleteBelow ||
           on_content == OnContent::kClear;
  }

  // Whether it is asked of an array or a group, or gives one: zarr makes calls of the store of it.
  bool is_about_a_node() const {
    return family == Family::kArray || on_content == OnContent::kUnknown ||
           (gives == Gives::kHandle && on_handle != OnHandle::kNone);
  }

  // On the same content two kinds of store should answer alike. Not: what tells of the store itself
  // or makes another handle, and a listing that is left after any one name.
  bool stores_agree() const {
    if (rule == Rule::kOwnAnswer) return true;
    return family != Family::kState && family != Family::kLifecycle && gives != Gives::kHandle &&
           said != Said::kHalfIterator;
  }

  // Whether it is `said` without a loop although it is about content.
  bool in_sync() const {
    return said == Said::kPlain && (family == Family::kRead || family == Family::kRange ||
                                    family == Family::kWrite || family == Family::kDelete);
  }

  bool on(Subject subject) const { return subjects >> static_cast<int>(subject) & 1; }
};

std::span<const Operation> operations();  // in the order of Op
const Operation& operation(Op op);
std::optional<Op> find_operation(std::string_view word);
std::string_view name_of(Op op);
Op answers_like(Op op);  // itself, or the one whose answer it gives

}  // namespace storefuzz::program
