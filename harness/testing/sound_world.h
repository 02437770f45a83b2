// What several tests share: bytes and cases that are the same in every run, a folder that goes
// away, and the observations a sound store would give. For tests only; nothing in the library
// includes it.
//
//     const Case value = generate_case(test::random_bytes(7, 64));
//     const Observations seen = test::sound_observations(value);   // every oracle must agree
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/case/case.h"
#include "harness/journey/expectation.h"
#include "harness/journey/generate.h"
#include "harness/journey/observation.h"
#include "harness/zip/archive.h"
#include "harness/zip/values.h"

namespace storefuzz::test {

// A store by its word; a word that is none ends the program.
inline StoreKind store(std::string_view word) { return find_store(word).value(); }

inline const StoreKind kZip = store("zip");
inline const StoreKind kLocal = store("local");

// Every store of the list that is drawn; a wrapper gets something to wrap.
inline const Stores kListed = parse_stores("all").value();

// Every store that a case can name, wrappers over what they usually wrap, and some over others.
inline const Stores& every_store() {
  static const Stores list = [] {
    Stores all;
    for (const StoreKind it : all_stores()) {
      if (it->served || it->keeps) continue;  // as a session of journeys does
      if (!it->wraps) all.push_back(it);
      for (const char* inner : {"zip", "local", "memory"})
        if (it->wraps) all.push_back(over(it, store(inner)));
    }
    for (const char* word : {"logging over wrapper over local", "path over logging over zip",
                             "cache over fsspec memory", "wrapper over icechunk",
                             "logging over wrapper over path over cache over managed memory"})
      all.push_back(store(word));
    return all;
  }();
  return list;
}

inline std::vector<std::byte> random_bytes(unsigned seed, std::size_t size) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

// Bytes that neither repeat nor deflate, the same in every run.
inline std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

inline bool is_normalised(const Case& value) {
  Case again = value;
  normalise(again);
  return again == value;
}

inline Case random_case(unsigned seed, const Stores& stores = kListed) {
  return generate_case(random_bytes(seed, 160), stores);
}

// A case that no generator makes: every field drawn alone, nothing normalised.
inline Case wild_case(unsigned seed) {
  std::mt19937 random(seed);
  const auto among = [&]<class T>(const std::vector<T>& list) {
    return list[random() % list.size()];
  };
  static const std::vector<std::string> keys{"",          "a",  "a/b",    "/a",
                                             "a//b",      "..", "a/../b", "a\\",
                                             "zarr.json", "b",  "c/0",    std::string("n\0l", 3)};
  static const std::vector<std::string> values{"", "x", "ab", "\u00e9", std::string("\0\1", 2)};
  const auto entry = [&] {
    return Entry{among(keys), among(values), static_cast<std::uint32_t>(random() % 4)};
  };
  Case value;
  value.store = among(every_store());
  if (random() % 3 > 0) {
    value.archive.emplace();
    value.archive->compression = among(all_of<Compression>());
    for (auto i = random() % 6; i > 0; --i) value.archive->entries.push_back(entry());
    // Twists that no reader minds: what others make of an archive is not theirs to say.
    static const std::vector<std::string> twists{"short comment", "data descriptor",
                                                 "directory reversed"};
    if (random() % 4 == 0)
      value.archive->twists.push_back({among(twists), static_cast<std::uint32_t>(random() % 9),
                                       static_cast<std::uint32_t>(random() % 9)});
  }
  value.constructor = {.relative_path = random() % 2 == 0,
                       .mode = among(all_of<Mode>()),
                       .compression = among(all_of<Compression>()),
                       .allow_zip64 = random() % 2 == 0};
  if (random() % 2 == 0) value.constructor.read_only = random() % 2 == 0;
  for (auto i = random() % 4; i > 0; --i)
    value.operations.push_back({among(all_of<What>()), entry(),
                                static_cast<std::int64_t>(random() % 5),
                                static_cast<std::int64_t>(random() % 5)});
  value.lifecycle = among(all_of<Lifecycle>());
  value.parent = among(all_of<Warmth>());
  value.driver = among(all_of<Driver>());
  for (auto i = random() % 9; i > 0; --i) value.looks.push_back(among(all_of<LookGroup>()));
  value.carrier = among(all_of<Carrier>());
  value.twice = random() % 2 == 0;
  value.cargo = among(all_of<Cargo>());
  value.transport = among(all_of<Transport>());
  if (random() % 8 == 0) value.pool = among(all_of<Pool>());
  value.meanwhile = among(all_of<Meanwhile>());
  value.surroundings = among(all_of<Surroundings>());
  value.comes_back = among(all_of<ComesBack>());
  value.twin = random() % 2 == 0;
  return value;
}

// A new folder that is gone when this is.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "unit-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  Folder(const Folder&) = delete;
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// --- a sound world

using Content = std::map<std::string, std::string>;

inline Refused refusal(std::string type, std::string lost = "") {
  return {.type = type,
          .text = "no",
          .frame = "zarr/storage/_zip.py:get",
          .lost = std::move(lost),
          .kinds = {type, "Exception"}};
}

// reference/vocabulary.json: what side.py can be asked.
inline const Json& vocabulary() {
  static const Json words = Json::parse(read_file(reference_folder() + "/vocabulary.json"));
  return words;
}

inline bool asks(std::string_view interface, const Look& look) {
  return vocabulary()[std::string(interface.empty() ? "zarr 3" : interface)]["looks"].contains(
      look.name);
}

// What a sound store that holds `content` answers.
inline Answer sound_answer(const Look& look, const Content& content) {
  const std::string& key = look.entry.key;
  const auto found = content.find(key);
  const bool there = found != content.end();
  const std::string bytes = there ? found->second : "";
  const auto cut = [&](std::size_t from, std::size_t to) {
    from = std::min(from, bytes.size());
    return shown_bytes(bytes.substr(from, std::max(to, from) - from));
  };
  const auto part = [&](std::size_t from, std::size_t to) -> Answer {
    return there ? Shown{cut(from, to)} : Shown{nullptr};
  };
  const std::string folder = key.empty() || key.ends_with('/') ? key : key + "/";
  Json keys = Json::array();
  std::set<std::string> names;
  std::size_t below = 0;
  bool empty = true;
  for (const auto& [name, value] : content) {
    if (look.name == "list" || name.starts_with(key)) keys.push_back(name);
    if (!name.starts_with(folder)) continue;
    empty = false;
    below += value.size();
    if (name != folder)
      names.insert(name.substr(folder.size(), name.find('/', folder.size()) - folder.size()));
  }
  if (look.name == "get" || look.name == "get_sync") return part(0, bytes.size());
  if (look.name == "exists") return Shown{there};
  if (look.name == "getsize")
    return there ? Answer{Shown{bytes.size()}} : refusal("FileNotFoundError");
  if (look.start < 0) return refusal("ValueError");
  if (look.name == "get range") return part(look.start, look.end);
  if (look.name == "get offset") return part(look.start, bytes.size());
  const auto last = [&](std::size_t n) { return bytes.size() - std::min(n, bytes.size()); };
  if (look.name == "get suffix") return part(last(look.start), bytes.size());
  if (look.name == "get_partial_values")
    return there ? Shown{{cut(0, bytes.size()), nullptr}} : Shown{{nullptr, nullptr}};
  if (look.name == "get_partial_values by ranges")
    return Shown{{cut(0, 1), cut(1, bytes.size()), cut(last(1), bytes.size())}};
  const bool ranges = look.name == "get_ranges" || look.name == "get_ranges_sync";
  if (ranges && !there) return refusal("FileNotFoundError");
  if (ranges) return Shown{{{0, cut(1, 2)}, {1, cut(0, bytes.size())}, {2, cut(0, 1)}}};
  if (look.name == "list" || look.name == "list_prefix") return Shown{keys};
  if (look.name == "list_dir") return Shown{Json(names)};
  if (look.name == "is_empty") return Shown{empty};
  if (look.name == "getsize_prefix") return Shown{below};
  if (look.name == "repr") return Shown{"ZipStore('<case>/store.zip')"};
  if (look.name == "open_array") return Shown{Json{97, 98, 99, 100}};
  if (look.name == "pickle again" || look.name == "with_read_only" || look.name == "enter")
    return Shown{true};
  if (look.name == "equals its opposite") return Shown{false};
  if (look.name.starts_with("try ")) return refusal("ValueError");
  return Shown{nullptr};  // what writes, and close
}

// All answers of one side; a question that its interface lacks has no answer.
inline std::vector<Answer> sound_looks(StoreKind kind, const std::vector<Look>& plan,
                                       Content& content) {
  std::vector<Answer> answers;
  for (const Look& look : plan) {
    if (!asks(kind->interface, look)) {
      answers.emplace_back();
      continue;
    }
    apply_look(kind, look, content);
    answers.push_back(sound_answer(look, content));
  }
  return answers;
}

inline Mark sound_mark(const Case& value, const Content& content, bool directory = true) {
  Mark mark{.files = Json::object()};
  const auto sum = [](const std::string& text) { return std::hash<std::string>{}(text) % 9973; };
  if (value.store->medium == Medium::kZip) {
    std::vector<std::string> keys;
    std::size_t all = directory;
    for (const auto& [key, bytes] : content) {
      keys.push_back(key);
      all += sum(key + "=" + bytes);
    }
    mark.files["store.zip"] = {100 + content.size() * 10, all};
    if (directory) mark.entries = keys;
  }
  if (value.store->medium == Medium::kFolder)
    for (const auto& [key, bytes] : content)
      mark.files["store/" + key] = {bytes.size(), sum(bytes)};
  return mark;
}

inline Content content_of(const std::optional<Archive>& archive) {
  Content content;
  if (archive)
    for (const Entry& entry : archive->entries) content[entry.key] = entry.bytes();
  return content;
}

// What is seen when nothing at all is wrong: what the documentation promises is answered, what is
// rightly refused is refused.
class SoundWorld {
 public:
  explicit SoundWorld(const Case& value) : value_(value) {}

