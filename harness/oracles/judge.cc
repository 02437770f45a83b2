#include "harness/oracles/judge.h"
namespace storefuzz::program {
std::vector<Difference> judge(const Case& value, const Observation& seen) {
  std::vector<Difference> all;
  Judged j = walk(value, seen);
  for (auto& a : j.answers) if (a.difference) { a.difference->where.step = a.step; all.push_back(*a.difference); }
  for (auto& d : j.disk) all.push_back(d);
  for (auto& d : j.crashes) all.push_back(d);
  for (auto& d : all) { d.oracle = std::string(name_of(d.wrong)); d.headline = d.where.operation + " " + d.where.key + " should be " + d.should_be + " was " + d.seen; }
  return all;
}
}
