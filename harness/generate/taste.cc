// Weights are chosen for what a zarr user does; what is odd is drawn now and then.
#include "harness/generate/taste.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "harness/case/keys.h"

namespace storefuzz::program {
namespace {

// Prefixes of each other as texts and as paths, and names that zarr gives meaning.
const std::vector<std::string>& confusable_keys() {
  static const std::vector<std::string> keys{"a",   "aa",    "a/b",       "a-b",
                                             "b",   "a/a",   "a/bc",      "a/b/c",
                                             "c/0", "c/c/0", "zarr.json", "a/zarr.json"};
  return keys;
}

// A store of Zarr hierarchies takes only keys of nodes and chunks.
const std::vector<std::string>& zarr_keys() {
  static const std::vector<std::string> keys{"zarr.json", "a/zarr.json", "a/c/0", "c/0",
                                             "a/b/zarr.json"};
  return keys;
}

// A file may have a name of 255 bytes on Linux: this one, but not with the suffix that a store adds
// which writes beside and renames.
constexpr std::size_t kLongName = 215;

// None climbs out of the case's folder, in which the places lie.
const std::vector<std::string>& odd_keys() {
  static const std::string nul("a\0b", 3), long_name(kLongName, 'n');
  static const std::vector<std::string> keys{
      "",  "/a",     "a/",    "a//b",      ".",   "..",  "./a", "a/..", "../a",   "a\\b",
      "A", "\u00e9", "a/./b", "a.partial", "a b", "[a]", "a*",  nul,    long_name};
  return keys;
}

constexpr std::size_t kLongestWord = 12;       // bytes of a key that stand in a value
constexpr std::uint32_t kAboveBuffer = 9'000;  // small writes stay in a buffer of 8 KiB

std::uint32_t draw_size(Choices& choices) { return choices.one_in(12) ? kAboveBuffer : 0; }

// "b@5": a long key, or one that is hard to read, goes by its number in the place, "#1@0".
std::string word_of(const std::string& key, const std::string& where, std::size_t number) {
  const bool readable = plain_key(key) && key.size() <= kLongestWord && key.find('#') == key.npos;
  return fmt::format("{}@{}", readable ? key : fmt::format("#{}", number), where);
}

// An empty value stays empty: there is at most one.
void name_value(Value& value, std::string word, bool& empty_seen) {
  const bool empty = value.word.empty() && value.size == 0;
  if (empty && !std::exchange(empty_seen, true)) return;
  value.word = std::move(word);
  // A value that is cut within its word could be another one's.
  if (value.size <= value.word.size()) value.size = 0;
}

// Of a store that belongs to a session the model has no opinion: fewer of those.
StoreKind draw_kind(Choices& choices, const Stores& stores) {
  const StoreKind kind = generate_store(choices, stores);
  if (kind->shared != Shared::kSession || choices.one_in(3)) return kind;
  return generate_store(choices, stores);
}

}  // namespace

Stores sharing(StoreKind kind, const Stores& stores) {
  Stores others;
  for (const StoreKind it : stores)
    if (it != kind && !it->dictionary.empty() && it->dictionary == kind->dictionary)
      others.push_back(it);
  return others;
}

Taste draw_taste(Choices& choices, const Stores& stores, const std::vector<std::string>& releases) {
  Taste taste{.releases = releases};
  taste.kinds.push_back(draw_kind(choices, stores));
  // Two of a long list seldom meet.
  const Stores others = sharing(taste.kinds.front(), stores);
  if (!others.empty() && choices.one_in(2))
    taste.kinds.push_back(choices.among(others));
  else if (choices.one_in(4))
    taste.kinds.push_back(draw_kind(choices, stores));
  const auto any = [&](auto member) { return std::ranges::any_of(taste.kinds, member); };
  const auto& pool =
      any([](StoreKind it) { return it->zarr_keys; }) ? zarr_keys() : confusable_keys();
  // A folder takes no key that runs through another one: both in one program are rare.
  const bool files = any([](StoreKind it) { return it->files; }) && !choices.one_in(10);
  std::set<std::string> keys;
  taste.keys.push_back(pool.front());
  keys.insert(pool.front());
  for (std::uint32_t more = 1 + choices.below(3); more > 0; --more) {
    const std::string& key = choices.among(pool);
    if (can_lie_with(keys, key, files) && keys.insert(key).second) taste.keys.push_back(key);
  }
  taste.sync = choices.one_in(8);
  taste.misuse = choices.one_in(8);
  taste.edges = choices.one_in(8);
  taste.odd_keys = choices.one_in(12);
  taste.forks = choices.one_in(10);
  taste.ends = choices.one_in(20);  // an exit costs as much as ten programs without
  taste.directories = choices.one_in(8);
  taste.outsider = choices.one_in(16);
  taste.arrays = choices.one_in(10);
  // What a fork inherits of zarr's own loop shows to those who use that loop.
  if (taste.forks && !taste.arrays && !taste.sync) taste.sync = choices.one_in(2);
  return taste;
}

Twist draw_twist(Choices& choices) {
  static const std::vector<TwistKind> kinds = [] {
    std::vector<TwistKind> list = all_twists();
    std::erase_if(list, &TwistKind::heavy);
    return list;
  }();
  return {.name = std::string(choices.among(kinds).name),
          .entry = choices.below(8),
          .amount = choices.below(16)};
}

std::string draw_subject(const Taste& taste, Choices& choices) {
  if (taste.releases.empty() || !choices.one_in(2)) return "";
  return choices.among(taste.releases);
}

bool is_about_nodes(const Operation& row) {
  return row.family == Family::kArray || row.binds == Subject::kArray ||
         row.binds == Subject::kGroup;
}

std::string draw_key(const Taste& taste, Choices& choices) {
  return taste.odd_keys && choices.one_in(4) ? choices.among(odd_keys())
                                             : choices.among(taste.keys);
}

std::string place_name(StoreKind kind, bool second) {
  if (kind->medium == Medium::kMemory) return "";
  if (kind->medium == Medium::kZip) return second ? "y" : "z";
  if (kind->opaque) return second ? "j" : "i";
  return second ? "g" : "f";
}

Case draw_frame(const Taste& taste, Choices& choices) {
  Case frame;
  static constexpr std::array<std::uint32_t, 3> kSpawned{3, 4, 2};  // none, one, two
  const std::size_t spawned = choices.weighted(kSpawned);
  const std::size_t forked = taste.forks ? 1 + choices.one_in(3) : 0;
  for (std::size_t i = 1; i <= spawned; ++i)
    frame.processes.push_back(
        {.name = fmt::format("p{}", i), .subject = draw_subject(taste, choices)});
  for (std::size_t i = spawned + 1; i <= spawned + forked; ++i)
    frame.processes.push_back({.name = fmt::format("p{}", i), .began = Began::kFork});
  std::set<std::string> names;
  for (const StoreKind kind : taste.kinds)
    for (const bool second : {false, true}) {
      const std::string name = place_name(kind, second);
      if (name.empty() || kind->opaque || !names.insert(name).second) continue;
      // What only reads has something to read.
      if (kind->writes && choices.one_in(2)) continue;
      Place& place = frame.before.emplace_back(Place{.name = name});
      std::set<std::string> keys;
      for (std::uint32_t count = choices.below(4); count > 0; --count) {
        const std::string& key = choices.among(taste.keys);
        if (can_lie_with(keys, key, kind->medium == Medium::kFolder) && keys.insert(key).second)
          place.entries.push_back({key, {.word = "a@0", .size = draw_size(choices)}});
      }
    }
  name_values(frame);
  return frame;
}

void name_values(Case& value) {
  bool empty_seen = false;
  for (std::size_t place = 0; place < value.before.size(); ++place) {
    std::vector<Entry>& entries = value.before[place].entries;
    const std::string where = place == 0 ? "0" : "0" + value.before[place].name;
    for (std::size_t i = 0; i < entries.size(); ++i)
      name_value(entries[i].value, word_of(entries[i].key, where, i), empty_seen);
  }
  for (std::size_t i = 0; i < value.steps.size(); ++i) {
    auto* call = std::get_if<Call>(&value.steps[i]);
    if (!call || !operation(call->op).takes.value) continue;
    // A number takes the first seven bytes.
    const bool number = !operation(call->op).takes.text();
    name_value(call->value,
               number ? fmt::format("n@{}", i) : word_of(call->key, fmt::to_string(i), 0),
               empty_seen);
    if (number) call->value.size = 0;
  }
}

}  // namespace storefuzz::program
