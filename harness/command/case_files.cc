// See case_files.h.
#include "harness/command/case_files.h"

#include <fmt/format.h>

#include <fstream>

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
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream && text.empty()) return bad_input(fmt::format("{} cannot be read", file.string()));
  return text;
}

}  // namespace

Result<NamedCase> read_any_case(const fs::path& file) {
  auto text = read_text(file, 16 * kMaxCaseText);
  if (!text) return std::unexpected(text.error());
  Json json = parse_json(*text);
  if (json.is_discarded()) return bad_input(fmt::format("{} is not JSON", file.string()));
  NamedCase named;
  if (json.is_object() && json.contains("case")) {
    const Json fingerprint = json.value("fingerprint", Json(""));
    if (!fingerprint.is_string())
      return bad_input(fmt::format("{}: a fingerprint is text", file.string()));
    named.fingerprint = fingerprint;
    json = Json(json["case"]);
  }
  if (json.is_object() && json.contains("format")) {
    auto read = program::parse_case(json.dump());
    if (!read) return bad_input(fmt::format("{}: {}", file.string(), read.error().message));
    named.program = std::move(*read);
    return named;
  }
  auto value = parse_case(json.dump());
  if (!value) return bad_input(fmt::format("{}: {}", file.string(), value.error().message));
  named.value = std::move(*value);
  return named;
}

Result<NamedCase> read_case(const fs::path& file) {
  auto named = read_any_case(file);
  if (named && named->program)
    return bad_input(fmt::format(
        "{} is a program (format 2), which only replay and shrink can take", file.string()));
  return named;
}

}  // namespace storefuzz
