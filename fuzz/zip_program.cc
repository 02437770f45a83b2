// Programs over archives that are wrong on purpose.
#include "fuzz/engine.h"

namespace {
const bool made = storefuzz::make_special({
    .settings = [](storefuzz::Settings& settings) { settings.stores = "zip"; },
    .shape = storefuzz::with_a_wrong_archive,
});
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return made ? storefuzz::fuzz_program(data, size) : 0;
}
