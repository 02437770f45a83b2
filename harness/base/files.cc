// See files.h.
#include "harness/base/files.h"

#include <fmt/format.h>

#include <fstream>

namespace storefuzz {
namespace fs = std::filesystem;

Result<void> write_file_whole(const fs::path& file, std::string_view bytes) {
  const fs::path beside = file.string() + ".new";
  std::ofstream stream(beside, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  std::error_code error;
  if (stream) fs::rename(beside, file, error);
  if (!stream || error) {
    fs::remove(beside, error);
    return bad_input(fmt::format("{} cannot be written", file.string()));
  }
  return {};
}

}  // namespace storefuzz
