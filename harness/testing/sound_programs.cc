// Stores of four families in plain maps, their processes, and a disk.
#include "harness/testing/sound_programs.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "harness/case/keys.h"

namespace storefuzz::program::test {
namespace {

using Map = std::map<std::string, std::string>;

struct File {
  bool there = false, torn = false;
  Map content;
};

struct Object {
  StoreKind kind;
  std::string place, process, directory;
  bool relative = false, writable = true, read_only = false, archive = false;
  std::optional<bool> refuses;  // in another directory; not asked there yet
  Mode mode = Mode::kAppend;
  std::shared_ptr<Map> memory;  // of an object, or of a dictionary
  std::string prefix;
  // an open archive
  bool opened = false, fresh = false, begins = false;
  Map base, written;
  Map seen;  // the file as it was when it was opened
};

struct Handle {
  std::shared_ptr<Object> object;
  StoreKind kind;
  std::string prefix;
  std::shared_ptr<std::map<std::string, std::optional<std::string>>> cache;
  Map attributes;  // of a node, as it was read or written last
};

struct Refused {
  std::string type;
};

class SoundWorld {
 public:
  SoundWorld(const Case& value, unsigned seed) : case_(value), random_(seed) {
    truncates_at_once_ = seed % 2;
    for (const Place& place : value.before) {
      File& file = disk_[place.name];
      file.there = true;
      for (const Entry& entry : place.entries) file.content[entry.key] = entry.value.bytes();
    }
    for (const Step& step : value.steps)
      if (const auto* make = std::get_if<Make>(&step))
        if (!make->at.empty() && make->kind->shared == Shared::kPlace) disk_[make->at];
  }

  Observation run() {
    Observation seen;
    for (const auto& [name, file] : disk_) seen.before[name] = look(file);
    for (const Step& step : case_.steps) {
      SeenStep now;
      std::visit([&](const auto& it) { perform(it, now); }, step);
      for (const auto& [name, file] : disk_)
        if (!name.contains('@')) now.disk[name] = look(file);
      seen.steps.push_back(std::move(now));
    }
    return seen;
  }

 private:
  bool chance() { return random_() % 2; }

  static OnDisk look(const File& file) {
    if (!file.there) return {};
    if (file.torn) return {.state = OnDisk::State::kUnreadable};
    return {.state = OnDisk::State::kContent, .content = file.content};
  }

  std::string process_of(const std::string& name, const std::string& in) const {
    if (!in.empty()) return in;
    const auto found = home_.find(name);
    return found == home_.end() ? std::string(kHome) : found->second;
  }

  Handle* find(const std::string& name, const std::string& in) {
    const auto found = handles_.find({process_of(name, in), name});
    return found == handles_.end() ? nullptr : &found->second;
  }

  void bind(const std::string& process, const std::string& name, Handle handle) {
    handles_[{process, name}] = std::move(handle);
    home_[name] = process;
  }

  // --- make, carry, fork, deeds

  void perform(const Make& step, SeenStep& now) {
    if (ended_.contains(step.in)) return now.answers.push_back(Absent{});
    Handle handle{.kind = step.kind};
    if (!step.around.empty()) {
      Handle* inner = find(step.around, step.in);
      if (!inner) return now.answers.push_back(Absent{});
      handle = *inner;
      handle.kind = over(step.kind, inner->kind);
    } else {
      handle.object = object_of(step);
    }
    if (step.kind->caches)
      handle.cache = std::make_shared<std::map<std::string, std::optional<std::string>>>();
    const Object& made = *handle.object;
    if (step.around.empty() && made.memory == nullptr && !made.writable && chance() &&
        (!disk_[made.place].there || disk_[made.place].torn))
      return now.answers.push_back(Refusal{"FileNotFoundError", {}, {}});
    now.answers.push_back(Shown{NewHandle{handle.kind->type}});
    bind(step.in, step.as, std::move(handle));
  }

