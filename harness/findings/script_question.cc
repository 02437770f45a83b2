// What should be there is compared where it is one value; else what was seen.
#include "harness/findings/script_question.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <vector>

#include "harness/base/python_text.h"
#include "harness/case/make_text.h"
#include "harness/findings/script_places.h"
#include "harness/oracles/judged.h"

namespace storefuzz::program {
namespace {

constexpr std::string_view kNoAttribute = "nothing";  // as the oracle says it

// Every value that the case gives to anything.
std::vector<Value> values_of(const Case& value) {
  std::vector<Value> values;
  for (const Place& place : value.before)
    for (const Entry& entry : place.entries) values.push_back(entry.value);
  for (const Step& step : value.steps)
    if (const auto* call = std::get_if<Call>(&step); call && operation(call->op).takes.value)
      values.push_back(call->value);
  return values;
}

// The alternatives of "b\"a@0\" or None" as Python. Empty: one of them is none of the case's.
std::vector<std::string> alternatives(const Case& value, std::string_view should_be) {
  std::vector<std::string> all;
  for (std::string_view rest = should_be; !rest.empty();) {
    constexpr std::string_view kOr = " or ";
    const std::size_t end = std::min(rest.find(kOr), rest.size());
    const std::string_view one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + kOr.size(), rest.size()));
    std::string text = one == "None" ? "None" : "";
    for (const Value& it : values_of(value))
      if (text.empty() && say(Shown{BytesValue{it.bytes()}}) == one) text = value_text(it);
    if (text.empty()) return {};
    if (std::ranges::find(all, text) == all.end()) all.push_back(std::move(text));
  }
  return all;
}

class Asking {
 public:
  Asking(const Case& value, const Difference& difference, const Observation& seen,
         const Words& words)
      : case_(value), told_(difference), seen_(seen), words_(words), judged_(walk(value, seen)) {}

  Result<Question> ask() const {
    switch (told_.wrong) {
      case Wrong::kHang:
        return Question{.form = Question::Form::kHang};
      case Wrong::kDeath:
        return Question{.form = Question::Form::kDeath};
      case Wrong::kStray:
        return left();
      default:
        break;
    }
    const bool of_attribute = shown_as<Attributes>(told_.was) != nullptr;
    if (told_.seen.empty() || told_.question || of_attribute) return of_answer();
    return of_disk();
  }

 private:
  // --- what lies on the disk

  Result<Question> of_disk() const {
    const Make* make = make_at(case_, told_.where.place);
    if (!make || make->kind->medium == Medium::kMemory)
      return bad_input("no script can look at what lies in no file");
    Question question{.form = told_.where.handle.empty() ? Question::Form::kPlace
                                                         : Question::Form::kMoment};
    // At a moment it is asked by a process of its own, which stays where it began.
    const std::string file = question.form == Question::Form::kMoment
                                 ? text_literal(file_name(*make))
                                 : file_text(*make, case_, told_.where.step);
    const std::string content =
        fmt::format("{}({})", make->kind->medium == Medium::kZip ? "archived" : "files", file);
    if (told_.oracle == "readers agree" && told_.wrong != Wrong::kUnreadable) {
      if (told_.wrong == Wrong::kOtherValue) return of_first_entry(std::move(question), file);
      if (told_.wrong != Wrong::kTwice)
        return bad_input("an independent reader is no part of a script");
      question.ask = fmt::format("zipfile.ZipFile({}).namelist()", file);
      question.defect = "len(seen) != len(set(seen))";
      return question;
    }
    if (asks_a_fresh_handle(*make, question)) return question;
    if (told_.where.key.empty() && told_.wrong == Wrong::kLost)
      if (const auto before = std::ranges::find(case_.before, told_.where.place, &Place::name);
          before != case_.before.end() && !before->twists.empty())
        return of_bytes(*before, std::move(question), file);
    if (told_.where.key.empty() && told_.wrong != Wrong::kUnreadable) {
      question.ask = fmt::format("os.path.exists({})", file);
      question.defect = told_.wrong == Wrong::kMade ? "seen" : "not seen";
      return question;
    }
    if (told_.wrong == Wrong::kLost) return lost(std::move(question), content);
    question.ask = fmt::format("sorted({})", content);
    question.defect = told_.wrong == Wrong::kUnreadable
                          ? fmt::format("os.path.exists({}) and {}", file, raised(""))
                          : named("seen", told_.where.key);
    return question;
  }