  Observations play() {
    zip_ = value_.store->medium == Medium::kZip;
    build();
    if (pack()) {
      do_meanwhile();
      visit();
      come_back();
    } else {
      know();
    }
    finish();
    return std::move(seen_);
  }

 private:
  bool looks_at(LookGroup group) const {
    return std::ranges::find(value_.looks, group) != value_.looks.end();
  }

  void build() {
    seen_.constructed = Shown{nullptr};
    const Expectation new_one = expect(value_, std::vector<Answer>{});
    for (const Operation& it : operations_of(value_))
      seen_.operations.push_back(answer_to(it, new_one));
    built_ = expect(value_, seen_.operations);
    seen_.plan = make_plan(value_, built_);
    std::string inner = "";
    for (const Adapter* it = value_.store.operator->(); it->inner; it = it->inner)
      inner += "_store.";
    const char* place = value_.store->medium == Medium::kFolder ? "root" : "path";
    seen_.state_before = {{inner + "read_only", Shown{built_.read_only}},
                          {inner + "_read_only", Shown{built_.read_only}},
                          {inner + place, Shown{{{"path", "<case>/store.zip"}}}},
                          {inner + "_lock", Shown{{{"object", "RLock"}}}}};
    Content there = built_.unclaimed ? content_of(value_.archive) : built_.content;
    seen_.mark_built =
        built_.made_by_use ? Mark{.files = Json::object()} : mark_of(there, !built_.pending);
  }

