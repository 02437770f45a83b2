// The phases of a campaign, in order; each says what it does while it does it.
#include "harness/campaign/campaign.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/base/text.h"
#include "harness/campaign/dossier.h"
#include "harness/journey/generate.h"
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
constexpr const char* kProofLoss = "arrival changes compression";
constexpr const char* kProofFingerprint = "zip-attributes-compression-changed";
constexpr int kUnshrunkAfter = 150;  // findings; the others of a flood are counted, not followed

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
  utsname it{};
  ::uname(&it);
  return fmt::format("{} {} {}", it.sysname, it.release, it.machine);
}

// The fixed case of the proof: a deflated store, carried in the plainest way.
Case proof_case() {
  Case value;
  value.archive = Archive{.entries = {{.key = "a", .value = "x"}}};
  value.constructor.compression = Compression::kDeflated;
  value.looks = {LookGroup::kState, LookGroup::kReads};
  value.transport = Transport::kSpawn;
  normalise(value);
  return value;
}

class Campaign {
 public:
  explicit Campaign(const CampaignOptions& options) : options_(options) {}

  Result<CampaignEnd> run() {
    if (auto ready = prepare(); !ready) return std::unexpected(ready.error());
    if (auto proved = prove(); !proved) return std::unexpected(proved.error());
    if (auto fuzzed = fuzz_all(); !fuzzed) return std::unexpected(fuzzed.error());
    if (!until_.empty()) return measured();
    if (options_.fingerprints || !options_.until_new.empty()) return told();
    const auto begin = std::chrono::steady_clock::now();
    if (auto finished = finish_findings(); !finished) return std::unexpected(finished.error());
    if (auto dated = date_findings(); !dated) return std::unexpected(dated.error());
    finish_seconds_ = since(begin);
    if (auto written = write_run(); !written) return std::unexpected(written.error());
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
    until_ = comma_separated(options_.until);
    if (options_.adapter.empty())  // found out before an environment is made
      if (auto named = check_stores(); !named) return named;
    if (!options_.known.empty()) {
      auto known = load_quirks(options_.known);
      if (!known) return std::unexpected(known.error());
      known_ = std::move(*known);
    }
    std::error_code error;
    if (!options_.corpus.empty() && !fs::is_directory(options_.corpus, error))
      return bad_input(fmt::format("{} is no folder", options_.corpus));
    // Found out now: after a night it would be too late.
    if (!options_.corpus.empty()) {
      const fs::path probe = fs::path(options_.corpus) / ".storefuzz-probe";
      if (auto written = write_file_whole(probe, ""); !written)
        return bad_input(fmt::format("{} cannot be written", options_.corpus));
      fs::remove(probe, error);
    }
    if (auto fit = RunDirectory::check(options_.out); !fit) return fit;
    progress("preparing the environment of the subject …");
    auto subject = find_subject(options_.subject);
    if (!subject) return std::unexpected(subject.error());
    subject_ = std::move(*subject);
    if (!options_.adapter.empty()) {
      if (auto used = use_adapter(options_.adapter, subject_.python); !used) return used;
      if (auto named = check_stores(); !named) return named;
    }
    auto run = RunDirectory::make(options_.out);
    if (!run) return std::unexpected(run.error());
    run_.emplace(std::move(*run));
    auto scratch = Scratch::make();
    if (!scratch) return std::unexpected(scratch.error());
    scratch_.emplace(std::move(*scratch));
    seed_ = options_.seed ? options_.seed : std::random_device{}() % 1'000'000 + 1;
    started_ = utc_now();
    say(fmt::format("zarr {}, seed {}, {:.0f} s of fuzzing", subject_.release, seed_,
                    seconds_));
    return {};
  }

  DossierOptions dossier_options(const std::string& planted) const {
    return {.python = subject_.python,
            .release = subject_.release,
            .scratch = scratch_->path(),
            .planted = planted,
            .hang_seconds = 5.0 * kDeadlineMilliseconds / 1000.0,
            .budget = kFindingBudget,
            .stop = [] { return interruptions() > 1; }};
  }

