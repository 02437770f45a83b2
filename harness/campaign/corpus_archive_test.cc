// What goes into an archive comes out of it, always as the same bytes; and of every way in which a
// stranger's archive may be wrong, one sentence says which.
#include "harness/campaign/corpus_archive.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>

#include "harness/campaign/sha256.h"
#include "harness/testing/shared.h"
#include "harness/zip/archive.h"
#include "harness/zip/layout.h"

namespace storefuzz {
namespace {

constexpr const char* kSmall =
    R"({"format": 2, "program": [{"make": "zip", "at": "z", "mode": "w", "as": "s0"}]})";
constexpr const char* kOther =
    R"({"format": 2, "processes": {"p1": {"began": "spawn", "subject": "3.0.8"}},
        "program": [{"make": "local", "at": "z", "mode": "w", "as": "s0"},
                    {"carry": "copy", "from": "s0", "as": "s1"},
                    {"call": "get", "key": "a", "on": ["s0", "s1"]},
                    {"carry": "pickle 5", "from": "s0", "to": "p1", "as": "s2"}]})";

std::vector<CorpusCase> cases() {
  std::vector<CorpusCase> all{corpus_case(*program::parse_case(kSmall)),
                              corpus_case(*program::parse_case(kOther))};
  std::ranges::sort(all, {}, &CorpusCase::hash);
  return all;
}

std::string packed(const CorpusInfo& info = {}) {
  auto bytes = pack_corpus(info, cases());
  EXPECT_TRUE(bytes) << bytes.error().message;
  return bytes.value_or("");
}

std::string refusal(const std::string& bytes) {
  auto corpus = unpack_corpus(bytes);
  if (corpus) return "accepted";
  EXPECT_EQ(corpus.error().code, ExitCode::kBadInput);
  EXPECT_EQ(corpus.error().message.find('\n'), std::string::npos) << "one sentence";
  EXPECT_LT(corpus.error().message.size(), 400U);
  return corpus.error().message;
}

// --- archives that an honest writer could have written

