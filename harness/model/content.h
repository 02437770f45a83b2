// What may lie at a place: for each key the set of values that it may have.
//
// Programs are short, so a value is a bit: bit 0 means that the key is absent, bit n is the n-th
// value that this key was ever given anywhere in the program. A set of values is one number, a
// content a row of numbers, and union and overlay are arithmetic. The book keeps which key and
// which value a number means.
//
//     Book book;
//     const KeyId a = book.key("a");
//     Content content;
//     content.put(a, book.value(a, "a@3"));
//     content[a] & kGone;   // 0: the key is surely there
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace storefuzz::program {

using KeyId = std::size_t;
using Values = std::uint64_t;

inline constexpr Values kGone = 1;                     // the key is absent
inline constexpr Values kPerhaps = Values{1} << 63;    // in pending writes: perhaps not written
inline constexpr Values kEvery = ~(kGone | kPerhaps);  // bits that are values
inline constexpr std::size_t kMostValues = 62;         // of one key

class Book {
 public:
  KeyId key(std::string_view name);  // enters what is not there yet
  std::optional<KeyId> find(std::string_view name) const;
  std::size_t size() const { return keys_.size(); }
  const std::string& name(KeyId key) const { return keys_[key].name; }

  // The bit of a value; enters what is not there yet. Past the last bit values share it, and the
  // newest is the one it shows.
  Values value(KeyId key, std::string_view bytes);
  const std::string& bytes(KeyId key, Values bit) const;
  Values ever(KeyId key) const;  // every value the key was given

 private:
  struct Key {
    std::string name;
    std::vector<std::string> values;
  };
  std::vector<Key> keys_;
};

class Content {
 public:
  Values operator[](KeyId key) const { return key < values_.size() ? values_[key] : kGone; }
  void put(KeyId key, Values values);
  void add(KeyId key, Values values) { put(key, (*this)[key] | values); }
  std::size_t size() const { return values_.size(); }  // keys from here on are absent
  bool operator==(const Content& other) const;

 private:
  std::vector<Values> values_;
};

// Writes that are not published: 0 means that the key was not written.
class Pending {
 public:
  Values operator[](KeyId key) const { return key < values_.size() ? values_[key] : 0; }
  void put(KeyId key, Values values);
  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  void clear() { values_.clear(); }
  bool operator==(const Pending&) const = default;

 private:
  std::vector<Values> values_;
};

Content united(const Content& one, const Content& other);
Values overlaid(Values base, Values pending);
Content overlaid(const Content& base, const Pending& pending);

// Calls with each single bit of a set, from the lowest.
template <class Visit>
void for_each_bit(Values values, Visit visit) {
  for (; values; values &= values - 1) visit(values & -values);
}
inline bool single(Values values) { return values && !(values & (values - 1)); }

}  // namespace storefuzz::program
