// Words and bytes of a program, and the handles that it has at each step.
#include "harness/case/program.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "harness/zip/archive.h"

namespace storefuzz::program {
namespace {

template <class Enum>
struct Word {
  Enum value;
  std::string_view word;
};

constexpr std::array kBeginnings{Word{Began::kSpawn, "spawn"}, Word{Began::kFork, "fork"}};
constexpr std::array kDrivers{Word{By::kHand, "hand"}, Word{By::kSync, "sync"}};
constexpr std::array kDeeds{Word{What::kChangeDirectory, "change directory"},
                            Word{What::kDrop, "drop"},
                            Word{What::kDeleteFile, "delete the file"},
                            Word{What::kExit, "exit"},
                            Word{What::kQuit, "_exit"},
                            Word{What::kDie, "die"}};

template <class Enum, std::size_t n>
std::string_view word(const std::array<Word<Enum>, n>& table, Enum value) {
  const auto* found = std::ranges::find(table, value, &Word<Enum>::value);
  if (found == table.end()) std::abort();  // an enumerator without a word is our own bug
  return found->word;
}

template <class Enum, std::size_t n>
std::vector<Enum> values(const std::array<Word<Enum>, n>& table) {
  std::vector<Enum> list;
  for (const auto& row : table) list.push_back(row.value);
  return list;
}

}  // namespace

std::string_view name_of(Began value) { return word(kBeginnings, value); }
std::string_view name_of(By value) { return word(kDrivers, value); }
std::string_view name_of(What value) { return word(kDeeds, value); }

bool ends_its_process(What what) {
  return what == What::kExit || what == What::kQuit || what == What::kDie;
}

Result<std::string> archive_of(const Place& place) {
  std::vector<ArchiveEntry> entries;
  for (const Entry& entry : place.entries)
    entries.push_back({.key = entry.key, .bytes = entry.value.bytes()});
  auto sound = make_archive(entries, Compression::kStored);
  if (!sound || place.twists.empty()) return sound;
  return twist_archive(*sound, place.twists);
}

// An entry of a folder is legal; some readers take it for a key.
bool is_ambiguous(const Place& place) {
  return std::ranges::any_of(place.twists, [](const Twist& it) {
    const TwistKind* kind = find_twist(it.name);
    return !kind || kind->about != "sound" || kind->name == "folder entries";
  });
}

std::string Value::bytes() const {
  if (size == 0) return word;
  const std::string once = word + ";";
  std::string whole;
  whole.reserve(size + once.size());
  while (whole.size() < size) whole += once;
  whole.resize(size);
  return whole;
}

std::set<std::string, std::less<>> of_other_releases(const Case& value) {
  std::set<std::string, std::less<>> names;
  for (const Process& it : value.processes)
    if (!it.subject.empty()) names.insert(it.name);
  for (const Step& step : value.steps)
    if (const auto* fork = std::get_if<Fork>(&step); fork && names.contains(fork->in))
      names.insert(fork->process);
  return names;
}

void Handles::bind(const std::string& process, const std::string& handle, Subject subject) {
  living_.emplace_back(process, handle);
  origins_.insert_or_assign(handle, Origin{process, subject});
}

const std::string* Handles::process_of(std::string_view handle, std::string_view in) const {
  if (in.empty()) {
    const auto origin = origins_.find(handle);
    if (origin == origins_.end()) return nullptr;
    in = origin->second.process;
  }
  const auto found = std::ranges::find_if(
      living_, [&](const auto& it) { return it.first == in && it.second == handle; });
  return found == living_.end() ? nullptr : &found->first;
}

std::optional<Subject> Handles::subject_of(std::string_view handle) const {
  const auto origin = origins_.find(handle);
  if (origin == origins_.end()) return std::nullopt;
  return origin->second.subject;
}

void Handles::take(const Step& step) {
  const auto take_make = [&](const Make& make) {
    bind(make.in, make.as,
         make.kind->interface == "zarr 3 path" ? Subject::kPath : Subject::kStore);
  };
  const auto take_call = [&](const Call& call) {
    if (call.as.empty() || call.on.empty()) return;
    if (const std::string* process = process_of(call.on.front(), call.in))
      bind(std::string(*process), call.as, operation(call.op).binds);
  };
  const auto take_carry = [&](const Carry& carry) {
    bind(carry.to, carry.as, subject_of(carry.from).value_or(Subject::kStore));
  };
  const auto take_fork = [&](const Fork& fork) {
    const auto held = living_;
    for (const auto& [process, handle] : held)
      if (process == fork.in) living_.emplace_back(fork.process, handle);
  };
  const auto take_deed = [&](const Deed& deed) {
    std::erase_if(living_, [&](const auto& it) {
      return it.first == deed.in && (ends_its_process(deed.what) ||
                                     (deed.what == What::kDrop && it.second == deed.handle));
    });
  };
  std::visit(Each{take_make, take_call, take_carry, take_fork, take_deed}, step);
}

namespace {

class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) mix(static_cast<unsigned char>(c));
    mix(0x100);  // where it ends
  }
  void add(std::uint64_t number) { mix(number); }
  void add(const Make& it) {
    for (const std::string* text : {&it.kind->kind, &it.at, &it.around, &it.in, &it.as}) add(*text);
    const unsigned read_only = it.read_only ? 1U + *it.read_only : 0U;
    add(static_cast<std::uint64_t>(it.mode) * 8 + read_only * 2 + it.relative + it.deflated * 64U);
  }
  void add(const Call& it) {
    for (const std::string& handle : it.on) add(handle);
    for (const std::string* text : {&it.in, &it.key, &it.value.word, &it.other, &it.as}) add(*text);
    for (const std::int64_t number : {it.start, it.end}) add(static_cast<std::uint64_t>(number));
    add(it.value.size);
    add(static_cast<std::uint64_t>(it.op) * 8 + static_cast<unsigned>(it.by) * 4 + it.watched * 2U +
        it.flag);
  }
  void add(const Carry& it) {
    for (const std::string* text : {&it.from, &it.in, &it.to, &it.as}) add(*text);
    add(static_cast<std::uint64_t>(it.carrier) * 16 + static_cast<unsigned>(it.cargo));
  }
  void add(const Fork& it) {
    add(it.process);
    add(it.in);
  }
  void add(const Deed& it) {
    for (const std::string* text : {&it.in, &it.handle, &it.at}) add(*text);
    add(static_cast<std::uint64_t>(it.what));
  }
  // The last bits say most.
  std::uint64_t value() const { return hash_ ^ (hash_ >> 29); }

 private:
  void mix(std::uint64_t number) { hash_ = (hash_ ^ number) * 1099511628211ULL; }  // FNV-1a

  std::uint64_t hash_ = 14695981039346656037ULL;
};

}  // namespace

