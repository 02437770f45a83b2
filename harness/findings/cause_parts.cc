// See cause_parts.h.
#include "harness/findings/cause_parts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <utility>

#include "harness/base/text.h"
#include "harness/case/keys.h"
#include "harness/findings/cause.h"
#include "harness/model/world.h"

namespace storefuzz::program {

const Step* step_of(const Case& value, const Difference& it) {
  return it.where.step < value.steps.size() ? &value.steps[it.where.step] : nullptr;
}

namespace {

template <class Kind>
const Kind* step_as(const Case& value, const Difference& it) {
  const Step* step = step_of(value, it);
  return step ? std::get_if<Kind>(step) : nullptr;
}

}  // namespace

const Call* call_of(const Case& value, const Difference& it) { return step_as<Call>(value, it); }
const Make* make_of(const Case& value, const Difference& it) { return step_as<Make>(value, it); }
const Deed* deed_of(const Case& value, const Difference& it) { return step_as<Deed>(value, it); }

bool is_of_an_end(const Difference& it) {
  return it.oracle == kSurvival && it.wrong == Wrong::kDeath && !it.seen.empty();
}

bool closes(const Deed& deed) { return deed.what == What::kDrop || deed.what == What::kExit; }

std::string step_word(const Case& value, const Difference& it, bool plainest) {
  if (is_of_an_end(it)) return fmt::format("end by {}", it.seen);
  const Step* step = step_of(value, it);
  if (!step) return "the end";
  return std::visit(
      Each{[](const Make&) { return std::string("make"); },
           [&](const Call& call) {
             return std::string(name_of(plainest ? operation(call.op).plainer : call.op));
           },
           [&](const Carry& carry) {
             return plainest ? "carry" : fmt::format("carry by {}", name_of(carry.carrier));
           },
           [](const Fork&) { return std::string("fork"); },
           [&](const Deed& deed) {
             // Who is forgotten closes what it has open.
             const bool closes = plainest && deed.what == What::kDrop;
             return std::string(closes ? name_of(Op::kClose) : name_of(deed.what));
           }},
      *step);
}

std::string refusal_type(const Difference& it) {
  const Refusal* refusal = refused(it.was);
  return refusal ? refusal->type : "";
}

std::string lacking_attribute(const Case& value, const Difference& it) {
  const Refusal* refusal = refused(it.was);
  if (!refusal || refusal->type != "AttributeError") return {};
  for (const Step& step : value.steps) {
    const Make* make = std::get_if<Make>(&step);
    for (const Adapter* kind = make ? make->kind.operator->() : nullptr; kind; kind = kind->inner)
      if (refusal->text.starts_with(fmt::format("'{}' object has no attribute", kind->type)))
        return std::string(shorten(printable(refusal->text), kLongestText));
  }
  return {};
}

bool is_of_an_attribute(const Difference& it) {
  return it.wrong == Wrong::kState && !it.where.key.empty();
}

std::string_view wrong_word(const Difference& it) {
  return name_of(it.wrong == Wrong::kUnfittingType ? Wrong::kRefused : it.wrong);
}

bool has_odd_key(const Case& value) {
  return std::ranges::any_of(value.steps, [](const Step& step) {
    const Call* call = std::get_if<Call>(&step);
    return call && !call->key.empty() && !plain_key(call->key);
  });
}

namespace {

// Of characters of its own a URL is made, and a pattern of glob: RFC 3986 has these to be left as
// they are.
bool needs_quoting(std::string_view key) {
  return !std::ranges::all_of(key, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x80 && (std::isalnum(byte) || std::string_view("-._~/").contains(c));
  });
}

// With what a store writes behind it, no name of Linux may be longer than 255 bytes.
constexpr std::size_t kLongKey = 128;

// A NUL ends a name where C reads it; the empty key is a folder on a disk; other odd keys are no
// paths. "": it is plain.
std::string_view word_of_key(std::string_view key) {
  if (key.empty()) return "an empty key";
  if (key.contains('\0')) return "a key with a NUL";
  if (!plain_key(key)) return "an odd key";
  if (key.size() > kLongKey) return "a long key";
  return needs_quoting(key) ? "a key that needs quoting" : "";
}

// Whether it is a key of a value that is asked for, and not a folder, a node or an attribute.
bool takes_a_key(const Operation& row) {
  return row.takes.key && row.family != Family::kBind && row.family != Family::kArray;
}

}  // namespace

