// The rules of what can be, each with its reason. Steps are looked at in order, once.
#include "harness/case/fit.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <utility>

#include "harness/base/text.h"
#include "harness/case/keys.h"

namespace storefuzz::program {
namespace {

// Names become parts of file names and of Python names in scripts.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  });
}

// A release is named in commands and looked up among folders.
bool is_release(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRelease && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.';
  });
}

// A fork is a copy of its parent, and has its zarr.
void mend_process(Process& process) {
  if (process.began == Began::kFork || !is_release(process.subject)) process.subject.clear();
}

// JSON is UTF-8: a key that is none would come back as another key.
void mend_text(std::string& text) {
  std::string mended;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t size = utf8_character(rest);
    mended += size ? rest.substr(0, size) : "\uFFFD";
    rest.remove_prefix(size ? size : 1);
  }
  text = shorten(mended, kMaxKey);
}

// The word once has one way of saying it.
void mend_value(Value& value) {
  mend_text(value.word);
  value.size = std::min(value.size, kMaxSize);
  if (value.size == value.word.size()) value.size = 0;
}

void mend_number(std::int64_t& number) { number = std::clamp(number, -kMaxNumber, kMaxNumber); }

// What an operation does not take has no meaning: equal cases are equal values.
void clear_unused(Call& call) {
  const Arguments& takes = operation(call.op).takes;
  if (!takes.text()) call.key.clear();
  if (!takes.value) call.value = {};
  if (!takes.start) call.start = 0;
  if (!takes.end) call.end = 0;
  if (!takes.other) call.other.clear();
  if (!takes.flag) call.flag = false;
}

// Only a store can be put into a path, an array or a group.
bool holds_anything(Cargo cargo) {
  return cargo == Cargo::kStore || cargo == Cargo::kList || cargo == Cargo::kDict ||
         cargo == Cargo::kTwoReferences;
}

bool ends_home(const Step& step) {
  const auto* deed = std::get_if<Deed>(&step);
  return deed && deed->in == kHome && ends_its_process(deed->what);
}

// Names of one kind are in order, each once: their order says nothing. Bounds are kept by leaving
// out the last.
template <class Named>
void order(std::vector<Named>& list, std::size_t most) {
  std::set<std::string> names;
  std::erase_if(
      list, [&](const Named& it) { return !is_name(it.name) || !names.insert(it.name).second; });
  std::ranges::sort(list, {}, &Named::name);
  if (list.size() > most) list.resize(most);
}

// A folder or an archive holds a key once: the first entry stays.
void mend_entries(Place& place, Medium medium) {
  std::set<std::string> keys;
  for (Entry& entry : place.entries) {
    mend_text(entry.key);
    mend_value(entry.value);
  }
  std::erase_if(place.entries, [&](const Entry& entry) {
    return !can_lie_with(keys, entry.key, medium == Medium::kFolder) ||
           !keys.insert(entry.key).second;
  });
  if (place.entries.size() > kMaxEntries) place.entries.resize(kMaxEntries);
}

// Only an archive can be wrong in the ways of archives.
void mend_twists(Place& place, Medium medium) {
  if (medium != Medium::kZip) place.twists.clear();
  std::erase_if(place.twists, [](const Twist& it) { return !find_twist(it.name); });
  if (place.twists.size() > kMaxTwists) place.twists.resize(kMaxTwists);
}

// What lies at a place before must be a place of some store, which finds keys there; an empty place
// need not be said.
void mend_before(std::vector<Place>& before, const Fitter& fitter) {
  order(before, before.size());
  std::erase_if(before, [&](Place& place) {
    const auto found = fitter.places().find(place.name);
    if (found == fitter.places().end() || found->second.opaque) return true;
    mend_entries(place, found->second.medium);
    mend_twists(place, found->second.medium);
    return place.entries.empty() && place.twists.empty();
  });
}

// Bytes of JSON that a text needs at most: a control character becomes six.
std::size_t most_json(const std::string& text) { return 6 * text.size(); }

std::size_t most_json(const Case& value) {
  constexpr std::size_t kMostOfStep = 512;  // words and names, without key and value
  std::size_t size = kMostOfStep;
  for (const Place& place : value.before)
    for (const Entry& entry : place.entries)
      size += 64 + most_json(entry.key) + most_json(entry.value.word);
  for (const Place& place : value.before) size += 128 * place.twists.size();
  for (const Step& step : value.steps) {
    size += kMostOfStep;
    if (const auto* call = std::get_if<Call>(&step))
      size += most_json(call->key) + most_json(call->value.word);
  }
  return size;
}

