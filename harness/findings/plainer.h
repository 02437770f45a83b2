// A reduced program that asks for the same root in the plainest way: findings of one root come to
// one program, whichever operation showed each.
//
// A reduction never changes what differs: between two programs with other steps, another difference
// may be of another root. Here the program is as small as it can be, and one thing of the step that
// differs is replaced. Where the same place, or the same handle, is then wrong in the same way, it
// is for the same reason.
//
// Below a wrapper another store is as good, unless that store alone is wrong in the same way.
//
//     for (const Plainer& it : plainer_ways(small, difference))
//       if (const Difference* same = it.shown_by(play(it.value))) …
#pragma once

#include <optional>
#include <vector>

#include "harness/case/program.h"
#include "harness/model/difference.h"

namespace storefuzz::program {

struct Plainer {
  Case value;
  Difference was;  // of the program that it is made of
  bool (*same)(const Difference& was, const Difference& is);
  std::optional<Case> unless;  // it is another defect where this program shows it as well

  // The difference that means what `was` meant; nullptr: none of them does.
  const Difference* shown_by(const std::vector<Difference>& differences) const;
};

// The plainest first. They come to an end: each is a step shorter, asks the plainest operation, or
// has a store fewer whose class zarr chooses.
std::vector<Plainer> plainer_ways(const Case& reduced, const Difference& difference);

// The program in which those who fork have done before what their children ask: what earlier
// programs left in a process, such as the thread of a module, it makes itself. nullopt: it does.
std::optional<Case> warmed(const Case& value);

}  // namespace storefuzz::program
