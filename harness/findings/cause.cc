// Severity is a table; a cause is a list of words in a fixed order.
#include "harness/findings/cause.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <utility>
#include <vector>

#include "harness/base/text.h"
#include "harness/model/world.h"

namespace storefuzz::program {
namespace {

using Words = std::vector<std::string>;

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

constexpr std::size_t kLongestText = 100;

constexpr const char* kRelative = "by a relative path";
constexpr const char* kElsewhere = "with change directory";
constexpr const char* kWithin = "if it stops within the call";
constexpr const char* kSeveralWriters = "several writers";
constexpr const char* kReadOnlyGiven = "read_only given";
constexpr const char* kDeflated = "compression given";
constexpr const char* kAnotherRelease = "another release";
constexpr const char* kToAnother = " to another process";

const Step* step_of(const Case& value, const Difference& it) {
  return it.where.step < value.steps.size() ? &value.steps[it.where.step] : nullptr;
}

const Call* call_of(const Case& value, const Difference& it) {
  const Step* step = step_of(value, it);
  return step ? std::get_if<Call>(step) : nullptr;
}

// The step in words: an operation, "make", "fork", a carrier, a deed.
std::string step_word(const Case& value, const Difference& it, bool plainest) {
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

// "'ZipStore' object has no attribute '_lock'": what is not there is not there for every operation,
// in whichever line it is asked for. Of other classes than the program's stores the text says too
// little: many a call meets a None.
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

// Whether a refusal is allowed depends on the mode and on who else is there; the error is the same.
std::string_view wrong_word(const Difference& it) {
  return name_of(it.wrong == Wrong::kUnfittingType ? Wrong::kRefused : it.wrong);
}

// A key that is no plain path, and that the reduction did not make one: of any call.
bool has_odd_key(const Case& value) {
  return std::ranges::any_of(value.steps, [](const Step& step) {
    const Call* call = std::get_if<Call>(&step);
    return call && !call->key.empty() && !plain_key(call->key);
  });
}

// How the program gets from process to process, in the order of its steps; each way once. What is
// carried within a process counts where none is left.
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
        add(ways, name + kToAnother);
    }
    if (std::holds_alternative<Fork>(step)) add(ways, "fork");
    handles.take(step);
  }
  return ways.empty() ? within : ways;
}

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

std::string class_of(const Case& value, const Difference& it) {
  const auto words = [&](std::string_view root) {
    return fmt::format("{} / {} / {}", it.oracle, wrong_word(it), root);
  };
  // Another operation is another question.
  if (it.question) return words(step_word(value, it, false));
  // Each attribute is lost for a reason of its own.
  if (it.wrong == Wrong::kState && !it.where.key.empty()) return words(attribute_of(it.where.key));
  if (!it.where.zip_class.empty()) return words("class " + it.where.zip_class);
  if (it.oracle == kReadersAgree) return words("the end");
  if (const std::string text = lacking_attribute(value, it); !text.empty()) return words(text);
  // On a busy machine a process is late with its stack as well: the frame is for the cause alone.
  if (it.wrong == Wrong::kHang && call_of(value, it)) return words("a call");
  return fmt::format("{}{} / {}", words(step_word(value, it, true)), it.within ? " within" : "",
                     refusal_type(it));
}

