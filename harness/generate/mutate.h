// Program → neighbouring program: typed changes, drawn from bytes.
//
//     Case next = mutate_program(current, random_bytes, stores);
//     Case mixed = splice_programs(current, other, random_bytes);
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "harness/case/program.h"
#include "harness/case/store.h"

namespace storefuzz::program {

// One time in four a program drawn afresh, else one to three changes: a step more, less, elsewhere,
// or about another handle, key, value or process. The result fits; no two of its values are equal.
// `releases`: as of generate_program.
Case mutate_program(const Case& value, std::span<const std::byte> bytes, const Stores& stores,
                    const std::vector<std::string>& releases = {});

// The beginning of `left` and the end of `right`, whose handles become handles of `left`.
Case splice_programs(const Case& left, const Case& right, std::span<const std::byte> bytes);

}  // namespace storefuzz::program
