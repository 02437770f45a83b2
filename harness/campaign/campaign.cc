// The phases of a campaign, in order; each says what it does while it does it.
#include "harness/campaign/campaign.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <initializer_list>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/campaign/dossier.h"
#include "harness/campaign/journal.h"
#include "harness/campaign/proof.h"
#include "harness/campaign/trouble.h"
#include "harness/process/cores.h"
#include "harness/process/interruption.h"
#include "harness/process/scratch.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

// "90", "60s", "5m", "1h" → seconds.
Result<double> seconds_of(const std::string& text) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const std::string unit = text.substr(used);
  const double factor = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (used == 0 || factor == 0 || !(value > 0) || value > 1e6)
    return bad_input(fmt::format("\"{}\" is no time; write 60s, 5m or 1h", text));
  return value * factor;
}

constexpr int kDeadlineMilliseconds = 1000;
constexpr double kLeastBudget = 60;  // seconds, to follow what was found

double since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string platform() {
  utsname host{};
  ::uname(&host);
  return fmt::format("{} {} {}", host.sysname, host.release, host.machine);
}

class Campaign {
 public:
  explicit Campaign(const CampaignOptions& options)
      : options_(options), measure_(options.measure) {}

  // The phases, in their order. What fails before cases are played leaves no run directory behind;
  // what fails later ends the work, and is told after what was found.
  Result<CampaignEnd> run() {
    for (const auto phase : {&Campaign::prepare, &Campaign::prove_that_we_see, &Campaign::fuzz_all})
      if (auto done = (this->*phase)(); !done) return std::unexpected(done.error());
    if (measure_.asked()) return measured();
    const auto begin = std::chrono::steady_clock::now();
    for (const auto phase : {&Campaign::finish_findings, &Campaign::date_findings})
      if (!failure_)
        if (auto done = (this->*phase)(); !done) failure_ = done.error();
    finish_seconds_ = since(begin);
    if (auto written = write_run(); !written && !failure_) failure_ = written.error();
    return conclude();
  }

 private:
  void say(const std::string& line) const {
    if (options_.say) options_.say(line);
  }
  void progress(const std::string& line) const {
    if (options_.progress) options_.progress(line);
  }

  Result<void> check_stores() const {
    if (auto carriers = parse_carriers(options_.settings.carriers); !carriers)
      return std::unexpected(carriers.error());
    auto stores = parse_stores(options_.settings.stores);
    return stores ? Result<void>() : std::unexpected(stores.error());
  }

  Result<void> prepare() {
    auto seconds = seconds_of(options_.time);
    if (!seconds) return std::unexpected(seconds.error());
    seconds_ = *seconds;
    if (options_.adapter.empty())  // found out before an environment is made
      if (auto named = check_stores(); !named) return named;
    if (!options_.known.empty()) {
      auto known = load_known(options_.known);
      if (!known) return std::unexpected(known.error());
      known_ = std::move(*known);
    }
    std::error_code error;
    if (!options_.corpus.empty() && !fs::is_directory(options_.corpus, error))
      return bad_input(fmt::format("{} is no folder", options_.corpus));
    // Found out now: after a night it would be too late.
    if (!options_.corpus.empty()) {
      const fs::path probe = fs::path(options_.corpus) / ".storefuzz-probe";
      if (auto written = write_file_whole(probe, ""); !written) return written;
      fs::remove(probe, error);
    }
    if (auto fit = RunDirectory::check(options_.out, options_.replace); !fit) return fit;
    progress("preparing the environment of the subject …");
    auto subject = find_subject(options_.subject);
    if (!subject) return std::unexpected(subject.error());
    subject_ = std::move(*subject);
    if (!options_.adapter.empty()) {
      if (auto used = use_adapter(options_.adapter, subject_.python); !used) return used;
      if (auto named = check_stores(); !named) return named;
    }
    auto run = RunDirectory::make(options_.out, options_.replace);
    if (!run) return std::unexpected(run.error());
    run_.emplace(std::move(*run));
    auto scratch = Scratch::make();
    if (!scratch) return std::unexpected(scratch.error());
    scratch_.emplace(std::move(*scratch));
    if (auto room = check_room(scratch_->path()); !room) return room;
    seed_ = options_.seed ? options_.seed : std::random_device{}() % 1'000'000 + 1;
    started_ = utc_now();
    say(fmt::format("zarr {}, seed {}, {:.0f} s of fuzzing", subject_.release, seed_, seconds_));
    return {};
  }

