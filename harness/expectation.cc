// The model: what each acknowledged operation does to the content, by the documentation of Store
// (zarr.abc.store) and of ZipStore's modes, with no regard to any release.
#include "harness/expectation.h"

#include <algorithm>
#include <set>

namespace storefuzz {
namespace {

bool acknowledged(const Answer& answer) { return shown(answer) != nullptr; }

// The parent's store while the operations go by.
class Model {
 public:
  explicit Model(const Case& value) : case_(value) {
    const Constructor& made = value.constructor;
    zip_ = value.store == StoreKind::kZip;
    expected_.read_only = made.read_only.value_or(zip_ && made.mode == Mode::kRead);
    expected_.can_write = !expected_.read_only && !(zip_ && made.mode == Mode::kRead);
    file_exists_ = value.archive.has_value();
    if (value.archive)
      for (const Entry& entry : value.archive->entries) set(entry.key, entry.bytes());
  }

  void apply(const Operation& operation, const Answer& answer) {
    const bool done = acknowledged(answer);
    if (operation.what == What::kClose) return close(done);
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
    expected_.missing = !file_exists_ && !opened_ &&
                        (zip_ ? case_.constructor.mode == Mode::kRead : expected_.read_only);
    expected_.exists_already =
        zip_ && case_.constructor.mode == Mode::kExclusive && (!opened_ || anew) && file_exists_;
    expected_.pending = open_ && unsaved_;
    if (maybe_opened_ && !opened_) expected_.certain = false;
    // A store that is read-only and truncates says two things at once: no opinion.
    if (zip_ && claims() && expected_.read_only) expected_.certain = false;
    if (expected_.unclaimed && case_.constructor.mode == Mode::kWrite) expected_.content.clear();
    return std::move(expected_);
  }

 private:
  bool claims() const {
    return zip_ &&
           (case_.constructor.mode == Mode::kWrite || case_.constructor.mode == Mode::kExclusive);
  }

  void open() {
    open_ = true;
    if (opened_) return;
    opened_ = true;
    if (!claims() && file_exists_) return;
    if (claims()) expected_.content.clear();
    unsaved_ = zip_;  // a new archive has no directory before it is closed
    file_exists_ = true;
  }

  void close(bool done) {
    if (!done && open_ && unsaved_) expected_.certain = false;
    open_ = false;
    if (done) unsaved_ = false;
  }

  void set(const std::string& key, std::string bytes) {
    if (!zip_ && !plain_key(key)) expected_.certain = false;
    expected_.content[key] = std::move(bytes);
  }

  void write(const std::string& key, std::string bytes) {
    set(key, std::move(bytes));
    unsaved_ = unsaved_ || zip_;
  }

  // LocalStore deletes a whole folder by its name; ZipStore acknowledges only what it lacks.
  void erase(const std::string& key) {
    if (!zip_ && !plain_key(key)) expected_.certain = false;
    std::erase_if(expected_.content, [&](const auto& item) {
      return item.first == key || (!zip_ && item.first.starts_with(key + "/"));
    });
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

// Range questions for one key of `size` bytes: usual ones, and ones at and past the end.
void plan_ranges(std::vector<Look>& plan, const std::string& key, std::int64_t size) {
  const auto add = [&](const char* name, std::int64_t start, std::int64_t end) {
    plan.push_back({name, LookGroup::kRanges, {.key = key}, start, end});
  };
  add("get range", 0, 1);
  add("get range", 1, 3);
  add("get range", 1, size + 5);
  add("get range", size, size + 2);
  add("get range", 3, 1);
  add("get offset", 1, 0);
  add("get offset", size + 1, 0);
  add("get suffix", 2, 0);
  add("get suffix", size + 7, 0);
}

void plan_writes(std::vector<Look>& plan, const Case& value, const Expectation& expected,
                 const std::string& some_key) {
  const Entry probe{.key = std::string(kProbeKey), .value = std::string(kProbeValue)};
  const auto add = [&](const char* name, Entry entry) {
    plan.push_back({name, LookGroup::kWrites, std::move(entry)});
  };
  if (expected.read_only) {
    add("try set", probe);
    add("try set_if_not_exists", probe);
    add("try delete", {.key = some_key});
    add("try delete_dir", {.key = ""});
    add("try clear", {});
    return;
  }
  // Two handles that write to one archive lose data by nature; only a parent that holds nothing
  // lets its child write. A store that was handed over is the parent's own.
  if (!expected.can_write || value.carrier == Carrier::kHandedOver) return;
  if (value.store == StoreKind::kZip && value.lifecycle == Lifecycle::kOpen) return;
  add("set", probe);
  add("get", {.key = probe.key});
  add("close", {});
}

}  // namespace

std::vector<Operation> operations_of(const Case& value) {
  std::vector<Operation> all = value.operations;
  if (value.lifecycle == Lifecycle::kOpen) all.push_back({.what = What::kOpen});
  if (value.lifecycle == Lifecycle::kClosed) {
    if (all.empty()) all.push_back({.what = What::kOpen});
    all.push_back({.what = What::kClose});
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

std::vector<Look> make_plan(const Case& value, const Expectation& expected) {
  std::vector<Look> plan;
  std::vector<std::string> keys;
  for (const auto& [key, bytes] : expected.content)
    if (keys.size() < 4) keys.push_back(key);
  const std::string some_key = keys.empty() ? std::string(kMissingKey) : keys.front();
  const auto wanted = [&](LookGroup group) {
    return std::ranges::find(value.looks, group) != value.looks.end();
  };
  const auto add = [&](const char* name, LookGroup group, std::string key) {
    plan.push_back({name, group, {.key = std::move(key)}});
  };
  if (wanted(LookGroup::kReads)) {
    for (const std::string& key : keys) {
      add("get", LookGroup::kReads, key);
      add("exists", LookGroup::kReads, key);
      add("getsize", LookGroup::kReads, key);
    }
    add("get", LookGroup::kReads, std::string(kMissingKey));
    add("exists", LookGroup::kReads, std::string(kMissingKey));
    add("repr", LookGroup::kReads, "");
  }
  if (wanted(LookGroup::kRanges) && !keys.empty())
    plan_ranges(plan, some_key, static_cast<std::int64_t>(expected.content.at(some_key).size()));
  if (wanted(LookGroup::kListing)) {
    add("list", LookGroup::kListing, "");
    add("list_prefix", LookGroup::kListing, "");
    add("list_prefix", LookGroup::kListing, "a");
    add("list_dir", LookGroup::kListing, "");
    add("list_dir", LookGroup::kListing, "a");
    add("is_empty", LookGroup::kListing, "");
  }
  if (wanted(LookGroup::kArray)) add("open_array", LookGroup::kArray, "");
  if (wanted(LookGroup::kAgain)) add("pickle again", LookGroup::kAgain, "");
  if (wanted(LookGroup::kWrites)) plan_writes(plan, value, expected, some_key);
  return plan;
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