  // A fixed planted loss goes the whole line, from case to page. A run that cannot see it is blind.
  Result<void> prove() {
    if (!options_.settings.planted.empty() || subject_.release.starts_with("2.")) return {};
    const auto begin = std::chrono::steady_clock::now();
    progress("proving that a planted loss is found …");
    auto player = Player::start({.python = subject_.python,
                                 .scratch = scratch_->path(),
                                 .planted = kProofLoss,
                                 .oracles_off = options_.settings.oracles_off});
    if (!player) return std::unexpected(player.error());
    auto played = player->play(proof_case());
    if (!played) return std::unexpected(played.error());
    const Finding* found = find(played->findings, kProofFingerprint);
    if (!found) return blind("no oracle saw it");
    auto dossier = make_dossier(*player, proof_case(), *found, dossier_options(kProofLoss));
    if (!dossier) return std::unexpected(dossier.error());
    if (!dossier->confirmed) return blind(dossier->why);
    auto run = RunDirectory::make(scratch_->path() / "proof");
    if (!run) return std::unexpected(run.error());
    Json line = to_json(*dossier, subject_.release);
    line.update({{"seen_on", Json::array()},
                 {"count", 1},
                 {"executions_to_find", 1},
                 {"seconds_to_find", 0.0}});
    for (const auto& [name, text] :
         {std::pair{"run.json", run_json().dump()}, std::pair{"unconfirmed.jsonl", std::string()},
          std::pair{"findings.jsonl", line.dump() + "\n"}})
      if (auto written = run->write(name, text); !written) return written;
    if (auto written = write_dossier(*run, *dossier); !written) return written;
    if (auto drawn = run->render(); !drawn) return drawn;
    std::error_code error;
    if (!fs::exists(run->path() / "index.html", error)) return blind("no page was drawn");
    proof_ = {{"planted", kProofLoss}, {"found", true}, {"seconds", since(begin)}};
    containment_ = player->containment();
    return {};
  }

  static Result<void> blind(const std::string& why) {
    return machine_failure(fmt::format(
        "the planted loss \"{}\" was not found ({}): this run would see nothing", kProofLoss, why));
  }

  Result<void> fuzz_all() {
    if (interruptions() > 0) return {};
    Settings settings = options_.settings;
    settings.python = subject_.python;
    settings.deadline = std::to_string(kDeadlineMilliseconds);
    auto fuzzed = fuzz({.targets = options_.targets,
                        .settings = std::move(settings),
                        .scratch = scratch_->path(),
                        .corpus = options_.corpus,
                        .seconds = seconds_,
                        .until = until_,
                        .enough = enough(),
                        .jobs = options_.jobs,
                        .seed = seed_,
                        .progress = options_.progress});
    if (!fuzzed) return std::unexpected(fuzzed.error());
    fuzzed_ = std::move(*fuzzed);
    if (!fuzzed_.faults.empty())
      say(fmt::format("{} cases could not be played, by a fault of storefuzz: see run.json",
                      fuzzed_.faults.size()));
    for (const auto& [store, why] : fuzzed_.skipped.items())
      say(fmt::format("skipped: {} ({})", store, why.get<std::string>()));
    say(fmt::format("{} executions in {:.0f} s, {} fingerprints", fuzzed_.executions,
                    fuzzed_.seconds, fuzzed_.raw.size()));
    return {};
  }

  // For --until-new: a fingerprint that is not in the file, and does not happen without the plant.
  std::function<bool(const RawFinding&)> enough() {
    if (options_.until_new.empty()) return {};
    std::ifstream file(options_.until_new);
    for (std::string line; std::getline(file, line);)
      baseline_.insert(line.substr(0, line.find(' ')));
    auto player = Player::start({.python = subject_.python, .scratch = scratch_->path()});
    if (!player) return {};
    unplanted_ = std::make_shared<Player>(std::move(*player));
    return [this](const RawFinding& raw) {
      if (baseline_.contains(raw.finding.fingerprint)) return false;
      auto played = unplanted_->play(raw.value);
      if (!played || find(played->findings, raw.finding.fingerprint)) return false;
      news_ = fmt::format("new {} {:.1f}", raw.finding.fingerprint, raw.seconds);
      return true;
    };
  }

