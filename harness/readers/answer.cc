// JSON from a reader → typed answers, and back for people.
#include "harness/readers/answer.h"

#include <fmt/format.h>

#include "harness/base/text.h"

namespace storefuzz {
namespace {

std::string text_at(const Json& json, const char* key) {
  auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Answer answer_from_json(const Json& json) {
  const std::string kind = text_at(json, "answer");
  if (kind == "shown") return Shown{json.value("value", Json())};
  if (kind == "crashed") return Crashed{text_at(json, "signal"), text_at(json, "stacks")};
  if (kind == "timed out") return TimedOut{text_at(json, "stacks")};
  if (kind != "refused") return Absent{};
  return Refused{.type = text_at(json, "type"), .text = text_at(json, "text")};
}

Json to_json(const Answer& answer) {
  struct Writer {
    Json operator()(const Absent&) const { return {{"answer", "absent"}}; }
    Json operator()(const Shown& it) const { return {{"answer", "shown"}, {"value", it.value}}; }
    Json operator()(const Crashed& it) const {
      return {{"answer", "crashed"}, {"signal", it.signal}, {"stacks", it.stacks}};
    }
    Json operator()(const TimedOut& it) const {
      return {{"answer", "timed out"}, {"stacks", it.stacks}};
    }
    Json operator()(const Refused& refusal) const {
      return {{"answer", "refused"}, {"type", refusal.type}, {"text", refusal.text}};
    }
  };
  return std::visit(Writer{}, answer);
}

std::string describe(const Answer& answer) {
  struct Teller {
    std::string operator()(const Absent&) const { return "nobody could ask"; }
    std::string operator()(const Shown& it) const { return "shown " + text_of(it.value); }
    std::string operator()(const Refused& refusal) const {
      return fmt::format("refused {}: {}", refusal.type, refusal.text);
    }
    std::string operator()(const Crashed& it) const { return "crashed: " + it.signal; }
    std::string operator()(const TimedOut&) const { return "timed out"; }
  };
  std::string text = std::visit(Teller{}, answer);
  if (text.size() > 160) text = std::string(shorten(text, 157)) + "...";
  return text;
}

}  // namespace storefuzz