  Answer answer_to(const Operation& it, const Expectation& new_one) const {
    if (it.what == What::kClose || it.what == What::kEnter) return Shown{nullptr};
    if (new_one.missing) return refusal("FileNotFoundError");
    if (new_one.exists_already) return refusal("FileExistsError");
    const bool deletes = it.what == What::kDelete;
    if (it.what != What::kSet && it.what != What::kSetIfNotExists && !deletes)
      return Shown{nullptr};
    if (new_one.read_only) return refusal("ValueError");
    if (!new_one.can_write || (deletes && !value_.store->deletes))
      return refusal("NotImplementedError");
    return Shown{nullptr};
  }

  // False where nothing leaves: an interface that lacks such cargo.
  bool pack() {
    seen_.mark_packed = seen_.mark_sent = seen_.mark_built;
    const bool stays =
        value_.carrier == Carrier::kMadeAnew || value_.carrier == Carrier::kInherited;
    if (stays) return true;
    const std::string& own = value_.store->interface;
    const Json& cargo = vocabulary()[own.empty() ? "zarr 3" : own]["cargo"];
    const bool holds = cargo.contains(name_of(value_.cargo));
    if (value_.pool != Pool::kNone) seen_.packed = Shown{nullptr};
    if (value_.pool != Pool::kNone || !holds) return holds;
    seen_.cargo = seen_.packed = Shown{nullptr};
    seen_.state_packed = seen_.state_before;
    return true;
  }

