// The phases of a campaign, in order; each says what it does while it does it.
#include "harness/campaign/campaign.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/campaign/dossier.h"
#include "harness/campaign/follow.h"
#include "harness/campaign/journal.h"
#include "harness/campaign/proof.h"
#include "harness/campaign/regressions.h"
#include "harness/campaign/trouble.h"
#include "harness/oracles/oracle.h"
#include "harness/process/interruption.h"
#include "harness/process/scratch.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

constexpr int kDeadlineMilliseconds = 1000;
constexpr double kLeastBudget = 60;                // seconds, to follow what was found
constexpr double kKeepEvery = 1, kDrawEvery = 15;  // seconds, while it is followed
constexpr double kFollowing = 0.75;                // of the budget; the rest is for dating
constexpr int kMild = 6;                           // severities that are on the page alone
constexpr std::size_t kMostLines = 12, kMostOpen = 3, kLongestLine = 200;  // on the console

double since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
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
    fuzzed_until_ = std::chrono::steady_clock::now();
    for (const auto phase : {&Campaign::draw_first, &Campaign::compare_pages,
                             &Campaign::follow_findings, &Campaign::date_findings})
      if (!failure_)
        if (auto done = (this->*phase)(); !done) failure_ = done.error();
    finish_seconds_ = since(fuzzed_until_);
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
    if (!options_.total.empty()) {
      auto total = seconds_of(options_.total);
      if (!total) return std::unexpected(total.error());
      if (*total <= seconds_) return bad_input("--total is not longer than --time");
      total_ = *total;
    }
    if (options_.adapter.empty())  // found out before an environment is made
      if (auto named = check_stores(); !named) return named;
    auto known = load_known(options_.known);
    if (!known) return std::unexpected(known.error());
    known_ = std::move(*known);
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
    if (!options_.against.empty()) {
      Wanted wanted = options_.subject;
      wanted.zarr = options_.against;
      wanted.venv.clear();
      auto base = find_subject(wanted);
      if (!base) return std::unexpected(base.error());
      base_ = std::move(*base);
    }
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
    say(
        fmt::format("zarr {}{}, seed {}: {:.0f} s of fuzzing, then at most {:.0f} s to reduce, "
                    "confirm and date what is new",
                    subject_.release, options_.against.empty() ? "" : " against " + base_.release,
                    seed_, seconds_, budget()));
    return {};
  }

  // Whether the subject is what its number names: a checkout may carry the number of a release. A
  // number that is more than digits and dots is of a checkout as well: pip does not know it.
  bool is_published() const {
    return subject_.path.is_null() &&
           subject_.release.find_first_not_of("0123456789.") == std::string::npos;
  }

  DossierOptions dossier_options(const std::string& planted) const {
    return {.python = subject_.python,
            .release = subject_.release,
            .published = is_published(),
            .packages = subject_.packages,
            .scratch = scratch_->path(),
            .planted = planted,
            .hang_seconds = 5.0 * kDeadlineMilliseconds / 1000.0,
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

  // The programs of corpus/TARGET/ have all stores of zarr: where some were chosen, or a stranger's
  // is looked at, they would play others. What measures a time begins from nothing.
  bool starts_from_seeds() const {
    return options_.corpus.empty() && options_.settings.stores == Settings().stores &&
           options_.adapter.empty() && options_.settings.planted.empty() && !measure_.asked();
  }

  // From the first case on, what is seen goes into the run directory at once.
  Result<void> fuzz_all() {
    const Error too_early{.message = "interrupted before a case was played"};
    if (interrupted()) return std::unexpected(too_early);
    auto fuzzed = fuzz(
        {.targets = options_.targets,
         .settings = play_settings(),
         .scratch = scratch_->path(),
         .corpus = options_.corpus,
         .seeds = starts_from_seeds(),
         .seconds = seconds_,
         .until = measure_.until(),
         .enough = measure_.enough(subject_.python, scratch_->path(), known_, subject_.release),
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
    if (!failure_)
      if (auto written = write_run_json(); !written) failure_ = written.error();
    tell_skipped();
    say(fmt::format("{} executions in {:.0f} s, {} kinds of difference", fuzzed_.executions,
                    fuzzed_.seconds, fuzzed_.raw.size()));
    return {};
  }

  // Of the stores that were asked for: store → reason.
  Json skipped() const {
    Json all = Json::object();
    if (auto stores = parse_stores(options_.settings.stores); stores && fuzzed_.skipped.is_object())
      for (const StoreKind kind : *stores)
        if (const auto it = fuzzed_.skipped.find(kind->kind); it != fuzzed_.skipped.end())
          all[kind->kind] = *it;
    return all;
  }

  // A line for each reason.
  void tell_skipped() {
    std::map<std::string, std::vector<std::string>> by_reason;
    for (const auto& [store, why] : skipped().items())
      by_reason[why.get<std::string>()].push_back(store);
    for (const auto& [why, stores] : by_reason)
      say(fmt::format("skipped: {} ({})", fmt::join(stores, ", "), why));
  }

  // The run directory becomes this run's: what an earlier one left there (--replace) goes.
  Result<void> begin_keeping() {
    run_->clear();
    auto made = Journal::make(run_->path() / "seen.jsonl");
    if (!made) return std::unexpected(made.error());
    seen_.emplace(std::move(*made));
    return write_lines();
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
    Json line = to_json(not_followed(raw.finding, "not followed: neither reduced nor played again"),
                        subject_.release);
    line.update({{"seen_as", Json::array({raw.finding.key})},
                 {"count", raw.count},
                 {"executions_to_find", raw.executions},
                 {"seconds_to_find", raw.seconds}});
    return line;
  }

  // Nothing is followed and no page is drawn: what is measured is the time until something is seen.
  Result<CampaignEnd> measured() {
    CampaignEnd end{.code = measure_.tell(fuzzed_, [this](const std::string& line) { say(line); })};
    ended_ = utc_now();
    if (auto written = write_run_json(); !written) return std::unexpected(written.error());
    if (failure_) return machine_failure(failure_->message);
    return end;
  }

  // Of every process that plays programs.
  Settings play_settings() const {
    Settings settings = options_.settings;
    settings.python = subject_.python;
    settings.base = base_.python;
    settings.scratch = scratch_->path().string();
    settings.adapters = text_of(added_adapters());
    settings.deadline = std::to_string(kDeadlineMilliseconds);
    return settings;
  }

  // The severest first, each on any core, as long as the budget lasts.
  Result<void> follow_findings() {
    if (!left_.empty())
      say(fmt::format("{} to reduce and confirm, in at most {:.0f} s",
                      counted(left_.size(), "difference"), budget()));
    DossierOptions dossier = dossier_options(options_.settings.planted);
    dossier.known = known_;
    following_.emplace(FollowOptions{.settings = play_settings(),
                                     .dossier = std::move(dossier),
                                     .own_stores = looks_at_stores_of_ones_own(),
                                     .run = &*run_,
                                     .progress = options_.progress,
                                     .grown = [this] { return keep_grown(); }});
    auto done = following_->follow(std::move(left_), budget() * kFollowing - since(fuzzed_until_));
    left_.clear();
    return done;
  }

  // A planted loss may be in several stores of zarr: that another one shows it says nothing there.
  bool looks_at_stores_of_ones_own() const {
    return options_.settings.planted.empty() &&
           (!options_.adapter.empty() || options_.settings.stores != Settings().stores);
  }

  // What the pages' programs show on one side only.
  Result<void> compare_pages() {
    if (options_.against.empty() || cut_short()) return {};
    progress("playing the programs of all pages on both sides …");
    auto compared = compare_regressions(play_settings(), [this] { return over(); });
    if (!compared) return std::unexpected(compared.error());
    mended_ = std::move(compared->mended);
    const auto seen = [&](const RawFinding& raw) {
      return std::ranges::any_of(
          left_, [&](const RawFinding& it) { return it.finding.key == raw.finding.key; });
    };
    for (RawFinding& raw : compared->news)
      if (!seen(raw)) left_.push_back(std::move(raw));
    return {};
  }

  // Seconds for all that follows the fuzzing.
  double budget() const { return total_ ? *total_ - seconds_ : std::max(seconds_, kLeastBudget); }
  bool over() const { return cut_short() || since(fuzzed_until_) > budget(); }

  // What was followed so far, at most once a second; its page now and then.
  Result<void> keep_grown() {
    if (since(kept_) < kKeepEvery) return {};
    kept_ = std::chrono::steady_clock::now();
    if (auto written = write_lines(); !written) return written;
    if (since(drawn_) < kDrawEvery) return {};
    return draw("followed");
  }

  // Where does each confirmed finding begin, and where does it end?
  Result<void> date_findings() {
    const std::vector<Asked> asked = following_->asked();
    // A store of one's own is in no release of zarr.
    if (options_.no_releases || !options_.adapter.empty() || asked.empty() ||
        !options_.settings.planted.empty() || interrupted())
      return {};
    if (auto drawn = draw("followed"); !drawn) return drawn;
    auto known = all_releases();
    if (!known) return std::unexpected(known.error());
    std::vector<PlayedRelease> releases;
    for (const std::string& release : *known)
      releases.push_back({release, {.zarr = release, .with = options_.subject.with}});
    std::size_t done = 0;
    auto tables = bisect_releases(
        asked, releases, is_published() ? subject_.release : "",
        {.scratch = scratch_->path(),
         .stop = [this] { return over(); },
         .progress =
             [&](std::string_view release) {
               progress(fmt::format("dating {}: release {} ({} played)",
                                    counted(asked.size(), "cause"), release, ++done));
             }});
    if (!tables) return std::unexpected(tables.error());
    for (std::size_t i = 0; i < asked.size(); ++i) following_->date(asked[i].cause, (*tables)[i]);
    return {};
  }

  // The words of the stores that were drawn.
  Json stores_played() const {
    Json words = Json::array();
    const Json left_out = skipped();
    if (auto stores = parse_stores(options_.settings.stores))
      for (const StoreKind kind : *stores)
        if (!left_out.contains(kind->kind)) words.push_back(kind->kind);
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
            {"stage", stage_.empty() ? Json() : Json(stage_)},
            {"troubles", troubles(fuzzed_, followed())},
            {"subject", {{"release", subject_.release}, {"path", subject_.path}}},
            {"against", options_.against.empty()
                            ? Json()
                            : Json{{"release", base_.release}, {"path", base_.path}}},
            {"adapter", options_.adapter.empty() ? Json() : Json(adapter_name())},
            {"mended_here", mended_},
            {"passed", passed()},
            {"python", fuzzed_.python},
            {"platform", platform()},
            {"targets", options_.targets},
            {"stores", stores_played()},
            {"skipped", skipped()},
            {"not_reached", not_reached()},
            {"budget_seconds", budget()},
            {"packages", subject_.packages},
            {"seed", seed_},
            {"jobs", options_.jobs},
            {"time", seconds_},
            {"seconds", fuzzed_.seconds},
            {"finish_seconds", finish_seconds_},
            {"executions", fuzzed_.executions},
            {"executions_per_second", fuzzed_.seconds > 0 ? executions / fuzzed_.seconds : 0.0},
            {"coverage",
             {{"lines", fuzzed_.reached.size()},
              {"of", fuzzed_.lines_watched},
              {"reached", to_ranges(fuzzed_.reached)}}},
            {"phases", std::move(phases)},
            {"lanes", std::move(targets)},
            {"quirks", fuzzed_.quirks},
            {"faults", fuzzed_.faults},
            {"deaths", fuzzed_.deaths},
            {"unfollowed", followed().unfollowed},
            {"self_proof", proof_},
            {"containment", containment_},
            {"restarts", fuzzed_.restarts},
            {"interrupted", interrupted()},
            {"findings", options_.settings.planted.empty() ? confirmed().size() : 0},
            {"unconfirmed", unconfirmed().size()}};
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

  std::vector<Json> confirmed() const {
    return following_ ? following_->confirmed() : std::vector<Json>();
  }
  std::vector<Json> unconfirmed() const {
    return following_ ? following_->unconfirmed() : std::vector<Json>();
  }
  const Followed& followed() const {
    static const Followed none;
    return following_ ? following_->followed() : none;
  }
  std::size_t not_reached() const { return following_ ? following_->not_reached() : 0; }

  Result<void> write_lines() {
    const bool planted = !options_.settings.planted.empty();
    const std::string found = lines(confirmed());
    for (const auto& [name, text] : {std::pair{"unconfirmed.jsonl", lines(unconfirmed())},
                                     std::pair{"findings.jsonl", planted ? std::string() : found},
                                     std::pair{"planted.jsonl", planted ? found : std::string()}})
      if (planted || std::string_view(name) != "planted.jsonl")
        if (auto written = run_->write(name, text); !written) return written;
    return {};
  }

  // The page as far as things are. It is there when fuzzing ends, and grows.
  Result<void> draw(const std::string& stage) {
    stage_ = stage;
    if (auto written = write_lines(); !written) return written;
    if (auto written = write_run_json(); !written) return written;
    auto drawn = run_->render(options_.security);
    drawn_ = std::chrono::steady_clock::now();
    return drawn;
  }

  Result<void> draw_first() {
    auto drawn = draw("fuzzed");
    if (drawn) say(fmt::format("page: {} (it grows)", (run_->path() / "index.html").string()));
    return drawn;
  }

  Result<void> write_run() {
    ended_ = utc_now();
    stage_.clear();
    if (auto written = write_lines(); !written) return written;
    // Last, because run.json says that the run has ended.
    if (auto written = write_run_json(); !written) return written;
    std::error_code error;
    if (left_.empty()) fs::remove(run_->path() / "seen.jsonl", error);
    progress("drawing the page …");
    auto drawn = run_->render(options_.security);
    if (drawn) page_ = run_->path() / "index.html";
    return drawn;
  }

  // Why this run is no all-clear, whatever it found; null: it is one, if it found nothing.
  Json failed() const {
    if (failure_) return failure_->message;
    if (fuzzed_.executions == 0) return "no case was played, so nothing could be found";
    if (const auto why = too_much_trouble(fuzzed_, followed())) return *why;
    if (options_.settings.planted.empty() && not_reached() > 0)
      return fmt::format("{} could not be followed in time: this run cannot say that zarr is sound",
                         counted(not_reached(), "difference"));
    const std::size_t hangs = following_ ? following_->unshown().size() : 0;
    if (options_.settings.planted.empty() && hangs > 0)
      return fmt::format(
          "{} seen more than once, and no script shows it: this run cannot say that zarr is sound",
          hangs == 1 ? "a hang was" : fmt::format("{} hangs were", hangs));
    return nullptr;
  }

  // What a store of one's own was asked, and on which ways it was carried; of others, null.
  Json passed() const {
    if (options_.adapter.empty()) return nullptr;
    const std::vector<std::string> off = comma_separated(options_.settings.oracles_off);
    Json asked = Json::array(), carries = Json::array();
    for (const program::Oracle& oracle : program::oracles())
      if (std::ranges::count(off, oracle.name) == 0) asked.push_back(oracle.name);
    for (const auto& [way, number] : fuzzed_.carried) {
      const std::size_t cut = way.find(" / ");
      carries.push_back(
          {{"carrier", way.substr(0, cut)}, {"transport", way.substr(cut + 3)}, {"steps", number}});
    }
    return {{"oracles", std::move(asked)}, {"carries", std::move(carries)}};
  }

  // What a person has to look at: a sentence each, as many as fit on a screen.
  void say_some(const std::vector<std::string>& sentences, std::size_t most) const {
    for (std::size_t i = 0; i < std::min(sentences.size(), most); ++i) say("  " + sentences[i]);
    if (sentences.size() > most)
      say(fmt::format("  … and {} more, on the page", sentences.size() - most));
  }

  // A sentence for each new cause that is not mild, the severest first.
  static std::vector<std::string> sentences_of(const std::vector<Json>& news) {
    std::vector<std::string> sentences;
    for (const Json& line : news) {
      if (line.value("severity", 0) >= kMild) continue;
      const Json& dated = line["releases"];
      sentences.push_back(std::string(
          shorten(fmt::format("{} {}{}", line.value("severity", 0), line.value("headline", ""),
                              dated.is_object() ? " — " + dated.value("sentence", "") : ""),
                  kLongestLine)));
    }
    return sentences;
  }

  // "1 of severity 1, 3 of severity 5"
  static std::string by_severity(const std::vector<Json>& lines) {
    std::map<int, std::size_t> counts;
    for (const Json& line : lines) ++counts[line.value("severity", 0)];
    std::string text;
    for (const auto& [severity, number] : counts)
      text += fmt::format("{}{} of severity {}", text.empty() ? "" : ", ", number, severity);
    return text;
  }

  // A stranger's stores are under test then, and no longer those of zarr.
  std::string adapter_name() const { return fs::path(options_.adapter).filename().string(); }

  // A line of unconfirmed.jsonl: the run did not come so far as to reduce and confirm it.
  static bool was_left(const Json& line) { return !line.value("followed", true); }

  // Confirmed causes: what is new, and what is known. Questions are asked of people; none is red.
  std::pair<std::vector<Json>, std::vector<Json>> by_news() const {
    std::vector<Json> news, known;
    for (Json& line : confirmed()) (line["known"].is_null() ? news : known).push_back(line);
    return {std::move(news), std::move(known)};
  }

  Result<CampaignEnd> conclude() {
    const auto [news, known] = by_news();
    const auto red = std::ranges::count_if(
        news, [](const Json& line) { return !line.value("question", false); });
    for (const std::string& trouble : troubles(fuzzed_, followed())) say(trouble);
    std::string subject = fmt::format("zarr {}", subject_.release);
    if (!options_.adapter.empty()) subject = fmt::format("{} with {}", adapter_name(), subject);
    if (!options_.against.empty()) subject += fmt::format(" against {}", base_.release);
    const std::vector<Json> loose = unconfirmed();
    const auto left =
        static_cast<std::size_t>(std::ranges::count_if(loose, was_left)) + left_.size();
    say(fmt::format("{}: {} new{}{}, {} known, {} unconfirmed{}", subject,
                    counted(news.size(), "cause"), news.empty() ? "" : ": ", by_severity(news),
                    known.size(), loose.size() + left_.size() - left,
                    left > 0 ? fmt::format(", {} not followed", left) : ""));
    say_some(sentences_of(news), kMostLines);
    if (!known.empty()) say(fmt::format("known, and linked on the page: {}", by_severity(known)));
    // Only a run that failed has some left.
    std::vector<std::string> open = following_ ? following_->unshown() : std::vector<std::string>();
    for (const RawFinding& raw : left_) open.push_back(raw.finding.headline + " (not followed)");
    // A hang that was seen more than once stands there already.
    const auto stands = [&, hangs = open](const std::string& headline) {
      return std::ranges::any_of(hangs,
                                 [&](const std::string& it) { return it.starts_with(headline); });
    };
    for (const Json& line : loose)
      if (line.value("severity", 0) < kMild && !stands(line.value("headline", "")))
        open.push_back(fmt::format("{} ({})", line.value("headline", ""),
                                   was_left(line) ? "not followed" : "unconfirmed"));
    for (std::string& line : open) line = shorten(line, kLongestLine);
    say_some(open, kMostOpen);
    std::vector<std::string> mended;
    for (const Json& it : mended_)
      mended.push_back(fmt::format("mended here: {}", it.value("headline", "")));
    say_some(mended, kMostOpen);
    CampaignEnd end{.page = page_};
    if (!page_.empty()) say(fmt::format("page: {}", page_.string()));
    const bool planted = !options_.settings.planted.empty();
    if (failure_) return machine_failure(failure_->message);
    if (!planted && red > 0) {
      end.code = ExitCode::kFinding;
      return end;
    }
    if (const Json why = failed(); !why.is_null()) return machine_failure(why.get<std::string>());
    if (planted && news.empty())  // what is known was not asked without the loss
      return machine_failure(fmt::format("the planted loss \"{}\" was not found by fuzzing",
                                         options_.settings.planted));
    return end;
  }

  const CampaignOptions& options_;
  std::optional<RunDirectory> run_;
  std::optional<Scratch> scratch_;
  Subject subject_, base_;  // base_: of --against, or empty
  std::vector<Known> known_;
  double seconds_ = 0;           // of fuzzing
  std::optional<double> total_;  // seconds of the whole run, as asked
  Measure measure_;
  unsigned seed_ = 0;
  std::string started_, ended_, containment_;  // times in UTC; ended_: empty while the run goes on
  Json proof_;
  Fuzzed fuzzed_;
  std::optional<Error> failure_;  // the first error since cases were played; it ended the work
  std::optional<Journal> seen_;
  std::vector<RawFinding> left_;  // findings that were not followed yet
  std::optional<Following> following_;
  double finish_seconds_ = 0;
  std::string stage_;  // what is done, of a run that goes on
  Json mended_ = Json::array();
  std::chrono::steady_clock::time_point fuzzed_until_, kept_, drawn_;
  fs::path page_;  // empty: not drawn
};

}  // namespace

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

Result<CampaignEnd> run_campaign(const CampaignOptions& options) { return Campaign(options).run(); }

}  // namespace storefuzz
