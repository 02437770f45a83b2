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

#include "harness/archive.h"
#include "harness/case.h"
#include "harness/expectation.h"
#include "harness/generate.h"
#include "harness/observation.h"
#include "harness/value.h"

namespace storefuzz::test {

inline const Stores kBothStores{StoreKind::kZip, StoreKind::kLocal};

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

inline Case random_case(unsigned seed, const Stores& stores = kBothStores) {
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
  value.store = among(all_of<StoreKind>());
  if (random() % 3 > 0) {
    value.archive.emplace();
    value.archive->compression = among(all_of<Compression>());
    for (auto i = random() % 6; i > 0; --i) value.archive->entries.push_back(entry());
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
  value.transport = among(all_of<Transport>());
  value.comes_back = among(all_of<ComesBack>());
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
// --------------------------------------------------------------------------------

using Content = std::map<std::string, std::string>;

inline Refused refusal(std::string type, std::string lost = "") {
  return {.type = type,
          .text = "no",
          .frame = "zarr/storage/_zip.py:get",
          .lost = std::move(lost),
          .kinds = {type, "Exception"}};
}

// What a sound store that holds `content` answers.
inline Answer sound_answer(const Look& look, const Content& content) {
  const std::string& key = look.entry.key;
  const auto found = content.find(key);
  const bool there = found != content.end();
  const std::string bytes = there ? found->second : "";
  const auto part = [&](std::size_t from, std::size_t to) -> Answer {
    if (!there) return Shown{nullptr};
    from = std::min(from, bytes.size());
    return Shown{shown_bytes(bytes.substr(from, std::max(to, from) - from))};
  };
  Json keys = Json::array();
  std::set<std::string> names;
  for (const auto& [name, value] : content) {
    if (look.name == "list" || name.starts_with(key)) keys.push_back(name);
    const std::string folder = key.empty() ? "" : key + "/";
    if (name.starts_with(folder) && name != folder)
      names.insert(name.substr(folder.size(), name.find('/', folder.size()) - folder.size()));
  }
  if (look.name == "get") return there ? Shown{shown_bytes(bytes)} : Shown{nullptr};
  if (look.name == "exists") return Shown{there};
  if (look.name == "getsize") return Shown{bytes.size()};
  if (look.name == "get range") return part(look.start, look.end);
  if (look.name == "get offset") return part(look.start, bytes.size());
  if (look.name == "get suffix")
    return part(bytes.size() - std::min<std::size_t>(look.start, bytes.size()), bytes.size());
  if (look.name == "list" || look.name == "list_prefix") return Shown{keys};
  if (look.name == "list_dir") return Shown{Json(names)};
  if (look.name == "is_empty") return Shown{content.empty()};
  if (look.name == "repr") return Shown{"ZipStore('<case>/store.zip')"};
  if (look.name == "open_array") return Shown{Json{97, 98, 99, 100}};
  if (look.name == "pickle again") return Shown{true};
  if (look.name.starts_with("try ")) return refusal("ValueError");
  return Shown{nullptr};  // set, close
}

inline std::vector<Answer> sound_looks(const std::vector<Look>& plan, Content& content) {
  std::vector<Answer> answers;
  for (const Look& look : plan) {
    answers.push_back(sound_answer(look, content));
    if (look.name == "set") content[look.entry.key] = look.entry.bytes();
  }
  return answers;
}

inline Mark sound_mark(const Case& value, const Content& content, int version = 0) {
  Mark mark{.files = Json::object()};
  std::vector<std::string> keys;
  for (const auto& [key, bytes] : content) keys.push_back(key);
  if (value.store == StoreKind::kZip) {
    mark.files["store.zip"] = {100 + content.size() * 10, version};
    mark.entries = keys;
  } else {
    for (const auto& [key, bytes] : content) mark.files["store/" + key] = {bytes.size(), 0};
  }
  return mark;
}

// What is seen when nothing at all is wrong: every operation and look is answered as documented.
inline Observations sound_observations(const Case& value) {
  Observations seen;
  seen.constructed = Shown{nullptr};
  for (std::size_t i = 0; i < operations_of(value).size(); ++i)
    seen.operations.push_back(Shown{nullptr});
  const Expectation expected = expect(value, seen.operations);
  Content content = expected.content;
  seen.state_before = {{"read_only", Shown{expected.read_only}},
                       {"_read_only", Shown{expected.read_only}},
                       {"path", Shown{{{"path", "<case>/store.zip"}}}},
                       {"_lock", Shown{{{"object", "RLock"}}}}};
  seen.packed = Shown{nullptr};
  seen.state_packed = seen.state_before;
  seen.mark_built = seen.mark_packed = sound_mark(value, content);
  seen.plan = make_plan(value, expected);
  seen.child.received = Shown{nullptr};
  seen.child.state = seen.state_before;
  seen.child.mark_after_receiving = seen.mark_built;
  seen.child.looks = sound_looks(seen.plan, content);
  seen.child.left = Shown{nullptr};
  seen.child.descriptors.emplace();
  if (value.carrier != Carrier::kMadeAnew && value.transport == Transport::kSameProcess)
    seen.child.equality = {{"copy == store", Shown{true}},
                           {"store == copy", Shown{true}},
                           {"copy != store", Shown{false}}};
  seen.child.mark_after_leaving = sound_mark(value, content);
  const std::vector<Look> again = without_writes(seen.plan);
  if (value.comes_back != ComesBack::kNothing) {
    seen.child.sent_back = Shown{nullptr};
    seen.child.state_sent = seen.state_before;
    seen.returned = {.received = Shown{nullptr}, .looks = sound_looks(again, content)};
    if (value.comes_back == ComesBack::kStore) seen.returned.state = seen.state_before;
    if (value.comes_back == ComesBack::kArray) seen.returned.array = Shown{Json{97, 98, 99, 100}};
  }
  if (!expected.unclaimed) seen.parent.looks = sound_looks(again, content);
  seen.parent.left = Shown{nullptr};
  seen.parent.descriptors.emplace();
  seen.mark_end = sound_mark(value, content);
  if (value.store == StoreKind::kZip) {
    std::vector<ArchiveEntry> entries;
    for (const auto& [key, bytes] : content) entries.push_back({key, bytes});
    seen.archive_end = make_archive(entries, Compression::kStored).value_or("");
  }
  return seen;
}

// --- a plain case
// ---------------------------------------------------------------------------------

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
