// See case_files.h.
#include "harness/command/case_files.h"

#include <fmt/format.h>

#include "harness/base/files.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

Result<std::string> read_text(const fs::path& file, std::size_t limit) {
  std::error_code error;
  if (!fs::is_regular_file(file, error))
    return bad_input(fmt::format("{} is no file", file.string()));
  if (fs::file_size(file, error) > limit)
    return bad_input(
        fmt::format("{} is larger than a case can be ({} bytes)", file.string(), limit));
  return read_file_whole(file);
}

}  // namespace

Result<NamedCase> read_case(const fs::path& file) {
  auto text = read_text(file, 16 * kMaxCaseText);
  if (!text) return std::unexpected(text.error());
  Json json = parse_json(*text);
  if (json.is_discarded()) return bad_input(fmt::format("{} is not JSON", file.string()));
  if (json.is_object() && json.contains("case")) json = Json(json["case"]);
  auto value = program::parse_case(json.dump());
  if (!value) return bad_input(fmt::format("{}: {}", file.string(), value.error().message));
  return NamedCase{.name = file.string(), .value = std::move(*value)};
}

}  // namespace storefuzz
