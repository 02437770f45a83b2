// See corpus_archive.h. An archive is accepted where its records lie one behind the other, without
// a byte between, and say the same: then all readers of zip files agree on what is in it.
#include "harness/campaign/corpus_archive.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "harness/base/text.h"
#include "harness/campaign/sha256.h"
#include "harness/case/json_reader.h"
#include "harness/play/targets.h"
#include "harness/zip/archive.h"
#include "harness/zip/deflate.h"
#include "harness/zip/names.h"
#include "harness/zip/records.h"
#include "harness/zip/structure.h"
#include "harness/zip/values.h"

namespace storefuzz {
namespace {

constexpr std::string_view kManifest = "manifest.json", kFolder = "cases/", kEnding = ".json";
constexpr std::size_t kHash = 64, kLongestShown = 80;

// Of a case's JSON.
int case_format() {
  static const int format = program::to_json(program::Case{}).at("format");
  return format;
}

// What is wrong, as a sentence goes on; nothing: nothing is.
using Wrong = std::optional<std::string>;

// --- what is written

std::string entry_name(const CorpusCase& it) { return fmt::format("cases/{}.json", it.hash); }

// What a receiver needs to play it: kinds of store, carriers, other releases.
Json uses_of(const program::Case& value) {
  std::set<std::string> stores, carriers;
  for (const program::Step& step : value.steps) {
    if (const auto* make = std::get_if<program::Make>(&step)) stores.insert(make->kind->kind);
    if (const auto* carry = std::get_if<program::Carry>(&step))
      carriers.emplace(name_of(carry->carrier));
  }
  std::set<std::string> releases;
  for (const program::Process& process : value.processes)
    if (!process.subject.empty()) releases.insert(process.subject);
  return {{"stores", stores}, {"carriers", carriers}, {"releases", releases}};
}

Json to_json(const CorpusInfo& info) {
  return {{"storefuzz corpus", kCorpusFormat},
          {"target", info.target},
          {"origin", info.origin},
          {"licence", info.licence},
          {"versions",
           {{"storefuzz", info.storefuzz},
            {"zarr", info.zarr.empty() ? Json() : Json(info.zarr)},
            {"case", case_format()}}}};
}

// --- the archive

// As a sentence can carry it.
std::string in_quotes(std::string_view name) {
  return fmt::format("\"{}\"", text_of_name(shorten(name, kLongestShown)));
}

bool is_hash(std::string_view text) {
  return text.size() == kHash && text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_case_name(std::string_view name) {
  return name.size() == kFolder.size() + kHash + kEnding.size() && name.starts_with(kFolder) &&
         name.ends_with(kEnding) && is_hash(name.substr(kFolder.size(), kHash));
}

bool leads_out(std::string_view name) {
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find_first_of("/\\", begin), name.size());
    if (name.substr(begin, end - begin) == "..") return true;
    begin = end + 1;
  }
  return false;
}

Wrong wrong_with_name(std::string_view name) {
  if (name == kManifest || is_case_name(name)) return std::nullopt;
  const auto is = [&](std::string_view what) {
    return fmt::format("{} {}", in_quotes(name), what);
  };
  if (name.empty()) return "an entry has no name";
  if (name.contains('\0')) return is("has a NUL in its name");
  if (name[0] == '/' || name[0] == '\\' || (name.size() > 1 && name[1] == ':'))
    return is("is an absolute path");
  if (leads_out(name)) return is("leads out of the archive");
  if (name.ends_with('/')) return is("is a folder");
  if (std::ranges::any_of(name, [](unsigned char c) { return c < 0x20 || c >= 0x7f; }))
    return is("has a name with more than plain ASCII: two that look alike could be meant");
  return is("is neither manifest.json nor cases/<64 hexadecimal digits>.json");
}

Wrong wrong_with_kind(const CentralHeader& entry) {
  const auto is = [&](std::string_view what) {
    return fmt::format("{} {}", in_quotes(entry.name), what);
  };
  constexpr std::uint16_t kEncrypted = 1 << 0 | 1 << 6 | 1 << 13, kDescribed = 1 << 3;
  constexpr std::uint16_t kPatch = 1 << 5;
  constexpr std::uint32_t kDosFolder = 0x10;
  const std::uint32_t type = entry.attributes >> 16 & S_IFMT;
  if (entry.flags & kEncrypted) return is("is encrypted");
  if (type == S_IFLNK) return is("is a symbolic link");
  if (type == S_IFDIR || (entry.attributes & kDosFolder)) return is("is a folder");
  if (type != 0 && type != S_IFREG) return is("is no file, but a device, a pipe or a socket");
  if (entry.method != 0 && entry.method != 8)
    return is(fmt::format("is compressed by method {}; stored (0) and deflated (8) are read",
                          entry.method));
  if (entry.flags & kPatch) return is("is a patch");
  if (entry.flags & kDescribed) return is("has its sizes behind its data, not before it");
  return std::nullopt;
}

// Fields that give an entry another name or another size, to readers that know them.
Wrong wrong_with_extra(std::string_view name, std::string_view extra) {
  bool whole = true;
  for (const ExtraField& field : extra_fields(extra, &whole)) {
    if (field.id == kUnicodePath)
      return fmt::format("{} has a second name in an extra field", in_quotes(name));
    if (field.id == kZip64Extra)
      return fmt::format("{} has its sizes in an extra field (zip64)", in_quotes(name));
  }
  if (!whole) return fmt::format("{} has an extra field that is cut off", in_quotes(name));
  return std::nullopt;
}

Wrong wrong_with_header(const CentralHeader& entry, const LocalHeader& local) {
  if (local.name != entry.name)
    return fmt::format("{} is called {} by its own header", in_quotes(entry.name),
                       in_quotes(local.name));
  if (local.flags != entry.flags || local.method != entry.method || local.crc != entry.crc ||
      local.packed != entry.packed || local.size != entry.size)
    return fmt::format("the directory and the header of {} say different things",
                       in_quotes(entry.name));
  if (auto wrong = wrong_with_extra(entry.name, local.extra)) return wrong;
  return wrong_with_extra(entry.name, entry.extra);
}

Wrong wrong_with_size(const CentralHeader& entry) {
  const std::size_t most = entry.name == kManifest ? kLargestManifest : kMaxCaseText;
  if (entry.size > most)
    return fmt::format("{} has {} bytes; at most {} are taken", in_quotes(entry.name), entry.size,
                       most);
  if (entry.size >= kSteepFrom && entry.size / kSteepest > entry.packed)
    return fmt::format("{} becomes {} bytes out of {}, more than {} times as many",
                       in_quotes(entry.name), entry.size, entry.packed, kSteepest);
  return std::nullopt;
}

Wrong wrong_with_end(const ZipStructure& zip) {
  const EndRecord& end = *zip.end;
  if (end.comment_length != 0 || end.end != zip.bytes.size())
    return "something stands behind the end of the archive";
  if (zip.locator || zip.zip64) return "it is a zip64 archive, and far too large for a corpus";
  if (end.disk != 0 || end.directory_disk != 0)
    return "it is a part of an archive on several disks";
  if (zip.shift != 0) return "something stands before the archive";
  if (end.here != end.total || end.total != zip.entries)
    return fmt::format("its end says {} entries, its directory has {}", end.total, zip.entries);
  if (zip.directory_at != end.offset || zip.directory_end - zip.directory_at != end.size ||
      zip.directory_end != end.at)
    return "its directory does not lie where its end says";
  return std::nullopt;
}

// Names of a stranger, each once; two that some file systems take for one are two of one.
Wrong wrong_with_names(const ZipStructure& zip) {
  std::set<std::string> seen, folded;
  for (const CentralHeader& entry : zip.directory) {
    std::string lower(entry.name);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (!seen.emplace(entry.name).second)
      return fmt::format("{} is in it twice", in_quotes(entry.name));
    if (!folded.insert(lower).second)
      return fmt::format("{} differs from another name by case alone", in_quotes(entry.name));
  }
  for (const CentralHeader& entry : zip.directory)
    if (auto wrong = wrong_with_name(entry.name)) return wrong;
  return std::nullopt;
}

Wrong wrong_with_entries(const ZipStructure& zip) {
  std::uint64_t sum = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < zip.directory.size(); ++i) {
    const CentralHeader& entry = zip.directory[i];
    const std::optional<LocalHeader>& local = zip.locals[i];
    if (auto wrong = wrong_with_kind(entry)) return wrong;
    if (entry.disk != 0) return "it is a part of an archive on several disks";
    if (!local || local->at != at)
      return fmt::format("{} does not lie right behind what is before it", in_quotes(entry.name));
    if (auto wrong = wrong_with_header(entry, *local)) return wrong;
    if (auto wrong = wrong_with_size(entry)) return wrong;
    at = local->data + entry.packed;
    sum += entry.size;
    if (sum > kLargestUnpacked)
      return fmt::format("its entries have more than {} bytes in all", kLargestUnpacked);
  }
  if (at != zip.directory_at) return "something stands between its entries and its directory";
  return std::nullopt;
}