Words words_of_keys(const Case& value) {
  std::set<std::string> words;
  const auto add = [&](std::string_view key) {
    if (const std::string_view word = word_of_key(key); !word.empty()) words.emplace(word);
  };
  for (const Place& place : value.before)
    for (const Entry& entry : place.entries) add(entry.key);
  for (const Step& step : value.steps) {
    const Call* call = std::get_if<Call>(&step);
    if (!call || !operation(call->op).takes.text()) continue;
    // The empty key of a StorePath is its own path.
    const bool empty = whole_key(value, call->on.front(), call->key).empty();
    if (!call->key.empty() || (empty && takes_a_key(operation(call->op)))) add(call->key);
  }
  return {words.begin(), words.end()};
}

bool was_put(const Case& value, const std::function<bool(const std::string&)>& is) {
  return std::ranges::any_of(value.before,
                             [&](const Place& place) {
                               return std::ranges::any_of(place.entries, is, &Entry::key);
                             }) ||
         std::ranges::any_of(value.steps, [&](const Step& step) {
           const Call* call = std::get_if<Call>(&step);
           return call && operation(call->op).sets() &&
                  is(whole_key(value, call->on.front(), call->key));
         });
}

Words journeys_of(const Case& value) {
  Words ways, within;
  const auto add = [](Words& to, std::string way) {
    if (std::ranges::find(to, way) == to.end()) to.push_back(std::move(way));
  };
  Handles handles;
  for (const Step& step : value.steps) {
    if (const Carry* carry = std::get_if<Carry>(&step)) {
      const std::string name(name_of(carry->carrier));
      const std::string* from = handles.process_of(carry->from, carry->in);
      if (carry->to == (from ? *from : kHome))
        add(within, name);
      else
        add(ways, name + std::string(kToAnother));
    }
    if (std::holds_alternative<Fork>(step)) add(ways, "fork");
    handles.take(step);
  }
  return ways.empty() ? within : ways;
}

bool was_forked(const Case& value, const std::string& process) {
  return process.empty() || std::ranges::any_of(value.steps, [&](const Step& step) {
           const Fork* fork = std::get_if<Fork>(&step);
           return fork && fork->process == process;
         });
}

std::string after(const Words& journeys) {
  return fmt::format("after {}", fmt::join(journeys, ", "));
}

bool may_write(const Make& make) { return make.kind->writes && make.mode != Mode::kRead; }

bool is_of_an_archive(const Make& make) {
  return family_of(*make.kind.operator->()) == StoreFamily::kArchive;
}

const Make* made_as(const Case& value, const std::string& handle) {
  for (const Step& step : value.steps)
    if (const Make* make = std::get_if<Make>(&step); make && make->as == handle) return make;
  return nullptr;
}

const Call* made_by(const Case& value, const std::string& handle) {
  for (const Step& step : value.steps)
    if (const Call* call = std::get_if<Call>(&step);
        call && !call->as.empty() && call->as == handle && !call->on.empty())
      return call;
  return nullptr;
}

const Carry* carried_as(const Case& value, const std::string& handle) {
  for (const Step& step : value.steps)
    if (const Carry* carry = std::get_if<Carry>(&step); carry && carry->as == handle) return carry;
  return nullptr;
}

std::string store_of(const Case& value, const std::string& handle) {
  const Carry* carry = carried_as(value, handle);
  if (carry && carry->carrier == Carrier::kHandedOver) return store_of(value, carry->from);
  const Call* call = made_by(value, handle);
  return call && call->op != Op::kWithReadOnly ? store_of(value, call->on.front()) : handle;
}

