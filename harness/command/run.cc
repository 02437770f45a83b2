// storefuzz run: a campaign. Its options are those of CampaignOptions and Settings, which say
// themselves how they are typed.
#include <fmt/format.h>

#include <ctime>
#include <fstream>
#include <memory>

#include "harness/base/text.h"
#include "harness/campaign/campaign.h"
#include "harness/command/commands.h"
#include "harness/command/screen.h"
#include "harness/command/subject_options.h"
#include "harness/play/targets.h"

namespace storefuzz {
namespace {

std::string default_out(const SubjectOptions& subject) {
  char when[32];
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  std::strftime(when, sizeof when, "%Y-%m-%d-%H%M%S", &parts);
  return fmt::format("runs/{}-zarr-{}", when, subject.zarr.empty() ? "newest" : slug(subject.zarr));
}

// The command as it was typed, but for the path of the program.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text = "storefuzz";
  std::string word;
  std::getline(file, word, '\0');
  while (std::getline(file, word, '\0')) text += " " + word;
  return text;
}

struct RunOptions {
  SubjectOptions subject;
  CampaignOptions campaign;
};

int run(RunOptions& options) {
  CampaignOptions& campaign = options.campaign;
  campaign.subject = wanted(options.subject);
  campaign.adapter = options.subject.adapter;
  campaign.command = command_line();
  if (campaign.out.empty()) campaign.out = default_out(options.subject);
  campaign.progress = [](std::string_view line) { screen().progress(line); };
  campaign.say = [](std::string_view line) { screen().say(line); };
  auto end = run_campaign(campaign);
  if (!end) return screen().fail(end.error());
  return static_cast<int>(end->code);
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

void add_run(CLI::App& app, int& code) {
  auto options = std::make_shared<RunOptions>();
  auto& command = *app.add_subcommand("run", "Fuzz, reduce, confirm, and draw a page");
  std::vector<std::string> names;
  for (const Target& it : kTargets) names.emplace_back(it.name);
  command.add_option("targets", options->campaign.targets, "Targets (default: program)")
      ->check(CLI::IsMember(names));
  add_subject(command, options->subject);
  each_option(options->campaign,
              [&](const Typed& typed, auto& value) { add_option(command, typed, value); });
  for (const Setting& setting : kSettings)
    if (setting.option)
      add_option(command, {.name = setting.option, .help = setting.help, .hidden = setting.hidden},
                 options->campaign.settings.*setting.member);
  command.callback([options, &code] { code = run(*options); });
}

}  // namespace storefuzz
