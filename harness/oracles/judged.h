// What all oracles look at: a program walked once with the model, in order, each answer beside what
// was allowed.
//
//     const Judged judged = walk(value, seen);
//     for (const JudgedAnswer& it : judged.answers) count(it.allowed.reason);
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/case/program.h"
#include "harness/model/allowed.h"
#include "harness/model/difference.h"
#include "harness/model/model.h"
#include "harness/readers/panel.h"
#include "harness/wire/observation.h"

namespace storefuzz::program {

// The same program over another kind of store (generate/twins.h), and what was seen of it.
struct Twin {
  Case value;
  Observation seen;
};

// What independent readers see in an archive, as the program left it.
struct ReadArchive {
  std::string place;
  std::vector<ReaderInfo> readers;
  std::vector<ReaderReply> replies;  // in the order of the readers
  // Of an archive that is wrong on purpose: its class, and which differences are how the subject's
  // zip library reads archives of such a class (reference/reader_quirks.json).
  std::string zip_class = "";
  std::set<Wrong> known_ways = {};
};

// What is known of a program besides its own observation.
struct Beside {
  std::vector<Twin> twins;
  std::vector<ReadArchive> archives;
};

struct JudgedAnswer {
  std::size_t step = 0, handle = 0;
  const Answer* answer = nullptr;  // of the observation, which must live on
  Allowed allowed;
  std::optional<Difference> difference;
  // Answers of one signature, with no effect between them, are about the same content. "": of none.
  std::string signature;
  std::size_t effects = 0;
  std::string surely_seen;  // by the model, before the answer; only where there are twins
};

struct Judged {
  std::vector<JudgedAnswer> answers;
  std::vector<Difference> disk;     // after steps, in order
  std::vector<Difference> crashes;  // within watched calls
  std::optional<Model> after;       // the last step: what places surely hold is asked when needed
  const Beside* beside = nullptr;   // must live on
  std::vector<Judged> twins;        // of each of its twins
};

// The observation has as many steps as the case; what is missing was not seen.
Judged walk(const Case& value, const Observation& seen, const Beside* beside = nullptr);

// The differences of the answers that an oracle takes: by operation (nullptr: a step that is no
// call) and class.
std::vector<Difference> differences(const Case& value, const Judged& judged,
                                    bool (*takes)(const Operation* asked, Wrong wrong));

// What sort of argument a call was given, in the eyes of the model.
Argument argument_of(const Call& call, const JudgedAnswer& answer);

// Who a call's answer is about, for a difference that needs no model.
Where where_of(const Case& value, const JudgedAnswer& answer);

}  // namespace storefuzz::program
