// storefuzz nightly: a night on a state, which remembers what the nights before have seen.
#include <memory>

#include "harness/campaign/night.h"
#include "harness/command/campaign_options.h"
#include "harness/command/commands.h"
#include "harness/command/screen.h"

namespace storefuzz {
namespace {

struct NightlyOptions {
  std::string state;
  SubjectOptions subject;
  CampaignOptions campaign;
};

int nightly(NightlyOptions& options) {
  complete(options.campaign, options.subject);
  auto code = run_night({.state = options.state, .campaign = options.campaign});
  return code ? static_cast<int>(*code) : screen().fail(code.error());
}

}  // namespace

void add_nightly(CLI::App& app, int& code) {
  auto options = std::make_shared<NightlyOptions>();
  options->campaign.targets.clear();  // all of them
  auto& command =
      *app.add_subcommand("nightly", "Fuzz every target, and say what the night before did not");
  command.add_option("state", options->state, "The folder of the state; made where there is none")
      ->required();
  add_campaign(command, options->campaign, options->subject,
               {"--corpus", "--out", "--replace", "--until", "--until-new", "--keys"});
  command.callback([options, &code] { code = nightly(*options); });
}

}  // namespace storefuzz
