// Oracles: pure functions that look at a case and what was seen, and answer agree, disagree(what)
// or not comparable(why). One oracle, one question, one file of oracles/. No oracle does I/O, and
// none knows of quirks: those are data, applied afterwards (quirks.h).
//
//     for (const Oracle& oracle : oracles())
//       for (const Disagreement& found : oracle.judge(value, expected, seen).found) report(found);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/case/case.h"
#include "harness/journey/expectation.h"
#include "harness/journey/observation.h"

namespace storefuzz {

struct Disagreement {
  std::string oracle;
  std::string field;                   // attribute, look, step: what is wrong
  std::vector<std::string> also = {};  // other fields by which a quirk may explain it
  std::string wrong;     // class of difference: "lost", "hangs", "refused AttributeError", …
  std::string headline;  // one sentence
  Answer parent;         // the side that is right, or should be
  Answer child;          // the side that is wrong
  std::string side;      // "child", "parent", "returned": whose answer is wrong
  std::string lost;      // the attribute whose absence explains it; or ""
  std::string step;      // where no look and no operation showed it: "packing", "close", …; or ""
  int look = -1;         // index in the plan, if a look showed it
  int operation = -1;    // index in operations_of(case), if an operation of the parent showed it
};

struct Verdict {
  enum class Kind { kAgree, kDisagree, kNotComparable };
  Kind kind = Kind::kAgree;
  std::string why;                  // when not comparable
  std::vector<Disagreement> found;  // when disagreeing
};

Verdict agree_or(std::vector<Disagreement> found);
Verdict not_comparable(std::string why);

struct Oracle {
  std::string_view name;
  std::string_view asks;  // its question, for `storefuzz list oracles` and the pages
  Verdict (*judge)(const Case&, const Expectation&, const Observations&);
};

// Every oracle, in the order of design and pages.
const std::vector<Oracle>& oracles();

// What several oracles need.

// The child came to look: it neither died nor refused what it was sent.
bool child_looked(const Observations& seen);

// `refused` of a kind that tells a broken store, never a fitting answer to a question.
bool unfitting(const Refused& refusal);

// "get('a', start 1, end 3)": a look as its user would say it.
std::string say(const Look& look);

// "a ZipStore", "a LocalStore", by the case.
std::string store_name(const Case& value);

// "unpickling", "copying", …: what the carrier does on the far side.
std::string carrying(const Case& value);

}  // namespace storefuzz
