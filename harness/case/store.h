// The stores a case can name: adapters, read from data.
//
// An adapter is one object of reference/stores.json, or the `STORE` of a stranger's Python file:
// how its constructor is written in Python, and what the store can do. A wrapper names another
// store: "logging over local". Nothing here loads Python; the texts are run by workers and quoted
// by repro.py scripts, so that a script makes exactly the store that was seen.
//
//     Result<StoreKind> kind = find_store("logging over zip");
//     if (kind) std::puts((*kind)->type.c_str());  // LoggingStore
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"

namespace storefuzz {

// Where the content lies.
enum class Medium { kZip, kFolder, kMemory };

// Who sees the same content as the parent's store.
enum class Shared {
  kPlace,    // every store made for the same place
  kObject,   // the object alone; a pickled store takes a copy of the content along
  kProcess,  // every store of that name in the same process, and what a fork inherits
  kSession,  // the object, until it says otherwise: elsewhere the model has no opinion
};

// Whether a store can do what not every store can.
enum class Can { kNo, kMay, kYes };

struct Adapter {
  std::string kind;                    // its word: "zip", "logging over local"
  std::string type;                    // its class, as headlines name it
  std::string make;                    // Python: "zarr.storage.ZipStore({path}{arguments})"
  std::vector<std::string> imports;    // Python lines that `make` needs besides zarr.storage
  std::string needs;                   // a module that must be there, besides the imports
  std::vector<std::string> arguments;  // of a case's constructor: mode, read_only, compression, …
  std::string clean;                   // Python that forgets what earlier cases left in the process
  std::string before;                  // Python that wakes what the store needs there (threads)
  std::string interface;               // of carriers.json; empty: that of every store
  std::string file;                    // a stranger's Python file; empty: ours
  std::string dictionary;              // of a process: its word, where several adapters share one
  std::string uses;                    // kind whose class is part of its own: its defects show here
  std::string prefix;                  // below which a store of that dictionary has its keys
  const Adapter* inner = nullptr;      // what a wrapper was put over
  Medium medium = Medium::kFolder;
  Shared shared = Shared::kPlace;
  Can clears = Can::kYes;        // where the store writes
  Can views = Can::kMay;         // with_read_only gives a second store of the same place
  bool caches = false;           // it may go on showing what its source showed before
  bool keeps = false;            // its cache outlives the handle: it lies beside the place
  bool wraps = false;            // `make` has an {inner}
  bool given_a_file = false;     // `make` has a {file mode}: its caller opens the file
  bool made_for = false;         // `make` has mkdir=True: its caller makes the folder
  bool served = false;           // `make` has a {server}: an http server of ours gives the place
  bool connects = false;         // it keeps a connection, which belongs to the loop that opened it
  bool writes = true;            // unless the store is read-only
  bool deletes = true;           // where the store writes
  bool waits = true;             // its coroutines need an event loop
  bool threads = false;          // it has threads of its own, which are not Python's
  bool any_key = false;          // a key is any text; else it is a path below a folder
  bool zarr_keys = false;        // only keys of Zarr nodes and chunks are taken, as documented
  bool files = false;            // a key is a file: no key lies below another one
  bool deletes_folders = false;  // delete takes the name of a folder as well, as documented
  bool forgets = false;          // content ends with the last store that has it, as documented
  bool opaque = false;           // what lies at its path only the store itself can read or write
  bool stays = false;            // the store refuses to arrive in another process, as documented
  bool opens = false;            // `make` opens it: what is not there is made
  bool chosen = false;           // zarr chooses the class: another one than `type` is wrong
  bool listed = true;            // drawn by default; others only when they are named

  bool takes(std::string_view argument) const;

  // Whether an archive's file is open as long as the object lives, and a close of the store leaves
  // it so: the caller opened it, or the store, which only reads, did when it was made.
  bool holds_its_file() const { return given_a_file || !writes; }
};

// A handle: cheap to copy, always valid; the first adapter of the list unless said otherwise.
class StoreKind {
 public:
  StoreKind();
  explicit StoreKind(const Adapter* adapter) : adapter_(adapter) {}
  const Adapter* operator->() const { return adapter_; }
  bool operator==(const StoreKind& other) const { return adapter_->kind == other->kind; }
  auto operator<=>(const StoreKind& other) const { return adapter_->kind <=> other->kind; }

 private:
  const Adapter* adapter_;
};

std::string_view name_of(StoreKind kind);

// All adapters, in the order of the file; wrappers by their own word.
const std::vector<StoreKind>& all_stores();

// "zip", "logging over wrapper over local". bad_input: no such word, a wrapper over nothing.
Result<StoreKind> find_store(std::string_view words);

// Which stores a run is about; never empty.
using Stores = std::vector<StoreKind>;

// "zip,local" → stores, "all" → every one of the list; bad_input names the word that is none.
Result<Stores> parse_stores(std::string_view list);

// Puts a wrapper around a store.
StoreKind over(StoreKind wrapper, StoreKind inner);

// The store below all wrappers.
StoreKind innermost(StoreKind kind);

// The same wrappers over another store. nullopt: that one is a wrapper itself.
std::optional<StoreKind> with_innermost(StoreKind kind, StoreKind other);

// Whether the words of a store name a kind, or wrappers over it: "logging over zip" is, or wraps,
// both.
bool is_or_wraps(std::string_view words, std::string_view kind);

// Adds the adapters of a JSON list, as find_adapter (subject.h) gets them from a stranger's file.
// bad_input: a member is missing, unknown or of a wrong type, or a word is taken.
Result<void> add_adapters(const Json& list);

// What was added so far, as a JSON list: for the processes that are started from here.
Json added_adapters();

}  // namespace storefuzz