Wrong wrong_with_archive(const ZipStructure& zip) {
  if (zip.bytes.size() > kLargestArchive)
    return fmt::format("it has more than {} bytes", kLargestArchive);
  if (!zip.end) return "it is no zip archive";
  if (zip.entries > kMostArchived + 1)
    return fmt::format("it has {} entries; at most {} cases are taken", zip.entries, kMostArchived);
  for (const auto wrong_with : {wrong_with_end, wrong_with_names, wrong_with_entries})
    if (auto wrong = wrong_with(zip)) return wrong;
  return std::nullopt;
}

// Of an archive in which nothing is wrong.
Result<std::string> content_of(const ZipStructure& zip, std::size_t index) {
  const CentralHeader& entry = zip.directory[index];
  const std::string_view packed = zip.bytes.substr(zip.locals[index]->data, entry.packed);
  std::string bytes(packed);
  if (entry.method == 8) {
    Decompressed read = decompressed(packed, entry.size + 1);
    if (!read.whole || read.broken || read.taken != packed.size())
      return bad_input(fmt::format("{} cannot be decompressed", in_quotes(entry.name)));
    bytes = std::move(read.bytes);
  }
  if (bytes.size() != entry.size)
    return bad_input(fmt::format("{} has {} bytes and says {}", in_quotes(entry.name), bytes.size(),
                                 entry.size));
  if (sum_of(bytes).crc != entry.crc)
    return bad_input(fmt::format("{} has another CRC than it says", in_quotes(entry.name)));
  return bytes;
}

