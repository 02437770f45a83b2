// The table of reads, and what the shapes of answers have in common: one key, a listing of names,
// one name, whether anything is there, and a sum of sizes.
#include "harness/model/reads.h"

#include <algorithm>
#include <array>

#include "harness/case/keys.h"

namespace storefuzz::program {
namespace {

Answer bytes_or_none(std::optional<std::string_view> bytes) {
  if (!bytes) return Shown{None{}};
  return Shown{BytesValue{Bytes(*bytes)}};
}

// --- one key: what is shown of a value, or of none

using OneKey = Answer (*)(const Call&, std::optional<std::string_view> value);

std::size_t at(std::int64_t position) { return static_cast<std::size_t>(position); }

Answer whole(const Call&, std::optional<std::string_view> value) { return bytes_or_none(value); }

Answer range(const Call& call, std::optional<std::string_view> value) {
  if (!value || call.start < 0 || call.end < call.start || at(call.start) > value->size())
    return bytes_or_none(value ? std::optional<std::string_view>("") : std::nullopt);
  return bytes_or_none(value->substr(at(call.start), at(call.end - call.start)));
}

Answer from_offset(const Call& call, std::optional<std::string_view> value) {
  if (!value) return bytes_or_none(value);
  if (call.start < 0 || at(call.start) > value->size()) return bytes_or_none("");
  return bytes_or_none(value->substr(at(call.start)));
}

Answer suffix(const Call& call, std::optional<std::string_view> value) {
  if (!value) return bytes_or_none(value);
  if (call.start <= 0) return bytes_or_none("");
  return bytes_or_none(value->substr(value->size() - std::min(at(call.start), value->size())));
}

Answer in_a_list(const Call&, std::optional<std::string_view> value) {
  if (!value) return Shown{BytesList{{std::nullopt}}};
  return Shown{BytesList{{Bytes(*value)}}};
}

Answer there(const Call&, std::optional<std::string_view> value) {
  return Shown{value.has_value()};
}

// That nothing is there is an answer, and this error is how it is said.
Answer size(const Call&, std::optional<std::string_view> value) {
  if (!value) return Refusal{"FileNotFoundError", {}, {}};
  return Shown{static_cast<std::int64_t>(value->size())};
}

// --- listings: the name under which a key is shown, or none

using Named = std::optional<std::string_view> (*)(std::string_view argument, std::string_view key);

// What follows "path/"; the root has no name.
std::optional<std::string_view> below(std::string_view path, std::string_view key) {
  path = without_slash(path);
  if (!lies_below(key, path)) return {};
  return path.empty() ? key : key.substr(path.size() + 1);
}

std::optional<std::string_view> every(std::string_view, std::string_view key) { return key; }

std::optional<std::string_view> under_prefix(std::string_view prefix, std::string_view key) {
  if (key.starts_with(prefix)) return key;
  return {};
}

std::optional<std::string_view> first_component(std::string_view path, std::string_view key) {
  const auto rest = below(path, key);
  if (!rest || rest->substr(0, rest->find('/')).empty()) return {};
  return rest->substr(0, rest->find('/'));
}

std::optional<std::string_view> under_folder(std::string_view path, std::string_view key) {
  if (below(path, key)) return key;
  return {};
}

enum class Shape { kOneKey, kNames, kOneName, kNothingThere, kSum };

struct Read {
  Op op;
  Shape shape;
  OneKey one_key = nullptr;
  Named named = nullptr;
  bool whole_keys = false;  // a name is a key: which names are shown says which keys are there
};

constexpr Read kReads[] = {
    {Op::kGet, Shape::kOneKey, whole},
    {Op::kGetRange, Shape::kOneKey, range},
    {Op::kGetOffset, Shape::kOneKey, from_offset},
    {Op::kGetSuffix, Shape::kOneKey, suffix},
    {Op::kGetPartialValues, Shape::kOneKey, in_a_list},
    {Op::kExists, Shape::kOneKey, there},
    {Op::kGetSize, Shape::kOneKey, size},
    {Op::kList, Shape::kNames, nullptr, every, true},
    {Op::kListPrefix, Shape::kNames, nullptr, under_prefix, true},
    {Op::kListDir, Shape::kNames, nullptr, first_component},
    {Op::kListHalf, Shape::kOneName, nullptr, every},
    {Op::kIsEmpty, Shape::kNothingThere, nullptr, under_folder},
    {Op::kGetSizePrefix, Shape::kSum, nullptr, under_folder},
};

const Read* read_of(Op op) {
  static constexpr auto rows = [] {
    std::array<const Read*, 64> all{};
    for (const Read& row : kReads) all[static_cast<std::size_t>(row.op)] = &row;
    return all;
  }();
  return rows[static_cast<std::size_t>(answers_like(op))];
}

Answer answer_for(const Read& row, const Question& question, const Book& book, Values bit) {
  if (bit == kGone) return row.one_key(*question.call, std::nullopt);
  return row.one_key(*question.call, book.bytes(*question.key, bit));
}

Values values_of(const Question& question, const Content& content) {
  return question.key ? content[*question.key] : kGone;
}

// Visits (key, its name, its values) of what the question may show.
template <class Visit>
void for_each_shown(const Read& row, const Question& question, const Book& book,
                    const Content& content, Visit visit) {
  for (KeyId key = 0; key < content.size(); ++key) {
    if (content[key] == kGone) continue;
    std::string_view name = book.name(key);
    if (!name.starts_with(question.prefix)) continue;
    name.remove_prefix(question.prefix.size());
    if (const auto shown = row.named(question.call->key, name)) visit(key, *shown, content[key]);
  }
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// What may be there, what surely is, and the sizes of both.
struct Sums {
  std::vector<std::string> possible, sure;
  std::int64_t least = 0, most = 0;
};

Sums sums(const Read& row, const Question& question, const Book& book, const Content& content) {
  Sums all;
  for_each_shown(row, question, book, content,
                 [&](KeyId key, std::string_view name, Values values) {
                   if (!has(all.possible, name)) all.possible.emplace_back(name);
                   if (!(values & kGone) && !has(all.sure, name)) all.sure.emplace_back(name);
                   if (row.shape != Shape::kSum) return;
                   std::int64_t least = values & kGone ? 0 : INT64_MAX, most = 0;
                   for_each_bit(values & kEvery, [&](Values bit) {
                     const auto size = static_cast<std::int64_t>(book.bytes(key, bit).size());
                     least = std::min(least, size);
                     most = std::max(most, size);
                   });
                   all.least += least;
                   all.most += most;
                 });
  return all;
}

bool fits_one_key(const Read& row, const Question& question, const Book& book,
                  const Content& content, const Answer& answer, Content& narrowed) {
  Values kept = 0;
  for_each_bit(values_of(question, content), [&](Values bit) {
    if (same_answer(answer_for(row, question, book, bit), answer)) kept |= bit;
  });
  if (kept && question.key) narrowed.put(*question.key, kept);
  return kept != 0;
}

bool fits_names(const Read& row, const Question& question, const Book& book, const Content& content,
                const Names& names, Content& narrowed) {
  const Sums all = sums(row, question, book, content);
  for (const std::string& name : all.sure)
    if (!has(names.names, name)) return false;
  for (const std::string& name : names.names)
    if (!has(all.possible, name)) return false;
  if (!row.whole_keys) return true;
  for_each_shown(row, question, book, content,
                 [&](KeyId key, std::string_view name, Values values) {
                   narrowed.put(key, has(names.names, name) ? values & ~kGone : kGone);
                 });
  return true;
}

bool fits_aggregate(const Read& row, const Question& question, const Book& book,
                    const Content& content, const Answer& answer) {
  const Sums all = sums(row, question, book, content);
  if (row.shape == Shape::kSum) {
    const auto* sum = shown_as<std::int64_t>(answer);
    return sum && all.least <= *sum && *sum <= all.most;
  }
  if (row.shape == Shape::kNothingThere) {
    const auto* empty = shown_as<bool>(answer);
    return empty && (*empty ? all.sure.empty() : !all.possible.empty());
  }
  const auto* names = shown_as<Names>(answer);
  if (!names || names->names.size() > 1) return false;
  return names->names.empty() ? all.sure.empty() : has(all.possible, names->names.front());
}

// Which presence of each key, and for sums which value, decides the answer.
bool decided(const Read& row, Values values) {
  return row.shape == Shape::kSum ? single(values) : !(values & kGone);
}

bool past_the_end(const Question& question, std::string_view value) {
  const Call& call = *question.call;
  // Who asks for ranges asks for a range in two: the second half is one as well.
  const bool in_two = question.op != Op::kGetRange;
  switch (answers_like(question.op)) {
    case Op::kGetRange:
      return at(in_two ? (call.start + call.end) / 2 : call.start) >= value.size();
    case Op::kGetOffset:
      return at(call.start) >= value.size();
    default:
      return false;
  }
}

bool odd_range(const Question& question) {
  const Call& call = *question.call;
  switch (answers_like(question.op)) {
    case Op::kGetRange:
      return call.start < 0 || call.end <= call.start;
    case Op::kGetOffset:
      return call.start < 0;
    case Op::kGetSuffix:
      return call.start <= 0;
    default:
      return false;
  }
}

}  // namespace

bool reads(Op op) { return read_of(op) != nullptr; }

bool reads_one_key(Op op) { return reads(op) && read_of(op)->shape == Shape::kOneKey; }

bool same_answer(const Answer& one, const Answer& other) {
  if (const Refusal* refusal = refused(one))
    return refused(other) && refusal->type == refused(other)->type;
  const Shown* left = shown(one);
  const Shown* right = shown(other);
  return left && right && *left == *right;
}

bool fits(const Question& question, const Book& book, const Content& content, const Answer& answer,
          Content& narrowed) {
  const Read& row = *read_of(question.op);
  switch (row.shape) {
    case Shape::kOneKey:
      return fits_one_key(row, question, book, content, answer, narrowed);
    case Shape::kNames: {
      const auto* names = shown_as<Names>(answer);
      return names && fits_names(row, question, book, content, *names, narrowed);
    }
    default:
      return fits_aggregate(row, question, book, content, answer);
  }
}

std::optional<Answer> only_answer(const Question& question, const Book& book,
                                  const Content& content) {
  const Read& row = *read_of(question.op);
  if (row.shape == Shape::kOneKey) {
    std::optional<Answer> only;
    bool several = false;
    for_each_bit(values_of(question, content), [&](Values bit) {
      Answer answer = answer_for(row, question, book, bit);
      if (only && !same_answer(*only, answer)) several = true;
      only = std::move(answer);
    });
    if (several) return {};
    return only;
  }
  bool open = false;
  std::size_t shown_keys = 0;
  for_each_shown(row, question, book, content, [&](KeyId, std::string_view, Values values) {
    ++shown_keys;
    open = open || !decided(row, values);
  });
  if (open || (row.shape == Shape::kOneName && shown_keys > 1)) return {};
  return some_answer(question, book, content);
}

Answer some_answer(const Question& question, const Book& book, const Content& content) {
  const Read& row = *read_of(question.op);
  if (row.shape == Shape::kOneKey) {
    Values newest = kGone;
    for_each_bit(values_of(question, content), [&](Values bit) { newest = bit; });
    return answer_for(row, question, book, newest);
  }
  Sums all = sums(row, question, book, content);
  switch (row.shape) {
    case Shape::kSum:
      return Shown{all.most};
    case Shape::kNothingThere:
      return Shown{all.possible.empty()};
    case Shape::kOneName:
      all.possible.resize(std::min<std::size_t>(1, all.possible.size()));
      [[fallthrough]];
    default:
      return Shown{Names{std::move(all.possible)}};
  }
}

bool is_edge(const Question& question, const Book& book, const Content& content) {
  if (odd_range(question)) return true;
  bool edge = false;
  if (reads_one_key(question.op))
    for_each_bit(values_of(question, content) & kEvery, [&](Values bit) {
      edge = edge || past_the_end(question, book.bytes(*question.key, bit));
    });
  return edge;
}

bool named_twice(const Answer& answer) {
  const auto* names = shown_as<Names>(answer);
  if (!names) return false;
  std::vector<std::string_view> sorted(names->names.begin(), names->names.end());
  std::ranges::sort(sorted);
  return std::ranges::adjacent_find(sorted) != sorted.end();
}

Wrong wrong_of(const Question& question, const Book& book, const Content& content,
               const Answer& answer) {
  if (named_twice(answer)) return Wrong::kTwice;
  const Read& row = *read_of(question.op);
  if (row.shape == Shape::kOneKey) {
    const Answer gone = answer_for(row, question, book, kGone);
    if (same_answer(gone, answer)) return Wrong::kAbsent;
    return values_of(question, content) == kGone ? Wrong::kGhost : Wrong::kOtherValue;
  }
  const Sums all = sums(row, question, book, content);
  if (const auto* names = shown_as<Names>(answer)) {
    const auto missing = [&](const std::string& name) { return !has(names->names, name); };
    const bool lost =
        row.shape == Shape::kNames ? std::ranges::any_of(all.sure, missing) : names->names.empty();
    return lost ? Wrong::kAbsent : Wrong::kGhost;
  }
  if (const auto* empty = shown_as<bool>(answer)) return *empty ? Wrong::kAbsent : Wrong::kGhost;
  if (const auto* sum = shown_as<std::int64_t>(answer))
    return *sum < all.least ? Wrong::kAbsent : Wrong::kGhost;
  return Wrong::kOtherValue;
}

bool ever_given(const Question& question, const Book& book, const Answer& answer) {
  if (!reads_one_key(question.op)) return true;
  if (!question.key) {
    Content none, narrowed;
    return fits(question, book, none, answer, narrowed);
  }
  Content every, narrowed;
  every.put(*question.key, book.ever(*question.key) | kGone);
  return fits(question, book, every, answer, narrowed);
}

std::vector<std::string> names_in(const Question& question, const Book& book,
                                  const Content& content) {
  Call call;
  Question all = question;
  all.op = Op::kList;
  all.call = &call;
  return sums(*read_of(Op::kList), all, book, content).possible;
}

}  // namespace storefuzz::program
