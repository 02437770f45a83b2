// Plays what a state has recorded: the program of each cause, and the programs of all pages
// (corpus/regressions/). What shows nothing is played a few times more, since some defects need
// luck.
//
//     auto shown = play_recorded(state, settings, known, stop);
//     for (const std::string& name : shown->silent) news.silent(name);
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/campaign/releases.h"
#include "harness/campaign/state.h"
#include "harness/findings/known.h"
#include "harness/play/settings.h"

namespace storefuzz {

// By name of the state: bad, it shows; good, it was played and shows nothing. What could not be
// played here (the subject has no such store, `stop` said so) is neither. Questions are not played.
using Standings = std::map<std::string, Standing>;

// `known`: what is shipped; by its causes the programs of a page that was mended are told from
// other defects that the same program shows.
Result<Standings> play_recorded(const State& state, const Settings& settings,
                                const std::vector<Known>& known, const std::function<bool()>& stop);

// The page, or the name in corpus/regressions/ of what was mended before there were pages, that has
// a cause, whatever the release; or empty.
std::string page_of_cause(const std::vector<Known>& known, const std::string& cause);

}  // namespace storefuzz
