// A folder of cases, as it lies on disk: read within bounds, since others wrote it.
//
// A case is the same however its file is called and its JSON is laid out: it is told by the hash of
// its one form.
//
//     Result<CorpusFolder> corpus = read_corpus("runs/night/corpus");
//     for (const CorpusCase& it : corpus->cases) use(it.hash, it.text);
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/program.h"

namespace storefuzz {

inline constexpr std::size_t kMostCases = 1'000'000;

struct CorpusCase {
  std::string hash;     // of the text
  std::string text;     // program::to_text
  bool secret = false;  // marked as a concern of security by the run that found it
  bool program = true;  // false: bytes that only a fuzz target makes a program of
  std::string file_name() const { return program ? hash + ".json" : hash; }
};

struct CorpusFolder {
  std::vector<CorpusCase> cases;  // each once, sorted by hash
  std::size_t others = 0;         // of these: no programs
  std::size_t skipped = 0;        // links, folders, pipes, too large, too many, unreadable
};

CorpusCase corpus_case(const program::Case& value);

// The files of a folder; or, of a run directory, the cases of its findings. bad_input: no folder.
Result<CorpusFolder> read_corpus(const std::filesystem::path& folder);

}  // namespace storefuzz