  std::shared_ptr<Object> object_of(const Make& step) {
    auto made = std::make_shared<Object>();
    const Adapter& kind = *step.kind.operator->();
    made->kind = step.kind;
    made->process = step.in;
    made->archive = kind.medium == Medium::kZip;
    made->mode = kind.takes("mode") ? step.mode : kind.writes ? Mode::kAppend : Mode::kRead;
    made->read_only = step.read_only.value_or(kind.takes("mode") && step.mode == Mode::kRead);
    made->writable = kind.writes && !made->read_only && made->mode != Mode::kRead;
    if (!kind.prefix.empty()) made->prefix = kind.prefix + "/";
    made->relative = step.relative;
    made->directory = directory_[step.in];
    made->place = step.at;
    if (step.relative && !made->directory.empty()) made->place += "@" + made->directory;
    // Its caller's open makes the file, or empties it.
    if (kind.given_a_file &&
        (made->mode == Mode::kWrite || (made->mode != Mode::kRead && !disk_[made->place].there)))
      truncate(disk_[made->place]);
    if (kind.shared == Shared::kObject) made->memory = std::make_shared<Map>();
    if (kind.shared == Shared::kProcess) made->memory = dictionary(step.in, kind.dictionary);
    return made;
  }

  std::shared_ptr<Map> dictionary(const std::string& process, const std::string& word) {
    auto& it = dictionaries_[{process, word}];
    if (!it) it = std::make_shared<Map>();
    return it;
  }

  void perform(const Carry& step, SeenStep& now) {
    Handle* from = find(step.from, step.in);
    if (!from || ended_.contains(step.to)) return now.answers.push_back(Absent{});
    Handle arrived = *from;
    const bool holds = from->kind->inner || step.cargo != Cargo::kStore || !from->prefix.empty();
    const bool shares =
        step.carrier == Carrier::kHandedOver || (step.carrier == Carrier::kCopy && holds);
    if (step.cargo == Cargo::kArray || step.cargo == Cargo::kGroup)
      return now.answers.push_back(Refusal{"FileNotFoundError", {}, {}});
    if (!shares) {
      const Object& old = *from->object;
      const bool unpublished = old.opened && (old.fresh || old.begins || !old.written.empty());
      if (old.archive && unpublished && chance())
        return now.answers.push_back(Refusal{"ValueError", {}, {}});
      auto made = std::make_shared<Object>(old);
      made->process = step.to;
      made->opened = made->fresh = made->begins = false;
      made->base.clear();
      made->written.clear();
      if (made->mode == Mode::kWrite || made->mode == Mode::kExclusive) made->mode = Mode::kAppend;
      if (old.kind->shared == Shared::kObject && step.carrier != Carrier::kCopy)
        made->memory = std::make_shared<Map>(*old.memory);
      if (old.kind->shared == Shared::kProcess && old.process != step.to) {
        if (chance()) return now.answers.push_back(Refusal{"RuntimeError", {}, {}});
        made->memory = std::make_shared<Map>(*old.memory);
      }
      arrived.object = std::move(made);
      if (arrived.cache && step.carrier != Carrier::kCopy)
        arrived.cache =
            std::make_shared<std::map<std::string, std::optional<std::string>>>(*arrived.cache);
    }
    now.answers.push_back(Shown{NewHandle{arrived.kind->type}});
    bind(step.to, step.as, std::move(arrived));
  }

  void perform(const Fork& step, SeenStep& now) {
    if (ended_.contains(step.in)) return now.answers.push_back(Absent{});
    std::map<std::shared_ptr<Map>, std::shared_ptr<Map>> memories;
    const auto copy = [&](const std::shared_ptr<Map>& old) {
      auto& it = memories[old];
      if (!it) it = std::make_shared<Map>(*old);
      return it;
    };
    std::map<std::pair<std::string, std::string>, std::shared_ptr<Map>> copied;
    for (const auto& [key, memory] : dictionaries_)
      if (key.first == step.in) copied[{step.process, key.second}] = copy(memory);
    dictionaries_.merge(copied);
    std::map<std::shared_ptr<Object>, std::shared_ptr<Object>> objects;
    std::map<decltype(Handle::cache), decltype(Handle::cache)> caches;
    std::vector<std::pair<std::string, Handle>> inherited;
    for (const auto& [key, handle] : handles_) {
      if (key.first != step.in) continue;
      Handle clone = handle;
      auto& object = objects[handle.object];
      if (!object) {
        object = std::make_shared<Object>(*handle.object);
        object->process = step.process;
        if (object->memory) object->memory = copy(object->memory);
      }
      clone.object = object;
      if (handle.cache) {
        auto& cache = caches[handle.cache];
        if (!cache) cache = std::make_shared<std::remove_cvref_t<decltype(*cache)>>(*handle.cache);
        clone.cache = cache;
      }
      inherited.emplace_back(key.second, std::move(clone));
    }
    for (auto& [name, handle] : inherited) handles_[{step.process, name}] = std::move(handle);
    directory_[step.process] = directory_[step.in];
    now.answers.push_back(Shown{None{}});
  }