  DossierOptions dossier_options(const std::string& planted) const {
    // A number that is more than digits and dots is of a checkout: pip does not know it.
    const bool numbered = subject_.release.find_first_not_of("0123456789.") == std::string::npos;
    return {.python = subject_.python,
            .release = subject_.release,
            .published = numbered && subject_.path.is_null(),
            .packages = subject_.packages,
            .scratch = scratch_->path(),
            .planted = planted,
            .hang_seconds = 5.0 * kDeadlineMilliseconds / 1000.0,
            .known = known_,
            .stop = cut_short};
  }

  // A planted loss goes the whole line, from case to page. A run that cannot see it is blind.
  Result<void> prove_that_we_see() {
    if (!options_.settings.planted.empty() || subject_.release.starts_with("2.")) return {};
    progress("proving that a planted loss is found …");
    auto proof = prove({.dossier = dossier_options(""),
                        .oracles_off = options_.settings.oracles_off,
                        .run = run_json()});
    if (!proof) return std::unexpected(proof.error());
    proof_ = proof->told;
    containment_ = proof->containment;
    return {};
  }

  // From the first case on, what is seen goes into the run directory at once.
  Result<void> fuzz_all() {
    const Error too_early{.message = "interrupted before a case was played"};
    if (interrupted()) return std::unexpected(too_early);
    Settings settings = options_.settings;
    settings.python = subject_.python;
    settings.deadline = std::to_string(kDeadlineMilliseconds);
    auto fuzzed = fuzz({.targets = options_.targets,
                        .settings = std::move(settings),
                        .scratch = scratch_->path(),
                        .corpus = options_.corpus,
                        .seconds = seconds_,
                        .until = measure_.until(),
                        .enough = measure_.enough(subject_.python, scratch_->path()),
                        .jobs = options_.jobs,
                        .seed = seed_,
                        .progress = options_.progress,
                        .so_far = [this](const Fuzzed& so_far) { return keep(so_far); },
                        .found = [this](const RawFinding& raw) { return keep(raw); }});
    if (!fuzzed) return std::unexpected(fuzzed.error());
    fuzzed_ = std::move(*fuzzed);
    failure_ = fuzzed_.failure;
    if (!seen_ && !failure_) return std::unexpected(too_early);
    for (const auto& [fingerprint, raw] : fuzzed_.raw) left_.push_back(raw);
    std::ranges::sort(left_, {}, &RawFinding::seconds);
    if (!failure_)
      if (auto written = write_run_json(); !written) failure_ = written.error();
    for (const auto& [store, why] : fuzzed_.skipped.items())
      say(fmt::format("skipped: {} ({})", store, why.get<std::string>()));
    say(fmt::format("{} executions in {:.0f} s, {} kinds of difference", fuzzed_.executions,
                    fuzzed_.seconds, fuzzed_.raw.size()));
    return {};
  }

  // The run directory becomes this run's: what an earlier one left there (--replace) goes.
  Result<void> begin_keeping() {
    run_->clear();
    for (const auto& [name, journal] :
         std::initializer_list<std::pair<const char*, std::optional<Journal>*>>{
             {"findings.jsonl", &confirmed_journal_},
             {"unconfirmed.jsonl", &unconfirmed_journal_},
             {"seen.jsonl", &seen_}}) {
      auto made = Journal::make(run_->path() / name);
      if (!made) return std::unexpected(made.error());
      journal->emplace(std::move(*made));
    }
    return {};
  }

