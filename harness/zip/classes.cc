// The table of classes and their order, and which one gives a file its name.
#include "harness/zip/classes.h"

#include <algorithm>
#include <bit>

#include "harness/zip/evidence.h"

namespace storefuzz {

const std::vector<ZipClass>& all_classes() {
  static const std::vector<ZipClass> classes = {
      {"C2", "4.3.1", "several end records"},
      {"no directory", "4.3.12", "there is no central directory, or none that can be read"},
      {"truncated", "4.3.1", "the file ends before its end record does"},
      {"C5", "4.3.14", "zip64 records that contradict the classic ones, or hide"},
      {"unfinished write", "4.3.1", "the writer stopped before it was done"},
      {"prefix", "4.1.9", "bytes before the first entry"},
      {"C4", "4.3.16", "a directory at the stated offset, and other bytes next to the end record"},
      {"C3", "4.4.22", "counts or the size of the directory are not what is there"},
      {"trailing bytes", "4.3.16", "bytes after the end record"},
      {"C1", "4.3.2", "a scan from the front and the directory show different entries"},
      {"A5", "4.4.4", "encrypted by one header only"},
      {"A1", "4.4.5", "the two headers of an entry name different methods"},
      {"A3", "4.4.17", "the two headers of an entry, or an extra field, give different names"},
      {"A2", "4.4.8", "sizes differ between headers, descriptor and zip64 fields"},
      {"A4", "4.4.15", "file or folder: name, attributes and content do not fit"},
      {"B1", "4.3.2", "the same name twice"},
      {"B3", "4.4.17", "names that become the same path"},
      {"B4", "4.4.17", "names that differ in case only"},
      {"nul in name", "4.4.17", "a name holds a NUL"},
      {"B2", "4.4.17", "special bytes in a name"},
      {"odd name", "4.4.17", "a name that is odd, but one"},
      {"unsupported method", "4.4.5", "a method that is neither stored nor deflated"},
      {"flipped bits", "4.4.7", "damage by single bits"},
      {"wrong crc", "4.4.7", "a value does not have its CRC"},
      {"bomb", "4.4.9", "a value a thousand times larger than its bytes"},
      {"nested archive", "4.3.8", "a value is an archive itself"},
      {"long comment", "4.4.12", "a comment of a kilobyte or more"},
      {"in part", "", "nothing is wrong in what was looked at, and that is not all"},
      {"sound", "", "nothing is wrong"},
      {"data descriptor", "4.3.9", "sizes follow the data", true},
      {"zip64 sizes", "4.5.3", "sizes stand in a zip64 field", true},
      {"empty extra field", "4.5.1", "an extra field holds nothing", true},
      {"many entries", "4.4.22", "ten thousand entries or more", true},
  };
  return classes;
}

std::string_view section_of(std::string_view name) {
  for (const ZipClass& it : all_classes())
    if (it.name == name) return it.section;
  return "";
}

std::string_view says_of(std::string_view name) {
  for (const ZipClass& it : all_classes())
    if (it.name == name) return it.says;
  return "";
}

bool all_nul(std::string_view bytes) { return bytes.find_first_not_of('\0') == bytes.npos; }

bool one_bit_apart(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  int bits = 0;
  for (std::size_t i = 0; i < left.size(); ++i)
    bits += std::popcount(static_cast<unsigned char>(left[i] ^ right[i]));
  return bits == 1;
}

namespace {

// Where the records of the file are.
void meet_layout(Evidence& evidence) {
  if (!evidence.zip.end) return meet_no_end(evidence);
  const Extents list = extents(evidence.zip);
  several_ends(evidence, list);
  around_the_end(evidence);
  zip64_records(evidence, list);
  directory(evidence, list);
  hidden_headers(evidence, list);
  // Where an entry's place is wrong, what stands between the others is only its trace; and an entry
  // that was not kept may stand anywhere between them.
  if (evidence.has("flipped bits") || evidence.has("C5") || !evidence.zip.keeps_all()) return;
  before_the_entries(evidence, list);
  gaps(evidence, list);
}

}  // namespace

Classified classify(std::string_view bytes) {
  const ZipStructure zip = read_structure(bytes);
  Evidence evidence{.zip = zip, .met = {}};
  meet_layout(evidence);
  meet_entries(evidence);
  meet_names(evidence);
  meet_data(evidence);
  if (!zip.keeps_all())
    evidence.unread.push_back(fmt::format("{} of {} entries not looked at",
                                          zip.entries - zip.directory.size(), zip.entries));
  Classified result;
  result.unread = std::move(evidence.unread);
  result.entries = zip.entries;
  for (const ZipClass& zip_class : all_classes()) {
    const auto met =
        std::ranges::find(evidence.met, zip_class.name, [](auto& pair) { return pair.first; });
    const bool sound =
        zip_class.name == (result.unread.empty() ? "sound" : "in part") && result.all.empty();
    if (met == evidence.met.end() && !sound) continue;
    if (result.all.empty()) result.why = sound ? std::string(zip_class.says) : met->second;
    result.all.emplace_back(zip_class.name);
  }
  result.name = result.all.front();
  return result;
}

}  // namespace storefuzz
