// See describe.h.
#include "harness/wire/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/text.h"
#include "harness/case/program.h"

namespace storefuzz::program {
namespace {

constexpr std::size_t kLine = 160;  // bytes

std::string of_bytes(const Bytes& bytes) {
  constexpr std::size_t kShort = 48;
  if (bytes.size() <= kShort) return fmt::format("b\"{}\"", bytes);
  return fmt::format("b\"{}\"… ({} bytes)", bytes.substr(0, kShort), bytes.size());
}

std::string of_shown(const Shown& value) {
  return std::visit(
      Each{[](const None&) -> std::string { return "None"; },
           [](bool flag) -> std::string { return flag ? "True" : "False"; },
           [](std::int64_t number) { return std::to_string(number); },
           [](const BytesValue& it) { return of_bytes(it.bytes); },
           [](const Names& it) { return fmt::format("[{:?}]", fmt::join(it.names, ", ")); },
           [](const BytesList& it) {
             std::string text;
             for (const auto& bytes : it.values)
               text += (text.empty() ? "" : ", ") + (bytes ? of_bytes(*bytes) : "None");
             return "[" + text + "]";
           },
           [](const Text& it) { return it.text; },
           [](const Numbers& it) { return fmt::format("[{}]", fmt::join(it.numbers, ", ")); },
           [](const Attributes& it) { return fmt::format("{} attributes", it.values.size()); },
           [](const NewHandle& it) { return fmt::format("<{}>", it.type); }},
      value);
}

}  // namespace

std::string describe(const Answer& answer) {
  const std::string text = std::visit(
      Each{[](const Absent&) -> std::string { return "nobody to ask"; },
           [](const Shown& it) { return of_shown(it); },
           [](const Refusal& it) { return fmt::format("refused {}: {}", it.type, it.text); },
           [](const Crashed& it) { return it.signal; },
           [](const TimedOut&) -> std::string { return "hangs"; }},
      answer);
  return std::string(shorten(printable(text), kLine));
}

}  // namespace storefuzz::program
