// Sets of values as numbers, and what a number means.
#include "harness/model/content.h"

#include <algorithm>
#include <bit>

namespace storefuzz::program {
namespace {

Values bit_of(std::size_t index) { return Values{1} << (index + 1); }

}  // namespace

KeyId Book::key(std::string_view name) {
  if (const auto found = find(name)) return *found;
  keys_.push_back({std::string(name), {}});
  return keys_.size() - 1;
}

std::optional<KeyId> Book::find(std::string_view name) const {
  for (KeyId key = 0; key < keys_.size(); ++key)
    if (keys_[key].name == name) return key;
  return {};
}

Values Book::value(KeyId key, std::string_view bytes) {
  std::vector<std::string>& values = keys_[key].values;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] == bytes) return bit_of(i);
  if (values.size() == kMostValues)
    values.back() = bytes;
  else
    values.emplace_back(bytes);
  return bit_of(values.size() - 1);
}

const std::string& Book::bytes(KeyId key, Values bit) const {
  return keys_[key].values[static_cast<std::size_t>(std::countr_zero(bit)) - 1];
}

Values Book::ever(KeyId key) const {
  const std::size_t count = keys_[key].values.size();
  return count == 0 ? 0 : (bit_of(count) - 1) & kEvery;
}

void Content::put(KeyId key, Values values) {
  if (key >= values_.size()) {
    if (values == kGone) return;
    values_.resize(key + 1, kGone);
  }
  values_[key] = values;
}

bool Content::operator==(const Content& other) const {
  for (KeyId key = 0; key < std::max(size(), other.size()); ++key)
    if ((*this)[key] != other[key]) return false;
  return true;
}

void Pending::put(KeyId key, Values values) {
  if (key >= values_.size()) values_.resize(key + 1, 0);
  values_[key] = values;
}

Content united(const Content& one, const Content& other) {
  Content both = one;
  for (KeyId key = 0; key < std::max(one.size(), other.size()); ++key) both.add(key, other[key]);
  return both;
}

Values overlaid(Values base, Values pending) {
  if (pending == 0) return base;
  return pending & kPerhaps ? (pending & ~kPerhaps) | base : pending;
}

Content overlaid(const Content& base, const Pending& pending) {
  Content both = base;
  for (KeyId key = 0; key < pending.size(); ++key) both.put(key, overlaid(base[key], pending[key]));
  return both;
}

}  // namespace storefuzz::program
