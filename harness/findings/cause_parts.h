// What the words of a cause are made of: the step that differs, what was refused, how the program
// gets from process to process, and what it needs that is not as plain as it could be.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/case/program.h"
#include "harness/model/difference.h"

namespace storefuzz::program {

using Words = std::vector<std::string>;

// Of an error's text so many characters are told.
inline constexpr std::size_t kLongestText = 100;

// --- the step

// nullptr: it differs when all is over, or the step is no such step.
const Step* step_of(const Case& value, const Difference& difference);
const Call* call_of(const Case& value, const Difference& difference);
const Make* make_of(const Case& value, const Difference& difference);
const Deed* deed_of(const Case& value, const Difference& difference);

// Whether a process did what it was asked, and then ended in a wrong way: the step that came last
// says nothing of the root.
bool is_of_an_end(const Difference& difference);

// Whether it closes what a store has open: who is forgotten, or whose process ends.
bool closes(const Deed& deed);

// In words: an operation, "make", "fork", a carrier, a deed, "end by SIGABRT"; or the plainest
// of its sort.
std::string step_word(const Case& value, const Difference& difference, bool plainest);

// A key that is no plain path, and that the reduction did not make one: of any call.
bool has_odd_key(const Case& value);

// What is not plain of the keys that the reduction could not make "a", each once: "a key with a
// NUL", "an empty key". Whoever fails for one of them need not fail for another.
Words words_of_keys(const Case& value);

// Whether a key that lay there before, or that a call put there, is one of these.
bool was_put(const Case& value, const std::function<bool(const std::string&)>& is);

// Each attribute is lost for a reason of its own, whatever was asked before.
bool is_of_an_attribute(const Difference& difference);

// --- the refusal

// "" where nothing was refused.
std::string refusal_type(const Difference& difference);

// "'ZipStore' object has no attribute '_lock'": what is not there is not there for every operation,
// in whichever line it is asked for. Of other classes than the program's stores the text says too
// little: many a call meets a None. "": it is no such refusal.
std::string lacking_attribute(const Case& value, const Difference& difference);

// Whether a refusal is allowed depends on the mode and on who else is there; the error is the same.
std::string_view wrong_word(const Difference& difference);

// --- the way

// How the program gets from process to process, in the order of its steps; each way once. What is
// carried within a process counts where none is left.
Words journeys_of(const Case& value);

inline constexpr std::string_view kToAnother = " to another process";  // of a carrier

// Whether a process is a fork of another one; "" is none that is known, and counts as one.
bool was_forked(const Case& value, const std::string& process);

// "after fork, pickle 5 to another process".
std::string after(const Words& journeys);

// --- who writes

bool is_of_an_archive(const Make& make);
// The make, the call or the carry that gave this handle; nullptr: none did.
const Make* made_as(const Case& value, const std::string& handle);
const Call* made_by(const Case& value, const std::string& handle);
const Carry* carried_as(const Case& value, const std::string& handle);
// The store in which a StorePath, a group or an array lies, or which was handed over: who writes by
// these writes by that. Of a store, also a read-only one of another, itself.
std::string store_of(const Case& value, const std::string& handle);
// The make from which a handle comes, by whatever calls and carries; nullptr: there is none.
const Make* origin_of(const Case& value, const std::string& handle);
// A key as its store has it: below the path of a StorePath, also of a copy of one.
std::string whole_key(const Case& value, const std::string& handle, const std::string& key);
// "read_only given", or "read_only=False given".
std::string_view read_only_word(bool read_only);
bool may_write(const Make& make);

// Whether something lies on the disk that was not there, or no longer.
bool changes_the_disk(Wrong wrong);

// Where nobody may write, the call that changed the disk all the same; it, or a close after it,
// tells so. It may be refused or not where there is nothing to do, and of what is no archive for
// everybody nobody knows what is due: then the disk alone tells. nullptr: there is none.
const Call* forbidden_write(const Case& value, const Difference& difference);

// "writable / done / clear on zip": of a write that its store had to refuse.
Words words_of_a_forbidden_write(const Case& value, const Call& write);

// --- what is needed

inline constexpr std::string_view kRelative = "by a relative path";
inline constexpr std::string_view kElsewhere = "with change directory";
inline constexpr std::string_view kSeveralWriters = "several writers";
inline constexpr std::string_view kBesideAWriter = "beside a writer";
inline constexpr std::string_view kReadOnlyGiven = "read_only given";
inline constexpr std::string_view kWritableGiven = "read_only=False given";
inline constexpr std::string_view kNameTwice = "a name written twice";
inline constexpr std::string_view kModeW = "mode w";
inline constexpr std::string_view kAnotherRelease = "another release";

// What is left in the program that is not as plain as it could be: the difference needs it, so it
// is of the root. Who may not write at all does so (`forbidden`, or nullptr) whatever lies there,
// and before it comes to its end.
Words needed(const Case& value, const Difference& difference, const Call* forbidden);

bool has(const Words& words, std::string_view word);

}  // namespace storefuzz::program
