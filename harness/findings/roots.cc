// See roots.h.
#include "harness/findings/roots.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/text.h"
#include "harness/case/keys.h"
#include "harness/findings/cause.h"
#include "harness/model/world.h"

namespace storefuzz::program {
namespace {

// `words`, and those of `needs` that are of the root, in one order.
Words with_needs(Words words, const Words& needs, std::span<const std::string_view> of_root) {
  for (const std::string_view it : of_root)
    if (has(needs, it)) words.emplace_back(it);
  return words;
}

// What an object does not have, no operation finds, whatever the object is needed for; nor does who
// looks at its state, whichever of two handles is asked first. Of `_lock` and the property `lock`
// only one may be asked.
std::optional<Words> words_of_a_lacking_attribute(const Case& value, const Difference& it,
                                                  const Words& journeys) {
  constexpr std::string_view kNamed = "attribute '";
  std::string text = lacking_attribute(value, it);
  const auto is_lost = [](std::string_view text) {
    return text == "nothing" || text == "AttributeError";
  };
  const bool lost = is_lost(it.seen) || is_lost(it.should_be);
  if (const auto kind = kind_of(value, it.where.handle); is_of_an_attribute(it) && lost && kind) {
    const bool of_inner = it.where.key.contains('.');
    text = fmt::format("'{}' object has no {}{}'", (of_inner ? innermost(*kind) : *kind)->type,
                       kNamed, attribute_of(it.where.key));
  }
  if (text.empty()) return std::nullopt;
  if (const std::size_t name = text.find(kNamed); name != std::string::npos) {
    const std::size_t begin = name + kNamed.size();
    text.erase(begin, std::min(text.find_first_not_of('_', begin), text.size()) - begin);
  }
  Words words{std::move(text)};
  if (!journeys.empty()) words.push_back(after(journeys));
  return words;
}

// A program that needs a relative path is about one that means another place, after a change of the
// directory or at once, whether what lies there, who reads it or who refuses to told so; and
// however the program comes there.
std::optional<Words> words_of_another_place(const Case& value, const Words& needs) {
  if (!has(needs, kRelative)) return std::nullopt;
  std::set<std::string> kinds;  // a wrapper does not know where its store lies
  for (const Step& step : value.steps)
    if (const Make* make = std::get_if<Make>(&step); make && make->relative)
      kinds.insert(innermost(make->kind)->kind);
  constexpr auto kNeeds = std::to_array<std::string_view>({kRelative, kElsewhere});
  return with_needs({fmt::format("{}", fmt::join(kinds, ", "))}, needs, kNeeds);
}

// The classes of the stores that may write, whatever is around them; nullopt where one of them is
// of no archive, or none is.
std::optional<Words> classes_of_writing_archives(const Case& value) {
  std::set<std::string> types;
  for (const Step& step : value.steps) {
    const Make* make = std::get_if<Make>(&step);
    if (!make || !may_write(*make)) continue;
    if (!is_of_an_archive(*make)) return std::nullopt;
    types.insert(innermost(make->kind)->type);
  }
  if (types.empty()) return std::nullopt;
  return Words{fmt::format("{}", fmt::join(types, ", "))};
}

bool is_of_content(Wrong wrong) {
  constexpr std::array kOfContent{Wrong::kLost, Wrong::kUnreadable, Wrong::kAbsent,
                                  Wrong::kOtherValue, Wrong::kGhost};
  return std::ranges::find(kOfContent, wrong) != kOfContent.end();
}

// Which class zarr chooses for a text, and whether that one can be had there, does not depend on
// who wrote what lies there, or may write.
std::optional<Words> words_of_a_chosen_class(const Case& value, const Difference& it) {
  const Make* make = make_of(value, it);
  const Refusal* refusal = refused(it.was);
  if (!make || (it.wrong != Wrong::kState && !(refusal && make->kind->chosen))) return std::nullopt;
  Words words{it.oracle, std::string(wrong_word(it)), "make on " + make->kind->kind};
  if (refusal) words.push_back(fmt::format("{} in {}", refusal->type, refusal->frame));
  return words;
}

// Whether these are stores that were made to read, or views of a store that only read.
bool only_read(const Case& value, const std::vector<std::string>& handles) {
  return std::ranges::all_of(handles, [&](const std::string& handle) {
    const Make* make = made_as(value, handle);
    const Call* call = made_by(value, handle);
    const bool reads = make && (!may_write(*make) ||
                                (make->read_only.value_or(false) && !is_of_an_archive(*make)));
    return reads || (call && call->op == Op::kWithReadOnly && call->flag);
  });
}

// Who writes though his store was made to read does so whoever else may, as where nobody may
// (`forbidden_write`).
std::optional<Words> words_of_a_reader_that_writes(const Case& value, const Difference& it) {
  const Call* call = call_of(value, it);
  if (!changes_the_disk(it.wrong) || !call || !operation(call->op).writes() ||
      !only_read(value, call->on))
    return std::nullopt;
  Words words = words_of_a_forbidden_write(value, *call);
  // An archive is told mode and read_only apart: who opens it to read may say that he writes.
  const Make* make = made_as(value, call->on.front());
  if (make && make->read_only && is_of_an_archive(*make))
    words.emplace_back(read_only_word(*make->read_only));
  return words;
}

// How bytes are refused that lie where other ones should depends on the bytes.
bool is_of_bytes(std::string_view type) {
  constexpr auto kOfBytes =
      std::to_array<std::string_view>({"BadZipFile", "EOFError", "OSError", "RuntimeError",
                                       "NotImplementedError", "UnicodeDecodeError", "error"});
  return std::ranges::find(kOfBytes, type) != kOfBytes.end();
}

// The stores that are told to begin their archive anew, and read_only apart.
std::vector<const Make*> told_apart_to_begin_anew(const Case& value) {
  std::vector<const Make*> makes;
  for (const Step& step : value.steps)
    if (const Make* make = std::get_if<Make>(&step);
        make && is_of_an_archive(*make) && make->mode == Mode::kWrite && make->read_only)
      makes.push_back(make);
  return makes;
}

// Whether a store that begins its archive anew and should only read is another one than that which
// differs.
bool another_truncates(const Case& value, const Difference& it) {
  return std::ranges::any_of(told_apart_to_begin_anew(value), [&](const Make* make) {
    return *make->read_only && make->as != it.where.handle;
  });
}

// Of an archive two roots show in many ways (content is gone, unreadable, shown as before, a file
// made) and at many calls, and how the writers came about, what lay there and how they end does not
// matter. A zip file can have one writer: each writes a directory of what it knows, when it is
// closed; which of them a reader takes depends on the reader, and until then none is right. And a
// store that is told mode and read_only apart may open in a mode that is not its own: what it
// writes then is whole, and readers that disagree about it do so for another reason.
bool spoils_an_archive(const Case& value, const Difference& it, const Words& needs) {
  const bool refused_call = refused(it.was) && call_of(value, it);
  if (it.oracle == kReadersAgree && it.wrong == Wrong::kTwice) return has(needs, kSeveralWriters);
  const bool given = has(needs, kReadOnlyGiven) || has(needs, kWritableGiven);
  const bool several = has(needs, kSeveralWriters) || has(needs, kBesideAWriter);
  // What lies where a directory is read may look like a name.
  const bool made = it.wrong == Wrong::kMade && (given || !it.where.key.empty());
  const bool refused_bytes =
      refused_call && (!given || (is_of_bytes(refusal_type(it)) && another_truncates(value, it)));
  return (is_of_content(it.wrong) || made || refused_bytes) &&
         (several || (given && it.oracle != kReadersAgree));
}

// Where readers take an archive apart each in its way, a copy of the store is another writer: it
// writes a directory as well.
bool is_written_by_a_copy(const Case& value, const Difference& it) {
  return it.oracle == kReadersAgree && std::ranges::any_of(value.steps, [](const Step& step) {
           return std::holds_alternative<Carry>(step) || std::holds_alternative<Fork>(step);
         });
}

bool opens(OnHandle done) { return done == OnHandle::kOpens || done == OnHandle::kWrites; }

// Whether a store was made to begin an archive anew when it is opened.
bool begins_anew(const Case& value, const std::string& handle) {
  const Make* make = made_as(value, handle);
  return make && make->mode == Mode::kWrite;
}

// A forked process has a store of its parent as well, and each of them writes the directory that he
// knows when he ends it: two that write it, close it or forget it after the fork are two writers.
// So is who opens one that begins an archive anew, and was not opened before; and a copy that a
// process makes of its store writes as that process would.
bool is_written_by_forked_processes(const Case& value, const Difference& it) {
  std::map<std::string, std::set<std::string>> processes;             // by store, since a fork
  std::map<std::string, std::set<std::string>> opened;                // by process: stores
  std::map<std::string, std::pair<std::string, std::string>> copied;  // → store, process
  Handles handles;
  bool forked = false;
  for (std::size_t i = 0; i <= it.where.step && i < value.steps.size(); ++i) {
    const Step& step = value.steps[i];
    const auto store_and_process = [&](const std::string& handle, const std::string& in) {
      const std::string store = store_of(value, handle);
      const std::string* process = handles.process_of(handle, in);
      const auto copy = copied.find(store);
      return copy != copied.end() ? copy->second : std::pair(store, process ? *process : "");
    };
    const auto add = [&](const std::string& handle, const std::string& in) {
      if (const auto [store, process] = store_and_process(handle, in); forked && !process.empty())
        processes[store].insert(process);
    };
    const auto opens_anew = [&](const std::string& handle, const std::string& in) {
      const auto [store, process] = store_and_process(handle, in);
      return opened[process].insert(store).second && begins_anew(value, store);
    };
    const Call* call = std::get_if<Call>(&step);
    const Deed* deed = std::get_if<Deed>(&step);
    for (const std::string& handle : call ? call->on : std::vector<std::string>()) {
      const OnHandle done = operation(call->op).on_handle;
      const bool anew = opens(done) && opens_anew(handle, call->in);
      if (anew || operation(call->op).writes() || done == OnHandle::kEnds) add(handle, call->in);
    }
    if (const Fork* fork = std::get_if<Fork>(&step)) opened[fork->process] = opened[fork->in];
    if (const Carry* carry = std::get_if<Carry>(&step); carry && forked)
      copied[carry->as] = store_and_process(carry->from, carry->in);
    if (deed && deed->what == What::kDrop) add(deed->handle, deed->in);
    if (deed && deed->what == What::kExit)
      for (const auto& [process, handle] : handles.living())
        if (process == deed->in) add(handle, process);
    forked = forked || std::holds_alternative<Fork>(step);
    handles.take(step);
  }
  return std::ranges::any_of(processes, [](const auto& it) { return it.second.size() > 1; });
}

// The classes that write, and the error where one is raised.
std::optional<Words> words_of_a_spoiled_archive(const Case& value, const Difference& it,
                                                Words needs, const Words& journeys) {
  if (!has(needs, kSeveralWriters) &&
      (is_written_by_a_copy(value, it) || is_written_by_forked_processes(value, it)))
    needs.emplace_back(kSeveralWriters);
  // Whose fork shares the file is refused for that.
  if (refused(it.was) && has(journeys, "fork")) std::erase(needs, kBesideAWriter);
  auto words = classes_of_writing_archives(value);
  if (!words || !spoils_an_archive(value, it, needs)) return std::nullopt;
  if (std::string type = refusal_type(it); !type.empty())
    words->push_back(is_of_bytes(type) ? "refused" : std::move(type));
  constexpr auto kNeeds = std::to_array<std::string_view>(
      {kReadOnlyGiven, kWritableGiven, kSeveralWriters, kAnotherRelease});
  words = with_needs(std::move(*words), needs, kNeeds);
  if (!told_apart_to_begin_anew(value).empty()) words->emplace_back(kModeW);
  if (has(needs, kSeveralWriters) || !has(needs, kBesideAWriter)) return words;
  words->emplace_back(kBesideAWriter);
  if (!journeys.empty()) words->push_back(after(journeys));
  return words;
}

// Whether there is one writer, of plain keys, and no archive that is wrong on purpose: otherwise
// those tell the root.
bool is_plain(const Case& value, const Words& needs) {
  return !has(needs, kSeveralWriters) && !has_odd_key(value) &&
         std::ranges::all_of(value.before, [](const Place& it) { return it.twists.empty(); });
}

// Whether a store is closed or forgotten, or a copy of it made, and something is asked afterwards:
// that opens the archive again.
bool opens_again(const Case& value, std::size_t until) {
  bool ended = false;
  for (std::size_t i = 0; i <= until && i < value.steps.size(); ++i) {
    const Call* call = std::get_if<Call>(&value.steps[i]);
    const Deed* deed = std::get_if<Deed>(&value.steps[i]);
    if (ended && call && call->op != Op::kClose) return true;
    ended = ended || std::holds_alternative<Carry>(value.steps[i]) ||
            (call && call->op == Op::kClose) || (deed && deed->what == What::kDrop);
  }
  return false;
}

// Whether a store is carried after it was opened: then it has taken its mode w, and its copy has to
// leave the archive as it is.
bool copies_what_was_opened(const Case& value) {
  std::set<std::string> opened;
  return std::ranges::any_of(value.steps, [&](const Step& step) {
    const Call* call = std::get_if<Call>(&step);
    if (call && opens(operation(call->op).on_handle))
      for (const std::string& handle : call->on) opened.insert(store_of(value, handle));
    const Carry* carry = std::get_if<Carry>(&step);
    return carry && opened.contains(store_of(value, carry->from));
  });
}

// How an archive is opened again decides what is left of it: that it is gone shows at any call
// after it, and where the store is forgotten or its process ends instead of one.
std::optional<Words> words_of_an_archive_opened_again(const Case& value, const Difference& it,
                                                      const Words& needs, const Words& journeys) {
  const Call* call = call_of(value, it);
  // Who moves the archive takes it away.
  const Deed* deed = deed_of(value, it);
  const bool ends = call ? call->op != Op::kMoveReadOnly : deed && closes(*deed);
  const bool gone = it.oracle == kOnDisk && !it.within && ends &&
                    (it.wrong == Wrong::kLost || it.wrong == Wrong::kUnreadable);
  // What is cut off where a directory or a value was is refused by one of these.
  const std::string type = refusal_type(it);
  const bool refused_call = call && (type == "BadZipFile" || type == "EOFError");
  auto words = classes_of_writing_archives(value);
  if (!words || !(gone || refused_call) || !is_plain(value, needs) || has(journeys, "fork") ||
      !opens_again(value, it.where.step))
    return std::nullopt;
  if (refused_call) words->emplace_back("refused");
  words->emplace_back("opened again");
  if (!has(needs, kAnotherRelease) && copies_what_was_opened(value))
    words->emplace_back("a copy of what was opened");
  constexpr auto kNeeds =
      std::to_array<std::string_view>({kModeW, kReadOnlyGiven, kWritableGiven, kAnotherRelease});
  words = with_needs(std::move(*words), needs, kNeeds);
  if (!journeys.empty()) words->push_back(after(journeys));
  return words;
}

// A forked process shares the position of an open file: whoever reads or writes there moves it for
// the other, who then takes bytes of another place for what he asked.
std::optional<Words> words_of_a_file_that_is_moved(const Case& value, const Difference& it) {
  const auto kind = kind_of(value, it.where.handle);
  if (!call_of(value, it) || !kind || innermost(*kind)->medium != Medium::kZip ||
      !is_of_bytes(refusal_type(it)))
    return std::nullopt;
  // A store that is made or carried afterwards, or to another process, has a file of its own.
  const std::string store = store_of(value, it.where.handle);
  const std::string* process = nullptr;     // where that was made, or carried to
  std::set<std::string> sharing, using_it;  // processes: since a fork
  Handles handles;
  for (std::size_t i = 0; i <= it.where.step; ++i) {
    const Step& step = value.steps[i];
    const Make* make = std::get_if<Make>(&step);
    const Carry* carry = std::get_if<Carry>(&step);
    const Fork* fork = std::get_if<Fork>(&step);
    const Call* call = std::get_if<Call>(&step);
    if (make && make->as == store) process = &make->in;
    if (carry && carry->as == store) process = &carry->to;
    if (fork && process && fork->in == *process) sharing.insert({fork->in, fork->process});
    for (const std::string& handle : call ? call->on : std::vector<std::string>()) {
      const std::string* in = handles.process_of(handle, call->in);
      if (store_of(value, handle) == store && in && sharing.contains(*in)) using_it.insert(*in);
    }
    handles.take(step);
  }
  // Who alone reads after the fork moves it for nobody.
  if (using_it.size() < 2) return std::nullopt;
  return Words{innermost(*kind)->type, "refused where a fork shares the file"};
}

// An archive may have a name twice: who lists it without a look at that names it twice, whoever
// wrote it so, and whoever lists it. Who names a key twice that is there once does another thing.
std::optional<Words> words_of_a_name_that_is_there_twice(const Case& value, const Difference& it,
                                                         const Words& needs) {
  const auto kind = kind_of(value, it.where.handle);
  const bool archive = kind && innermost(*kind)->medium == Medium::kZip && innermost(*kind)->writes;
  const bool nul = std::ranges::any_of(value.before, [](const Place& place) {
    return std::ranges::any_of(place.twists, [](const Twist& twist) {
      return twist.name.find("nul") != std::string::npos;
    });
  });
  // A folder is named as often as there are keys in it, by who does not look at that.
  const Call* call = call_of(value, it);
  const bool of_a_folder = call && call->op == Op::kListDir;
  // The name of an entry ends at its first NUL: then two names are one.
  if (it.wrong != Wrong::kTwice || !archive || nul || of_a_folder || has_odd_key(value))
    return std::nullopt;
  constexpr auto kNeeds = std::to_array<std::string_view>({kNameTwice});
  return with_needs(
      {it.oracle, std::string(name_of(it.wrong)), "list on " + innermost(*kind)->kind}, needs,
      kNeeds);
}

// Whether a step writes, or the store that it asks has written since it was last closed.
bool something_is_written(const Case& value, std::size_t until) {
  std::set<std::string> written;
  for (std::size_t i = 0; i <= until; ++i) {
    const Call* call = std::get_if<Call>(&value.steps[i]);
    if (!call) continue;
    for (const std::string& handle : call->on) {
      const std::string store = store_of(value, handle);
      if (operation(call->op).writes()) written.insert(store);
      if (i == until) return written.contains(store);
      if (call->op == Op::kClose) written.erase(store);
    }
  }
  return !written.empty();
}

// An archive has no directory from the moment on when something is written behind what it has,
// until it is closed: whoever stops in between leaves it so. To clear it and to close it write in
// ways of their own.
std::optional<Words> words_of_a_stop_between(const Case& value, const Difference& it,
                                             const Words& needs, const Words& journeys) {
  const Call* call = call_of(value, it);
  const Deed* deed = deed_of(value, it);
  const bool stops = call ? it.within && call->op != Op::kClear && call->op != Op::kClose
                          : deed && (deed->what == What::kQuit || deed->what == What::kDie);
  auto words = classes_of_writing_archives(value);
  if (!words || !stops || it.wrong != Wrong::kUnreadable || !journeys.empty() ||
      !is_plain(value, needs) || !something_is_written(value, it.where.step))
    return std::nullopt;
  words->emplace_back("if all stops before it is closed");
  return words;
}

// --- what a fork shares, and what it does not have: other threads

// Whether a process that was forked from this one forgot a store that keeps a connection, or ended
// in order: to close such a store closes no connection.
bool its_fork_forgets_a_connection(const Case& value, const std::string& process) {
  std::set<std::string> forked;
  return std::ranges::any_of(value.steps, [&](const Step& step) {
    const Fork* fork = std::get_if<Fork>(&step);
    const Deed* deed = std::get_if<Deed>(&step);
    if (fork && fork->in == process) forked.insert(fork->process);
    if (!deed || !forked.contains(deed->in)) return false;
    const auto kind = kind_of(value, deed->handle);
    return deed->what == What::kExit ||
           (deed->what == What::kDrop && kind && innermost(*kind)->connects);
  });
}

Words words_of_a_wait(const Difference& it, StoreKind kind, std::string where) {
  return {it.oracle, std::string(name_of(it.wrong)), "a call on " + innermost(kind)->kind,
          std::move(where), after({"fork"})};
}

// A forked process shares what its parent's event loop waits for. When it lets a connection go, it
// takes that away: the parent waits for ever, whatever it asks next, in whichever loop.
std::optional<Words> words_of_a_parent_that_waits(const Case& value, const Difference& it) {
  const auto kind = kind_of(value, it.where.handle);
  if (it.wrong != Wrong::kHang || !call_of(value, it) || !kind || !innermost(*kind)->connects ||
      was_forked(value, it.where.process) ||
      !its_fork_forgets_a_connection(value, it.where.process))
    return std::nullopt;
  return words_of_a_wait(it, *kind, "in a parent");
}

// A forked process has one thread: who waits there for another one waits for ever, whatever he
// asked. Where he waits is known of who asks from outside of an event loop.
std::optional<Words> words_of_a_lost_thread(const Case& value, const Difference& it,
                                            const Words& journeys) {
  const auto kind = kind_of(value, it.where.handle);
  const std::string frame = frame_of_hang(it);
  if (it.wrong != Wrong::kHang || !call_of(value, it) || !has(journeys, "fork") || !kind ||
      frame.empty() || !was_forked(value, it.where.process))
    return std::nullopt;
  return words_of_a_wait(it, *kind, "in " + frame);
}

// --- what stores of files do not have: a key below a key

// Whether a key or a prefix that was asked for is, or lies below, what is a key: one that was
// written in this process, or ("") that lay there or was written in any.
bool asks_below_a_key(const Case& value, const Difference& it, const std::string& process) {
  const Call* asking = call_of(value, it);
  const auto kind = kind_of(value, it.where.handle);
  if (!asking || !kind || !innermost(*kind)->files) return false;
  const std::string asked = whole_key(value, it.where.handle, asking->key);
  const bool lists = operation(asking->op).family == Family::kListing;
  const auto is_above = [&](const std::string& key) {
    return lies_below(asked, key) || (lists && asked == key);
  };
  for (const Place& place : value.before)
    for (const Entry& entry : place.entries)
      if (process.empty() && is_above(entry.key)) return true;
  Handles handles;
  for (const Step& step : value.steps) {
    const Call* call = std::get_if<Call>(&step);
    if (call && operation(call->op).takes.value && operation(call->op).takes.key &&
        !call->on.empty()) {
      const std::string* in = handles.process_of(call->on.front(), call->in);
      const bool there = process.empty() || (in && *in == process);
      if (there && is_above(whole_key(value, call->on.front(), call->key))) return true;
    }
    handles.take(step);
  }
  return false;
}

// There the operating system refuses what is no folder, whatever is asked.
std::optional<Words> words_of_a_key_below_a_key(const Case& value, const Difference& it) {
  const Refusal* refusal = refused(it.was);
  if (!refusal || !asks_below_a_key(value, it, "")) return std::nullopt;
  Words words{it.oracle, std::string(wrong_word(it)), refusal->type,
              "a key below a key on " + innermost(*kind_of(value, it.where.handle))->kind};
  // A read takes a key that cannot be there for one that is missing, and so do listings where the
  // error is not the one that they take for it.
  const Op op = call_of(value, it)->op;
  const bool looks = operation(op).family == Family::kListing || op == Op::kExists;
  if (answers_like(op) == Op::kGet || (looks && refusal->type == "NotADirectoryError"))
    words.push_back("in " + refusal->frame);
  return words;
}

// --- what a process does not share

// What is bound to a process has other content in another one, however it came there; also where a
// key is refused because another one is there.
std::optional<Words> words_of_other_content(const Case& value, const Difference& it,
                                            const Words& journeys) {
  const bool leaves = std::ranges::any_of(
      journeys, [](const std::string& way) { return way.ends_with(kToAnother); });
  const bool bound = std::ranges::all_of(value.steps, [](const Step& step) {
    const Make* make = std::get_if<Make>(&step);
    return !make || family_of(*innermost(make->kind).operator->()) == StoreFamily::kBound;
  });
  const bool content = is_of_content(it.wrong) || (it.wrong == Wrong::kRefused &&
                                                   asks_below_a_key(value, it, it.where.process));
  if (!content || !leaves || !bound) return std::nullopt;
  return Words{kinds_of(value), "other content in another process"};
}

// --- what a journey spoils

// What checks its arguments refuses a store that a journey left with another object in it by the
// same text, whatever is asked: "Expected an object store instance, got b'…'".
std::optional<Words> words_of_a_spoiled_part(const Case& value, const Difference& it,
                                             const Words& needs, const Words& journeys) {
  const Refusal* refusal = refused(it.was);
  const Call* call = call_of(value, it);
  if (!refusal || !call || journeys.empty() || !is_plain(value, needs)) return std::nullopt;
  const std::size_t got = refusal->text.find(", got ");
  const bool plain = it.where.argument.empty() || it.where.argument == "plain";
  if (got == std::string::npos || operation(call->op).misuse || !plain) return std::nullopt;
  const std::string wanted = printable(refusal->text.substr(0, got));
  return Words{it.oracle, std::string(wrong_word(it)), "a call on " + kinds_of(value),
               fmt::format("{}: {}", refusal->type, shorten(wanted, kLongestText)),
               after(journeys)};
}

// Every write asks the store whether it may write: a copy that forgot it refuses them all.
std::optional<Words> words_of_a_copy_that_only_reads(const Case& value, const Difference& it,
                                                     const Words& needs, const Words& journeys) {
  const Refusal* refusal = refused(it.was);
  const Call* call = call_of(value, it);
  if (!refusal || !call || journeys.empty() || !operation(call->op).writes() ||
      !refusal->frame.ends_with(":_check_writable"))
    return std::nullopt;
  constexpr auto kNeeds =
      std::to_array<std::string_view>({kReadOnlyGiven, kWritableGiven, kAnotherRelease});
  Words words{it.oracle, std::string(wrong_word(it)), "a write on " + kinds_of(value),
              fmt::format("{} in {}", refusal->type, refusal->frame)};
  words = with_needs(std::move(words), needs, kNeeds);
  words.push_back(after(journeys));
  return words;
}

// --- what an object of zarr keeps

// An array or a group keeps its attributes in its object, of whichever store: what it could not
// write may stay there.
std::optional<Words> words_of_a_refused_attribute(const Case& value, const Difference& it) {
  const Call* call = call_of(value, it);
  if (!call || call->op != Op::kGetAttributes || it.wrong != Wrong::kOtherValue ||
      !only_read(value, {store_of(value, it.where.handle)}))
    return std::nullopt;
  for (std::size_t i = 0; i < it.where.step; ++i) {
    const Call* set = std::get_if<Call>(&value.steps[i]);
    if (set && set->op == Op::kSetAttributes && has(set->on, it.where.handle))
      return Words{it.oracle, std::string(wrong_word(it)), "an attribute that was refused"};
  }
  return std::nullopt;
}

// --- what a store keeps in memory

// Which kind keeps something in memory below this handle: some use a class that is another kind's.
std::string kind_that_keeps(const Case& value, const std::string& handle) {
  const auto kind = kind_of(value, handle);
  const Adapter* it = kind ? kind->operator->() : nullptr;
  while (it && it->uses.empty() && it->inner) it = it->inner;
  return !it ? "" : it->uses.empty() ? it->kind : it->uses;
}

// A buffer that a store gave, or was given, belongs to its caller as well: what he writes there is
// what the store shows, to whomever and whichever way.
std::optional<Words> words_of_a_shared_buffer(const Case& value, const Difference& it) {
  if (it.wrong != Wrong::kOtherValue) return std::nullopt;
  for (const Step& step : value.steps)
    if (const Call* call = std::get_if<Call>(&step);
        call && (call->op == Op::kGetAndOverwrite || call->op == Op::kSetAndOverwrite))
      return Words{it.oracle, std::string(name_of(it.wrong)),
                   fmt::format("after {} on {}", name_of(call->op),
                               kind_that_keeps(value, call->on.front()))};
  return std::nullopt;
}

// The place of the store in which a handle lies; "" where it has none.
std::string place_of(const Case& value, const std::string& handle) {
  const Make* make = made_as(value, store_of(value, handle));
  return make ? make->at : "";
}

// Whether the key that is asked had this value before, in the same store or at the same place. A
// word names the key by which it was written, unless it is short for a long one, or empty.
bool had(const Case& value, const Difference& it, const std::string& bytes) {
  const std::string& handle = it.where.handle;
  const std::string& key = call_of(value, it)->key;
  const std::string asked = whole_key(value, handle, key), at = place_of(value, handle);
  if (bytes.starts_with(key + "@") || bytes.starts_with(asked + "@")) return true;
  for (const Place& place : value.before)
    for (const Entry& entry : place.entries)
      if (place.name == at && entry.key == asked && entry.value.bytes() == bytes) return true;
  return std::any_of(
      value.steps.begin(), value.steps.begin() + static_cast<std::ptrdiff_t>(it.where.step),
      [&](const Step& step) {
        const Call* call = std::get_if<Call>(&step);
        if (!call || !operation(call->op).takes.value || call->on.empty()) return false;
        const std::string& writer = call->on.front();
        return (store_of(value, writer) == store_of(value, handle) ||
                (!at.empty() && place_of(value, writer) == at)) &&
               whole_key(value, writer, call->key) == asked && call->value.bytes() == bytes;
      });
}

// Whether a cache was asked for what it inherits: that is done to its source, and the cache learns
// nothing of it.
bool changes_the_source_alone(const Case& value, std::size_t until) {
  return std::any_of(value.steps.begin(), value.steps.begin() + static_cast<std::ptrdiff_t>(until),
                     [&](const Step& step) {
                       const Call* call = std::get_if<Call>(&step);
                       if (!call || call->on.empty()) return false;
                       const OnContent done = operation(call->op).on_content;
                       const auto kind = kind_of(value, call->on.front());
                       return kind && (*kind)->caches &&
                              (done == OnContent::kClear || done == OnContent::kDeleteBelow ||
                               done == OnContent::kSetIfAbsent || call->op == Op::kSetSync ||
                               call->op == Op::kDeleteSync);
                     });
}

// What a cache shows that its source had before, or has no more: whatever the source is.
std::optional<Words> words_of_a_stale_cache(const Case& value, const Difference& it) {
  const Call* call = call_of(value, it);
  const auto kind = kind_of(value, it.where.handle);
  const Shown* was = shown(it.was);
  const auto* bytes = was ? std::get_if<BytesValue>(was) : nullptr;
  if (!kind || !(*kind)->caches || !call || !bytes || !had(value, it, bytes->bytes) ||
      !changes_the_source_alone(value, it.where.step))
    return std::nullopt;
  return Words{it.oracle, "stale", fmt::format("{} on {}", name_of(call->op), (*kind)->type)};
}

}  // namespace

std::optional<Words> words_of_a_crash_at_the_end(const Case& value, const Difference& it) {
  if (!is_of_an_end(it) || (it.seen != "SIGABRT" && it.seen != "SIGSEGV")) return std::nullopt;
  std::set<std::string> types;
  bool at_once = false;  // by os._exit: Python does not end
  const auto add = [&](const std::string& handle, const std::string& process) {
    const auto kind = kind_of(value, handle);
    if (kind && process == it.where.process && innermost(*kind)->threads)
      types.insert(innermost(*kind)->type);
  };
  for (const Step& step : value.steps) {
    if (const Make* make = std::get_if<Make>(&step)) add(make->as, make->in);
    if (const Carry* carry = std::get_if<Carry>(&step)) add(carry->as, carry->to);
    if (const Deed* deed = std::get_if<Deed>(&step))
      at_once = at_once || (deed->what == What::kQuit && deed->in == it.where.process);
  }
  if (types.empty() || at_once) return std::nullopt;
  return Words{it.oracle, std::string(name_of(it.wrong)), step_word(value, it, true),
               fmt::format("{}", fmt::join(types, ", "))};
}

std::optional<Words> words_of_a_root(const Case& value, const Difference& it, const Words& needs,
                                     const Words& journeys) {
  if (auto words = words_of_a_lacking_attribute(value, it, journeys)) return words;
  if (auto words = words_of_a_crash_at_the_end(value, it)) return words;
  if (auto words = words_of_another_place(value, needs)) return words;
  if (auto words = words_of_a_chosen_class(value, it)) return words;
  if (auto words = words_of_other_content(value, it, journeys)) return words;
  if (auto words = words_of_a_reader_that_writes(value, it)) return words;
  if (auto words = words_of_a_spoiled_archive(value, it, needs, journeys)) return words;
  if (auto words = words_of_an_archive_opened_again(value, it, needs, journeys)) return words;
  if (auto words = words_of_a_file_that_is_moved(value, it)) return words;
  if (auto words = words_of_a_name_that_is_there_twice(value, it, needs)) return words;
  if (auto words = words_of_a_stop_between(value, it, needs, journeys)) return words;
  if (auto words = words_of_a_parent_that_waits(value, it)) return words;
  if (auto words = words_of_a_lost_thread(value, it, journeys)) return words;
  if (auto words = words_of_a_key_below_a_key(value, it)) return words;
  if (auto words = words_of_a_spoiled_part(value, it, needs, journeys)) return words;
  if (auto words = words_of_a_copy_that_only_reads(value, it, needs, journeys)) return words;
  if (auto words = words_of_a_refused_attribute(value, it)) return words;
  if (auto words = words_of_a_shared_buffer(value, it)) return words;
  if (auto words = words_of_a_stale_cache(value, it)) return words;
  return std::nullopt;
}

}  // namespace storefuzz::program