TEST(CorpusArchive, GivesBackWhatWasPutIn) {
  const CorpusInfo info{
      .target = "zip_program", .origin = "a lab", .licence = "MIT", .zarr = "3.4.2"};
  auto corpus = unpack_corpus(packed(info));
  ASSERT_TRUE(corpus) << corpus.error().message;
  EXPECT_EQ(corpus->info.target, "zip_program");
  EXPECT_EQ(corpus->info.origin, "a lab");
  EXPECT_EQ(corpus->info.licence, "MIT");
  EXPECT_EQ(corpus->info.zarr, "3.4.2");
  EXPECT_EQ(corpus->info.storefuzz, STOREFUZZ_VERSION);
  EXPECT_TRUE(corpus->refused.empty());
  ASSERT_EQ(corpus->cases.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(corpus->cases[i].text, cases()[i].text);
}

TEST(CorpusArchive, IsTheSameForTheSameCases) {
  const std::string first = packed();
  EXPECT_EQ(first, packed());
  EXPECT_NE(first, packed({.origin = "elsewhere"}));
}

TEST(CorpusArchive, IsReadWithoutUs) {
  const ArchiveView view = view_archive(packed());
  ASSERT_TRUE(view.sound) << view.why;
  ASSERT_EQ(view.entries.size(), 3U);
  EXPECT_EQ(view.entries[0].first, "manifest.json");
  const Json manifest = Json::parse(view.entries[0].second);
  for (std::size_t i = 1; i < 3; ++i) {
    const auto& [name, text] = view.entries[i];
    EXPECT_EQ(name, "cases/" + sha256(text) + ".json");
    EXPECT_EQ(manifest["cases"][name]["sha256"], sha256(text));
    EXPECT_EQ(manifest["cases"][name]["bytes"], text.size());
  }
  EXPECT_EQ(manifest["storefuzz corpus"], 1);
  EXPECT_EQ(manifest["versions"]["zarr"], nullptr);
  const Json uses = manifest["cases"]["cases/" + corpus_case(*program::parse_case(kOther)).hash +
                                      ".json"]["uses"];
  EXPECT_EQ(uses["stores"], Json::array({"local"}));
  EXPECT_EQ(uses["carriers"], Json::array({"copy", "pickle 5"}));
  EXPECT_EQ(uses["releases"], Json::array({"3.0.8"}));
}

// An archive whose manifest fits to these texts, but for what `change` does to it.
std::string archive_of(const std::vector<std::string>& texts,
                       const std::function<void(Json&)>& change = {},
                       Compression compression = Compression::kDeflated) {
  Json manifest = Json::parse(view_archive(packed()).entries[0].second);
  manifest["cases"] = Json::object();
  std::vector<ArchiveEntry> entries{{.key = "manifest.json", .bytes = ""}};
  for (const std::string& text : texts) {
    const std::string name = "cases/" + sha256(text) + ".json";
    manifest["cases"][name] = {{"sha256", sha256(text)}, {"bytes", text.size()}, {"uses", nullptr}};
    entries.push_back({.key = name, .bytes = text});
  }
  if (change) change(manifest);
  entries[0].bytes = manifest.dump();
  return make_archive(entries, compression).value();
}

TEST(CorpusArchive, MayBeStoredAndLaidOutOtherwise) {
  auto corpus = unpack_corpus(archive_of({kSmall, kOther}, {}, Compression::kStored));
  ASSERT_TRUE(corpus) << corpus.error().message;
  ASSERT_EQ(corpus->cases.size(), 2U);
  EXPECT_EQ(corpus->cases[0].text, cases()[0].text) << "in the one form of a case";
}

// --- cases that are none: the others are taken

TEST(CorpusArchive, RefusesACaseAloneThatIsNone) {
  std::string deep, long_key = R"({"format": 2, "program": [{"make": "zip", "at": "z", "as": "s0"},
    {"call": "get", "key": ")" +
                               std::string(300, 'k') + R"(", "on": "s0"}]})";
  for (int i = 0; i < 100; ++i) deep += "[";
  std::string many = R"({"format": 2, "program": [)";
  for (int i = 0; i < 49; ++i)
    many += fmt::format(R"({}{{"make": "zip", "at": "z", "as": "s{}"}})", i ? "," : "", i);
  const std::vector<std::string> bad{"no JSON at all",
                                     deep,
                                     R"({"format": 1, "program": []})",
                                     R"({"format": 2, "program": [{"make": "cupboard"}]})",
                                     R"({"format": 2, "program": [], "run": "rm -rf /"})",
                                     R"({"format": 2, "program": NaN})",
                                     R"({"format": 2, "before": {"z": {"entries": [
                                         {"key": "\ud800", "value": "a"}]}}, "program": []})",
                                     "cos\nsystem\n(S'true'\ntR.",  // a pickle
                                     long_key,
                                     many + "]}"};
  std::vector<std::string> texts = bad;
  texts.emplace_back(kSmall);
  auto corpus = unpack_corpus(archive_of(texts));
  ASSERT_TRUE(corpus) << corpus.error().message;
  ASSERT_EQ(corpus->cases.size(), 1U);
  EXPECT_EQ(corpus->refused.size(), bad.size());
  for (const RefusedCase& it : corpus->refused) {
    EXPECT_TRUE(it.name.starts_with("cases/"));
    EXPECT_GT(it.why.size(), 10U) << it.name;
  }
}

// --- archives that are refused whole

struct Hostile {
  const char* name;
  std::function<std::string()> make;
  const char* told;
};

using Change = std::function<void(ZipLayout&)>;

std::string changed(const Change& change, bool repaired = true) {
  ZipLayout zip = parse_layout(packed());
  change(zip);
  if (repaired) repair(zip);
  return render(zip);
}

template <class Part>
Part& part(ZipLayout& zip, std::size_t number = 0) {
  for (ZipPart& it : zip.parts)
    if (auto* found = std::get_if<Part>(&it); found && number-- == 0) return *found;
  std::abort();
}

// The last entry, in both of its headers.
template <class Each>
void each_header(ZipLayout& zip, Each each) {
  each(part<LocalPart>(zip, 2));
  each(part<CentralPart>(zip, 2));
}

