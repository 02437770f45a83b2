// Options that several subcommands share: which zarr, with what beside it, and what tests switch.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "harness/campaign/subject.h"

namespace storefuzz {

struct SubjectOptions {
  std::string zarr, python, adapter, planted, oracles_off;
  std::vector<std::string> with;
};

// --with and --adapter.
void add_packages(CLI::App& command, SubjectOptions& options);

// --zarr, --python, and those.
void add_subject(CLI::App& command, SubjectOptions& options);

// --planted and --oracles-off, for tests.
void add_hidden(CLI::App& command, SubjectOptions& options);

Wanted wanted(const SubjectOptions& options);

// Makes the subject's environment, and reads the stranger's adapter that goes with it.
Result<Subject> prepare_subject(const SubjectOptions& options);

// Where an adapter is named: the same, before files are read that may name its stores.
Result<void> prepare_adapter(const SubjectOptions& options);

}  // namespace storefuzz
