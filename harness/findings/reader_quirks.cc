// The form of reference/reader_quirks.json: {"quirks": [{"reader": …, "class": …, …}, …]}.
#include "harness/findings/reader_quirks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/case/words.h"
#include "harness/findings/quirk_file.h"
#include "harness/readers/reader_names.h"
#include "harness/zip/classes.h"

namespace storefuzz {
namespace {

bool known_class(std::string_view name) {
  return std::ranges::any_of(all_classes(), [&](const ZipClass& it) { return it.name == name; });
}

bool known_direction(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Direction::kDies); ++i)
    if (name_of(static_cast<Direction>(i)) == name) return true;
  return false;
}

// By the names that readers have on a panel.
Result<std::vector<std::string>> readers_of_a_panel() {
  auto names = all_readers();
  if (names) names->push_back("zarr child");
  return names;
}

Result<ReaderQuirk> read_entry(const Json& json, const std::string& file) {
  ReaderQuirk quirk;
  const std::array<std::pair<const char*, std::string*>, 7> members = {
      {{"reader", &quirk.reader},
       {"class", &quirk.zip_class},
       {"direction", &quirk.direction},
       {"reason", &quirk.reason},
       {"link", &quirk.link},
       {"first", &quirk.first},
       {"last", &quirk.last}}};
  if (!json.is_object()) return bad_input(fmt::format("{}: an entry is no object", file));
  for (const auto& [name, into] : members) {
    const bool optional = into == &quirk.first || into == &quirk.last || into == &quirk.link;
    const auto found = json.find(name);
    if (found == json.end() && optional) continue;
    if (found == json.end() || !found->is_string() || found->get<std::string>().empty())
      return bad_input(fmt::format("{}: an entry has no text \"{}\"", file, name));
    *into = *found;
  }
  for (const auto& [name, value] : json.items())
    if (std::ranges::none_of(members, [&](const auto& member) { return name == member.first; }))
      return bad_input(fmt::format("{}: an entry has the unknown member \"{}\"", file, name));
  if (!known_class(quirk.zip_class))
    return bad_input(fmt::format("{}: there is no class \"{}\"", file, quirk.zip_class));
  if (!known_direction(quirk.direction))
    return bad_input(fmt::format("{}: there is no direction \"{}\"", file, quirk.direction));
  return quirk;
}

}  // namespace

Result<ReaderQuirks> ReaderQuirks::load(const std::filesystem::path& file) {
  const auto list = read_list(file, "quirks");
  if (!list) return std::unexpected(list.error());
  const auto readers = readers_of_a_panel();
  if (!readers) return std::unexpected(readers.error());
  ReaderQuirks quirks;
  for (const Json& entry : *list) {
    auto quirk = read_entry(entry, file.string());
    if (!quirk) return std::unexpected(quirk.error());
    if (std::ranges::find(*readers, quirk->reader) == readers->end())
      return bad_input(fmt::format("{}: there is no reader \"{}\"", file.string(), quirk->reader));
    const auto same = [&](const ReaderQuirk& other) {
      return other.reader == quirk->reader && other.zip_class == quirk->zip_class &&
             other.direction == quirk->direction && other.first == quirk->first;
    };
    if (std::ranges::any_of(quirks.quirks_, same))
      return bad_input(fmt::format("{}: {}, class {}, {}: twice", file.string(), quirk->reader,
                                   quirk->zip_class, quirk->direction));
    quirks.quirks_.push_back(std::move(*quirk));
  }
  return quirks;
}

const ReaderQuirk* ReaderQuirks::match(const std::vector<std::string>& classes,
                                       const Difference& difference) const {
  for (const ReaderQuirk& quirk : quirks_) {
    if (quirk.reader != difference.reader ||
        std::ranges::find(classes, quirk.zip_class) == classes.end() ||
        quirk.direction != name_of(difference.direction))
      continue;
    if (holds_in(difference.version, quirk.first, quirk.last)) return &quirk;
  }
  return nullptr;
}

}  // namespace storefuzz
