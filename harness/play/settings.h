// What a process that plays cases is told by the command that starts it: an agreement between the
// storefuzz command and the fuzz targets, carried by environment variables.
//
// A new setting is a member and a row of the table here, and its use.
//
//     Command command{.environment = to_environment(settings)};     // who starts the process
//     const Settings settings = settings_from_environment();        // the process itself
#pragma once

#include <array>
#include <cstdlib>
#include <map>
#include <string>

namespace storefuzz {

struct Settings {
  std::string python, scratch, stores = "all", carriers, adapters = "[]", deadline = "1000";
  std::string planted, oracles_off, avoid, corpus, core;
  std::string board, findings, subjects = "{}", base, known = "shipped";

  // Whether what the subject prints is shown. A fuzz target's standard error is its log; that of
  // the command is a person's screen, which a store that logs would fill.
  bool prints = false;
};

// `option`: how `storefuzz run` takes the setting from a user; none where the command decides.
// `help` says what it means, and what is taken where nothing is said. A hidden option is for tests
// and measurements: --help does not tell of it.
struct Setting {
  const char* variable;
  std::string Settings::* member;
  const char* help;
  const char* option = nullptr;
  bool hidden = false;
};

inline constexpr std::array kSettings = {
    Setting{"STOREFUZZ_PYTHON", &Settings::python, "Interpreter of the subject's environment"},
    Setting{"STOREFUZZ_SCRATCH", &Settings::scratch,
            "Folder this process may write to (default: a new one, which its caller removes)"},
    Setting{"STOREFUZZ_STORES", &Settings::stores, "Stores, with commas between, or all",
            "--stores"},
    Setting{"STOREFUZZ_CARRIERS", &Settings::carriers,
            "Carriers, with commas between (default: all)", "--carriers"},
    Setting{"STOREFUZZ_ADAPTERS", &Settings::adapters,
            "JSON list of adapters from strangers' files"},
    Setting{"STOREFUZZ_DEADLINE", &Settings::deadline,
            "Milliseconds without any work, after which a process hangs"},
    Setting{"STOREFUZZ_SUBJECTS", &Settings::subjects,
            "JSON object of other releases that processes of a program may have: release → "
            "interpreter of an environment with it"},
    Setting{"STOREFUZZ_BASE", &Settings::base,
            "Interpreter of the environment of a base: what it shows as well is old"},
    Setting{"STOREFUZZ_PLANTED", &Settings::planted,
            "Plant a loss (see reference/planted/planted.py)", "--planted", true},
    Setting{"STOREFUZZ_ORACLES_OFF", &Settings::oracles_off,
            "Leave oracles out, with commas between", "--oracles-off", true},
    Setting{"STOREFUZZ_AVOID", &Settings::avoid,
            "File of cases, one a line, that a fuzz process passes over"},
    Setting{"STOREFUZZ_CORPUS", &Settings::corpus,
            "Folder that a fuzz process shares with others, and may write to as well"},
    Setting{"STOREFUZZ_CORE", &Settings::core,
            "Number of the processor that a fuzz process and its children keep to"},
    Setting{"STOREFUZZ_KNOWN", &Settings::known,
            "Causes that do not end a target without a supervisor: shipped, none or a file"},
    // Descriptors from the supervisor.
    Setting{"STOREFUZZ_BOARD", &Settings::board, "Shared memory of the board"},
    Setting{"STOREFUZZ_FINDINGS", &Settings::findings, "Pipe for findings"},
};

inline std::map<std::string, std::string> to_environment(const Settings& settings) {
  std::map<std::string, std::string> variables;
  for (const Setting& it : kSettings) variables[it.variable] = settings.*it.member;
  return variables;
}

// An empty variable is as good as none: then the default stays.
inline Settings settings_from_environment() {
  Settings settings;
  settings.prints = true;
  for (const Setting& it : kSettings)
    if (const char* value = std::getenv(it.variable); value && *value) settings.*it.member = value;
  return settings;
}

// A descriptor number among the settings; -1 where there is none.
inline int descriptor_of(const std::string& text) {
  return text.empty() ? -1 : std::atoi(text.c_str());
}

}  // namespace storefuzz
