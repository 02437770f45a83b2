// The slow lane: the same journeys, carried by the real thing: ProcessPoolExecutor,
// multiprocessing.Pool, ThreadPoolExecutor, a Dask LocalCluster of processes.
#include "fuzz/engine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return storefuzz::fuzz_case(storefuzz::in_a_pool(storefuzz::decode(data, size)));
}