  // An archive of which nobody can say what is in it has bytes all the same.
  static Result<Question> of_bytes(const Place& place, Question question, const std::string& file) {
    auto bytes = archive_of(place);
    if (!bytes) return std::unexpected(bytes.error());
    question.ask = fmt::format("zlib.crc32(pathlib.Path({}).read_bytes())", file);
    question.defect =
        fmt::format("seen != {}", ::crc32(0, reinterpret_cast<const Bytef*>(bytes->data()),
                                          static_cast<uInt>(bytes->size())));
    return question;
  }

  // A reader that reads from the front takes the first entry of a name, which Python has as well.
  Result<Question> of_first_entry(Question question, const std::string& file) const {
    const auto content = judged_.after->published(told_.where.place);
    if (!content || !content->contains(told_.where.key))
      return bad_input("what is right is not known to the last byte");
    const auto text = literal_of(BytesValue{content->at(told_.where.key)}, case_);
    if (!text) return bad_input("what is right has no form in Python");
    question.ask = fmt::format("first_entry({}, {})", file, text_literal(told_.where.key));
    question.defect = fmt::format("seen != {}", *text);
    return question;
  }

  // The name of a temporary file has a part that is drawn; it was told as "#".
  static std::string named(std::string_view seen, const std::string& key) {
    const std::size_t drawn = key.find('#');
    if (drawn == key.npos) return fmt::format("{} in {}", text_literal(key), seen);
    return fmt::format("any(it.startswith({}) and it.endswith({}) for it in {})",
                       text_literal(key.substr(0, drawn)), text_literal(key.substr(drawn + 1)),
                       seen);
  }

  Result<Question> lost(Question question, const std::string& content) const {
    question.ask = fmt::format("{}.get({})", content, text_literal(told_.where.key));
    const std::vector<std::string> right = alternatives(case_, told_.should_be);
    if (right.size() == 1)
      question.defect = fmt::format("seen != {}", right.front());
    else if (!right.empty())
      question.defect = fmt::format("seen not in [{}]", fmt::join(right, ", "));
    else if (told_.seen == "None")
      question.defect = "seen is None";
    else
      return bad_input("what was lost is no value of the program");
    return question;
  }

  // In a crash state the disk may be right, and who opens it anew be refused or shown another
  // value.
  bool asks_a_fresh_handle(const Make& made, Question& question) const {
    if (question.form != Question::Form::kMoment) return false;
    Make make = made;
    make.mode = Mode::kRead;
    make.read_only.reset();
    make.relative = false;
    const std::string fresh = words_.make(make, false);
    if (told_.should_be == "a store" || told_.should_be == "a listing") {
      question.ask = told_.should_be == "a store"
                         ? fresh
                         : fmt::format("asyncio.run(collect({}.list))", fresh);
      question.defect = raised(told_.seen);
      return true;
    }
    const auto shows_otherwise = [&](const CrashState& state) {
      for (const auto& [key, answer] : state.read) {
        const auto found = state.disk.content.find(key);
        const std::string lies =
            found == state.disk.content.end() ? "None" : say(Shown{BytesValue{found->second}});
        if (key == told_.where.key && say(answer) == told_.seen && lies == told_.should_be)
          return true;
      }
      return false;
    };
    const SeenStep& step = seen_.steps[told_.where.step];
    if (told_.wrong != Wrong::kLost || std::ranges::none_of(step.crash_states, shows_otherwise))
      return false;
    const std::vector<std::string> right = alternatives(case_, told_.should_be);
    if (right.empty()) return false;
    question.ask = fmt::format("data(asyncio.run({}.get({}, prototype)))", fresh,
                               text_literal(told_.where.key));
    // At an earlier moment another value may lie there, and is shown rightly: what was shown here
    // alone is wrong.
    const std::vector<std::string> was = alternatives(case_, told_.seen);
    question.defect = was.empty() ? raised(told_.seen) : fmt::format("seen == {}", was.front());
    return true;
  }

  // --- what is left behind

