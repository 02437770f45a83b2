// See names.h.
#include "harness/readers/names.h"

#include <fmt/format.h>
#include <zlib.h>

#include "harness/base/text.h"

namespace storefuzz {
namespace {

constexpr std::size_t kMostListedBytes = 4 << 20;  // JSON may make six times as many of them
constexpr std::size_t kLongestText = 200;          // bytes of an error's text

std::string without_path(std::string text, const std::string& file) {
  constexpr std::string_view kFile = "<file>";
  if (file.empty()) return text;
  for (std::size_t at = 0; (at = text.find(file, at)) != text.npos; at += kFile.size())
    text.replace(at, file.size(), kFile);
  return text;
}

}  // namespace

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

bool is_bound(std::string_view type) { return type == "TooLarge" || type == "TooMany"; }

std::size_t answers_left_out(const Json& reply) {
  std::size_t count = 0;
  for (const char* view : {"keys", "arrays"})
    for (const Json& answer : reply.value(view, Json::object()))
      count += answer.is_array() && answer.size() > 1 && answer[0] == "refused" &&
               answer[1].is_string() && is_bound(answer[1].get<std::string>());
  return count;
}

Json reply_when_opened(Json listed, Json keys) {
  return {{"opened", value_of_opening()},
          {"listed", std::move(listed)},
          {"keys", std::move(keys)},
          {"arrays", Json::object()}};
}

Json reply_when_refused(const Refusal& refusal, const std::string& file) {
  return reply_when_refused(refused(refusal, file));
}

Json reply_when_refused(Json refusal) {
  return {{"opened", std::move(refusal)},
          {"listed", nullptr},
          {"keys", Json::object()},
          {"arrays", Json::object()}};
}

}  // namespace storefuzz
