// The case, format 2: a program. What lies at each place before, which processes there are, and
// steps that make, call, carry, fork and do.
//
// A case has one JSON form, readable by a person, and it is the same in corpus, mutator, finding
// and report. Handles, places and processes are named, never counted: a reduction drops the steps
// that name something that no longer exists (fit). Steps are strictly ordered; nothing overlaps.
//
//     Result<program::Case> parsed = program::parse_case(text);
//     if (parsed) std::puts(program::to_text(*parsed).c_str());
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/case/operations.h"
#include "harness/case/store.h"
#include "harness/case/words.h"

namespace storefuzz::program {

// Bounds: generous for a defect, small for a machine. Cases come from strangers. Those of text,
// keys, and entries of a place are those of words.h.
inline constexpr std::size_t kMaxPlaces = 4;           // each is a folder or file to look at
inline constexpr std::size_t kMaxProcesses = 4;        // besides the first; each costs a worker
inline constexpr std::size_t kMaxSteps = 48;           // the median drawn is 8 to 12
inline constexpr std::size_t kMaxHandles = 16;         // living at once in one program
inline constexpr std::size_t kMaxMirrored = 4;         // handles of one call
inline constexpr std::size_t kMaxName = 24;            // bytes; letters, digits, "_"
inline constexpr std::size_t kMaxRelease = 24;         // bytes of "3.0.8"
inline constexpr std::uint32_t kMaxSize = 64 * 1024;   // bytes of one value
inline constexpr std::int64_t kMaxNumber = 1LL << 40;  // of a range, up and down

// The process in which a program begins. It is not named in `processes`.
inline constexpr std::string_view kHome = "p0";

// Bytes that name the step that wrote them, so that any slice of four bytes says where it comes
// from: the word and a semicolon, again and again, cut to `size`. JSON: "b@5", or with a size of
// its own {"word": "b@5", "size": 9000}.
struct Value {
  std::string word;           // "b@5": key b, step 5
  std::uint32_t size = 0;     // bytes; 0: the word itself, once
  std::string bytes() const;  // size 0 → "b@5"; size 11 → "b@5;b@5;b@5"
  bool operator==(const Value&) const = default;
};

struct Entry {
  std::string key;
  Value value;
  bool operator==(const Entry&) const = default;
};

// What lies at a place before the program begins. A place that is not named here is empty. On what
// medium it lies is said by the stores that are made there. An archive may be wrong in named ways:
// {"z": {"entries": […], "twists": [{"name": "wrong crc", "entry": 0, "amount": 1}]}}.
struct Place {
  std::string name;            // "z"; on disk "z.zip" or the folder "z"
  std::vector<Entry> entries;  // each key once
  std::vector<Twist> twists;   // of an archive, in the order in which they are done
  bool operator==(const Place&) const = default;
};

// How a process begins. A spawned one is there from the beginning, without anything of the others;
// a forked one begins at its fork step, with all that its parent holds.
enum class Began { kSpawn, kFork };

// {"p1": "spawn"}, or with another release of zarr in it than the one under test:
// {"p1": {"began": "spawn", "subject": "3.0.8"}}. A fork has the zarr of its parent.
struct Process {
  std::string name;
  Began began = Began::kSpawn;
  std::string subject;  // release; empty: the one under test
  bool operator==(const Process&) const = default;
};

// Who runs the coroutines of a call: our own loop, by hand, or the subject's `zarr.core.sync.sync`.
enum class By { kHand, kSync };

// {"make": "zip", "at": "z", "mode": "a", "as": "s0"}. A wrapper may be put around a living handle:
// {"make": "logging", "around": "s0", "as": "s1"}, in the process of that handle.
struct Make {
  StoreKind kind;
  std::string at;      // place; empty with `around`
  std::string around;  // handle of the same process; empty: a store of its own
  Mode mode = Mode::kAppend;
  std::optional<bool> read_only;  // absent: the argument is not given
  bool deflated = false;          // of an archive: compression=zipfile.ZIP_DEFLATED is given
  bool relative = false;          // the path is relative to the process's directory
  std::string in{kHome};          // process
  std::string as;                 // the new handle
  bool operator==(const Make&) const = default;
};

// {"call": "get", "key": "a", "on": ["s0", "s1"]}: one operation on one handle, or the same on
// several, one after the other (mirrored).
struct Call {
  Op op = Op::kGet;
  std::vector<std::string> on;  // handles, in order
  std::string in;   // process, for a handle that a fork inherited; empty: where it was made
  std::string key;  // also a prefix, the path of a StorePath, an array or a group
  Value value;
  std::int64_t start = 0, end = 0;  // bytes; of a range, an offset, a suffix
  std::string other;                // handle, for equality
  bool flag = false;                // of with_read_only
  By by = By::kHand;
  bool watched = false;  // crash states are taken while this call runs
  std::string as;        // binds the result as a new handle (one handle in `on`)
  bool operator==(const Call&) const = default;
};

// {"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s1"}. `kInherited` is no carrier here
// (fork is a step), nor is `kMadeAnew` (make is).
struct Carry {
  Carrier carrier = Carrier::kPickle5;
  Cargo cargo = Cargo::kStore;
  std::string from;
  std::string in;  // process of `from`, where a fork inherited it; empty: where it was made
  std::string to{kHome};
  std::string as;
  bool operator==(const Carry&) const = default;
};

// {"fork": "p2", "in": "p0"}: process p2 begins as a copy of p0.
struct Fork {
  std::string process;
  std::string in{kHome};
  bool operator==(const Fork&) const = default;
};

enum class What {
  kChangeDirectory,  // {"do": "change directory", "in": "p1"}: into a folder of its own
  kDrop,             // {"do": "drop", "handle": "s0"}: forgotten, and collected
  kDeleteFile,       // {"do": "delete the file", "at": "z"}: by an outsider
  kExit,             // {"do": "exit", "in": "p1"}: orderly, by sys.exit and atexit
  kQuit,             // {"do": "_exit", "in": "p1"}: at once, by os._exit
  kDie,              // {"do": "die", "in": "p1"}: by SIGKILL
};
struct Deed {
  What what = What::kDrop;
  std::string in{kHome};  // process; of a drop, where the handle lives
  std::string handle, at;
  bool operator==(const Deed&) const = default;
};

using Step = std::variant<Make, Call, Carry, Fork, Deed>;

struct Case {
  std::vector<Place> before;
  std::vector<Process> processes;  // besides kHome
  std::vector<Step> steps;
  bool operator==(const Case&) const = default;
};

// The archive of a place: sound, by libzip, then its twists. bad_input: a key that none can have.
Result<std::string> archive_of(const Place& place);

// Whether readers may disagree about what is in it: it is more than a legal form of its entries.
bool is_ambiguous(const Place& place);

std::string_view name_of(Began);
std::string_view name_of(By);
std::string_view name_of(What);
bool ends_its_process(What what);  // exit, _exit, die

// `std::visit` with one function a kind of step: std::visit(Each{[](const Make&) …}, step).
template <class... Functions>
struct Each : Functions... {
  using Functions::operator()...;
};

// Drops what names nothing, or what cannot be; puts the rest in its bounds. Every rule stands in
// fit.cc with its reason. Idempotent. A prefix of a fitting case keeps all its steps; places and
// processes that only later steps named fall away.
void fit(Case& value);

Json to_json(const Case& value);
std::string to_text(const Case& value);  // one line, always valid UTF-8

// Reads the JSON form. Unknown words, wrong types and broken bounds are bad input, named by field.
// The result is fitted.
Result<Case> parse_case(std::string_view text);

// The processes whose zarr is another release than the one under test.
std::set<std::string, std::less<>> of_other_releases(const Case& value);

// Which handles live where, and what kind each is. What every reader of a case needs: follow the
// steps in order, `take` each.
class Handles {
 public:
  // Takes a step: its new handle, the inherited ones of a fork, what a deed or a death ends.
  void take(const Step& step);
  // The process of a living handle: where it was made, or `in` where a step names one. nullptr:
  // there is none.
  const std::string* process_of(std::string_view handle, std::string_view in = {}) const;
  // The kind of any handle that was ever made; nullopt: none has that name.
  std::optional<Subject> subject_of(std::string_view handle) const;
  // Living handles as (process, name), in the order they were made.
  const std::vector<std::pair<std::string, std::string>>& living() const { return living_; }

 private:
  struct Origin {
    std::string process;
    Subject subject;
  };
  void bind(const std::string& process, const std::string& handle, Subject subject);

  std::vector<std::pair<std::string, std::string>> living_;
  std::map<std::string, Origin, std::less<>> origins_;  // by handle
};

// The same number for the same case, in every process: by it a case draws what is not said in it.
// Far cheaper than its text.
std::uint64_t hash_of(const Case& value);

// The kind of store behind a handle: that of its make, with the wrappers that were put around it.
// nullopt: no step binds that name.
std::optional<StoreKind> kind_of(const Case& value, std::string_view handle);

// The keys that it is about: those of its places, and those that calls name.
std::set<std::string> keys_of(const Case& value);

}  // namespace storefuzz::program

namespace storefuzz {

template <>
const std::vector<program::Op>& all_of<program::Op>();
template <>
const std::vector<program::Began>& all_of<program::Began>();
template <>
const std::vector<program::By>& all_of<program::By>();
template <>
const std::vector<program::What>& all_of<program::What>();

}  // namespace storefuzz
