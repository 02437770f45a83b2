// listing: do list, list_prefix, list_dir, is_empty, exists and getsize of one side agree with each
// other, and is nothing named twice?
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/journey/oracles/all.h"

namespace storefuzz {
namespace {

using Names = std::vector<std::string>;

// What one side listed, by look and prefix.
struct Listed {
  const Observations& seen;
  const View& view;

  const Shown* answer(std::string_view name, std::string_view key, int* index = nullptr) const {
    for (std::size_t i = 0; i < view.looks.size(); ++i) {
      const Look& look = seen.plan[i];
      if (look.name != name || look.entry.key != key || look.group == LookGroup::kWrites) continue;
      if (index) *index = static_cast<int>(i);
      return shown(view.looks[i]);
    }
    return nullptr;
  }

  std::optional<Names> names(std::string_view name, std::string_view key) const {
    const Shown* it = answer(name, key);
    if (!it || !it->value.is_array()) return std::nullopt;
    return it->value.get<Names>();
  }
};

class Judge {
 public:
  Judge(const Case& value, const Observations& seen, const View& view, std::string side)
      : value_(value), listed_{seen, view}, side_(std::move(side)) {}

  std::vector<Disagreement> run() {
    for (std::size_t i = 0; i < listed_.view.looks.size(); ++i) check_twice(i);
    if (auto all = listed_.names("list", "")) {
      check_folders(std::set(all->begin(), all->end()));
      compare_with(std::set(all->begin(), all->end()));
    }
    return std::move(found_);
  }

 private:
  void add(const std::string& field, std::string wrong, std::string headline, Answer right,
           Answer answer, int look) {
    found_.push_back({.oracle = "listing",
                      .field = field,
                      .wrong = std::move(wrong),
                      .headline = std::move(headline),
                      .parent = std::move(right),
                      .child = std::move(answer),
                      .side = side_,
                      .look = look});
  }

  void check_twice(std::size_t i) {
    const Look& look = listed_.seen.plan[i];
    const Shown* it = shown(listed_.view.looks[i]);
    if (look.group != LookGroup::kListing || !it || !it->value.is_array()) return;
    std::set<Json> once(it->value.begin(), it->value.end());
    if (once.size() == it->value.size()) return;
    add(look.name, "twice",
        fmt::format("`{}` of a {} names an entry twice", say(look), store_name(value_)),
        Shown{Json(once)}, *it, static_cast<int>(i));
  }

  void compare_with(const std::set<std::string>& all) {
    for (const char* prefix : {"", "a", "c", "nothing"}) {
      if (auto names = listed_.names("list_prefix", prefix)) check_prefix(all, prefix, *names);
      if (auto names = listed_.names("list_dir", prefix)) check_dir(all, prefix, *names);
    }
    int look = -1;
    for (const std::string prefix : {"", "a", "c", "nothing"}) {
      const bool none = std::ranges::none_of(all, [&](const std::string& key) {
        return key.starts_with(prefix.empty() ? "" : prefix + "/");
      });
      const bool plain = std::ranges::all_of(all, plain_key);
      const Shown* empty = listed_.answer("is_empty", prefix, &look);
      if (empty && empty->value != none && (plain || prefix.empty()))
        add("is_empty", "contradicts list",
            fmt::format("`is_empty({:?})` of a {} contradicts list()", prefix, store_name(value_)),
            Shown{none}, *empty, look);
    }
    for (const std::string& key : all) {
      if (const Shown* there = listed_.answer("exists", key, &look); there && there->value != true)
        add("exists", "contradicts list",
            fmt::format("`exists({:?})` of a {} is false for a listed key", key,
                        store_name(value_)),
            Shown{true}, *there, look);
    }
  }

  // An archive may name its folders ("c/"): they are no members of themselves.
  void check_folders(const std::set<std::string>& all) {
    for (std::size_t i = 0; i < listed_.view.looks.size(); ++i) {
      const Look& look = listed_.seen.plan[i];
      const Shown* it = shown(listed_.view.looks[i]);
      if (look.name != "list_dir" || !it || !it->value.is_array()) continue;
      std::string folder = look.entry.key;
      while (folder.ends_with('/')) folder.pop_back();
      const bool itself = std::ranges::find(it->value, Json("")) != it->value.end();
      if (!folder.empty() && itself && all.contains(folder + "/"))
        return report("list_dir", look.entry.key, "names the folder itself", folder + "/");
    }
  }

  // list_prefix takes a text prefix in ZipStore and a folder in LocalStore; a key that both take
  // for a match must be there, one that neither takes must not.
  void check_prefix(const std::set<std::string>& all, const std::string& prefix,
                    const Names& names) {
    std::set<std::string> listed(names.begin(), names.end());
    for (const std::string& key : all)
      if (key.starts_with(prefix.empty() ? "" : prefix + "/") && !listed.contains(key))
        return report("list_prefix", prefix, "misses a key", key);
    for (const std::string& key : listed)
      if (!key.starts_with(prefix) || !all.contains(key))
        return report("list_prefix", prefix, "names what list does not", key);
  }

  void check_dir(const std::set<std::string>& all, const std::string& prefix, const Names& names) {
    std::set<std::string> listed(names.begin(), names.end());
    const std::string folder = prefix.empty() ? "" : prefix + "/";
    std::set<std::string> wanted;
    for (const std::string& key : all) {
      if (!plain_key(key)) return;  // what a folder `a//b` holds is not for this oracle
      if (key.starts_with(folder) && key != folder)
        wanted.insert(key.substr(folder.size(), key.find('/', folder.size()) - folder.size()));
    }
    for (const std::string& name : wanted)
      if (!listed.contains(name)) return report("list_dir", prefix, "misses a key", name);
    for (const std::string& name : listed)
      if (!wanted.contains(name))
        return report("list_dir", prefix, "names what list does not", name);
  }

  void report(const char* look, const std::string& prefix, const char* wrong,
              const std::string& key) {
    int index = -1;
    const Shown* answer = listed_.answer(look, prefix, &index);
    const Shown* all = listed_.answer("list", "");
    add(look, wrong,
        fmt::format("`{}({:?})` of a {} {}: {:?}", look, prefix, store_name(value_), wrong, key),
        all ? Answer{*all} : Answer{}, answer ? Answer{*answer} : Answer{}, index);
  }

  const Case& value_;
  Listed listed_;
  std::string side_;
  std::vector<Disagreement> found_;
};

}  // namespace

Verdict judge_listing(const Case& value, const Expectation& expected, const Observations& seen) {
  // A key below another key: only a real file system says what that means.
  if (value.store->files && value.store->medium != Medium::kFolder && !expected.certain)
    return not_comparable("the model is not certain of the content");
  std::vector<Disagreement> found = Judge(value, seen, seen.parent, "parent").run();
  std::ranges::move(Judge(value, seen, seen.child, "child").run(), std::back_inserter(found));
  std::ranges::move(Judge(value, seen, seen.returned, "returned").run(), std::back_inserter(found));
  return agree_or(std::move(found));
}

}  // namespace storefuzz
