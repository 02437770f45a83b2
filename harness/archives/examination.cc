// The steps: files → bytes → class, names, honest values → panel → differences → quirk or news.
#include "harness/archives/examination.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <deque>
#include <fstream>

#include "harness/base/text.h"
#include "harness/readers/install.h"
#include "harness/readers/names.h"
#include "harness/zip/names.h"
#include "harness/zip/values.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kUnderWay = 16;  // files that readers may be at, at once

// What reading an archive may take, at most. 1,032 is deflate's own greatest ratio.
constexpr Milliseconds kLongest{5'000};  // before the extra time of the file
constexpr std::uint64_t kMostKib = 512 << 10;
constexpr std::uint64_t kMostBytesForOne = 1100;

// Exceptions of zarr that tell of a broken program, never of a broken archive.
constexpr std::array<std::string_view, 9> kUnfitting = {
    "AttributeError", "IndexError", "RecursionError", "TypeError", "UnboundLocalError",
    "AssertionError", "NameError",  "MemoryError",    "KeyError"};

struct Stamp {
  std::uint64_t size = 0;
  std::int64_t seconds = 0, nanoseconds = 0;
  ValueSum sum;
  bool operator==(const Stamp&) const = default;
};

// A byte more than kLargestArchive at most: a file may grow while it is read.
std::optional<std::string> bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  // Not by an iterator, which throws where a disk fails.
  std::string bytes;
  std::array<char, 1 << 16> chunk;
  while (bytes.size() <= kLargestArchive &&
         (stream.read(chunk.data(), chunk.size()) || stream.gcount() > 0))
    bytes.append(chunk.data(), static_cast<std::size_t>(stream.gcount()));
  return stream.bad() ? std::nullopt : std::optional(std::move(bytes));
}

Stamp stamp_of(const fs::path& file, std::string_view bytes) {
  struct stat info{};
  ::stat(file.c_str(), &info);
  return {static_cast<std::uint64_t>(info.st_size), info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
          sum_of(bytes)};
}