  Result<CampaignEnd> told() const {
    if (options_.fingerprints)
      for (const auto& [fingerprint, raw] : fuzzed_.raw)
        say(fmt::format("{} {:.3f} {}", fingerprint, raw.seconds, raw.executions));
    if (!options_.until_new.empty()) say(news_.empty() ? "nothing new" : news_);
    return CampaignEnd{};
  }

  // How long each fingerprint took; 1 when one was not found, as a test wants it.
  Result<CampaignEnd> measured() {
    CampaignEnd end;
    for (const std::string& what : until_) {
      const auto seconds = first_seen(fuzzed_, what);
      if (!seconds) end.code = ExitCode::kFinding;
      say(seconds ? fmt::format("found after {:.1f} s: {}", *seconds, what)
                  : fmt::format("not found: {}", what));
    }
    if (auto written = write_run(); !written) return std::unexpected(written.error());
    return end;
  }

  Result<void> finish_findings() {
    if (fuzzed_.raw.empty()) return {};
    auto player = Player::start({.python = subject_.python,
                                 .scratch = scratch_->path(),
                                 .planted = options_.settings.planted,
                                 .oracles_off = options_.settings.oracles_off});
    if (!player) return std::unexpected(player.error());
    auto order = in_order(*player);
    if (!order) return std::unexpected(order.error());
    const std::vector<RawFinding>& list = *order;
    for (std::size_t i = 0; i < list.size(); ++i) {
      progress(fmt::format("shrinking and confirming {} of {}: {}", i + 1, list.size(),
                           list[i].finding.fingerprint));
      if (auto finished = finish_one(*player, list[i], i); !finished) return finished;
    }
    return {};
  }

  // Each once, whatever it is wrapped in; one of each cause first, in the order they were found.
  Result<std::vector<RawFinding>> in_order(Player& player) {
    std::map<std::string, RawFinding> unwrapped;
    for (const auto& [fingerprint, raw] : fuzzed_.raw) {
      progress("looking below wrappers: " + fingerprint);
      auto it = unwrap(player, raw);
      if (!it) return std::unexpected(it.error());
      auto [place, fresh] = unwrapped.try_emplace(without_inner(*it), *it);
      if (!fresh) join(place->second, *it);
    }
    std::vector<RawFinding> order;
    for (auto& [key, raw] : unwrapped) order.push_back(std::move(raw));
    std::ranges::sort(order, {}, &RawFinding::seconds);
    std::set<std::string> causes;
    std::ranges::stable_partition(
        order, [&](const RawFinding& it) { return causes.insert(it.finding.cause).second; });
    return order;
  }

  // A finding that shows without its wrapper is not the wrapper's.
  static Result<RawFinding> unwrap(Player& player, RawFinding raw) {
    while (raw.value.store->inner) {
      Case bare = raw.value;
      bare.store = StoreKind(raw.value.store->inner);
      normalise(bare);
      const std::string tail =
          raw.finding.fingerprint.substr(slug(name_of(raw.value.store)).size());
      auto played = player.play(bare);
      if (!played) return std::unexpected(played.error());
      const Finding* same = find(played->findings, slug(name_of(bare.store)) + tail);
      if (!same) break;
      raw.finding = *same;
      raw.value = std::move(bare);
    }
    return raw;
  }

  // What a wrapper gets wrong is one finding, whatever it wraps.
  static std::string without_inner(const RawFinding& raw) {
    const std::string_view kind = name_of(raw.value.store);
    return slug(kind.substr(0, kind.find(" over "))) +
           raw.finding.fingerprint.substr(slug(kind).size());
  }

