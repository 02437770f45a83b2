// See comparison.h.
#include "harness/readers/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "harness/base/text.h"
#include "harness/readers/names.h"

namespace storefuzz {
namespace {

// One reader's answer to one question.
struct Said {
  enum class Kind { kNothing, kValue, kMissing, kRefused } kind = Kind::kNothing;
  Json value;        // of a value: what is compared
  std::string text;  // for a person
};

std::string text_at(const Json& list, std::size_t at) {
  return at < list.size() && list[at].is_string() ? list[at].get<std::string>() : std::string();
}

// Size and CRC of a key's value; that of an array has more, or it is nothing of the protocol.
bool is_sum(const Json& value) {
  return value.size() == 2 && value[0].is_number_integer() && value[1].is_number_integer();
}

Said said(const Json& answer) {
  if (!answer.is_array() || answer.empty()) return {};
  const std::string word = text_at(answer, 0);
  if (word == "missing") return {Said::Kind::kMissing, {}, "missing"};
  if (word == "refused") {
    const std::string type = text_at(answer, 1);
    if (is_bound(type)) return {};
    return {Said::Kind::kRefused, {}, fmt::format("refused {}: {}", type, text_at(answer, 2))};
  }
  if (word != "value") return {};
  Json value = Json::array();
  for (std::size_t i = 1; i < answer.size(); ++i) value.push_back(answer[i]);
  if (!value.empty() && value[0] == "bool")
    value[0] = "uint8";  // GDAL has no bool; the bytes are the same
  return {Said::Kind::kValue, value,
          is_sum(value) ? fmt::format("{} bytes, crc {:#010x}", value[0].get<std::uint64_t>(),
                                      value[1].get<std::uint32_t>())
                        : value.dump()};
}

// A reader that did not open the archive refuses everything in it.
Said answer_of(const ReaderReply& reply, const char* view, const std::string& name) {
  if (!reply.reply.is_object()) return {};
  const auto opened = reply.reply.find("opened");
  if (opened != reply.reply.end() && said(*opened).kind == Said::Kind::kRefused)
    return said(*opened);
  const auto answers = reply.reply.find(view);
  if (answers == reply.reply.end() || !answers->is_object()) return {};
  const auto answer = answers->find(name);
  return answer == answers->end() ? Said{} : said(*answer);
}

class Comparison {
 public:
  Comparison(const std::vector<ReaderInfo>& readers, const std::vector<ReaderReply>& replies,
             const Question& question)
      : readers_(readers), replies_(replies), question_(question) {}

  std::vector<Difference> run() {
    deaths();
    for (const std::string& key : question_.request.keys) values("keys", "key", key);
    for (const std::string& path : question_.request.arrays) values("arrays", "array", path);
    listings();
    std::ranges::sort(found_, {}, [&](const Difference& it) {
      return std::pair(place_of(it.reader), it.direction);
    });
    return std::move(found_);
  }

 private:
  std::size_t place_of(const std::string& reader) const {
    for (std::size_t i = 0; i < readers_.size(); ++i)
      if (readers_[i].name == reader) return i;
    return readers_.size();
  }

  // The same store seen from another process, which says the same: told once.
  bool repeats(std::size_t reader) const {
    for (std::size_t i = 0; i < reader; ++i)
      if (readers_[reader].name == readers_[i].name + " child" &&
          replies_[reader].reply == replies_[i].reply && replies_[reader].died == replies_[i].died)
        return true;
    return false;
  }

  void add(std::size_t reader, Direction direction, std::string about, std::string says,
           std::string others) {
    if (repeats(reader)) return;
    for (Difference& difference : found_)
      if (difference.reader == readers_[reader].name && difference.direction == direction) {
        ++difference.times;
        return;
      }
    found_.push_back({readers_[reader].name, readers_[reader].version, direction, std::move(about),
                      std::string(shorten(says, 200)), std::string(shorten(others, 200)), 1});
  }

  void deaths() {
    for (std::size_t i = 0; i < readers_.size(); ++i) {
      if (const auto* crash = std::get_if<Crashed>(&replies_[i].died))
        add(i, Direction::kDies, "archive", crash->signal, "others answer");
      if (std::holds_alternative<TimedOut>(replies_[i].died))
        add(i, Direction::kHangs, "archive", "no answer in time", "others answer");
    }
  }

  // One vote for a library: that of its first reader.
  bool votes(std::size_t reader) const {
    for (std::size_t i = 0; i < reader; ++i)
      if (library_of(readers_[i].name) == library_of(readers_[reader].name)) return false;
    return true;
  }

