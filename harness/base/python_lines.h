// Python whose lines are not too long: what a generated line may hold has no bound.
//
//     wrapped("call(one, two)\n", 10)   // "call(one,\n    two)\n"
#pragma once

#include <string>
#include <string_view>

namespace storefuzz {

// Code whose lines have at most `width` characters: a longer one is broken within its brackets, at
// commas if that is enough, and a literal that is still too long becomes several side by side,
// which Python joins. A comment at its end moves to a line before it. What has no bracket stays
// long.
std::string wrapped(std::string_view code, std::size_t width);

// Code of fewer lines: simple statements of one block stand side by side, as many as `width`
// characters take.
std::string joined(std::string_view code, std::size_t width);

// Code of fewer lines: a block of one simple statement stands on the line of its head, where
// `width` characters take both.
std::string with_short_blocks(std::string_view code, std::size_t width);

}  // namespace storefuzz
