// How much of what is wrong is told: in sound observations one answer, or the disk, is falsified,
// and the oracles must differ at that step or after it. A model without opinions passes every test
// of false alarms; this score shows it.
//
//     test::CorruptionScore score;
//     score.add(value, seen, 7, "zip");
//     score.print();
//     EXPECT_GE(score.exact().percent(), 99.0) << score.missed();
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "harness/case/program.h"
#include "harness/wire/observation.h"

namespace storefuzz::program::test {

struct Score {
  std::size_t told = 0, all = 0;
  void add(bool it);
  double percent() const;
};

class CorruptionScore {
 public:
  // Falsifies a copy of what was seen, by seed. `column` of the table; empty: the kind of the store
  // that was asked.
  void add(const Case& value, const Observation& sound, unsigned seed, const std::string& column);

  void print() const;  // told, in percent, by operation and column

  const Score& exact() const { return exact_; }  // where the model knew the one right answer
  const Score& reads() const { return reads_; }  // reads and listings
  const Score& all() const { return all_; }      // every answer of a call
  const Score& disk() const { return disk_; }
  const std::string& missed() const { return missed_; }  // the last exact one that was not told

 private:
  Score exact_, reads_, all_, disk_;
  std::map<std::string, std::map<std::string, Score>> table_;  // operation → column
  std::string missed_;
};

}  // namespace storefuzz::program::test
