// The words of a reader's reply: names as text, answers, and how much of each there may be.
//
// A name in an archive is bytes; a key in a request is text, where bytes that are not UTF-8 stand
// as \xNN. Names are always brought to that form, never keys back to bytes. Knows no library for
// zip.
//
//     assert(text_of_name("c\xff") == "c\\xff");
//     keys["c/0"] = value_of(Sum{.size = 2, .crc = 0xa3a6bf43});
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "harness/base/json.h"
#include "harness/zip/names.h"

namespace storefuzz {

constexpr std::size_t kMostVisited = 65536;           // entries looked at
constexpr std::size_t kMostListed = 4096;             // names listed
constexpr std::uint64_t kLargestValue = 64 << 20;     // bytes; one more is "TooLarge"
constexpr std::uint64_t kMostBytesInAll = 256 << 20;  // bytes of all values of one request

// The names that a reader lists, as text: the first kMostListed and no more than 4 MiB of them, so
// that a reply fits its frame.
class Listing {
 public:
  void add(const std::string& name);
  Json take() { return std::move(names_); }

 private:
  Json names_ = Json::array();
  std::size_t size_ = 0;
  bool full_ = false;
};

// Size and CRC-32 of bytes that come in pieces.
struct Sum {
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
  void add(const void* bytes, std::size_t count);
};

// An error in the words of a library; `text` may be anything.
struct Refusal {
  std::string type;
  std::string text;
};

// ["value"], ["value", size, crc], ["missing"] and ["refused", type, text], where the text names
// `file` as "<file>" and ends after 200 bytes.
Json value_of_opening();
Json value_of(const Sum& sum);
Json missing();
Json refused(const Refusal& refusal, const std::string& file);

// The values of a request are too large, one or all.
Refusal too_large();

// True of the type of a refusal that is a bound of ours, and no opinion of a library.
bool is_bound(std::string_view type);

// How many keys and arrays of a reply have no answer because of such a bound.
std::size_t answers_left_out(const Json& reply);

// Whole replies.
Json reply_when_opened(Json listed, Json keys);
Json reply_when_refused(const Refusal& refusal, const std::string& file);
Json reply_when_refused(Json refusal);

}  // namespace storefuzz
