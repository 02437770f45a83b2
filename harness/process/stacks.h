// Python stacks as faulthandler writes them: where does a side hang?
//
//     HangPlace place = find_hang(stacks);   // {"zarr/core/sync.py:sync", "`open_array`"}
#pragma once

#include <string>
#include <string_view>

namespace storefuzz {

struct HangPlace {
  std::string frame;  // the innermost frame of the subject in the thread that looks; or ""
  std::string doing;  // what the side was doing: a look in backticks, or a step in words
};

HangPlace find_hang(std::string_view stacks);

}  // namespace storefuzz
