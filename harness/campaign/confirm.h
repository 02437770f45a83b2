// Confirming: repro.py runs in a fresh interpreter of the subject's environment, shut in by
// Landlock, and must exit 1 and print the finding's sentence. One that dies after it has printed
// that is run again, twice at the most.
//
//     Result<Confirmed> confirmed = confirm(script, headline, {.python = subject.python, …});
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "harness/base/error.h"
#include "harness/process/process.h"

namespace storefuzz {

struct ConfirmOptions {
  std::string python;
  std::filesystem::path scratch;  // writable; the script's temporary folder lies there
  std::string planted;            // the loss is planted in the script's interpreters too
  Milliseconds deadline{60'000};  // for the whole script
  std::function<bool()> stop;     // asked many times a second; true: the script is ended
};

struct Confirmed {
  bool confirmed = false;
  bool stopped = false;  // before its end, because `stop` said so
  int exit_code = -1;
  std::string output;  // at most 1 MiB
  std::string why;     // when not confirmed: one sentence
};

Result<Confirmed> confirm(const std::filesystem::path& script, const std::string& headline,
                          const ConfirmOptions& options);

}  // namespace storefuzz