  static void join(RawFinding& one, const RawFinding& other) {
    one.count += other.count;
    for (const auto& [journey, seconds] : other.seen_on) {
      auto [place, fresh] = one.seen_on.try_emplace(journey, seconds);
      if (!fresh) place->second = std::min(place->second, seconds);
    }
    if (other.seconds < one.seconds) {
      one.seconds = other.seconds;
      one.executions = other.executions;
    }
  }

  Result<void> finish_one(Player& player, const RawFinding& raw, std::size_t index) {
    Dossier dossier{.fingerprint = raw.finding.fingerprint,
                    .finding = raw.finding,
                    .value = raw.value,
                    .why = "not followed: the run was cut short"};
    if (interruptions() <= 1 && index < kUnshrunkAfter) {
      auto made = make_dossier(player, raw.value, raw.finding, dossier_options(options_.settings.planted));
      // A fault of ours costs its finding, not the run; what was found stays told.
      if (made)
        dossier = std::move(*made);
      else
        dossier.why = "it could not be followed: " + made.error().message;
    }
    Json line = to_json(dossier, subject_.release);
    Json seen_on = Json::array();
    for (const auto& [journey, seconds] : raw.seen_on)
      seen_on.push_back(
          {{"carrier", journey.first}, {"transport", journey.second}, {"seconds", seconds}});
    line.update({{"seen_on", std::move(seen_on)},
                 {"count", raw.count},
                 {"executions_to_find", raw.executions},
                 {"seconds_to_find", raw.seconds}});
    if (const Quirk* known =
            match(known_, name_of(dossier.value.store), dossier.finding.told, subject_.release))
      line["known"] = {{"id", known->id}, {"link", known->link}, {"reason", known->reason}};
    if (auto written = write_dossier(*run_, dossier); !written) return written;
    (dossier.confirmed ? confirmed_ : unconfirmed_).push_back(std::move(line));
    if (dossier.confirmed)
      asked_.push_back({.value = dossier.value, .fingerprint = dossier.finding.fingerprint});
    return {};
  }

