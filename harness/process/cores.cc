// See cores.h.
#include "harness/process/cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

namespace storefuzz {

std::vector<int> own_cores() {
  std::vector<int> cores;
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

std::size_t busy_cores(const std::filesystem::path& quota) {
  std::size_t cores = std::max<std::size_t>(own_cores().size(), 1);
  double time = 0, period = 0;  // "max 100000" is no bound, and no number
  if (std::ifstream file(quota); file >> time >> period && time > 0 && period > 0)
    cores = std::min(cores, std::max<std::size_t>(std::lround(std::ceil(time / period)), 1));
  return cores;
}

void keep_to_core(const std::string& number) {
  if (number.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(std::atoi(number.c_str())), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

}  // namespace storefuzz
