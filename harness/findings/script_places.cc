// A plain archive by zipfile, a folder by pathlib; what no library makes as its bytes.
#include "harness/findings/script_places.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <set>
#include <vector>

#include "harness/base/python_text.h"
#include "harness/base/text.h"
#include "harness/case/keys.h"
#include "harness/case/make_text.h"
#include "harness/findings/script_words.h"

namespace storefuzz::program {
namespace {

std::string compressed(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  compress2(reinterpret_cast<Bytef*>(out.data()), &size,
            reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), Z_BEST_COMPRESSION);
  out.resize(size);
  return out;
}

void lay_archive(const Place& place, const std::string& file, Lines& lines) {
  lines.push_back(fmt::format("with zipfile.ZipFile({}, \"w\") as archive:", text_literal(file)));
  for (const Entry& it : place.entries)
    lines.push_back(
        fmt::format("    archive.writestr({}, {})", text_literal(it.key), value_text(it.value)));
}

Result<void> lay_bytes(const Place& place, const std::string& file, Lines& lines) {
  auto bytes = archive_of(place);
  if (!bytes) return std::unexpected(bytes.error());
  std::vector<std::string> twists;
  for (const Twist& it : place.twists) twists.push_back(it.name);
  lines.push_back(fmt::format("# an archive of {} bytes{}{}", bytes->size(),
                              twists.empty() ? "" : ": ", fmt::join(twists, ", ")));
  lines.push_back(fmt::format("pathlib.Path({}).write_bytes(zlib.decompress(base64.b64decode({})))",
                              text_literal(file), text_literal(base64(compressed(*bytes)))));
  return {};
}

void lay_folder(const Place& place, const std::string& file, Lines& lines) {
  std::set<std::string> folders;
  for (const Entry& it : place.entries) {
    const std::string path = file + "/" + it.key;
    const std::string folder = path.substr(0, path.rfind('/'));
    if (folders.insert(folder).second)
      lines.push_back(fmt::format("os.makedirs({}{})", text_literal(folder),
                                  folders.size() > 1 ? ", exist_ok=True" : ""));
    lines.push_back(
        fmt::format("pathlib.Path({}).write_bytes({})", text_literal(path), value_text(it.value)));
  }
}

}  // namespace

const Make* make_at(const Case& value, const std::string& place) {
  for (const Step& step : value.steps)
    if (const auto* make = std::get_if<Make>(&step); make && make->at == place) return make;
  return nullptr;
}

Result<Lines> lines_before(const Case& value) {
  Lines lines;
  for (const Place& place : value.before) {
    const Make* make = make_at(value, place.name);
    if (!make) continue;
    const std::string file = file_name(*make);
    const bool plain =
        std::ranges::all_of(place.entries, [](const Entry& it) { return plain_key(it.key); });
    if (make->kind->medium == Medium::kFolder)
      lay_folder(place, file, lines);
    else if (plain && place.twists.empty())
      lay_archive(place, file, lines);
    else if (auto done = lay_bytes(place, file, lines); !done)
      return std::unexpected(done.error());
  }
  return lines;
}

}  // namespace storefuzz::program
