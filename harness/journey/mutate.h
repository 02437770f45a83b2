// Case → neighbouring case: one typed change, drawn from bytes.
//
//     Case next = mutate_case(current, random_bytes, {store});
#pragma once

#include <cstddef>
#include <span>

#include "harness/case/case.h"
#include "harness/journey/generate.h"

namespace storefuzz {

// One time in two a case drawn afresh, which reaches distant states sooner; else one that differs
// from `value` in one to three parts. Always normalised and within bounds; the same bytes give the
// same case.
Case mutate_case(const Case& value, std::span<const std::byte> bytes, const Stores& stores);

// Parts of `left` and of `right`, mixed.
Case cross_cases(const Case& left, const Case& right, std::span<const std::byte> bytes);

}  // namespace storefuzz