  // When fuzzing begins, and every few seconds.
  Result<void> keep(const Fuzzed& so_far) {
    if (!seen_) {
      if (auto begun = begin_keeping(); !begun) return begun;
      if (so_far.corpus_skipped > 0)
        say(
            fmt::format("{} entries of {} are not read: links, folders, pipes, or files that are "
                        "too large, too many or unreadable",
                        so_far.corpus_skipped, options_.corpus));
    }
    if (auto synced = seen_->sync(); !synced) return synced;
    fuzzed_ = so_far;
    return write_run_json();
  }

  // A finding as the loop saw it, when its key is new.
  Result<void> keep(const RawFinding& raw) { return seen_->append(text_of(line_of(raw))); }

  Json line_of(const RawFinding& raw) const {
    return line_of(not_followed(raw.finding, "not followed yet: neither reduced nor played again"),
                   raw);
  }

  // Nothing is followed and no page is drawn: what is measured is the time until something is seen.
  Result<CampaignEnd> measured() {
    CampaignEnd end{.code = measure_.tell(fuzzed_, [this](const std::string& line) { say(line); })};
    ended_ = utc_now();
    if (auto written = write_run_json(); !written) return std::unexpected(written.error());
    if (failure_) return machine_failure(failure_->message);
    return end;
  }

  // The severest first, each on any core, as long as the budget lasts. What has the cause of
  // another one is counted with it.
  Result<void> finish_findings() {
    std::ranges::sort(
        left_, {}, [](const RawFinding& it) { return std::pair(it.finding.severity, it.seconds); });
    followed_.findings = left_.size();
    if (!left_.empty())
      say(fmt::format("{} to reduce and confirm, in at most {:.0f} s",
                      count(left_.size(), "difference"), budget()));
    const auto begin = std::chrono::steady_clock::now();
    std::atomic<std::size_t> next = 0;
    const auto over = [&] { return cut_short() || since(begin) > budget(); };
    const auto work = [&] {
      auto session = follow_session();
      for (std::size_t i = next++; i < left_.size(); i = next++) {
        if (session && !over()) {
          finish_one(**session, left_[i]);
        } else {
          const std::scoped_lock lock(mutex_);
          keep_line(not_followed(left_[i].finding,
                                 !session      ? session.error().message
                                 : cut_short() ? "it was not followed: the run was cut short"
                                               : "it was not followed: the time for it was over"),
                    left_[i]);
          if (!left_[i].finding.question) ++not_reached_;
        }
      }
    };
    {
      std::vector<std::jthread> workers;
      const std::size_t cores = std::max<std::size_t>(1, own_cores().size());
      for (std::size_t i = 0; i < std::min(cores, left_.size()); ++i) workers.emplace_back(work);
    }
    if (broken_) return std::unexpected(*broken_);
    left_.clear();
    put_in_order(confirmed_);
    put_in_order(unconfirmed_);
    return {};
  }

  double budget() const { return std::max(seconds_, kLeastBudget); }

  Result<std::unique_ptr<ProgramSession>> follow_session() const {
    Settings settings = options_.settings;
    settings.python = subject_.python;
    settings.scratch = scratch_->path().string();
    settings.adapters = text_of(added_adapters());
    settings.deadline = std::to_string(kDeadlineMilliseconds);
    auto session = ProgramSession::start(settings);
    if (session) (*session)->use_each_worker_once();
    return session;
  }

  void finish_one(ProgramSession& session, const RawFinding& raw) {
    DossierOptions options = dossier_options(options_.settings.planted);
    bool merged = false;
    std::string mine;
    options.followed = [&](const std::string& cause) {
      const std::scoped_lock lock(mutex_);
      merged = cause != mine && !causes_.insert(cause).second;
      if (!merged) mine = cause;
      return merged;
    };
    {
      const std::scoped_lock lock(mutex_);
      progress(fmt::format("reducing and confirming {} of {}: {}", ++begun_, followed_.findings,
                           raw.finding.headline));
    }
    auto made = make_dossier(session, raw.finding, options);
    for (const program::Case& value : raw.others) {
      if (!made || made->confirmed || merged || cut_short()) break;
      Finding other = raw.finding;
      other.value = value;
      if (auto again = make_dossier(session, other, options); again && (again->confirmed || merged))
        made = std::move(again);
    }
    const std::scoped_lock lock(mutex_);
    if (made && merged) {
      Merged& more = merged_[made->cause.key];
      more.count += raw.count;
      more.keys.push_back(raw.finding.key);
      return;
    }
    // A fault of ours costs its finding, not the run; what was found stays told.
    if (!made) followed_.unfollowed.push_back(made.error().message);
    keep_line(made ? *made
                   : not_followed(raw.finding, "it could not be followed: " + made.error().message),
              raw);
  }

