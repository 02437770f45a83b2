// Independent readers, which share no code with the subject, see in an archive what was published:
// each key, its value, nothing else. They are asked about the file as the program left it. That a
// reader has its own way with the archive is no excuse: the subject wrote it.
//
// Not compared is a place of which the content is not exactly known, or one with a name that is no
// path: what such a name means every reader decides for itself.
#include <fmt/format.h>

#include <algorithm>

#include "harness/case/words.h"
#include "harness/oracles/oracle.h"
#include "harness/readers/comparison.h"

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

}  // namespace

std::vector<Difference> judge_readers_agree(const Case& value, const Judged& judged,
                                            const Observation&) {
  std::vector<Difference> found;
  if (!judged.beside) return found;
  for (const ReadArchive& archive : judged.beside->archives) {
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
