// The model: what each acknowledged operation does to the content, by the documentation of Store
// (zarr.abc.store) and of ZipStore's modes, with no regard to any release.
#include "harness/journey/expectation.h"

#include <algorithm>
#include <set>

#include "harness/readers/names.h"
#include "harness/zip/names.h"
#include "harness/zip/values.h"

namespace storefuzz {
namespace {

bool acknowledged(const Answer& answer) { return shown(answer) != nullptr; }

// The parent's store while the operations go by.
class Model {
 public:
  explicit Model(const Case& value) : case_(value) {
    const Constructor& made = value.constructor;
    zip_ = value.store->medium == Medium::kZip;
    const bool reads = value.store->takes("mode") && made.mode == Mode::kRead;
    expected_.read_only = made.read_only.value_or(reads);
    expected_.can_write = value.store->writes && !expected_.read_only && !reads;
    expected_.sealed = expected_.read_only || reads;
    file_exists_ = value.archive.has_value();
    if (value.archive)
      for (const Entry& entry : value.archive->entries) set(entry.key, entry.bytes());
  }

  void apply(const Operation& operation, const Answer& answer) {
    const bool done = acknowledged(answer);
    if (operation.what == What::kClose) return close(done);
    if (operation.what == What::kEnter) return;
    if (done) open();
    if (!done && claims() && !opened_) maybe_opened_ = true;
    if (!done || !expected_.can_write) return;
    switch (operation.what) {
      case What::kSetIfNotExists:
        if (!expected_.content.contains(operation.entry.key))
          write(operation.entry.key, operation.entry.bytes());
        return;
      case What::kSet:
        return write(operation.entry.key, operation.entry.bytes());
      case What::kDelete:
        return erase(operation.entry.key);
      case What::kOpen:
      case What::kReopen:
      case What::kEnter:
      case What::kClose:
      case What::kGet:
      case What::kGetRange:
      case What::kGetOffset:
      case What::kGetSuffix:
      case What::kExists:
      case What::kList:
        return;
    }
  }

  Expectation finish() {
    // Made anew, a store claims its file once more, in whatever state its twin is.
    const bool anew = case_.carrier == Carrier::kMadeAnew;
    expected_.unclaimed = zip_ && claims() && (!opened_ || anew);
    expected_.missing =
        !file_exists_ && case_.store->medium != Medium::kMemory &&
        (zip_ ? !opened_ && case_.constructor.mode == Mode::kRead : expected_.read_only);
    expected_.exists_already =
        zip_ && case_.constructor.mode == Mode::kExclusive && (!opened_ || anew) && file_exists_;
    expected_.pending = open_ && unsaved_;
    expected_.made_by_use = zip_ && !file_exists_;
    if (maybe_opened_ && !opened_) expected_.certain = false;
    // A store that is read-only and truncates says two things at once: no opinion.
    if (zip_ && claims() && expected_.read_only) expected_.certain = false;
    if (expected_.unclaimed && case_.constructor.mode == Mode::kWrite) expected_.content.clear();
    // What an archive holds that is wrong, every reader says for itself.
    if (wrong_on_purpose(case_)) expected_.certain = false;
    look_away();
    return std::move(expected_);
  }

 private:
  // What the child can see of the content depends on where it lies, and on what was carried.
  void look_away() {
    const bool anew = case_.carrier == Carrier::kMadeAnew;
    const bool here = in_this_process(case_.transport);
    expected_.away = expected_.content;
    // Entries that only the parent's handle holds cannot be seen from elsewhere.
    expected_.away_certain =
        expected_.certain && (!expected_.pending || case_.carrier == Carrier::kHandedOver);
    switch (case_.store->shared) {
      case Shared::kPlace:
        return;
      case Shared::kObject:
        if (anew) expected_.away.clear();
        expected_.one_content =
            case_.carrier == Carrier::kHandedOver || case_.carrier == Carrier::kCopy;
        return;
      case Shared::kProcess:
        if (fresh_interpreter(case_.transport)) expected_.away.clear();
        expected_.one_content = here;
        return;
      case Shared::kSession:
        // No opinion on what such a store holds; only that a copy holds the same.
        expected_.one_content = case_.carrier == Carrier::kHandedOver;
        expected_.certain = expected_.away_certain = false;
        expected_.other_content = anew;
        return;
    }
  }

