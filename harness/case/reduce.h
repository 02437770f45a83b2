// The smallest program that still shows something: typed reductions, tried until none works.
//
//     Reduced small = reduce(value, [&](const Case& it) { return shows(it); });
//     std::puts(to_text(small.value).c_str());
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "harness/case/program.h"

namespace storefuzz::program {

// How much a reader of the program must take in: its steps first, then processes, entries, and each
// choice that is not the plainest.
std::size_t weight(const Case& value);

// Programs that are smaller or plainer than `value`, boldest first. Each fits and weighs less.
std::vector<Case> reductions(const Case& value);

struct Reduced {
  Case value;
  std::size_t tried = 0;  // candidates that were asked about
};

// `keeps` says whether a candidate still shows it; `stop`, whether to leave it at what was found.
Reduced reduce(const Case& value, const std::function<bool(const Case&)>& keeps,
               const std::function<bool()>& stop = {});

}  // namespace storefuzz::program
