// The supervisor's loop: poll the jobs' lines, look at their clocks, replace what is gone.
#include "harness/campaign/supervise.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/play/board.h"
#include "harness/process/cores.h"
#include "harness/process/interruption.h"
#include "harness/process/process.h"
#include "harness/process/scratch.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kLongest = 180.0;       // seconds for one program, with all its twins
constexpr double kStartSeconds = 180.0;  // for a fuzz process to start
constexpr int kIdleDeaths = 10;          // in a row and with no case played, before a run gives up
constexpr std::size_t kFewFaults = 10;   // of our own, with which a run goes on in any case
constexpr std::chrono::seconds kKeepEvery{5};  // what was found so far is kept, and new units
constexpr std::size_t kMaxCorpusFiles = 100'000;

// One fuzz process and what belongs to it, over all its restarts.
class Job {
 public:
  Job(const FuzzOptions& options, std::string target, int number, Board board)
      : options_(options),
        target_(std::move(target)),
        number_(number),
        board_(std::move(board)),
        folder_(options.scratch / fmt::format("job-{}", number)),
        // Cases of another target are of another kind: each target has a corpus of its own.
        corpus_(options.scratch / ("corpus-" + target_)) {}

  const std::string& target() const { return target_; }
  const Board& board() const { return board_; }
  int lines() const { return lines_.get(); }
  bool started() const { return started_; }
  int restarts() const { return restarts_; }
  const fs::path& corpus() const { return corpus_; }

  Result<void> launch() {
    std::error_code error;
    fs::create_directories(corpus_, error);
    fs::create_directories(folder_ / "cases", error);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return machine_failure("no pipe can be made");
    Descriptor write_end(ends[1]);
    lines_ = Descriptor(ends[0]);
    ::fcntl(lines_.get(), F_SETFL, O_NONBLOCK);
    Descriptor log(
        ::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    Command command = command_for(write_end.get());
    command.output = log.get();
    auto process = Process::start(command);
    if (!process) return std::unexpected(process.error());
    process_ = std::move(*process);
    launched_ = Clock::now();
    executions_ = board_.data().executions;
    started_ = false;
    board_.end_case();
    return {};
  }

  // Everything the process wrote since the last call, line by line.
  template <class Each>
  void read_lines(Each each) {
    char buffer[65536];
    for (;;) {
      const ssize_t count = ::read(lines_.get(), buffer, sizeof buffer);
      if (count <= 0) break;
      pending_.append(buffer, static_cast<std::size_t>(count));
    }
    std::size_t begin = 0;
    for (std::size_t end; (end = pending_.find('\n', begin)) != pending_.npos; begin = end + 1) {
      const Json json = Json::parse(pending_.substr(begin, end - begin), nullptr, false);
      if (json.is_object()) each(json);
    }
    pending_.erase(0, begin);
  }

  void note_start() { started_ = true; }

  bool hangs() const {
    const std::int64_t since = board_.data().case_since;
    return started_ && since != 0 &&
           static_cast<double>(now_nanoseconds() - since) / 1e9 > kLongest;
  }

  // How the process ended; nothing while it lives.
  std::optional<Ending> ended() {
    process_->wait_for_end(Milliseconds(0));
    return process_->ending();
  }
  bool late_to_start() const {
    return !started_ && Clock::now() - launched_ > std::chrono::duration<double>(kStartSeconds);
  }
  void kill() { process_->kill_and_reap(); }

  // The next one does not play again what its predecessor died of.
  Result<void> restart() {
    kill();
    ++restarts_;
    if (board_.data().case_since != 0)
      std::ofstream(avoid(), std::ios::app) << board_.case_in_flight() << '\n';
    const bool idle = board_.data().executions == executions_;
    idle_deaths_ = idle ? idle_deaths_ + 1 : 0;
    if (idle_deaths_ > kIdleDeaths)
      return machine_failure(fmt::format("the fuzz process dies again and again: {}", last_log()));
    return launch();
  }

  // The last line of ours; libFuzzer says more after it when a process ends.
  std::string last_log() const {
    constexpr std::string_view kOurs = "storefuzz: ";
    std::ifstream file(folder_ / "log");
    std::string last, ours;
    for (std::string line; std::getline(file, line);) {
      if (!line.empty()) last = line;
      if (const std::size_t at = line.find(kOurs); at != line.npos)
        ours = line.substr(at + kOurs.size());
    }
    return ours.empty() ? last : ours;
  }

 private:
  fs::path avoid() const { return folder_ / "avoid"; }

  Command command_for(int findings) const {
    const auto number = [](int value) { return std::to_string(value); };
    Settings settings = options_.settings;
    settings.scratch = folder_.string();
    settings.board = number(board_.descriptor());
    settings.findings = number(findings);
    settings.avoid = avoid().string();
    settings.corpus = corpus_.string();
    if (const auto cores = own_cores(); !cores.empty())
      settings.core = number(cores[static_cast<std::size_t>(number_) % cores.size()]);
    settings.adapters = text_of(added_adapters());
    auto environment = to_environment(settings);
    environment["TMPDIR"] = (folder_ / "cases").string();
    return {.arguments = {built_program(target_).string(), corpus_.string(),
                          fmt::format("-seed={}", options_.seed + 1000U * number_ + restarts_),
                          "-max_total_time=0", "-len_control=0", "-max_len=16384",
                          // Seconds until the units of the other jobs are read.
                          options_.jobs > 1 ? "-reload=1" : "-reload=0", "-timeout=86400",
                          "-rss_limit_mb=0", "-detect_leaks=0", "-print_final_stats=0",
                          "-handle_usr2=0",
                          // A fatal signal stays one.
                          "-handle_abrt=0", "-handle_segv=0", "-handle_bus=0", "-handle_ill=0",
                          "-handle_fpe=0", fmt::format("-artifact_prefix={}/", folder_.string())},
            .environment = std::move(environment),
            .descriptors = {board_.descriptor(), findings},
            .frames = false};
  }

  const FuzzOptions& options_;
  std::string target_;
  int number_;
  Board board_;
  fs::path folder_;
  fs::path corpus_;  // shared by the jobs of a target
  std::optional<Process> process_;
  Descriptor lines_;
  std::string pending_;
  Clock::time_point launched_;
  bool started_ = false;
  int restarts_ = 0;
  int idle_deaths_ = 0;
  std::uint64_t executions_ = 0;  // when the process was launched
};

class Supervisor {
 public:
  explicit Supervisor(const FuzzOptions& options) : options_(options) {}

