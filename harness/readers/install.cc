// Calls reference/readers/install.py and reads its last line.
#include "harness/readers/install.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/process/interruption.h"
#include "harness/process/process.h"

namespace storefuzz {
namespace {

constexpr Milliseconds kInstalling{900'000};
constexpr std::string_view kZarr = "zarr";

Result<ReaderCommand> our_reader(const std::string& name) {
  const std::filesystem::path path = built_program("storefuzz-reader");
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return machine_failure(fmt::format("There is no {}; was it built?", path.string()));
  return ReaderCommand{.name = name, .arguments = {path.string(), name}};
}

bool is_command(const Json& json) {
  return json.is_array() && !json.empty() &&
         std::ranges::all_of(json, [](const Json& it) { return it.is_string(); });
}

// `named`: the name, perhaps with a release.
Result<ReaderCommand> installed_reader(const std::string& name, const std::string& named) {
  auto done = run_to_end(
      {.arguments = {tools_python(), source_folder() + "/reference/readers/install.py", named},
       .environment = {{"PYTHONDONTWRITEBYTECODE", "1"}}},
      kInstalling, interrupted);
  if (!done) return std::unexpected(done.error());
  if (done->stopped)
    return machine_failure(fmt::format("interrupted while the reader {} was prepared", named));
  const LastLine told = last_line(done->output);
  if (done->exit_code != 0) {
    const std::string why = fmt::format("install.py {} failed: {}", named, done->end);
    const bool named_wrong = done->exit_code == static_cast<int>(ExitCode::kBadInput);
    return std::unexpected(Error{.code = named_wrong ? ExitCode::kBadInput : ExitCode::kMachine,
                                 .message = told.last.empty() ? why : told.last});
  }
  std::fputs(printable_lines(told.before).c_str(), stderr);
  const Json json = Json::parse(told.last, nullptr, false);
  if (!is_command(json)) return machine_failure("install.py said nothing of use");
  return ReaderCommand{
      .name = name, .arguments = json.get<std::vector<std::string>>(), .packs = name == kZarr};
}

}  // namespace

std::vector<ReaderCommand> readers_beside_us() {
  std::vector<ReaderCommand> commands;
  for (const char* name : {"libzip", "libarchive"})
    if (auto command = our_reader(name)) commands.push_back(std::move(*command));
  return commands;
}

Result<std::vector<ReaderCommand>> reader_commands(const std::vector<std::string>& names) {
  auto known = all_readers();
  if (!known) return std::unexpected(known.error());
  // All names first: what takes minutes comes after what is wrong at once.
  std::vector<std::string> plain;
  for (const std::string& named : names) {
    const std::size_t release = named.starts_with("zarr==") ? kZarr.size() : named.npos;
    const std::string name = named.substr(0, release);
    if (std::ranges::find(*known, name) == known->end())
      return bad_input(
          fmt::format("There is no reader {}; known are {}.", named, fmt::join(*known, ", ")));
    if (std::ranges::find(plain, name) != plain.end())
      return bad_input(fmt::format("The reader {} is named twice.", name));
    plain.push_back(name);
  }
  std::vector<ReaderCommand> commands;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool ours = std::ranges::find(kOurReaders, names[i]) != kOurReaders.end();
    auto command = ours ? our_reader(names[i]) : installed_reader(plain[i], names[i]);
    if (!command) return std::unexpected(command.error());
    commands.push_back(std::move(*command));
  }
  return commands;
}

}  // namespace storefuzz
