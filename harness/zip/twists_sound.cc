// Nothing wrong: archives as some writers make them and others do not.
#include <set>

#include "harness/zip/twists_kinds.h"

namespace storefuzz::twists {
namespace {

constexpr std::size_t kMostFolders = 256;

void short_comment(EndPart& end, Draw& draw) {
  set_comment(end, draw.coin() ? "x" : "made for a test");
}
void unknown_extra(LocalPart& local, CentralPart& central, Draw& draw) {
  const std::string bytes(draw.from<std::size_t>({4, 0, 100}), 'e');
  both(local, central, [&](auto& it) { add_extra(it, 0x7a7a, bytes); });
}
void directory_reversed(Bench& bench) {
  const auto begin = bench.zip.parts.begin();
  std::reverse(begin + static_cast<std::ptrdiff_t>(bench.directory_at()),
               begin + static_cast<std::ptrdiff_t>(bench.ends_at()));
}
void one_more_entry(Bench& bench) {
  bench.append_entry(bench.entry(bench.draw.coin() ? "größe" : "one more", "1"));
}

// The folders that names imply and that have no entry: "g/" and "g/h/" of "g/h/a"; in an archive
// without any folder one that is empty.
std::vector<std::string> folders_without_entry(Bench& bench) {
  std::set<std::string> names;
  for (const std::size_t i : bench.all<CentralPart>())
    names.insert(bench.part<CentralPart>(i).name);
  std::vector<std::string> folders;
  for (const std::size_t i : bench.all<CentralPart>()) {
    const std::string& name = bench.part<CentralPart>(i).name;
    for (std::size_t slash = name.find('/'); slash != name.npos; slash = name.find('/', slash + 1))
      if (folders.size() < kMostFolders && names.insert(name.substr(0, slash + 1)).second)
        folders.push_back(name.substr(0, slash + 1));
  }
  if (std::ranges::none_of(names, [](const std::string& it) { return it.contains('/'); }))
    folders.emplace_back("folder/");
  return folders;
}

// Where the first entry that is in this folder stands.
template <class Header>
std::optional<std::size_t> first_below(Bench& bench, std::string_view folder) {
  for (const std::size_t i : bench.all<Header>())
    if (bench.part<Header>(i).name.starts_with(folder)) return i;
  return std::nullopt;
}

// An entry for each folder, before those in it, as `zip -r` writes them; amount: all, the first, or
// all without attributes.
void folder_entries(Bench& bench) {
  const std::uint32_t which = bench.draw.of(3);
  std::vector<std::string> folders = folders_without_entry(bench);
  if (which == 1 && folders.size() > 1) folders.resize(1);
  for (const std::string& folder : folders) {
    NewEntry new_entry = bench.entry(folder, "");
    new_entry.local.method = kStored;
    set_value(new_entry.local, new_entry.central, "");
    set_host(new_entry.central, kUnix);
    new_entry.central.attributes = which == 2 ? 0 : kUnixFolder | kDosFolder;
    bench.insert(first_below<CentralPart>(bench, folder).value_or(bench.ends_at()),
                 new_entry.central);
    bench.insert(first_below<LocalPart>(bench, folder).value_or(bench.directory_at()),
                 new_entry.local);
  }
}

// --- the rows

constexpr Row kRows[] = {
    {{"data descriptor", "sound", "4.3.9", "Sizes and CRC follow the data."},
     with_entry<descriptor>},
    {{"zip64 sizes", "sound", "4.5.3", "Sizes are in a zip64 extra field."}, of_entry<zip64_sizes>},
    {{"zip64 records", "sound", "4.3.14", "The archive ends with right zip64 records."},
     zip64_records},
    {{"short comment", "sound", "4.4.12", "The archive has a comment."}, of_end<short_comment>},
    {{"unknown extra field", "sound", "4.5.1", "Both headers have an unknown extra field."},
     of_entry<unknown_extra>},
    {{"directory reversed", "sound", "4.3.12", "The directory lists the entries from the last on."},
     directory_reversed},
    {{"one more entry", "sound", "4.3.6", "The archive has another entry."}, one_more_entry},
    {{"folder entries", "sound", "4.3.8", "Every folder has an entry of its own."}, folder_entries},
};

}  // namespace

std::span<const Row> sound_rows() { return kRows; }

}  // namespace storefuzz::twists
