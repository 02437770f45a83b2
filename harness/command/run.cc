// storefuzz run: a campaign.
#include <fmt/format.h>

#include <ctime>
#include <memory>

#include "harness/base/text.h"
#include "harness/campaign/campaign.h"
#include "harness/command/campaign_options.h"
#include "harness/command/commands.h"
#include "harness/command/screen.h"

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

struct RunOptions {
  SubjectOptions subject;
  CampaignOptions campaign;
};

int run(RunOptions& options) {
  CampaignOptions& campaign = options.campaign;
  complete(campaign, options.subject);
  if (campaign.out.empty()) campaign.out = default_out(options.subject);
  auto end = run_campaign(campaign);
  if (!end) return screen().fail(end.error());
  return static_cast<int>(end->code);
}

}  // namespace

void add_run(CLI::App& app, int& code) {
  auto options = std::make_shared<RunOptions>();
  auto& command = *app.add_subcommand("run", "Fuzz, reduce, confirm, and draw a page");
  add_campaign(command, options->campaign, options->subject);
  command.callback([options, &code] { code = run(*options); });
}

}  // namespace storefuzz
