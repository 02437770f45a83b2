// Findings: what the oracles disagree about, made into one readable thing.
//
// A fingerprint names store, oracle, field and class of difference. What one lost attribute breaks
// elsewhere in the same case is a symptom of that loss, not a finding of its own. Findings with one
// root share a cause.
//
//     const Judged judged = judge(value, seen, quirks, "3.4.2");
//     for (const Finding& found : judged.findings) std::puts(found.told.headline.c_str());
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/findings/quirks.h"
#include "harness/journey/oracle.h"

namespace storefuzz {

struct Finding {
  std::string fingerprint;  // "zip-attributes-_read_only-lost": safe as a file name
  std::string cause;        // "_read_only lost"
  Disagreement told;
  std::vector<std::string> symptoms;  // headlines of what else the same loss broke in this case
};

struct Judged {
  std::vector<Finding> findings;
  std::map<std::string, int> quirks;  // id → times matched
  std::uint64_t verdicts = 0;         // hash of the tuple of verdicts: guidance for the fuzzer
  bool arrived = false;               // the child looked, and nothing was cut short
};

// Runs every oracle but those named in `off`.
Judged judge(const Case& value, const Observations& seen, const std::vector<Quirk>& quirks,
             std::string_view release, const std::vector<std::string>& off = {});

// A hang of the parent itself, seen by its supervisor: the same finding the deadline oracle makes.
Finding parent_hang(const Case& value, const std::string& stacks);
// The parent died by itself.
Finding parent_crash(const Case& value, const std::string& signal, const std::string& stacks);

Json to_json(const Finding& found);
Result<Finding> finding_from_json(const Json& json);

}  // namespace storefuzz
