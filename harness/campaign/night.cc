// See night.h. One class, its phases in their order.
#include "harness/campaign/night.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <optional>
#include <random>
#include <ranges>
#include <set>
#include <utility>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/campaign/merge.h"
#include "harness/campaign/news.h"
#include "harness/campaign/recorded.h"
#include "harness/campaign/regressions.h"
#include "harness/campaign/subject_lines.h"
#include "harness/play/targets.h"
#include "harness/process/interruption.h"
#include "harness/process/scratch.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

// Losses that some seconds of fuzzing find for sure (reference/planted/planted.py).
constexpr std::array kLosses = {"state drops _read_only", "missing key raises IndexError",
                                "arrival kills the parent"};
constexpr double kLeastProof = 20, kMostProof = 60;  // seconds in which the loop has to find one
constexpr std::size_t kMostLines = 5;                // on the console, of each kind
constexpr std::size_t kLongestLine = 180;
constexpr std::size_t kMostCasesKept = 5000;  // of a corpus, by a merge

// A release is the same one every night; a checkout or a wheel is told from that of another night
// by its content.
std::string subject_name(const Subject& subject) {
  if (!subject.path.is_string()) return subject.release;
  const fs::path path = subject.path.get<std::string>();
  std::error_code error;
  std::string all;
  const auto add = [&](const fs::path& file) {
    all +=
        text_of(Json(file.lexically_relative(path).string())) + read_file_whole(file).value_or("");
  };
  if (fs::is_directory(path, error)) {
    std::set<fs::path> files;
    const fs::path sources = fs::is_directory(path / "src" / "zarr", error) ? path / "src" : path;
    for (const auto& entry : fs::recursive_directory_iterator(sources / "zarr", error))
      if (entry.path().extension() == ".py") files.insert(entry.path());
    std::ranges::for_each(files, add);
  } else {
    add(path);
  }
  return fmt::format("{} ({:08x})", subject.release,
                     static_cast<std::uint32_t>(std::hash<std::string>{}(all)));
}

std::vector<Json> lines_of(const fs::path& file) {
  std::vector<Json> lines;
  std::ifstream stream(file);
  for (std::string text; std::getline(stream, text);)
    if (Json line = parse_json(text); line.is_object()) lines.push_back(std::move(line));
  return lines;
}