std::uint64_t hash_of(const Case& value) {
  Hash hash;
  for (const Place& place : value.before) {
    hash.add(place.name);
    for (const Entry& entry : place.entries) {
      hash.add(entry.key);
      hash.add(entry.value.word);
      hash.add(entry.value.size);
    }
  }
  for (const Process& process : value.processes) {
    hash.add(process.name);
    hash.add(static_cast<std::uint64_t>(process.began));
    hash.add(process.subject);
  }
  for (const Step& step : value.steps) {
    hash.add(step.index());
    std::visit([&](const auto& it) { hash.add(it); }, step);
  }
  return hash.value();
}

std::optional<StoreKind> kind_of(const Case& value, std::string_view handle) {
  std::map<std::string, StoreKind, std::less<>> kinds;
  const auto known = [&](const std::string& of, const std::string& as) {
    if (const auto found = kinds.find(of); found != kinds.end() && !as.empty())
      kinds.emplace(as, found->second);
  };
  for (const Step& step : value.steps) {
    if (const auto* call = std::get_if<Call>(&step)) known(call->on.front(), call->as);
    if (const auto* carry = std::get_if<Carry>(&step)) known(carry->from, carry->as);
    const auto* make = std::get_if<Make>(&step);
    if (!make) continue;
    const auto inner = kinds.find(make->around);
    if (make->around.empty())
      kinds.emplace(make->as, make->kind);
    else if (inner != kinds.end())
      kinds.emplace(make->as, over(make->kind, inner->second));
  }
  const auto found = kinds.find(handle);
  return found == kinds.end() ? std::nullopt : std::optional(found->second);
}

std::set<std::string> keys_of(const Case& value) {
  std::set<std::string> keys;
  for (const Place& place : value.before)
    for (const Entry& entry : place.entries) keys.insert(entry.key);
  for (const Step& step : value.steps)
    if (const auto* call = std::get_if<Call>(&step); call && operation(call->op).takes.key)
      keys.insert(call->key);
  return keys;
}

}  // namespace storefuzz::program

namespace storefuzz {

template <>
const std::vector<program::Op>& all_of<program::Op>() {
  static const auto list = [] {
    std::vector<program::Op> ops;
    for (const program::Operation& row : program::operations()) ops.push_back(row.op);
    return ops;
  }();
  return list;
}
template <>
const std::vector<program::Began>& all_of<program::Began>() {
  static const auto list = program::values(program::kBeginnings);
  return list;
}
template <>
const std::vector<program::By>& all_of<program::By>() {
  static const auto list = program::values(program::kDrivers);
  return list;
}
template <>
const std::vector<program::What>& all_of<program::What>() {
  static const auto list = program::values(program::kDeeds);
  return list;
}

}  // namespace storefuzz