  bool claims() const {
    return case_.store->takes("mode") &&
           (case_.constructor.mode == Mode::kWrite || case_.constructor.mode == Mode::kExclusive);
  }

  void open() {
    open_ = true;
    if (opened_) return;
    opened_ = true;
    if (!claims() && file_exists_) return;
    if (claims()) expected_.content.clear();
    unsaved_ = zip_;  // a new archive has no directory before it is closed
    // A folder that is only read is never made, though listing it is answered.
    file_exists_ = zip_ || expected_.can_write;
  }

  void close(bool done) {
    if (!done && open_ && unsaved_) expected_.certain = false;
    open_ = false;
    if (done) unsaved_ = false;
  }

  void set(const std::string& key, std::string bytes) {
    if (!case_.store->any_key && !plain_key(key)) expected_.certain = false;
    // Where a file system would refuse, a dictionary that plays one may do anything.
    if (case_.store->files && case_.store->medium != Medium::kFolder)
      for (const auto& [other, value] : expected_.content)
        if (other.starts_with(key + "/") || key.starts_with(other + "/")) expected_.certain = false;
    expected_.content[key] = std::move(bytes);
  }

  void write(const std::string& key, std::string bytes) {
    set(key, std::move(bytes));
    unsaved_ = unsaved_ || zip_;
  }

  // ZipStore acknowledges only what it lacks; a store of files may delete a whole folder by its
  // name.
  void erase(const std::string& key) {
    if (!case_.store->any_key && !plain_key(key)) expected_.certain = false;
    const auto below = [&](const auto& item) { return item.first.starts_with(key + "/"); };
    if (case_.store->files && std::ranges::any_of(expected_.content, below))
      expected_.certain = false;
    expected_.content.erase(key);
  }

  const Case& case_;
  Expectation expected_;
  bool zip_ = true;
  bool file_exists_ = false;
  bool opened_ = false;        // the first open has happened
  bool maybe_opened_ = false;  // a refused operation may have opened the archive
  bool open_ = false;
  bool unsaved_ = false;
};

constexpr std::size_t kNamesOfArchive = 8;
constexpr std::size_t kKeysAsked = 3;  // each look costs the subject a good part of a millisecond

class Plan {
 public:
  Plan(const Case& value, const Expectation& expected) : value_(value), expected_(expected) {
    for (const auto& [key, bytes] : expected.content)
      if (keys_.size() < kKeysAsked) keys_.push_back(key);
    if (wrong_on_purpose(value)) add_keys_of_archive();
    some_key_ = keys_.empty() ? std::string(kMissingKey) : keys_.front();
  }

  std::vector<Look> make() {
    if (wanted(LookGroup::kReads)) reads();
    if (wanted(LookGroup::kRanges) && expected_.content.contains(some_key_))
      ranges(some_key_, static_cast<std::int64_t>(expected_.content.at(some_key_).size()));
    if (wanted(LookGroup::kListing)) listing();
    if (wanted(LookGroup::kArray)) add("open_array", LookGroup::kArray, "");
    if (wanted(LookGroup::kAgain)) add("pickle again", LookGroup::kAgain, "");
    writes();
    return std::move(plan_);
  }

 private:
  bool wanted(LookGroup group) const {
    return std::ranges::find(value_.looks, group) != value_.looks.end();
  }

  void add(const char* name, LookGroup group, std::string_view key, std::string_view bytes = "",
           const char* about = "") {
    plan_.push_back({.name = name,
                     .group = group,
                     .entry = {.key = std::string(key), .value = std::string(bytes)},
                     .about = about});
  }

  // Names that only a wrong archive has; in text, as they can be asked for.
  void add_keys_of_archive() {
    const auto bytes = bytes_of(*value_.archive);
    if (!bytes) return;
    for (const std::string& name : names_in(*bytes, kNamesOfArchive)) {
      const std::string key = text_of_name(name);
      const bool known = std::ranges::find(keys_, key) != keys_.end();
      if (!known && !key.ends_with('/') && key.size() <= kMaxKey) keys_.push_back(key);
    }
  }

