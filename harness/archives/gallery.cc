// See gallery.h.
#include "harness/archives/gallery.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/process/interruption.h"
#include "harness/process/process.h"
#include "harness/zip/archive.h"
#include "harness/zip/twists.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestExhibit = 128 << 10;  // bytes: the whole is to be shared
constexpr std::uint32_t kAmountsTried = 24;
constexpr std::size_t kPerTwist = 2;  // archives of one twist that say different things
constexpr const char* kManifest = "manifest.json";

// Classes whose archives hold two values for one key, or none for what its maker named.
constexpr std::array<std::string_view, 14> kNoOneValue = {"A1",
                                                          "A3",
                                                          "B1",
                                                          "B2",
                                                          "B3",
                                                          "B4",
                                                          "C1",
                                                          "C2",
                                                          "C4",
                                                          "C5",
                                                          "nul in name",
                                                          "odd name",
                                                          "nested archive",
                                                          "no directory"};

// A zarr v3 array of four bytes in two chunks, written by hand so that making it needs no zarr.
constexpr std::string_view kArrayMetadata =
    R"({"zarr_format":3,"node_type":"array","shape":[4],"data_type":"uint8",)"
    R"("chunk_grid":{"name":"regular","configuration":{"chunk_shape":[2]}},)"
    R"("chunk_key_encoding":{"name":"default","configuration":{"separator":"/"}},)"
    R"("fill_value":0,"codecs":[{"name":"bytes"}],"attributes":{}})";
constexpr std::string_view kGroupMetadata =
    R"({"zarr_format":3,"node_type":"group","attributes":{}})";

std::vector<ArchiveEntry> store_entries() {
  const std::string sharded =
      R"({"zarr_format":3,"node_type":"array","shape":[4],"data_type":"uint8","chunk_grid":{"name":"regular",)"
      R"("configuration":{"chunk_shape":[4]}},"chunk_key_encoding":{"name":"default","configuration":)"
      R"({"separator":"/"}},"fill_value":0,"codecs":[{"name":"sharding_indexed","configuration":)"
      R"({"chunk_shape":[2],"codecs":[{"name":"bytes"}],"index_codecs":[{"name":"bytes","configuration":)"
      R"({"endian":"little"}}],"index_location":"end"}}],"attributes":{}})";
  std::string shard = "abcd";
  for (const char place : {0, 2, 2, 2}) shard += std::string(1, place) + std::string(7, '\0');
  return {
      {"zarr.json", std::string(kGroupMetadata)},
      {"new/zarr.json", std::string(kArrayMetadata)},
      {"new/c/0", "ab"},
      {"new/c/1", "cd"},
      {"old/.zarray",
       R"({"zarr_format":2,"shape":[4],"chunks":[2],"dtype":"|u1","compressor":null,"fill_value":0,"order":"C","filters":null})"},
      {"old/0", "ab"},
      {"old/1", "cd"},
      {"shards/zarr.json", sharded},
      {"shards/c/0", shard}};
}

std::map<std::string, ValueSum> made_values() {
  std::map<std::string, ValueSum> made;
  for (const ArchiveEntry& it : store_entries()) made[it.key] = sum_of(it.bytes);
  return made;
}

// Of the amounts of a twist those whose archives differ, and are what the twist is about.
void add_exhibits(const TwistKind& kind, const std::string& sound, std::vector<Exhibit>& list) {
  std::set<std::string> seen = {sound};
  std::set<std::string> whys;
  for (std::uint32_t amount = 0; amount < kAmountsTried && whys.size() < kPerTwist; ++amount) {
    const Twist twist{.name = std::string(kind.name), .entry = 2, .amount = amount};
    auto bytes = twist_archive(sound, {&twist, 1});
    if (!bytes || bytes->size() > kLargestExhibit || !seen.insert(*bytes).second) continue;
    const Classified classified = classify(*bytes);
    if (std::ranges::find(classified.all, kind.about) == classified.all.end() ||
        !whys.insert(classified.name + classified.why).second)
      continue;
    const bool one_value = std::ranges::find(kNoOneValue, classified.name) == kNoOneValue.end();
    list.push_back({.name = fmt::format("{}.zip", slug(fmt::format("{}-{}-{}", kind.about,
                                                                   kind.name, whys.size()))),
                    .twist = twist,
                    .bytes = std::move(*bytes),
                    .made = one_value ? made_values() : std::map<std::string, ValueSum>()});
  }
}

