// What can be falsified: a value becomes another key's, an earlier one, absent, zeros, a byte
// short; a listing loses a name, gains one, names one twice; shown becomes refused and the other
// way round; an attribute goes; the disk changes.
#include "harness/testing/falsify.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>

#include "harness/oracles/oracle.h"

namespace storefuzz::program::test {
namespace {

class Falsifier {
 public:
  Falsifier(const Case& value, Observation& seen, unsigned seed)
      : case_(value), seen_(seen), random_(seed) {
    for (const Place& place : value.before)
      for (const Entry& entry : place.entries) note(entry.key, entry.value.bytes());
  }

  // False: nothing there could be falsified so.
  bool falsify(std::size_t step, std::size_t handle) {
    for (std::size_t i = 0; i <= step; ++i)
      if (const auto* call = std::get_if<Call>(&case_.steps[i]))
        if (operation(call->op).takes.value) note(call->key, call->value.bytes());
    Answer& answer = seen_.steps[step].answers[handle];
    const Answer before = answer;
    const auto& call = std::get<Call>(case_.steps[step]);
    if (refused(answer)) {
      if (random_() % 2)
        answer = Refusal{"AttributeError", {}, {}};
      else
        answer = Shown{None{}};
    } else if (random_() % 4 == 0 || operation(call.op).gives == Gives::kNothing) {
      answer = Refusal{"ValueError", {}, {}};
    } else if (const Shown* found = shown(answer)) {
      Shown value = *found;
      std::visit([&](auto& it) { falsify_value(it, call.key); }, value);
      answer = replaced_ ? *replaced_ : Answer{value};
    }
    return before != answer;
  }

  bool falsify_disk(std::size_t step) {
    auto& disk = seen_.steps[step].disk;
    if (disk.empty()) return false;
    OnDisk& it = std::next(disk.begin(), static_cast<long>(random_() % disk.size()))->second;
    const OnDisk before = it;
    const auto drawn = random_() % 4;
    if (it.content.empty() || drawn == 0)
      it = {.state = OnDisk::State::kContent, .content = {{"ghost", "boo"}}};
    else if (drawn == 1)
      it.content.erase(it.content.begin());
    else if (drawn == 2)
      it.content.begin()->second += "?";
    else
      it = {};
    return it != before;
  }

 private:
  void note(const std::string& key, std::string bytes) { given_.emplace_back(key, bytes); }

  // A value of another key, or an earlier one of this.
  Bytes other_value(const std::string& key, bool same_key) {
    std::vector<Bytes> values;
    for (const auto& [its, bytes] : given_)
      if ((its == key) == same_key) values.push_back(bytes);
    return values.empty() ? "nobody's" : values[random_() % values.size()];
  }

  void falsify_value(BytesValue& it, const std::string& key) {
    switch (random_() % 5) {
      case 0:
        it.bytes = other_value(key, false);
        return;
      case 1:
        it.bytes = other_value(key, true);
        return;
      case 2:
        replaced_ = Shown{None{}};
        return;
      case 3:
        it.bytes = Bytes(it.bytes.size(), '\0');
        return;
      default:
        if (!it.bytes.empty()) it.bytes.pop_back();
    }
  }
  void falsify_value(None&, const std::string& key) {
    replaced_ = Shown{BytesValue{other_value(key, true)}};
  }
  void falsify_value(bool& it, const std::string&) { it = !it; }
  void falsify_value(std::int64_t& it, const std::string&) { it += random_() % 2 ? 1 : -1; }
  void falsify_value(Names& it, const std::string&) {
    std::vector<std::string>& names = it.names;
    if (const auto drawn = random_() % 3; names.empty() || drawn == 0)
      names.emplace_back("ghost");
    else if (drawn == 1)
      names.pop_back();
    else
      names.push_back(names.front());
  }
  void falsify_value(BytesList& it, const std::string&) {
    it.values.front() = it.values.front() ? std::nullopt : std::optional<Bytes>("boo");
  }
  void falsify_value(Attributes& it, const std::string&) {
    if (!it.values.empty()) it.values.pop_back();
  }
  void falsify_value(Numbers& it, const std::string&) {
    if (!it.numbers.empty()) ++it.numbers.front();
  }
  template <class T>
  void falsify_value(T&, const std::string&) {}

  const Case& case_;
  Observation& seen_;
  std::mt19937 random_;
  std::vector<std::pair<std::string, Bytes>> given_;
  std::optional<Answer> replaced_;
};

bool is_told(const Case& value, const Observation& seen, std::size_t step) {
  return std::ranges::any_of(judge(value, seen), [&](const Difference& it) {
    return it.where.step >= step && !it.question;
  });
}

}  // namespace

void Score::add(bool it) {
  told += it;
  ++all;
}

double Score::percent() const {
  return all ? 100.0 * static_cast<double>(told) / static_cast<double>(all) : 100.0;
}

void CorruptionScore::add(const Case& value, const Observation& sound, unsigned seed,
                          const std::string& column) {
  const Judged before = walk(value, sound);
  std::mt19937 random(seed);
  std::vector<const JudgedAnswer*> calls;
  for (const JudgedAnswer& it : before.answers)
    if (std::holds_alternative<Call>(value.steps[it.step]) &&
        !std::holds_alternative<Absent>(*it.answer))
      calls.push_back(&it);
  if (calls.empty()) return;
  const JudgedAnswer& chosen = *calls[random() % calls.size()];
  Observation seen = sound;
  Falsifier falsifier(value, seen, seed);
  if (random() % 8 == 0) {
    if (falsifier.falsify_disk(chosen.step)) disk_.add(is_told(value, seen, chosen.step));
    return;
  }
  if (!falsifier.falsify(chosen.step, chosen.handle)) return;
  const bool told = is_told(value, seen, chosen.step);
  const auto& call = std::get<Call>(value.steps[chosen.step]);
  const Operation& row = operation(call.op);
  const auto kind = kind_of(value, call.on[chosen.handle]);
  all_.add(told);
  table_[std::string(row.word)][column.empty() && kind ? (*kind)->kind : column].add(told);
  if (row.family == Family::kRead || row.family == Family::kListing) reads_.add(told);
  if (!chosen.allowed.exact) return;
  exact_.add(told);
  if (!told)
    missed_ = fmt::format("{} step {} {}: {}", to_text(value), chosen.step, row.word,
                          say(seen.steps[chosen.step].answers[chosen.handle]));
}

void CorruptionScore::print() const {
  std::set<std::string> columns;
  for (const auto& [word, row] : table_)
    for (const auto& [column, score] : row) columns.insert(column);
  fmt::print("{:20}", "told, %");
  for (const std::string& column : columns) fmt::print("{:>18}", column);
  fmt::print("\n");
  for (const auto& [word, row] : table_) {
    fmt::print("{:20}", word);
    for (const std::string& column : columns) {
      const auto it = row.find(column);
      fmt::print("{:>18}", it == row.end()
                               ? "-"
                               : fmt::format("{:.0f} of {}", it->second.percent(), it->second.all));
    }
    fmt::print("\n");
  }
  fmt::print("exact {:.2f} of {}, reads {:.1f} of {}, all {:.1f} of {}, disk {:.1f} of {}\n",
             exact_.percent(), exact_.all, reads_.percent(), reads_.all, all_.percent(), all_.all,
             disk_.percent(), disk_.all);
}

}  // namespace storefuzz::program::test
