// By hand: std::regex costs more than the call whose answer is told.
#include "harness/wire/plain_text.h"

#include <algorithm>
#include <cctype>

namespace storefuzz::program {
namespace {

constexpr std::size_t kAddress = 6;     // hexadecimal digits after 0x, at least
constexpr std::size_t kLongNumber = 9;  // digits, at least: of a thread, a time
constexpr std::size_t kRandom = 32;     // hexadecimal digits of a UUID, exactly

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

template <class Is>
std::size_t run_of(std::string_view text, Is is) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is) - text.begin());
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  if (what.empty()) return;
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += with.size())
    text.replace(at, what.size(), with);
}

// How many bytes at the front are a number that changes from run to run; 0: none.
std::size_t changing(std::string_view rest, bool at_word) {
  if (rest.starts_with("0x")) {
    const std::size_t size = run_of(rest.substr(2), is_hex);
    if (size >= kAddress) return 2 + size;
  }
  if (!at_word) return 0;
  const auto ends_there = [&](std::size_t size) {
    return size == rest.size() || !in_word(rest[size]);
  };
  const std::size_t digits = run_of(rest, is_digit), hex = run_of(rest, is_hex);
  if (digits >= kLongNumber && ends_there(digits)) return digits;
  return hex == kRandom && ends_there(hex) ? hex : 0;
}

// Counts whose value says how far something got, or how often it was looked at.
constexpr std::string_view kCounted[] = {"process ", "current_size=", "cached_keys="};

}  // namespace

std::string without_chance(std::string name) {
  std::size_t run = 0;
  for (std::size_t at = 0; at < name.size(); ++at) {
    run = std::isxdigit(static_cast<unsigned char>(name[at])) ? run + 1 : 0;
    if (run == kRandom) return name.replace(at + 1 - kRandom, kRandom, "#");
  }
  return name;
}

std::string replaced(std::string_view text, const Replacements& replacements) {
  std::string whole(text);
  for (const auto& [what, with] : replacements) replace_all(whole, what, with);
  return whole;
}

std::string plain_text(std::string_view text, const Replacements& replacements) {
  const std::string whole = replaced(text, replacements);
  std::string plain;
  const std::string_view all = whole;
  for (std::size_t at = 0; at < all.size();) {
    const std::string_view rest = all.substr(at);
    const bool at_word = at == 0 || !in_word(all[at - 1]);
    if (const std::size_t size = changing(rest, at_word)) {
      plain += "0x…";
      at += size;
      continue;
    }
    const auto* counted =
        at_word ? std::ranges::find_if(
                      kCounted, [&](std::string_view word) { return rest.starts_with(word); })
                : std::ranges::end(kCounted);
    const std::size_t size = counted == std::ranges::end(kCounted) ? 0 : counted->size();
    if (const std::size_t digits = size ? run_of(rest.substr(size), is_digit) : 0) {
      plain += *counted;
      plain += "…";
      at += size + digits;
      continue;
    }
    plain += all[at++];
  }
  return plain;
}

}  // namespace storefuzz::program
