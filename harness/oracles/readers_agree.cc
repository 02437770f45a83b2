// Independent readers, which share no code with the subject, see in an archive what was published:
// each key, its value, nothing else. They are asked about the file as the program left it. That a
// reader has its own way with the archive is no excuse: the subject wrote it.
//
// Not compared is a place of which the content is not exactly known, or one with a name that is no
// path: what such a name means every reader decides for itself.
//
// In an archive that is wrong on purpose nobody can say what is there, and a refusal is safe. But
// where some reader still finds what was put there, and a `get` shows another value, or nothing as
// no reader does, then data is lost in silence. Not told is what is known of the subject's zip
// library and such archives.
#include <fmt/format.h>

#include <algorithm>

#include "harness/case/keys.h"
#include "harness/oracles/oracle.h"
#include "harness/readers/comparison.h"
#include "harness/zip/values.h"

namespace storefuzz::program {
namespace {

Wrong wrong_of(Direction direction) {
  switch (direction) {
    case Direction::kMisses:
      return Wrong::kAbsent;
    case Direction::kOtherData:
    case Direction::kInventedData:
      return Wrong::kOtherValue;
    case Direction::kReadsAlone:
    case Direction::kListsOtherwise:
      return Wrong::kGhost;
    case Direction::kListsTwice:
      return Wrong::kTwice;
    case Direction::kHangs:
      return Wrong::kHang;
    case Direction::kDies:
      return Wrong::kDeath;
    case Direction::kRefuses:
      break;
  }
  return Wrong::kUnreadable;
}

constexpr std::string_view kOfAKey = "key ";

Difference difference_of(const storefuzz::Difference& it, const ReadArchive& archive,
                         std::size_t step) {
  Difference wrong{
      .wrong = wrong_of(it.direction), .should_be = it.others, .seen = it.says, .first = true};
  wrong.where = {.step = step, .operation = it.reader, .place = archive.place};
  if (it.about.starts_with(kOfAKey)) wrong.where.key = it.about.substr(kOfAKey.size());
  return wrong;
}

// What a reader says of a key: its value, that it is missing, or nothing that counts.
enum class Says { kNothing, kMissing, kValue };
struct Said {
  Says what = Says::kNothing;
  ValueSum sum = {};
  bool operator==(const Said&) const = default;
};

Said said(const ReaderReply& reply, const std::string& key) {
  const Json nothing;
  const Json& keys = reply.reply.is_object() ? reply.reply.value("keys", nothing) : nothing;
  const Json answer = keys.is_object() ? keys.value(key, nothing) : nothing;
  if (answer == Json::array({"missing"})) return {.what = Says::kMissing};
  const bool value = answer.is_array() && answer.size() == 3 && answer[0] == "value" &&
                     answer[1].is_number_integer() && answer[2].is_number_integer();
  if (!value) return {};
  return {.what = Says::kValue,
          .sum = {answer[1].get<std::uint64_t>(), answer[2].get<std::uint32_t>()}};
}

Said said(const Answer& answer) {
  if (shown_as<None>(answer)) return {.what = Says::kMissing};
  const auto* bytes = shown_as<BytesValue>(answer);
  return bytes ? Said{.what = Says::kValue, .sum = sum_of(bytes->bytes)} : Said{};
}

// The first `get` that shows otherwise what a reader still finds.
std::optional<Difference> lost_in_silence(const Case& value, const Judged& judged,
                                          const ReadArchive& archive) {
  const auto place = std::ranges::find(value.before, archive.place, &Place::name);
  if (place == value.before.end() || !judged.after->wrong_as_made(archive.place)) return {};
  // A relative path may lead to another file, once somebody is in another directory.
  if (std::ranges::any_of(value.steps, [&](const Step& step) {
        const auto* make = std::get_if<Make>(&step);
        return make && make->at == archive.place && make->relative;
      }))
    return {};
  Handles handles;
  for (const Step& step : value.steps) handles.take(step);
  for (const JudgedAnswer& it : judged.answers) {
    const auto* call = std::get_if<Call>(&value.steps[it.step]);
    if (!call || call->op != Op::kGet || it.allowed.place != archive.place) continue;
    // What has a prefix of its own means another key.
    if (handles.subject_of(call->on[it.handle]) != Subject::kStore) continue;
    const auto entry = std::ranges::find(place->entries, call->key, &Entry::key);
    const Said subject = said(*it.answer);
    if (entry == place->entries.end() || subject.what == Says::kNothing) continue;
    const std::string bytes = entry->value.bytes();
    const auto says = [&](const Said& what) {
      return std::ranges::any_of(archive.replies, [&](const ReaderReply& reply) {
        return said(reply, call->key) == what;
      });
    };
    const Said right{.what = Says::kValue, .sum = sum_of(bytes)};
    const bool missing = subject.what == Says::kMissing;
    if (subject == right || !says(right) || (missing && says(subject))) continue;
    const Wrong what = missing ? Wrong::kAbsent : Wrong::kOtherValue;
    if (archive.known_ways.contains(what)) continue;
    Difference wrong{.wrong = what,
                     .where = where_of(value, it),
                     .should_be = say(Shown{BytesValue{bytes}}),
                     .was = *it.answer,
                     .first = true};
    wrong.where.zip_class = archive.zip_class;
    return wrong;
  }
  return {};
}

}  // namespace

std::vector<Difference> judge_readers_agree(const Case& value, const Judged& judged,
                                            const Observation&) {
  std::vector<Difference> found;
  if (!judged.beside) return found;
  for (const ReadArchive& archive : judged.beside->archives) {
    if (auto wrong = lost_in_silence(value, judged, archive)) found.push_back(std::move(*wrong));
    const auto content = judged.after->published(archive.place);
    if (!content) continue;
    Question question;
    bool paths = true;
    for (const auto& [key, bytes] : *content) {
      paths = paths && plain_key(key);
      question.request.keys.push_back(key);
      question.made[key] = sum_of(bytes);
    }
    if (!paths || value.steps.empty()) continue;
    for (const storefuzz::Difference& it : compare(archive.readers, archive.replies, question))
      found.push_back(difference_of(it, archive, value.steps.size() - 1));
  }
  return found;
}

}  // namespace storefuzz::program
