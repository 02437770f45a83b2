// One case over many releases: where does it begin, and where does it end?
//
//     auto tables = play_releases({{value, of_class}}, *all_releases(), options);
//     fmt::print("{}\n", (*tables)[0].sentence());   // "bad in 3.0.0 – 3.0.1, good from 3.0.2"
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/campaign/subject.h"
#include "harness/play/program_session.h"

namespace storefuzz {

struct Asked {
  program::Case value;
  std::string of_class;    // of the difference (cause.h); empty: any first difference is bad
  std::string cause = "";  // for whoever asked
  std::function<bool(const PlayedProgram&)> shown = {};  // what is bad, instead of a class
};

enum class Standing { kGood, kBad, kNotApplicable, kUnknown };
std::string_view name_of(Standing);

struct ReleaseTable {
  std::vector<std::pair<std::string, Standing>> rows;  // those played, oldest first

  std::string first_bad() const;  // "" when none is bad
  std::string last_bad() const;
  std::string first_good() const;  // the first good one after the last bad one; or ""
  std::string sentence() const;
};

struct ReleasesOptions {
  std::filesystem::path scratch;
  int jobs = 2;                                    // releases at once
  std::function<bool()> stop;                      // asked between cases, and releases
  std::function<void(std::string_view)> progress;  // told each release that is done
};

// A column of a table: its name, and the subject behind it.
struct PlayedRelease {
  std::string name;
  Wanted wanted;
};

// Whether a store of the program could not be made.
bool is_refused(const program::Case& value, const program::Observation& seen);

// How a program stands in the subject of a session.
Standing stand(ProgramSession& session, const Asked& asked);

// One table for each of `asked`. A release whose environment cannot be made is unknown.
Result<std::vector<ReleaseTable>> play_releases(const std::vector<Asked>& asked,
                                                const std::vector<PlayedRelease>& releases,
                                                const ReleasesOptions& options);

// The same, but only those releases are played that show where each begins and ends, by bisection
// from `subject`, which shows all of them; what is bad, good, and bad again may be missed. A
// subject that is none of `releases` ("": a checkout) is newer than all of them.
Result<std::vector<ReleaseTable>> bisect_releases(const std::vector<Asked>& asked,
                                                  const std::vector<PlayedRelease>& releases,
                                                  const std::string& subject,
                                                  const ReleasesOptions& options);

Json to_json(const ReleaseTable& table);

}  // namespace storefuzz