  Answer meanwhile() const {
    const Medium medium = value_.store->medium;
    switch (value_.meanwhile) {
      case Meanwhile::kIdle:
        return {};
      case Meanwhile::kWritesOn:
        return answer_to({.what = What::kSet}, built_);
      case Meanwhile::kDeletesTheFile:
        if (medium == Medium::kMemory || (zip_ && built_.made_by_use) ||
            (medium == Medium::kFolder && built_.content.empty()))
          return refusal("FileNotFoundError");
        return Shown{nullptr};
      default:
        return Shown{nullptr};
    }
  }

  void do_meanwhile() {
    seen_.meanwhile = meanwhile();
    forgets_ = value_.meanwhile == Meanwhile::kForgetsTheStore;
    know();
    if (value_.meanwhile != Meanwhile::kIdle) seen_.mark_sent = mark_now();
  }

  void know() {
    expected_ = expect(value_, seen_);
    home_ = expected_.content;
    away_ = expected_.away;
    // What a store of a session holds is for itself to say.
    if (value_.store->shared == Shared::kSession) home_ = away_ = {{"own/key", "of its session"}};
    if (expected_.gone) home_ = away_ = {};
  }

  // What a session keeps is not said in keys.
  Mark mark_of(const Content& content, bool directory) const {
    if (value_.store->shared == Shared::kSession) return sound_mark(value_, {{"own", ""}});
    return sound_mark(value_, content, directory);
  }

  Mark mark_now() const {
    if (expected_.gone) return {.files = Json::object()};
    if (expected_.unclaimed || expected_.missing) return seen_.mark_built;
    if (expected_.made_by_use && seen_.child.looks.empty()) return seen_.mark_built;
    return mark_of(home_, !expected_.pending);
  }

  // Where opening is rightly refused, every look is.
  std::optional<Answer> refuses() const {
    if (expected_.missing) return refusal("FileNotFoundError");
    if (expected_.exists_already) return refusal("FileExistsError");
    const bool own =
        value_.carrier == Carrier::kHandedOver || value_.carrier == Carrier::kInherited;
    if (expected_.pending && !own) return refusal("BadZipFile");
    return std::nullopt;
  }

  std::vector<Answer> answers(const std::vector<Look>& plan, Content& content) const {
    if (const auto no = refuses()) return std::vector<Answer>(plan.size(), *no);
    return sound_looks(value_.store, plan, content);
  }

  void visit() {
    View& child = seen_.child;
    if (value_.store->stays && serialises(value_.carrier) && !in_this_process(value_.transport)) {
      child.received = refusal("RuntimeError");
      child.mark_after_receiving = seen_.mark_sent;
      return;
    }
    child.received = Shown{nullptr};
    if (value_.cargo == Cargo::kTwoReferences) child.same_object = Shown{true};
    if (looks_at(LookGroup::kState)) child.state = seen_.state_before;
    for (const auto& [name, answer] : seen_.state_before) child.arrived_with.push_back(name);
    child.mark_after_receiving = seen_.mark_sent;
    child.looks = answers(seen_.plan, away_);
    if (expected_.one_content && child_writes(seen_.plan)) home_ = away_;
    if (value_.store->shared == Shared::kPlace && child_writes(seen_.plan)) home_ = away_;
    if (value_.carrier != Carrier::kHandedOver && value_.carrier != Carrier::kInherited)
      child.left = Shown{nullptr};
    if (fresh_interpreter(value_.transport)) child.descriptors.emplace();
    if (in_this_process(value_.transport) && value_.pool == Pool::kNone && !forgets_)
      child.equality = {{"copy == store", Shown{true}},
                        {"store == copy", Shown{true}},
                        {"copy != store", Shown{false}}};
    child.mark_after_leaving = mark_now();
  }

