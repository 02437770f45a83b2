// Errors as values: what a function of the library answers when it could not do its work.
//
// Three kinds of wrong stay apart in storefuzz. A refusal by the subject (zarr) is data and travels
// in an Observation. A broken harness is our own bug and aborts through an assertion. Everything
// else is an Error: the user named something wrong, or the machine lacks something.
//
//     Result<Case> parsed = parse_case(text);
//     if (!parsed) return std::unexpected(parsed.error());
//     use(*parsed);
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace storefuzz {

// Exit codes of the storefuzz command; its README.md and `storefuzz --help` name the same four.
enum class ExitCode : int {
  kNothingNew = 0,  // no confirmed finding, or only known ones
  kFinding = 1,     // a confirmed finding that is not known
  kBadInput = 2,    // the user named something wrong
  kMachine = 3,     // the machine lacks something, or failed
};

// One clear sentence for a person, and the exit code it leads to.
struct Error {
  ExitCode code = ExitCode::kMachine;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

// `return bad_input("…")`: the user named something wrong (exit code 2).
inline std::unexpected<Error> bad_input(std::string message) {
  return std::unexpected(Error{.code = ExitCode::kBadInput, .message = std::move(message)});
}

// `return machine_failure("…")`: the machine lacks something or failed (exit code 3).
inline std::unexpected<Error> machine_failure(std::string message) {
  return std::unexpected(Error{.code = ExitCode::kMachine, .message = std::move(message)});
}

}  // namespace storefuzz