std::string renamed(const std::string& name) {
  return changed([&](ZipLayout& zip) {
    each_header(zip, [&](auto& header) {
      header.name = name;
      header.name_length = static_cast<std::uint16_t>(name.size());
    });
  });
}

std::string of_type(std::uint32_t mode) {
  return changed([&](ZipLayout& zip) {
    CentralPart& entry = part<CentralPart>(zip, 2);
    entry.made_by = 3 << 8 | 20;
    entry.attributes = mode << 16;
  });
}

std::string flagged(std::uint16_t flag) {
  return changed([&](ZipLayout& zip) { each_header(zip, [&](auto& it) { it.flags |= flag; }); });
}

std::string with_extra(std::uint16_t id) {
  const std::string field{
      static_cast<char>(id & 0xff), static_cast<char>(id >> 8), 4, 0, 'a', 'b', 'c', 'd'};
  return changed([&](ZipLayout& zip) {
    CentralPart& entry = part<CentralPart>(zip, 2);
    entry.extra = field;
    entry.extra_length = static_cast<std::uint16_t>(field.size());
  });
}

std::string told_by(const std::function<void(Json&)>& change) {
  return archive_of({kSmall, kOther}, change);
}

std::string said(const char* member, const Json& value) {
  return told_by([&](Json& manifest) { manifest[member] = value; });
}

std::string with_manifest(const std::string& text) {
  return make_archive(std::vector<ArchiveEntry>{{.key = "manifest.json", .bytes = text}},
                      Compression::kStored)
      .value();
}

std::string many_entries() {
  std::vector<ArchiveEntry> entries;
  for (std::size_t i = 0; i < kMostArchived + 2; ++i)
    entries.push_back({.key = fmt::format("cases/{:064x}.json", i), .bytes = ""});
  return make_archive(entries, Compression::kStored).value();
}

std::string twice() {
  return changed([](ZipLayout& zip) {
    const auto& name = part<LocalPart>(zip, 1).name;
    each_header(zip, [&](auto& header) { header.name = name; });
  });
}

// The same data behind two names.
std::string overlapping() {
  return changed(
      [](ZipLayout& zip) { part<CentralPart>(zip, 2).offset = part<CentralPart>(zip, 1).offset; },
      false);
}

std::string stated_size(std::uint32_t size) {
  return changed([&](ZipLayout& zip) { each_header(zip, [&](auto& it) { it.size = size; }); });
}

