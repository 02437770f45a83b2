// Which commit of a checkout broke it: git's own bisection, with one environment for all commits.
//
//     auto commit = first_bad_commit({.checkout = "../zarr-python", .good = "v3.0.1", .bad =
//     "main", …});
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"

namespace storefuzz {

struct CommitsOptions {
  std::filesystem::path checkout, scratch;  // the checkout is read, and a clone of it bisected
  std::string good, bad;                    // commits, as git names them
  // Ends with 1 where a tree shows the defect and with 0 where it does not; the tree's path is
  // added. Whatever else it ends with, the commit is skipped.
  std::vector<std::string> replay;
  std::function<bool()> stop;
};

// "v3.0.1..main" → good and bad. bad_input: it is not of this form.
Result<std::pair<std::string, std::string>> parse_range(std::string_view range);

// The commit, in git's words: hash, author's date, subject; or the few between which skipped ones
// leave it. bad_input: there is no such checkout or commit, or the ends do not differ as said.
Result<std::string> first_bad_commit(const CommitsOptions& options);

}  // namespace storefuzz
