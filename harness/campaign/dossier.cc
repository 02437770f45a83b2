// Shrink, write the script, run it.
#include "harness/campaign/dossier.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

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

// Writes the script and runs it.
Result<void> try_script(Dossier& dossier, const DossierOptions& options, bool thorough,
                        Milliseconds deadline) {
  auto script = write_repro(dossier.value, dossier.finding, dossier.observations,
                            {.release = options.release,
                             .published = options.published,
                             .packages = options.packages,
                             .seconds = options.hang_seconds,
                             .vocabulary = source_folder() + "/reference/vocabulary.json",
                             .thorough = thorough});
  if (!script) return std::unexpected(script.error());
  if (*script == dossier.script) return {};  // nothing to add
  dossier.script = *script;
  const auto file = options.scratch / (dossier.fingerprint + ".py");
  // A stranger's store is imported from beside the script.
  if (const std::filesystem::path adapter = dossier.value.store->file; !adapter.empty()) {
    std::error_code error;
    std::filesystem::copy_file(adapter, options.scratch / adapter.filename(),
                               std::filesystem::copy_options::overwrite_existing, error);
    if (error) return machine_failure("the adapter cannot be copied: " + error.message());
  }
  if (auto written = write_file_whole(file, dossier.script); !written) return written;
  ConfirmOptions how{.python = options.python,
                     .scratch = options.scratch,
                     .planted = options.planted,
                     .deadline = deadline};
  auto confirmed = confirm(file, dossier.finding.told.headline, how);
  if (!confirmed) return std::unexpected(confirmed.error());
  dossier.confirmed = confirmed->confirmed;
  dossier.why = confirmed->why;
  if (dossier.confirmed && !options.planted.empty()) {
    how.planted.clear();
    auto without = confirm(file, dossier.finding.told.headline, how);
    if (!without) return std::unexpected(without.error());
    dossier.confirmed = !without->confirmed;
    if (without->confirmed) dossier.why = "the subject shows it without the planted loss as well";
  }
  if (!confirmed->confirmed) dossier.observations["repro.py said"] = confirmed->output;
  return {};
}

}  // namespace

Result<Dossier> make_dossier(Player& player, const Case& value, const Finding& found,
                             const DossierOptions& options) {
  const auto until = std::chrono::steady_clock::now() + options.budget;
  Dossier dossier{.fingerprint = found.fingerprint, .finding = found, .value = value};
  // A quarter of the budget is kept for the script.
  auto small = shrink(player, value, found.fingerprint, options.budget * 3 / 4, options.stop);
  if (!small) {
    if (small.error().message != "the case does not show it again")
      return std::unexpected(small.error());
    dossier.why = "it did not happen again when its case was played once more";
    return dossier;
  }
  dossier.value = small->value;
  dossier.finding = *find(small->played.findings, found.fingerprint);
  dossier.observations = small->played.observations;
  dossier.tried = small->tried;
  dossier.fingerprint = with_journey(found.fingerprint, small->value);
  for (const bool thorough : {false, true}) {
    const auto left =
        std::chrono::duration_cast<Milliseconds>(until - std::chrono::steady_clock::now());
    auto tried = try_script(dossier, options, thorough, std::max(left, Milliseconds(15'000)));
    if (!tried) return std::unexpected(tried.error());
    if (dossier.confirmed) break;
  }
  return dossier;
}

Result<void> write_dossier(const RunDirectory& run, const Dossier& dossier) {
  const std::filesystem::path folder = std::filesystem::path("findings") / dossier.fingerprint;
  const auto text = [](const Json& json) {
    return text_of(json, 2) + "\n";
  };
  std::vector<std::pair<std::string, std::string>> files{
      {"case.json",
       text({{"fingerprint", dossier.finding.fingerprint}, {"case", to_json(dossier.value)}})},
      {"observations.json", text(dossier.observations)}};
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