  // Under the lock. One hang may be a busy machine; one that was seen again is told, script or not.
  void keep_line(const Dossier& dossier, const RawFinding& raw) {
    const auto kept = [&]() -> Result<void> {
      Json line = line_of(dossier, raw);
      if (auto written = write_dossier(*run_, dossier); !written) return written;
      if (raw.finding.oracle == "deadline" && raw.count > 1 && !dossier.confirmed &&
          line["known"].is_null())
        unshown_.push_back(fmt::format("{}: seen {} times, not shown by a script",
                                       line.value("headline", ""), raw.count));
      const bool told = dossier.confirmed || !line["known"].is_null();
      Journal& journal = told ? *confirmed_journal_ : *unconfirmed_journal_;
      if (auto appended = journal.append(text_of(line)); !appended) return appended;
      if (auto synced = journal.sync(); !synced) return synced;
      if (dossier.confirmed && !dossier.finding.question && line["known"].is_null())
        asked_.push_back({.value = dossier.value,
                          .of_class = class_of(dossier.value, dossier.difference),
                          .cause = dossier.cause.key});
      (told ? confirmed_ : unconfirmed_).push_back(std::move(line));
      return {};
    }();
    if (!kept && !broken_) broken_ = kept.error();
  }

  // A line of seen.jsonl, findings.jsonl or unconfirmed.jsonl.
  Json line_of(const Dossier& dossier, const RawFinding& raw) const {
    Json line = to_json(dossier, subject_.release);
    line.update({{"seen_as", Json::array({raw.finding.key})},
                 {"count", raw.count},
                 {"executions_to_find", raw.executions},
                 {"seconds_to_find", raw.seconds}});
    if (const Known* known = find_known(known_, dossier.cause.key)) line["known"] = to_json(*known);
    return line;
  }

  // What was seen of causes that another finding has been followed for; then the severest first.
  void put_in_order(std::vector<Json>& list) const {
    for (Json& line : list)
      if (const auto more = merged_.find(line.value("cause", "")); more != merged_.end()) {
        line["count"] = line.value("count", 0ULL) + more->second.count;
        for (const std::string& key : more->second.keys) line["seen_as"].push_back(key);
      }
    std::ranges::stable_sort(list, {}, [](const Json& line) {
      return std::pair(line.value("severity", 0), line.value("steps", Json::array()).size());
    });
  }

  // Where does each confirmed finding begin, and where does it end?
  Result<void> date_findings() {
    if (options_.no_releases || asked_.empty() || !options_.settings.planted.empty() ||
        interrupted())
      return {};
    auto known = all_releases();
    if (!known) return std::unexpected(known.error());
    std::vector<PlayedRelease> releases;
    for (const std::string& release : *known)
      releases.push_back({release, {.zarr = release, .with = options_.subject.with}});
    std::size_t done = 0;
    auto tables = play_releases(
        asked_, releases,
        {.scratch = scratch_->path(),
         .stop = interrupted,
         .progress = [&](std::string_view release) {
           progress(fmt::format("playing {} findings over all releases: {} of {} ({})",
                                asked_.size(), ++done, releases.size(), release));
         }});
    if (!tables) return std::unexpected(tables.error());
    for (Json& line : confirmed_)
      for (std::size_t i = 0; i < asked_.size(); ++i)
        if (line.value("cause", "") == asked_[i].cause) line["releases"] = to_json((*tables)[i]);
    return {};
  }

  // The words of the stores that were drawn.
  Json stores_played() const {
    Json words = Json::array();
    if (auto stores = parse_stores(options_.settings.stores))
      for (const StoreKind kind : *stores)
        if (!fuzzed_.skipped.is_object() || !fuzzed_.skipped.contains(kind->kind))
          words.push_back(kind->kind);
    return words;
  }

