// storefuzz list: what there is.
#include <fmt/format.h>

#include <map>
#include <memory>

#include "harness/base/paths.h"
#include "harness/campaign/subject.h"
#include "harness/case/case.h"
#include "harness/command/commands.h"
#include "harness/command/screen.h"
#include "harness/findings/quirks.h"
#include "harness/play/targets.h"

namespace storefuzz {
namespace {

int list_targets() {
  for (const Target& it : kTargets) screen().say(fmt::format("{:<14} {}", it.name, it.sentence));
  return 0;
}

int list_stores() {
  for (const StoreKind kind : all_stores())
    screen().say(fmt::format(
        "{:<16} {}{}", name_of(kind), kind->type,
        kind->wraps ? ", over another store: " + kind->kind + " over local" : std::string()));
  return 0;
}

int list_carriers() {
  for (const Carrier carrier : all_of<Carrier>()) screen().say(name_of(carrier));
  return 0;
}

int list_oracles() {
  for (const Oracle& oracle : oracles())
    screen().say(fmt::format("{:<14} {}", oracle.name, oracle.asks));
  return 0;
}

int list_quirks() {
  auto quirks = load_quirks(reference_folder() + "/quirks.json");
  if (!quirks) return screen().fail(quirks.error());
  for (const Quirk& quirk : *quirks)
    screen().say_lines(fmt::format("{}: {} {}/{}/{}\n    {}\n    {}", quirk.id, quirk.store,
                                   quirk.oracle, quirk.field, quirk.wrong, quirk.reason,
                                   quirk.link));
  return 0;
}

int list_releases() {
  auto known = all_releases();
  if (!known) return screen().fail(known.error());
  for (const std::string& release : *known) screen().say(release);
  return 0;
}

const std::map<std::string, int (*)()> kLists = {
    {"targets", list_targets}, {"stores", list_stores}, {"carriers", list_carriers},
    {"oracles", list_oracles}, {"quirks", list_quirks}, {"releases", list_releases}};

}  // namespace

void add_list(CLI::App& app, int& code) {
  auto what = std::make_shared<std::string>();
  auto& command = *app.add_subcommand("list", "What there is");
  std::vector<std::string> names;
  for (const auto& [name, list] : kLists) names.push_back(name);
  command.add_option("what", *what, "targets, stores, carriers, oracles, quirks or releases")
      ->required()
      ->check(CLI::IsMember(names));
  command.callback([what, &code] { code = kLists.at(*what)(); });
}

}  // namespace storefuzz