  // The first folder that holds a key, and is none itself; or "".
  std::string folder() const {
    for (const std::string& key : keys_)
      if (const std::size_t slash = key.find('/'); slash != key.npos && slash > 0)
        if (!expected_.content.contains(key.substr(0, slash))) return key.substr(0, slash);
    return "";
  }

  void reads() {
    for (const std::string& key : keys_)
      for (const char* name : {"get", "exists", "getsize", "get_sync"})
        add(name, LookGroup::kReads, key);
    for (const char* name : {"get", "exists", "getsize", "get_sync"})
      add(name, LookGroup::kReads, kMissingKey);
    if (const std::string name = folder(); !name.empty())
      for (const char* look : {"get", "exists", "getsize", "get_sync"})
        add(look, LookGroup::kReads, name);
    add("repr", LookGroup::kReads, "");
    for (const char* look : {"with_read_only", "enter", "equals its opposite"})
      add(look, LookGroup::kReads, "");
  }

  // Usual ranges, and ones at and past the end, empty, backwards, or before the beginning.
  void ranges(const std::string& key, std::int64_t size) {
    const auto ask = [&](const char* name, std::int64_t start, std::int64_t end) {
      plan_.push_back({name, LookGroup::kRanges, {.key = key}, start, end, ""});
    };
    ask("get range", 0, 1);
    ask("get range", 1, 3);
    ask("get range", 1, size + 5);
    ask("get range", size, size + 2);
    ask("get range", size + 3, size + 5);
    ask("get range", 1, 1);
    ask("get range", 3, 1);
    ask("get offset", 1, 0);
    ask("get offset", size, 0);
    ask("get offset", size + 1, 0);
    ask("get suffix", 2, 0);
    ask("get suffix", 0, 0);
    ask("get suffix", size + 7, 0);
    ask("get range", -2, -1);
    ask("get offset", -1, 0);
    ask("get suffix", -1, 0);
    for (const std::string_view name : {std::string_view(key), kMissingKey})
      for (const char* look : {"get_partial_values", "get_ranges", "get_ranges_sync"})
        add(look, LookGroup::kRanges, name);
    add("get_partial_values by ranges", LookGroup::kRanges, key);
  }

  void listing() {
    add("list", LookGroup::kListing, "");
    for (const char* prefix : {"", "a", "c/", "nothing"})
      add("list_prefix", LookGroup::kListing, prefix);
    for (const char* prefix : {"", "a", "c/", "nothing"})
      add("list_dir", LookGroup::kListing, prefix);
    if (!keys_.empty()) add("list_dir", LookGroup::kListing, keys_.back());
    for (const char* prefix : {"", "a", "nothing"}) {
      add("is_empty", LookGroup::kListing, prefix);
      add("getsize_prefix", LookGroup::kListing, prefix);
    }
  }

  void writes() {
    const bool some = wanted(LookGroup::kWrites) || wanted(LookGroup::kDeletes);
    if (expected_.sealed) return must_be_refused(some);
    // Two handles that write to one archive lose data by nature; only a parent that holds nothing
    // lets its child write. A store that was handed over is the parent's own.
    if (!expected_.can_write || value_.carrier == Carrier::kHandedOver) return;
    const bool zip = value_.store->medium == Medium::kZip;
    if (zip && (ends_open(value_.lifecycle) || value_.meanwhile == Meanwhile::kWritesOn)) return;
    if (value_.store->zarr_keys) {
      if (some) node_writes();
      return;
    }
    if (some) sets();
    if (wanted(LookGroup::kDeletes) && value_.store->deletes) deletes();
    if (wanted(LookGroup::kClear)) clear();
    if (some || wanted(LookGroup::kClear)) add("close", kGroup, "");
  }

  void must_be_refused(bool some) {
    if (some) refused_writes();
    if (wanted(LookGroup::kMove) && expected_.read_only) add("try move", kGroup, "");
  }

