// The canary: programs over a subject that was made to drop `_read_only` from its pickled state.
// The canary must fail; a build where it does not is blind.
#include "fuzz/engine.h"

namespace {
const bool made = storefuzz::make_special({
    .settings = [](storefuzz::Settings& settings) { settings.planted = "state drops _read_only"; },
});
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return made ? storefuzz::fuzz_program(data, size) : 0;
}