  void perform(const Deed& step, SeenStep& now) {
    now.answers.push_back(Shown{None{}});
    switch (step.what) {
      case What::kChangeDirectory:
        directory_[step.in] = step.in + std::to_string(++changes_);
        return;
      case What::kDrop:
        if (find(step.handle, step.in)) drop({process_of(step.handle, step.in), step.handle});
        return;
      case What::kDeleteFile:
        disk_[step.at] = {};
        return;
      default:
        ended_.insert(step.in);
        std::vector<std::pair<std::string, std::string>> gone;
        for (const auto& [key, handle] : handles_)
          if (key.first == step.in) gone.push_back(key);
        for (const auto& key : gone) drop(key);
    }
  }

  // Who forgets an archive closes it, or does not, or in the middle: some keys are there.
  void drop(const std::pair<std::string, std::string>& key) {
    const std::shared_ptr<Object> object = handles_[key].object;
    handles_.erase(key);
    if (object.use_count() != 1 || !object->archive || !object->opened) return;
    if (chance()) return;
    if (chance()) std::erase_if(object->written, [&](const auto&) { return chance(); });
    publish(*object);
  }

  // --- archives

  void refuse_elsewhere(Object& object) {
    if (!object.relative || directory_[object.process] == object.directory) return;
    // Asked again, a store answers as before.
    if (!object.refuses) object.refuses = chance();
    if (*object.refuses) throw Refused{"FileNotFoundError"};
  }

  void open(Object& object) {
    if (!object.archive || object.opened) return;
    File& file = disk_[object.place];
    const bool truncates =
        object.writable && (object.mode == Mode::kWrite || object.mode == Mode::kExclusive);
    if (object.writable && object.mode == Mode::kExclusive && file.there)
      throw Refused{"FileExistsError"};
    if (!truncates && !file.there && !object.writable) throw Refused{"FileNotFoundError"};
    if (!truncates && file.torn) throw Refused{"BadZipFile"};
    object.seen = file.content;
    object.base = truncates ? Map{} : file.content;
    object.fresh = truncates;
    object.begins = !truncates && !file.there;
    object.opened = true;
    object.written.clear();
    if (truncates) truncate(file);
  }

  void truncate(File& file) {
    if (!truncates_at_once_) return;
    file.there = file.torn = true;
  }

  static bool unpublished(const Object& object) {
    return object.fresh || object.begins || !object.written.empty();
  }

  // Others published since it was opened, or hold what they will publish.
  bool stale(const Object& object) {
    if (disk_[object.place].content != object.seen) return true;
    return std::ranges::any_of(handles_, [&](const auto& it) {
      const Object& other = *it.second.object;
      return &other != &object && other.place == object.place && other.opened && unpublished(other);
    });
  }

  void publish(Object& object) {
    if (!object.archive || !object.opened || !unpublished(object)) return;
    File& file = disk_[object.place];
    Map whole = object.fresh ? Map{} : file.content;
    for (const auto& [key, value] : file.content)
      if (!object.seen.contains(key) || object.seen[key] != value) whole[key] = value;
    for (const auto& [key, value] : object.written) whole[key] = value;
    file = {.there = true, .content = std::move(whole)};
  }

  void close(Object& object) {
    if (!object.archive || !object.opened) return;
    const bool refuses =
        unpublished(object) && object.seen != disk_[object.place].content && random_() % 4 == 0;
    if (!refuses || chance()) publish(object);
    object.opened = object.fresh = object.begins = false;
    object.written.clear();
    if (object.mode == Mode::kWrite || object.mode == Mode::kExclusive) object.mode = Mode::kAppend;
    if (refuses) throw Refused{"RuntimeError"};
  }

  // --- contents

  Map content(const Object& object) {
    Map whole = object.memory    ? *object.memory
                : object.archive ? object.base
                                 : disk_[object.place].content;
    for (const auto& [key, value] : object.written) whole[key] = value;
    return whole;
  }

