// Fills an adapter's `make` with the constructor of a case.
#include "harness/case/construct.h"

#include <fmt/format.h>

#include "harness/base/python_text.h"

namespace storefuzz {
namespace {

std::string arguments_text(const Case& value) {
  const Constructor& made = value.constructor;
  const Adapter& store = *value.store.operator->();
  std::string text;
  if (store.takes("mode")) text += fmt::format(", mode=\"{}\"", name_of(made.mode));
  if (made.compression == Compression::kDeflated) text += ", compression=zipfile.ZIP_DEFLATED";
  if (!made.allow_zip64) text += ", allowZip64=False";
  // Without a mode, writable is what every store is unless it is told otherwise.
  const bool usual = !store.takes("mode") && made.read_only == false;
  if (made.read_only && !usual)
    text += fmt::format(", read_only={}", *made.read_only ? "True" : "False");
  return text;
}

// The mode of a file object that serves the mode of its ZipStore.
std::string_view file_mode(const Case& value) {
  switch (value.constructor.mode) {
    case Mode::kRead:
      return "rb";
    case Mode::kWrite:
      return "w+b";
    case Mode::kAppend:
      return value.archive ? "r+b" : "w+b";
    case Mode::kExclusive:
      return "x+b";
  }
  std::abort();
}

}  // namespace

std::string place_text(const Case& value) {
  return value.store->medium == Medium::kZip ? "\"store.zip\"" : "\"store\"";
}

std::string constructor_text(const Case& value) {
  const std::string place = place_text(value);
  std::string text =
      fill(value.store->make,
           {{"{path}",
             value.constructor.relative_path ? place : fmt::format("os.path.abspath({})", place)},
            {"{file mode}", fmt::format("\"{}\"", file_mode(value))},
            {"{arguments}", arguments_text(value)}});
  return fill(text, {{"(, ", "("}});
}

Json store_request(const Case& value) {
  return {{"kind", value.store->kind},     {"make", constructor_text(value)},
          {"imports", value.store->imports}, {"interface", value.store->interface},
          {"clean", value.store->clean},   {"before", value.store->before},
          {"waits", value.store->waits}};
}

}  // namespace storefuzz
