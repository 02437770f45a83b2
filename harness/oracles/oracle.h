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

struct Oracle {
  std::string_view name;
  std::string_view asks;
  // Differences in the order of the steps, without headline.
  std::vector<Difference> (*judge)(const Case&, const Judged&, const Observation&);
};

std::span<const Oracle> oracles();

// What all oracles say, in the order of the steps. `first` is the first wrong step of each place: a
// place where a copy went after a difference has been told of already.
std::vector<Difference> judge(const Case& value, const Observation& seen);
std::vector<Difference> judge(const Case& value, const Judged& judged, const Observation& seen);

// One a file.
std::vector<Difference> judge_reads(const Case&, const Judged&, const Observation&);
std::vector<Difference> judge_listing(const Case&, const Judged&, const Observation&);
std::vector<Difference> judge_writable(const Case&, const Judged&, const Observation&);
std::vector<Difference> judge_on_disk(const Case&, const Judged&, const Observation&);
std::vector<Difference> judge_refusal(const Case&, const Judged&, const Observation&);
std::vector<Difference> judge_equality(const Case&, const Judged&, const Observation&);
std::vector<Difference> judge_attributes(const Case&, const Judged&, const Observation&);
std::vector<Difference> judge_deadline(const Case&, const Judged&, const Observation&);
std::vector<Difference> judge_survival(const Case&, const Judged&, const Observation&);
std::vector<Difference> judge_parent_intact(const Case&, const Judged&, const Observation&);
std::vector<Difference> judge_agreement(const Case&, const Judged&, const Observation&);
std::vector<Difference> judge_readers_agree(const Case&, const Judged&, const Observation&);
std::vector<Difference> judge_stores_agree(const Case&, const Judged&, const Observation&);

}  // namespace storefuzz::program
