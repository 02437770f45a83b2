// The case: one plain value that says what store is built and what journey it makes.
//
// A case has one JSON form, readable by a person, and it is the same in corpus, mutator, finding
// and report. Cases come from strangers: parsing bounds every size and never follows a path.
//
//     Result<Case> parsed = parse_case(R"({"store":"zip","carrier":"pickle 2"})");
//     if (parsed) std::puts(to_text(*parsed).c_str());
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/store.h"
#include "harness/zip/archive.h"
#include "harness/zip/twists.h"

namespace storefuzz {

// Bounds of a case; generous for a bug, small for a machine.
inline constexpr std::size_t kMaxCaseText = 64 * 1024;  // bytes of JSON
inline constexpr std::size_t kMaxEntries = 16;          // keys of an archive
inline constexpr std::size_t kMaxTwists = 4;            // wrongnesses of an archive
inline constexpr std::size_t kMaxOperations = 16;       // a case is a story, not a program
inline constexpr std::size_t kMaxKey = 256;             // bytes
inline constexpr std::size_t kMaxValue = 4096;          // bytes, before `repeat`
inline constexpr std::uint32_t kMaxRepeat = 4096;       // times
inline constexpr std::size_t kMaxWritten = 1 << 20;     // bytes of all values of a case together

enum class Mode { kRead, kWrite, kAppend, kExclusive };
enum class Lifecycle { kNew, kOpen, kClosed, kReopened, kUsedAfterClose, kInsideWith };
enum class Warmth { kCold, kWarm };
enum class Driver { kLoop, kCaller };
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
enum class Transport { kSameProcess, kThread, kSpawn, kForkserver, kFork };  // plainest first
// What goes on from the child: nothing, the store or its array back to the parent, the store to a
// grandchild.
enum class ComesBack { kNothing, kStore, kArray, kGrandchild };
// What the parent does between packing and the child's look.
enum class Meanwhile {
  kIdle,
  kCloses,
  kWritesOn,
  kDeletesTheFile,
  kChangesDirectory,
  kForgetsTheStore,
  kHoldsItsLock,
  kHoldsZarrsLock,
};
// What is different around the child.
enum class Surroundings { kSame, kOtherDirectory, kOtherEnvironment, kOtherConfig };
// The real thing that carries cargo and answers, in the slow lane; none: our own child.
enum class Pool { kNone, kProcessPoolExecutor, kMultiprocessingPool, kThreadPoolExecutor, kDask };
enum class LookGroup {
  kState,
  kReads,
  kRanges,
  kListing,
  kArray,
  kWrites,
  kDeletes,
  kMove,
  kClear,
  kAgain
};
enum class What {
  kOpen,
  kReopen,
  kEnter,
  kClose,
  kSet,
  kSetIfNotExists,
  kGet,
  kGetRange,
  kGetOffset,
  kGetSuffix,
  kExists,
  kList,
  kDelete,
};

// A key and its value: `value` written `repeat` times.
struct Entry {
  std::string key;
  std::string value;
  std::uint32_t repeat = 1;

  std::string bytes() const;
  bool operator==(const Entry&) const = default;
};

// What lies at the store's path before the store is made: a zip archive, or a folder of files.
struct Archive {
  std::vector<Entry> entries;
  Compression compression = Compression::kStored;
  std::vector<Twist> twists;  // what is wrong with it, of a zip archive; in the order it is done
  bool operator==(const Archive&) const = default;
};

// The arguments the store's constructor is called with.
struct Constructor {
  bool relative_path = false;
  Mode mode = Mode::kRead;
  std::optional<bool> read_only;  // absent: the argument is not given
  Compression compression = Compression::kStored;
  bool allow_zip64 = true;
  bool operator==(const Constructor&) const = default;
};

// One thing the parent does with its store before the journey.
struct Operation {
  What what = What::kList;
  Entry entry;             // key, and value for a set
  std::int64_t start = 0;  // bytes; of a range, an offset, a suffix length
  std::int64_t end = 0;    // bytes, exclusive; of a range
  bool operator==(const Operation&) const = default;
};

struct Case {
  StoreKind store;
  std::optional<Archive> archive;
  Constructor constructor;
  std::vector<Operation> operations;
  Lifecycle lifecycle = Lifecycle::kNew;
  Warmth parent = Warmth::kCold;
  Driver driver = Driver::kCaller;  // who runs coroutines while looking; a warm parent's zarr loop
                                    // and a cold parent's caller run those of its operations
  std::vector<LookGroup> looks;     // sorted, each once
  Carrier carrier = Carrier::kPickle5;
  bool twice = false;  // carried, received and carried again
  Cargo cargo = Cargo::kStore;
  Transport transport = Transport::kSameProcess;
  Pool pool = Pool::kNone;
  Meanwhile meanwhile = Meanwhile::kIdle;
  Surroundings surroundings = Surroundings::kSame;
  ComesBack comes_back = ComesBack::kNothing;
  bool twin = false;  // a MemoryStore with the same content is asked the same
  bool operator==(const Case&) const = default;
};

// Names used in JSON, on pages and on the command line.
std::string_view name_of(Mode);
std::string_view name_of(Lifecycle);
std::string_view name_of(Warmth);
std::string_view name_of(Driver);
std::string_view name_of(Carrier);
std::string_view name_of(Transport);
std::string_view name_of(Cargo);
std::string_view name_of(Pool);
std::string_view name_of(Meanwhile);
std::string_view name_of(Surroundings);
std::string_view name_of(ComesBack);
std::string_view name_of(LookGroup);
std::string_view name_of(What);
std::string_view name_of(Compression);

// Every value of an enumeration, in its order: for generators, mutators, arrival tests and lists.
template <class Enum>
const std::vector<Enum>& all_of();

// What the journey is about, by group: several oracles and normalise ask it.
bool serialises(Carrier carrier);             // pickle and its relatives: bytes travel
bool stays_in_process(Carrier carrier);  // copy, deepcopy, handed over: of an object, where it lives
bool in_this_process(Transport transport);    // same process, thread
bool fresh_interpreter(Transport transport);  // spawn, forkserver: nothing of the parent is there
bool ends_open(Lifecycle lifecycle);          // the parent's store is open when it is packed

// A key every store treats alike: names between single slashes, none of them a dot name.
bool plain_key(std::string_view key);

// Whether a key can lie in an archive that holds `others`: libzip takes none that is empty or has a
// NUL. `files`: in a folder, which takes no key that is not plain, or that runs through a file.
bool can_lie_with(const std::set<std::string>& others, const std::string& key, bool files);

// A zip archive that is wrong on purpose; it is only read.
bool wrong_on_purpose(const Case& value);

// The zip file of a case: sound, by libzip, then its twists. bad_input: a key that none can have.
Result<std::string> bytes_of(const Archive& archive);

// Turns any case into the nearest possible one: a store is handed over only within its process, a
// new store has no operations, and so on. The rules stand in case.cc, each with its reason.
// Idempotent.
void normalise(Case& value);

// True when the bounds above hold, also for the JSON form.
bool within_bounds(const Case& value);

Json to_json(const Case& value);
std::string to_text(const Case& value);  // to_json, compact, always valid UTF-8

// Reads the JSON form. Unknown words, wrong types and broken bounds are bad input, named by field.
// Fields left out keep their defaults; the result is normalised.
Result<Case> parse_case(std::string_view text);

// A sentence about the journey: "pickle 5 to a forked child of a warm parent".
std::string describe_journey(const Case& value);

}  // namespace storefuzz