  Json run_json() const {
    Json phases = Json::object();
    const double worked =
        fuzzed_.seconds * static_cast<double>(options_.jobs * options_.targets.size());
    for (const auto& [name, seconds] : fuzzed_.phases)
      phases[name] = {{"seconds", seconds}, {"share", worked > 0 ? seconds / worked : 0.0}};
    Json targets = Json::object();
    for (const auto& [name, rate] : fuzzed_.targets)
      targets[name] = {{"cases", rate.first}, {"cases_per_second", rate.second}};
    const auto executions = static_cast<double>(fuzzed_.executions);
    return {{"storefuzz", STOREFUZZ_VERSION},
            {"command", options_.command},
            {"started", started_},
            {"ended", ended_.empty() ? Json() : Json(ended_)},
            {"failed", ended_.empty() ? Json() : failed()},
            {"troubles", troubles(fuzzed_, followed_)},
            {"subject", {{"release", subject_.release}, {"path", subject_.path}}},
            {"python", fuzzed_.python},
            {"platform", platform()},
            {"targets", options_.targets},
            {"stores", stores_played()},
            {"skipped", fuzzed_.skipped.is_null() ? Json::object() : fuzzed_.skipped},
            {"not_reached", not_reached_},
            {"budget_seconds", budget()},
            {"packages", subject_.packages},
            {"seed", seed_},
            {"jobs", options_.jobs},
            {"time", seconds_},
            {"seconds", fuzzed_.seconds},
            {"finish_seconds", finish_seconds_},
            {"executions", fuzzed_.executions},
            {"executions_per_second", fuzzed_.seconds > 0 ? executions / fuzzed_.seconds : 0.0},
            {"coverage", {{"lines", fuzzed_.lines_covered}, {"of", fuzzed_.lines_watched}}},
            {"phases", std::move(phases)},
            {"lanes", std::move(targets)},
            {"quirks", fuzzed_.quirks},
            {"faults", fuzzed_.faults},
            {"deaths", fuzzed_.deaths},
            {"unfollowed", followed_.unfollowed},
            {"self_proof", proof_},
            {"containment", containment_},
            {"restarts", fuzzed_.restarts},
            {"interrupted", interrupted()},
            {"findings", options_.settings.planted.empty() ? confirmed_.size() : 0},
            {"unconfirmed", unconfirmed_.size()}};
  }

  static std::string lines(const std::vector<Json>& list) {
    std::string text;
    for (const Json& line : list) text += text_of(line) + "\n";
    return text;
  }

  Result<void> write_run_json() {
    if (!fuzzed_.containment.empty()) containment_ = fuzzed_.containment;
    return run_->write("run.json", text_of(run_json(), 2) + "\n");
  }

  Result<void> write_run() {
    ended_ = utc_now();
    const bool planted = !options_.settings.planted.empty();
    const std::string found = lines(confirmed_);
    for (const auto& [name, text] : {std::pair{"unconfirmed.jsonl", lines(unconfirmed_)},
                                     std::pair{"findings.jsonl", planted ? std::string() : found},
                                     std::pair{"planted.jsonl", planted ? found : std::string()}})
      if (planted || std::string_view(name) != "planted.jsonl")
        if (auto written = run_->write(name, text); !written) return written;
    // Last, because run.json says that the run has ended.
    if (auto written = write_run_json(); !written) return written;
    std::error_code error;
    if (left_.empty()) fs::remove(run_->path() / "seen.jsonl", error);
    progress("drawing the page …");
    auto drawn = run_->render();
    if (drawn) page_ = run_->path() / "index.html";
    return drawn;
  }

  static std::string count(std::size_t number, std::string_view what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
  }