// What could be written must be read again: its last step, or what lies there before, is too much.
// The size is asked only where it may matter.
bool is_too_large(const Case& value) {
  return most_json(value) > kMaxCaseText && to_text(value).size() > kMaxCaseText;
}

}  // namespace

Fitter::Fitter(const std::vector<Process>& processes) {
  processes_[std::string(kHome)] = {.begun = true, .named = true};
  for (const Process& process : processes)
    processes_[process.name] = {.began = process.began, .begun = process.began == Began::kSpawn};
}

bool Fitter::runs(std::string_view process) const {
  const auto found = processes_.find(process);
  return found != processes_.end() && found->second.begun && !found->second.ended;
}

bool Fitter::named(std::string_view process) const {
  const auto found = processes_.find(process);
  return found != processes_.end() && found->second.named;
}

bool Fitter::on_disk(std::string_view handle) const {
  const auto found = on_disk_.find(handle);
  return found != on_disk_.end() && found->second;
}

// A name is bound once: who reads "s1" need not ask which.
bool Fitter::can_bind(std::string_view handle) const {
  return is_name(handle) && !handles_.subject_of(handle) && has_room(1);
}

bool Fitter::has_room(std::size_t more) const {
  return handles_.living().size() + more <= kMaxHandles;
}

// Where a handle lives: `in`, which is named only for a handle that a fork inherited there.
bool Fitter::find(std::string_view handle, std::string& in) const {
  const std::string* made = handles_.process_of(handle);
  if (made && *made == in) in.clear();
  return handles_.process_of(handle, in) != nullptr;
}

bool Fitter::take(Step& step) {
  if (!std::visit([&](auto& it) { return mend(it); }, step)) return false;
  note(step);
  handles_.take(step);
  return true;
}

// A store is made where a process runs. A wrapper needs something to wrap, and only a store can be
// wrapped: one of the same process, since an object does not reach further.
bool Fitter::mend(Make& make) {
  if (!runs(make.in) || !can_bind(make.as)) return false;
  if (make.kind->wraps == make.around.empty()) return false;
  if (!make.around.empty()) {
    if (make.kind->keeps) return false;  // nobody says beside which place
    if (!handles_.process_of(make.around, make.in)) return false;
    if (handles_.subject_of(make.around) != Subject::kStore) return false;
    make = {.kind = make.kind, .around = make.around, .in = make.in, .as = make.as};
    return true;
  }
  // A cache of files is for a store of files: another one takes keys that run through each other.
  if (make.kind->keeps && !make.kind->files) return false;
  // Constructors differ in their arguments. What lies in memory has no path, what a server gives
  // has one address, and a cache that is kept is one place's.
  if (!make.kind->takes("mode")) make.mode = Mode::kAppend;
  if (!make.kind->takes("read_only")) make.read_only.reset();
  if (!make.kind->takes("compression")) make.deflated = false;
  if (make.kind->served || make.kind->keeps) make.relative = false;
  if (make.kind->medium == Medium::kMemory) {
    make.at.clear();
    make.relative = false;
    return true;
  }
  const auto place = places_.find(make.at);
  if (place == places_.end()) return is_name(make.at) && places_.size() < kMaxPlaces;
  return place->second == Layout{make.kind->medium, make.kind->opaque};
}

bool Fitter::mend(Call& call) {
  const Operation& row = operation(call.op);
  clear_unused(call);
  mend_text(call.key);
  mend_value(call.value);
  mend_number(call.start);
  mend_number(call.end);
  // The result of several calls would be several handles.
  if (row.gives != Gives::kHandle) call.as.clear();
  if (!call.as.empty() && !can_bind(call.as)) return false;
  // A handle is asked where it lives, once, and what its kind has; another one, that it is compared
  // with, lives in the same process.
  std::vector<std::string> kept;
  for (const std::string& handle : call.on) {
    const std::string* process = handles_.process_of(handle, call.in);
    if (!process || !row.on(*handles_.subject_of(handle))) continue;
    if (row.takes.other && !handles_.process_of(call.other, *process)) continue;
    if (std::ranges::find(kept, handle) == kept.end()) kept.push_back(handle);
  }
  call.on = std::move(kept);
  if (call.on.size() > kMaxMirrored) call.on.resize(kMaxMirrored);
  if (!call.as.empty() && call.on.size() > 1) call.on.resize(1);
  if (call.on.empty()) return false;
  // All were made there: the process need not be said.
  if (std::ranges::all_of(call.on, [&](const std::string& handle) {
        const std::string* made = handles_.process_of(handle);
        return made && *made == call.in;
      }))
    call.in.clear();
  // Only a coroutine is run by somebody. Crash states are states of a disk, of a call on one handle
  // that may write there: opening an archive does.
  if (row.said == Said::kPlain) call.by = By::kHand;
  if (row.on_handle == OnHandle::kNone || call.on.size() > 1 ||
      std::ranges::none_of(call.on, [&](const std::string& it) { return on_disk(it); }))
    call.watched = false;
  return true;
}

