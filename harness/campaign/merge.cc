// See merge.h. Beside `out` lies `out.merge`: the cases, a file each; the control files, each of
// some cases; and what the subject was.
#include "harness/campaign/merge.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <sstream>
#include <thread>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/process/cores.h"
#include "harness/process/interruption.h"
#include "harness/process/process.h"
#include "harness/process/scratch.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kShard = 1000;  // cases of a control file; a fuzz process a second to start
constexpr std::uint32_t kCounterFeatures = 8;  // libFuzzer's, of a counter: by how often it counted
constexpr int kTries = 2;                      // for a case in which its fuzz process ends
constexpr std::chrono::seconds kLongest{180};  // for one case, or to start
constexpr Milliseconds kLook{100};

// --- control files

// What stands up to the next line break, which goes; nothing: there is no whole line.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::vector<std::size_t> numbers_in(std::string_view line) {
  std::vector<std::size_t> numbers;
  for (const char* at = line.data(); at != line.data() + line.size();) {
    std::size_t number = 0;
    const auto [next, error] = std::from_chars(at, line.data() + line.size(), number);
    if (error == std::errc()) numbers.push_back(number);
    at = std::max(next, at + 1);
  }
  return numbers;
}

std::string header_of(const std::vector<std::string>& names) {
  std::string text = fmt::format("{}\n0\n", names.size());
  for (const std::string& name : names) text += name + "\n";
  return text;
}

}  // namespace

// STARTED number size, FT number features…, COV number …: a record ends with its COV.
ControlFile read_control_file(std::string_view text) {
  ControlFile file;
  const std::size_t size = text.size();
  const auto count = take_line(text), old = take_line(text);
  if (!count || !old) return file;
  const auto numbers = numbers_in(*count);
  for (std::size_t i = 0; i < (numbers.empty() ? 0 : numbers[0]); ++i) {
    const auto name = take_line(text);
    if (!name) return {};
    file.names.emplace_back(*name);
  }
  file.whole = size - text.size();
  std::vector<std::size_t> features;
  while (const auto line = take_line(text)) {
    std::vector<std::size_t> said = numbers_in(*line);
    if (said.empty() || said[0] >= file.names.size()) break;
    const std::string& name = file.names[said[0]];
    if (line->starts_with("STARTED")) file.last = name;
    if (line->starts_with("FT")) features = std::move(said);
    if (!line->starts_with("COV")) continue;
    Measured& measured = file.measured.emplace_back(Measured{.name = name, .features = {}});
    if (!features.empty()) measured.features.assign(features.begin() + 1, features.end());
    std::ranges::sort(measured.features);
    features.clear();
    file.whole = size - text.size();
    file.last.clear();
  }
  return file;
}

// Lazily: what a case adds can only become less, so that one that still adds most, adds most.
std::vector<std::size_t> choose(const std::vector<Measured>& all,
                                const std::vector<std::size_t>& sizes,
                                const std::vector<std::uint32_t>& had, std::size_t most) {
  std::set<std::uint32_t> reached(had.begin(), had.end());
  const auto adds = [&](std::size_t i) {
    return static_cast<std::size_t>(std::ranges::count_if(
        all[i].features, [&](std::uint32_t it) { return !reached.contains(it); }));
  };
  struct Candidate {
    std::size_t adds, index;
  };
  const auto after = [&](const Candidate& a, const Candidate& b) {
    if (a.adds != b.adds) return a.adds < b.adds;
    if (sizes[a.index] != sizes[b.index]) return sizes[a.index] > sizes[b.index];
    return all[a.index].name > all[b.index].name;
  };
  std::priority_queue<Candidate, std::vector<Candidate>, decltype(after)> left(after);
  for (std::size_t i = 0; i < all.size(); ++i) left.push({adds(i), i});
  std::vector<std::size_t> chosen;
  while (!left.empty() && chosen.size() < most) {
    Candidate best = left.top();
    left.pop();
    if (const std::size_t now = adds(best.index); now != best.adds) {
      if (now > 0) left.push({now, best.index});
      continue;
    }
    if (best.adds == 0) break;
    chosen.push_back(best.index);
    reached.insert(all[best.index].features.begin(), all[best.index].features.end());
  }
  return chosen;
}

namespace {

// A fuzz process that measures the cases of one control file, again where it ends before it is
// through.
class Shard {
 public:
  Shard(const MergeOptions& options, fs::path folder, fs::path control, int core)
      : options_(options), folder_(std::move(folder)), control_(std::move(control)), core_(core) {}