// --- the manifest

// JSON keeps the last of two members of one name; another reader may take the first.
bool says_twice(const std::string& text) {
  std::vector<std::set<std::string>> open;
  bool twice = false;
  const auto look = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key && !open.back().insert(value.get<std::string>()).second)
      twice = true;
    return true;
  };
  (void)Json::parse(text, look, false);
  return twice;
}

struct Listed {
  std::string sha256;
  std::size_t bytes = 0;
};
struct Manifest {
  CorpusInfo info;
  std::map<std::string, Listed> cases;
};

void read_saying(JsonReader& reader, const char* member, std::string& into) {
  reader.read_text(member, into, kLongestSaying);
  if (printable(into) != into) reader.fail(fmt::format("has control characters in \"{}\"", member));
}

void read_info(JsonReader& reader, CorpusInfo& info) {
  info.target.clear();
  read_saying(reader, "target", info.target);
  if (std::ranges::find(kTargets, info.target, &Target::name) == kTargets.end())
    reader.fail("names no fuzz target as \"target\"");
  read_saying(reader, "origin", info.origin);
  read_saying(reader, "licence", info.licence);
  const Json* versions = reader.find("versions");
  if (!versions) return reader.fail("has no \"versions\"");
  JsonReader inner(*versions, "manifest.json, its versions,");
  read_saying(inner, "storefuzz", info.storefuzz);
  read_saying(inner, "zarr", info.zarr);
  int format = 0;
  inner.read_number("case", format, case_format(), case_format());
  if (format != case_format())
    inner.fail(fmt::format("need {} as \"case\", the format of a case", case_format()));
  inner.reject_unknown();
  reader.take_wrong(inner);
}

void read_listed(JsonReader& parent, const Json& json, Manifest& manifest) {
  if (!json.is_object()) return parent.fail("needs an object as \"cases\"");
  for (const auto& [name, member] : json.items()) {
    JsonReader reader(member, fmt::format("manifest.json, its case {},", in_quotes(name)));
    Listed& listed = manifest.cases[name];
    reader.read_text("sha256", listed.sha256, kHash);
    if (!is_hash(listed.sha256)) reader.fail("needs 64 hexadecimal digits as \"sha256\"");
    reader.read_number("bytes", listed.bytes, 1, kMaxCaseText);
    reader.find("uses");  // for people
    reader.reject_unknown();
    parent.take_wrong(reader);
  }
}

