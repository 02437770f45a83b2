// See names.h. UTF-8 is what Python and RFC 3629 take for it: shortest form, no surrogates.
#include "harness/readers/names.h"

#include <fmt/format.h>
#include <zlib.h>

#include "harness/value.h"

namespace storefuzz {
namespace {

constexpr std::size_t kMostListed = 4096;          // names
constexpr std::size_t kMostListedBytes = 4 << 20;  // JSON may make six times as many of them
constexpr std::size_t kLongestText = 200;          // bytes of an error's text

bool continues(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// How many bytes the character at the front of `bytes` has; 0: none is there.
std::size_t character_at_front(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if (!continues(at(i))) return 0;
  // The second byte bounds the character: overlong, surrogate, beyond U+10FFFF.
  if (lead == 0xE0 && at(1) < 0xA0) return 0;
  if (lead == 0xED && at(1) > 0x9F) return 0;
  if (lead == 0xF0 && at(1) < 0x90) return 0;
  if (lead == 0xF4 && at(1) > 0x8F) return 0;
  return size;
}

std::string without_path(std::string text, const std::string& file) {
  constexpr std::string_view kFile = "<file>";
  if (file.empty()) return text;
  for (std::size_t at = 0; (at = text.find(file, at)) != text.npos; at += kFile.size())
    text.replace(at, file.size(), kFile);
  return text;
}

}  // namespace

std::string text_of_name(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t size = character_at_front(bytes);
    if (size > 0)
      text += bytes.substr(0, size);
    else
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes.front()));
    bytes.remove_prefix(size > 0 ? size : 1);
  }
  return text;
}

void Listing::add(const std::string& name) {
  full_ = full_ || names_.size() >= kMostListed || size_ + name.size() > kMostListedBytes;
  if (full_) return;
  size_ += name.size();
  names_.push_back(name);
}

void Sum::add(const void* bytes, std::size_t count) {
  if (count == 0) return;  // zlib begins anew where it is given no bytes at no address
  crc = static_cast<std::uint32_t>(crc32_z(crc, static_cast<const Bytef*>(bytes), count));
  size += count;
}

Json value_of_opening() { return Json::array({"value"}); }

Json value_of(const Sum& sum) { return Json::array({"value", sum.size, sum.crc}); }

Json missing() { return Json::array({"missing"}); }

Json refused(const Refusal& refusal, const std::string& file) {
  const std::string text = text_of_name(without_path(refusal.text, file));
  return Json::array({"refused", refusal.type, std::string(shorten(text, kLongestText))});
}

Refusal too_large() {
  return {.type = "TooLarge",
          .text = fmt::format("more than {} MiB, or all values more than {} MiB",
                              kLargestValue >> 20, kMostBytesInAll >> 20)};
}

Json reply_when_opened(Json listed, Json keys) {
  return {{"opened", value_of_opening()},
          {"listed", std::move(listed)},
          {"keys", std::move(keys)},
          {"arrays", Json::object()}};
}

Json reply_when_refused(const Refusal& refusal, const std::string& file) {
  return {{"opened", refused(refusal, file)},
          {"listed", nullptr},
          {"keys", Json::object()},
          {"arrays", Json::object()}};
}

}  // namespace storefuzz
