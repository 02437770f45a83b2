// Equal texts for equal programs: what differs from run to run is taken out of an answer's text.
//
//     plain_text("no /dev/shm/run/7/z.zip at 0x7f00a1b2c3d4", {{"/dev/shm/run/7", "<case>"}})
//         // no <case>/z.zip at 0x…
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace storefuzz::program {

// Text → what is told instead.
using Replacements = std::vector<std::pair<std::string, std::string>>;

// Replaces, in order; then addresses, numbers of threads and processes, and the random names of
// temporary files become "…".
std::string plain_text(std::string_view text, const Replacements& replacements);

// Replaces, in order, and nothing else: of names, in which any number may be part of the name.
std::string replaced(std::string_view text, const Replacements& replacements);

// A name of a file or key. LocalStore's temporary files hold 32 hexadecimal digits of chance (uuid4
// in _local.py): "a.#.partial".
std::string without_chance(std::string name);

}  // namespace storefuzz::program