  Question left() const {
    Question question{.form = Question::Form::kLeft};
    if (told_.seen.ends_with("is still open")) {
      question.ask =
          "[it for it in map(os.path.realpath, pathlib.Path(\"/proc/self/fd\").iterdir()) "
          "if it.startswith(os.getcwd())]";
      question.defect = "seen != []";
      return question;
    }
    std::vector<std::string> places;
    const auto add = [&](const std::string& file) {
      const std::string place = text_literal("a/b/case/" + file + "/");
      if (std::ranges::find(places, place) == places.end()) places.push_back(place);
    };
    for (const Step& step : case_.steps)
      if (const auto* make = std::get_if<Make>(&step); make && !file_name(*make).empty()) {
        add(file_name(*make));
        if (make->kind->keeps) add(file_name(*make) + ".cache");
      }
    question.ask = fmt::format(
        "[it for it in files(os.environ[\"TMPDIR\"]) if not f\"{{it}}/\".startswith(({},))]",
        fmt::join(places, ", "));
    question.defect = "seen != []";
    return question;
  }

  // --- an answer

  const JudgedAnswer* judged() const {
    const auto found = std::ranges::find_if(judged_.answers, [&](const JudgedAnswer& it) {
      return it.step == told_.where.step && it.handle == told_.where.call;
    });
    return found == judged_.answers.end() ? nullptr : &*found;
  }

  const Call* call() const {
    return told_.where.step < case_.steps.size() ? std::get_if<Call>(&case_.steps[told_.where.step])
                                                 : nullptr;
  }

  Result<Question> of_answer() const {
    Question question;
    if (shown_as<Attributes>(told_.was) && call() && call()->op == Op::kState) return of_state();
    if (told_.wrong == Wrong::kState && shown_as<NewHandle>(told_.was)) return of_class();
    if (told_.wrong == Wrong::kDone) {
      question.defect = fmt::format("not {}", raised(""));
      return question;
    }
    const JudgedAnswer* it = judged();
    question.plain =
        shown(told_.was) && it && it->allowed.refusal == RefusalIs::kNotAllowed && !told_.question;
    if (told_.wrong == Wrong::kTwice) {
      // What was refused is a text, in which letters come twice.
      question.defect = "isinstance(seen, list) and len(seen) != len(set(seen))";
      return question;
    }
    const Refusal* refusal = refused(told_.was);
    if (refusal && (told_.wrong == Wrong::kRefused || told_.wrong == Wrong::kUnfittingType)) {
      question.defect = raised(refusal->type);
      return question;
    }
    if (auto text = other_than_right()) {
      question.defect = std::move(*text);
      return question;
    }
    if (told_.oracle == "agreement") return of_two();
    return as_was_seen();
  }

  // One answer is right: the model knows it, or the handle itself gave it before.
  std::optional<std::string> other_than_right() const {
    const JudgedAnswer* it = judged();
    if (it && it->allowed.exact && it->allowed.answers.size() == 1 && !told_.question) {
      const Answer& right = it->allowed.answers.front();
      if (const Refusal* refusal = refused(right))
        return fmt::format("not {}", raised(refusal->type));
      if (const Shown* value = shown(right))
        if (auto text = literal_of(*value, case_)) return fmt::format("seen != {}", *text);
    }
    if (told_.oracle != "parent intact" || !it) return std::nullopt;
    const Answer* before = earlier_answer();
    const Shown* value = before ? shown(*before) : nullptr;
    const auto text = value ? literal_of(*value, case_) : std::nullopt;
    return text ? std::optional(fmt::format("seen != {}", *text)) : std::nullopt;
  }

  // What the same question was answered before, in the words of `should_be`.
  const Answer* earlier_answer() const {
    const Answer* found = nullptr;
    for (const JudgedAnswer& it : judged_.answers) {
      if (it.step >= told_.where.step) break;
      const auto* other = std::get_if<Call>(&case_.steps[it.step]);
      if (other && call() && other->op == call()->op && say(*it.answer) == told_.should_be)
        found = it.answer;
    }
    return found;
  }

  Result<Question> as_was_seen() const {
    Question question;
    if (const Refusal* refusal = refused(told_.was)) {
      question.defect = raised(refusal->type);
      return question;
    }
    const Shown* value = shown(told_.was);
    if (!value) return bad_input("no answer was seen that a script could compare");
    if (const auto text = literal_of(*value, case_)) {
      question.defect = fmt::format("seen == {}", *text);
      return question;
    }
    const auto* bytes = std::get_if<BytesValue>(value);
    if (!bytes) return bad_input("what was answered has no form in Python");
    question.defect = fmt::format("isinstance(seen, bytes) and zlib.crc32(seen) == {}",
                                  ::crc32(0, reinterpret_cast<const Bytef*>(bytes->bytes.data()),
                                          static_cast<uInt>(bytes->bytes.size())));
    return question;
  }

