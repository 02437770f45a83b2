// Severity is a table; a cause is a list of words in a fixed order.
#include "harness/findings/cause.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "harness/base/text.h"
#include "harness/case/keys.h"
#include "harness/findings/cause_parts.h"
#include "harness/findings/roots.h"
#include "harness/model/world.h"

namespace storefuzz::program {
namespace {

// In the order of Wrong.
constexpr auto kSeverities = std::to_array<std::pair<Wrong, int>>({
    {Wrong::kLost, 1},
    {Wrong::kMade, 3},
    {Wrong::kUnreadable, 1},
    {Wrong::kStray, 3},
    {Wrong::kDeath, 4},
    {Wrong::kHang, 4},
    {Wrong::kOtherValue, 2},
    {Wrong::kAbsent, 2},
    {Wrong::kGhost, 2},
    {Wrong::kTwice, 2},
    {Wrong::kDone, 2},
    {Wrong::kNotEqual, 5},
    {Wrong::kState, 5},
    {Wrong::kRefused, 6},
    {Wrong::kUnfittingType, 6},
    {Wrong::kDisagree, kMildest},
});
static_assert([] {
  for (std::size_t i = 0; i < kSeverities.size(); ++i)
    if (kSeverities[i].first != static_cast<Wrong>(i)) return false;
  return kSeverities.back().first == Wrong::kDisagree;
}());

constexpr int severity_of_class(Wrong wrong) {
  return kSeverities[static_cast<std::size_t>(wrong)].second;
}

constexpr int kOfState = 5;   // a question about state that is refused
constexpr int kOfACarry = 5;  // refused, or by an unfitting type
constexpr int kOfMisuse = 6;  // at most

}  // namespace

std::string kinds_of(const Case& value, const std::function<bool(const Make&)>& of) {
  std::set<std::string> kinds;
  for (const Step& step : value.steps)
    if (const Make* make = std::get_if<Make>(&step); make && (!of || of(*make)))
      kinds.insert(make->kind->kind);
  return fmt::format("{}", fmt::join(kinds, ", "));
}

bool has_journey(const Case& value) { return !journeys_of(value).empty(); }

int severity_of(const Case& value, const Difference& it) {
  if (it.question) return kMildest;
  if (is_of_an_end(it)) return severity_of_class(it.wrong);
  const Step* step = step_of(value, it);
  const Call* call = call_of(value, it);
  int severity = severity_of_class(it.wrong);
  if (step && std::holds_alternative<Carry>(*step)) severity = std::min(severity, kOfACarry);
  if (call && operation(call->op).family == Family::kState) severity = std::min(severity, kOfState);
  // Who says that it may write, and may not, writes.
  if (it.oracle == kWritable && it.wrong == Wrong::kState && it.should_be == say(Shown{true}))
    severity = severity_of_class(Wrong::kDone);
  const bool misuse = call && operation(call->op).misuse;
  return misuse && severity > 1 ? std::max(severity, kOfMisuse) : severity;
}

std::string_view attribute_of(std::string_view name) {
  name = name.substr(name.rfind('.') + 1);
  return name.substr(std::min(name.find_first_not_of('_'), name.size()));
}

namespace {

// Whether a line of a stack is in the file of a store that is not zarr's.
bool is_of_a_stranger(std::string_view line) {
  return std::ranges::any_of(all_stores(), [&](StoreKind it) {
    const std::string file = std::filesystem::path(it->file).filename().string();
    return !file.empty() && line.find("/" + file + "\", line ") != line.npos;
  });
}

// The innermost frame of a thread that is zarr's; "" where it is a stranger's, or there is none.
struct Frame {
  std::string zarr;
  bool stranger = false;
};

Frame frame_of(const std::string& thread) {
  std::istringstream lines(thread);
  for (std::string line; std::getline(lines, line);) {
    if (is_of_a_stranger(line)) return {.zarr = {}, .stranger = true};
    const std::size_t module = line.rfind("/zarr/"), end = line.rfind("\", line ");
    const std::size_t name = line.rfind(" in ");
    if (module == line.npos || end == line.npos || name == line.npos || name < end) continue;
    return {.zarr = fmt::format("{}:{}", line.substr(module + 1, end - module - 1),
                                line.substr(name + 4))};
  }
  return {};
}

// The stacks of all threads, of which an empty line ends each.
std::vector<std::string> threads_of(const std::string& stacks) {
  std::vector<std::string> threads;
  for (std::size_t at = 0; at < stacks.size();) {
    const std::size_t end = std::min(stacks.find("\n\n", at), stacks.size());
    threads.push_back(stacks.substr(at, end - at));
    at = end + 2;
  }
  return threads;
}

}  // namespace

// The thread that was asked tells, unless zarr's event loop waits for a stranger's store: then
// whoever asked waits for that.
std::string frame_of_hang(const Difference& it) {
  const TimedOut* late = std::get_if<TimedOut>(&it.was);
  std::string frame;
  for (const std::string& thread : late ? threads_of(late->stacks) : std::vector<std::string>()) {
    const Frame here = frame_of(thread);
    if (thread.starts_with("Current thread"))
      frame = here.zarr;
    else if (here.stranger && thread.find("/asyncio/") != thread.npos)
      return {};
  }
  return frame;
}

namespace {

// Whether a call that names a key takes another one from the disk: a delete is about what lies
// below as well, a set about nothing else.
bool takes_another_key(const Case& value, const Difference& it) {
  const Call* call = call_of(value, it);
  if (!call || it.wrong != Wrong::kLost || it.where.key.empty()) return false;
  const std::string named = whole_key(value, call->on.front(), call->key);
  const Operation& row = operation(call->op);
  const bool other = it.where.key != named && row.on_content != OnContent::kClear;
  return other && (row.sets() || (row.deletes() && !lies_below(it.where.key, named)));
}

// What was written where this store writes, and not deleted since.
std::set<std::string> keys_there(const Case& value, const Make& store, std::size_t until) {
  std::set<std::string> there;
  for (const Place& place : value.before)
    if (place.name == store.at)
      for (const Entry& entry : place.entries) there.insert(entry.key);
  for (std::size_t i = 0; i < until; ++i) {
    const Call* call = std::get_if<Call>(&value.steps[i]);
    const Deed* deed = std::get_if<Deed>(&value.steps[i]);
    if (deed && deed->what == What::kDeleteFile && deed->at == store.at) there.clear();
    const Make* made = call ? origin_of(value, call->on.front()) : nullptr;
    if (!made || (made->at.empty() ? made != &store : made->at != store.at)) continue;
    const Call* view = made_by(value, store_of(value, call->on.front()));
    // What had to be refused is not there.
    if (!makes_writable(*made) || (view && view->flag) || operation(call->op).misuse) continue;
    const std::string named = whole_key(value, call->on.front(), call->key);
    const OnContent done = operation(call->op).on_content;
    // Not every store has a method without a loop: nobody knows whether it was done.
    if (operation(call->op).sets() && !operation(call->op).in_sync()) there.insert(named);
    if (done == OnContent::kDelete) there.erase(named);
    if (operation(call->op).rule == Rule::kMoves) there.clear();
    if (done == OnContent::kDeleteBelow || done == OnContent::kClear)
      std::erase_if(there, [&](const std::string& key) { return lies_below(key, named); });
  }
  return there;
}

// Whether it was refused as missing, and is there: who refuses what is missing need not.
bool is_missed_though_there(const Case& value, const Difference& it) {
  const Call* call = call_of(value, it);
  const std::string type = refusal_type(it);
  const Make* store = call ? origin_of(value, call->on.front()) : nullptr;
  if (!store || (type != "FileNotFoundError" && type != "KeyError")) return false;
  const Operation& row = operation(call->op);
  const std::set<std::string> there = keys_there(value, *store, it.where.step);
  const std::string named = whole_key(value, call->on.front(), call->key);
  if (row.takes.key) return !row.takes.value && there.contains(named);
  const bool asks_for_all =
      row.takes.prefix || row.family == Family::kListing || row.family == Family::kDelete;
  return asks_for_all &&
         std::ranges::any_of(there, [&](const std::string& key) { return lies_below(key, named); });
}

}  // namespace

std::string class_of(const Case& value, const Difference& it) {
  const auto words = [&](std::string_view root) {
    return fmt::format("{} / {} / {}", it.oracle, wrong_word(it), root);
  };
  // Another operation is another question.
  if (it.question) return words(step_word(value, it, false));
  if (is_of_an_attribute(it)) return words(attribute_of(it.where.key));
  if (!it.where.zip_class.empty()) return words("class " + it.where.zip_class);
  if (it.oracle == kReadersAgree) return words("the end");
  // What is left is looked for at the end, whatever came last.
  if (it.oracle == kSurvival && it.wrong == Wrong::kStray)
    return words(it.where.process.empty() ? "left behind" : "still open");
  if (const std::string text = lacking_attribute(value, it); !text.empty()) return words(text);
  // On a busy machine a process is late with its stack as well: the frame is for the cause alone.
  if (it.wrong == Wrong::kHang && call_of(value, it)) return words("a call");
  return fmt::format("{}{}{} / {}{}", words(step_word(value, it, true)), it.within ? " within" : "",
                     takes_another_key(value, it) ? " of another key" : "", refusal_type(it),
                     is_missed_though_there(value, it) ? " though it is there" : "");
}

std::string seen_as(const Case& value, const Difference& it) {
  if (const auto words = words_of_a_crash_at_the_end(value, it))
    return fmt::format("{}", fmt::join(*words, " / "));
  std::string words = fmt::format("{} / {}", it.oracle, name_of(it.wrong));
  words +=
      is_of_an_attribute(it)
          ? fmt::format(" / {}", it.where.key)
          : fmt::format(" / {}{} / {}", step_word(value, it, true),
                        takes_another_key(value, it) ? " of another key" : "", refusal_type(it));
  if (it.question) return words;
  if (const auto kind = kind_of(value, it.where.handle))
    words += fmt::format(" / {}", innermost(*kind)->kind);
  if (const Refusal* refusal = refused(it.was); refusal && !refusal->frame.empty())
    words += " / " + refusal->frame;
  return words;
}

std::string asked_as(const Case& value, const Difference& it) {
  std::string handle = it.where.handle;
  // What differs on disk has no handle: who was called last has one.
  if (const Call* call = call_of(value, it); call && handle.empty() && !call->on.empty())
    handle = call->on.front();
  const auto kind = kind_of(value, handle);
  return fmt::format("{} on {}", step_word(value, it, false), kind ? (*kind)->kind : "nothing");
}

namespace {

// The kinds of the program's stores; of the one that was asked where it only reads, had to refuse,
// or is refused when it is made: that does not depend on who wrote there.
std::string kinds_asked(const Case& value, const Difference& it) {
  const Make* make = make_of(value, it);
  if (make && refused(it.was)) return make->kind->kind;
  const auto kind = kind_of(value, it.where.handle);
  const bool alone = kind && (it.wrong == Wrong::kDone || !innermost(*kind)->writes);
  return alone ? (*kind)->kind : kinds_of(value);
}

// Who is forgotten, or whose process ends, closes what it has open: then the disk tells.
bool closes_on_disk(const Case& value, const Difference& it) {
  const Deed* deed = deed_of(value, it);
  return deed && closes(*deed) && it.oracle == kOnDisk;
}

// zarr reads and writes arrays and groups by calls of their store: what refuses in one of those is
// that call, whatever was asked of the node ("get" for "zarr/storage/_zip.py:_get").
std::optional<Op> refused_within(const Case& value, const Difference& it) {
  const Call* call = call_of(value, it);
  const Refusal* refusal = refused(it.was);
  if (!call || !refusal || !operation(call->op).is_about_a_node()) return std::nullopt;
  const std::string_view frame = refusal->frame;
  if (!frame.starts_with("zarr/storage/") && !frame.starts_with("zarr/abc/store.py:"))
    return std::nullopt;
  std::string method(frame.substr(frame.rfind(':') + 1));
  method.erase(0, method.find_first_not_of('_'));
  std::ranges::replace(method, '_', ' ');
  return find_operation(method);
}

// What was asked, of what, and where in the subject it was answered.
Words asked(const Case& value, const Difference& it) {
  const std::string kinds = kinds_asked(value, it);
  if (it.oracle == kReadersAgree) return {"the end on " + kinds};
  const std::string frame = frame_of_hang(it);
  const std::optional<Op> within = refused_within(value, it);
  const std::string step = within                      ? std::string(name_of(*within))
                           : closes_on_disk(value, it) ? std::string(name_of(Op::kClose))
                                                       : step_word(value, it, false);
  Words words{fmt::format("{} on {}", step, kinds)};
  if (!frame.empty()) words.push_back("in " + frame);
  if (const Refusal* refusal = refused(it.was)) {
    words.push_back(fmt::format("{} in {}", refusal->type,
                                refusal->frame.empty() ? "no frame of zarr" : refusal->frame));
    // "cannot pickle '_thread.lock' object": the object is the root.
    if (refusal->frame.empty() && refusal->text.starts_with("cannot pickle"))
      words.push_back(std::string(shorten(printable(refusal->text), kLongestText)));
  }
  return words;
}

// Whether a key that is set only where nothing is has keys below it, or lies below one: on a disk a
// folder is there, or none can be.
bool is_set_where_folders_are(const Case& value, const Call& call) {
  if (operation(call.op).on_content != OnContent::kSetIfAbsent || call.on.empty()) return false;
  const std::string set = whole_key(value, call.on.front(), call.key);
  return was_put(value, [&](const std::string& key) {
    return !set.empty() && !key.empty() && (lies_below(key, set) || lies_below(set, key));
  });
}

// Whether what is taken for a key is a folder, in which keys were.
bool is_a_folder_for_a_key(const Case& value, const Difference& it, const Call& call) {
  const bool of_one_key =
      answers_like(call.op) == Op::kGet || call.op == Op::kExists || call.op == Op::kGetSize;
  if (!of_one_key || it.wrong != Wrong::kGhost) return false;
  const std::string asked = whole_key(value, call.on.front(), call.key);
  return !asked.empty() &&
         was_put(value, [&](const std::string& key) { return lies_below(key, asked); });
}

// Whether a listing of a folder names one in which a key was that the program named: a folder may
// stay when its last key goes.
bool names_a_folder_that_had_keys(const Case& value, const Difference& it, const Call& call) {
  const Shown* was = shown(it.was);
  const Names* names = was ? std::get_if<Names>(was) : nullptr;
  if (call.op != Op::kListDir || it.wrong != Wrong::kGhost || !names) return false;
  const std::string folder = whole_key(value, call.on.front(), call.key);
  return std::ranges::any_of(names->names, [&](const std::string& name) {
    return was_put(value,
                   [&](const std::string& key) { return lies_below(key, joined(folder, name)); });
  });
}

Words words_of_the_question(const Case& value, const Difference& it, const Call* forbidden) {
  Words words{it.oracle, std::string(wrong_word(it))};
  if (forbidden)
    words = words_of_a_forbidden_write(value, *forbidden);
  else
    std::ranges::move(asked(value, it), std::back_inserter(words));
  const Call* call = is_of_an_end(it) ? nullptr : call_of(value, it);
  // An archive is opened in the same way for every key.
  const Refusal* refusal = refused(it.was);
  const bool opening = refusal && refusal->frame.ends_with("open");
  if ((call && !opening) || closes_on_disk(value, it))
    std::ranges::move(words_of_keys(value), std::back_inserter(words));
  if (call) {
    if (is_set_where_folders_are(value, *call) || is_a_folder_for_a_key(value, it, *call))
      words.emplace_back("where a folder is");
    if (names_a_folder_that_had_keys(value, it, *call))
      words.emplace_back("a folder that had keys");
    if (takes_another_key(value, it)) words.emplace_back("another key");
    if (is_missed_though_there(value, it)) words.emplace_back("though it is there");
    if (!it.where.argument.empty() && it.where.argument != "plain")
      words.push_back(fmt::format("{} argument", it.where.argument));
    if (call->by == By::kSync) words.emplace_back("by sync");
  }
  if (is_of_an_attribute(it)) words.emplace_back(attribute_of(it.where.key));
  // What a zip library makes of a wrong archive has one root for each way to be wrong.
  if (!it.where.zip_class.empty())
    words.push_back(fmt::format("an archive of class {}", it.where.zip_class));
  return words;
}

// No store is wrong for sure: stores that answer differently ask one question for each operation
// and class of argument, whichever of them happened to be drawn.
Cause cause_of_question(const Case& value, const Difference& it) {
  std::string words =
      fmt::format("{} / {} / {}", it.oracle, name_of(it.wrong), step_word(value, it, false));
  // Stores agree that this is no fitting type: which one it is tells the root.
  if (it.wrong == Wrong::kUnfittingType) words += " / " + refusal_type(it);
  for (const std::string& word : words_of_keys(value)) words += " / " + word;
  if (!it.where.argument.empty() && it.where.argument != "plain")
    words += fmt::format(" / {} argument", it.where.argument);
  return {.key = std::move(words), .severity = severity_of(value, it), .journey = false};
}

// Whether a copy says of itself that it may write, or may not, and the store it came from says
// otherwise: that is the attribute `read_only`, which is asked in two ways.
bool tells_read_only_otherwise(const Case& value, const Difference& it, const Words& journeys) {
  const Call* call = call_of(value, it);
  return it.oracle == kWritable && it.wrong == Wrong::kState && call && call->op == Op::kReadOnly &&
         !journeys.empty();
}

Words words_of_read_only(const Case& value) {
  return {"attributes", std::string(name_of(Wrong::kState)), "state on " + kinds_of(value),
          "read_only"};
}

bool carries_what_was_inherited(const Case& value) {
  return std::ranges::any_of(value.steps, [](const Step& step) {
    const Carry* carry = std::get_if<Carry>(&step);
    return carry && !carry->in.empty();
  });
}

// Without the forks, and wherever they lead.
Words carriers_of(Words journeys) {
  std::erase(journeys, "fork");
  for (std::string& way : journeys)
    if (way.ends_with(kToAnother)) way.resize(way.size() - kToAnother.size());
  return journeys;
}

Words words_of(const Case& value, const Difference& it) {
  const Call* forbidden = forbidden_write(value, it);
  const Words needs = needed(value, it, forbidden);
  Words journeys = journeys_of(value);
  if (auto words = words_of_a_root(value, it, needs, journeys)) return *words;
  const bool read_only = tells_read_only_otherwise(value, it, journeys);
  Words words = read_only ? words_of_read_only(value) : words_of_the_question(value, it, forbidden);
  words.insert(words.end(), needs.begin(), needs.end());
  // What hangs in a forked process hangs however it came there, and its parent for another reason.
  if (it.wrong == Wrong::kHang && has(journeys, "fork")) {
    journeys = {"fork"};
    if (!was_forked(value, it.where.process)) words.emplace_back("in a parent");
  }
  // What a forked process inherited is as it was at the fork: who carries it changes it.
  if ((is_of_an_attribute(it) || read_only) && carries_what_was_inherited(value))
    journeys = carriers_of(std::move(journeys));
  if (!journeys.empty()) words.push_back(after(journeys));
  return words;
}

}  // namespace

Cause cause_of(const Case& value, const Difference& it) {
  // What is not there is no question.
  if (it.question && lacking_attribute(value, it).empty()) return cause_of_question(value, it);
  return {.key = fmt::format("{}", fmt::join(words_of(value, it), " / ")),
          .severity = severity_of(value, it),
          .journey = has_journey(value)};
}

}  // namespace storefuzz::program
