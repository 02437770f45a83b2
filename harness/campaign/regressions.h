// The programs of the pages (reports/defects/cases.json, corpus/regressions/), played on the
// subject and on the base of --against: what the subject alone shows, and what only the base does.
//
//     auto compared = compare_regressions(settings, stop);
//     for (const RawFinding& raw : compared->news) …
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/campaign/supervise.h"
#include "harness/play/against.h"
#include "harness/play/settings.h"

namespace storefuzz {

// A row of cases.json: a program, and what differs first when it is played.
struct Regression {
  std::string page;  // of reports/defects/; of what was mended before there were pages: its name
  std::string headline;  // of that page
  std::string oracle, wrong, at;
  program::Case value;
  std::string name = {};                    // of its file in corpus/regressions/
  std::vector<std::string> bad, good = {};  // releases in which it shows, and does not
  Json row = Json::object();                // of cases.json, as it stands there
};

// Whether a release of Python or of a reader is one with which a program does not show what it
// does. `first`: the first such release of each minor version, in order ({"3.12.9", "3.13.2"});
// later minor versions are as well.
bool is_without(const std::vector<std::string>& first, const std::string& release);

// Whether a row of cases.json is shown by what this build has: {"not with": {"python": […], …}}.
// libzip is what we look at the disk by: of an archive that is spoilt, releases say different
// things.
bool is_shown_here(const Json& row);

// The first line of a page, without its mark.
std::string title_of_page(const std::string& page);

// bad_input: a file is broken.
Result<std::vector<Regression>> load_regressions();

// What a row says that its program shows; or null.
const program::Difference* shown_by(const PlayedProgram& played, const Regression& it);

// Calls `work` with each number below `count`, on all cores, each with processes of its own. `stop`
// is asked between.
Result<void> on_all_cores(const Settings& settings, std::size_t count,
                          const std::function<bool()>& stop,
                          const std::function<void(Sides&, std::size_t)>& work);

struct Compared {
  std::vector<RawFinding> news;  // of the subject alone
  Json mended;                   // [{"page": …, "headline": …}], each page once: of the base alone
};

// `settings` name subject and base. `stop` is asked between programs.
Result<Compared> compare_regressions(const Settings& settings, const std::function<bool()>& stop);

}  // namespace storefuzz
