// The JSON form of a case, its bounds, and the rules that make any case a possible one.
#include "harness/case/case.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "harness/base/text.h"
#include "harness/case/json_reader.h"

namespace storefuzz {
namespace {

constexpr std::size_t kLongestFileName = 255;  // bytes; of Linux

template <class Enum>
using Word = std::pair<Enum, std::string_view>;

// One table per enumeration: the only place where a value meets its word.
template <class Enum>
struct Words;

template <>
struct Words<Mode> {
  static constexpr std::array table{Word<Mode>{Mode::kRead, "r"}, Word<Mode>{Mode::kWrite, "w"},
                                    Word<Mode>{Mode::kAppend, "a"},
                                    Word<Mode>{Mode::kExclusive, "x"}};
};
template <>
struct Words<Lifecycle> {
  static constexpr std::array table{Word<Lifecycle>{Lifecycle::kNew, "new"},
                                    Word<Lifecycle>{Lifecycle::kOpen, "open"},
                                    Word<Lifecycle>{Lifecycle::kClosed, "closed"},
                                    Word<Lifecycle>{Lifecycle::kReopened, "reopened"},
                                    Word<Lifecycle>{Lifecycle::kUsedAfterClose, "used after close"},
                                    Word<Lifecycle>{Lifecycle::kInsideWith, "inside with"}};
};
template <>
struct Words<Warmth> {
  static constexpr std::array table{Word<Warmth>{Warmth::kCold, "cold"},
                                    Word<Warmth>{Warmth::kWarm, "warm"}};
};
template <>
struct Words<Driver> {
  static constexpr std::array table{Word<Driver>{Driver::kLoop, "loop"},
                                    Word<Driver>{Driver::kCaller, "caller"}};
};
template <>
struct Words<Carrier> {
  static constexpr std::array table{Word<Carrier>{Carrier::kPickle5, "pickle 5"},
                                    Word<Carrier>{Carrier::kPickle0, "pickle 0"},
                                    Word<Carrier>{Carrier::kPickle1, "pickle 1"},
                                    Word<Carrier>{Carrier::kPickle2, "pickle 2"},
                                    Word<Carrier>{Carrier::kPickle3, "pickle 3"},
                                    Word<Carrier>{Carrier::kPickle4, "pickle 4"},
                                    Word<Carrier>{Carrier::kCloudpickle, "cloudpickle"},
                                    Word<Carrier>{Carrier::kForkingPickler, "forking pickler"},
                                    Word<Carrier>{Carrier::kDask, "dask"},
                                    Word<Carrier>{Carrier::kCopy, "copy"},
                                    Word<Carrier>{Carrier::kDeepcopy, "deepcopy"},
                                    Word<Carrier>{Carrier::kHandedOver, "handed over"},
                                    Word<Carrier>{Carrier::kMadeAnew, "made anew"},
                                    Word<Carrier>{Carrier::kInherited, "inherited"}};
};
template <>
struct Words<Cargo> {
  static constexpr std::array table{Word<Cargo>{Cargo::kStore, "store"},
                                    Word<Cargo>{Cargo::kList, "list"},
                                    Word<Cargo>{Cargo::kDict, "dict"},
                                    Word<Cargo>{Cargo::kTwoReferences, "two references"},
                                    Word<Cargo>{Cargo::kStorePath, "store path"},
                                    Word<Cargo>{Cargo::kArray, "array"},
                                    Word<Cargo>{Cargo::kGroup, "group"}};
};
template <>
struct Words<Pool> {
  static constexpr std::array table{Word<Pool>{Pool::kNone, "none"},
                                    Word<Pool>{Pool::kProcessPoolExecutor, "ProcessPoolExecutor"},
                                    Word<Pool>{Pool::kMultiprocessingPool, "multiprocessing.Pool"},
                                    Word<Pool>{Pool::kThreadPoolExecutor, "ThreadPoolExecutor"},
                                    Word<Pool>{Pool::kDask, "LocalCluster"}};
};
template <>
struct Words<Meanwhile> {
  static constexpr std::array table{
      Word<Meanwhile>{Meanwhile::kIdle, "idle"},
      Word<Meanwhile>{Meanwhile::kCloses, "closes"},
      Word<Meanwhile>{Meanwhile::kWritesOn, "writes on"},
      Word<Meanwhile>{Meanwhile::kDeletesTheFile, "deletes the file"},
      Word<Meanwhile>{Meanwhile::kChangesDirectory, "changes directory"},
      Word<Meanwhile>{Meanwhile::kForgetsTheStore, "forgets the store"},
      Word<Meanwhile>{Meanwhile::kHoldsItsLock, "holds the store's lock"},
      Word<Meanwhile>{Meanwhile::kHoldsZarrsLock, "holds zarr's lock"}};
};
template <>
struct Words<Surroundings> {
  static constexpr std::array table{
      Word<Surroundings>{Surroundings::kSame, "same"},
      Word<Surroundings>{Surroundings::kOtherDirectory, "other directory"},
      Word<Surroundings>{Surroundings::kOtherEnvironment, "other environment"},
      Word<Surroundings>{Surroundings::kOtherConfig, "other config"}};
};
template <>
struct Words<Transport> {
  static constexpr std::array table{Word<Transport>{Transport::kSameProcess, "same process"},
                                    Word<Transport>{Transport::kThread, "thread"},
                                    Word<Transport>{Transport::kSpawn, "spawn"},
                                    Word<Transport>{Transport::kForkserver, "forkserver"},
                                    Word<Transport>{Transport::kFork, "fork"}};
};
template <>
struct Words<ComesBack> {
  static constexpr std::array table{Word<ComesBack>{ComesBack::kNothing, "nothing"},
                                    Word<ComesBack>{ComesBack::kStore, "store"},
                                    Word<ComesBack>{ComesBack::kArray, "array"},
                                    Word<ComesBack>{ComesBack::kGrandchild, "grandchild"}};
};
template <>
struct Words<LookGroup> {
  static constexpr std::array table{Word<LookGroup>{LookGroup::kState, "state"},
                                    Word<LookGroup>{LookGroup::kReads, "reads"},
                                    Word<LookGroup>{LookGroup::kRanges, "ranges"},
                                    Word<LookGroup>{LookGroup::kListing, "listing"},
                                    Word<LookGroup>{LookGroup::kArray, "array"},
                                    Word<LookGroup>{LookGroup::kWrites, "writes"},
                                    Word<LookGroup>{LookGroup::kDeletes, "deletes"},
                                    Word<LookGroup>{LookGroup::kMove, "move"},
                                    Word<LookGroup>{LookGroup::kClear, "clear"},
                                    Word<LookGroup>{LookGroup::kAgain, "again"}};
};
template <>
struct Words<What> {
  static constexpr std::array table{Word<What>{What::kOpen, "open"},
                                    Word<What>{What::kReopen, "reopen"},
                                    Word<What>{What::kEnter, "enter"},
                                    Word<What>{What::kClose, "close"},
                                    Word<What>{What::kSet, "set"},
                                    Word<What>{What::kSetIfNotExists, "set if not exists"},
                                    Word<What>{What::kGet, "get"},
                                    Word<What>{What::kGetRange, "get range"},
                                    Word<What>{What::kGetOffset, "get offset"},
                                    Word<What>{What::kGetSuffix, "get suffix"},
                                    Word<What>{What::kExists, "exists"},
                                    Word<What>{What::kList, "list"},
                                    Word<What>{What::kDelete, "delete"}};
};
template <>
struct Words<Compression> {
  static constexpr std::array table{Word<Compression>{Compression::kStored, "stored"},
                                    Word<Compression>{Compression::kDeflated, "deflated"}};
};

template <class Enum>
std::string_view word(Enum value) {
  for (const auto& [candidate, name] : Words<Enum>::table)
    if (candidate == value) return name;
  std::abort();  // an enumerator without a word is our own bug
}

void read_entry(JsonReader& reader, Entry& entry) {
  reader.read_text("key", entry.key, kMaxKey);
  reader.read_text("value", entry.value, kMaxValue);
  reader.read_number("repeat", entry.repeat, 0, kMaxRepeat);
}

void read_twist(JsonReader& parent, const Json& json, Twist& into) {
  JsonReader reader(json, "a twist of the archive");
  reader.read_text("name", into.name, kMaxKey);
  if (!find_twist(into.name)) reader.fail("has a \"name\" that no twist has");
  reader.read_number("entry", into.entry, 0, UINT32_MAX);
  reader.read_number("amount", into.amount, 0, UINT32_MAX);
  reader.reject_unknown();
  if (!reader.wrong().empty()) parent.fail(": " + reader.wrong());
}

Archive read_archive(JsonReader& parent, const Json& json) {
  Archive archive;
  JsonReader reader(json, "the archive");
  reader.read_word("compression", archive.compression);
  reader.read_list("entries", kMaxEntries, [&](const Json& member) {
    JsonReader entry_reader(member, "an entry of the archive");
    read_entry(entry_reader, archive.entries.emplace_back());
    entry_reader.reject_unknown();
    if (!entry_reader.wrong().empty()) parent.fail(": " + entry_reader.wrong());
  });
  reader.read_list("twists", kMaxTwists, [&](const Json& member) {
    read_twist(parent, member, archive.twists.emplace_back());
  });
  reader.reject_unknown();
  if (!reader.wrong().empty()) parent.fail(": " + reader.wrong());
  return archive;
}

void read_constructor(JsonReader& parent, const Json& json, Constructor& into) {
  JsonReader reader(json, "the constructor");
  std::string path = "absolute";
  reader.read_text("path", path, 16);
  if (path != "absolute" && path != "relative")
    reader.fail("has a \"path\" that is neither absolute nor relative");
  into.relative_path = path == "relative";
  reader.read_word("mode", into.mode);
  if (reader.find("read_only")) {
    bool read_only = false;
    reader.read_bool("read_only", read_only);
    into.read_only = read_only;
  }
  reader.read_word("compression", into.compression);
  reader.read_bool("allowZip64", into.allow_zip64);
  reader.reject_unknown();
  if (!reader.wrong().empty()) parent.fail(": " + reader.wrong());
}

void read_operation(JsonReader& parent, const Json& json, Operation& into) {
  JsonReader reader(json, "an operation");
  reader.read_word("do", into.what);
  read_entry(reader, into.entry);
  reader.read_number("start", into.start, -(1LL << 40), 1LL << 40);
  reader.read_number("end", into.end, -(1LL << 40), 1LL << 40);
  reader.reject_unknown();
  if (!reader.wrong().empty()) parent.fail(": " + reader.wrong());
}

Json entry_to_json(const Entry& entry) {
  Json json{{"key", entry.key}, {"value", entry.value}};
  if (entry.repeat != 1) json["repeat"] = entry.repeat;
  return json;
}

bool needs_value(What what) { return what == What::kSet || what == What::kSetIfNotExists; }

bool needs_key(What what) {
  return what != What::kOpen && what != What::kReopen && what != What::kEnter &&
         what != What::kClose && what != What::kList;
}

Json operation_to_json(const Operation& operation) {
  Json json{{"do", word(operation.what)}};
  if (needs_key(operation.what)) json["key"] = operation.entry.key;
  if (needs_value(operation.what)) {
    json["value"] = operation.entry.value;
    if (operation.entry.repeat != 1) json["repeat"] = operation.entry.repeat;
  }
  const bool range = operation.what == What::kGetRange;
  if (range || operation.what == What::kGetOffset || operation.what == What::kGetSuffix)
    json["start"] = operation.start;
  if (range) json["end"] = operation.end;
  return json;
}

// What an operation does not use is put back to its default, so that equal cases are equal values.
void tidy(Operation& operation) {
  Operation tidied{.what = operation.what};
  if (needs_key(operation.what)) tidied.entry.key = operation.entry.key;
  if (needs_value(operation.what)) {
    tidied.entry.value = operation.entry.value;
    tidied.entry.repeat = operation.entry.repeat;
  }
  const bool range = operation.what == What::kGetRange;
  if (range || operation.what == What::kGetOffset || operation.what == What::kGetSuffix)
    tidied.start = operation.start;
  if (range) tidied.end = operation.end;
  operation = tidied;
}

// libzip and a folder hold a key once: the first entry stays.
void drop_impossible_entries(Archive& archive, StoreKind store) {
  std::set<std::string> seen;
  std::erase_if(archive.entries, [&](const Entry& entry) {
    const bool files = store->medium == Medium::kFolder || store->files;
    return !can_lie_with(seen, entry.key, files) || !seen.insert(entry.key).second;
  });
}

// An archive that is wrong on purpose stands for a file that was received: users open such a file
// as a ZipStore in mode `r` and read. All other operations and looks are taken out.
void only_read(Case& value) {
  const Constructor usual;
  value.constructor.mode = Mode::kRead;
  value.constructor.read_only = usual.read_only;
  value.meanwhile = Meanwhile::kIdle;
  value.twin = false;
  std::erase_if(value.operations, [](const Operation& it) {
    return it.what == What::kSet || it.what == What::kSetIfNotExists || it.what == What::kDelete;
  });
  // Listing twenty thousand entries, or reading megabytes, takes longer than a child's deadline: of
  // such archives only single values and the state are asked.
  const bool heavy = std::ranges::any_of(value.archive->twists, [](const Twist& twist) {
    const TwistKind* kind = find_twist(twist.name);
    return kind && kind->heavy;
  });
  std::erase_if(value.looks, [&](LookGroup group) {
    if (heavy && group != LookGroup::kReads && group != LookGroup::kState) return true;
    return group == LookGroup::kWrites || group == LookGroup::kDeletes ||
           group == LookGroup::kMove || group == LookGroup::kClear;
  });
}

// A MemoryStore, and every store whose content lies in the object, starts empty: the archive's
// entries become `set` operations of the parent.
void write_archive_by_operations(Case& value) {
  std::vector<Operation> all;
  for (Entry& entry : value.archive->entries)
    all.push_back({.what = What::kSet, .entry = std::move(entry)});
  std::ranges::move(value.operations, std::back_inserter(all));
  if (all.size() > kMaxOperations) all.resize(kMaxOperations);
  value.operations = std::move(all);
  value.archive.reset();
  if (value.lifecycle == Lifecycle::kNew && !value.operations.empty())
    value.lifecycle = Lifecycle::kOpen;
}

// Constructors of stores differ in their arguments: a member that this store's constructor does not
// take gets its usual value.
void normalise_constructor(Case& value) {
  const Adapter& store = *value.store.operator->();
  Constructor& made = value.constructor;
  const Constructor usual;
  if (!store.takes("mode")) {
    made.mode = store.medium == Medium::kZip ? Mode::kRead : Mode::kAppend;
    made.read_only = store.takes("read_only") && made.read_only.value_or(false);
  }
  if (!store.takes("compression")) made.compression = usual.compression;
  if (!store.takes("allowZip64")) made.allow_zip64 = usual.allow_zip64;
  if (value.archive && store.medium != Medium::kZip)
    value.archive->compression = Compression::kStored;
  if (store.medium == Medium::kMemory) made.relative_path = false;
  // A store that is given an open file is made anew from a file opened anew, and open() in a
  // writing mode empties the file before the store sees the file: such a store is made anew for
  // reading only.
  if (store.given_a_file && value.carrier == Carrier::kMadeAnew) made.mode = Mode::kRead;
}

void normalise_journey(Case& value) {
  // An object is handed over, and a copy made, only within its own process.
  const bool stays = stays_in_process(value.carrier);
  // A real pool pickles its arguments itself, and has a transport of its own.
  if (value.pool != Pool::kNone) {
    // Threads share the object; processes get what the pool pickles.
    if (value.pool == Pool::kThreadPoolExecutor)
      value.carrier = Carrier::kHandedOver;
    else if (!serialises(value.carrier))
      value.carrier = Carrier::kPickle5;
    value.twice = false;
    value.comes_back = ComesBack::kNothing;
    value.surroundings = Surroundings::kSame;
    value.meanwhile = Meanwhile::kIdle;
    if (value.pool == Pool::kThreadPoolExecutor)
      value.transport = Transport::kThread;
    else if (value.pool == Pool::kDask)
      value.transport = Transport::kSpawn;
    else if (in_this_process(value.transport))
      value.transport = Transport::kSpawn;
  } else if (stays && value.transport != Transport::kSameProcess) {
    value.transport = Transport::kThread;
  } else if (value.carrier == Carrier::kInherited) {
    value.transport = Transport::kFork;  // only a fork inherits
  }
  if (!serialises(value.carrier)) {
    value.cargo = Cargo::kStore;
    value.twice = false;
  }
  // A handed-over store never left its process, and one made anew was never the parent's.
  if (value.carrier == Carrier::kHandedOver || value.carrier == Carrier::kMadeAnew ||
      value.transport == Transport::kSameProcess)
    value.comes_back = ComesBack::kNothing;
  if (value.comes_back == ComesBack::kGrandchild && in_this_process(value.transport))
    value.comes_back = ComesBack::kStore;
  if (in_this_process(value.transport)) value.surroundings = Surroundings::kSame;
  // A store that is handed over is still in use by the parent, who cannot forget the store; a lock
  // of the store, or zarr's own, that the parent holds stops every thread of that process. A fork
  // while another thread holds that lock is a deadlock that the caller makes.
  const Meanwhile meanwhile = value.meanwhile;
  const bool own = value.carrier == Carrier::kHandedOver || value.carrier == Carrier::kInherited;
  if ((own &&
       (meanwhile == Meanwhile::kForgetsTheStore || meanwhile == Meanwhile::kHoldsItsLock)) ||
      (meanwhile == Meanwhile::kHoldsZarrsLock && in_this_process(value.transport)))
    value.meanwhile = Meanwhile::kIdle;
  // In another directory a relative path names another place, as it should: such a case would
  // compare two places.
  if (value.carrier == Carrier::kMadeAnew) {
    if (value.surroundings == Surroundings::kOtherDirectory)
      value.surroundings = Surroundings::kSame;
    if (value.meanwhile == Meanwhile::kChangesDirectory) value.meanwhile = Meanwhile::kIdle;
  }
  if (value.surroundings == Surroundings::kOtherDirectory ||
      value.meanwhile == Meanwhile::kChangesDirectory)
    value.constructor.relative_path = false;
}

}  // namespace

bool plain_key(std::string_view key) {
  if (key.empty() || key.starts_with('/') || key.ends_with('/')) return false;
  if (key.find("//") != key.npos || key.find('\\') != key.npos || key.find('\0') != key.npos)
    return false;
  for (std::size_t at = 0; at != key.npos;) {
    const std::size_t end = key.find('/', at);
    const std::string_view name = key.substr(at, end == key.npos ? key.npos : end - at);
    if (name == "." || name == "..") return false;
    at = end == key.npos ? key.npos : end + 1;
  }
  return true;
}

bool can_lie_with(const std::set<std::string>& others, const std::string& key, bool files) {
  if (key.empty() || key.find('\0') != key.npos) return false;
  if (!files) return true;
  return plain_key(key) && key.size() <= kLongestFileName &&
         std::ranges::none_of(others, [&](const std::string& other) {
           return other.starts_with(key + "/") || key.starts_with(other + "/");
         });
}

bool wrong_on_purpose(const Case& value) { return value.archive && !value.archive->twists.empty(); }

Result<std::string> bytes_of(const Archive& archive) {
  std::vector<ArchiveEntry> entries;
  for (const Entry& entry : archive.entries) entries.push_back({entry.key, entry.bytes()});
  auto sound = make_archive(entries, archive.compression);
  if (!sound || archive.twists.empty()) return sound;
  return twist_archive(*sound, archive.twists);
}

std::string Entry::bytes() const {
  std::string whole;
  whole.reserve(value.size() * repeat);
  for (std::uint32_t i = 0; i < repeat; ++i) whole += value;
  return whole;
}

std::string_view name_of(Mode value) { return word(value); }
std::string_view name_of(Lifecycle value) { return word(value); }
std::string_view name_of(Warmth value) { return word(value); }
std::string_view name_of(Driver value) { return word(value); }
std::string_view name_of(Carrier value) { return word(value); }
std::string_view name_of(Transport value) { return word(value); }
std::string_view name_of(Cargo value) { return word(value); }
std::string_view name_of(Pool value) { return word(value); }
std::string_view name_of(Meanwhile value) { return word(value); }
std::string_view name_of(Surroundings value) { return word(value); }
std::string_view name_of(ComesBack value) { return word(value); }
std::string_view name_of(LookGroup value) { return word(value); }
std::string_view name_of(What value) { return word(value); }
std::string_view name_of(Compression value) { return word(value); }

template <class Enum>
const std::vector<Enum>& all_of() {
  static const std::vector<Enum> values = [] {
    std::vector<Enum> list;
    for (const auto& entry : Words<Enum>::table) list.push_back(entry.first);
    return list;
  }();
  return values;
}
template const std::vector<Mode>& all_of<Mode>();
template const std::vector<Lifecycle>& all_of<Lifecycle>();
template const std::vector<Warmth>& all_of<Warmth>();
template const std::vector<Driver>& all_of<Driver>();
template const std::vector<Carrier>& all_of<Carrier>();
template const std::vector<Transport>& all_of<Transport>();
template const std::vector<Cargo>& all_of<Cargo>();
template const std::vector<Pool>& all_of<Pool>();
template const std::vector<Meanwhile>& all_of<Meanwhile>();
template const std::vector<Surroundings>& all_of<Surroundings>();
template const std::vector<ComesBack>& all_of<ComesBack>();
template const std::vector<LookGroup>& all_of<LookGroup>();
template const std::vector<What>& all_of<What>();
template const std::vector<Compression>& all_of<Compression>();

bool serialises(Carrier carrier) { return carrier <= Carrier::kDask; }

bool stays_in_process(Carrier carrier) {
  return carrier == Carrier::kCopy || carrier == Carrier::kDeepcopy ||
         carrier == Carrier::kHandedOver;
}

bool in_this_process(Transport transport) {
  return transport == Transport::kSameProcess || transport == Transport::kThread;
}

bool fresh_interpreter(Transport transport) {
  return transport == Transport::kSpawn || transport == Transport::kForkserver;
}

bool ends_open(Lifecycle lifecycle) {
  return lifecycle != Lifecycle::kNew && lifecycle != Lifecycle::kClosed;
}

void normalise(Case& value) {
  normalise_constructor(value);
  if (value.archive && (value.store->medium == Medium::kMemory || !value.store->seeded))
    write_archive_by_operations(value);
  if (value.archive) drop_impossible_entries(*value.archive, value.store);
  if (value.archive && value.store->kind != "zip") value.archive->twists.clear();
  if (wrong_on_purpose(value)) only_read(value);
  // A store that was used is not new.
  if (value.lifecycle == Lifecycle::kNew) value.operations.clear();
  for (Operation& operation : value.operations) tidy(operation);
  normalise_journey(value);
  // An array that comes back is compared with what the parent reads itself.
  if (value.comes_back == ComesBack::kArray) value.looks.push_back(LookGroup::kArray);
  std::sort(value.looks.begin(), value.looks.end());
  value.looks.erase(std::unique(value.looks.begin(), value.looks.end()), value.looks.end());
  if (value.looks.empty()) value.looks = {LookGroup::kState};
}

bool within_bounds(const Case& value) {
  std::size_t written = 0;
  auto fits = [&](const Entry& entry) {
    written += entry.value.size() * entry.repeat;
    return entry.key.size() <= kMaxKey && entry.value.size() <= kMaxValue &&
           entry.repeat <= kMaxRepeat;
  };
  if (value.operations.size() > kMaxOperations) return false;
  if (value.archive && value.archive->entries.size() > kMaxEntries) return false;
  if (value.archive && !std::ranges::all_of(value.archive->entries, fits)) return false;
  for (const Operation& operation : value.operations)
    if (!fits(operation.entry)) return false;
  return written <= kMaxWritten && to_text(value).size() <= kMaxCaseText;
}

Json to_json(const Case& value) {
  Json json;
  json["store"] = value.store->kind;
  json["archive"] = nullptr;
  if (value.archive) {
    Json entries = Json::array();
    for (const Entry& entry : value.archive->entries) entries.push_back(entry_to_json(entry));
    json["archive"] = {{"entries", std::move(entries)},
                       {"compression", word(value.archive->compression)}};
    for (const Twist& twist : value.archive->twists)
      json["archive"]["twists"].push_back(
          {{"name", twist.name}, {"entry", twist.entry}, {"amount", twist.amount}});
  }
  const Constructor& made = value.constructor;
  json["constructor"] = {{"path", made.relative_path ? "relative" : "absolute"},
                         {"mode", word(made.mode)},
                         {"read_only", made.read_only ? Json(*made.read_only) : Json()},
                         {"compression", word(made.compression)},
                         {"allowZip64", made.allow_zip64}};
  json["operations"] = Json::array();
  for (const Operation& operation : value.operations)
    json["operations"].push_back(operation_to_json(operation));
  json["lifecycle"] = word(value.lifecycle);
  json["parent"] = word(value.parent);
  json["driver"] = word(value.driver);
  json["looks"] = Json::array();
  for (LookGroup look : value.looks) json["looks"].push_back(word(look));
  json["carrier"] = word(value.carrier);
  json["transport"] = word(value.transport);
  json["comes_back"] = word(value.comes_back);
  // The rarer ones only where they say something: a case is read by people.
  if (value.twice) json["twice"] = true;
  if (value.cargo != Cargo::kStore) json["cargo"] = word(value.cargo);
  if (value.pool != Pool::kNone) json["pool"] = word(value.pool);
  if (value.meanwhile != Meanwhile::kIdle) json["meanwhile"] = word(value.meanwhile);
  if (value.surroundings != Surroundings::kSame) json["surroundings"] = word(value.surroundings);
  if (value.twin) json["twin"] = true;
  return json;
}

std::string to_text(const Case& value) {
  return text_of(to_json(value));
}

Result<Case> parse_case(std::string_view text) {
  auto json = parse_case_json(text);
  if (!json) return std::unexpected(json.error());
  Case value;
  JsonReader reader(*json, "the case");
  std::string store = value.store->kind;
  reader.read_text("store", store, kMaxKey);
  if (auto kind = find_store(store); !kind)
    reader.fail("names no store: " + kind.error().message);
  else if ((*kind)->wraps)
    reader.fail(fmt::format("names a wrapper that wraps nothing: \"{} over local\" does", store));
  else
    value.store = *kind;
  if (const Json* archive = reader.find("archive")) value.archive = read_archive(reader, *archive);
  if (const Json* made = reader.find("constructor"))
    read_constructor(reader, *made, value.constructor);
  reader.read_list("operations", kMaxOperations, [&](const Json& member) {
    read_operation(reader, member, value.operations.emplace_back());
  });
  reader.read_word("lifecycle", value.lifecycle);
  reader.read_word("parent", value.parent);
  reader.read_word("driver", value.driver);
  reader.read_list("looks", all_of<LookGroup>().size(), [&](const Json& member) {
    if (auto look = reader.parse_word<LookGroup>(member, "looks")) value.looks.push_back(*look);
  });
  reader.read_word("carrier", value.carrier);
  reader.read_word("transport", value.transport);
  reader.read_word("comes_back", value.comes_back);
  reader.read_bool("twice", value.twice);
  reader.read_word("cargo", value.cargo);
  reader.read_word("pool", value.pool);
  reader.read_word("meanwhile", value.meanwhile);
  reader.read_word("surroundings", value.surroundings);
  reader.read_bool("twin", value.twin);
  reader.reject_unknown();
  if (!reader.wrong().empty()) return bad_input(reader.wrong());
  normalise(value);
  if (!within_bounds(value))
    return bad_input(fmt::format("a case writes at most {} bytes and has at most {} of JSON",
                                 kMaxWritten, kMaxCaseText));
  return value;
}

std::string describe_journey(const Case& value) {
  std::string how{word(value.carrier)};
  if (value.twice) how += " twice";
  if (value.cargo == Cargo::kTwoReferences)
    how += " of two references";
  else if (value.cargo != Cargo::kStore)
    how += fmt::format(" of {} {}", value.cargo == Cargo::kArray ? "an" : "a", word(value.cargo));
  const auto where = [&]() -> std::string {
    switch (value.transport) {
      case Transport::kSameProcess:
        return " in the same process";
      case Transport::kThread:
        return " in a thread";
      case Transport::kSpawn:
        return " to a spawned child";
      case Transport::kForkserver:
        return " to a child of a fork server";
      case Transport::kFork:
        return fmt::format(" to a forked child of a {} parent", word(value.parent));
    }
    std::abort();
  };
  how += value.pool == Pool::kNone
             ? where()
             : fmt::format(" by a {} ({})", word(value.pool), word(value.transport));
  if (value.meanwhile != Meanwhile::kIdle)
    how += fmt::format(", while the parent {}", word(value.meanwhile));
  if (value.surroundings != Surroundings::kSame)
    how += fmt::format(", with an{}", word(value.surroundings));  // "another directory"
  return how;
}

}  // namespace storefuzz
