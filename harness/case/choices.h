// Bytes as a supply of choices, and the choice of a store: what everybody who draws a case needs.
//
//     Choices choices(bytes);
//     const StoreKind kind = generate_store(choices, stores);
//     if (choices.one_in(8)) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/case/store.h"

namespace storefuzz {

// A supply of choices made from bytes; past the end every choice is the first one.
class Choices {
 public:
  explicit Choices(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // A number below `limit` (at most 65,536; `limit` above 0).
  std::uint32_t below(std::uint32_t limit);
  bool one_in(std::uint32_t n) { return below(n) == n - 1; }

  // A place in `weights`, each as often as it weighs; one that weighs nothing never. Their sum is
  // at least 1.
  std::size_t weighted(std::span<const std::uint32_t> weights);

  template <class T>
  const T& among(const std::vector<T>& list) {
    return list[below(static_cast<std::uint32_t>(list.size()))];
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t next_ = 0;
};

// One of `stores`; a wrapper gets something to wrap.
StoreKind generate_store(Choices& choices, const Stores& stores);

}  // namespace storefuzz
