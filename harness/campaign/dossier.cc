// Shrink, write the script, run it.
#include "harness/campaign/dossier.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/campaign/confirm.h"
#include "harness/campaign/shrink.h"
#include "harness/findings/repro.h"

namespace storefuzz {
namespace {

// Carrier and transport count only where a plainer one agrees; shrinking has tried the plainer
// ones.
std::string with_journey(const std::string& fingerprint, const Case& value) {
  std::string whole = fingerprint;
  if (value.transport != Transport::kSameProcess) whole += "-" + slug(name_of(value.transport));
  if (value.carrier != Carrier::kPickle5 && value.carrier != Carrier::kMadeAnew &&
      value.carrier != Carrier::kHandedOver)
    whole += "-" + slug(name_of(value.carrier));
  return whole;
}

// Whether the whole thing is dangerous, in a sentence; null otherwise.
Json security_of(const Finding& found) {
  if (std::holds_alternative<Crashed>(found.told.child)) return "the process dies";
  if (found.told.wrong == "leaves the root") return "a key leads out of the store's root";
  return nullptr;
}

// How a script is written.
struct Style {
  bool thorough = false;
  bool used_before = false;
};

constexpr Style kUsed{.used_before = true};
constexpr Style kAllUsed{.thorough = true, .used_before = true};

constexpr const char* kUsedBefore = " (needs a process in which such a store was used before)";

class Confirmer {
 public:
  Confirmer(Player& player, const DossierOptions& options)
      : player_(player), options_(options), until_(Clock::now() + options.budget) {}

  // Writes the scripts of these styles and runs them, until one shows the finding.
  Result<void> try_scripts(Dossier& dossier, std::initializer_list<Style> styles) const {
    for (const Style& style : styles) {
      if (dossier.confirmed || stopped()) break;
      if (auto tried = try_script(dossier, style); !tried) return tried;
    }
    return {};
  }

  // The smallest of the cases on the way whose script shows the finding. The last one's does not.
  Result<void> try_larger_cases(Dossier& dossier, const std::vector<Case>& way) const {
    if (way.size() < 2) return {};
    auto largest = tried_with(dossier, way.front(), {.thorough = true});
    if (!largest) return std::unexpected(largest.error());
    if (!largest->confirmed) return {};
    Dossier best = std::move(*largest);
    for (std::size_t shows = 0, not_shown = way.size() - 1;
         not_shown - shows > 1 && in_time();) {
      const std::size_t middle = (shows + not_shown) / 2;
      auto between = tried_with(dossier, way[middle], {.thorough = true});
      if (!between) return std::unexpected(between.error());
      (between->confirmed ? shows : not_shown) = middle;
      if (between->confirmed) best = std::move(*between);
    }
    dossier = std::move(best);
    return {};
  }

  // Scripts of this case that first use such a store.
  Result<void> try_used_before(Dossier& dossier, const Case& value,
                               std::initializer_list<Style> styles) const {
    auto other = value == dossier.value ? Result<Dossier>(dossier) : of_case(dossier, value);
    if (!other) return std::unexpected(other.error());
    if (other->value != value) return {};
    other->finding.told.headline += kUsedBefore;
    if (auto tried = try_scripts(*other, styles); !tried) return tried;
    if (other->confirmed) dossier = std::move(*other);
    return {};
  }