  void change(Object& object, const std::string& key, std::optional<std::string> value) {
    if (object.archive) {
      object.written[key] = *value;
      return;
    }
    Map& into = object.memory ? *object.memory : disk_[object.place].content;
    if (!object.memory) disk_[object.place].there = true;
    if (value)
      into[key] = *value;
    else
      into.erase(key);
  }

  // --- calls

  void perform(const Call& step, SeenStep& now) {
    for (const std::string& name : step.on) {
      Handle* handle = find(name, step.in);
      if (!handle) {
        now.answers.push_back(Absent{});
        continue;
      }
      const std::string place = handle->object->place;
      const bool on_disk = handle->object->memory == nullptr;
      const File before = on_disk ? disk_[place] : File{};
      try {
        now.answers.push_back(answer(step, *handle));
      } catch (const Refused& it) {
        now.answers.push_back(Refusal{it.type, "refused", "zarr/storage/_sound.py:call"});
      }
      if (step.watched && on_disk && step.on.size() == 1 && !place.contains('@'))
        for (const File& file : {before, disk_[place]}) now.crash_states.push_back(crash(file));
    }
  }

  static CrashState crash(const File& file) {
    CrashState state{.disk = look(file)};
    if (state.disk.state != OnDisk::State::kContent) {
      state.made = Refusal{"FileNotFoundError", {}, {}};
      return state;
    }
    state.made = Shown{NewHandle{"Store"}};
    Names names;
    for (const auto& [key, value] : file.content) {
      names.names.push_back(key);
      state.read.emplace_back(key, Shown{BytesValue{value}});
    }
    state.listed = Shown{names};
    return state;
  }

  Answer answer(const Call& step, Handle& handle) {
    Object& object = *handle.object;
    const Operation& row = operation(step.op);
    if (row.misuse) throw Refused{"TypeError"};
    if (row.on_handle == OnHandle::kEnds) {
      close(object);
      return Shown{None{}};
    }
    if (row.op == Op::kGetAttributes)
      return Shown{Attributes{{handle.attributes.begin(), handle.attributes.end()}}};
    if (row.gives == Gives::kState) return Shown{Attributes{{{"kind", object.kind->kind}}}};
    if (row.op == Op::kReadOnly) return Shown{object.read_only};
    if (row.op == Op::kEnter) return Shown{true};
    if (row.op == Op::kEqualOpposite) return Shown{false};
    if (row.op == Op::kMoveReadOnly) {
      if (object.read_only) throw Refused{"ValueError"};
      return Shown{None{}};
    }
    if (row.takes.other) {
      const Handle* other = find(step.other, object.process);
      return Shown{other && other->object->place == object.place && other->kind == handle.kind};
    }
    if (row.gives == Gives::kHandle && row.on_handle == OnHandle::kNone)
      return bound(step, handle, row, {});
    if (row.on_handle != OnHandle::kNone) refuse_elsewhere(object);
    if (row.writes() && !object.writable) throw Refused{"ValueError"};
    open(object);
    if (row.is_about_a_node()) return of_a_node(step, handle, row);
    if (row.writes() && object.archive && random_() % 4 == 0 && stale(object))
      throw Refused{"RuntimeError"};
    if (row.writes()) return write(step, handle, row);
    if (row.op == Op::kOpen || row.op == Op::kMoveReadOnly) return Shown{None{}};
    return read(step, handle);
  }

  Answer bound(const Call& step, const Handle& handle, const Operation& row, Map attributes) {
    Handle made = handle;
    made.attributes = std::move(attributes);
    if (row.takes.flag) {
      if (handle.kind->views != Can::kYes) throw Refused{"NotImplementedError"};
      made.object = std::make_shared<Object>(*handle.object);
      made.object->read_only = step.flag;
      made.object->writable = handle.kind->writes && !step.flag;
    } else {
      if (!made.prefix.empty() && !step.key.empty()) made.prefix += "/";
      made.prefix += step.key;
    }
    if (!step.as.empty()) bind(handle.object->process, step.as, made);
    return Shown{NewHandle{handle.kind->type}};
  }

  static std::string full(const Handle& handle, const std::string& key) {
    return joined(handle.object->prefix + handle.prefix, key);
  }

