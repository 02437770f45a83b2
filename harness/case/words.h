// Words and bounds that the parts of a case share: modes, carriers, cargo.
//
//     name_of(Carrier::kPickle5)  // "pickle 5"
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/store.h"
#include "harness/zip/archive.h"
#include "harness/zip/twists.h"

namespace storefuzz {

// Bounds of a case; generous for a defect, small for a machine.
inline constexpr std::size_t kMaxCaseText = 64 * 1024;  // bytes of JSON
inline constexpr std::size_t kMaxEntries = 16;          // keys of a place
inline constexpr std::size_t kMaxTwists = 4;            // of an archive
inline constexpr std::size_t kMaxKey = 256;             // bytes

enum class Mode { kRead, kAppend, kWrite, kExclusive };  // plainest first
enum class Carrier {
  kPickle5,
  kPickle0,
  kPickle1,
  kPickle2,
  kPickle3,
  kPickle4,
  kCloudpickle,
  kForkingPickler,
  kDask,
  kCopy,
  kDeepcopy,
  kHandedOver,
  kMadeAnew,
  kInherited,
};  // plainest first
// What is put into the carrier: the store, or something that holds it.
enum class Cargo { kStore, kList, kDict, kTwoReferences, kStorePath, kArray, kGroup };

// Names used in JSON, on pages and on the command line.
std::string_view name_of(Mode);
std::string_view name_of(Carrier);
std::string_view name_of(Cargo);

// Every value of an enumeration, in its order: for generators, mutators and lists.
template <class Enum>
const std::vector<Enum>& all_of();
template <>
const std::vector<Mode>& all_of<Mode>();
template <>
const std::vector<Carrier>& all_of<Carrier>();
template <>
const std::vector<Cargo>& all_of<Cargo>();

// Of an object, where it lives: copy, deepcopy, handed over.
bool stays_in_process(Carrier carrier);

// Those with these names, with commas between; nothing for an empty text. bad_input: there is no
// such carrier.
Result<std::vector<Carrier>> parse_carriers(std::string_view names);

}  // namespace storefuzz
