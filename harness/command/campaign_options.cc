// See campaign_options.h.
#include "harness/command/campaign_options.h"

#include <fstream>
#include <string>
#include <type_traits>
#include <vector>

#include "harness/command/screen.h"
#include "harness/play/targets.h"

namespace storefuzz {
namespace {

// The command as it was typed, but for the path of the program.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text = "storefuzz";
  std::string word;
  std::getline(file, word, '\0');
  while (std::getline(file, word, '\0')) text += " " + word;
  return text;
}

template <class Value>
void add_option(CLI::App& command, const Typed& typed, Value& value) {
  CLI::Option* option = nullptr;
  if constexpr (std::is_same_v<Value, bool>)
    option = command.add_flag(typed.name, value, typed.help);
  else
    option = command.add_option(typed.name, value, typed.help);
  if constexpr (std::is_same_v<Value, int>) option->check(CLI::Range(typed.least, typed.most));
  if (typed.shows_default) option->capture_default_str();
  if (typed.hidden) option->group("");
}

}  // namespace

void add_campaign(CLI::App& command, CampaignOptions& campaign, SubjectOptions& subject,
                  const std::set<std::string_view>& without) {
  std::vector<std::string> names;
  for (const Target& it : kTargets) names.emplace_back(it.name);
  command.add_option("targets", campaign.targets, "Targets (see storefuzz list targets)")
      ->check(CLI::IsMember(names));
  add_subject(command, subject);
  each_option(campaign, [&](const Typed& typed, auto& value) {
    if (!without.contains(typed.name)) add_option(command, typed, value);
  });
  for (const Setting& setting : kSettings)
    if (setting.option)
      add_option(command, {.name = setting.option, .help = setting.help, .hidden = setting.hidden},
                 campaign.settings.*setting.member);
}

void complete(CampaignOptions& campaign, const SubjectOptions& subject) {
  campaign.subject = wanted(subject);
  campaign.adapter = subject.adapter;
  campaign.command = command_line();
  campaign.progress = [](std::string_view line) { screen().progress(line); };
  campaign.say = [](std::string_view line) { screen().say(line); };
}

}  // namespace storefuzz