  using Votes = std::vector<std::pair<Json, std::size_t>>;

  static void vote(Votes& votes, const Json& value) {
    const auto known = std::ranges::find(votes, value, &Votes::value_type::first);
    if (known == votes.end())
      votes.emplace_back(value, 1);
    else
      ++known->second;
  }

  // The value with most votes; null where two have the same number, or there is none.
  static Json most_voted(const Votes& votes) {
    std::size_t most = 0;
    for (const auto& [value, count] : votes) most = std::max(most, count);
    const auto has_most = [&](const auto& it) { return it.second == most; };
    if (most == 0 || std::ranges::count_if(votes, has_most) != 1) return {};
    return std::ranges::find_if(votes, has_most)->first;
  }

  void values(const char* view, const char* what, const std::string& name) {
    std::vector<Said> answers;
    Votes votes_for;
    std::size_t libraries = 0, givers = 0;
    const bool array = std::string_view(view) == "arrays";
    const bool encrypted = !array && question_.encrypted.contains(name);
    for (std::size_t i = 0; i < readers_.size(); ++i) {
      answers.push_back(answer_of(replies_[i], view, name));
      if (answers.back().kind == Said::Kind::kRefused && question_.sound && array)
        answers.back() = {};
      const Said& answer = answers.back();
      if (answer.kind == Said::Kind::kNothing || !votes(i)) continue;
      ++libraries;
      if (answer.kind != Said::Kind::kValue || encrypted) continue;
      ++givers;
      vote(votes_for, answer.value);
    }
    const auto made = question_.made.find(name);
    const bool known = made != question_.made.end() && !array;
    const Json right =
        known ? Json::array({made->second.size, made->second.crc}) : most_voted(votes_for);
    const bool expected = known || 2 * givers >= libraries;
    const std::string about = fmt::format("{} {}", what, name);
    if ((libraries < 2 || givers == 0) && !known && !encrypted)
      for (Said& answer : answers)  // nothing to compare with; but an invented value tells itself
        if (answer.kind != Said::Kind::kValue || honest(answer.value)) answer = {};
    for (std::size_t i = 0; i < readers_.size(); ++i) {
      const Said& answer = answers[i];
      if (encrypted && answer.kind == Said::Kind::kValue && honest(answer.value))
        add(i, Direction::kOtherData, about, answer.text, others(answers, i, right));
      else
        value(i, answer, right, expected, about, others(answers, i, right));
    }
  }

  void value(std::size_t reader, const Said& answer, const Json& right, bool expected,
             const std::string& about, const std::string& others) {
    if (answer.kind == Said::Kind::kNothing) return;
    if (answer.kind == Said::Kind::kRefused && expected)
      add(reader, Direction::kRefuses, about, answer.text, others);
    if (answer.kind == Said::Kind::kMissing && expected)
      add(reader, Direction::kMisses, about, answer.text, others);
    if (answer.kind != Said::Kind::kValue) return;
    if (!honest(answer.value))
      return add(reader, Direction::kInventedData, about, answer.text, others);
    if (!expected) return add(reader, Direction::kReadsAlone, about, answer.text, others);
    if (answer.value != right) add(reader, Direction::kOtherData, about, answer.text, others);
  }

  bool honest(const Json& value) const {
    return question_.honest.empty() || !is_sum(value) ||
           question_.honest.contains(
               {value[0].get<std::uint64_t>(), value[1].get<std::uint32_t>()});
  }

  // What the first reader of another library says that says something else; or what is right.
  std::string others(const std::vector<Said>& answers, std::size_t reader,
                     const Json& right) const {
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (library_of(readers_[i].name) == library_of(readers_[reader].name)) continue;
      if (answers[i].kind == Said::Kind::kNothing) continue;
      if (answers[i].kind == answers[reader].kind && answers[i].value == answers[reader].value)
        continue;
      return fmt::format("{}: {}", readers_[i].name, answers[i].text);
    }
    return right.is_null() ? std::string() : fmt::format("its maker: {}", right.dump());
  }

  using Names = std::optional<std::vector<std::string>>;  // of one reader; or none to compare