// Where arrays may be: beside their metadata.
std::vector<std::string> arrays_among(const std::vector<std::string>& keys) {
  std::vector<std::string> paths;
  for (const std::string& key : keys) {
    const std::size_t slash = key.rfind('/');
    const std::string name = slash == key.npos ? key : key.substr(slash + 1);
    const std::string path = slash == key.npos ? "" : key.substr(0, slash);
    if ((name != "zarr.json" && name != ".zarray") || path.starts_with('/')) continue;
    if (std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
  }
  return paths;
}

// A file that the panel is at.
struct UnderWay {
  Examination examination;
  Question question;
  Stamp before;
};

std::string first_difference(const Json& parent, const Json& child) {
  for (const char* part : {"opened", "listed", "keys", "arrays"}) {
    const Json left = parent.value(part, Json()), right = child.value(part, Json());
    if (left == right) continue;
    if (left.is_object() && right.is_object())
      for (const auto& [key, answer] : left.items())
        if (right.value(key, Json()) != answer)
          return fmt::format("{} {}: {} in the parent, {} in the child", part, key, answer.dump(),
                             right.value(key, Json()).dump());
    return fmt::format("{}: {} in the parent, {} in the child", part,
                       std::string(shorten(left.dump(), 200)),
                       std::string(shorten(right.dump(), 200)));
  }
  return "";
}

void judge_parent_and_child(Examination& examination, std::size_t parent, std::size_t child) {
  const ReaderReply& left = examination.replies[parent];
  const ReaderReply& right = examination.replies[child];
  if (left.reply.is_null() && right.reply.is_null()) return;  // both died: the panel's to tell
  if (left.reply.is_null() || right.reply.is_null()) {
    examination.faults.push_back(
        {"parent and child",
         fmt::format("parent: {}; child: {}", describe(left.died), describe(right.died))});
    return;
  }
  const std::string differ = first_difference(left.reply, right.reply);
  if (!differ.empty()) examination.faults.push_back({"parent and child", differ});
}

void judge_refusals(Examination& examination, std::size_t reader) {
  const Json& reply = examination.replies[reader].reply;
  const auto check = [&](const std::string& what, const Json& answer) {
    if (!answer.is_array() || answer.size() < 3 || answer[0] != "refused" || !answer[1].is_string())
      return;
    const std::string type = answer[1];
    if (std::ranges::find(kUnfitting, type) == kUnfitting.end()) return;
    for (const Fault& fault : examination.faults)
      if (fault.oracle == "fitting refusals" && fault.says.find(type) != fault.says.npos) return;
    examination.faults.push_back({"fitting refusals", fmt::format("{} raises {}: {}", what, type,
                                                                  answer[2].get<std::string>())});
  };
  if (!reply.is_object()) return;
  check("opening", reply.value("opened", Json()));
  check("listing", reply.value("listed", Json()));
  for (const auto& [key, answer] : reply.value("keys", Json::object()).items())
    check(fmt::format("get({:?})", key), answer);
  for (const auto& [path, answer] : reply.value("arrays", Json::object()).items())
    check(fmt::format("open_array(path={:?})", path), answer);
}

void judge_bounds(Examination& examination, std::size_t reader, std::uint64_t size,
                  Milliseconds extra) {
  const ReaderReply& reply = examination.replies[reader];
  if (std::chrono::microseconds(reply.microseconds) > kLongest + extra)
    examination.faults.push_back(
        {"bounds", fmt::format("{} takes {:.1f} s of a processor for {} bytes",
                               examination.readers[reader].name,
                               static_cast<double>(reply.microseconds) / 1e6, size)});
  if (reply.peak_kib > kMostKib + size * kMostBytesForOne / 1024)
    examination.faults.push_back(
        {"bounds", fmt::format("{} takes {} MiB for {} bytes", examination.readers[reader].name,
                               reply.peak_kib / 1024, size)});
}

// --- what was left out

// The keys of the request, and what of the file's names is not among them. The bytes of their
// values, as far as readers read them.
std::uint64_t choose_keys(UnderWay& file, const NamesInFile& names) {
  std::vector<std::string>& keys = file.question.request.keys;
  std::size_t all = 0;
  std::uint64_t bytes = 0;
  for (const NameInFile& entry : names.list) {
    if (entry.name.ends_with('/')) continue;  // a folder is no key
    ++all;
    if (keys.size() >= kMostKeys || entry.name.size() > kLongestName) continue;
    keys.push_back(text_of_name(entry.name));
    bytes = std::min(bytes + std::min(entry.size, kLargestValue), kMostBytesInAll);
    if (entry.encrypted && !file.question.honest.empty() &&
        !file.question.honest.contains(*entry.encrypted))
      file.question.encrypted.insert(keys.back());
  }
  if (names.whole && keys.size() == all) return bytes;
  const std::size_t entries = file.examination.kind.entries;
  const bool counted = names.whole || entries >= all;
  file.examination.unread.push_back(fmt::format("{} of {}{} entries asked", keys.size(),
                                                counted ? "" : "more than ",
                                                names.whole ? all : std::max(all, entries)));
  return bytes;
}

void choose_arrays(UnderWay& file) {
  ReaderRequest& request = file.question.request;
  request.arrays = arrays_among(request.keys);
  if (request.arrays.size() <= kMostArrays) return;
  file.examination.unread.push_back(
      fmt::format("{} of {} arrays asked", kMostArrays, request.arrays.size()));
  request.arrays.resize(kMostArrays);
}

// What readers left out, by bounds that we gave them.
void add_unread(Examination& examination, const ReaderRequest& request) {
  bool long_list = false;
  for (std::size_t i = 0; i < examination.readers.size(); ++i) {
    const Json& reply = examination.replies[i].reply;
    if (!reply.is_object()) continue;
    long_list = long_list || reply.value("listed", Json()).size() >= kMostListed;
    const std::size_t left_out = answers_left_out(reply);
    if (left_out > 0)
      examination.unread.push_back(
          fmt::format("{} of {} values not read by {}: too large, alone or together", left_out,
                      request.keys.size() + request.arrays.size(), examination.readers[i].name));
  }
  if (long_list)
    examination.unread.push_back(
        fmt::format("listings not compared: readers list {} names at most", kMostListed));
}

// --- planted faults

struct Plant {
  std::string reader;
  std::string_view fault;
};

constexpr std::array<std::string_view, 5> kFaults = {"invented data", "misses", "refuses",
                                                     "lists otherwise", "lists twice"};

// In what the reader answered for the last key that has a value.
void plant(const Plant& planted, const std::string& reader, Json& reply) {
  if (planted.reader != reader || !reply.is_object()) return;
  Json* value = nullptr;
  if (const auto keys = reply.find("keys"); keys != reply.end())
    for (Json& answer : *keys)
      if (answer.is_array() && !answer.empty() && answer[0] == "value") value = &answer;
  if (value && planted.fault == "invented data")
    (*value)[2] = (*value)[2].get<std::uint32_t>() ^ 1U;
  if (value && planted.fault == "misses") *value = Json::array({"missing"});
  if (value && planted.fault == "refuses")
    *value = Json::array({"refused", "Planted", "a planted fault"});
  const auto listed = reply.find("listed");
  if (listed == reply.end() || !listed->is_array() || listed->empty()) return;
  if (planted.fault == "lists otherwise") listed->erase(listed->size() - 1);
  if (planted.fault == "lists twice") listed->push_back((*listed)[0]);
}

Result<Plant> plant_of(const std::string& text) {
  if (text.empty()) return Plant{};
  const std::size_t colon = text.find(':');
  for (const std::string_view fault : kFaults)
    if (colon != text.npos && text.substr(colon + 1) == fault)
      return Plant{text.substr(0, colon), fault};
  return bad_input(
      fmt::format("\"{}\" plants nothing; write READER:FAULT, where FAULT is one of {}", text,
                  fmt::join(kFaults, ", ")));
}

// --- the loop

class Examiner {
 public:
  Examiner(Panel panel, const ReaderQuirks& quirks, const ExamineOptions& options, Plant planted,
           const std::function<void(const Examination&)>& each)
      : panel_(std::move(panel)),
        quirks_(quirks),
        options_(options),
        planted_(std::move(planted)),
        each_(each) {
    // Arrays are compared where a second reader reads them.
    std::vector<std::string_view> libraries;
    for (const ReaderInfo& reader : panel_.readers())
      if (std::ranges::find(reader.views, "arrays") != reader.views.end() &&
          std::ranges::find(libraries, library_of(reader.name)) == libraries.end())
        libraries.push_back(library_of(reader.name));
    arrays_ = libraries.size() > 1;
  }

  void begin(const fs::path& file) {
    UnderWay next;
    next.examination.file = file;
    open(next);
    under_way_.push_back(std::move(next));
    if (under_way_.size() >= kUnderWay) end_oldest();
  }

  void end_all() {
    while (!under_way_.empty()) end_oldest();
  }

 private:
  // /dev/stdin and /proc/self/fd/5 are links that mean another file in every process: readers get
  // the path behind them.
  void open(UnderWay& next) {
    std::error_code error;
    const fs::path real = fs::canonical(next.examination.file, error);
    const std::uint64_t size = error ? 0 : fs::file_size(real, error);
    if (error) {
      next.examination.refused = "it cannot be read";
    } else if (text_of_name(real.string()) != real.string()) {
      next.examination.refused = "its name is not UTF-8, and readers are asked in UTF-8";
    } else if (size > kLargestArchive) {
      next.examination.refused = "it is larger than 256 MiB";
    } else if (const auto bytes = bytes_of(real)) {
      next.question.request.file = real.string();
      look_at(next, *bytes);
    } else {
      next.examination.refused = "it cannot be read";
    }
  }

  void look_at(UnderWay& next, const std::string& bytes) {
    if (bytes.size() > kLargestArchive) {
      next.examination.refused = "it is larger than 256 MiB";
      return;
    }
    next.examination.kind = classify(bytes);
    next.examination.unread = next.examination.kind.unread;
    next.before = stamp_of(next.examination.file, bytes);
    next.question.honest = values_in(bytes);
    if (next.question.honest.empty())
      next.examination.unread.emplace_back(
          "the values of the file are not known (another method than deflate, or too much): "
          "invented data would not show");
    next.question.sound =
        next.examination.kind.name == "sound" || next.examination.kind.name == "in part";
    if (const auto made = options_.made.find(next.examination.file); made != options_.made.end())
      next.question.made = made->second;
    const std::uint64_t asked = choose_keys(next, all_names_in(bytes));
    if (arrays_) choose_arrays(next);
    next.question.request.extra_time =
        extra_time(bytes.size() + asked, next.examination.kind.entries);
    panel_.send(next.question.request);
  }

  void end_oldest() {
    UnderWay oldest = std::move(under_way_.front());
    under_way_.pop_front();
    if (oldest.examination.refused.empty()) judge(oldest);
    each_(oldest.examination);
  }

  void judge(UnderWay& file) {
    Examination& examination = file.examination;
    examination.readers = panel_.readers();
    examination.replies = panel_.collect();
    // Readers can write nowhere near the file: whoever did, what they answered is about two files.
    const auto after = bytes_of(examination.file);
    if (!after || stamp_of(examination.file, *after) != file.before) {
      examination.refused = "it was changed while it was read";
      return;
    }
    for (std::size_t i = 0; i < examination.readers.size(); ++i)
      plant(planted_, examination.readers[i].name, examination.replies[i].reply);
    examination.differences = compare(examination.readers, examination.replies, file.question);
    for (const Difference& difference : examination.differences)
      examination.quirks.push_back(quirks_.match(examination.kind.all, difference));
    for (std::size_t i = 0; i < examination.readers.size(); ++i) {
      if (library_of(examination.readers[i].name) != "zarr") continue;
      judge_refusals(examination, i);
      judge_bounds(examination, i, file.before.size, file.question.request.extra_time);
      if (i + 1 < examination.readers.size() && examination.readers[i + 1].name == "zarr child")
        judge_parent_and_child(examination, i, i + 1);
    }
    add_unread(examination, file.question.request);
  }

  Panel panel_;
  const ReaderQuirks& quirks_;
  const ExamineOptions& options_;
  Plant planted_;
  const std::function<void(const Examination&)>& each_;
  bool arrays_ = false;
  std::deque<UnderWay> under_way_;
};

Json difference_to_json(const Difference& difference, const ReaderQuirk* quirk) {
  Json json{{"reader", difference.reader},
            {"version", difference.version},
            {"direction", name_of(difference.direction)},
            {"silence", silent(difference.direction)},
            {"about", difference.about},
            {"says", difference.says},
            {"others", difference.others},
            {"times", difference.times}};
  if (quirk)
    json["quirk"] = quirk->reason;
  else
    json["news"] = true;
  return json;
}

bool named_like_an_archive(const fs::path& path) {
  std::string name = path.filename().string();
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name.ends_with(".zip") || name.ends_with(".ozx");
}

// Folder after folder, so that no more than one is open at a time.
void find_below(const fs::path& top, ArchivesFound& found) {
  std::vector<fs::path> folders = {top};
  while (!folders.empty()) {
    const fs::path folder = std::move(folders.back());
    folders.pop_back();
    std::error_code error, ignored;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      // What kind it is the folder tells itself, also where the path is too long to be asked about.
      const bool named = named_like_an_archive(it->path());
      if (it->is_symlink(ignored))
        found.links += named || it->is_directory(ignored) ? 1 : 0;
      else if (it->is_directory(ignored))
        folders.push_back(it->path());
      else if (named && it->is_regular_file(ignored))
        found.files.push_back(it->path());
      else if (named)
        ++found.no_files;
    }
    if (error) found.files.push_back(folder);
  }
}

