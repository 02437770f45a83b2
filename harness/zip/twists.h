// Named wrongnesses: a sound zip archive goes in, one that is wrong in a known way comes out.
//
// Section numbers are those of PKWARE's APPNOTE.TXT 6.3.10. A kind is about a class of
// harness/zip/classes.h; bytes that carry several twists, or a twist that finds nothing to bend
// (no entry in an empty archive), may well be of another class, which only classify() decides.
//
//     const Twist twist{.name = "central method differs", .entry = 1};
//     Result<std::string> wrong = twist_archive(sound, {&twist, 1});
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"

namespace storefuzz {

inline constexpr std::size_t kMostTwisted = 32 << 20;  // bytes of an archive, in and out

// One wrongness. `entry` chooses the entry, modulo their number; `amount` chooses a variant, modulo
// the number of variants: a side, a size, a bit, an order, whatever the kind has to choose from.
struct Twist {
  std::string name;
  std::uint32_t entry = 0;
  std::uint32_t amount = 0;
  bool operator==(const Twist&) const = default;
};

struct TwistKind {
  std::string_view name;     // stable: cases and reports hold the name
  std::string_view about;    // the class: "A1" … "C5", "truncated", …, "sound"
  std::string_view section;  // of the APPNOTE, that is bent
  std::string_view says;     // one short sentence
  bool heavy = false;  // costs milliseconds, here and in every reader: megabytes, many entries
};

// Every kind, in a fixed order; new ones are added at the end of their class.
const std::vector<TwistKind>& all_twists();

// Null when no kind has this name.
const TwistKind* find_twist(std::string_view name);

// Applies the twists, one after another. Each leaves right what it does not mean to bend, and wrong
// what an earlier one bent. An entry put beside another holds another value of the same length. A
// twist whose result would exceed kMostTwisted is passed over. bad_input: a name that no kind has,
// a larger archive. The same arguments give the same bytes. Costs some 5 µs a twist on a small
// archive, and milliseconds when the twist is heavy.
Result<std::string> twist_archive(std::string_view sound, std::span<const Twist> twists);

// Bytes of a fuzzer → bytes of an archive. After an odd first byte: the rest as it is. After an
// even one: a small sound archive, some twists that are not heavy and some edits of bytes, all read
// from the rest.
std::string decode_archive(std::string_view bytes);

}  // namespace storefuzz
