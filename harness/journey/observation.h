// The observation: what the sides of one journey let us see, typed, with nothing judged.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/case/answer.h"
#include "harness/case/case.h"
#include "harness/zip/archive.h"

namespace storefuzz {

// One question of the plan: a word of vocabulary.json and its arguments.
struct Look {
  std::string name;
  LookGroup group;
  Entry entry;             // key, and value for a write
  std::int64_t start = 0;  // bytes
  std::int64_t end = 0;    // bytes, exclusive
  std::string about = "";  // what is special about its key or value: "a folder"; or nothing
};

// What a finding calls a look, so that odd questions are told apart from usual ones:
// "delete of a folder".
std::string field_of(const Look& look);

// What lies in the case's folder at one moment.
struct Mark {
  Json files;                                       // name → [size, crc32]
  std::optional<std::vector<std::string>> entries;  // of the archive, where it could be listed
};

// One side's view of its store.
struct View {
  Answer received;                        // took the store out of its carrier (child, returned)
  std::vector<std::string> arrived_with;  // instance attributes right after it was received
  std::optional<State> state;
  std::optional<State> state_sent;  // of the store, as the child pickled it for the way back
  std::vector<Answer> looks;        // one for each Look of the plan; empty when nobody looked
  State equality;                   // "copy == store", …
  Answer same_object;               // two references of one pickle arrived as one object
  Answer sent_back;
  Answer array;                                         // what the returned array reads
  Answer left;                                          // closed the store
  std::optional<std::vector<std::string>> descriptors;  // files of the case still open at the end
  Mark mark_after_receiving;
  Mark mark_after_leaving;
  Answer died;  // Crashed or TimedOut when this side did not finish; else Absent
};

// What an independent reader says of the archive at the end (harness/readers).
struct Reading {
  std::string reader, version;
  Json reply;   // of the reader protocol; null if it died
  Answer died;  // Crashed or TimedOut; else Absent
};

struct Expectation;

struct Observations {
  Answer constructed;              // the constructor, in the parent
  std::vector<Answer> operations;  // one for each Operation
  // What the model makes of the operations, and of what the parent did meanwhile as well. Null
  // where the journey did not come so far: expectation.h tells it then.
  std::shared_ptr<const Expectation> built, expected;
  State state_before;              // the parent's store before it was packed
  Answer cargo;  // what holds the store was made; refused: there is nothing to hold it
  Answer packed;
  Answer meanwhile;    // what the parent did before the child looked
  State state_packed;  // the parent's store after it was packed
  Mark mark_built;
  Mark mark_packed;
  Mark mark_sent;  // after what the parent did meanwhile
  std::vector<Look> plan;
  View child;
  View returned;
  View parent;                             // the parent's own store, after the child was done
  View twin;                               // a MemoryStore of the same content, in the parent
  Mark mark_end;                           // after the parent closed its store
  std::string archive_end;                 // bytes of the archive then; empty if there is none
  std::vector<Reading> readings;           // of that archive; empty where nobody was asked
  std::vector<std::string> strange_files;  // files nobody asked for, at the end
};

// The answer under a member's name; absent where there is none.
Answer answer_at(const Json& json, const char* key);

Mark mark_from_json(const Json& json);
void read_view(const Json& json, View& into);

// A readable record of everything seen, for observations.json.
Json to_json(const Observations& seen);

}  // namespace storefuzz
