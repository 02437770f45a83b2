// Escapes are those that Python shares with JSON; bytes are written by hand, for JSON has none.
#include "harness/base/python_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "harness/base/text.h"

namespace storefuzz {

std::string fill(std::string_view text, const Fillings& fillings) {
  std::string filled;
  while (!text.empty()) {
    const auto found = std::ranges::find_if(
        fillings, [&](const auto& filling) { return text.starts_with(filling.first); });
    if (found == fillings.end()) {
      filled += text.front();
      text.remove_prefix(1);
    } else {
      filled += found->second;
      text.remove_prefix(found->first.size());
    }
  }
  return filled;
}

std::string text_literal(const std::string& text) {
  std::string ascii;
  const std::string json = text_of(Json(text));
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto lead = static_cast<unsigned char>(json[i]);
    if (lead < 0x80) {
      ascii += lead == 0x7F ? "\\x7f" : std::string(1, json[i]);
      continue;
    }
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    std::uint32_t code = lead & (0x3F >> more);
    for (int n = 0; n < more; ++n) code = code << 6 | (json[++i] & 0x3F);
    ascii += code < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
  }
  return ascii;
}

std::string bytes_literal(std::string_view bytes) {
  std::string text = "b\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      text += fmt::format("\\{}", c);
    else if (c == '\n')
      text += "\\n";
    else if (byte < 0x20 || byte >= 0x7F)
      text += fmt::format("\\x{:02x}", byte);
    else
      text += c;
  }
  return text + '"';
}

std::string without_literals(std::string_view code) {
  std::string bare;
  bool inside = false;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (inside && code[i] == '\\') {
      ++i;
      continue;
    }
    if (code[i] == '"') inside = !inside;
    if (!inside || code[i] == '"') bare += code[i];
  }
  return bare;
}

namespace {

bool within_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
}

}  // namespace

std::string renamed(std::string_view code, std::string_view name, std::string_view other) {
  std::string text;
  bool inside = false;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i] == '"' && (i == 0 || code[i - 1] != '\\')) inside = !inside;
    const std::size_t end = i + name.size();
    const bool begins = i == 0 || !within_name(code[i - 1]);
    const bool ends = end >= code.size() || code[end] == '.' || !within_name(code[end]);
    if (inside || !begins || !ends || !code.substr(i).starts_with(name)) {
      text += code[i];
      continue;
    }
    text += other;
    i = end - 1;
  }
  return text;
}

bool mentions(std::string_view code, std::string_view word) {
  for (std::size_t at = code.find(word); at != code.npos; at = code.find(word, at + 1))
    if (at == 0 || !within_name(code[at - 1])) return true;
  return false;
}

}  // namespace storefuzz
