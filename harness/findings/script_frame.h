// What is around a script's own code: header, imports, helpers that it uses, its end, and a form
// that is short enough.
//
//     return framed({.code = functions_and_main, .imports = {"import fsspec"}}, options);
#pragma once

#include <string>
#include <vector>

#include "harness/findings/script.h"

namespace storefuzz::program {

struct ScriptCode {
  std::string code;                  // functions, the last of them `main`
  std::vector<std::string> imports;  // lines that the stores need
  std::string makes;                 // their constructors: what must be installed for them
  std::vector<std::string> unknown;  // packages that only the user of an adapter knows
  bool apart = false;                // `program` runs in a process of its own
  bool forks = false;                // a fork of the script itself ends by Python's exit
};

// machine_failure: helpers cannot be read.
Result<std::string> framed(const ScriptCode& script, const ScriptOptions& options);

}  // namespace storefuzz::program
