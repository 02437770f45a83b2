// How a campaign is named on the command line: its options are those of CampaignOptions and
// Settings, which say themselves how they are typed.
#pragma once

#include <CLI/CLI.hpp>
#include <set>
#include <string_view>

#include "harness/campaign/campaign.h"
#include "harness/command/subject_options.h"

namespace storefuzz {

// Targets, the subject, and all options of a campaign but those `without`.
void add_campaign(CLI::App& command, CampaignOptions& campaign, SubjectOptions& subject,
                  const std::set<std::string_view>& without = {});

// What is not typed: the command itself, and the screen.
void complete(CampaignOptions& campaign, const SubjectOptions& subject);

}  // namespace storefuzz
