// The processors that a process may run on.
//
//     keep_to_core("1");  // before children and threads, which inherit it
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace storefuzz {

std::vector<int> own_cores();

// How many of them a process can keep busy: a container may have the time of fewer than it may run
// on ("200000 100000" in cpu.max of its cgroup: two). At least one.
std::size_t busy_cores(const std::filesystem::path& quota = "/sys/fs/cgroup/cpu.max");

// An engine and its workers take turns. To wake another core for each of them costs several times
// what the work does. "" changes nothing; where it is forbidden, it only costs time.
void keep_to_core(const std::string& number);

}  // namespace storefuzz
