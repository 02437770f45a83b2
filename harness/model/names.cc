// Reasons and classes of difference by name, and answers in words.
#include <fmt/format.h>

#include <array>

#include "harness/base/text.h"
#include "harness/model/allowed.h"
#include "harness/model/difference.h"

namespace storefuzz::program {
namespace {

constexpr auto kReasons = std::to_array<std::string_view>({
    "none",
    "open writer",
    "stale writer",
    "archive missing",
    "archive claimed",
    "torn",
    "place missing",
    "other directory",
    "read only",
    "contradictory",
    "carried before a claim",
    "cache",
    "several values",
    "edge",
    "key and folder",
    "odd key",
    "odd key written",
    "outsider",
    "close refused",
    "after a difference",
    "no deletes",
    "clear may be refused",
    "nothing to do",
    "may refuse",
    "unpublished",
    "bound to its process",
    "equality of two places",
    "misuse",
    "array",
    "session",
    "connection",
    "no such node",
    "state",
    "twisted archive",
    "another release",
    "absent",
});
static_assert(kReasons.size() == static_cast<std::size_t>(Reason::kAbsent) + 1);

constexpr auto kWrongs = std::to_array<std::string_view>({
    "lost",
    "made",
    "unreadable",
    "stray",
    "death",
    "hang",
    "other value",
    "absent",
    "ghost",
    "twice",
    "done",
    "not equal",
    "state",
    "refused",
    "unfitting type",
    "stores disagree",
});
static_assert(kWrongs.size() == static_cast<std::size_t>(Wrong::kDisagree) + 1);

std::string bytes_text(std::string_view bytes) {
  constexpr std::size_t kShown = 40;
  if (bytes.size() <= kShown) return fmt::format("b\"{}\"", printable(bytes));
  return fmt::format("b\"{}\"… ({} bytes)", printable(shorten(bytes, kShown)), bytes.size());
}

struct Say {
  std::string operator()(const None&) const { return "None"; }
  std::string operator()(bool it) const { return it ? "True" : "False"; }
  std::string operator()(std::int64_t it) const { return fmt::format("{}", it); }
  std::string operator()(const BytesValue& it) const { return bytes_text(it.bytes); }
  std::string operator()(const Text& it) const { return std::string(shorten(it.text, 80)); }
  std::string operator()(const NewHandle& it) const { return "a " + it.type; }
  std::string operator()(const Names& it) const {
    std::string text;
    for (const std::string& name : it.names)
      text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", printable(name));
    return "[" + text + "]";
  }
  std::string operator()(const BytesList& it) const {
    std::string text;
    for (const auto& value : it.values)
      text += (text.empty() ? "" : ", ") + (value ? bytes_text(*value) : std::string("None"));
    return "[" + text + "]";
  }
  std::string operator()(const Numbers& it) const {
    return fmt::format("[{}]", fmt::join(it.numbers, ", "));
  }
  std::string operator()(const Attributes& it) const {
    std::string text;
    for (const auto& [name, value] : it.values)
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, shorten(value, 40));
    return text.empty() ? "no attributes" : text;
  }
  std::string operator()(const Absent&) const { return "nothing"; }
  std::string operator()(const Shown& it) const { return std::visit(*this, it); }
  std::string operator()(const Refusal& it) const { return it.type; }
  std::string operator()(const Crashed& it) const { return "its process died: " + it.signal; }
  std::string operator()(const TimedOut&) const { return "no answer in time"; }
};

}  // namespace

std::string_view name_of(Reason reason) { return kReasons[static_cast<std::size_t>(reason)]; }

std::string_view name_of(Wrong wrong) { return kWrongs[static_cast<std::size_t>(wrong)]; }

std::string say(const Answer& answer) { return std::visit(Say(), answer); }

}  // namespace storefuzz::program