const std::vector<Hostile>& hostiles() {
  static const std::string hash = cases()[1].hash;
  static const std::string name = "cases/" + hash + ".json";
  static const std::vector<Hostile> all{
      // What is no archive, or not one alone.
      {"Nothing", [] { return std::string(); }, "no zip archive"},
      {"NoArchive", [] { return std::string(5000, 'x'); }, "no zip archive"},
      {"APickle", [] { return std::string("\x80\x05\x8c\x02os\x94.", 9); }, "no zip archive"},
      {"CutOff", [] { return packed().substr(0, packed().size() - 30); }, "no zip archive"},
      {"BytesBefore", [] { return "#!/bin/sh\n" + packed(); }, "before the archive"},
      {"BytesBehind", [] { return packed() + "more"; }, "behind the end"},
      {"AnotherBehind", [] { return packed() + packed(); }, "where its end says"},
      {"AComment",
       [] {
         return changed([](ZipLayout& zip) {
           part<EndPart>(zip).comment = "hello";
           part<EndPart>(zip).comment_length = 5;
         });
       },
       "behind the end"},
      {"AGap",
       [] {
         return changed(
             [](ZipLayout& zip) { zip.parts.insert(zip.parts.begin() + 1, GapPart{"a gap"}); });
       },
       "right behind what is before it"},
      {"AGapBeforeTheDirectory",
       [] {
         return changed(
             [](ZipLayout& zip) { zip.parts.insert(zip.parts.begin() + 3, GapPart{"a gap"}); });
       },
       "between its entries and its directory"},
      {"Overlapping", overlapping, "right behind what is before it"},
      {"FewerThanItsEndSays",
       [] { return changed([](ZipLayout& zip) { part<EndPart>(zip).total += 1; }, false); },
       "its end says 4 entries"},
      {"SeveralDisks", [] { return changed([](ZipLayout& zip) { part<EndPart>(zip).disk = 1; }); },
       "several disks"},
      {"TooManyEntries", many_entries, "at most 65000 cases"},
      // Names.
      {"AbsolutePath", [] { return renamed("/etc/passwd"); }, "is an absolute path"},
      {"AbsoluteOnWindows", [] { return renamed("C:\\a.json"); }, "is an absolute path"},
      {"LeadsOut", [] { return renamed("cases/../../a.json"); }, "leads out"},
      {"LeadsOutByBackslash", [] { return renamed("cases\\..\\..\\a.json"); }, "leads out"},
      {"AFolder", [] { return renamed("cases/"); }, "is a folder"},
      {"NoName", [] { return renamed(""); }, "no name"},
      {"NulInAName", [] { return renamed(std::string("cases/a\0.json", 13)); }, "has a NUL"},
      {"NotUtf8", [] { return renamed("cases/\xff\xfe.json"); }, "more than plain ASCII"},
      {"LooksAlike", [] { return renamed("cases/e\xcc\x81.json"); }, "more than plain ASCII"},
      {"AnotherName", [] { return renamed("setup.py"); }, "neither manifest.json nor cases/"},
      {"AnotherFolder", [] { return renamed("Cases/" + hash + ".json"); },
       "neither manifest.json nor cases/"},
      {"VeryLongName", [] { return renamed(std::string(60'000, 'n')); },
       "neither manifest.json nor cases/"},
      {"NameTwice", twice, "is in it twice"},
      {"ManifestTwice", [] { return renamed("manifest.json"); }, "is in it twice"},
      {"OnlyCaseDiffers", [] { return renamed("Manifest.json"); }, "by case alone"},
      {"OtherNameInItsHeader",
       [] { return changed([](ZipLayout& zip) { part<LocalPart>(zip, 2).name[10] = 'g'; }); },
       "by its own header"},
      {"SecondNameInAnExtraField", [] { return with_extra(0x7075); }, "a second name"},
      {"SizesInAnExtraField", [] { return with_extra(0x0001); }, "zip64"},
      // Kinds of entries.
      {"ASymbolicLink", [] { return of_type(S_IFLNK | 0777); }, "is a symbolic link"},
      {"ADevice", [] { return of_type(S_IFBLK | 0600); }, "a device, a pipe or a socket"},
      {"APipe", [] { return of_type(S_IFIFO | 0600); }, "a device, a pipe or a socket"},
      {"AFolderByItsMode", [] { return of_type(S_IFDIR | 0700); }, "is a folder"},
      {"Encrypted", [] { return flagged(1); }, "is encrypted"},
      {"StronglyEncrypted", [] { return flagged(1 << 6); }, "is encrypted"},
      {"SizesBehind", [] { return flagged(1 << 3); }, "sizes behind its data"},
      {"AnotherMethod",
       [] {
         return changed([](ZipLayout& zip) { each_header(zip, [](auto& it) { it.method = 12; }); });
       },
       "by method 12"},
      {"OtherFieldsInItsHeader",
       [] { return changed([](ZipLayout& zip) { part<LocalPart>(zip, 2).crc ^= 1; }); },
       "say different things"},
      // Sizes and contents.
      {"TooLargeACase", [] { return archive_of({std::string(70'000, ' ')}); }, "at most 65536"},
      {"ABomb", [] { return archive_of({std::string(65'000, ' ')}); }, "more than 200 times"},
      {"SaysLess", [] { return stated_size(10); }, "and says 10"},
      {"SaysMore", [] { return stated_size(60'000); }, "more than 200 times"},
      {"SaysALittleMore", [] { return stated_size(4'000); }, "has "},
      {"ABrokenStream",
       [] { return changed([](ZipLayout& zip) { part<LocalPart>(zip, 2).data[3] ^= 0x55; }); }, ""},
      {"AWrongCrc",
       [] {
         return changed([](ZipLayout& zip) { each_header(zip, [](auto& it) { it.crc ^= 1; }); });
       },
       "another CRC"},
      // The manifest.
      {"NoManifest",
       [] {
         return make_archive(std::vector<ArchiveEntry>{{.key = name, .bytes = "{}"}},
                             Compression::kStored)
             .value();
       },
       "no manifest.json"},
      {"ManifestIsNoJson", [] { return with_manifest("{"); }, "is not JSON"},
      {"ManifestIsAList", [] { return with_manifest("[]"); }, "must be an object"},
      {"ManifestIsTooDeep", [] { return with_manifest(std::string(3000, '[')); }, "64 values"},
      {"ManifestHasNaN", [] { return with_manifest(R"({"storefuzz corpus": NaN})"); }, "not JSON"},
      {"ManifestHasALoneSurrogate",
       [] { return with_manifest(R"({"storefuzz corpus": 1, "origin": "\udc00"})"); }, "not JSON"},
      {"ManifestSaysTwice",
       [] { return with_manifest(R"({"storefuzz corpus": 1, "storefuzz corpus": 1})"); },
       "two members of one name"},
      {"AnotherFormat", [] { return said("storefuzz corpus", 2); },
       "needs a whole number from 1 to 1 as \"storefuzz corpus\""},
      {"NoFormat", [] { return told_by([](Json& it) { it.erase("storefuzz corpus"); }); },
       "the number of its format"},
      {"AnotherFormatOfCases", [] { return told_by([](Json& it) { it["versions"]["case"] = 3; }); },
       "as \"case\""},
      {"AnotherTarget", [] { return said("target", "rm"); }, "names no fuzz target"},
      {"NoTarget", [] { return told_by([](Json& it) { it["target"] = nullptr; }); },
       "names no fuzz target"},
      {"TextsForATerminal", [] { return said("origin", "\x1b[2J"); }, "control characters"},
      {"ManifestHasAByteOrderMark", [] { return with_manifest("\xef\xbb\xbf{}"); }, "not JSON"},
      {"LongTexts", [] { return said("origin", std::string(2000, 'o')); }, "above 1000 bytes"},
      {"WrongTypes", [] { return said("cases", Json::array()); }, "needs an object as \"cases\""},
      {"Unknown", [] { return said("post-install", "rm"); }, "unknown \"post-install\""},
      {"NoHash", [] { return told_by([](Json& it) { it["cases"].front().erase("sha256"); }); },
       "64 hexadecimal digits"},
      {"Missing",
       [] {
         return told_by([](Json& it) {
           it["cases"]["cases/" + std::string(64, 'a') + ".json"] = it["cases"].front();
         });
       },
       "which is not there"},
      {"Unlisted", [] { return told_by([](Json& it) { it["cases"].erase(it["cases"].begin()); }); },
       "does not list"},
      {"AnotherHash",
       [] {
         return told_by([](Json& it) { it["cases"].front()["sha256"] = std::string(64, '0'); });
       },
       "is not what its manifest.json says"},
      {"AnotherSize", [] { return told_by([](Json& it) { it["cases"].front()["bytes"] = 7; }); },
       "is not what its manifest.json says"},
  };
  return all;
}

class HostileArchive : public testing::TestWithParam<Hostile> {};

TEST_P(HostileArchive, IsRefusedInASentence) {
  const std::string why = refusal(GetParam().make());
  EXPECT_NE(why, "accepted");
  EXPECT_NE(why.find(GetParam().told), std::string::npos) << why;
}

INSTANTIATE_TEST_SUITE_P(All, HostileArchive, testing::ValuesIn(hostiles()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(HostileArchives, AreOfManyKinds) { EXPECT_GE(hostiles().size(), 50U); }

// Whatever single byte is changed: what is taken, is what was put in.
TEST(HostileArchives, NoByteCanBeChangedUnnoticedInACase) {
  const std::string bytes = packed();
  std::set<std::string> honest;
  for (const CorpusCase& it : cases()) honest.insert(it.text);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string other = bytes;
    other[at] = static_cast<char>(other[at] ^ 0x21);
    if (auto corpus = unpack_corpus(other))
      for (const CorpusCase& it : corpus->cases) EXPECT_TRUE(honest.contains(it.text)) << at;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(unpack_corpus(bytes.substr(0, size))) << size;
}

}  // namespace
}  // namespace storefuzz
