// The target without zarr: any bytes are a layout and render back to themselves, and have a
// structure, a class, values and names. Archives that were twisted are among them, from an empty
// corpus on.
#include <cstdlib>

#include "harness/zip/classes.h"
#include "harness/zip/layout.h"
#include "harness/zip/twists.h"
#include "harness/zip/values.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1 << 20) return 0;
  const std::string bytes = storefuzz::decode_archive({reinterpret_cast<const char*>(data), size});
  storefuzz::ZipLayout zip = storefuzz::parse_layout(bytes);
  if (render(zip) != bytes) std::abort();
  repair(zip);
  if (render(zip) != bytes) std::abort();  // what was right is right, and what was wrong is kept
  storefuzz::classify(bytes);              // reads the structure
  storefuzz::values_in(bytes);
  storefuzz::names_in(bytes, 64);
  return 0;
}
