// What the model says of an answer before it is looked at: may it be refused, what may it show, and
// if the model has no opinion, why. Every reason is counted: a model without opinions passes every
// test of false alarms.
//
//     const Allowed allowed = model.allowed(step, 0);
//     if (!allowed.exact) ++counts[allowed.reason];
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/wire/observation.h"

namespace storefuzz::program {

// Why an answer is open: why a refusal is allowed, or why the model does not know the answer.
enum class Reason : std::uint8_t {
  kNone,
  kOpenWriter,      // somebody holds what is not yet published
  kStaleWriter,     // others published since this archive was opened
  kArchiveMissing,  // an archive that nobody surely made
  kArchiveClaimed,  // mode x: the place may exist
  kTorn,            // a truncating writer ended without a close
  kPlaceMissing,    // a folder that nobody surely made
  kOtherDirectory,  // made with a relative path, used elsewhere
  kReadOnly,        // a write through what may not write
  kContradictory,   // read-only and a mode that writes, or the other way round
  kBeforeClaim,     // carried before mode w or x was taken
  kCache,           // a cache may answer as things were
  kSeveralValues,   // the content is not known exactly
  kEdge,            // an argument that stores answer in their own way
  kKeyAndFolder,    // a name that is or was a key and a folder, on a file system
  kOddKey,          // a key that is no path, on a file system
  kOddKeyWritten,   // the same, in the content
  kOutsider,        // the file was deleted below an open archive
  kCloseRefused,    // an archive whose close was refused
  kAfterDifference,
  kNoDeletes,
  kClearMay,     // the store may refuse to clear
  kNothingToDo,  // a write that would change nothing
  kMayRefuse,    // an operation that a store may lack
  kUnpublished,  // a carry of what is not yet published
  kBound,        // a carry of what belongs to its process
  kEqualityOfTwo,
  kMisuse,
  kArray,         // arrays and groups, and what lies below one that was written
  kSession,       // a store that belongs to a session
  kConnection,    // opened by another event loop, or inherited by a fork
  kNoNode,        // no array or group was ever made there
  kState,         // attributes: another oracle's
  kTwisted,       // an archive that was wrong on purpose: readers may disagree about its content
  kOtherRelease,  // of a process with another zarr than the one under test
  kAbsent,        // nobody was there to be asked
};
std::string_view name_of(Reason reason);

enum class RefusalIs : std::uint8_t { kNotAllowed, kAllowed, kDue };

struct Allowed {
  RefusalIs refusal = RefusalIs::kNotAllowed;
  bool opinion = true;            // false: nothing is known of what is shown
  bool exact = false;             // one answer is right, and no refusal; or a refusal is due
  Reason reason = Reason::kNone;  // why it is not exact; of a due refusal, why it is due
  std::vector<Answer> answers;    // right ones: all where it is exact, else at most a few
  std::string place;              // which place it is about; "" none
};

}  // namespace storefuzz::program