const Make* origin_of(const Case& value, const std::string& handle) {
  const Carry* carry = carried_as(value, handle);
  if (carry) return origin_of(value, carry->from);
  const Call* call = made_by(value, handle);
  return call ? origin_of(value, call->on.front()) : made_as(value, handle);
}

std::string whole_key(const Case& value, const std::string& handle, const std::string& key) {
  if (const Carry* carry = carried_as(value, handle)) return whole_key(value, carry->from, key);
  const Call* path = made_by(value, handle);
  return path && path->op == Op::kStorePath
             ? whole_key(value, path->on.front(), joined(path->key, key))
             : key;
}

std::string_view read_only_word(bool read_only) {
  return read_only ? kReadOnlyGiven : kWritableGiven;
}

namespace {

// Whether several handles write in one place, or several stores are made to write one archive: to
// open one may write.
bool has_several_writers(const Case& value, const Difference& it) {
  std::map<std::string, std::set<std::string>> writers;  // by place; what lies in memory has none
  std::map<std::string, int> made;                       // by place
  const bool forbidden = it.wrong == Wrong::kDone;
  for (std::size_t i = 0; i < value.steps.size(); ++i) {
    // Who cannot write, or had to be refused, is no writer.
    if (const Make* make = std::get_if<Make>(&value.steps[i]))
      if (may_write(*make) && is_of_an_archive(*make) &&
          !(forbidden && make->as == it.where.handle))
        ++made[make->at];
    if (const Call* call = std::get_if<Call>(&value.steps[i]))
      if (operation(call->op).writes() && !(forbidden && i == it.where.step))
        for (const std::string& handle : call->on) {
          const Make* origin = origin_of(value, handle);
          writers[origin ? origin->at : ""].insert(store_of(value, handle));
        }
  }
  return std::ranges::any_of(writers, [](const auto& it) { return it.second.size() > 1; }) ||
         std::ranges::any_of(made, [](const auto& it) { return it.second > 1; });
}

}  // namespace

