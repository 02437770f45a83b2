// A corpus in one file that a stranger may have written: a zip archive with `manifest.json` and
// `cases/<sha256>.json`, which any tool can read.
//
// The same cases give the same bytes. What is read back is believed in nothing: an archive that is
// not exactly of this form, or says one thing twice and in two ways, is refused whole; of a sound
// one, a case that is none is refused alone. Nothing touches the disk.
//
//     Result<std::string> archive = pack_corpus(info, cases);
//     Result<UnpackedCorpus> again = unpack_corpus(*archive);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/campaign/corpus_folder.h"

namespace storefuzz {

inline constexpr int kCorpusFormat = 1;

// Bounds of an archive: far above what a lab shares, far below what a machine has.
inline constexpr std::size_t kMostArchived = 65'000;              // cases; zip counts to 65,534
inline constexpr std::size_t kLargestArchive = 256U << 20;        // bytes of the file
inline constexpr std::size_t kLargestManifest = 64U << 20;        // bytes, unpacked
inline constexpr std::size_t kLargestUnpacked = 512U << 20;       // bytes of all entries, unpacked
inline constexpr std::size_t kSteepest = 200, kSteepFrom = 4096;  // unpacked : packed, from a size
inline constexpr std::size_t kLongestSaying = 1000;               // bytes of origin and licence

// What is said of all cases of an archive.
struct CorpusInfo {
  std::string target{"program"};  // a fuzz target
  std::string origin{"not said"}, licence{"not said"};
  std::string zarr;                          // on which the cases were played; empty: they were not
  std::string storefuzz{STOREFUZZ_VERSION};  // by which it was written
};

struct RefusedCase {
  std::string name, why;
};

struct UnpackedCorpus {
  CorpusInfo info;
  std::vector<CorpusCase> cases;  // each once, sorted by hash
  std::vector<RefusedCase> refused;
};

// bad_input: above the bounds.
Result<std::string> pack_corpus(const CorpusInfo& info, const std::vector<CorpusCase>& cases);

// bad_input: one sentence on why the whole is refused.
Result<UnpackedCorpus> unpack_corpus(std::string_view bytes);

}  // namespace storefuzz