// The worst of what a reader did: the answer ends in a table as one letter.
std::string_view answer_of(const Tally& count, const ReaderReply& reply) {
  if (!std::holds_alternative<Absent>(reply.died)) return "none";
  if (count.silences > 0) return "silence";
  return count.refusals > 0 ? "refusal" : "value";
}

}  // namespace

bool Examination::news() const {
  return !faults.empty() ||
         std::ranges::any_of(quirks, [](const ReaderQuirk* it) { return it == nullptr; });
}

std::string_view Examination::outcome() const {
  if (!refused.empty()) return "not looked at";
  if (news()) return "news";
  if (!differences.empty()) return "known differences";
  return unread.empty() ? "read alike" : "in part";
}

Milliseconds extra_time(std::uint64_t bytes, std::size_t entries) {
  return Milliseconds(bytes / 10'000 + entries / 66);
}

const std::vector<std::string_view>& planted_faults() {
  static const std::vector<std::string_view> faults(kFaults.begin(), kFaults.end());
  return faults;
}

Result<ArchivesFound> archives_below(const std::vector<std::string>& named) {
  ArchivesFound found;
  for (const std::string& name : named) {
    std::error_code error;
    const fs::file_type type = fs::status(name, error).type();
    if (type == fs::file_type::not_found)
      return bad_input(fmt::format("there is no file or folder {}", name));
    if (type == fs::file_type::directory) {
      const std::size_t before = found.files.size();
      find_below(name, found);
      if (found.files.size() == before)
        return bad_input(fmt::format("there is no file named *.zip or *.ozx in {}", name));
      std::sort(found.files.begin() + static_cast<std::ptrdiff_t>(before), found.files.end());
    } else if (type == fs::file_type::regular || error) {
      found.files.emplace_back(name);  // one that cannot be reached gets its line
    } else {
      return bad_input(fmt::format(
          "{} is a pipe, a socket or a device; archives are read from files and folders", name));
    }
  }
  return found;
}

Result<Panel> panel_of(const ExamineOptions& options) {
  auto planted = plant_of(options.planted);
  if (!planted) return std::unexpected(planted.error());
  auto commands = reader_commands(options.readers);
  if (!commands) return std::unexpected(commands.error());
  const auto sits = [&](const ReaderCommand& it) {
    return planted->reader == it.name || (it.packs && planted->reader == it.name + " child");
  };
  if (!options.planted.empty() && std::ranges::none_of(*commands, sits))
    return bad_input(fmt::format("\"{}\" plants nothing; there is no such reader among those asked",
                                 options.planted));
  for (ReaderCommand& command : *commands)
    if (command.packs && !options.zarr_python.empty())
      command.arguments.front() = options.zarr_python;
  return Panel::start(std::move(*commands), {.contain = options.scratch.string(), .measure = true});
}

Result<void> examine(const std::vector<fs::path>& files, const ReaderQuirks& quirks,
                     const ExamineOptions& options,
                     const std::function<void(const Examination&)>& each) {
  auto panel = panel_of(options);
  if (!panel) return std::unexpected(panel.error());
  return examine(files, quirks, options, std::move(*panel), each);
}

Result<void> examine(const std::vector<fs::path>& files, const ReaderQuirks& quirks,
                     const ExamineOptions& options, Panel panel,
                     const std::function<void(const Examination&)>& each) {
  auto planted = plant_of(options.planted);
  if (!planted) return std::unexpected(planted.error());
  Examiner examiner(std::move(panel), quirks, options, std::move(*planted), each);
  for (const fs::path& file : files) {
    if (options.stop && options.stop()) break;
    examiner.begin(file);
  }
  examiner.end_all();
  return {};
}

Json to_json(const Examination& examination) {
  const std::string file = text_of_name(examination.file.string());
  if (!examination.refused.empty())
    return {{"file", file}, {"outcome", examination.outcome()}, {"refused", examination.refused}};
  Json readers = Json::object();
  for (std::size_t i = 0; i < examination.readers.size(); ++i) {
    const Tally count =
        tally(examination.replies[i], examination.differences, examination.readers[i].name);
    readers[examination.readers[i].name] = {{"version", examination.readers[i].version},
                                            {"answer", answer_of(count, examination.replies[i])},
                                            {"values", count.values},
                                            {"refusals", count.refusals},
                                            {"silences", count.silences}};
  }
  Json differences = Json::array(), faults = Json::array();
  for (std::size_t i = 0; i < examination.differences.size(); ++i)
    differences.push_back(difference_to_json(examination.differences[i], examination.quirks[i]));
  for (const Fault& fault : examination.faults)
    faults.push_back({{"oracle", fault.oracle}, {"says", fault.says}});
  return {{"file", file},
          {"class", examination.kind.name},
          {"classes", examination.kind.all},
          {"section", section_of(examination.kind.name)},
          {"why", examination.kind.why},
          {"readers", readers},
          {"differences", differences},
          {"faults", faults},
          {"unread", examination.unread},
          {"outcome", examination.outcome()},
          {"news", examination.news()}};
}

}  // namespace storefuzz
