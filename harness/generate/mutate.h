// Program → neighbouring program: typed changes, drawn from bytes.
//
//     Case next = mutate_case(current, random_bytes, stores);
//     Case mixed = splice_cases(current, other, random_bytes);
#pragma once

#include <cstddef>
#include <span>

#include "harness/case/program.h"
#include "harness/case/store.h"

namespace storefuzz::program {

// One time in four a program drawn afresh, else one to three changes: a step more, less, elsewhere,
// or about another handle, key, value or process. The result fits; no two of its values are equal.
Case mutate_case(const Case& value, std::span<const std::byte> bytes, const Stores& stores);

// The beginning of `left` and the end of `right`, whose handles become handles of `left`.
Case splice_cases(const Case& left, const Case& right, std::span<const std::byte> bytes);

}  // namespace storefuzz::program
