// The smallest case with the same fingerprint: typed reductions, tried until none works any more.
//
//     Result<Shrunk> small = shrink(player, value, "zip-attributes-_read_only-lost", budget);
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "harness/journey/expectation.h"
#include "harness/play/player.h"

namespace storefuzz {

struct Shrunk {
  Case value;
  PlayedCase played;  // of that case
  int tried = 0;      // cases played on the way
  std::vector<Case> way;  // from the first case to that one, each a reduction of the one before
};

// Cases one step smaller or plainer than `value`, boldest first. Each is normalised, differs from
// `value`, and comes strictly before it in an order that has an end.
std::vector<Case> reductions(const Case& value);

// What shrink() says of a case that does not show the fingerprint now.
inline constexpr const char* kNotShownAgain = "the case does not show it again";

// Plays reductions until none keeps the fingerprint, or `budget` is used up, or `stop` says so. An
// Error when `value` itself does not show the fingerprint: it does not happen again.
Result<Shrunk> shrink(Player& player, const Case& value, std::string_view fingerprint,
                      Milliseconds budget, const std::function<bool()>& stop = {});

}  // namespace storefuzz