  // Why this run is no all-clear, whatever it found; null: it is one, if it found nothing.
  Json failed() const {
    if (failure_) return failure_->message;
    if (fuzzed_.executions == 0) return "no case was played, so nothing could be found";
    if (const auto why = too_much_trouble(fuzzed_, followed_)) return *why;
    if (options_.settings.planted.empty() && not_reached_ > 0)
      return fmt::format("{} could not be followed in time: this run cannot say that zarr is sound",
                         count(not_reached_, "difference"));
    if (options_.settings.planted.empty() && !unshown_.empty())
      return fmt::format(
          "{} seen more than once, and no script shows it: this run cannot say that zarr is sound",
          unshown_.size() == 1 ? "a hang was" : fmt::format("{} hangs were", unshown_.size()));
    return nullptr;
  }

  // A line for each cause that is not mild; the mild ones are on the page. How many are new.
  std::size_t say_confirmed() const {
    constexpr int kMild = 6;
    std::map<int, std::size_t> mild;
    std::size_t unknown = 0;
    for (const Json& line : confirmed_) {
      const int severity = line.value("severity", 0);
      const bool known = !line["known"].is_null();
      if (!known && !line.value("question", false)) ++unknown;
      if (severity >= kMild) {
        ++mild[severity];
        continue;
      }
      const Json& dated = line["releases"];
      say(fmt::format("  {} {}{}{}", severity, line.value("headline", ""),
                      dated.is_object() ? " — " + dated.value("sentence", "") : "",
                      known ? " (known)" : ""));
    }
    for (const auto& [severity, number] : mild)
      say(fmt::format("  {} {} of this severity, on the page", severity, count(number, "cause")));
    return unknown;
  }

  Result<CampaignEnd> conclude() {
    for (const std::string& trouble : troubles(fuzzed_, followed_)) say(trouble);
    const std::size_t unknown = say_confirmed();
    // Only a run that failed has some left.
    for (const RawFinding& raw : left_)
      say(fmt::format("  {} (not confirmed)", raw.finding.headline));
    for (const std::string& hang : unshown_) say("  " + hang);
    say(fmt::format("{}, {} unconfirmed in zarr {}", count(confirmed_.size(), "cause"),
                    unconfirmed_.size() + left_.size(), subject_.release));
    CampaignEnd end{.page = page_};
    if (!page_.empty()) say(fmt::format("page: {}", page_.string()));
    const bool planted = !options_.settings.planted.empty();
    if (failure_) return machine_failure(failure_->message);
    if (!planted && unknown > 0) {
      end.code = ExitCode::kFinding;
      return end;
    }
    if (const Json why = failed(); !why.is_null()) return machine_failure(why.get<std::string>());
    if (planted && confirmed_.empty())
      return machine_failure(fmt::format("the planted loss \"{}\" was not found by fuzzing",
                                         options_.settings.planted));
    return end;
  }

  const CampaignOptions& options_;
  std::optional<RunDirectory> run_;
  std::optional<Scratch> scratch_;
  Subject subject_;
  std::vector<Known> known_;
  double seconds_ = 0;  // of fuzzing
  Measure measure_;
  unsigned seed_ = 0;
  std::string started_, ended_, containment_;  // times in UTC; ended_: empty while the run goes on
  Json proof_;
  Fuzzed fuzzed_;
  std::optional<Error> failure_;  // the first error since cases were played; it ended the work
  std::optional<Journal> seen_, confirmed_journal_, unconfirmed_journal_;
  std::vector<RawFinding> left_;  // findings that were not followed yet
  Followed followed_;
  double finish_seconds_ = 0;
  std::vector<Json> confirmed_, unconfirmed_;
  fs::path page_;                     // empty: not drawn
  std::vector<std::string> unshown_;  // hangs that were seen again and that no script shows
  std::vector<Asked> asked_;

  // What those who follow findings side by side share.
  struct Merged {
    std::uint64_t count = 0;
    std::vector<std::string> keys;
  };
  std::mutex mutex_;
  std::set<std::string> causes_;
  std::map<std::string, Merged> merged_;  // by cause
  std::size_t begun_ = 0, not_reached_ = 0;
  std::optional<Error> broken_;  // the run directory cannot be written
};

}  // namespace

Result<CampaignEnd> run_campaign(const CampaignOptions& options) { return Campaign(options).run(); }

}  // namespace storefuzz