  void refused_writes() {
    add("try set", kGroup, kProbeKey, kProbeValue);
    add("try set_if_not_exists", kGroup, kProbeKey, kProbeValue);
    add("try set_sync", kGroup, kProbeKey, kProbeValue);
    add("try clear", kGroup, "");
    // Of a mode r that is told to be writable, an archive says only that it deletes nothing.
    if (!expected_.read_only) return;
    add("try delete", kGroup, some_key_);
    add("try delete_sync", kGroup, some_key_);
    add("try delete_dir", kGroup, "");
  }

  void sets() {
    add("set", kGroup, kProbeKey, kProbeValue);
    add("get", kGroup, kProbeKey);
    add("set_if_not_exists", kGroup, kProbeKey, kOtherValue);
    add("get", kGroup, kProbeKey);
    add("try set bytes", kGroup, kFreshKey, kOtherValue);
    add("try set_if_not_exists bytes", kGroup, kFreshKey, kOtherValue);
  }

  void deletes() {
    add("set_if_not_exists", kGroup, kFreshKey, kOtherValue);
    add("get", kGroup, kFreshKey);
    add("set_sync", kGroup, kSyncKey, kOtherValue);
    add("get", kGroup, kSyncKey);
    add("set_sync", kGroup, kSyncKey, kProbeValue);
    add("get", kGroup, kSyncKey, "", "a key after set_sync");
    add("set", kGroup, kPatternKey, kOtherValue);
    add("delete", kGroup, kPatternKey, "", "a name with a star");
    add("get", kGroup, kFreshKey, "", "a neighbour of what was deleted");
    add("delete", kGroup, "fresh", "", "a folder");
    add("get", kGroup, kFreshKey, "", "a key below a deleted name");
    add("set", kGroup, std::string(kLongName, 'n'), "", "a long name");
    add("delete", kGroup, std::string(kLongName, 'n'), "", "a long name");
    add("set", kGroup, "freshly", kOtherValue);
    add("delete_dir", kGroup, "fresh");
    add("get", kGroup, kFreshKey, "", "a key after delete_dir");
    add("list", kGroup, "");
    // A key is no folder: nothing lies below it.
    add("delete_dir", kGroup, kProbeKey, "", "a key");
    add("get", kGroup, kProbeKey);
    add("set", kGroup, kFreshKey, "");
    add("get", kGroup, kFreshKey, "", "a key written over");
    add("delete", kGroup, kFreshKey);
    add("delete", kGroup, kFreshKey, "", "a missing key");
    add("exists", kGroup, kFreshKey);
    add("delete_sync", kGroup, "freshly");
    add("exists", kGroup, "freshly");
  }

  void node_writes() {
    add("set", kGroup, kNodeKey, kNodeValue);
    add("exists", kGroup, kNodeKey);
    if (!wanted(LookGroup::kDeletes)) return;
    add("set_if_not_exists", kGroup, kNodeKey, kNodeValue);
    add("delete_dir", kGroup, kProbeKey);
    add("exists", kGroup, kNodeKey);
  }

  // Also as the first thing that is done to a store, where nothing else is drawn.
  void clear() {
    add("clear", kGroup, "");
    add("get", kGroup, some_key_, "", "a key after clear");
    add("exists", kGroup, some_key_, "", "a key after clear");
    add("list", kGroup, "", "", "a cleared store");
    add("set", kGroup, kProbeKey, kProbeValue);
    add("get", kGroup, kProbeKey);
  }