bool Fitter::mend(Carry& carry) {
  if (carry.carrier == Carrier::kMadeAnew || carry.carrier == Carrier::kInherited) return false;
  if (!can_bind(carry.as) || !find(carry.from, carry.in)) return false;
  if (stays_in_process(carry.carrier)) {
    carry.to = *handles_.process_of(carry.from, carry.in);
    carry.cargo = Cargo::kStore;
  }
  if (handles_.subject_of(carry.from) != Subject::kStore && !holds_anything(carry.cargo))
    carry.cargo = Cargo::kStore;
  return runs(carry.to);
}

// A process begins once, by its fork, as a copy of one that runs.
bool Fitter::mend(Fork& fork) {
  const auto found = processes_.find(fork.process);
  if (found == processes_.end() || found->second.began != Began::kFork || found->second.begun)
    return false;
  const auto inherited =
      std::ranges::count(handles_.living(), fork.in, &std::pair<std::string, std::string>::first);
  return runs(fork.in) && has_room(static_cast<std::size_t>(inherited));
}

bool Fitter::mend(Deed& deed) {
  switch (deed.what) {
    case What::kDrop: {
      deed.at.clear();
      if (const std::string* made = handles_.process_of(deed.handle);
          made && !handles_.process_of(deed.handle, deed.in))
        deed.in = *made;
      return handles_.process_of(deed.handle, deed.in) != nullptr;
    }
    case What::kDeleteFile:  // an outsider's deed, who is no process of ours
      // He can only delete what he can tell: a store that others cannot read may have files beside
      // its path, and is broken when some of them go.
      deed = {.what = deed.what, .at = deed.at};
      if (const auto place = places_.find(deed.at); place != places_.end())
        return !place->second.opaque;
      return false;
    default:
      deed = {.what = deed.what, .in = deed.in};
      return runs(deed.in);
  }
}

// What a step that is taken means for processes and places.
void Fitter::note(const Step& step) {
  const auto name = [&](const std::string& process) {
    if (const auto found = processes_.find(process); found != processes_.end())
      found->second.named = true;
  };
  std::visit(Each{[&](const Make& make) {
                    name(make.in);
                    const bool readable =
                        make.kind->medium != Medium::kMemory && !make.kind->opaque;
                    const bool disk = make.around.empty() ? readable : on_disk(make.around);
                    on_disk_[make.as] = disk;
                    if (!make.at.empty()) places_[make.at] = {make.kind->medium, make.kind->opaque};
                  },
                  [&](const Call& call) {
                    if (!call.as.empty()) on_disk_[call.as] = on_disk(call.on.front());
                  },
                  [&](const Carry& carry) {
                    name(carry.to);
                    on_disk_[carry.as] = on_disk(carry.from);
                  },
                  [&](const Fork& fork) {
                    name(fork.process);
                    name(fork.in);
                    processes_[fork.process].begun = true;
                  },
                  [&](const Deed& deed) {
                    name(deed.in);
                    if (ends_its_process(deed.what)) processes_[deed.in].ended = true;
                  }},
             step);
}

void fit(Case& value) {
  std::erase_if(value.processes, [](const Process& it) { return it.name == kHome; });
  order(value.processes, kMaxProcesses);
  std::ranges::for_each(value.processes, mend_process);
  Fitter fitter(value.processes);
  std::vector<Step> steps;
  // The process in which the program began ends with it: an end before its last step is none.
  std::optional<Step> end;
  for (Step& step : value.steps) {
    if (steps.size() == kMaxSteps) break;
    if (ends_home(step)) {
      end = step;
    } else if (fitter.take(step)) {
      steps.push_back(std::move(step));
      end.reset();
    }
  }
  if (end && steps.size() < kMaxSteps && fitter.take(*end)) steps.push_back(std::move(*end));
  value.steps = std::move(steps);
  mend_before(value.before, fitter);
  // A worker for which there is nothing to do costs as much as another one.
  std::erase_if(value.processes, [&](const Process& it) { return !fitter.named(it.name); });
  if (!is_too_large(value)) return;
  if (value.before.empty())
    value.steps.pop_back();
  else
    value.before.pop_back();
  fit(value);
}

}  // namespace storefuzz::program
