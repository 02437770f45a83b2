// on disk: does packing, unpacking and reading change nothing, and does an acknowledged write stay?
//
// Files are compared by size and checksum from step to step; what the archive holds at the end is
// read by libzip, which shares no code with the subject.
#include <fmt/format.h>

#include "harness/journey/oracles/all.h"

namespace storefuzz {
namespace {

constexpr const char* kArchive = "store.zip";

bool has_file(const Mark& mark) { return mark.files.is_object() && mark.files.contains(kArchive); }

Answer tell(const Mark& mark) {
  if (!mark.files.is_object()) return Absent{};
  return mark.entries ? Shown{Json(*mark.entries)} : Shown{mark.files};
}

class Judge {
 public:
  Judge(const Case& value, const Expectation& expected, const Observations& seen)
      : value_(value), expected_(expected), seen_(seen) {}

  std::vector<Disagreement> run() {
    zip_ = value_.store->medium == Medium::kZip;
    if (emptied_while_building()) return std::move(found_);
    const bool first_use = expected_.unclaimed || (!has_file(seen_.mark_built) && zip_);
    if (!first_use) {
      // Making a copy packs and receives in one.
      const bool pickled = serialises(value_.carrier);
      // An array or group is opened by reading, which brings what was written to the disk.
      const bool reads = value_.cargo == Cargo::kArray || value_.cargo == Cargo::kGroup;
      if (!(reads && expected_.pending))
        step(pickled ? "packing" : "receiving", seen_.mark_built, seen_.mark_packed);
      if (found_.empty())  // the first change explains what follows
        step("receiving", seen_.mark_sent, seen_.child.mark_after_receiving);
      // A handed-over store is the parent's own: what it does is done in the parent.
      if (found_.empty() && !child_writes(seen_.plan))
        step("looking", seen_.child.mark_after_receiving, seen_.child.mark_after_leaving);
    }
    check_end();
    return std::move(found_);
  }

 private:
  void add(const std::string& field, std::string wrong, std::string headline, Answer before,
           Answer after) {
    found_.push_back({.oracle = "on disk",
                      .field = field,
                      .wrong = std::move(wrong),
                      .headline = std::move(headline),
                      .parent = std::move(before),
                      .child = std::move(after),
                      .side = "child"});
  }

  // The parent's own operations: closed and used again, an archive keeps what was acknowledged.
  bool emptied_while_building() {
    if (!zip_ || !expected_.certain || expected_.unclaimed) return false;
    // As it was before the parent did anything meanwhile.
    const Expectation built = seen_.built ? *seen_.built : expect(value_, seen_.operations);
    if (built.pending || built.content.empty() || !has_file(seen_.mark_built)) return false;
    const auto& entries = seen_.mark_built.entries;
    if (entries && !entries->empty()) return false;
    Json wanted = Json::array();
    for (const auto& [key, bytes] : built.content) wanted.push_back(key);
    add("building", "emptied",
        fmt::format("using a `{}` store again after close() empties its archive",
                    name_of(value_.constructor.mode)),
        Shown{wanted}, Shown{Json::array()});
    return true;
  }

  std::string what_store() const {
    const std::string_view mode = name_of(value_.constructor.mode);
    if (!zip_) return "a " + store_name(value_);
    if (ends_open(value_.lifecycle)) return fmt::format("an open `{}` store", mode);
    return value_.lifecycle == Lifecycle::kNew
               ? fmt::format("a new `{}` store", mode)
               : fmt::format("a `{}` store that had been written and closed", mode);
  }

  // Nothing may differ between two moments with no write between them.
  void step(const std::string& what, const Mark& before, const Mark& after) {
    if (!before.files.is_object() || !after.files.is_object() || before.files == after.files)
      return;
    const std::string doing = what == "packing"     ? "pickling"
                              : what == "receiving" ? carrying(value_)
                                                    : "reading from";
    const bool had = !expected_.content.empty();
    const bool emptied = zip_ && had && has_file(after) &&
                         (!after.entries || after.entries->empty()) && !expected_.pending;
    if (expected_.pending && what != "packing") return;  // judged by what is there at the end
    // An empty archive that is written anew has lost nothing.
    if (zip_ && (!had || !expected_.certain) && !wrong_on_purpose(value_)) return;
    add(what, emptied ? "emptied" : "changed",
        fmt::format("{} {} {} its {}", doing, what_store(), emptied ? "empties" : "changes",
                    zip_ ? "archive" : "files"),
        tell(before), tell(after));
  }

  // Every acknowledged write is in the archive once everybody has closed.
  void check_end() {
    if (!zip_ || !expected_.certain || !shown(seen_.parent.left)) return;
    if (expected_.unclaimed || expected_.missing || expected_.exists_already) return;
    if (!found_.empty()) return;  // the first change explains the end
    Content wanted = expected_.content;
    if (child_writes(seen_.plan)) {
      const auto& looks = seen_.child.looks;
      wanted = after_looks(value_.store, wanted, seen_.plan, looks);
      // What a child has not closed is not due yet.
      const bool closed = !looks.empty() && shown(looks.back());
      if (!closed && wanted != expected_.content) return;
    }
    if (wanted.empty()) return;
    std::map<std::string, std::string> there;
    const ArchiveView view = view_archive(seen_.archive_end);
    for (const auto& [name, bytes] : view.entries) there[name] = bytes;
    std::vector<std::string> gone;
    for (const auto& [key, bytes] : wanted) {
      auto found = there.find(key);
      if (found == there.end() || found->second != bytes) gone.push_back(key);
    }
    if (gone.empty()) return;
    const std::string wrong = !view.sound ? "damaged" : there.empty() ? "emptied" : "write lost";
    Json names = Json::array();
    for (const auto& [name, bytes] : there) names.push_back(name);
    Json before = Json::array();
    for (const auto& [key, bytes] : wanted) before.push_back(key);
    const bool by_parent = seen_.child.mark_after_leaving.files != seen_.mark_end.files;
    const std::string what = wrong == "damaged"   ? "the archive is damaged"
                             : wrong == "emptied" ? "the archive is empty"
                                                  : "an acknowledged write is lost";
    add(by_parent ? "parent's use" : "child's use", wrong,
        fmt::format("{} once {} closed {}", what,
                    by_parent ? "the parent, after its child, has" : "a child has", what_store()),
        Shown{before}, Shown{names});
  }

  const Case& value_;
  const Expectation& expected_;
  const Observations& seen_;
  bool zip_ = true;
  std::vector<Disagreement> found_;
};

}  // namespace

Verdict judge_on_disk(const Case& value, const Expectation& expected, const Observations& seen) {
  if (!shown(seen.constructed)) return not_comparable("the store was not made");
  if (expected.gone) return not_comparable("the parent deleted the place");
  if (value.store->medium == Medium::kMemory) return not_comparable("nothing lies on disk");
  return agree_or(Judge(value, expected, seen).run());
}

}  // namespace storefuzz