  void put(Handle& handle, const std::string& name, const std::optional<std::string>& value) {
    change(*handle.object, name, value);
    if (handle.cache) (*handle.cache)[name] = value;
  }

  // A node is a document, and a key for each element and attribute that was written. Members and
  // consolidated metadata are not kept: who asks for them is refused.
  Answer of_a_node(const Call& step, Handle& handle, const Operation& row) {
    const std::string path = full(handle, step.key), document = joined(path, "zarr.json");
    const std::string sort = row.binds == Subject::kArray ? "array" : "group";
    const Map whole = content(*handle.object);
    const auto found = whole.find(document);
    switch (row.op) {
      case Op::kCreateArray:
      case Op::kCreateGroup:
        if (found != whole.end()) throw Refused{"ContainsArrayError"};
        put(handle, document, sort);
        return bound(step, handle, row, {});
      case Op::kOpenArray:
      case Op::kOpenGroup:
        if (found == whole.end() || found->second != sort) throw Refused{"FileNotFoundError"};
        return bound(step, handle, row, attributes(whole, joined(path, kAttributes)));
      case Op::kReadBlock:
      case Op::kWriteBlock:
        return block(step, handle, row, whole);
      case Op::kSetAttributes:
        handle.attributes[step.key] = step.value.bytes();
        for (const auto& [name, text] : handle.attributes)
          put(handle, joined(full(handle, ""), kAttributes + name), text);
        return Shown{None{}};
      default:
        throw Refused{"FileNotFoundError"};
    }
  }

  static Map attributes(const Map& whole, const std::string& before) {
    Map all;
    for (const auto& [key, value] : whole)
      if (key.starts_with(before)) all[key.substr(before.size())] = value;
    return all;
  }

  Answer block(const Call& step, Handle& handle, const Operation& row, const Map& whole) {
    const auto [from, to] = clamped(step.start, step.end, 8);
    std::int64_t number = 0;  // as reference/operations.json says it: int.from_bytes(value[:7])
    for (const char byte : step.value.bytes().substr(0, 7))
      number = number * 256 + static_cast<unsigned char>(byte);
    Numbers numbers;
    for (std::size_t at = from; at < to; ++at) {
      const std::string key = joined(full(handle, ""), "c/" + std::to_string(at));
      if (row.writes()) put(handle, key, std::to_string(number));
      const auto found = whole.find(key);
      numbers.numbers.push_back(
          found == whole.end() ? 0 : std::strtoll(found->second.c_str(), nullptr, 10));
    }
    if (row.writes()) return Shown{None{}};
    return Shown{std::move(numbers)};
  }

  Answer write(const Call& step, Handle& handle, const Operation& row) {
    Object& object = *handle.object;
    const std::string key = full(handle, step.key);
    const Map old = content(object);
    switch (row.on_content) {
      case OnContent::kSetIfAbsent:
        if (!old.contains(key)) put(handle, key, step.value.bytes());
        break;
      case OnContent::kSet:
        put(handle, key, step.value.bytes());
        break;
      case OnContent::kDelete:
        if (!handle.kind->deletes && old.contains(key)) throw Refused{"NotImplementedError"};
        if (old.contains(key)) change(object, key, std::nullopt);
        if (handle.cache) handle.cache->erase(key);
        break;
      default: {
        const bool all = row.on_content == OnContent::kClear;
        if (all && object.archive) {
          object.base.clear();
          object.written.clear();
          object.fresh = true;
          if (handle.cache) handle.cache->clear();
          truncate(disk_[object.place]);
          break;
        }
        const std::string folder =
            all || step.key.empty() ? full(handle, "") : full(handle, step.key);
        if (handle.cache)
          std::erase_if(*handle.cache,
                        [&](const auto& it) { return lies_below(it.first, folder); });
        for (const auto& [name, value] : old) {
          if (!lies_below(name, folder)) continue;
          if (!handle.kind->deletes) throw Refused{"NotImplementedError"};
          put(handle, name, std::nullopt);
        }
      }
    }
    return Shown{None{}};
  }

  std::optional<std::string> value_of(const Map& whole, Handle& handle, const std::string& key) {
    const auto found = whole.find(key);
    const auto now = found == whole.end() ? std::nullopt : std::optional(found->second);
    if (!handle.cache) return now;
    const auto kept = handle.cache->find(key);
    if (kept != handle.cache->end() && kept->second) return kept->second;
    if (now) (*handle.cache)[key] = now;
    return now;
  }

