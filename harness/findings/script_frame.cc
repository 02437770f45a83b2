// Helpers and imports are found by what the code mentions.
#include "harness/findings/script_frame.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "harness/base/python_lines.h"
#include "harness/base/python_text.h"
#include "harness/base/text.h"
#include "harness/findings/script_helpers.h"

namespace storefuzz::program {
namespace {

constexpr auto kModules = std::to_array<std::string_view>(
    {"asyncio",      "base64", "cloudpickle", "contextlib", "copy",     "distributed.protocol",
     "faulthandler", "gc",     "itertools",   "os",         "pathlib",  "pickle",
     "shutil",       "signal", "subprocess",  "sys",        "tempfile", "threading",
     "zipfile",      "zlib"});

// What stands in a line of imports: "from MODULE import A, B".
struct From {
  std::string_view module;
  std::vector<std::string_view> names;
};
const std::vector<From>& from_standard() {
  static const std::vector<From> all{
      {"concurrent.futures", {"ProcessPoolExecutor"}},
      {"http.server", {"SimpleHTTPRequestHandler", "ThreadingHTTPServer"}},
      {"multiprocessing", {"get_context"}},
      {"multiprocessing.reduction", {"ForkingPickler"}}};
  return all;
}
const std::vector<From>& from_zarr() {
  static const std::vector<From> all{
      {"zarr.abc.store", {"OffsetByteRequest", "RangeByteRequest", "SuffixByteRequest"}},
      {"zarr.core.buffer", {"cpu", "default_buffer_prototype"}},
      {"zarr.core.sync", {"sync"}},
      {"zarr.storage", {"StorePath"}}};
  return all;
}

const std::vector<std::string>& packages_of_stores() {
  static const std::vector<std::string> all{"cloudpickle", "dask",    "distributed", "fsspec",
                                            "icechunk",    "obstore", "virtualizarr"};
  return all;
}

// A name that stands alone, and is no part of an attribute's.
bool uses(const std::string& code, std::string_view name) {
  for (std::size_t at = code.find(name); at != code.npos; at = code.find(name, at + 1)) {
    const auto within = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
    };
    const std::size_t end = at + name.size();
    const bool begins = at == 0 || (!within(code[at - 1]) && code[at - 1] != '.');
    if (begins && (end == code.size() || !within(name.back()) || !within(code[end]))) return true;
  }
  return false;
}

class Frame {
 public:
  Frame(const ScriptCode& script, const ScriptOptions& options, const std::vector<Helper>& helpers)
      : script_(script), options_(options), helpers_(helpers) {}

  std::string whole() const {
    const std::string code = helpers() + script_.code;
    return requirements(code) + imports(code + tail()) + constants(code) + "\n\n" + code + tail();
  }

 private:
  std::string helpers() const {
    std::string used = without_literals(script_.code), text;
    std::vector<const Helper*> left;
    for (const Helper& it : helpers_) left.push_back(&it);
    // A helper may use others.
    for (bool grows = true; grows;) {
      const std::size_t before = left.size();
      std::erase_if(left, [&](const Helper* it) {
        if (!uses(used, it->used)) return false;
        text += it->code + "\n\n";
        used += without_literals(it->code);
        return true;
      });
      grows = left.size() < before;
    }
    return text;
  }

  static std::string constants(const std::string& code) {
    const std::string bare = without_literals(code);
    std::string text;
    if (uses(bare, "prototype")) text += "prototype = default_buffer_prototype()\n";
    if (uses(bare, "buffer(")) text += "buffer = cpu.Buffer.from_bytes\n";
    if (uses(bare, "run(")) text += "run = asyncio.Runner().run\n";
    return text.empty() ? "" : "\n" + text;
  }

  // The PEP 723 header. `uv run` installs what stands there. A zarr that lay at a path does not
  // stand there: the release of its number would be tested instead.
  std::string requirements(const std::string& code) const {
    std::vector<std::string> packages;
    if (options_.published) packages.push_back("zarr==" + options_.release);
    // numcodecs 0.16 took away what zarr 2 imports.
    if (options_.release.starts_with("2.")) packages.emplace_back("numcodecs<0.16");
    const std::string needed = without_literals(code) +
                               fmt::format("{}", fmt::join(script_.imports, "\n")) + script_.makes;
    for (const std::string& name : packages_of_stores())
      if (mentions(needed, name + ".") || needed.find("import " + name) != needed.npos ||
          needed.find("from " + name) != needed.npos)
        packages.push_back(with_version(name));
    for (const std::string& name : script_.unknown) packages.push_back(with_version(name));
    std::string list = packages.empty() ? "" : fmt::format("\"{}\"", fmt::join(packages, "\", \""));
    std::string text = fmt::format(
        "# /// script\n# requires-python = \">=3.12\"\n# dependencies = [{}]\n# ///\n", list);
    if (!options_.published)
      text +=
          fmt::format("# Seen with zarr {} from a path, no release: uv run --with PATH repro.py\n",
                      printable(options_.release));
    return text;
  }

