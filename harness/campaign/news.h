// What a night says of each cause, held against the nights before: new, still there, gone, mended,
// reopened, back. Pure functions on a state; nothing is played here.
//
//     News news(state, night, now);
//     news.seen("page zip-mode-r-clear");        // by its program
//     news.found(line, page);                    // a line of findings.jsonl
//     news.silent("page local-long-names");      // played, and showed nothing
//     news.settle();                             // tells what was not seen in any way
#pragma once

#include <set>
#include <string>

#include "harness/campaign/state.h"

namespace storefuzz {

// The name of a page in a state.
std::string page_name(const std::string& page);

class News {
 public:
  News(State& state, Night& night, Moment now)
      : state_(state), night_(night), now_(std::move(now)) {}

  // It showed. What was gone without a change of the subject comes and goes; what was mended and
  // shows again is reopened.
  void seen(const std::string& name);

  // Its programs were played, and none showed it. It counts once all targets were fuzzed: fuzzing
  // may find it in another way.
  void silent(const std::string& name) { silent_.insert(name); }

  // A page that no night has asked yet: what the subject shows of it is no news, since it was told.
  // `shown`: whether it shows.
  void first_asked(const std::string& page, const std::string& sentence, bool shown);

  // What a run found and confirmed, or knew. `page`: the one that has this cause, also where the
  // release is one that should not show it; or empty. Whether it is new to the state, or severer,
  // or open again.
  bool found(const Json& line, const std::string& page);

  // Of each cause that was silent and not found: gone; mended where the subject is another one than
  // the one that showed it.
  void settle();

  // Whether somebody has to be told: a cause is new, or reopened. Questions are asked of people.
  bool red() const { return !night_.news.empty() || !night_.reopened.empty(); }

 private:
  void change(Recorded& it, const char* what) { it.changes.push_back({now_, what}); }
  bool add(const Json& line, const std::string& page);

  State& state_;
  Night& night_;
  Moment now_;
  std::set<std::string> silent_;
};

}  // namespace storefuzz