std::string seen_as(const Case& value, const Difference& it) {
  std::string words = fmt::format("{} / {}", it.oracle, name_of(it.wrong));
  words += it.wrong == Wrong::kState && !it.where.key.empty()
               ? fmt::format(" / {}", it.where.key)
               : fmt::format(" / {} / {}", step_word(value, it, true), refusal_type(it));
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

// What was asked, of what, and where in the subject it was answered.
Words asked(const Case& value, const Difference& it) {
  const std::string kinds = kinds_of(value);
  if (const std::string text = lacking_attribute(value, it); !text.empty()) return {text};
  if (it.oracle == kReadersAgree) return {"the end on " + kinds};
  const std::string frame = frame_of_hang(it);
  Words words{fmt::format("{} on {}", step_word(value, it, false), kinds)};
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

bool is_archive(const Adapter& kind) { return family_of(kind) == StoreFamily::kArchive; }

// Whether several handles write, or several stores are made to write one archive: to open one may
// write.
bool has_several_writers(const Case& value, const Difference& it) {
  std::set<std::string> writers;
  std::map<std::string, int> made;  // by place
  for (std::size_t i = 0; i < value.steps.size(); ++i) {
    if (const Make* make = std::get_if<Make>(&value.steps[i]))
      if (make->mode != Mode::kRead && is_archive(*make->kind.operator->())) ++made[make->at];
    if (const Call* call = std::get_if<Call>(&value.steps[i]))
      // Who had to be refused is no writer.
      if (operation(call->op).writes() && (it.wrong != Wrong::kDone || i != it.where.step))
        writers.insert(call->on.begin(), call->on.end());
  }
  return writers.size() > 1 ||
         std::ranges::any_of(made, [](const auto& it) { return it.second > 1; });
}

bool may_write(const Make& make) { return make.kind->writes && make.mode != Mode::kRead; }

// Where nobody may write, the call that changed the disk all the same; it, or a close after it,
// tells so. It may be refused or not where there is nothing to do, and of what is no archive for
// everybody nobody knows what is due: then the disk alone tells.
const Call* forbidden_write(const Case& value, const Difference& it) {
  const bool changed =
      it.wrong == Wrong::kMade || it.wrong == Wrong::kLost || it.wrong == Wrong::kUnreadable;
  if (!changed || std::ranges::any_of(value.steps, [](const Step& step) {
        const Make* make = std::get_if<Make>(&step);
        return make && may_write(*make) && !make->read_only.value_or(false);
      }))
    return nullptr;
  const Call* last = nullptr;
  for (std::size_t i = 0; i < std::min(value.steps.size(), it.where.step + 1); ++i)
    if (const Call* call = std::get_if<Call>(&value.steps[i]); call && operation(call->op).writes())
      last = call;
  return last;
}

// What is left in the program that is not as plain as it could be: the difference needs it, so it
// is of the root.
Words needed(const Case& value, const Difference& it) {
  Words words;
  const auto add = [&](bool is_there, std::string word) {
    if (is_there && std::ranges::find(words, word) == words.end()) words.push_back(std::move(word));
  };
  // Who may not write at all does so whatever lies there, and before it comes to its end.
  const bool forbidden = forbidden_write(value, it) != nullptr;
  add(it.within && !forbidden, kWithin);
  for (const Place& place : value.before)
    for (const Twist& twist : place.twists) add(!forbidden, twist.name);
  for (std::size_t i = 0; i < value.steps.size(); ++i) {
    if (const Make* make = std::get_if<Make>(&value.steps[i])) {
      add(make->read_only.has_value(), kReadOnlyGiven);
      add(make->deflated, kDeflated);
      add(make->relative, kRelative);
    }
    if (const Deed* deed = std::get_if<Deed>(&value.steps[i]))
      add(i != it.where.step, fmt::format("with {}", name_of(deed->what)));
  }
  add(has_several_writers(value, it), kSeveralWriters);
  add(std::ranges::any_of(value.processes,
                          [](const Process& process) { return !process.subject.empty(); }),
      "another release");
  return words;
}

// --- roots that show in many ways, whatever was asked: each has words of its own, or none here

bool has(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// `words`, and those of `needs` that are of the root.
Words with_needs(Words words, const Words& needs, std::span<const std::string_view> of_root) {
  std::ranges::copy_if(needs, std::back_inserter(words), [&](const std::string& it) {
    return std::ranges::find(of_root, it) != of_root.end();
  });
  return words;
}

// A program that needs a relative path is about one that means another place, after a change of the
// directory or at once, whether what lies there, who reads it or who refuses to told so; and
// however the program comes there.
std::optional<Words> words_of_another_place(const Case& value, const Words& needs) {
  if (!has(needs, kRelative)) return std::nullopt;
  constexpr auto kNeeds = std::to_array<std::string_view>({kRelative, kElsewhere});
  return with_needs({kinds_of(value, &Make::relative)}, needs, kNeeds);
}

bool is_of_content(Wrong wrong) {
  constexpr std::array kOfContent{Wrong::kLost, Wrong::kUnreadable, Wrong::kAbsent,
                                  Wrong::kOtherValue, Wrong::kGhost};
  return std::ranges::find(kOfContent, wrong) != kOfContent.end();
}

// Which class zarr chooses for a text does not depend on who wrote what lies there, or may write.
std::optional<Words> words_of_a_chosen_class(const Case& value, const Difference& it) {
  const Step* step = step_of(value, it);
  const Make* make = step ? std::get_if<Make>(step) : nullptr;
  if (!make || it.wrong != Wrong::kState) return std::nullopt;
  return Words{it.oracle, std::string(name_of(it.wrong)), "make on " + make->kind->kind};
}

// What is bound to a process has other content in another one, however it came there.
std::optional<Words> words_of_other_content(const Case& value, const Difference& it,
                                            const Words& journeys) {
  const bool leaves = std::ranges::any_of(
      journeys, [](const std::string& way) { return way == "fork" || way.ends_with(kToAnother); });
  const bool bound = std::ranges::all_of(value.steps, [](const Step& step) {
    const Make* make = std::get_if<Make>(&step);
    return !make || family_of(*innermost(make->kind).operator->()) == StoreFamily::kBound;
  });
  if (!is_of_content(it.wrong) || !leaves || !bound) return std::nullopt;
  return Words{kinds_of(value), "other content in another process"};
}

// Of an archive two roots show in many ways (content is gone, unreadable, shown as before, a file
// made) and at many calls, and how the writers came about, what lay there and how they end does not
// matter. A zip file can have one writer: each writes a directory of what it knows, when it is
// closed. And a store that is told mode and read_only apart may open in a mode that is not its own.
bool spoils_an_archive(const Case& value, const Difference& it, const Words& needs) {
  const bool refused_call =
      refused(it.was) && call_of(value, it) && lacking_attribute(value, it).empty();
  const bool given = has(needs, kReadOnlyGiven), several = has(needs, kSeveralWriters);
  const auto writes = [](const Step& step) {
    const Make* make = std::get_if<Make>(&step);
    return make && may_write(*make);
  };
  return (is_of_content(it.wrong) || (given ? it.wrong == Wrong::kMade : refused_call)) &&
         it.oracle != kReadersAgree && (given || several) &&
         std::ranges::any_of(value.steps, writes) &&
         std::ranges::all_of(value.steps, [&](const Step& step) {
           return !writes(step) || is_archive(*std::get<Make>(step).kind.operator->());
         });
}

// The classes that write, and the error where one is raised.
std::optional<Words> words_of_a_spoiled_archive(const Case& value, const Difference& it,
                                                const Words& needs) {
  if (!spoils_an_archive(value, it, needs)) return std::nullopt;
  std::set<std::string> types;
  for (const Step& step : value.steps)
    if (const Make* make = std::get_if<Make>(&step); make && may_write(*make))
      types.insert(make->kind->type);
  Words words{fmt::format("{}", fmt::join(types, ", "))};
  if (const std::string type = refusal_type(it); !type.empty()) words.push_back(type);
  constexpr auto kNeeds =
      std::to_array<std::string_view>({kReadOnlyGiven, kSeveralWriters, kAnotherRelease});
  return with_needs(std::move(words), needs, kNeeds);
}

// --- all others

Words words_of_the_question(const Case& value, const Difference& it) {
  Words words{it.oracle, std::string(wrong_word(it))};
  if (const Call* write = forbidden_write(value, it))
    words = {kWritable, std::string(name_of(Wrong::kDone)),
             fmt::format("{} on {}", name_of(write->op), kinds_of(value))};
  else
    std::ranges::move(asked(value, it), std::back_inserter(words));
  if (const Call* call = call_of(value, it); call && lacking_attribute(value, it).empty()) {
    if (has_odd_key(value)) words.emplace_back("an odd key");
    if (!it.where.argument.empty() && it.where.argument != "plain")
      words.push_back(fmt::format("{} argument", it.where.argument));
    if (call->by == By::kSync) words.emplace_back("by sync");
  }
  if (it.wrong == Wrong::kState && !it.where.key.empty())
    words.emplace_back(attribute_of(it.where.key));
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
  if (has_odd_key(value)) words += " / an odd key";
  if (!it.where.argument.empty() && it.where.argument != "plain")
    words += fmt::format(" / {} argument", it.where.argument);
  return {.key = std::move(words), .severity = severity_of(value, it), .journey = false};
}

}  // namespace

namespace {

Words words_of(const Case& value, const Difference& it) {
  const Words needs = needed(value, it);
  Words journeys = journeys_of(value);
  if (auto words = words_of_another_place(value, needs)) return *words;
  if (auto words = words_of_a_chosen_class(value, it)) return *words;
  if (auto words = words_of_other_content(value, it, journeys)) return *words;
  if (auto words = words_of_a_spoiled_archive(value, it, needs)) return *words;
  Words words = words_of_the_question(value, it);
  words.insert(words.end(), needs.begin(), needs.end());
  // What hangs in a forked process hangs however it came there.
  if (it.wrong == Wrong::kHang && has(journeys, "fork")) journeys = {"fork"};
  if (!journeys.empty()) words.push_back(fmt::format("after {}", fmt::join(journeys, ", ")));
  return words;
}

}  // namespace

Cause cause_of(const Case& value, const Difference& it) {
  if (it.question) return cause_of_question(value, it);
  return {.key = fmt::format("{}", fmt::join(words_of(value, it), " / ")),
          .severity = severity_of(value, it),
          .journey = has_journey(value)};
}

}  // namespace storefuzz::program