  // Two answers about one content contradict each other, and nobody knows which is wrong.
  Result<Question> of_two() const {
    const JudgedAnswer* now = judged();
    const JudgedAnswer* before = nullptr;
    for (const JudgedAnswer& it : judged_.answers) {
      if (!now || it.step > now->step || &it == now) break;
      if (it.signature == now->signature && it.effects == now->effects && shown(*it.answer))
        before = &it;
    }
    const Shown* value = shown(told_.was);
    if (!before || !value) return as_was_seen();
    const auto first = literal_of(*shown(*before->answer), case_);
    const auto second = literal_of(*value, case_);
    if (!first || !second) return as_was_seen();
    const Call& earlier = std::get<Call>(case_.steps[before->step]);
    Question question{.defect = fmt::format("(expected, seen) == ({}, {})", *first, *second)};
    if (earlier.op == call()->op && earlier.key == call()->key)
      question.defect = "seen != expected";
    question.earlier = {before->step, before->handle,
                        words_.question(earlier, earlier.on[before->handle], case_)};
    return question;
  }

  // Which class zarr chose for a store.
  Result<Question> of_class() const {
    const Make& make = std::get<Make>(case_.steps[told_.where.step]);
    return Question{.form = Question::Form::kPlace,
                    .ask = fmt::format("type({}).__name__", variable(make.as)),
                    .defect = fmt::format("seen != {}", text_literal(make.kind->type))};
  }

  // --- an attribute

  static const std::string* text_of(const Answer& answer, const std::string& name) {
    const auto* all = shown_as<Attributes>(answer);
    if (!all) return nullptr;
    const auto found =
        std::ranges::find(all->values, name, &std::pair<std::string, std::string>::first);
    return found == all->values.end() ? nullptr : &found->second;
  }

  // Whether an answer is what should have been: by the attribute alone, or by all of them.
  bool tells(const Answer& answer, const std::string& name) const {
    const std::string* text = text_of(answer, name);
    return (text ? std::string_view(*text) : kNoAttribute) == told_.should_be ||
           say(answer) == told_.should_be;
  }

  // Of an object that has no text of its own, its class is compared; of a logger, what matters of
  // it.
  static std::string attribute(const std::string& handle, const std::string& name, bool by_class,
                               bool logger) {
    const std::string text = fmt::format("{}.{}", variable(handle), name);
    if (logger) return fmt::format("({0}.level, [*map(type, {0}.handlers)])", text);
    return by_class ? fmt::format("type({}).__name__", text) : text;
  }

  Result<Question> of_state() const {
    const std::string& name = told_.where.key;
    const JudgedAnswer* before = nullptr;
    for (const JudgedAnswer& it : judged_.answers)
      if (it.step < told_.where.step ||
          (it.step == told_.where.step && it.handle < told_.where.call))
        if (shown_as<Attributes>(*it.answer) && tells(*it.answer, name)) before = &it;
    if (!before) return bad_input("the state that is right was not seen");
    const std::string *was = text_of(*before->answer, name), *is = text_of(told_.was, name);
    const auto no_text = [](const std::string* text) { return text && text->starts_with('<'); };
    const bool by_class = no_text(was) || no_text(is);
    const auto is_logger = [](const std::string* text) {
      return text && text->starts_with("<Logger ");
    };
    const bool logger = is_logger(was) && is_logger(is);
    const Call& earlier = std::get<Call>(case_.steps[before->step]);
    Question question{.ask = attribute(call()->on[told_.where.call], name, by_class, logger),
                      .defect = "seen != expected",
                      .earlier = Question::Earlier{
                          before->step, before->handle,
                          attribute(earlier.on[before->handle], name, by_class, logger)}};
    return question;
  }

  const Case& case_;
  const Difference& told_;
  const Observation& seen_;
  const Words& words_;
  const Judged judged_;
};

}  // namespace

std::string raised(const std::string& type) {
  return fmt::format("str(seen).startswith(\"raised {}\")", type.empty() ? "" : type + ":");
}

Result<Question> question_of(const Case& value, const Difference& difference,
                             const Observation& seen, const Words& words) {
  return Asking(value, difference, seen, words).ask();
}

}  // namespace storefuzz::program
