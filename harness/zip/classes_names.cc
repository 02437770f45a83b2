// What the names of entries mean, and which of them become the same: B1 to B4, NUL, odd names.
#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/text.h"
#include "harness/zip/evidence.h"

namespace storefuzz {
namespace {

constexpr std::uint16_t kUtf8 = 0x800;
constexpr std::size_t kLongName = 255;  // bytes; most file systems end here
constexpr int kManyLevels = 64;

// The characters of UTF-8; nothing where the name is none.
std::optional<std::u32string> characters(std::string_view name) {
  std::u32string text;
  while (!name.empty()) {
    const std::size_t size = utf8_character(name);
    if (size == 0) return std::nullopt;
    const auto lead = static_cast<unsigned char>(name[0]);
    char32_t value = size == 1 ? lead : lead & (0x7f >> size);
    for (const char next : name.substr(1, size - 1))
      value = value << 6 | (static_cast<unsigned char>(next) & 0x3f);
    text += value;
    name.remove_prefix(size);
  }
  return text;
}

// Case folded as the C library knows letters, and the few that become two.
std::u32string folded(const std::u32string& text) {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  static const std::map<char32_t, std::u32string> several = {
      {U'ß', U"ss"}, {U'ẞ', U"ss"},  {U'ﬀ', U"ff"},  {U'ﬁ', U"fi"},
      {U'ﬂ', U"fl"}, {U'ﬃ', U"ffi"}, {U'ﬄ', U"ffl"}, {U'İ', U"i"}};
  std::u32string lower;
  for (const char32_t c : text) {
    const auto found = several.find(c);
    if (found != several.end())
      lower += found->second;
    else
      lower += locale ? towlower_l(towupper_l(c, locale), locale) : c;
  }
  return lower;
}

// The path a careful extractor would make of a name: single slashes, no dots, no root, no drive.
std::string as_path(std::string_view name) {
  std::string slashes(name);
  std::ranges::replace(slashes, '\\', '/');
  if (slashes.size() > 1 && slashes[1] == ':' &&
      std::isalpha(static_cast<unsigned char>(slashes[0])))
    slashes = slashes.substr(2);
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at <= slashes.size()) {
    const std::size_t end = std::min(slashes.find('/', at), slashes.size());
    std::string part = slashes.substr(at, end - at);
    at = end + 1;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
      continue;
    }
    // Windows drops dots and blanks at the end of a name.
    while (!part.empty() && (part.back() == '.' || part.back() == ' ')) part.pop_back();
    if (!part.empty()) parts.push_back(std::move(part));
  }
  return fmt::format("{}{}", fmt::join(parts, "/"), name.ends_with('/') ? "/" : "");
}

// "C:/a", "C:\a": a drive and a root.
bool has_drive(std::string_view name) {
  return name.size() > 2 && std::isalpha(static_cast<unsigned char>(name[0])) && name[1] == ':' &&
         (name[2] == '/' || name[2] == '\\');
}

bool special(unsigned char c) {
  return c < 0x20 || c == 0x7f ||
         std::string_view("\"*:<>?|\\").find(static_cast<char>(c)) != std::string_view::npos;
}

void special_bytes(Evidence& evidence, const CentralHeader& central) {
  const auto plain = [](unsigned char c) { return c < 0x80; };
  const bool ascii = std::ranges::all_of(central.name, plain);
  const auto text = characters(central.name);
  const bool utf8 = (central.flags & kUtf8) != 0;
  if (!ascii && !text) return evidence.add("B2", "a name is not UTF-8");
  if (!ascii && !utf8) return evidence.add("B2", "a name has high bytes and no UTF-8 flag");
  for (const char32_t c : *text)
    if (c == 0x202e || c == 0xff0f || c == 0x2215 || (c >= 0x300 && c < 0x370))
      return evidence.add(
          c == 0x202e && central.name.starts_with("\xe2\x80\xae") ? "odd name" : "B2",
          "a name holds a character that misleads");
  const bool drive = has_drive(central.name);
  const bool unc = central.name.starts_with("\\\\");
  for (const char c : central.name.substr(drive ? 2 : 0))
    if (c != '\0' && special(static_cast<unsigned char>(c)) && !unc)
      return evidence.add(
          "B2", fmt::format("a name holds the byte {:#04x}", static_cast<unsigned char>(c)));
}

