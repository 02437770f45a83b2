// Quirks of readers: differences that are a reader's way with a class of archives, as data.
//
// One entry names one reader, versions, class and direction, with a reason; there are no wildcards.
// What no entry names is news.
//
//     Result<ReaderQuirks> quirks = ReaderQuirks::load(source_folder() +
//     "/reference/reader_quirks.json"); const ReaderQuirk* it = quirks->match({"A1"}, difference);
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/readers/comparison.h"

namespace storefuzz {

struct ReaderQuirk {
  std::string reader, first, last;  // versions, inclusive; empty: no bound
  std::string zip_class, direction, reason, link;
};

class ReaderQuirks {
 public:
  // bad_input: not there, not JSON, a member missing or unknown, a class, direction or reader that
  // there is not, an entry twice.
  static Result<ReaderQuirks> load(const std::filesystem::path& file);

  // The first entry that names this difference in an archive of these classes; null: it is news.
  const ReaderQuirk* match(const std::vector<std::string>& classes,
                           const Difference& difference) const;

  const std::vector<ReaderQuirk>& all() const { return quirks_; }

 private:
  std::vector<ReaderQuirk> quirks_;
};

}  // namespace storefuzz