  Result<Fuzzed> run() {
    if (auto done = watch(); !done) {
      if (!begun_) return std::unexpected(done.error());
      fail(done.error());
    }
    for (auto& job : jobs_) finish(*job);
    gather();
    if (auto kept = keep_corpus(); !kept) fail(kept.error());
    return std::move(fuzzed_);
  }

 private:
  Result<void> watch() {
    if (auto launched = launch(); !launched) return launched;
    while (!over()) {
      wait();
      for (auto& job : jobs_)
        if (auto looked = look_after(*job); !looked) return looked;
      if (auto kept = keep_so_far(); !kept) return kept;
      show_progress();
    }
    return {};
  }

  // The first failure is the one to tell: others follow from it.
  void fail(const Error& error) {
    if (!fuzzed_.failure) fuzzed_.failure = error;
  }

  // Every few seconds, while cases are played.
  Result<void> keep_so_far() {
    if (!begun_ || Clock::now() < next_keeping_) return {};
    next_keeping_ = Clock::now() + kKeepEvery;
    if (auto room = check_room(options_.scratch); !room) return room;
    if (auto kept = keep_corpus(); !kept) return kept;
    if (!options_.so_far) return {};
    // gather() adds the counters of the boards to what is there.
    Fuzzed without_counters = fuzzed_;
    gather();
    return options_.so_far(std::exchange(fuzzed_, std::move(without_counters)));
  }

  Result<void> launch() {
    const int count = options_.jobs * static_cast<int>(options_.targets.size());
    for (int i = 0; i < count; ++i) {
      auto board = Board::make();
      if (!board) return std::unexpected(board.error());
      jobs_.push_back(std::make_unique<Job>(
          options_, options_.targets[static_cast<std::size_t>(i) % options_.targets.size()], i,
          std::move(*board)));
      if (corpora_.insert(jobs_.back()->corpus()).second) copy_corpus(*jobs_.back());
      if (auto launched = jobs_.back()->launch(); !launched) return launched;
    }
    return {};
  }

  // Strangers' files: bounded in size and number, links not followed.
  void copy_corpus(const Job& job) {
    const fs::path& into = job.corpus();
    std::error_code error;
    fs::create_directories(into, error);
    const bool seeds = options_.corpus.empty();
    if (seeds && !options_.seeds) return;
    const fs::path from =
        seeds ? fs::path(source_folder()) / "corpus" / job.target() : options_.corpus;
    std::size_t count = 0;
    fuzzed_.corpus_skipped = 0;  // of this folder, not of this folder for each job
    for (const fs::directory_entry& entry : fs::directory_iterator(from, error)) {
      const bool file = !entry.is_symlink(error) && entry.is_regular_file(error);
      if (file && entry.file_size(error) <= kMaxCaseText && count < kMaxCorpusFiles &&
          fs::copy_file(entry.path(), into / entry.path().filename(), error))
        ++count;
      else
        ++fuzzed_.corpus_skipped;
    }
  }

