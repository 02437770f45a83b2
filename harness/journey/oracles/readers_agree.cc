// readers agree: do zarr and independent readers see the same in the same archive?
//
// An archive that is wrong on purpose: zarr's answers are compared with those of the others, by
// the class of its bytes; only what zarr does is told. An archive that a ZipStore wrote: the others
// are compared with what was acknowledged; whatever they see else is told, for it is zarr's
// archive.
#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/journey/oracles/all.h"
#include "harness/readers/comparison.h"
#include "harness/readers/names.h"
#include "harness/zip/classes.h"

namespace storefuzz {
namespace {

// The bytes behind a shown value: their number and CRC.
Json value_answer(const Json& value) {
  if (value.is_null()) return Json::array({"missing"});
  if (value.is_object() && value.contains("crc32"))
    return Json::array({"value", value["size"], value["crc32"]});
  if (!value.is_object() || !value.contains("bytes")) return Json();
  const ValueSum sum = sum_of(bytes_of_latin1(value["bytes"].get<std::string>()));
  return Json::array({"value", sum.size, sum.crc});
}

Json answer_of(const Answer& answer) {
  if (const Refused* no = refused(answer)) return Json::array({"refused", no->type, no->text});
  const Shown* it = shown(answer);
  return it ? value_answer(it->value) : Json();
}

// A side of the journey as a reader on the panel.
ReaderReply reply_of(const Observations& seen, const View& view) {
  Json keys = Json::object();
  Json listed;
  for (std::size_t i = 0; i < view.looks.size(); ++i) {
    const Look& look = seen.plan[i];
    if (look.name == "get") keys[look.entry.key] = answer_of(view.looks[i]);
    const Shown* all = look.name == "list" ? shown(view.looks[i]) : nullptr;
    if (all) listed = all->value;
  }
  return {.reply = reply_when_opened(std::move(listed), std::move(keys)), .died = {}};
}

class Judge {
 public:
  Judge(const Case& value, const Observations& seen) : value_(value), seen_(seen) {
    for (const Reading& it : seen.readings) {
      readers_.push_back({.name = it.reader, .version = it.version, .views = {"keys"}});
      replies_.push_back({.reply = it.reply, .died = it.died});
    }
    for (std::size_t i = 0; i < seen.plan.size(); ++i)
      if (seen.plan[i].name == "get") question_.request.keys.push_back(seen.plan[i].entry.key);
  }

  std::vector<Disagreement> wrong_archive(const View& view, const std::string& side) {
    readers_.insert(readers_.begin(), {.name = "zarr", .version = "", .views = {"keys"}});
    replies_.insert(replies_.begin(), reply_of(seen_, view));
    question_.honest = values_in(seen_.archive_end);
    const Classified kind = classify(seen_.archive_end);
    const std::vector<Difference> all = compare(readers_, replies_, question_);
    const auto told_by_values = [](const Difference& it) {
      return it.reader == "zarr" && silent(it.direction);
    };
    const bool values = std::ranges::any_of(all, told_by_values);
    for (const Difference& it : all) {
      // A listing shows what the values show.
      if (it.reader != "zarr" || (values && it.direction == Direction::kListsOtherwise)) continue;
      if (it.direction == Direction::kListsTwice) continue;  // the listing oracle asks that
      add(kind, it, side,
          fmt::format("{} in a zip file of class {} ({}): {}", what(it), kind.name,
                      says_of(kind.name), comparison(it)));
    }
    return std::move(found_);
  }

  std::vector<Disagreement> written_archive(const Content& content) {
    for (const auto& [key, bytes] : content) question_.made[key] = sum_of(bytes);
    std::erase_if(question_.request.keys,
                  [&](const std::string& key) { return !content.contains(key); });
    for (const Difference& it : compare(readers_, replies_, question_))
      if (it.direction != Direction::kListsOtherwise && it.direction != Direction::kListsTwice)
        add({.name = "what it wrote", .why = {}, .all = {}}, it, "child",
            fmt::format("{} sees {} in the archive that a {} wrote; {}", it.reader, it.says,
                        store_name(value_), it.others));
    return std::move(found_);
  }

