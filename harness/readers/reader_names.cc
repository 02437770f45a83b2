// See reader_names.h.
#include "harness/readers/reader_names.h"

#include <fstream>

#include "harness/base/paths.h"
#include "harness/case/store.h"

namespace storefuzz {

Result<std::vector<std::string>> all_readers() {
  std::vector<std::string> names(kOurReaders.begin(), kOurReaders.end());
  std::ifstream file(reference_folder() + "/readers/readers.json");
  const Json json = Json::parse(file, nullptr, false);
  if (!json.is_object() || !json.contains("readers"))
    return machine_failure("reference/readers/readers.json cannot be read");
  for (const Json& entry : json["readers"]) names.push_back(entry.value("name", ""));
  return names;
}

}  // namespace storefuzz
