// The processors that a process may run on.
//
//     keep_to_core("1");  // before children and threads, which inherit it
#pragma once

#include <string>
#include <vector>

namespace storefuzz {

std::vector<int> own_cores();

// An engine and its workers take turns. To wake another core for each of them costs several times
// what the work does. "" changes nothing; where it is forbidden, it only costs time.
void keep_to_core(const std::string& number);

}  // namespace storefuzz