  static Answer bytes(std::optional<std::string> value) {
    if (!value) return Shown{None{}};
    return Shown{BytesValue{*value}};
  }

  // As Python slices: the first, and the one behind the last.
  static std::pair<std::size_t, std::size_t> clamped(std::int64_t start, std::int64_t end,
                                                     std::int64_t size) {
    const auto clamp = [&](std::int64_t it) {
      return static_cast<std::size_t>(std::clamp<std::int64_t>(it < 0 ? it + size : it, 0, size));
    };
    return {clamp(start), std::max(clamp(start), clamp(end))};
  }

  static std::string slice(const std::string& value, std::int64_t start, std::int64_t end) {
    const auto [from, to] = clamped(start, end, static_cast<std::int64_t>(value.size()));
    return value.substr(from, to - from);
  }

  Answer read(const Call& step, Handle& handle) {
    const Map whole = content(*handle.object);
    const std::string key = full(handle, step.key);
    const auto one = [&] { return value_of(whole, handle, key); };
    const auto cut = [&](std::int64_t start, std::int64_t end) {
      const auto value = one();
      return bytes(value ? std::optional(slice(*value, start, end)) : std::nullopt);
    };
    switch (answers_like(step.op)) {
      case Op::kGet:
        return bytes(one());
      case Op::kGetRange:
        return cut(step.start, step.end);
      case Op::kGetOffset:
        return cut(step.start, INT64_MAX);
      case Op::kGetSuffix: {
        const auto value = one();
        const auto size = value ? static_cast<std::int64_t>(value->size()) : 0;
        return cut(std::max<std::int64_t>(0, size - step.start), INT64_MAX);
      }
      case Op::kGetPartialValues:
        return Shown{BytesList{{one()}}};
      case Op::kExists:
        return Shown{whole.contains(key)};
      case Op::kGetSize:
        if (!whole.contains(key)) throw Refused{"FileNotFoundError"};
        return Shown{static_cast<std::int64_t>(whole.at(key).size())};
      default:
        return listing(step, handle, whole);
    }
  }

  Answer listing(const Call& step, const Handle& handle, const Map& whole) {
    std::string root = full(handle, "");
    if (!root.empty() && !root.ends_with('/')) root += '/';
    std::string folder = step.key;
    if (folder.ends_with('/')) folder.pop_back();
    std::vector<std::string> all, under, inside;
    std::set<std::string> first;
    std::int64_t size = 0;
    for (const auto& [key, value] : whole) {
      if (!key.starts_with(root)) continue;
      const std::string name = key.substr(root.size());
      all.push_back(name);
      if (name.starts_with(step.key)) under.push_back(name);
      if (!lies_below(name, folder)) continue;
      inside.push_back(name);
      size += static_cast<std::int64_t>(value.size());
      const std::string rest = name.substr(folder.empty() ? 0 : folder.size() + 1);
      if (!rest.substr(0, rest.find('/')).empty()) first.insert(rest.substr(0, rest.find('/')));
    }
    std::ranges::shuffle(all, random_);
    switch (step.op) {
      case Op::kListHalf:
        all.resize(std::min<std::size_t>(all.size(), 1));
        [[fallthrough]];
      case Op::kList:
        return Shown{Names{all}};
      case Op::kListPrefix:
        return Shown{Names{under}};
      case Op::kListDir:
        return Shown{Names{{first.begin(), first.end()}}};
      case Op::kIsEmpty:
        return Shown{inside.empty()};
      default:
        return Shown{size};
    }
  }

  inline static const std::string kAttributes = "attributes/";  // and the name: a key

  const Case& case_;
  std::mt19937 random_;
  bool truncates_at_once_ = false;
  std::map<std::string, File> disk_;
  std::map<std::pair<std::string, std::string>, Handle> handles_;  // (process, name)
  std::map<std::string, std::string> home_;                        // name → process
  std::map<std::pair<std::string, std::string>, std::shared_ptr<Map>> dictionaries_;
  std::map<std::string, std::string> directory_;
  std::set<std::string> ended_;
  int changes_ = 0;
};

// Draws steps without looking at what they lead to; `fit` drops what cannot be.
class Drawer {
 public:
  Drawer(unsigned seed, const std::vector<std::string>& stores) : random_(seed), stores_(stores) {}