  // What is left of the budget; at least a quarter of a minute, whatever the shrinking took.
  Milliseconds left() const {
    return std::max(std::chrono::duration_cast<Milliseconds>(until_ - Clock::now()),
                    Milliseconds(15'000));
  }
  bool in_time() const { return Clock::now() < until_ && !stopped(); }
  bool stopped() const { return options_.stop && options_.stop(); }

 private:
  using Clock = std::chrono::steady_clock;

  // The dossier of another case that showed the same finding; as it is where that does not now.
  Result<Dossier> of_case(const Dossier& dossier, const Case& value) const {
    auto played = player_.play(value);
    if (!played) return std::unexpected(played.error());
    Dossier other = dossier;
    other.confirmed = false;
    const Finding* found = find(played->findings, dossier.finding.fingerprint);
    if (!found) return other;
    other.value = value;
    other.finding = *found;
    other.observations = std::move(played->observations);
    other.fingerprint = with_journey(found->fingerprint, value);
    other.script.clear();
    return other;
  }

  Result<Dossier> tried_with(const Dossier& dossier, const Case& value, Style style) const {
    auto other = of_case(dossier, value);
    if (!other || other->value != value) return other;
    if (auto tried = try_script(*other, style); !tried) return std::unexpected(tried.error());
    return other;
  }

  Result<void> try_script(Dossier& dossier, Style style) const {
    auto script = write_repro(dossier.value, dossier.finding, dossier.observations,
                              {.release = options_.release,
                               .published = options_.published,
                               .packages = options_.packages,
                               .seconds = options_.hang_seconds,
                               .vocabulary = source_folder() + "/reference/vocabulary.json",
                               .thorough = style.thorough,
                               .used_before = style.used_before});
    if (!script) return std::unexpected(script.error());
    if (*script == dossier.script) return {};  // nothing to add
    dossier.script = *script;
    const auto file = options_.scratch / (dossier.fingerprint + ".py");
    // A stranger's store is imported from beside the script.
    if (const std::filesystem::path adapter = dossier.value.store->file; !adapter.empty()) {
      std::error_code error;
      std::filesystem::copy_file(adapter, options_.scratch / adapter.filename(),
                                 std::filesystem::copy_options::overwrite_existing, error);
      if (error) return machine_failure("the adapter cannot be copied: " + error.message());
    }
    if (auto written = write_file_whole(file, dossier.script); !written) return written;
    ConfirmOptions how{.python = options_.python,
                       .scratch = options_.scratch,
                       .planted = options_.planted,
                       .deadline = left(),
                       .stop = options_.stop};
    auto confirmed = confirm(file, dossier.finding.told.headline, how);
    if (!confirmed) return std::unexpected(confirmed.error());
    dossier.confirmed = confirmed->confirmed;
    dossier.why = confirmed->why;
    if (dossier.confirmed && !options_.planted.empty()) {
      how.planted.clear();
      auto without = confirm(file, dossier.finding.told.headline, how);
      if (!without) return std::unexpected(without.error());
      dossier.confirmed = !without->confirmed && !without->stopped;
      if (without->stopped) dossier.why = without->why;
      if (without->confirmed) dossier.why = "the subject shows it without the planted loss as well";
    }
    dossier.said = confirmed->output;
    return {};
  }

  Player& player_;
  const DossierOptions& options_;
  Clock::time_point until_;
};

// Plays the case where all of it is in the player's own process, so that what its module starts
// there is started.
Case at_home(Case value) {
  value.transport = Transport::kSameProcess;
  value.pool = Pool::kNone;
  value.comes_back = ComesBack::kNothing;
  normalise(value);
  return value;
}

// The smallest case. One that does not show the finding at first is played again once such a store
// was used in the player's process, as in the process that saw it.
Result<std::optional<Shrunk>> shrink_again(Player& player, const Case& value,
                                           std::string_view fingerprint,
                                           const DossierOptions& options) {
  // A quarter of the budget is kept for the script.
  const Milliseconds budget = options.budget * 3 / 4;
  for (const bool used : {false, true}) {
    if (used)
      if (auto home = player.play(at_home(value)); !home) return std::unexpected(home.error());
    auto small = shrink(player, value, fingerprint, budget, options.stop);
    if (small) return std::move(*small);
    if (small.error().message != kNotShownAgain) return std::unexpected(small.error());
  }
  return std::nullopt;
}

}  // namespace

Result<Dossier> make_dossier(Player& player, const Case& value, const Finding& found,
                             const DossierOptions& options) {
  const Confirmer confirmer(player, options);
  Dossier dossier{.fingerprint = found.fingerprint, .finding = found, .value = value};
  auto small = shrink_again(player, value, found.fingerprint, options);
  if (!small) return std::unexpected(small.error());
  if (!*small) {
    dossier.why = "it did not happen again when its case was played once more";
    return dossier;
  }
  Shrunk& shrunk = **small;
  dossier.value = shrunk.value;
  dossier.finding = *find(shrunk.played.findings, found.fingerprint);
  dossier.observations = std::move(shrunk.played.observations);
  dossier.tried = shrunk.tried;
  dossier.fingerprint = with_journey(found.fingerprint, shrunk.value);
  const bool hangs = found.told.oracle == "deadline";
  const std::function<Result<void>()> steps[] = {
      [&] { return confirmer.try_scripts(dossier, {{}, {.thorough = true}}); },
      [&] { return confirmer.try_larger_cases(dossier, shrunk.way); },
      [&] {
        if (hangs) return confirmer.try_used_before(dossier, shrunk.value, {kUsed, kAllUsed});
        return confirmer.try_used_before(dossier, shrunk.value, {kAllUsed});
      },
      [&] {
        if (!hangs) return Result<void>();
        return confirmer.try_used_before(dossier, value, {kAllUsed});
      },
  };
  for (const auto& step : steps) {
    // A hang is dear, and must not be lost: its steps are not left out.
    if (dossier.confirmed || confirmer.stopped()) break;
    if (!(hangs || &step == steps || confirmer.in_time())) break;
    if (auto tried = step(); !tried) return std::unexpected(tried.error());
  }
  return dossier;
}

Result<void> write_dossier(const RunDirectory& run, const Dossier& dossier) {
  const std::filesystem::path folder = std::filesystem::path("findings") / dossier.fingerprint;
  const auto text = [](const Json& json) {
    return text_of(json, 2) + "\n";
  };
  Json observations = dossier.observations;
  if (!dossier.confirmed && !dossier.said.empty()) observations["repro.py said"] = dossier.said;
  std::vector<std::pair<std::string, std::string>> files{
      {"case.json",
       text({{"fingerprint", dossier.finding.fingerprint}, {"case", to_json(dossier.value)}})},
      {"observations.json", text(observations)}};
  if (!dossier.script.empty()) files.emplace_back("repro.py", dossier.script);
  if (dossier.value.archive && dossier.value.store->medium == Medium::kZip) {
    if (auto bytes = bytes_of(*dossier.value.archive)) files.emplace_back("archive.zip", *bytes);
  }
  if (const std::filesystem::path adapter = dossier.value.store->file; !adapter.empty()) {
    std::ifstream file(adapter, std::ios::binary);
    files.emplace_back(adapter.filename().string(),
                       std::string{std::istreambuf_iterator<char>(file), {}});
  }
  for (const auto& [name, content] : files)
    if (auto written = run.write(folder / name, content); !written) return written;
  return {};
}

Json to_json(const Dossier& dossier, const std::string& release) {
  Json line = to_json(dossier.finding);
  line.erase("step");
  line.erase("look");
  line.erase("operation");
  line.erase("lost");
  line["fingerprint"] = dossier.fingerprint;
  line["store"] = name_of(dossier.value.store);
  line["subject"] = release;
  line["carrier"] = name_of(dossier.value.carrier);
  line["transport"] = name_of(dossier.value.transport);
  line["case"] = to_json(dossier.value);
  line["confirmed"] = dossier.confirmed;
  line["security"] = security_of(dossier.finding);
  line["known"] = nullptr;
  line["releases"] = nullptr;
  if (!dossier.confirmed) line["why"] = dossier.why;
  return line;
}

}  // namespace storefuzz