// What a run has seen and nobody has followed becomes a part of the corpus: the next night plays
// that first, and meets it again. Of a night that was killed nothing is recorded: all that it saw.
Result<void> keep_for_the_next(const fs::path& run, const fs::path& corpus, bool killed) {
  std::error_code error;
  fs::create_directories(corpus, error);
  if (error) return std::unexpected(cannot_write(corpus, error.value()));
  for (const char* name : {"seen.jsonl", "unconfirmed.jsonl", "findings.jsonl"})
    for (const Json& line : lines_of(run / name)) {
      const auto value = line.find("case");
      if (value == line.end() || !line.contains("fingerprint")) continue;
      if (!line.value("known", Json()).is_null()) continue;
      if (!killed && line.value("followed", true)) continue;
      const std::string text = text_of(*value);
      if (text.size() > kMaxCaseText) continue;
      const std::string file = fmt::format("seen-{:016x}.json", std::hash<std::string>{}(text));
      if (auto written = write_file_whole(corpus / file, text); !written) return written;
    }
  return {};
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

class OneNight {
 public:
  OneNight(const NightOptions& options, StateFolder& folder)
      : options_(options), folder_(folder), state_(folder.state) {}

  Result<ExitCode> run() {
    begun_ = std::chrono::steady_clock::now();
    begin_line();
    if (auto ready = prepare(); !ready) {
      // What somebody named wrong is no night.
      if (ready.error().code == ExitCode::kBadInput) {
        folder_.drop_if_new();
        return std::unexpected(ready.error());
      }
      failure_ = ready.error();
    }
    if (auto begun = begin(); !begun) return std::unexpected(begun.error());
    for (const auto phase : {&OneNight::keep_seeds, &OneNight::play_what_is_recorded,
                             &OneNight::fuzz_all, &OneNight::prove_by_the_loop})
      if (!failure_)
        if (auto done = (this->*phase)(); !done) failure_ = done.error();
    return end();
  }

 private:
  void say(const std::string& line) const {
    if (options_.campaign.say) options_.campaign.say(line);
  }
  void progress(const std::string& line) const {
    if (options_.campaign.progress) options_.campaign.progress(line);
  }

  void begin_line() {
    line_.night = state_.nights.empty() ? 1 : state_.nights.back().night + 1;
    if (state_.begun >= line_.night) line_.night = state_.begun + 1;
    line_.date = utc_now();
    line_.targets = options_.campaign.targets;
    if (line_.targets.empty())
      for (const Target& it : kTargets)
        if (it.name != "canary") line_.targets.emplace_back(it.name);
  }

  // A night that was killed left its run directories, and nothing else: what it saw is played again
  // by this one.
  Result<void> begin() {
    if (const int killed = state_.begun; killed != 0) {
      Night line{.night = killed, .date = line_.date};
      line.why = "it did not end: it was killed, or the machine stopped";
      std::error_code error;
      for (const Target& it : kTargets)
        if (const fs::path run = folder_.night(killed) / it.name; fs::exists(run, error))
          if (auto kept = keep_for_the_next(run, folder_.corpus(std::string(it.name)), true); !kept)
            return kept;
      state_.nights.push_back(std::move(line));
      say(fmt::format("night {} did not end; what it saw is played again", killed));
    }
    state_.begun = line_.night;
    if (auto committed = folder_.commit(); !committed) return committed;
    std::error_code error;
    fs::remove_all(folder_.night(line_.night), error);
    return {};
  }

  Result<void> prepare() {
    auto seconds = seconds_of(options_.campaign.time);
    if (!seconds) return std::unexpected(seconds.error());
    share_ = *seconds / static_cast<double>(line_.targets.size());
    if (!options_.campaign.total.empty()) {
      auto total = seconds_of(options_.campaign.total);
      if (!total) return std::unexpected(total.error());
      total_share_ = *total / static_cast<double>(line_.targets.size());
    }
    auto known = load_known(options_.campaign.known);
    if (!known) return std::unexpected(known.error());
    known_ = std::move(*known);
    progress("preparing the environment of the subject …");
    auto subject = find_subject(options_.campaign.subject);
    if (!subject) return std::unexpected(subject.error());
    subject_ = std::move(*subject);
    if (!options_.campaign.adapter.empty())
      if (auto used = use_adapter(options_.campaign.adapter, subject_.python); !used) return used;
    line_.subject = subject_name(subject_);
    news_.emplace(state_, line_, Moment{line_.night, line_.date, line_.subject});
    return {};
  }

  // The programs of corpus/TARGET/ are where each target starts. Where stores were chosen it starts
  // from nothing: those programs make others as well.
  Result<void> keep_seeds() {
    std::error_code error;
    for (const std::string& target : line_.targets) {
      const fs::path corpus = folder_.corpus(target);
      fs::create_directories(corpus, error);
      if (error) return std::unexpected(cannot_write(corpus, error.value()));
      if (options_.campaign.settings.stores != Settings().stores) continue;
      for (const auto& entry :
           fs::directory_iterator(fs::path(source_folder()) / "corpus" / target, error))
        if (const fs::path seed = corpus / entry.path().filename(); !fs::exists(seed, error)) {
          auto text = read_file_whole(entry.path());
          if (!text) return std::unexpected(text.error());
          if (auto written = write_file_whole(seed, *text); !written) return written;
        }
    }
    return {};
  }

  // Of the processes that play.
  Settings play_settings(const fs::path& scratch) const {
    Settings settings = options_.campaign.settings;
    settings.python = subject_.python;
    settings.scratch = scratch.string();
    settings.adapters = text_of(added_adapters());
    return settings;
  }

  Result<void> play_what_is_recorded() {
    progress("playing what the nights before have recorded, and the programs of all pages …");
    auto shipped = load_known("shipped");
    if (!shipped) return std::unexpected(shipped.error());
    shipped_ = std::move(*shipped);
    auto scratch = Scratch::make();
    if (!scratch) return std::unexpected(scratch.error());
    auto played = play_recorded(state_, play_settings(scratch->path()), shipped_, interrupted);
    if (!played) return std::unexpected(played.error());
    for (const auto& [name, standing] : *played) {
      const bool shows = standing == Standing::kBad;
      if (!state_.causes.contains(name))
        news_->first_asked(name.substr(page_name("").size()), title_of(name), shows);
      else if (shows)
        news_->seen(name);
      else
        news_->silent(name);
    }
    return {};
  }

  static std::string title_of(const std::string& name) {
    return title_of_page(name.substr(page_name("").size()));
  }

  // What is known to this night: what was named, and what is open in the state. What was mended is
  // left out, so that it is followed as something new.
  Result<void> write_known() const {
    std::vector<Known> all = known_;
    for (const auto& [name, it] : state_.causes)
      if (!it.is_page() && it.status == Status::kOpen)
        all.push_back({.cause = it.cause,
                       .link = "causes/" + name,
                       .reason = it.sentence.empty() ? it.cause : it.sentence,
                       .by = "file",
                       .severity = it.severity});
    return write_file_whole(folder_.path() / "known.json", to_text(all));
  }

  Result<void> fuzz_all() {
    for (const std::string& target : line_.targets) {
      if (auto fuzzed = fuzz(target); !fuzzed) return fuzzed;
      if (interrupted())
        return machine_failure("interrupted: not every target was fuzzed to its end");
    }
    // A target that failed does not keep the others from their share.
    if (trouble_) return std::unexpected(*trouble_);
    all_fuzzed_ = true;
    return {};
  }

  Result<void> fuzz(const std::string& target) {
    if (auto written = write_known(); !written) return written;
    CampaignOptions campaign = options_.campaign;
    campaign.targets = {target};
    campaign.adapter.clear();  // it was read
    campaign.time = fmt::format("{}s", share_);
    campaign.total = total_share_ > 0 ? fmt::format("{}s", total_share_) : "";
    campaign.known = (folder_.path() / "known.json").string();
    campaign.corpus = folder_.corpus(target).string();
    const fs::path run = folder_.night(line_.night) / target;
    campaign.out = run.string();
    campaign.say = nullptr;
    auto ended = run_campaign(campaign);
    if (!ended && !trouble_)
      trouble_ = Error{.code = ended.error().code,
                       .message = fmt::format("{}: {}", target, ended.error().message)};
    take_run(run);
    merge_corpus(target);
    return keep_for_the_next(run, folder_.corpus(target), false);
  }

  void take_run(const fs::path& run) {
    const Json told = parse_json(read_file_whole(run / "run.json").value_or(""));
    if (told.is_object()) {
      line_.seconds += told.value("seconds", 0.0);
      line_.executions += told.value("executions", std::uint64_t{0});
      line_.unconfirmed += told.value("unconfirmed", std::size_t{0});
      const Json lines = told.value("coverage", Json::object());
      reached_.merge(from_ranges(lines.value("reached", "")));
      line_.lines = reached_.size();
      line_.lines_of = std::max(line_.lines_of, lines.value("of", std::size_t{0}));
    }
    for (const Json& line : lines_of(run / "findings.jsonl"))
      if (news_->found(line, page_of_cause(shipped_, line.value("cause", "")))) {
        const std::string name = line.at("fingerprint");
        to_copy_[name] = run / "findings" / name;
      }
  }

  // Of the cases that are there, those stay that together reach what all of them reach. What cannot
  // be merged stays as it is, and the next night goes on with it.
  void merge_corpus(const std::string& target) const {
    progress(fmt::format("merging the corpus of {} …", target));
    auto scratch = Scratch::make();
    if (!scratch) return;
    const fs::path corpus = folder_.corpus(target), fresh = corpus.string() + ".merged";
    const auto merged =
        merge_corpora({.target = target,
                       .out = fresh,
                       .inputs = {corpus},
                       .settings = play_settings(scratch->path()),
                       .subject = fmt::format("{} {}", subject_.release, subject_.python),
                       .jobs = options_.campaign.jobs,
                       .most = kMostCasesKept,
                       .progress = options_.campaign.progress});
    if (merged) put_in_place(fresh, corpus);
  }

  // Whoever is killed on the way leaves cases too many, and none too few.
  static void put_in_place(const fs::path& fresh, const fs::path& corpus) {
    std::error_code error;
    std::set<fs::path> kept;
    for (const auto& entry : fs::directory_iterator(fresh, error)) {
      kept.insert(entry.path().filename());
      fs::rename(entry.path(), corpus / entry.path().filename(), error);
      if (error) return;
    }
    for (const auto& entry : fs::directory_iterator(corpus, error))
      if (!kept.empty() && !kept.contains(entry.path().filename())) fs::remove(entry.path(), error);
    fs::remove_all(fresh, error);
  }

  // A night that found nothing new shows that it could have: a loss is patched into the subject,
  // and the same loop has to find it.
  Result<void> prove_by_the_loop() {
    if (news_->red() || !options_.campaign.settings.planted.empty() ||
        subject_.release.starts_with("2."))
      return {};
    if (interrupted()) return machine_failure("interrupted: it has not proved itself");
    line_.planted = kLosses[std::random_device{}() % kLosses.size()];
    CampaignOptions campaign = options_.campaign;
    campaign.targets = {"program"};
    campaign.adapter.clear();
    campaign.settings.stores = "zip";
    campaign.settings.planted = line_.planted;
    campaign.settings.oracles_off.clear();
    campaign.against.clear();
    campaign.known = "none";
    campaign.time = fmt::format("{}s", std::clamp(share_, kLeastProof, kMostProof));
    campaign.total.clear();
    // The first finding that the subject does not show without the loss ends it; there is nothing
    // to reduce or to confirm.
    campaign.measure.until_new = true;
    campaign.out = (folder_.night(line_.night) / "planted").string();
    campaign.say = [this](std::string_view line) {
      line_.found = line_.found || line.starts_with("new ");
    };
    auto ended = run_campaign(campaign);
    if (!ended) return std::unexpected(ended.error());
    if (!line_.found)
      return machine_failure(fmt::format(
          "it proved blind: the planted loss \"{}\" was not found by fuzzing", line_.planted));
    return {};
  }

  // --- what came of it

  // Lines are numbered anew where the subject is another one.
  void add_reached() const {
    if (reached_.empty()) return;
    if (state_.reached.subject != line_.subject) state_.reached = {.subject = line_.subject};
    Numbers all = from_ranges(state_.reached.numbers);
    all.insert(reached_.begin(), reached_.end());
    state_.reached.numbers = to_ranges(all);
    if (auto lines = lines_of_subject(subject_.python))
      state_.reached.missed = missed_lines(*lines, all);
  }

  Result<ExitCode> end() {
    if (news_ && all_fuzzed_) news_->settle();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun_;
    if (line_.seconds > 0)
      line_.executions_per_second = static_cast<double>(line_.executions) / line_.seconds;
    if (auto copied = copy_causes(); !copied && !failure_) failure_ = copied.error();
    const bool red = news_ && news_->red();
    line_.why = failure_ ? failure_->message : "";
    if (red)
      line_.why = fmt::format("{}{} new, {} reopened", line_.why.empty() ? "" : line_.why + "; ",
                              counted(line_.news.size(), "cause"), line_.reopened.size());
    add_reached();
    state_.nights.push_back(line_);
    state_.begun = 0;
    if (auto committed = folder_.commit(); !committed)
      return machine_failure(
          fmt::format("night {} is not recorded: {}", line_.night, committed.error().message));
    folder_.prune();
    if (auto drawn = draw_nights(folder_.path()); !drawn && !failure_) failure_ = drawn.error();
    tell(took.count());
    if (failure_) say(fmt::format("red: {}", failure_->message));
    if (red) return ExitCode::kFinding;
    return failure_ ? failure_->code : ExitCode::kNothingNew;
  }

  // The folder of a cause is what its run wrote of it: runs are dropped after some nights.
  Result<void> copy_causes() const {
    std::error_code error;
    for (const auto& [name, from] : to_copy_) {
      if (!fs::exists(from, error)) continue;
      const fs::path to = folder_.path() / "causes" / name, fresh = to.string() + ".new";
      fs::remove_all(fresh, error);
      fs::create_directories(fresh, error);
      if (!error) fs::copy(from, fresh, fs::copy_options::recursive, error);
      if (error) return std::unexpected(cannot_write(fresh, error.value()));
      fs::remove_all(to, error);
      fs::rename(fresh, to, error);
      if (error) return std::unexpected(cannot_write(to, error.value()));
    }
    return {};
  }

  // The nights before that are like this one, the last ones.
  std::vector<const Night*> before() const {
    std::vector<const Night*> last;
    for (const Night& it : state_.nights | std::views::reverse)
      if (it.night < line_.night && it.executions > 0 && it.targets == line_.targets &&
          last.size() < kNightsKept)
        last.push_back(&it);
    return last;
  }

  void say_causes(std::string_view word, const std::vector<std::string>& names) const {
    if (names.empty()) return;
    say(fmt::format("{}: {}", word, names.size()));
    for (std::size_t i = 0; i < std::min(names.size(), kMostLines); ++i) {
      const Recorded& it = state_.causes.at(names[i]);
      say(std::string(shorten(
          fmt::format("  {}{}{}", it.severity ? fmt::format("{} ", it.severity) : "", it.sentence,
                      it.mended_in.empty() ? "" : ": mended in zarr " + it.mended_in),
          kLongestLine)));
      const fs::path issue = folder_.path() / "causes" / names[i] / "issue.md";
      std::error_code error;
      if ((word == "new" || word == "reopened") && fs::exists(issue, error))
        say(fmt::format("    to be filed: {}", issue.string()));
    }
    if (names.size() > kMostLines)
      say(fmt::format("  … and {} more, on the page", names.size() - kMostLines));
  }

  void tell(double took) const {
    say(fmt::format("night {}: zarr {}, {} in {:.0f} s of fuzzing ({:.0f} s in all)", line_.night,
                    line_.subject, counted(line_.executions, "execution"), line_.seconds, took));
    say_causes("new", line_.news);
    say_causes("reopened", line_.reopened);
    say_causes("back, on the subject that did not show it last", line_.back);
    say_causes("gone, on the same subject", line_.gone);
    say_causes("gone, and mended", line_.mended);
    say(fmt::format("still there: {}, and {}; {} unconfirmed", counted(line_.still, "cause"),
                    counted(line_.still_pages, "page"), line_.unconfirmed));
    tell_rates();
    if (!line_.planted.empty())
      say(fmt::format("planted loss \"{}\": {}", line_.planted,
                      line_.found ? "found by the loop" : "not found"));
    say(fmt::format("page: {}", (folder_.path() / "index.html").string()));
  }

  void tell_rates() const {
    if (line_.executions == 0) return;
    std::vector<double> rates, lines;
    for (const Night* it : before()) {
      rates.push_back(it->executions_per_second);
      lines.push_back(static_cast<double>(it->lines));
    }
    const std::string held = rates.empty()
                                 ? "no night before to compare with"
                                 : fmt::format("median of the last {}: {:.0f} lines, {:.0f}/s",
                                               rates.size(), median(lines), median(rates));
    say(fmt::format("{} of {} lines of store code, {:.0f} executions/s ({})", line_.lines,
                    line_.lines_of, line_.executions_per_second, held));
  }

  const NightOptions& options_;
  StateFolder& folder_;
  State& state_;
  Night line_;
  std::optional<News> news_;
  Subject subject_;
  std::vector<Known> known_, shipped_;  // as named; what has a page
  double share_ = 0, total_share_ = 0;  // seconds of a target; 0: no bound was named
  std::optional<Error> failure_;        // what ended the night
  std::optional<Error> trouble_;        // the first of a target
  bool all_fuzzed_ = false;
  Numbers reached_;                          // lines of store code, by all targets
  std::map<std::string, fs::path> to_copy_;  // cause → what its run wrote of it
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace

Result<ExitCode> run_night(const NightOptions& options) {
  auto folder = StateFolder::open(options.state);
  if (!folder) return std::unexpected(folder.error());
  return OneNight(options, *folder).run();
}

}  // namespace storefuzz