namespace {

// How stores meet the writers of an archive: until a writer closes a zip file, it has no directory,
// or none that says what is in it; and who has it open meanwhile goes on by what he read.
struct Meetings {
  bool opened = false;  // a store that appends had it open while another one wrote: both write
  bool asked = false;   // another one writes while it is asked, or did since who is asked opened it
};

Meetings meetings_with_writers(const Case& value, const Difference& it) {
  using Writer = std::pair<std::string, std::string>;  // store, process
  Meetings met;
  // What is wrong with an archive on purpose tells the root.
  if (!std::ranges::all_of(value.before, [](const Place& at) { return at.twists.empty(); }))
    return met;
  const Call* asking = call_of(value, it);
  const Make* asked = asking ? origin_of(value, it.where.handle) : nullptr;
  const std::string asked_store = store_of(value, it.where.handle);
  std::map<std::string, std::set<Writer>> writing, open_to_append;  // by place
  std::set<Writer> since_it_opened;  // who wrote where the asked store has it open
  bool open = false;
  Handles handles;
  const auto writer = [&](const std::string& handle, const std::string& in) {
    const std::string* process = handles.process_of(handle, in);
    return Writer(store_of(value, handle), process ? *process : "");
  };
  for (std::size_t i = 0; i < std::min(it.where.step, value.steps.size()); ++i) {
    const Step& step = value.steps[i];
    const Call* call = std::get_if<Call>(&step);
    const Deed* deed = std::get_if<Deed>(&step);
    for (const std::string& handle : call ? call->on : std::vector<std::string>()) {
      const Make* origin = origin_of(value, handle);
      if (!origin || !is_of_an_archive(*origin)) continue;
      const Writer who = writer(handle, call->in);
      std::set<Writer>& others = writing[origin->at];
      const OnHandle done = operation(call->op).on_handle;
      const bool opens = done == OnHandle::kOpens || done == OnHandle::kWrites;
      const bool anew = origin->mode == Mode::kWrite && made_as(value, who.first);
      const auto another = [&](const Writer& it) { return it.first != who.first; };
      std::set<Writer>& appending = open_to_append[origin->at];
      const bool appends = opens && makes_writable(*origin) && origin->mode == Mode::kAppend;
      met.opened = met.opened || (appends && std::ranges::any_of(others, another)) ||
                   (operation(call->op).writes() && makes_writable(*origin) &&
                    std::ranges::any_of(appending, another));
      if (appends) appending.insert(who);
      if (done == OnHandle::kEnds) appending.erase(who);
      if (who.first == asked_store) open = opens || (open && done != OnHandle::kEnds);
      if (makes_writable(*origin) && (operation(call->op).writes() || (opens && anew)))
        others.insert(who);
      if (done == OnHandle::kEnds) others.erase(who);
    }
    for (auto* all : {&writing, &open_to_append})
      for (auto& [place, writers] : *all)
        std::erase_if(writers, [&](const Writer& who) {
          return deed && ((deed->what == What::kDrop && who == writer(deed->handle, deed->in)) ||
                          (ends_its_process(deed->what) && who.second == deed->in));
        });
    handles.take(step);
    if (!asked) continue;
    // What takes no mode opens the archive when it is made.
    open = open || (!asked->kind->takes("mode") && handles.process_of(asked_store));
    if (!open) since_it_opened.clear();
    since_it_opened.insert(writing[asked->at].begin(), writing[asked->at].end());
  }
  if (!asked || !is_of_an_archive(*asked)) return met;
  std::set<Writer> others = open ? since_it_opened : writing[asked->at];
  others.erase(writer(it.where.handle, asking->in));
  met.asked = !others.empty();
  return met;
}

// Python's zipfile appends: a key of an archive that is written again is a name there twice. A
// twist may name it so as well; and arrays and groups write the documents of zarr again.
bool has_a_name_twice(const Case& value) {
  std::set<std::pair<std::string, std::string>> written;  // place, key
  for (const Place& place : value.before) {
    for (const Entry& entry : place.entries) written.emplace(place.name, entry.key);
    for (const Twist& twist : place.twists)
      if (const TwistKind* kind = find_twist(twist.name); kind && kind->about == "B1") return true;
  }
  for (const Step& step : value.steps) {
    const Call* call = std::get_if<Call>(&step);
    if (!call) continue;
    const OnContent done = operation(call->op).on_content;
    const bool sets = operation(call->op).sets();
    if (!sets && done != OnContent::kUnknown) continue;
    for (const std::string& handle : call->on) {
      const Make* origin = origin_of(value, handle);
      if (!origin || !is_of_an_archive(*origin)) continue;
      const std::string key = sets ? whole_key(value, handle, call->key) : "zarr.json";
      if (!written.emplace(origin->at, key).second && done != OnContent::kSetIfAbsent) return true;
    }
  }
  return false;
}

}  // namespace

bool changes_the_disk(Wrong wrong) {
  return wrong == Wrong::kMade || wrong == Wrong::kLost || wrong == Wrong::kUnreadable;
}

Words words_of_a_forbidden_write(const Case& value, const Call& write) {
  return {kWritable, std::string(name_of(Wrong::kDone)),
          fmt::format("{} on {}", name_of(write.op), kinds_of(value))};
}

const Call* forbidden_write(const Case& value, const Difference& it) {
  if (!changes_the_disk(it.wrong) || std::ranges::any_of(value.steps, [](const Step& step) {
        const Make* make = std::get_if<Make>(&step);
        return make && makes_writable(*make);
      }))
    return nullptr;
  const Call* last = nullptr;
  for (std::size_t i = 0; i < std::min(value.steps.size(), it.where.step + 1); ++i)
    if (const Call* call = std::get_if<Call>(&value.steps[i]); call && operation(call->op).writes())
      last = call;
  return last;
}