 private:
  std::string what(const Difference& it) const {
    const int look = look_of(it);
    return fmt::format("`{}` of a {} {}", look < 0 ? "list()" : say(seen_.plan[look]),
                       store_name(value_), does(it.direction));
  }

  static std::string_view does(Direction direction) {
    switch (direction) {
      case Direction::kRefuses:
        return "refuses what others read";
      case Direction::kMisses:
        return "finds nothing where others read a value";
      case Direction::kOtherData:
        return "gives other data than others";
      case Direction::kInventedData:
        return "gives data that is not in the file";
      case Direction::kReadsAlone:
        return "gives what others refuse";
      case Direction::kListsOtherwise:
        return "names other keys than others";
      case Direction::kListsTwice:
        return "names a key twice";
      case Direction::kHangs:
      case Direction::kDies:
        return name_of(direction);
    }
    return "";
  }

  static std::string comparison(const Difference& it) {
    return it.others.empty() ? it.says : fmt::format("{}, but {}", it.says, it.others);
  }

  // The look behind "key c/0" and "listing".
  int look_of(const Difference& it) const {
    for (std::size_t i = 0; i < seen_.plan.size(); ++i) {
      const Look& look = seen_.plan[i];
      if (look.name == "get" && it.about == "key " + look.entry.key) return static_cast<int>(i);
      if (look.name == "list" && it.about == "listing") return static_cast<int>(i);
    }
    return -1;
  }

  void add(const Classified& kind, const Difference& it, const std::string& side,
           std::string headline) {
    const int look = look_of(it);
    const View& view = side == "parent" ? seen_.parent : seen_.child;
    const bool known = look >= 0 && look < static_cast<int>(view.looks.size());
    found_.push_back({.oracle = "readers agree",
                      .field = kind.name,
                      .also = kind.all,
                      .wrong = std::string(name_of(it.direction)),
                      .headline = std::move(headline),
                      .parent = Shown{it.others},
                      .child = known ? view.looks[look] : Answer{Shown{it.says}},
                      .side = side,
                      .look = look});
  }

  const Case& value_;
  const Observations& seen_;
  std::vector<ReaderInfo> readers_;
  std::vector<ReaderReply> replies_;
  Question question_;
  std::vector<Disagreement> found_;
};

}  // namespace

std::string why_readers_have_no_say(const Case& value, const Expectation& expected,
                                    const Observations& seen) {
  if (wrong_on_purpose(value))
    return child_looked(seen) || !seen.parent.looks.empty() ? "" : "nobody looked";
  if (!expected.certain || !shown(seen.parent.left))
    return "the archive is not known to be complete";
  if (expected.unclaimed || expected.missing || expected.exists_already || expected.gone)
    return "the archive is not the store's";
  for (const auto& [key, bytes] : expected.content)
    if (!plain_key(key)) return "each reader spells odd names in its own way";
  for (std::size_t i = 0; i < seen.child.looks.size(); ++i)
    if (seen.plan[i].group == LookGroup::kWrites && shown(seen.child.looks[i]))
      return "the child wrote as well";  // on disk and writable judge it
  return "";
}

Verdict judge_readers_agree(const Case& value, const Expectation& expected,
                            const Observations& seen) {
  if (seen.readings.empty()) return not_comparable("no independent reader was asked");
  if (std::string why = why_readers_have_no_say(value, expected, seen); !why.empty())
    return not_comparable(std::move(why));
  if (!wrong_on_purpose(value))
    return agree_or(Judge(value, seen).written_archive(expected.content));
  const bool away = child_looked(seen);
  return agree_or(Judge(value, seen)
                      .wrong_archive(away ? seen.child : seen.parent, away ? "child" : "parent"));
}

}  // namespace storefuzz
