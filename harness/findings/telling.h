// A program and its difference in words, for pages and consoles: the only place where they are
// formed.
//
//     for (const std::string& line : program::steps(value, &difference)) say(line);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.h"
#include "harness/case/program.h"
#include "harness/model/difference.h"
#include "harness/wire/observation.h"

namespace storefuzz::program {

// One line a step: "p0: s0.get \"a\"". The step that differs begins with "→ ".
std::vector<std::string> steps(const Case& value, const Difference* difference = nullptr);

// What is told of a difference as a table: [["should be", "b\"a@0\""], ["was", "None"], …].
Json rows(const Case& value, const Difference& difference);

// Each step with its answers in words, how processes ended, and what was left: observations.json.
Json observations(const Case& value, const Observation& seen);

// What an oracle asks: "does each read show what is there?"
std::string_view question_of(std::string_view oracle);

}  // namespace storefuzz::program
