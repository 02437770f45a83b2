// Quirks of programs: differences that are right, as data, each with a reason and a link.
//
// An entry names its stores, operations (or carriers), sort of argument, oracle, class of
// difference and, of a refusal, its error; and the releases where it holds. There are no wildcards.
// Its example is a case of the corpus; one that no longer shows it is stale, and a test says so.
//
//     auto quirks = program::load_quirks(reference_folder() + "/program_quirks.json");
//     for (const std::string& id : take_out(*quirks, value, "3.4.2", differences)) ++hits[id];
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/program.h"
#include "harness/model/difference.h"

namespace storefuzz::program {

struct Quirk {
  std::string id;
  std::vector<std::string> stores;      // also what wraps them
  std::vector<std::string> operations;  // words of the table, or carriers
  std::string argument;                 // "plain", "edge", "misuse"
  std::string oracle, wrong;
  std::string error;        // type of a refusal; empty: it is none
  std::string first, last;  // releases, inclusive; empty: no bound
  std::string reason, link;
  std::string example;  // a file below corpus/program/
};

// bad_input: not there, not JSON, a member missing or unknown, a word that names nothing.
Result<std::vector<Quirk>> load_quirks(const std::filesystem::path& file);

// Takes out of the differences what is a quirk in that release; returns the names of what was
// taken.
std::vector<std::string> take_out(const std::vector<Quirk>& quirks, const Case& value,
                                  std::string_view release, std::vector<Difference>& differences);

// Removes differences. What differs next at such a place is the first there.
void remove(std::vector<Difference>& differences,
            const std::function<bool(const Difference&)>& goes);

}  // namespace storefuzz::program