  Case draw() {
    Case value;
    value.processes = {{"p1", Began::kSpawn}, {"p2", Began::kFork}};
    for (const char* name : {"z", "y"}) {
      Place place{.name = name};
      for (unsigned i = 0; i < pick(4); ++i)
        place.entries.push_back({key(), {std::string(name) + "@" + std::to_string(i), pick(20)}});
      value.before.push_back(std::move(place));
    }
    value.steps.push_back(make());
    const unsigned steps = 4 + pick(14);
    while (value.steps.size() < steps) value.steps.push_back(step(value.steps.size()));
    fit(value);
    return value;
  }

 private:
  unsigned pick(unsigned count) { return count ? static_cast<unsigned>(random_() % count) : 0; }
  template <class T>
  const T& among(const std::vector<T>& list) {
    return list[pick(static_cast<unsigned>(list.size()))];
  }

  std::string key() {
    static const std::vector<std::string> keys{"a", "aa", "a/b", "a-b", "b", "c/c/0", "zarr.json"};
    static const std::vector<std::string> odd{"", ".", "..", "/a", "a/", "a//b"};
    return pick(30) ? among(keys) : among(odd);
  }
  std::string process() { return among<std::string>({"p0", "p0", "p0", "p1", "p2"}); }
  std::string handle() { return made_.empty() ? "s" : among(made_); }
  std::string new_handle() {
    made_.push_back("s" + std::to_string(made_.size()));
    return made_.back();
  }

  Make make() {
    Make it{.kind = find_store(among(stores_)).value()};
    it.at = pick(4) ? "z" : "y";
    it.mode = all_of<Mode>()[pick(4)];
    it.relative = !pick(6);
    if (!pick(8)) it.read_only = pick(2) == 0;
    it.deflated = !pick(6);
    it.in = process();
    if (!made_.empty() && !pick(8)) {
      it.kind = find_store(among<std::string>({"logging", "cache", "wrapper"})).value();
      it.around = handle();
    }
    it.as = new_handle();
    return it;
  }

  Call call(std::size_t number) {
    const Operation& row = operations()[pick(static_cast<unsigned>(operations().size()))];
    Call it{.op = row.op, .on = {handle()}};
    if (!pick(4)) it.on.push_back(handle());
    if (!pick(6)) it.in = process();
    if (pick(3)) it.op = among<Op>({Op::kGet, Op::kSet, Op::kClose, Op::kList, Op::kExists});
    it.key = row.takes.prefix && !pick(2) ? among<std::string>({"", "a", "c", "a/"}) : key();
    it.value = {"v@" + std::to_string(number), pick(3) ? 0 : pick(40)};
    it.start = static_cast<std::int64_t>(pick(5));
    it.end = it.start + pick(6);
    it.other = handle();
    it.flag = pick(2) == 0;
    it.watched = !pick(4);
    if (operation(it.op).gives == Gives::kHandle) {
      it.on.resize(1);
      it.as = new_handle();
    }
    return it;
  }

  Step step(std::size_t number) {
    const unsigned what = pick(40);
    if (what < 4) return make();
    if (what < 8) {
      const auto& carriers = all_of<Carrier>();
      const Carrier carrier = carriers[pick(static_cast<unsigned>(carriers.size()) - 2)];
      const Cargo cargo = pick(4) ? Cargo::kStore : all_of<Cargo>()[pick(7)];
      const std::string from = handle();
      return Carry{
          .carrier = carrier, .cargo = cargo, .from = from, .to = process(), .as = new_handle()};
    }
    if (what == 8) return Fork{.process = "p2"};
    if (what < 11) {
      Deed it{.what = all_of<What>()[pick(6)], .in = process()};
      if (it.what == What::kDrop) it.handle = handle();
      if (it.what == What::kDeleteFile) it.at = "z";
      return it;
    }
    return call(number);
  }

  std::mt19937 random_;
  const std::vector<std::string>& stores_;
  std::vector<std::string> made_;
};

}  // namespace

Observation sound_observation(const Case& value, unsigned seed) {
  return SoundWorld(value, seed).run();
}

Case random_program(unsigned seed, const std::vector<std::string>& stores) {
  return Drawer(seed, stores).draw();
}

}  // namespace storefuzz::program::test
