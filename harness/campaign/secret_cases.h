// Which cases show what should not be public before those are told who can mend it: such a case
// stays out of a corpus that is shared. Found out by playing them.
//
//     auto secret = find_secret(settings, cases, progress);
//     for (std::size_t i = 0; i < cases.size(); ++i) if ((*secret)[i]) leave_out(cases[i]);
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/campaign/corpus_folder.h"
#include "harness/play/settings.h"

namespace storefuzz {

// One flag a case; what is marked already stays so and is not played, nor is what is no program.
// Played side by side, on each processor. machine_failure: one could not be played, or Ctrl-C.
Result<std::vector<bool>> find_secret(const Settings& settings,
                                      const std::vector<CorpusCase>& cases,
                                      const std::function<void(std::string_view)>& progress);

}  // namespace storefuzz