  static constexpr LookGroup kGroup = LookGroup::kWrites;
  const Case& value_;
  const Expectation& expected_;
  std::vector<std::string> keys_;
  std::string some_key_;
  std::vector<Look> plan_;
};

}  // namespace

std::vector<Operation> operations_of(const Case& value) {
  std::vector<Operation> all = value.operations;
  const auto add = [&](What what) { all.push_back({.what = what}); };
  switch (value.lifecycle) {
    case Lifecycle::kNew:
      break;
    case Lifecycle::kOpen:
      add(What::kOpen);
      break;
    case Lifecycle::kInsideWith:
      add(What::kEnter);
      add(What::kOpen);
      break;
    case Lifecycle::kClosed:
      if (all.empty()) add(What::kOpen);
      add(What::kClose);
      break;
    case Lifecycle::kReopened:
    case Lifecycle::kUsedAfterClose:
      if (all.empty()) add(What::kOpen);
      add(What::kClose);
      add(value.lifecycle == Lifecycle::kReopened ? What::kReopen : What::kList);
      break;
  }
  return all;
}

Expectation expect(const Case& value, const std::vector<Answer>& answers) {
  Model model(value);
  const std::vector<Operation> operations = operations_of(value);
  for (std::size_t i = 0; i < operations.size() && i < answers.size(); ++i)
    model.apply(operations[i], answers[i]);
  return model.finish();
}

namespace {

// What the parent did meanwhile.
void apply_meanwhile(const Case& value, Expectation& expected) {
  const bool zip = value.store->medium == Medium::kZip;
  const auto unsure = [&] { expected.certain = expected.away_certain = false; };
  switch (value.meanwhile) {
    case Meanwhile::kCloses:
      if (expected.pending) expected.away_certain = expected.certain;
      expected.pending = false;
      break;
    case Meanwhile::kWritesOn:
      if (expected.unclaimed || !expected.can_write) unsure();
      expected.content[std::string(kLaterKey)] = kLaterValue;
      if (zip) {
        expected.pending = true;
        expected.away_certain = false;
      } else if (expected.one_content || value.store->shared == Shared::kPlace) {
        expected.away[std::string(kLaterKey)] = kLaterValue;
      }
      // A fork that inherits begins after the parent has written.
      if (value.transport == Transport::kFork && value.store->shared != Shared::kPlace)
        expected.away_certain = false;
      break;
    case Meanwhile::kDeletesTheFile:
      expected.gone =
          value.store->medium != Medium::kMemory || value.store->shared == Shared::kPlace;
      if (expected.gone) unsure();
      break;
    case Meanwhile::kForgetsTheStore:
      // An archive that nobody holds is closed, and a dictionary that nobody holds is gone.
      if (expected.pending || value.store->shared == Shared::kProcess) unsure();
      break;
    case Meanwhile::kIdle:
    case Meanwhile::kChangesDirectory:
    case Meanwhile::kHoldsItsLock:
    case Meanwhile::kHoldsZarrsLock:
      break;
  }
}

}  // namespace

Expectation expect(const Case& value, const Observations& seen) {
  if (seen.expected) return *seen.expected;
  Expectation expected = seen.built ? *seen.built : expect(value, seen.operations);
  if (shown(seen.meanwhile)) apply_meanwhile(value, expected);
  expected.other_content = expected.other_content || expected.away != expected.content;
  return expected;
}

void apply_look(StoreKind store, const Look& look, Content& content) {
  const std::string& key = look.entry.key;
  const bool folder =
      look.name == "delete_dir" ||
      (store->deletes_folders && (look.name == "delete" || look.name == "delete_sync"));
  if (look.name == "set" || look.name == "set_sync") content[key] = look.entry.bytes();
  if (look.name == "set_if_not_exists") content.try_emplace(key, look.entry.bytes());
  if (look.name == "delete" || look.name == "delete_sync") content.erase(key);
  if (folder)
    std::erase_if(content, [&](const auto& item) { return item.first.starts_with(key + "/"); });
  if (look.name == "clear") content.clear();
}

Content after_looks(StoreKind store, Content content, const std::vector<Look>& plan,
                    const std::vector<Answer>& answers) {
  for (std::size_t i = 0; i < answers.size() && i < plan.size(); ++i)
    if (shown(answers[i])) apply_look(store, plan[i], content);
  return content;
}

std::vector<Look> make_plan(const Case& value, const Expectation& expected) {
  return Plan(value, expected).make();
}

std::vector<Look> without_writes(std::vector<Look> plan) {
  if (child_writes(plan))
    std::erase_if(plan, [](const Look& look) { return look.group == LookGroup::kWrites; });
  return plan;
}

bool child_writes(const std::vector<Look>& plan) {
  return std::ranges::any_of(plan, [](const Look& look) { return look.name == "set"; });
}

}  // namespace storefuzz