// The archives that a gallery in this folder names; nothing, where its manifest is of something
// else.
std::optional<std::vector<std::string>> older_gallery(const fs::path& folder) {
  const Json manifest = parse_json(read_file_whole(folder / kManifest).value_or(""));
  if (!manifest.is_object()) return std::nullopt;
  for (const char* member : {"classes", "readers", "archives"})
    if (!manifest.contains(member) || !manifest[member].is_array()) return std::nullopt;
  std::vector<std::string> names;
  for (const Json& archive : manifest["archives"]) {
    const Json file = archive.is_object() ? archive.value("file", Json()) : Json();
    if (!file.is_string()) continue;
    const std::string name = file;
    if (fs::path(name).filename() == name && fs::path(name).extension() == ".zip")
      names.push_back(name);
  }
  return names;
}

Result<void> take_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder, error))
    return bad_input(fmt::format("{} cannot be made: {}", folder.string(), error.message()));
  if (fs::is_empty(folder, error)) return {};
  const auto older = older_gallery(folder);
  if (!older)
    return bad_input(fmt::format("{} holds something else than a gallery", folder.string()));
  for (const std::string& name : *older) fs::remove(folder / name, error);
  return {};
}

Json manifest_line(const Examination& examination, const Exhibit& exhibit) {
  Json line = to_json(examination);
  line["file"] = exhibit.name;
  line["twist"] = nullptr;
  if (const TwistKind* kind = find_twist(exhibit.twist.name))
    line["twist"] = {
        {"name", kind->name},   {"entry", exhibit.twist.entry}, {"amount", exhibit.twist.amount},
        {"about", kind->about}, {"section", kind->section},     {"says", kind->says}};
  return line;
}

}  // namespace

std::string gallery_store(Compression compression) {
  return make_archive(store_entries(), compression).value();
}

std::vector<Exhibit> exhibits() {
  const std::string sound = gallery_store();
  std::vector<Exhibit> list = {
      {.name = "sound.zip", .twist = {}, .bytes = sound, .made = made_values()}};
  for (const TwistKind& kind : all_twists()) add_exhibits(kind, sound, list);
  return list;
}

Result<std::size_t> make_gallery(const fs::path& folder, const ReaderQuirks& quirks,
                                 ExamineOptions options,
                                 const std::function<void(const Examination&)>& each) {
  // What is named wrong is told before anything is touched.
  auto panel = panel_of(options);
  if (!panel) return std::unexpected(panel.error());
  if (auto taken = take_folder(folder); !taken) return std::unexpected(taken.error());
  const std::vector<Exhibit> list = exhibits();
  std::vector<fs::path> files;
  for (const Exhibit& exhibit : list) {
    files.push_back(folder / exhibit.name);
    options.made[files.back()] = exhibit.made;
    if (auto written = write_file_whole(files.back(), exhibit.bytes); !written)
      return std::unexpected(written.error());
  }
  Json archives = Json::array(), readers = Json::array();
  auto end =
      examine(files, quirks, options, std::move(*panel), [&](const Examination& examination) {
        for (const ReaderInfo& reader :
             readers.empty() ? examination.readers : std::vector<ReaderInfo>())
          readers.push_back({{"name", reader.name}, {"version", reader.version}});
        archives.push_back(manifest_line(examination, list[archives.size()]));
        each(examination);
      });
  if (!end) return std::unexpected(end.error());
  if (archives.size() < list.size())
    return machine_failure(
        fmt::format("interrupted after {} of {} archives", archives.size(), list.size()));
  Json classes = Json::array();
  for (const ZipClass& it : all_classes())
    classes.push_back({{"name", it.name}, {"section", it.section}, {"says", it.says}});
  const Json manifest{{"classes", classes}, {"readers", readers}, {"archives", archives}};
  const std::string text = text_of(manifest, 1) + "\n";
  if (auto written = write_file_whole(folder / kManifest, text); !written)
    return std::unexpected(written.error());
  auto drawn = run_to_end(
      {.arguments = {tools_python(), source_folder() + "/reports/gallery.py", folder.string()}},
      Milliseconds(120'000), interrupted);
  if (!drawn) return std::unexpected(drawn.error());
  if (drawn->stopped) return machine_failure("interrupted: the page was not drawn");
  if (drawn->exit_code != 0) return machine_failure("the page cannot be drawn: " + drawn->output);
  return list.size();
}

}  // namespace storefuzz
