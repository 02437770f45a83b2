// The oracles: each asks one question of a program that was walked with the model, and says what
// differs. Pure functions.
//
//     for (const Difference& it : judge(value, seen))
//       if (it.first) report(it.oracle, it.headline);
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "harness/case/program.h"
#include "harness/model/difference.h"
#include "harness/oracles/judged.h"
#include "harness/wire/observation.h"

namespace storefuzz::program {

// Gives differences in the order of the steps, without headline.
using Judge = std::vector<Difference>(const Case&, const Judged&, const Observation&);

// Each is in a file of its own, with a row in oracle.cc.
struct Oracle {
  std::string_view name;
  std::string_view asks;
  Judge* judge;
};

std::span<const Oracle> oracles();

// What all oracles say, in the order of the steps. `first` is the first wrong step of each place: a
// place where a copy went after a difference has been told of already.
std::vector<Difference> judge(const Case& value, const Observation& seen);
std::vector<Difference> judge(const Case& value, const Judged& judged, const Observation& seen);

}  // namespace storefuzz::program