namespace {

// Which writes came before a read that shows something else in memory, other than the plainest one:
// on a disk the write itself is told of, but here nothing shows it until something is read.
Words writes_before_a_read(const Case& value, const Difference& it) {
  const Call* call = call_of(value, it);
  constexpr std::array kOfContent{Wrong::kAbsent, Wrong::kOtherValue, Wrong::kGhost, Wrong::kTwice};
  const bool content = std::ranges::find(kOfContent, it.wrong) != kOfContent.end();
  Words words;
  const auto kind = kind_of(value, it.where.handle);
  const bool in_memory = kind && innermost(*kind)->medium == Medium::kMemory;
  if (!call || operation(call->op).writes() || !content || !in_memory) return words;
  for (std::size_t i = 0; i < it.where.step; ++i) {
    const Call* write = std::get_if<Call>(&value.steps[i]);
    if (!write || write->op == Op::kSet || operation(write->op).misuse) continue;
    const OnContent done = operation(write->op).on_content;
    if (done != OnContent::kNone && done != OnContent::kUnknown)
      words.push_back(fmt::format("with {}", name_of(write->op)));
  }
  return words;
}

// Whether a clear left something, and keys in folders are needed for that.
bool leaves_folders(const Case& value, const Difference& it, const Words& writes) {
  const Call* call = call_of(value, it);
  const bool on_disk = call && call->op == Op::kClear && it.wrong == Wrong::kMade;
  return (on_disk || has(writes, fmt::format("with {}", name_of(Op::kClear)))) &&
         was_put(value, [](const std::string& key) { return key.contains('/'); });
}

bool has_copies(const Case& value) {
  return std::ranges::any_of(value.steps, [](const Step& step) {
    const Carry* carry = std::get_if<Carry>(&step);
    return carry && carry->carrier != Carrier::kHandedOver;
  });
}

}  // namespace

Words needed(const Case& value, const Difference& it, const Call* forbidden) {
  Words words;
  const auto add = [&](bool is_there, std::string_view word) {
    if (is_there && !has(words, word)) words.emplace_back(word);
  };
  add(it.within && !forbidden, "if it stops within the call");
  for (const Place& place : value.before)
    for (const Twist& twist : place.twists) add(!forbidden, twist.name);
  for (std::size_t i = 0; i < value.steps.size(); ++i) {
    if (const Make* make = std::get_if<Make>(&value.steps[i])) {
      // Who may not write by his constructor does no other forbidden write than who may not by
      // with_read_only; an archive is told mode and read_only apart.
      add(make->read_only.has_value() && (it.wrong != Wrong::kDone || is_of_an_archive(*make)),
          read_only_word(make->read_only.value_or(false)));
      // A copy of a store that never was told to empty its archive has to leave it as it is.
      add(make->mode == Mode::kWrite && !forbidden && has_copies(value), kModeW);
      add(make->deflated, "compression given");
      add(make->relative, kRelative);
    }
    if (const Deed* deed = std::get_if<Deed>(&value.steps[i]))
      add(i != it.where.step, fmt::format("with {}", name_of(deed->what)));
  }
  const Words writes = writes_before_a_read(value, it);
  for (const std::string& write : writes) add(true, write);
  add(!forbidden && leaves_folders(value, it, writes), "with keys in a folder");
  const bool of_content = !is_of_an_attribute(it);
  const bool shows_more =
      it.wrong == Wrong::kTwice || it.wrong == Wrong::kGhost || it.wrong == Wrong::kOtherValue;
  const Meetings met = of_content && !forbidden ? meetings_with_writers(value, it) : Meetings();
  const bool several = of_content && (has_several_writers(value, it) || met.opened);
  add(several, kSeveralWriters);
  add(!several && met.asked, kBesideAWriter);
  add(shows_more && has_a_name_twice(value), kNameTwice);
  add(std::ranges::any_of(value.processes,
                          [](const Process& process) { return !process.subject.empty(); }),
      kAnotherRelease);
  return words;
}

bool has(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace storefuzz::program
