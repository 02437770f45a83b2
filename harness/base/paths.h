// Where this build's own files lie: its sources, its programs, the Python of its tools.
//
//     run({built_program("storefuzz-reader"), …});
//     run({tools_python(), source_folder() + "/reports/render.py", …});
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace storefuzz {

// The sources of this build: reference/, reports/, corpus/. STOREFUZZ_HOME names another place. A
// program that has `reference` beside it was moved with all that it needs (.clusterfuzzlite/).
std::string source_folder();

// The folder with stores.json and side/: named by STOREFUZZ_REFERENCE, else `reference` of the
// sources.
std::string reference_folder();

// The interpreter that was moved with this program; empty: none was.
std::string python_beside_us();

// The interpreter of the tools environment that scripts/setup made.
std::string tools_python();

// A program of this build: they lie in one folder.
std::filesystem::path built_program(std::string_view name);

}  // namespace storefuzz