  Result<void> launch() {
    auto scratch = Scratch::make();
    if (!scratch) return std::unexpected(scratch.error());
    scratch_.emplace(std::move(*scratch));
    std::error_code error;
    fs::create_directories(scratch_->path() / "cases", error);
    Settings settings = options_.settings;
    settings.scratch = scratch_->path();
    settings.corpus = folder_;
    // A fuzz process tells that it has started, and here nobody listens.
    auto told = make_memory_file("storefuzz-merge");
    if (!told) return std::unexpected(told.error());
    settings.findings = std::to_string(told->get());
    const auto cores = own_cores();
    if (!cores.empty())
      settings.core = std::to_string(cores[static_cast<std::size_t>(core_) % cores.size()]);
    auto environment = to_environment(settings);
    environment["TMPDIR"] = (scratch_->path() / "cases").string();
    Descriptor log(::open(log_file().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    // 2: all that a case reaches, not what those before it did not.
    Command command{
        .arguments = {built_program(options_.target).string(), "-merge_inner=2",
                      "-merge_control_file=" + control_.filename().string(), "-timeout=86400",
                      "-rss_limit_mb=0", "-detect_leaks=0", "-handle_usr2=0"},
        .environment = std::move(environment),
        .directory = folder_.string(),
        .output = log.get(),
        .frames = false};
    auto process = Process::start(command);
    if (!process) return std::unexpected(process.error());
    process_ = std::move(*process);
    grew_ = Clock::now();
    return {};
  }

  // Whether all is measured.
  Result<bool> look() {
    const std::size_t size = control_size();
    if (size != size_) grew_ = Clock::now();
    size_ = size;
    process_->wait_for_end(Milliseconds(0));
    const std::optional<Ending> end = process_->ending();
    if (!end && Clock::now() - grew_ < kLongest) return false;
    process_->kill_and_reap();
    return end && end->exited(0) ? is_whole() : ended_early(end);
  }

  void stop() { process_->kill_and_reap(); }

  // Cases that are measured.
  std::size_t count() const {
    const std::string text = read_file_whole(control_).value_or("");
    std::size_t sum = 0;
    for (std::size_t at = 0; (at = text.find("\nCOV ", at)) != text.npos; ++at) ++sum;
    return sum;
  }

 private:
  std::size_t control_size() const {
    std::error_code error;
    const auto size = fs::file_size(control_, error);
    return error ? 0 : size;
  }
  fs::path log_file() const { return control_.string() + ".log"; }

  // libFuzzer does not look whether what it wrote could be written.
  Result<bool> is_whole() const {
    auto text = read_file_whole(control_);
    if (!text) return std::unexpected(text.error());
    const ControlFile file = read_control_file(*text);
    const auto passed_over =
        std::ranges::count_if(ends_, [](const auto& it) { return it.second >= kTries; });
    if (file.measured.size() + static_cast<std::size_t>(passed_over) == file.names.size())
      return true;
    return machine_failure(fmt::format(
        "{} is not whole: is the disk full? The same merge goes on from there", control_.string()));
  }

  // What was cut off is measured again; a case in which the process ended too often is passed over.
  // But a process that says itself why it does not go on (its Python is gone, say) says so in the
  // next case as well.
  Result<bool> ended_early(const std::optional<Ending>& end) {
    if (auto room = check_room(scratch_->path()); !room) return std::unexpected(room.error());
    auto text = read_file_whole(control_);
    if (!text) return std::unexpected(text.error());
    const ControlFile file = read_control_file(*text);
    const bool says_why = end && end->exited(static_cast<int>(ExitCode::kMachine));
    if (file.measured.size() > measured_) idle_ = 0;
    measured_ = file.measured.size();
    if ((file.last.empty() || says_why) && ++idle_ > kTries)
      return machine_failure(fmt::format("the fuzz process does not start: {}", last_log()));
    if (file.last.empty() || ++ends_[file.last] < kTries) {
      std::error_code error;
      fs::resize_file(control_, file.whole, error);
    }
    if (auto launched = launch(); !launched) return std::unexpected(launched.error());
    return false;
  }

  std::string last_log() const {
    std::string last = "it says nothing";
    std::istringstream lines(read_file_whole(log_file()).value_or(""));
    for (std::string line; std::getline(lines, line);)
      if (!line.empty()) last = line;
    return last;
  }

  const MergeOptions& options_;
  fs::path folder_, control_;
  int core_;
  std::optional<Scratch> scratch_;
  std::optional<Process> process_;
  Clock::time_point grew_;
  std::size_t size_ = 0;
  int idle_ = 0;  // endings in a row before a case was measured
  std::size_t measured_ = 0;
  std::map<std::string, int> ends_;
};

class Merge {
 public:
  explicit Merge(const MergeOptions& options)
      : options_(options),
        out_(without_slash(fs::absolute(options.out).lexically_normal())),
        folder_(out_.string() + ".merge") {}

  Result<Merged> run() {
    for (const auto phase : {&Merge::read, &Merge::prepare, &Merge::measure, &Merge::write})
      if (auto done = (this->*phase)(); !done) return std::unexpected(done.error());
    std::error_code error;
    fs::remove_all(folder_, error);
    return std::move(merged_);
  }

 private:
  static fs::path without_slash(const fs::path& path) {
    return path.has_filename() ? path : path.parent_path();
  }
  static std::string name_of(const CorpusCase& it) { return "cases/" + it.hash; }

  Result<void> read() {
    std::error_code error;
    if (fs::exists(out_, error)) {
      auto corpus = read_corpus(out_);
      if (!corpus) return std::unexpected(corpus.error());
      merged_.skipped += corpus->skipped;
      for (CorpusCase& it : corpus->cases) {
        had_.insert(name_of(it));
        cases_.try_emplace(name_of(it), std::move(it));
      }
    }
    for (const fs::path& input : options_.inputs) {
      auto corpus = read_corpus(input);
      if (!corpus) return std::unexpected(corpus.error());
      merged_.skipped += corpus->skipped;
      for (CorpusCase& it : corpus->cases) cases_.try_emplace(name_of(it), std::move(it));
    }
    merged_.cases = cases_.size();
    if (cases_.empty()) return bad_input("there is no case to merge");
    return {};
  }

  // What an earlier merge measured, if it was of this subject; and the cases, where its fuzz
  // processes find them.
  Result<void> prepare() {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) return std::unexpected(cannot_write(folder_, error.value()));
    if (!fs::is_empty(folder_, error) && !fs::exists(folder_ / "lock", error))
      return bad_input(fmt::format("{} is in the way: no merge made it", folder_.string()));
    if (auto locked = lock(); !locked) return locked;
    fs::create_directories(folder_ / "cases", error);
    if (error) return std::unexpected(cannot_write(folder_, error.value()));
    const std::string who = fmt::format("{} {} {}\n{}", STOREFUZZ_VERSION, options_.target,
                                        options_.subject, options_.settings.planted);
    if (read_file_whole(folder_ / "subject").value_or(who) == who) read_controls();
    remove_controls();
    if (auto written = write_file_whole(folder_ / "subject", who); !written) return written;
    if (auto kept = keep_measured(); !kept) return kept;
    for (const auto& [name, it] : cases_)
      if (!measured_.contains(name) && !fs::exists(folder_ / name, error))
        if (auto written = write_file_whole(folder_ / name, it.text); !written) return written;
    return {};
  }

  // The lock ends with this process.
  Result<void> lock() {
    lock_ = Descriptor(::open((folder_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (lock_.get() < 0) return std::unexpected(cannot_write(folder_ / "lock", errno));
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0)
      return bad_input(fmt::format("another merge into {} is at work", options_.out.string()));
    return {};
  }

  std::vector<fs::path> controls() const {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder_, error))
      if (entry.path().filename().string().starts_with("control")) files.push_back(entry.path());
    return files;
  }

  void read_controls() {
    for (const fs::path& file : controls())
      for (Measured& it : read_control_file(read_file_whole(file).value_or("")).measured)
        if (cases_.contains(it.name)) measured_.try_emplace(it.name, std::move(it.features));
    through_ = merged_.known = measured_.size();
  }

  // All but the one in which everything that is known is written again.
  void remove_controls() {
    std::error_code error;
    old_ = controls();
    if (measured_.empty())
      for (const fs::path& file : old_) fs::remove(file, error);
  }

  // One control file in place of those of merges that were interrupted; whole, before those go.
  Result<void> keep_measured() {
    if (measured_.empty()) return {};
    std::vector<std::string> names;
    for (const auto& [name, features] : measured_) names.push_back(name);
    std::string text = header_of(names);
    std::size_t number = 0;
    for (const auto& [name, features] : measured_)
      text += fmt::format("STARTED {0} 0\nFT {0}{1}{2}\nCOV {0}\n", number++,
                          features.empty() ? "" : " ", fmt::join(features, " "));
    const fs::path file = folder_ / "control-known";
    if (auto written = write_file_whole(file, text); !written) return written;
    std::error_code error;
    for (const fs::path& it : old_)
      if (it != file) fs::remove(it, error);
    return {};
  }

  // The cases that are not measured yet, some to a control file.
  Result<std::deque<fs::path>> write_controls() const {
    std::vector<std::string> names;
    for (const auto& [name, it] : cases_)
      if (!measured_.contains(name)) names.push_back(name);
    std::deque<fs::path> files;
    for (std::size_t at = 0; at < names.size(); at += kShard) {
      const std::vector<std::string> some(
          names.begin() + static_cast<std::ptrdiff_t>(at),
          names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), at + kShard)));
      files.push_back(folder_ / fmt::format("control-{}", files.size()));
      if (auto written = write_file_whole(files.back(), header_of(some)); !written)
        return std::unexpected(written.error());
    }
    return files;
  }

  Result<void> measure() {
    auto files = write_controls();
    if (!files) return std::unexpected(files.error());
    const std::vector<fs::path> all(files->begin(), files->end());
    std::vector<std::optional<Shard>> shards(static_cast<std::size_t>(options_.jobs));
    auto done = run_shards(*files, shards);
    for (auto& shard : shards)
      if (shard) shard->stop();
    if (!done) return done;
    for (const fs::path& file : all) {
      auto text = read_file_whole(file);
      if (!text) return std::unexpected(text.error());
      for (Measured& it : read_control_file(*text).measured)
        measured_.insert_or_assign(it.name, std::move(it.features));
    }
    for (const auto& [name, it] : cases_)
      if (!measured_.contains(name)) merged_.lost.push_back(it.text);
    return {};
  }

  Result<void> run_shards(std::deque<fs::path>& files, std::vector<std::optional<Shard>>& shards) {
    for (;;) {
      bool busy = false;
      for (std::size_t i = 0; i < shards.size(); ++i) {
        if (!shards[i] && !files.empty()) {
          shards[i].emplace(options_, folder_, files.front(), static_cast<int>(i));
          files.pop_front();
          if (auto launched = shards[i]->launch(); !launched) return launched;
        }
        if (!shards[i]) continue;
        auto through = shards[i]->look();
        if (!through) return std::unexpected(through.error());
        if (*through) {
          through_ += shards[i]->count();
          shards[i].reset();
        }
        busy = true;
      }
      if (interrupted())
        return machine_failure(
            fmt::format("interrupted after {} of {} cases; the same merge goes on from there",
                        through_ + count(shards), cases_.size()));
      if (!busy) return {};
      show_progress(shards);
      std::this_thread::sleep_for(kLook);
    }
  }

  static std::size_t count(const std::vector<std::optional<Shard>>& shards) {
    std::size_t sum = 0;
    for (const auto& shard : shards) sum += shard ? shard->count() : 0;
    return sum;
  }

  void show_progress(const std::vector<std::optional<Shard>>& shards) {
    if (!options_.progress || Clock::now() < next_) return;
    next_ = Clock::now() + std::chrono::seconds(2);
    options_.progress(
        fmt::format("{} of {} cases measured", through_ + count(shards), cases_.size()));
  }

  Result<void> write() {
    std::vector<Measured> others;
    std::vector<std::size_t> sizes;
    std::set<std::uint32_t> all, kept;
    for (auto& [name, features] : measured_) {
      all.insert(features.begin(), features.end());
      if (had_.contains(name)) {
        kept.insert(features.begin(), features.end());
        continue;
      }
      others.push_back({.name = name, .features = std::move(features)});
      sizes.push_back(cases_.at(name).text.size());
    }
    const std::size_t most = options_.most - std::min(options_.most, had_.size());
    const auto chosen = choose(others, sizes, {kept.begin(), kept.end()}, most);
    for (const std::size_t i : chosen)
      kept.insert(others[i].features.begin(), others[i].features.end());
    if (auto written = write_chosen(others, chosen); !written) return written;
    merged_.added = chosen.size();
    merged_.kept = had_.size() + chosen.size();
    merged_.reached = all.size();
    merged_.kept_reached = kept.size();
    for (const std::uint32_t feature : kept) merged_.lines.push_back(feature / kCounterFeatures);
    return {};
  }

  // A folder that is new appears with all its cases. In one that is there, each case is written
  // whole: killed meanwhile, the same merge adds the rest.
  Result<void> write_chosen(const std::vector<Measured>& others,
                            const std::vector<std::size_t>& chosen) const {
    std::error_code error;
    const bool there = fs::exists(out_, error);
    const fs::path into = there ? out_ : folder_ / "out";
    if (!there) {
      fs::remove_all(into, error);
      fs::create_directories(into, error);
    }
    for (const std::size_t i : chosen) {
      const CorpusCase& it = cases_.at(others[i].name);
      if (auto written = write_file_whole(into / it.file_name(), it.text); !written) return written;
    }
    if (!there) fs::rename(into, out_, error);
    if (error) return std::unexpected(cannot_write(out_, error.value()));
    return {};
  }

  const MergeOptions& options_;
  fs::path out_, folder_;
  Descriptor lock_;
  std::map<std::string, CorpusCase> cases_;                     // by name
  std::set<std::string> had_;                                   // those that lie in `out` already
  std::map<std::string, std::vector<std::uint32_t>> measured_;  // name → features
  std::vector<fs::path> old_;
  std::size_t through_ = 0;  // cases that are measured, but for those of shards that are at work
  Clock::time_point next_{};
  Merged merged_;
};

}  // namespace

Result<Merged> merge_corpora(const MergeOptions& options) { return Merge(options).run(); }

}  // namespace storefuzz