  // Names as a store has them: folders, which end in a slash, are none.
  Names listed(std::size_t reader) const {
    if (!replies_[reader].reply.is_object()) return std::nullopt;
    const auto list = replies_[reader].reply.find("listed");
    if (list == replies_[reader].reply.end() || !list->is_array()) return std::nullopt;
    if (list->size() >= kMostListed) return std::nullopt;  // readers end there
    std::vector<std::string> names;
    for (const Json& name : *list) {
      if (!name.is_string()) return std::nullopt;
      if (!name.get<std::string>().ends_with('/')) names.push_back(name);
    }
    if (list->size() == 3 && names.size() == 3 && names[0] == "refused") return std::nullopt;
    std::ranges::sort(names);
    return names;
  }

  void listings() {
    std::vector<Names> lists, sets;
    for (std::size_t i = 0; i < readers_.size(); ++i) {
      lists.push_back(listed(i));
      sets.push_back(lists.back());
      if (sets.back())
        sets.back()->erase(std::unique(sets.back()->begin(), sets.back()->end()),
                           sets.back()->end());
    }
    names_differ(sets);
    twice(lists, sets);
  }

  void names_differ(const std::vector<Names>& sets) {
    Votes votes_for;
    for (std::size_t i = 0; i < sets.size(); ++i) {
      if (!sets[i] || !votes(i)) continue;
      vote(votes_for, *sets[i]);
    }
    if (votes_for.size() < 2) return;
    const Json right = most_voted(votes_for);
    if (right.is_null()) return;  // each another list: the values tell who is right
    for (std::size_t i = 0; i < sets.size(); ++i)
      if (sets[i] && Json(*sets[i]) != right)
        add(i, Direction::kListsOtherwise, "listing", written(Json(*sets[i])), written(right));
  }

  static std::string written(const Json& names) {
    return names.dump(-1, ' ', true, Json::error_handler_t::replace);
  }

  void twice(const std::vector<Names>& lists, const std::vector<Names>& sets) {
    std::size_t libraries = 0, doubles = 0;
    for (std::size_t i = 0; i < lists.size(); ++i) {
      if (!lists[i] || !votes(i)) continue;
      ++libraries;
      doubles += lists[i]->size() != sets[i]->size();
    }
    if (2 * doubles > libraries) return;
    for (std::size_t i = 0; i < lists.size(); ++i)
      if (lists[i] && lists[i]->size() != sets[i]->size())
        add(i, Direction::kListsTwice, "listing", fmt::format("{} names", lists[i]->size()),
            fmt::format("{} different ones", sets[i]->size()));
  }

  const std::vector<ReaderInfo>& readers_;
  const std::vector<ReaderReply>& replies_;
  const Question& question_;
  std::vector<Difference> found_;
};

}  // namespace

std::string_view name_of(Direction direction) {
  switch (direction) {
    case Direction::kRefuses:
      return "refuses";
    case Direction::kMisses:
      return "misses";
    case Direction::kOtherData:
      return "other data";
    case Direction::kInventedData:
      return "invented data";
    case Direction::kReadsAlone:
      return "reads alone";
    case Direction::kListsOtherwise:
      return "lists otherwise";
    case Direction::kListsTwice:
      return "lists twice";
    case Direction::kHangs:
      return "hangs";
    case Direction::kDies:
      return "dies";
  }
  return "";
}

bool silent(Direction direction) {
  return direction == Direction::kMisses || direction == Direction::kOtherData ||
         direction == Direction::kInventedData;
}

std::string_view library_of(std::string_view reader) {
  return reader.substr(0, reader.find_first_of("- "));
}

std::vector<Difference> compare(const std::vector<ReaderInfo>& readers,
                                const std::vector<ReaderReply>& replies, const Question& question) {
  return Comparison(readers, replies, question).run();
}

Tally tally(const ReaderReply& reply, const std::vector<Difference>& differences,
            std::string_view reader) {
  Tally count;
  for (const Difference& it : differences)
    if (it.reader == reader && silent(it.direction)) count.silences += it.times;
  if (!reply.reply.is_object()) return count;
  const auto opened = reply.reply.find("opened");
  if (opened != reply.reply.end() && said(*opened).kind == Said::Kind::kRefused) count.refusals = 1;
  for (const char* view : {"keys", "arrays"}) {
    const auto answers = reply.reply.find(view);
    if (answers == reply.reply.end() || !answers->is_object()) continue;
    for (const Json& answer : *answers) {
      const Said it = said(answer);
      count.values += it.kind == Said::Kind::kValue;
      count.refusals += it.kind == Said::Kind::kRefused;
    }
  }
  return count;
}

}  // namespace storefuzz
