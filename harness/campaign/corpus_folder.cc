// See corpus_folder.h.
#include "harness/campaign/corpus_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "harness/base/files.h"
#include "harness/campaign/sha256.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

using ByHash = std::map<std::string, CorpusCase>;

// A case, also where it stands in the line of a finding.
CorpusCase case_of(const std::string& bytes) {
  Json json = parse_json(bytes);
  if (json.is_object() && json.contains("case")) json = Json(json["case"]);
  if (auto value = json.is_object() ? program::parse_case(text_of(json)) : bad_input(""))
    return corpus_case(*value);
  return {.hash = sha256(bytes), .text = bytes, .program = false};
}

void read_file(const fs::directory_entry& entry, ByHash& into, CorpusFolder& corpus) {
  std::error_code error;
  const bool file = !entry.is_symlink(error) && entry.is_regular_file(error);
  if (!file || entry.file_size(error) > kMaxCaseText || into.size() >= kMostCases) {
    ++corpus.skipped;
    return;
  }
  auto bytes = read_file_whole(entry.path());
  if (!bytes) {
    ++corpus.skipped;
    return;
  }
  CorpusCase found = case_of(*bytes);
  into.try_emplace(found.hash, std::move(found));
}

// One that is marked anywhere is marked.
Result<void> read_findings(const fs::path& file, ByHash& into) {
  auto text = read_file_whole(file);
  if (!text) return std::unexpected(text.error());
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const Json json = parse_json(line);
    if (!json.is_object() || !json.contains("case"))
      return bad_input(fmt::format("{} has a line that is no finding", file.string()));
    CorpusCase found = case_of(line);
    if (!found.program) continue;  // of a stranger's store, or another version's
    CorpusCase& kept = into.try_emplace(found.hash, found).first->second;
    kept.secret = kept.secret || !json.value("security", Json()).is_null();
  }
  return {};
}

}  // namespace

CorpusCase corpus_case(const program::Case& value) {
  std::string text = program::to_text(value);
  return {.hash = sha256(text), .text = std::move(text)};
}

Result<CorpusFolder> read_corpus(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return bad_input(fmt::format("{} is no folder", folder.string()));
  CorpusFolder corpus;
  ByHash all;
  if (fs::exists(folder / "findings.jsonl", error)) {
    if (auto read = read_findings(folder / "findings.jsonl", all); !read)
      return std::unexpected(read.error());
  } else {
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
      read_file(*it, all, corpus);
    if (error)
      return bad_input(fmt::format("{} cannot be read: {}", folder.string(), error.message()));
  }
  for (auto& [hash, found] : all) {
    corpus.others += found.program ? 0 : 1;
    corpus.cases.push_back(std::move(found));
  }
  return corpus;
}

}  // namespace storefuzz
