// storefuzz list: what there is.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <memory>

#include "harness/base/paths.h"
#include "harness/campaign/subject.h"
#include "harness/case/words.h"
#include "harness/command/commands.h"
#include "harness/command/screen.h"
#include "harness/findings/known.h"
#include "harness/findings/program_quirks.h"
#include "harness/oracles/oracle.h"
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

int list_operations() {
  for (const program::Operation& row : program::operations()) screen().say(row.word);
  return 0;
}

int list_oracles() {
  for (const program::Oracle& oracle : program::oracles())
    screen().say(fmt::format("{:<14} {}", oracle.name, oracle.asks));
  return 0;
}

int list_quirks() {
  auto quirks = program::load_quirks(reference_folder() + "/program_quirks.json");
  if (!quirks) return screen().fail(quirks.error());
  for (const program::Quirk& quirk : *quirks)
    screen().say_lines(fmt::format("{}: {} / {} / {} / {} / {}\n    {}\n    {}", quirk.id,
                                   quirk.oracle, quirk.wrong, fmt::join(quirk.operations, ", "),
                                   quirk.argument, fmt::join(quirk.stores, ", "), quirk.reason,
                                   quirk.link));
  return 0;
}

int list_known() {
  auto known = load_known("shipped");
  if (!known) return screen().fail(known.error());
  for (const Known& it : *known)
    screen().say_lines(fmt::format("{} {}{}\n    {}\n    {}", it.severity, it.cause,
                                   it.good.empty() ? "" : fmt::format(" (mended in {})", it.good),
                                   it.reason, it.link));
  return 0;
}

int list_releases() {
  auto known = all_releases();
  if (!known) return screen().fail(known.error());
  for (const std::string& release : *known) screen().say(release);
  return 0;
}

const std::map<std::string, int (*)()> kLists = {
    {"targets", list_targets},       {"stores", list_stores},    {"carriers", list_carriers},
    {"operations", list_operations}, {"oracles", list_oracles},  {"quirks", list_quirks},
    {"known", list_known},           {"releases", list_releases}};

}  // namespace

void add_list(CLI::App& app, int& code) {
  auto what = std::make_shared<std::string>();
  auto& command = *app.add_subcommand("list", "What there is");
  std::vector<std::string> names;
  for (const auto& [name, list] : kLists) names.push_back(name);
  command
      .add_option("what", *what,
                  "targets, stores, carriers, operations, oracles, quirks, known or releases")
      ->required()
      ->check(CLI::IsMember(names));
  command.callback([what, &code] { code = kLists.at(*what)(); });
}

}  // namespace storefuzz