Result<Manifest> read_manifest(const std::string& text) {
  const Json json = parse_json(text);
  if (json.is_discarded() || text.starts_with("\xef\xbb\xbf"))  // RFC 8259, 8.1: no mark of order
    return bad_input("its manifest.json is not JSON, or nested deeper than 64 values");
  if (says_twice(text)) return bad_input("its manifest.json has two members of one name");
  Manifest manifest;
  JsonReader reader(json, "its manifest.json");
  int format = 0;
  reader.read_number("storefuzz corpus", format, kCorpusFormat, kCorpusFormat);
  if (format != kCorpusFormat)
    reader.fail(
        fmt::format("needs {} as \"storefuzz corpus\", the number of its format", kCorpusFormat));
  if (reader.wrong().empty()) read_info(reader, manifest.info);
  if (const Json* cases = reader.find("cases"))
    read_listed(reader, *cases, manifest);
  else
    reader.fail("has no \"cases\"");
  reader.reject_unknown();
  if (!reader.wrong().empty()) return bad_input(reader.wrong());
  return manifest;
}

Wrong wrong_with_list(const ZipStructure& zip, const Manifest& manifest) {
  std::set<std::string_view> there;
  for (const CentralHeader& entry : zip.directory)
    if (entry.name != kManifest) there.insert(entry.name);
  for (const auto& [name, listed] : manifest.cases)
    if (!there.contains(name))
      return fmt::format("its manifest.json lists {}, which is not there", in_quotes(name));
  for (const std::string_view name : there)
    if (!manifest.cases.contains(std::string(name)))
      return fmt::format("its manifest.json does not list {}", in_quotes(name));
  return std::nullopt;
}

Wrong wrong_with_case(std::string_view name, const std::string& text, const Listed& listed) {
  const std::string hash = sha256(text);
  if (text.size() != listed.bytes || hash != listed.sha256)
    return fmt::format("{} is not what its manifest.json says (its SHA-256 is {})", in_quotes(name),
                       hash);
  if (name.substr(kFolder.size(), kHash) != hash)
    return fmt::format("{} is not called by its SHA-256", in_quotes(name));
  return std::nullopt;
}

}  // namespace

Result<std::string> pack_corpus(const CorpusInfo& info, const std::vector<CorpusCase>& cases) {
  if (cases.size() > kMostArchived)
    return bad_input(fmt::format("an archive holds at most {} cases, not {}: merge them first",
                                 kMostArchived, cases.size()));
  Json manifest = to_json(info);
  manifest["cases"] = Json::object();
  std::vector<ArchiveEntry> entries{{.key = std::string(kManifest), .bytes = ""}};
  for (const CorpusCase& it : cases) {
    auto value = program::parse_case(it.text);
    if (!value) return std::unexpected(value.error());
    manifest["cases"][entry_name(it)] = {
        {"sha256", it.hash}, {"bytes", it.text.size()}, {"uses", uses_of(*value)}};
    entries.push_back({.key = entry_name(it), .bytes = it.text});
  }
  entries.front().bytes = text_of(manifest, 1) + "\n";
  return make_archive(entries, Compression::kDeflated);
}

Result<UnpackedCorpus> unpack_corpus(std::string_view bytes) {
  const ZipStructure zip = read_structure(bytes);
  if (auto wrong = wrong_with_archive(zip)) return bad_input(*wrong);
  std::map<std::string_view, std::size_t> places;  // name → index, sorted
  for (std::size_t i = 0; i < zip.directory.size(); ++i) places[zip.directory[i].name] = i;
  const auto told = places.find(kManifest);
  if (told == places.end()) return bad_input("it has no manifest.json");
  auto text = content_of(zip, told->second);
  if (!text) return std::unexpected(text.error());
  auto manifest = read_manifest(*text);
  if (!manifest) return std::unexpected(manifest.error());
  if (auto wrong = wrong_with_list(zip, *manifest)) return bad_input(*wrong);
  UnpackedCorpus corpus{.info = manifest->info, .cases = {}, .refused = {}};
  std::map<std::string, CorpusCase> cases;
  places.erase(told);
  for (const auto& [name, index] : places) {
    auto content = content_of(zip, index);
    if (!content) return std::unexpected(content.error());
    if (auto wrong = wrong_with_case(name, *content, manifest->cases.at(std::string(name))))
      return bad_input(*wrong);
    auto value = program::parse_case(*content);
    if (!value) {
      corpus.refused.push_back({.name = std::string(name), .why = value.error().message});
      continue;
    }
    CorpusCase found = corpus_case(*value);
    cases.try_emplace(found.hash, std::move(found));
  }
  for (auto& [hash, found] : cases) corpus.cases.push_back(std::move(found));
  return corpus;
}

}  // namespace storefuzz
