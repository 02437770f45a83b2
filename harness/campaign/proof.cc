// The proof's store joins as a user's store does: by an adapter that names a file.
#include "harness/campaign/proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "harness/base/paths.h"
#include "harness/case/program.h"

namespace storefuzz {
namespace {

constexpr const char* kStore = "storefuzz proof";
constexpr const char* kLoss = "a store of storefuzz loses its mark";

std::unexpected<Error> blind(const std::string& why) {
  return machine_failure(fmt::format(
      "the planted loss \"{}\" was not found ({}): this run would see nothing", kLoss, why));
}

// Not listed: no run draws this store.
Result<StoreKind> proof_store() {
  if (auto known = find_store(kStore)) return known;
  auto added =
      add_adapters(Json::array({{{"kind", kStore},
                                 {"type", "ProofStore"},
                                 {"make", "ProofStore()"},
                                 {"imports", {"from storefuzz_proof import ProofStore"}},
                                 {"file", reference_folder() + "/planted/storefuzz_proof.py"},
                                 {"medium", "memory"},
                                 {"shared", "object"},
                                 {"waits", false},
                                 {"listed", false}}}));
  return added ? find_store(kStore) : std::unexpected(added.error());
}

// Made here, asked here, and asked where it has arrived.
program::Case proof_program(StoreKind store) {
  using namespace program;
  Case value{.processes = {{.name = "p1"}},
             .steps = {Make{.kind = store, .at = "z", .as = "s0"},
                       Carry{.from = "s0", .to = "p1", .as = "s1"},
                       Call{.op = Op::kState, .on = {"s0", "s1"}}}};
  fit(value);
  return value;
}

// The pages of a run that found this alone.
Result<void> draw(const std::filesystem::path& folder, const Dossier& dossier, const Json& run_json,
                  const std::string& release) {
  auto run = RunDirectory::make(folder);
  if (!run) return std::unexpected(run.error());
  Json line = to_json(dossier, release);
  line.update({{"seen_as", Json::array()},
               {"count", 1},
               {"executions_to_find", 1},
               {"seconds_to_find", 0.0}});
  for (const auto& [name, text] :
       {std::pair{"run.json", text_of(run_json)}, std::pair{"unconfirmed.jsonl", std::string()},
        std::pair{"findings.jsonl", text_of(line) + "\n"}})
    if (auto written = run->write(name, text); !written) return written;
  if (auto written = write_dossier(*run, dossier); !written) return written;
  return run->render();
}

}  // namespace

Result<Proof> prove(const ProofOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  auto store = proof_store();
  if (!store) return std::unexpected(store.error());
  Settings settings;
  settings.python = options.dossier.python;
  settings.scratch = options.dossier.scratch.string();
  settings.oracles_off = options.oracles_off;
  settings.stores = kStore;
  settings.adapters = text_of(added_adapters());
  auto session = ProgramSession::start(settings);
  if (!session) return std::unexpected(session.error());
  const program::Case value = proof_program(*store);
  auto played = (*session)->play(value);
  if (!played) return std::unexpected(played.error());
  const auto found = findings_of(value, played->differences);
  const auto lost =
      std::ranges::find(found, program::name_of(program::Wrong::kState), &Finding::wrong);
  if (lost == found.end()) return blind("no oracle saw it");
  auto dossier = reduce_finding(**session, *lost, options.dossier);
  if (!dossier) return std::unexpected(dossier.error());
  if (dossier->reduced)
    if (auto done = confirm_dossier(**session, *dossier, options.dossier); !done)
      return std::unexpected(done.error());
  if (!dossier->confirmed) return blind(dossier->why);
  const auto folder = options.dossier.scratch / "proof";
  if (auto drawn = draw(folder, *dossier, options.run, options.dossier.release); !drawn)
    return std::unexpected(drawn.error());
  std::error_code error;
  const bool page = std::filesystem::exists(folder / "index.html", error);
  std::filesystem::remove_all(folder, error);
  if (!page) return blind("no page was drawn");
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  return Proof{.told = {{"planted", kLoss}, {"found", true}, {"seconds", seconds.count()}},
               .containment = (*session)->workers().subject().containment};
}

}  // namespace storefuzz
