// The fuzz targets that `storefuzz run` can start: the one list of them. A file fuzz/NAME.cc stands
// behind each name.
//
//     for (const Target& it : kTargets) say(it.name);
#pragma once

#include <array>
#include <string_view>

namespace storefuzz {

struct Target {
  std::string_view name;
  std::string_view sentence;  // what the target plays
};

inline constexpr std::array kTargets = {
    Target{"program",
           "programs: stores are made, called, carried and forked, and held against a "
           "model"},
    Target{"zip_program", "programs over zip archives that are wrong on purpose"},
    Target{"canary", "programs over a subject with a planted loss: it must fail"},
};

}  // namespace storefuzz
