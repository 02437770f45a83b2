// See choices.h.
#include "harness/case/choices.h"

#include <algorithm>
#include <numeric>

namespace storefuzz {

std::uint32_t Choices::below(std::uint32_t limit) {
  std::uint32_t drawn = 0;
  for (int i = 0; i < (limit > 256 ? 2 : 1); ++i)
    drawn = drawn << 8 | (next_ < bytes_.size() ? static_cast<std::uint32_t>(bytes_[next_++]) : 0);
  return drawn % limit;
}

std::size_t Choices::weighted(std::span<const std::uint32_t> weights) {
  std::uint32_t drawn = below(std::reduce(weights.begin(), weights.end()));
  for (std::size_t place = 0;; ++place) {
    if (drawn < weights[place]) return place;
    drawn -= weights[place];
  }
}

StoreKind generate_store(Choices& choices, const Stores& stores) {
  // Wrapped is what a wrapper is used for: something on disk, in memory, in an archive.
  static const std::vector<StoreKind> below = parse_stores("local,memory,zip").value();
  // The store whose state is the richest, and which has lost the most, is drawn more often.
  static const StoreKind zip = find_store("zip").value();
  const bool has_zip = std::ranges::find(stores, zip) != stores.end();
  const StoreKind drawn = has_zip && choices.one_in(5) ? zip : choices.among(stores);
  if (!drawn->wraps) return drawn;
  static const StoreKind local = find_store("local").value();
  StoreKind inner = drawn->keeps ? local : choices.among(below);
  static const StoreKind wrapper = find_store("wrapper").value();
  if (choices.one_in(6)) inner = over(wrapper, inner);
  return over(drawn, inner);
}

}  // namespace storefuzz
