// See subject_options.h.
#include "harness/command/subject_options.h"

namespace storefuzz {

void add_packages(CLI::App& command, SubjectOptions& options) {
  // One word each: what comes next may be a target or a case.
  command
      .add_option("--with", options.with,
                  "A package beside zarr: icechunk, icechunk==2.3.0, or the path of one")
      ->allow_extra_args(false);
  command.add_option("--adapter", options.adapter,
                     "A Python file with a store of yours (see .github/CONTRIBUTING.md)");
}

void add_subject(CLI::App& command, SubjectOptions& options) {
  command.add_option("--zarr", options.zarr,
                     "Release number, or path of a checkout, a wheel, or a folder that holds zarr "
                     "(default: the newest release)");
  command.add_option("--python", options.python, "Your own environment; its zarr is the subject");
  add_packages(command, options);
}

void add_hidden(CLI::App& command, SubjectOptions& options) {
  command
      .add_option("--planted", options.planted, "Plant a loss (see reference/planted/planted.py)")
      ->group("");
  command.add_option("--oracles-off", options.oracles_off, "Leave oracles out")->group("");
}

Wanted wanted(const SubjectOptions& options) {
  return {.zarr = options.zarr, .venv = options.python, .with = options.with};
}

Result<Subject> prepare_subject(const SubjectOptions& options) {
  auto subject = find_subject(wanted(options));
  static bool used = false;  // its stores join this process once
  if (!subject || options.adapter.empty() || used) return subject;
  if (auto adapter = use_adapter(options.adapter, subject->python); !adapter)
    return std::unexpected(adapter.error());
  used = true;
  return subject;
}

Result<void> prepare_adapter(const SubjectOptions& options) {
  if (options.adapter.empty()) return {};
  auto subject = prepare_subject(options);
  return subject ? Result<void>() : std::unexpected(subject.error());
}

}  // namespace storefuzz
