// Files that are written whole or not at all.
#pragma once

#include <filesystem>
#include <string_view>

#include "harness/base/error.h"

namespace storefuzz {

// Writes a file beside its place, then renames it.
Result<void> write_file_whole(const std::filesystem::path& file, std::string_view bytes);

}  // namespace storefuzz
