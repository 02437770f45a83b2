// The expectation: a small model of what a case itself says must come back, kept outside store and
// pickle. It knows what the subject acknowledged (an operation that was shown), never how the
// subject did it.
//
//     const Expectation expected = expect(value, seen.operations);
//     if (expected.certain) assert(expected.content.at("a") == "x");
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/case/case.h"
#include "harness/journey/observation.h"

namespace storefuzz {

using Content = std::map<std::string, std::string>;  // key → bytes

struct Expectation {
  bool read_only = false;  // what `read_only` must say
  bool can_write = false;  // a set is expected to be accepted
  bool sealed = false;     // no write may be accepted: it is read-only, or its mode is r
  bool certain = true;     // `content` is known; false: the model has no opinion on it
  bool pending = false;    // the parent's handle holds entries the archive's directory lacks yet
  bool unclaimed = false;  // mode w or x, never opened: the first use empties or creates the file
  bool missing = false;    // nothing to read lies at the path: opening is rightly refused
  bool exists_already = false;  // mode x, never opened, and the file is there: rightly refused
  bool made_by_use = false;     // there is no archive yet: the first use makes one
  bool gone = false;            // the parent deleted the place: nothing there can be relied on
  Content content;              // key → bytes, as the parent's store has it
  Content away;                 // the same for the child, before it writes
  bool away_certain = true;     // `away` is known
  bool other_content = false;   // the child rightly looks at another content than the parent
  bool one_content = true;      // what the child writes, the parent sees
};

// All operations of the parent: those of the case, then what brings it into its lifecycle state.
std::vector<Operation> operations_of(const Case& value);

// `answers` belong to operations_of(value), one each; fewer when the store was not constructed.
Expectation expect(const Case& value, const std::vector<Answer>& answers);

// The same, with what the parent did meanwhile.
Expectation expect(const Case& value, const Observations& seen);

// What a writing look does to a content, if it was acknowledged.
void apply_look(StoreKind store, const Look& look, Content& content);

// A content and what the acknowledged ones among the looks of a plan made of it.
Content after_looks(StoreKind store, Content content, const std::vector<Look>& plan,
                    const std::vector<Answer>& answers);

inline constexpr std::string_view kProbeKey = "probe";  // what a child writes where it may
inline constexpr std::string_view kProbeValue = "written by the child";
inline constexpr std::string_view kOtherValue = "written over it";
inline constexpr std::string_view kFreshKey = "fresh/probe";
inline constexpr std::string_view kSyncKey = "fresh/sync";
inline constexpr std::string_view kPatternKey = "fresh/*";       // a name like any other
inline constexpr std::string_view kNodeKey = "probe/zarr.json";  // where only nodes are taken
inline constexpr std::string_view kNodeValue =
    R"({"zarr_format":3,"node_type":"group","attributes":{}})";
inline constexpr std::size_t kLongName = 220;           // bytes; file systems take 255
inline constexpr std::string_view kLaterKey = "later";  // what a parent writes meanwhile
inline constexpr std::string_view kLaterValue = "written meanwhile";
inline constexpr std::string_view kMissingKey = "missing";  // never written by any case

// The questions for both sides, in order; writes come last. `after_writes` leaves the writes of a
// writable store out: the parent asks the rest again once its child has written.
std::vector<Look> make_plan(const Case& value, const Expectation& expected);
std::vector<Look> without_writes(std::vector<Look> plan);

// True when the child writes to the store (as opposed to trying what must be refused).
bool child_writes(const std::vector<Look>& plan);

}  // namespace storefuzz
