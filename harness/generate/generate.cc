// Bytes → taste, frame, steps, end.
#include "harness/generate/generate.h"

#include "harness/generate/draft.h"

namespace storefuzz::program {

Case generate_program(std::span<const std::byte> bytes, const Stores& stores,
                      const std::vector<std::string>& releases) {
  Choices choices(bytes);
  const Taste taste = draw_taste(choices, stores, releases);
  Draft draft(taste, choices, draw_frame(taste, choices));
  // With how they end, half of all programs have 8 to 12 steps.
  for (std::uint32_t steps = 3 + choices.below(7); steps > 0; --steps) draft.draw_step();
  draft.draw_end();
  return std::move(draft).finish();
}

}  // namespace storefuzz::program
