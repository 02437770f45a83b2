// Known causes: somebody has been told of them. They are counted and linked, and never red; neither
// confirmed nor dated.
//
//     auto known = load_known("shipped");
//     if (const Known* it = find_known(*known, cause, "3.4.2")) line["known"] = to_json(*it);
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/findings/cause.h"
#include "harness/findings/finding.h"

namespace storefuzz {

struct Known {
  std::string cause;         // the whole key, no wildcard
  std::string link, reason;  // where it is told, and a sentence
  std::string by = "file";   // "page", "file", "run", "zarr": what makes it known
  std::string page = "";     // of reports/defects/; empty: none
  int severity = 1;          // where it is severer than this, it is new
  std::string good = "";     // the release from which on it is mended: there it is new. Empty: none
};

// What the causes of the pages of reports/defects/ are, made by playing their programs.
std::filesystem::path shipped_known();

// `named`: "shipped"; "none"; a file {"known": [{"cause": …, "link": …, "reason": …}]}; or a run
// directory, whose confirmed causes are known then. bad_input: it cannot be read, or is none; an
// entry lacks a text, or has something else.
Result<std::vector<Known>> load_known(const std::string& named);

// `release`: that of the subject.
const Known* find_known(const std::vector<Known>& known, const program::Cause& cause,
                        std::string_view release);

// A race may not happen again: a page names it by its key, as the loop saw it.
const Known* find_known(const std::vector<Known>& known, const Finding& as_seen,
                        std::string_view release);

// {"known": […]} in the order given, as a file that load_known() reads.
std::string to_text(const std::vector<Known>& known);

// As findings.jsonl says it: {"by": …, "page": …, "link": …, "reason": …}.
Json to_json(const Known& known);

}  // namespace storefuzz
