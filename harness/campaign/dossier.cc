// Reduce, write the script, run it.
#include "harness/campaign/dossier.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "harness/base/files.h"
#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/campaign/confirm.h"
#include "harness/campaign/reduce_program.h"
#include "harness/findings/plainer.h"
#include "harness/findings/script.h"
#include "harness/findings/security.h"
#include "harness/findings/telling.h"

namespace storefuzz {
namespace {

using Clock = std::chrono::steady_clock;
using program::Difference;

// Stores that a user named by files of their own: a script imports them from beside it.
std::vector<std::filesystem::path> adapter_files(const program::Case& value) {
  std::vector<std::filesystem::path> files;
  for (const program::Step& step : value.steps)
    if (const auto* make = std::get_if<program::Make>(&step))
      if (const std::filesystem::path file = innermost(make->kind)->file; !file.empty())
        files.push_back(file);
  return files;
}

class Confirmer {
 public:
  explicit Confirmer(const DossierOptions& options)
      : options_(options), until_(Clock::now() + options.budget) {}

  // What is left of the budget; at least a quarter of a minute, whatever the reducing took.
  Milliseconds left() const {
    return std::max(std::chrono::duration_cast<Milliseconds>(until_ - Clock::now()),
                    Milliseconds(15'000));
  }
  bool stopped() const { return options_.stop && options_.stop(); }

  // Writes the script and runs it.
  Result<void> try_script(Dossier& dossier) const {
    auto script = program::write_script(dossier.value, dossier.difference, dossier.seen,
                                        {.release = options_.release,
                                         .published = options_.published,
                                         .packages = options_.packages,
                                         .hang_seconds = options_.hang_seconds,
                                         .reference = reference_folder()});
    if (!script) {
      dossier.why = "no script can say it: " + script.error().message;
      return {};
    }
    if (*script == dossier.script) return {};  // nothing to add
    dossier.script = *script;
    const auto file = options_.scratch / (dossier.fingerprint() + ".py");
    for (const auto& adapter : adapter_files(dossier.value)) {
      std::error_code error;
      std::filesystem::copy_file(adapter, options_.scratch / adapter.filename(),
                                 std::filesystem::copy_options::overwrite_existing, error);
      if (error) return machine_failure("the adapter cannot be copied: " + error.message());
    }
    if (auto written = write_file_whole(file, dossier.script); !written) return written;
    return run_script(dossier, file);
  }

 private:
  Result<void> run_script(Dossier& dossier, const std::filesystem::path& file) const {
    const std::string& headline = dossier.difference.headline;
    ConfirmOptions how{.python = options_.python,
                       .scratch = options_.scratch,
                       .planted = options_.planted,
                       .deadline = left(),
                       .stop = options_.stop};
    auto confirmed = confirm(file, headline, how);
    if (!confirmed) return std::unexpected(confirmed.error());
    dossier.confirmed = confirmed->confirmed;
    dossier.why = confirmed->why;
    dossier.said = confirmed->output;
    if (!dossier.confirmed || options_.planted.empty()) return {};
    how.planted.clear();
    auto without = confirm(file, headline, how);
    if (!without) return std::unexpected(without.error());
    dossier.confirmed = !without->confirmed && !without->stopped;
    if (without->stopped) dossier.why = without->why;
    if (without->confirmed) dossier.why = "the subject shows it without the planted loss as well";
    return {};
  }

  const DossierOptions& options_;
  Clock::time_point until_;
};

struct Again {
  Difference difference;
  program::Observation seen;
};

// The severest difference of this class, as a program shows it now.
Result<std::optional<Again>> shown_now(ProgramSession& session, const program::Case& value,
                                       const std::string& of_class) {
  for (const Effort effort : {Effort::kUsual, Effort::kAll}) {
    auto played = session.play(value, effort);
    if (!played) return std::unexpected(played.error());
    if (auto found = severest(value, played->differences, of_class))
      return Again{.difference = std::move(*found), .seen = std::move(played->seen)};
  }
  return std::nullopt;
}

// The smallest program of a known cause, found in workers that were used before, as fresh ones show
// it; nothing: it is not known, or fresh ones show something else, now or at the beginning.
Result<std::optional<ReducedProgram>> known_soon(ProgramSession& session,
                                                 const program::Case& value,
                                                 const DossierOptions& options,
                                                 const ReduceOptions& how) {
  auto shown = shown_now(session, value, how.of_class);
  if (!shown) return std::unexpected(shown.error());
  if (!*shown) return std::nullopt;
  const bool once = session.use_workers_once(false);
  auto small = reduce_program(session, value, how);
  session.use_workers_once(once);
  if (!small || !small->whole) return std::nullopt;
  shown = shown_now(session, small->value, class_of(small->value, small->difference));
  if (!shown) return std::unexpected(shown.error());
  if (!*shown) return std::nullopt;
  small->difference = std::move((*shown)->difference);
  small->seen = std::move((*shown)->seen);
  small->cause = cause_of(small->value, small->difference);
  if (!find_known(options.known, small->cause, options.release)) return std::nullopt;
  return std::move(*small);
}

// The program as the loop saw it, where its difference shows now.
Result<std::optional<Dossier>> unreduced(ProgramSession& session, const Dossier& small) {
  auto again = shown_now(session, small.finding.value, small.finding.of_class);
  if (!again) return std::unexpected(again.error());
  if (!*again) return std::nullopt;
  Dossier dossier = small;
  dossier.value = small.finding.value;
  dossier.difference = std::move((*again)->difference);
  dossier.seen = std::move((*again)->seen);
  return dossier;
}

// A question needs no script: it may be one that none can ask.
void leave_out_what_fails(Dossier& question) {
  if (!question.confirmed) question.script.clear();
  question.confirmed = true;
}

std::string stacks_of(const Difference& it) {
  if (const auto* late = std::get_if<TimedOut>(&it.was)) return late->stacks;
  if (const auto* crash = std::get_if<Crashed>(&it.was)) return crash->stacks;
  return "";
}

}  // namespace

// Keys that differ in a sign alone have one slug: what tells them apart stands behind it.
std::string Dossier::fingerprint() const {
  const std::string& key = reduced ? cause.key : finding.key;
  return fmt::format("{}-{:08x}", slug(key),
                     static_cast<std::uint32_t>(std::hash<std::string>{}(key)));
}

Dossier not_followed(const Finding& found, std::string why) {
  return {.finding = found, .value = found.value, .why = std::move(why)};
}

Result<Dossier> reduce_finding(ProgramSession& session, const Finding& found,
                               const DossierOptions& options, Against* against) {
  Dossier dossier = not_followed(found, "");
  const auto reduced = [&](const program::Case& value) -> Result<ReducedProgram> {
    ReduceOptions how{.of_class = found.of_class,
                      .budget = options.budget / 4,
                      .stop = options.stop,
                      .against = against};
    const auto until = std::chrono::steady_clock::now() + options.budget * 3 / 4;
    // Of a base nothing is known: that it shows the same is asked of it at each program.
    if (!against && !options.known.empty()) {
      auto known = known_soon(session, value, options, how);
      if (!known) return std::unexpected(known.error());
      if (*known) return std::move(**known);
    }
    how.budget = std::chrono::duration_cast<Milliseconds>(until - std::chrono::steady_clock::now());
    return reduce_program(session, value, how);
  };
  const auto nothing = [](const Result<ReducedProgram>& it) {
    return !it && it.error().message == kShowsNoDifference;
  };
  auto small = reduced(found.value);
  // A fork may have hung for a thread that an earlier program had left in its parent.
  if (nothing(small) && found.oracle == "deadline")
    if (const auto warm = program::warmed(found.value)) {
      small = reduced(*warm);
      if (small) dossier.finding.value = *warm;
    }
  if (nothing(small)) {
    dossier.why = "it did not happen again when its program was played once more";
    return dossier;
  }
  if (!small) return std::unexpected(small.error());
  dossier.value = std::move(small->value);
  dossier.difference = std::move(small->difference);
  dossier.seen = std::move(small->seen);
  dossier.cause = std::move(small->cause);
  dossier.reduced = true;
  dossier.whole = small->whole;
  return dossier;
}

Result<void> confirm_dossier(ProgramSession& session, Dossier& dossier,
                             const DossierOptions& options) {
  const Confirmer confirmer(options);
  // What differs between kinds of store was seen again just now; there is no wrong side to show.
  const bool question = dossier.difference.question;
  dossier.confirmed = question;
  if (auto tried = confirmer.try_script(dossier); !tried) return tried;
  if (question) leave_out_what_fails(dossier);
  if (question || dossier.confirmed || confirmer.stopped() ||
      dossier.value == dossier.finding.value)
    return {};
  auto larger = unreduced(session, dossier);
  if (!larger) return std::unexpected(larger.error());
  if (!*larger) return {};
  if (auto tried = confirmer.try_script(**larger); !tried) return tried;
  if ((*larger)->confirmed) dossier = std::move(**larger);
  return {};
}

Result<void> write_dossier(const RunDirectory& run, const Dossier& dossier) {
  const std::filesystem::path folder = std::filesystem::path("findings") / dossier.fingerprint();
  const auto text = [](const Json& json) { return text_of(json, 2) + "\n"; };
  Json observations = program::observations(dossier.value, dossier.seen);
  if (!dossier.confirmed && !dossier.said.empty()) observations["repro.py said"] = dossier.said;
  std::vector<std::pair<std::string, std::string>> files{
      {"case.json", text(program::to_json(dossier.value))},
      {"observations.json", text(observations)}};
  if (!dossier.script.empty()) files.emplace_back("repro.py", dossier.script);
  for (const program::Place& place : dossier.value.before)
    if (!place.twists.empty())
      if (auto bytes = program::archive_of(place)) files.emplace_back("archive.zip", *bytes);
  for (const auto& adapter : adapter_files(dossier.value))
    files.emplace_back(adapter.filename().string(), read_file_whole(adapter).value_or(""));
  for (const auto& [name, content] : files)
    if (auto written = run.write(folder / name, content); !written) return written;
  return {};
}

Json to_json(const Dossier& dossier, const std::string& release) {
  const Difference& it = dossier.difference;
  const bool reduced = dossier.reduced;
  const std::string_view danger = program::security_of(it.wrong);
  Json stores = Json::object();
  for (const auto& [kind, answer] : it.stores) stores[kind] = answer;
  Json line{{"fingerprint", dossier.fingerprint()},
            {"cause", reduced ? dossier.cause.key : dossier.finding.key},
            {"severity", reduced ? dossier.cause.severity : dossier.finding.severity},
            {"journey", reduced ? dossier.cause.journey : program::has_journey(dossier.value)},
            {"question", dossier.finding.question},
            {"oracle", reduced ? it.oracle : dossier.finding.oracle},
            {"asks", program::question_of(reduced ? it.oracle : dossier.finding.oracle)},
            {"class", reduced ? std::string(name_of(it.wrong)) : dossier.finding.wrong},
            {"at", reduced ? it.where.operation : ""},
            {"of_class", reduced ? class_of(dossier.value, it) : dossier.finding.of_class},
            {"headline", reduced ? it.headline : dossier.finding.headline},
            {"store", program::kinds_of(dossier.value)},
            {"subject", release},
            {"rows", reduced ? program::rows(dossier.value, it) : Json::array()},
            {"steps", program::steps(dossier.value, reduced ? &it : nullptr)},
            {"stores", std::move(stores)},
            {"stacks", stacks_of(it)},
            {"case", program::to_json(dossier.value)},
            {"script", !dossier.script.empty()},
            {"confirmed", dossier.confirmed},
            {"security", reduced && !danger.empty() ? Json(danger) : Json()},
            {"known", nullptr},
            {"releases", nullptr}};
  if (!dossier.confirmed) line["why"] = dossier.why;
  if (!dossier.followed) line["followed"] = false;
  return line;
}

}  // namespace storefuzz
