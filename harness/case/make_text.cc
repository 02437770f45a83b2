// Fills an adapter's `make` with the arguments of a step.
#include "harness/case/make_text.h"

#include <fmt/format.h>

#include "harness/base/python_text.h"

namespace storefuzz::program {
namespace {

std::string arguments_text(const Make& make) {
  const Adapter& store = *make.kind.operator->();
  std::string text;
  if (store.takes("mode")) text += fmt::format(", mode=\"{}\"", name_of(make.mode));
  if (make.read_only && store.takes("read_only"))
    text += fmt::format(", read_only={}", *make.read_only ? "True" : "False");
  // A number, as zipfile.ZIP_DEFLATED is: a script needs no import for it.
  if (make.deflated && store.takes("compression")) text += ", compression=8";
  return text;
}

// The mode of a file object that serves the mode of its ZipStore. "r+b" wants a file, "w+b" makes
// one and empties what is there.
std::string_view file_mode(Mode mode) {
  switch (mode) {
    case Mode::kRead:
      return R"("rb")";
    case Mode::kWrite:
      return R"("w+b")";
    case Mode::kAppend:
      return R"("r+b" if os.path.exists(path) else "w+b")";
    case Mode::kExclusive:
      return R"("x+b")";
  }
  std::abort();
}

}  // namespace

std::string make_text(const Make& make) {
  const std::string text =
      fill(make.kind->make, {{"{path}", "path"},
                             {"{inner}", "inner"},
                             {"{server}", "server"},
                             {"{name}", file_name(make)},
                             {"{file mode}", std::string(file_mode(make.mode))},
                             {"{arguments}", arguments_text(make)}});
  return fill(text, {{"(, ", "("}});  // a constructor that takes nothing before its arguments
}

std::string file_name(const std::string& place, Medium medium) {
  switch (medium) {
    case Medium::kZip:
      return place + ".zip";
    case Medium::kFolder:
      return place;
    case Medium::kMemory:
      return "";
  }
  std::abort();
}

std::string file_name(const Make& make) { return file_name(make.at, make.kind->medium); }

}  // namespace storefuzz::program
