// See json.h.
#include "harness/base/json.h"

namespace storefuzz {
namespace {

constexpr int kMaxDepth = 64;  // deeper than a case can ever be

}  // namespace

Json parse_json(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text && c == '\\') ++i;
    if (c == '"') in_text = !in_text;
    if (in_text) continue;
    if ((c == '[' || c == '{') && ++depth > kMaxDepth) return Json(Json::value_t::discarded);
    if (c == ']' || c == '}') --depth;
  }
  return Json::parse(text, nullptr, false);
}

std::string text_of(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace storefuzz
