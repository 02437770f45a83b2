// The subcommands of storefuzz: the one list of them. Each stands in a file of its own, which says
// what may be typed and what is done then.
#pragma once

#include <CLI/CLI.hpp>
#include <array>

namespace storefuzz {

// Adds a subcommand, which runs when it was typed, and leaves its exit code in `code`.
using AddCommand = void (*)(CLI::App& app, int& code);

void add_run(CLI::App& app, int& code);
void add_nightly(CLI::App& app, int& code);
void add_replay(CLI::App& app, int& code);
void add_shrink(CLI::App& app, int& code);
void add_releases(CLI::App& app, int& code);
void add_report(CLI::App& app, int& code);
void add_gallery(CLI::App& app, int& code);
void add_list(CLI::App& app, int& code);
void add_corpus(CLI::App& app, int& code);

inline constexpr std::array<AddCommand, 9> kCommands = {add_run,     add_nightly,  add_replay,
                                                        add_shrink,  add_releases, add_report,
                                                        add_gallery, add_list,     add_corpus};

}  // namespace storefuzz