bool device(std::string_view part) {
  const std::size_t dot = std::min(part.find('.'), part.size());
  std::string stem(part.substr(0, dot));
  std::ranges::transform(stem, stem.begin(), [](unsigned char c) { return std::toupper(c); });
  return stem == "CON" || stem == "NUL" || stem == "AUX" || stem == "PRN" || stem == "COM1" ||
         stem == "LPT1";
}

// 4.4.17.1: relative, forward slashes, no drive. And what file systems make of a name.
std::string oddness(std::string_view name) {
  if (name.empty()) return "a name is empty";
  if (name.size() > kLongName) return "a name is longer than 255 bytes";
  if (name.starts_with('/') || name.starts_with('\\')) return "a name is absolute";
  if (has_drive(name)) return "a name has a drive";
  if (name.find("//") != name.npos) return "a name has an empty part";
  if (std::ranges::count(name, '/') > kManyLevels) return "a name is very deep";
  if (std::string_view("-~").find(name.front()) != std::string_view::npos || name.starts_with("$"))
    return "a name begins like an option or a variable";
  for (const std::string_view odd :
       {"\xef\xbb\xbf", "\xe2\x80\x8b", "%", "__MACOSX", ".DS_Store", ";"})
    if (name.find(odd) != name.npos)
      return "a name holds litter, or what some programs read as more";
  std::size_t at = 0;
  while (at <= name.size()) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    at = end + 1;
    if (part == "." || part == "..") return "a name holds a dot part";
    if (part.ends_with(' ') || part.ends_with('.'))
      return "a part of a name ends in a blank or dot";
    if (device(part)) return "a part of a name is a device of Windows";
    if (part.ends_with(".tmp") || part.ends_with("~") || part.ends_with(".partial") ||
        part.starts_with("~"))
      return "a name is that of a temporary file";
    const bool number = !part.empty() && part.find_first_not_of("0123456789") == part.npos;
    if (number && part.size() > 1 && part.front() == '0')
      return "a chunk's number begins with zero";
    if (part.size() > 1 && part.front() == '-' && std::isdigit(static_cast<unsigned char>(part[1])))
      return "a chunk's number is negative";
    if (!part.empty() && std::isdigit(static_cast<unsigned char>(part[0])) &&
        part.find('e') != part.npos && part.find_first_not_of("0123456789e") == part.npos)
      return "a chunk's number has an exponent";
  }
  if (const auto text = characters(name))
    for (const char32_t c : *text)
      if (c >= 0x660 && c <= 0x669) return "a name holds digits of another script";
  return "";
}

void same_names(Evidence& evidence) {
  std::set<std::string_view> raw;
  std::map<std::string, std::string_view> paths;
  std::map<std::u32string, std::string_view> folds;
  for (const CentralHeader& central : evidence.zip.directory) {
    if (!raw.insert(central.name).second) {
      evidence.add("B1", "a name stands twice in the directory");
      continue;
    }
    const auto [path, fresh] = paths.try_emplace(as_path(central.name), central.name);
    if (!fresh && !central.name.empty()) evidence.add("B3", "two names become one path");
    if (const auto text = characters(central.name)) {
      const auto [fold, first] = folds.try_emplace(folded(*text), central.name);
      if (!first) evidence.add("B4", "two names differ in case only");
    }
  }
}

// g/a beside G/b: the folders differ in case only.
void same_folders(Evidence& evidence) {
  std::map<std::u32string, std::string_view> folds;
  for (const CentralHeader& central : evidence.zip.directory) {
    const std::string_view folder =
        central.name.substr(0, std::min(central.name.find('/'), central.name.size()));
    if (folder.size() == central.name.size()) continue;
    const auto text = characters(folder);
    if (!text) continue;
    const auto [fold, fresh] = folds.try_emplace(folded(*text), folder);
    if (!fresh && fold->second != folder) evidence.add("B4", "two folders differ in case only");
  }
}

}  // namespace

void meet_names(Evidence& evidence) {
  for (const CentralHeader& central : evidence.zip.directory) {
    if (central.name.find('\0') != central.name.npos)
      evidence.add("nul in name", "a name holds a NUL");
    special_bytes(evidence, central);
    if (const std::string why = oddness(central.name); !why.empty()) evidence.add("odd name", why);
  }
  same_names(evidence);
  same_folders(evidence);
}

}  // namespace storefuzz