  void come_back() {
    if (value_.comes_back == ComesBack::kNothing || !shown(seen_.child.received)) return;
    seen_.child.state_sent = seen_.state_before;
    seen_.child.sent_back = Shown{nullptr};
    if (value_.comes_back == ComesBack::kArray && refuses()) {
      seen_.child.sent_back = *refuses();
      return;
    }
    View& returned = seen_.returned;
    returned.received = Shown{nullptr};
    if (value_.comes_back == ComesBack::kArray) {
      returned.array = Shown{Json{97, 98, 99, 100}};
      return;
    }
    if (looks_at(LookGroup::kState)) returned.state = seen_.state_before;
    returned.left = Shown{nullptr};
    const bool grandchild = value_.comes_back == ComesBack::kGrandchild;
    if (!grandchild && !forgets_) returned.equality = {{"copy == store", Shown{true}}};
    const std::vector<Look> again = without_writes(seen_.plan);
    // A name that means something in one process means the parent's own content at home.
    const bool home = value_.store->shared == Shared::kProcess && !grandchild;
    returned.looks = answers(again, home ? home_ : away_);
    if (grandchild && expected_.made_by_use)
      returned.looks.assign(again.size(), refusal("BadZipFile"));
  }

  void finish() {
    const std::vector<Look> again = without_writes(seen_.plan);
    if (!expected_.unclaimed && !forgets_)
      seen_.parent.looks = expected_.missing
                               ? std::vector<Answer>(again.size(), refusal("FileNotFoundError"))
                               : sound_looks(value_.store, again, home_);
    if (value_.twin && expected_.certain && !expected_.unclaimed && !child_writes(seen_.plan)) {
      Content same = expected_.content;
      seen_.twin.looks = sound_looks(store("memory"), again, same);
    }
    if (!forgets_) seen_.parent.left = Shown{nullptr};
    seen_.parent.descriptors.emplace();
    expected_.pending = false;  // everybody has closed
    seen_.mark_end = mark_now();
    if (!zip_ || expected_.gone || expected_.missing) return;
    std::vector<ArchiveEntry> entries;
    for (const auto& [key, bytes] : home_) entries.push_back({key, bytes});
    seen_.archive_end = make_archive(entries, Compression::kStored).value_or("");
    if (wrong_on_purpose(value_)) seen_.archive_end = bytes_of(*value_.archive).value_or("");
    Json keys = Json::object(), listed = Json::array();
    for (const auto& [key, bytes] : home_) {
      const ValueSum sum = sum_of(bytes);
      keys[key] = {"value", sum.size, sum.crc};
      listed.push_back(key);
    }
    for (const Look& look : seen_.plan)
      if (look.name == "get" && !keys.contains(look.entry.key)) keys[look.entry.key] = {"missing"};
    for (const char* reader : {"libzip", "libarchive"})
      seen_.readings.push_back({.reader = reader,
                                .version = "1",
                                .reply = {{"opened", {"value"}},
                                          {"listed", listed},
                                          {"keys", keys},
                                          {"arrays", Json::object()}},
                                .died = {}});
  }

  const Case& value_;
  Observations seen_;
  Expectation built_;     // before the journey
  Expectation expected_;  // after what the parent did meanwhile
  Content home_;
  Content away_;
  bool zip_ = true;
  bool forgets_ = false;
};

inline Observations sound_observations(const Case& value) { return SoundWorld(value).play(); }

// --- a plain case

// A zip archive with `a` and `b`, opened for reading, looked at in every way.
inline Case plain_case() {
  Case value;
  value.archive =
      Archive{.entries = {{.key = "a", .value = "hello"}, {.key = "b/c", .value = "xy"}}};
  value.looks = all_of<LookGroup>();
  normalise(value);
  return value;
}

// The index of a look in the plan, by its name and key; -1 when it is not asked.
inline int look_at(const Observations& seen, std::string_view name, std::string_view key = "") {
  for (std::size_t i = 0; i < seen.plan.size(); ++i)
    if (seen.plan[i].name == name && (key.empty() || seen.plan[i].entry.key == key))
      return static_cast<int>(i);
  return -1;
}

}  // namespace storefuzz::test