  // What the user's folder lacks is written there. libFuzzer writes a unit in place, so that one
  // may be seen half written; a half is no JSON, and waits for the next time.
  Result<void> keep_corpus() {
    std::error_code error;
    if (options_.corpus.empty()) return {};
    for (const fs::path& corpus : corpora_) {
      for (const fs::directory_entry& entry : fs::directory_iterator(corpus, error)) {
        const fs::path name = entry.path().filename();
        if (kept_.contains(name)) continue;
        const std::string bytes = read_file_whole(entry.path()).value_or("");
        if (bytes.empty() || (bytes.starts_with('{') && !Json::accept(bytes))) continue;
        if (!fs::exists(options_.corpus / name, error))
          if (auto written = write_file_whole(options_.corpus / name, bytes); !written)
            return written;
        kept_.insert(name);
      }
    }
    return {};
  }

  bool over() {
    if (interruptions() > 0 || fuzzed_.failure) return true;
    const auto seen = [&](const std::string& it) { return first_seen(fuzzed_, it).has_value(); };
    if (!options_.until.empty() && std::ranges::all_of(options_.until, seen)) return true;
    return enough_ || (begun_ && elapsed() >= options_.seconds);
  }

  double elapsed() const {
    return begun_ ? std::chrono::duration<double>(Clock::now() - *begun_).count() : 0.0;
  }

  void wait() const {
    std::vector<pollfd> ready;
    for (const auto& job : jobs_)
      ready.push_back({.fd = job->lines(), .events = POLLIN, .revents = 0});
    ::poll(ready.data(), ready.size(), 100);
  }

  Result<void> look_after(Job& job) {
    job.read_lines([&](const Json& line) { take(job, line); });
    if (job.hangs()) {
      ++fuzzed_.deaths["plays one program without end"];
      return job.restart();
    }
    const std::optional<Ending> end = job.ended();
    // Ctrl-C of a terminal goes to every process: this one ends because the run does.
    if (interruptions() > 0) return {};
    if (!end) {
      if (job.late_to_start()) return machine_failure("a fuzz process does not start in time");
      return {};
    }
    job.read_lines([&](const Json& line) { take(job, line); });
    if (!end->exited(0))
      if (auto room = check_room(options_.scratch); !room) return room;
    if (auto kept = keep_corpus(); !kept) return kept;
    if (!job.started() && !end->from_outside())
      return std::unexpected(
          Error{.code = end->exited(2) ? ExitCode::kBadInput : ExitCode::kMachine,
                .message = fmt::format("the fuzz process did not start ({}): {}", name_of(*end),
                                       job.last_log())});
    // A fault of ours costs its case, not the night.
    if (end->exited(3) || end->exited(2)) {
      fuzzed_.faults.push_back(fmt::format("{}: {}", job.last_log(), job.board().case_in_flight()));
      if (fuzzed_.faults.size() > kFewFaults &&
          static_cast<double>(lost_cases(fuzzed_)) > kMostLost * static_cast<double>(executions()))
        return machine_failure(fmt::format("the fuzz process gave up: {}", job.last_log()));
      return job.restart();
    }
    if (!end->exited(0)) ++fuzzed_.deaths[name_of(*end)];
    return job.restart();
  }

  std::uint64_t executions() const {
    std::uint64_t sum = 0;
    for (const auto& job : jobs_) sum += job->board().data().executions;
    return sum;
  }

  void take(Job& job, const Json& line) {
    if (auto begin = line.find("started"); begin != line.end()) {
      job.note_start();
      fuzzed_.release = begin->value("release", "");
      fuzzed_.python = begin->value("python", "");
      fuzzed_.containment = begin->value("containment", "");
      fuzzed_.skipped = begin->value("skipped", Json::object());
      if (!begun_) begun_ = Clock::now();
      if (auto kept = keep_so_far(); !kept) fail(kept.error());
      return;
    }
    if (auto quirks = line.find("quirks"); quirks != line.end()) {
      for (const auto& [id, count] : quirks->items()) fuzzed_.quirks[id] += count.get<int>();
      return;
    }
    if (auto carried = line.find("carried"); carried != line.end()) {
      for (const auto& [way, count] : carried->items())
        fuzzed_.carried[way] += count.get<std::uint64_t>();
      return;
    }
    take_finding(line);
  }