  std::string with_version(const std::string& name) const {
    const Json& all = options_.packages;
    const Json version = all.is_object() ? all.value(name, Json()) : Json();
    return version.is_string() ? fmt::format("{}=={}", name, version.get<std::string>()) : name;
  }

  static std::string from_lines(const std::vector<From>& all, const std::string& bare) {
    std::string text;
    for (const From& it : all) {
      std::vector<std::string_view> names;
      for (const std::string_view name : it.names)
        if (uses(bare, name)) names.push_back(name);
      if (!names.empty())
        text += fmt::format("from {} import {}\n", it.module, fmt::join(names, ", "));
    }
    return text;
  }

  // Whatever ends the script but its own comparison is exit 2, an import that fails as well.
  std::string imports(const std::string& code) const {
    const std::string bare = without_literals(code + constants(code));
    std::vector<std::string_view> modules;
    for (const std::string_view name : kModules)
      if (uses(bare, fmt::format("{}.", name))) modules.push_back(name);
    std::string text = fmt::format("import {}\n", fmt::join(modules, ", "));
    text += from_lines(from_standard(), bare);
    text += "sys.excepthook = lambda *error: print(*error, flush=True) or os._exit(2)\n";
    const bool zarr_2 = options_.release.starts_with("2.");
    if (uses(bare, "zarr.storage."))
      text += zarr_2 ? "import zarr, zarr.storage\n" : "import zarr.storage\n";
    else if (uses(bare, "zarr."))
      text += "import zarr\n";
    for (const std::string& line : script_.imports)
      if (!line.starts_with("import ") || uses(bare, line.substr(7) + ".")) text += line + "\n";
    return text + from_lines(from_zarr(), bare);
  }

  // A key may climb: the case is two folders deep. A fork of the script that ends by Python's exit
  // must leave the folder to the script itself.
  std::string tail() const {
    std::string text = "\n\nif __name__ == \"__main__\":\n";
    if (script_.apart) text += "    if sys.argv[1:]:\n        sys.exit(program())\n";
    const bool tells = script_.code.find("os.environ[\"TMPDIR\"]") != script_.code.npos;
    const std::string enter =
        fmt::format("{}os.makedirs(f\"{{folder}}/a/b/case\")\nos.chdir(f\"{{folder}}/a/b/case\")\n",
                    tells ? "os.environ[\"TMPDIR\"] = folder\n" : "");
    if (!script_.forks)
      return text +
             "    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:\n" +
             deeper(enter + "sys.exit(main())\n", "        ");
    return text + "    folder = tempfile.mkdtemp()\n" + deeper(enter, "    ") +
           "    home = os.getpid()\n    try:\n        sys.exit(main())\n    finally:\n"
           "        if os.getpid() == home:\n            shutil.rmtree(folder)\n";
  }

  static std::string deeper(std::string lines, const std::string& indent) {
    lines.pop_back();
    return indent + fill(lines, {{"\n", "\n" + indent}}) + "\n";
  }

  const ScriptCode& script_;
  const ScriptOptions& options_;
  const std::vector<Helper>& helpers_;
};

bool is_long(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n')) > kMostScriptLines;
}

// What is no step of the program stands close: imports before the first function, and the end.
std::string joined_around(const std::string& text) {
  const std::size_t first = std::min(text.find("\ndef "), text.find("\nasync def "));
  const std::size_t last = text.rfind("\nif __name__");
  return joined(text.substr(0, first + 1), kScriptWidth) + text.substr(first + 1, last - first) +
         joined(text.substr(last + 1), kScriptWidth);
}

// The same script in fewer and fewer lines.
constexpr std::string (*kForms[])(const std::string&) = {
    [](const std::string& it) { return it; },
    [](const std::string& it) { return fill(it, {{"\n\n\n", "\n\n"}}); },
    [](const std::string& it) { return fill(it, {{"\n\n\n", "\n"}, {"\n\n", "\n"}}); },
    [](const std::string& it) { return with_short_blocks(it, kScriptWidth); },
    joined_around,
    [](const std::string& it) { return joined(it, kScriptWidth); },
};

}  // namespace

Result<std::string> framed(const ScriptCode& script, const ScriptOptions& options) {
  const auto helpers = read_helpers(options.reference);
  if (!helpers) return std::unexpected(helpers.error());
  std::string whole = Frame(script, options, *helpers).whole(), text;
  for (const auto form : kForms) {
    whole = form(whole);
    text = wrapped(whole, kScriptWidth);
    if (!is_long(text)) break;
  }
  return text;
}

}  // namespace storefuzz::program
