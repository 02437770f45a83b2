// The fuzz targets that `storefuzz run` can start: the one list of them. A file fuzz/NAME.cc stands
// behind each name.
//
//     if (const Target* it = find_target("slow_journey")) start(it->slow ? 10 : 0);
#pragma once

#include <array>
#include <string_view>

namespace storefuzz {

struct Target {
  std::string_view name;
  std::string_view sentence;  // what the target plays
  bool slow = false;          // starts whole process pools: longer deadlines, and niceness 10
};

inline constexpr std::array kTargets = {
    Target{"store_journey",
           "a store is built, carried, looked at on both sides, and compared"},
    Target{"slow_journey",
           "the same, carried by real pools: concurrent.futures, multiprocessing, Dask", true},
    Target{"zip_journey",
           "zip archives that are wrong on purpose, as other readers see them too"},
    Target{"canary", "the same over a subject with a planted loss: it must fail"},
};

constexpr const Target* find_target(std::string_view name) {
  for (const Target& it : kTargets)
    if (it.name == name) return &it;
  return nullptr;
}

}  // namespace storefuzz