  void take_finding(const Json& line) {
    const std::string key = line.value("key", "");
    auto raw = fuzzed_.raw.find(key);
    const auto sent = line.find("finding");
    if (sent != line.end()) {
      auto finding = finding_from_json(*sent);
      if (!finding) return;
      const std::string asked = finding->asked;
      enough_ = enough_ || (options_.enough && options_.enough(*finding, elapsed()));
      if (raw == fuzzed_.raw.end()) {
        raw = fuzzed_.raw
                  .try_emplace(key, RawFinding{.finding = std::move(*finding),
                                               .executions = executions(),
                                               .seconds = line.value("seconds", 0.0)})
                  .first;
        if (options_.found)
          if (auto kept = options_.found(raw->second); !kept) fail(kept.error());
      } else {
        // What a reduction of a program keeps goes with the program.
        Finding& smallest = raw->second.finding;
        if (to_text(finding->value).size() < to_text(smallest.value).size())
          std::swap(*finding, smallest);
        keep_other(raw->second, std::move(*finding), !raw->second.asked.contains(asked));
      }
      raw->second.asked.insert(asked);
    }
    if (raw != fuzzed_.raw.end()) raw->second.count += line.value("count", 1ULL);
  }

  static void keep_other(RawFinding& raw, Finding other, bool asked_otherwise) {
    auto& others = raw.others;
    if (asked_otherwise)
      others.insert(others.begin(), std::move(other));
    else
      others.push_back(std::move(other));
    if (others.size() > kMostOthers) others.pop_back();
  }

  void finish(Job& job) {
    job.read_lines([&](const Json& line) { take(job, line); });
    job.kill();
    job.read_lines([&](const Json& line) { take(job, line); });
  }

  void gather() {
    fuzzed_.seconds = elapsed();
    for (const auto& job : jobs_) {
      const BoardData& data = job->board().data();
      fuzzed_.executions += data.executions;
      fuzzed_.restarts += job->restarts();
      auto& [cases, rate] = fuzzed_.targets[job->target()];
      cases += data.executions;
      rate = static_cast<double>(cases) / std::max(elapsed(), 0.001);
      for (const std::size_t line : job->board().reached()) fuzzed_.reached.insert(line);
      fuzzed_.lines_watched = data.lines_watched;
      for (std::size_t i = 0; i < kPhases; ++i)
        fuzzed_.phases[std::string(name_of(static_cast<Phase>(i)))] +=
            static_cast<double>(data.phase_nanoseconds[i]) / 1e9;
    }
  }

  void show_progress() {
    if (!options_.progress || Clock::now() < next_progress_) return;
    next_progress_ = Clock::now() + std::chrono::seconds(1);
    if (!begun_) {
      options_.progress("starting zarr …");
      return;
    }
    std::size_t covered = 0;
    std::size_t watched = 0;
    for (const auto& job : jobs_) {
      covered = std::max(covered, job->board().lines_covered());
      watched = job->board().data().lines_watched;
    }
    options_.progress(
        fmt::format("{:.0f} of {:.0f} s  {} executions  {:.0f}/s  {} of {} lines  {} findings",
                    elapsed(), options_.seconds, executions(),
                    static_cast<double>(executions()) / std::max(elapsed(), 0.1), covered, watched,
                    fuzzed_.raw.size()));
  }

  const FuzzOptions& options_;
  std::vector<std::unique_ptr<Job>> jobs_;
  std::optional<Clock::time_point> begun_;
  Clock::time_point next_progress_{}, next_keeping_{};
  std::set<fs::path> corpora_;  // one a target
  std::set<fs::path> kept_;     // names of units that the user's folder has
  bool enough_ = false;
  Fuzzed fuzzed_;
};

}  // namespace

std::optional<double> first_seen(const Fuzzed& fuzzed, std::string_view what) {
  std::optional<double> first;
  for (const auto& [key, raw] : fuzzed.raw)
    if (key.find(what) != key.npos || raw.finding.headline.find(what) != std::string::npos)
      first = std::min(first.value_or(raw.seconds), raw.seconds);
  return first;
}

std::uint64_t lost_cases(const Fuzzed& fuzzed) {
  std::uint64_t lost = fuzzed.faults.size();
  for (const auto& [end, count] : fuzzed.deaths) lost += static_cast<std::uint64_t>(count);
  return lost;
}

Result<Fuzzed> fuzz(const FuzzOptions& options) { return Supervisor(options).run(); }

}  // namespace storefuzz
