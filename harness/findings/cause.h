// What a difference of a program is about: its class, its severity, and its cause, once the program
// has been reduced. Two reduced differences of one cause have one root.
//
//     const Cause cause = cause_of(small, difference);
//     std::puts(fmt::format("{} {}", cause.severity, cause.key).c_str());
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "harness/case/program.h"
#include "harness/model/difference.h"

namespace storefuzz::program {

// Oracles with rules of their own: the first asks readers of some programs only.
inline constexpr std::string_view kReadersAgree = "readers agree";
inline constexpr const char* kWritable = "writable";
inline constexpr std::string_view kSurvival = "survival";

// 1 published data lost or changed · 2 wrong data in silence · 3 something changed outside its
// place · 4 hang, death, leak · 5 state or equality lost, a carry refused · 6 refused where an
// answer is due, or by an unfitting type · 7 a question on which stores disagree. What no user
// should ask is never above 6, unless data is lost.
inline constexpr int kMildest = 7;
int severity_of(const Case& value, const Difference& difference);

// What a reduction must keep: oracle, class, the plainest operation of the family, and the type of
// a refusal, so that it does not slide to another difference. An operation says nothing where
// something else tells the root: the attribute that a store lacks, the place where a call waits, an
// archive that is read when all is over.
std::string class_of(const Case& value, const Difference& difference);

struct Cause {
  std::string key;  // "reads / shown as missing / get on zip / after pickle 5 to a spawned process"
  int severity = kMildest;
  bool journey = false;  // it does not happen without a carry or a fork
};

// An attribute is the same by its own name, behind an underscore, and in an object that holds the
// store: "read_only", "_read_only", "_store._read_only".
std::string_view attribute_of(std::string_view name);

// What differs as the loop saw it: with the operation in any case, and the frame of a refusal.
// Differences of one class may have several roots, so more than one of them are looked at. What
// kills a process at its end may not do so again: it is named by its cause at once.
std::string seen_as(const Case& value, const Difference& difference);

// By which word it was asked, and of which kind, the wrapper included: findings that look alike to
// the loop may have several roots, and those that were asked otherwise come first.
std::string asked_as(const Case& value, const Difference& difference);

// In the subject, where a call was that did not come back: "zarr/core/sync.py:sync". "": unknown,
// or in a store that is not zarr's.
std::string frame_of_hang(const Difference& difference);

// Of a reduced program, of which `difference` was told.
Cause cause_of(const Case& reduced, const Difference& difference);

// The kinds of store that a program makes (of those that are `of`), each once, sorted: "logging,
// zip".
std::string kinds_of(const Case& value, const std::function<bool(const Make&)>& of = {});

// Whether a store gets to another process, or is copied.
bool has_journey(const Case& value);

}  // namespace storefuzz::program
