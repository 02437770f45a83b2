// The proof's store joins as a user's store does: by an adapter that names a file.
#include "harness/campaign/proof.h"

#include <fmt/format.h>

#include <chrono>

#include "harness/base/paths.h"
#include "harness/case/case.h"

namespace storefuzz {
namespace {

constexpr const char* kStore = "storefuzz proof";
constexpr const char* kLoss = "a store of storefuzz loses its mark";
constexpr const char* kFingerprint = "storefuzz-proof-attributes-mark-lost";

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

Case proof_case(StoreKind store) {
  Case value;
  value.store = store;
  value.looks = {LookGroup::kState};
  value.transport = Transport::kSpawn;
  normalise(value);
  return value;
}

// The pages of a run that found this alone.
Result<void> draw(const std::filesystem::path& folder, const Dossier& dossier, const Json& run_json,
                  const std::string& release) {
  auto run = RunDirectory::make(folder);
  if (!run) return std::unexpected(run.error());
  Json line = to_json(dossier, release);
  line.update({{"seen_on", Json::array()},
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
  auto player = Player::start({.python = options.dossier.python,
                               .scratch = options.dossier.scratch,
                               .oracles_off = options.oracles_off});
  if (!player) return std::unexpected(player.error());
  const Case value = proof_case(*store);
  auto played = player->play(value);
  if (!played) return std::unexpected(played.error());
  const Finding* found = find(played->findings, kFingerprint);
  if (!found) return blind("no oracle saw it");
  auto dossier = make_dossier(*player, value, *found, options.dossier);
  if (!dossier) return std::unexpected(dossier.error());
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
               .containment = player->containment()};
}

}  // namespace storefuzz
