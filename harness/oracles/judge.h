#pragma once
#include "harness/oracles/judged.h"
namespace storefuzz::program {
std::vector<Difference> judge(const Case& value, const Observation& seen);
}
