// A player at the other end of two pipes: the storefuzz command plays cases without loading Python.
//
// A player that hangs or dies is a finding about its case; the next case gets a new player.
//
//     Result<Player> player = Player::start({.python = subject.python, .scratch = folder});
//     Result<PlayedCase> played = player->play(value);
//     if (has(played->findings, "zip-attributes-_read_only-lost")) …
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/findings/finding.h"
#include "harness/process/process.h"

namespace storefuzz {

struct PlayedCase {
  std::vector<Finding> findings;
  std::map<std::string, int> quirks;
  Json observations;   // as observations.json has them; null when the player hung or died
  Answer constructed;  // refused: the release cannot make this store
  bool arrived = false;
};

class Player {
 public:
  struct Options {
    std::string python;             // of the subject's environment
    std::filesystem::path scratch;  // a folder of its own is made in it
    std::string planted;
    std::string oracles_off;        // names, with commas between
    Milliseconds deadline{1000};
    std::function<bool()> stop = {};  // asked while a player starts; once true, that is an error
  };

  static Result<Player> start(Options options);
  Result<PlayedCase> play(const Case& value);
  // Other oracles are left out from now on than those of the options. To judge a case again costs
  // nothing; a player of its own costs a second.
  void leave_out(std::string oracles) { options_.oracles_off = std::move(oracles); }

  const std::string& release() const { return release_; }
  const std::string& python_version() const { return python_version_; }
  const std::string& containment() const { return containment_; }

 private:
  explicit Player(Options options, StackFile stacks)
      : options_(std::move(options)), stacks_(std::move(stacks)) {}
  Result<void> launch();
  PlayedCase died(const Case& value, const Reply& reply);

  Options options_;
  StackFile stacks_;
  std::optional<Process> process_;
  std::string release_, python_version_, containment_;
};

const Finding* find(const std::vector<Finding>& findings, std::string_view fingerprint);

}  // namespace storefuzz