  // Where does each confirmed finding begin, and where does it end?
  Result<void> date_findings() {
    if (options_.no_releases || asked_.empty() || !options_.settings.planted.empty() || interruptions() > 0)
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
         .stop = [] { return interruptions() > 0; },
         .progress =
             [&](std::string_view release) {
               progress(fmt::format("playing {} findings over all releases: {} of {} ({})",
                                    asked_.size(), ++done, releases.size(), release));
             }});
    if (!tables) return std::unexpected(tables.error());
    for (std::size_t i = 0; i < confirmed_.size(); ++i)
      confirmed_[i]["releases"] = to_json((*tables)[i]);
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
    Json transports = Json::object();
    for (const auto& [name, cost] : fuzzed_.transports)
      transports[name] = {{"cases", cost.first},
                          {"seconds", cost.second},
                          {"cases_per_second",
                           cost.second > 0 ? static_cast<double>(cost.first) / cost.second : 0.0}};
    Json targets = Json::object();
    for (const auto& [name, rate] : fuzzed_.targets)
      targets[name] = {{"cases", rate.first}, {"cases_per_second", rate.second}};
    const auto executions = static_cast<double>(fuzzed_.executions);
    return {{"storefuzz", STOREFUZZ_VERSION},
            {"command", options_.command},
            {"started", started_},
            {"subject", {{"release", subject_.release}, {"path", subject_.path}}},
            {"python", fuzzed_.python},
            {"platform", platform()},
            {"targets", options_.targets},
            {"stores", stores_played()},
            {"skipped", fuzzed_.skipped.is_null() ? Json::object() : fuzzed_.skipped},
            {"readers", fuzzed_.readers.is_null() ? Json::object() : fuzzed_.readers},
            {"packages", subject_.packages},
            {"seed", seed_},
            {"jobs", options_.jobs},
            {"time", seconds_},
            {"seconds", fuzzed_.seconds},
            {"finish_seconds", finish_seconds_},
            {"executions", fuzzed_.executions},
            {"executions_per_second", fuzzed_.seconds > 0 ? executions / fuzzed_.seconds : 0.0},
            {"coverage", {{"lines", fuzzed_.lines_covered}, {"of", fuzzed_.lines_watched}}},
            {"transports", std::move(transports)},
            {"lanes", std::move(targets)},
            {"arrived", executions > 0 ? static_cast<double>(fuzzed_.arrived) / executions : 0.0},
            {"quirks", fuzzed_.quirks},
            {"faults", fuzzed_.faults},
            {"self_proof", proof_},
            {"containment", containment_},
            {"restarts", fuzzed_.restarts},
            {"interrupted", interruptions() > 0},
            {"findings", options_.settings.planted.empty() ? confirmed_.size() : 0},
            {"unconfirmed", unconfirmed_.size()}};
  }

  static std::string lines(const std::vector<Json>& list) {
    std::string text;
    for (const Json& line : list)
      text += text_of(line) + "\n";
    return text;
  }

  Result<void> write_run() {
    if (!fuzzed_.containment.empty()) containment_ = fuzzed_.containment;
    const bool planted = !options_.settings.planted.empty();
    const std::string found = lines(confirmed_);
    for (const auto& [name, text] : {std::pair{"run.json", run_json().dump(2) + "\n"},
                                     std::pair{"unconfirmed.jsonl", lines(unconfirmed_)},
                                     std::pair{"findings.jsonl", planted ? std::string() : found},
                                     std::pair{"planted.jsonl", planted ? found : std::string()}})
      if (planted || std::string_view(name) != "planted.jsonl")
        if (auto written = run_->write(name, text); !written) return written;
    progress("drawing the page …");
    return run_->render();
  }

  Result<CampaignEnd> conclude() {
    std::map<std::string, std::vector<const Json*>> causes;
    std::size_t unknown = 0;
    for (const Json& line : confirmed_) {
      causes[line.value("cause", "")].push_back(&line);
      if (line["known"].is_null()) ++unknown;
    }
    for (const auto& [cause, list] : causes) {
      for (const Json* line : list) {
        const Json& dated = (*line)["releases"];
        say(fmt::format("  {}{}{}", line->value("headline", ""),
                        dated.is_object() ? " — " + dated.value("sentence", "") : "",
                        (*line)["known"].is_null() ? "" : " (known)"));
      }
    }
    const auto count = [](std::size_t number, std::string_view what) {
      return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
    };
    say(fmt::format("{}, {}, {} unconfirmed in zarr {}", count(causes.size(), "cause"),
                    count(confirmed_.size(), "finding"), unconfirmed_.size(), subject_.release));
    CampaignEnd end{.page = run_->path() / "index.html"};
    say(fmt::format("page: {}", end.page.string()));
    if (fuzzed_.executions == 0)
      return machine_failure("no case was played, so nothing could be found");
    if (fuzzed_.arrived == 0 && confirmed_.empty())
      return machine_failure("no store ever arrived, so nothing could be found");
    if (options_.settings.planted.empty())
      end.code = unknown > 0 ? ExitCode::kFinding : ExitCode::kNothingNew;
    else if (confirmed_.empty())
      return machine_failure(
          fmt::format("the planted loss \"{}\" was not found by fuzzing", options_.settings.planted));
    return end;
  }

  const CampaignOptions& options_;
  std::optional<RunDirectory> run_;
  std::optional<Scratch> scratch_;
  Subject subject_;
  std::vector<Quirk> known_;
  double seconds_ = 0;  // of fuzzing
  std::vector<std::string> until_;
  unsigned seed_ = 0;
  std::string started_, containment_;
  Json proof_;
  Fuzzed fuzzed_;
  std::set<std::string> baseline_;
  std::shared_ptr<Player> unplanted_;
  std::string news_;
  double finish_seconds_ = 0;
  std::vector<Json> confirmed_, unconfirmed_;
  std::vector<Asked> asked_;
};

}  // namespace

Result<CampaignEnd> run_campaign(const CampaignOptions& options) { return Campaign(options).run(); }

}  // namespace storefuzz
